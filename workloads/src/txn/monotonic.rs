//! Monotonic: counters that only go up, and that nobody may see going down (after the workload
//! of that name in Jepsen's tests of `FaunaDB` and `CockroachDB`).
//!
//! | operation | key | argument | result |
//! |---|---|---|---|
//! | `inc` | the counter | | its value then |
//! | `read` | the counter | | its value; 0 if it was never touched |

use super::{End, end, micro_op, ok, read, request};
use crate::generator::source::from_fn;
use crate::generator::until_each_ok::until_each_ok;
use crate::generator::{Combine, Context, Generator, Invocation};
use crate::options::{OptionError, OptionSpec, Options};
use crate::register::FINAL_TRIES;
use crate::workload::{Completion, Workload};
use quorate_checkers::value::{Name, Value};
use quorate_targets::api::txn::{Kind, MicroOp};
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::RngExt;

const COUNTERS: OptionSpec =
    OptionSpec { name: "counters", default: "5", about: "how many counters there are" };

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[COUNTERS];

/// See the [module](self).
#[derive(Debug)]
pub struct Monotonic {
    counters: i64,
    seed: Seed,
    nodes: Vec<NodeId>,
}

impl Monotonic {
    /// For these nodes, which the final phase asks one by one.
    pub fn new(options: &Options, seed: Seed, nodes: &[NodeId]) -> Result<Monotonic, OptionError> {
        options.expect_only(OPTIONS)?;
        let counters = options.number(&COUNTERS, 1, 10_000)? as i64;
        Ok(Monotonic { counters, seed, nodes: nodes.to_vec() })
    }
}

fn op(invocation: &Invocation) -> MicroOp {
    let counter = invocation.key.as_ref().and_then(Value::as_int).unwrap_or(0);
    let key = format!("counter-{counter}");
    if &*invocation.f == "inc" { micro_op(Kind::Add, key, 1) } else { read(key) }
}

impl Workload for Monotonic {
    fn main(&mut self) -> Box<dyn Generator> {
        let counters = self.counters;
        let mut rng = self.seed.stream("monotonic");
        let (read, inc) = (Name::from("read"), Name::from("inc"));
        let op = move |_: &Context<'_>| {
            let name = if rng.random_bool(0.5) { read.clone() } else { inc.clone() };
            Some(Invocation::new(name).key(rng.random_range(0..counters)))
        };
        from_fn(op).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        let at_each = |counter: i64| {
            self.nodes.iter().map(move |node| Invocation::new("read").key(counter).at(*node))
        };
        until_each_ok((0..self.counters).flat_map(at_each).collect(), FINAL_TRIES).boxed()
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        request(vec![op(invocation)], session)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        match end(invocation, &[op(invocation)], outcome) {
            End::Committed(mut done) => match done.pop() {
                Some(MicroOp(_, _, serde_json::Value::Null)) => ok(Value::Int(0)),
                Some(MicroOp(_, _, value)) => ok(Value::from(value)),
                None => ok(Value::Null),
            },
            End::Other(completion) => completion,
        }
    }
}
