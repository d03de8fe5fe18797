//! Causal reverse: a reader that sees a row, but not one whose insertion had ended before that
//! row's began (Jepsen's `causal_reverse`; what strict serializability forbids and
//! serializability does not).
//!
//! | operation | key | argument | result |
//! |---|---|---|---|
//! | `write` | the table | the row's number, unique | the same |
//! | `read` | the table | | the numbers of its rows |

use super::{ask_each, decode_rows, micro_op, request};
use crate::generator::source::from_fn;
use crate::generator::{Combine, Context, Generator, Invocation};
use crate::options::{OptionError, OptionSpec, Options};
use crate::workload::{Completion, Workload};
use quorate_checkers::value::{Name, Value};
use quorate_targets::api::txn::{Kind, MicroOp};
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::RngExt;

const ROWS: OptionSpec =
    OptionSpec { name: "rows", default: "100", about: "rows before a fresh table replaces one" };

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[ROWS];

/// See the [module](self).
#[derive(Debug)]
pub struct CausalReverse {
    rows: i64,
    seed: Seed,
    nodes: Vec<NodeId>,
}

impl CausalReverse {
    /// For these nodes.
    pub fn new(
        options: &Options,
        seed: Seed,
        nodes: &[NodeId],
    ) -> Result<CausalReverse, OptionError> {
        options.expect_only(OPTIONS)?;
        let rows = options.number(&ROWS, 1, 100_000)? as i64;
        Ok(CausalReverse { rows, seed, nodes: nodes.to_vec() })
    }
}

fn ops(invocation: &Invocation) -> Vec<MicroOp> {
    let table = invocation.key.as_ref().and_then(Value::as_int).unwrap_or(0);
    let rows = format!("table-{table}/");
    match (&*invocation.f, invocation.value.as_int()) {
        ("write", Some(row)) => vec![micro_op(Kind::W, format!("{rows}{row}"), row)],
        _ => vec![micro_op(Kind::Scan, rows, serde_json::Value::Null)],
    }
}

impl Workload for CausalReverse {
    fn main(&mut self) -> Box<dyn Generator> {
        let rows = self.rows;
        let mut rng = self.seed.stream("causal-reverse");
        let (read, write) = (Name::from("read"), Name::from("write"));
        let mut written = 0;
        let op = move |_: &Context<'_>| {
            if rng.random_bool(0.5) {
                return Some(Invocation::new(read.clone()).key(written / rows));
            }
            let invocation = Invocation::new(write.clone()).key(written / rows).value(written);
            written += 1;
            Some(invocation)
        };
        from_fn(op).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        ask_each(&self.nodes, &Invocation::new("read").key(0))
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        request(ops(invocation), session)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        decode_rows(invocation, &ops(invocation), outcome)
    }
}
