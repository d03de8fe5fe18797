//! G2: two transactions that each insert a row only if there is none (Jepsen's `adya`; Adya,
//! *Weak Consistency*, 1999: phantoms and anti-dependency cycles).
//!
//! | operation | key | argument | result |
//! |---|---|---|---|
//! | `insert` | the group | the row's number, unique | the same |
//! | `read` | the group | | the numbers of its rows |
//!
//! Both insertions of a group come at the same time; each looks whether the group has any row,
//! and inserts its own if not. In every serial order one of them finds the other's row.

use super::{ask_each, decode_rows, micro_op, request};
use crate::generator::source::from_fn;
use crate::generator::{Combine, Context, Generator, Invocation};
use crate::options::{OptionError, Options};
use crate::workload::{Completion, Workload};
use quorate_checkers::value::{Name, Value};
use quorate_targets::api::txn::{Kind, MicroOp};
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;

/// See the [module](self).
#[derive(Debug)]
pub struct G2 {
    nodes: Vec<NodeId>,
}

impl G2 {
    /// For these nodes. There are no options.
    pub fn new(options: &Options, nodes: &[NodeId]) -> Result<G2, OptionError> {
        options.expect_only(&[])?;
        Ok(G2 { nodes: nodes.to_vec() })
    }
}

fn ops(invocation: &Invocation) -> Vec<MicroOp> {
    let group = invocation.key.as_ref().and_then(Value::as_int).unwrap_or(0);
    let rows = format!("group-{group}/");
    let nothing = serde_json::Value::Null;
    match (&*invocation.f, invocation.value.as_int()) {
        ("insert", Some(row)) => {
            let insert = micro_op(Kind::W, format!("{rows}{row}"), row);
            vec![micro_op(Kind::None, rows, nothing), insert]
        }
        _ => vec![micro_op(Kind::Scan, rows, nothing)],
    }
}

impl Workload for G2 {
    fn main(&mut self) -> Box<dyn Generator> {
        let name = Name::from("insert");
        let mut fresh = 0i64;
        let insert = move |_: &Context<'_>| {
            let invocation = Invocation::new(name.clone()).key(fresh / 2).value(fresh);
            fresh += 1;
            Some(invocation)
        };
        from_fn(insert).boxed()
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
