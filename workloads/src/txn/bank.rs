//! The bank: money moves between accounts, and no transaction may ever see more or less of it
//! than there is (Jepsen's `bank`).
//!
//! | operation | argument | result |
//! |---|---|---|
//! | `open` | `{"total":100,"accounts":8,"negative":false}` | the same |
//! | `transfer` | `{"from":0,"to":3,"amount":2}` | the same |
//! | `read` | | the balances by account |
//!
//! A transfer that would leave less than nothing aborts, unless balances may be negative. The
//! account 0 has all money in the beginning. The first operation opens the accounts; an attempt
//! at it that comes late finds them open and changes nothing.

use super::{End, ask_each, end, micro_op, ok, read, request};
use crate::generator::mix::mix;
use crate::generator::source::{from_fn, repeat};
use crate::generator::until_each_ok::{Tries, until_each_ok};
use crate::generator::{Combine, Generator, Invocation};
use crate::options::{OptionError, OptionSpec, Options};
use crate::register::FINAL_TRIES;
use crate::workload::{Completion, Workload};
use quorate_checkers::value::{Name, Value};
use quorate_targets::api::txn::{Kind, MicroOp};
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::RngExt;

const ACCOUNTS: OptionSpec =
    OptionSpec { name: "accounts", default: "8", about: "how many accounts there are" };
const TOTAL: OptionSpec =
    OptionSpec { name: "total", default: "100", about: "how much money there is" };
const MAX_TRANSFER: OptionSpec =
    OptionSpec { name: "max-transfer", default: "5", about: "the most that a transfer moves" };
const NEGATIVE: OptionSpec = OptionSpec {
    name: "negative-balances",
    default: "no",
    about: "whether accounts may have less than nothing: yes or no",
};

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[ACCOUNTS, TOTAL, MAX_TRANSFER, NEGATIVE];

/// See the [module](self).
#[derive(Debug)]
pub struct Bank {
    accounts: i64,
    total: i64,
    transfer_max: i64,
    negative: bool,
    seed: Seed,
    nodes: Vec<NodeId>,
}

impl Bank {
    /// For these nodes, which the final phase asks one by one.
    pub fn new(options: &Options, seed: Seed, nodes: &[NodeId]) -> Result<Bank, OptionError> {
        options.expect_only(OPTIONS)?;
        let negative = match options.text(&NEGATIVE) {
            "yes" => true,
            "no" => false,
            other => {
                return Err(OptionError::Invalid {
                    name: NEGATIVE.name.to_owned(),
                    value: other.to_owned(),
                    expected: "yes or no".to_owned(),
                });
            }
        };
        Ok(Bank {
            accounts: options.number(&ACCOUNTS, 2, 10_000)? as i64,
            total: options.number(&TOTAL, 0, 1 << 40)? as i64,
            transfer_max: options.number(&MAX_TRANSFER, 1, 1 << 40)? as i64,
            negative,
            seed,
            nodes: nodes.to_vec(),
        })
    }

    fn opening(&self) -> Invocation {
        let fields = [
            ("total", Value::Int(self.total)),
            ("accounts", Value::Int(self.accounts)),
            ("negative", Value::Bool(self.negative)),
        ];
        Invocation::new("open").value(map(fields))
    }

    /// The micro-operations of an operation.
    fn ops(&self, invocation: &Invocation) -> Vec<MicroOp> {
        let number = |name| invocation.value.get(name).and_then(Value::as_int).unwrap_or(0);
        match &*invocation.f {
            "open" => {
                let balance = |account| if account == 0 { self.total } else { 0 };
                let open = |account| micro_op(Kind::Init, name(account), balance(account));
                (0..self.accounts).map(open).collect()
            }
            "transfer" => {
                let amount = number("amount");
                let (from, to) = (name(number("from")), name(number("to")));
                let take = if self.negative {
                    micro_op(Kind::Add, from, -amount)
                } else {
                    micro_op(Kind::Take, from, amount)
                };
                vec![take, micro_op(Kind::Add, to, amount)]
            }
            _ => (0..self.accounts).map(|account| read(name(account))).collect(),
        }
    }
}

fn name(account: i64) -> String {
    format!("account-{account}")
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (Value::str(name), value)).collect())
}

impl Workload for Bank {
    fn main(&mut self) -> Box<dyn Generator> {
        let (accounts, most) = (self.accounts, self.transfer_max);
        let mut rng = self.seed.stream("transfers");
        let transfer = Name::from("transfer");
        let transfers = from_fn(move |_| {
            let from = rng.random_range(0..accounts);
            let to = (from + rng.random_range(1..accounts)) % accounts;
            let amount = rng.random_range(1..=most);
            let fields = [("from", from), ("to", to), ("amount", amount)];
            let value = map(fields.map(|(name, number)| (name, Value::Int(number))));
            Some(Invocation::new(transfer.clone()).value(value))
        });
        let reads = repeat(Invocation::new("read"));
        let main = mix(self.seed, vec![reads.boxed(), transfers.boxed()]);
        let tries = Tries { most: u32::MAX, ..FINAL_TRIES };
        until_each_ok(vec![self.opening()], tries).then(main).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        ask_each(&self.nodes, &Invocation::new("read"))
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        request(self.ops(invocation), session)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        match end(invocation, &self.ops(invocation), outcome) {
            End::Committed(done) if &*invocation.f == "read" => {
                let balance = |(account, MicroOp(_, _, value))| {
                    (Value::str(i64::to_string(&account)), Value::from(value))
                };
                ok(Value::Map((0i64..).zip(done).map(balance).collect()))
            }
            End::Committed(_) => ok(invocation.value.clone()),
            End::Other(completion) => completion,
        }
    }
}
