//! Transactions as requests of the transactional api, and its outcomes as completions.
//!
//! | operation | argument | result |
//! |---|---|---|
//! | `txn`, and whatever a workload calls its own | micro-operations `["r",k,null]`, `["w",k,v]`, `["append",k,v]`, ... | the same with what was read |
//!
//! What is not certain is `info`, but a transaction that only reads is `fail` without an answer:
//! it has no effect that could matter later. Errors are `[label, detail]`:
//!
//! | label | meaning | operation is |
//! |---|---|---|
//! | `aborted` | the target says that it did not take effect and never will | `fail` |
//! | `refused` | no attempt that could have an effect reached the target | `fail` |
//! | `rejected` | the target says that it did nothing and never will | `fail` |
//! | `unknown` | no answer that could be trusted | `info` |
//! | `protocol` | an answer to something else than what was asked | `info` |

mod bank;
mod causal_reverse;
mod closed_predicate;
mod g2;
mod keys;
mod long_fork;
mod monotonic;
mod random;
mod write_skew;

pub use bank::{Bank, OPTIONS as BANK_OPTIONS};
pub use causal_reverse::{CausalReverse, OPTIONS as CAUSAL_REVERSE_OPTIONS};
pub use closed_predicate::{ClosedPredicate, OPTIONS as CLOSED_PREDICATE_OPTIONS};
pub use g2::G2;
pub use long_fork::{LongFork, OPTIONS as LONG_FORK_OPTIONS};
pub use monotonic::{Monotonic, OPTIONS as MONOTONIC_OPTIONS};
pub use random::{MINI_OPTIONS, OPTIONS as RANDOM_OPTIONS, Random, Style};
pub use write_skew::WriteSkew;

use crate::generator::until_each_ok::until_each_ok;
use crate::generator::{Combine, Generator, Invocation};
use crate::register::FINAL_TRIES;
use crate::workload::Completion;
use quorate_checkers::history::EventType;
use quorate_checkers::value::Value;
use quorate_targets::api::kv::Session;
use quorate_targets::api::txn::{Kind, MicroOp, Op, Request, Response};
use quorate_targets::api::{self, Outcome};
use quorate_targets::node::NodeId;

/// The request of a transaction.
fn request(ops: Vec<MicroOp>, session: Session) -> api::Request {
    api::Request::Txn(Request { op: Op::Txn { ops }, session: Some(session) })
}

/// A micro-operation.
fn micro_op(kind: Kind, key: impl Into<String>, value: impl Into<serde_json::Value>) -> MicroOp {
    MicroOp(kind, key.into(), value.into())
}

/// A read.
fn read(key: impl Into<String>) -> MicroOp {
    micro_op(Kind::R, key, serde_json::Value::Null)
}

/// How a transaction ended.
enum End {
    /// It took effect, with these results.
    Committed(Vec<MicroOp>),
    /// Something else.
    Other(Completion),
}

/// What the outcome of the request for `ops` means.
fn end(invocation: &Invocation, ops: &[MicroOp], outcome: Outcome) -> End {
    let reads = |kind| matches!(kind, Kind::R | Kind::Scan | Kind::None);
    let only_reads = ops.iter().all(|MicroOp(kind, _, _)| reads(*kind));
    let uncertain = if only_reads { EventType::Fail } else { EventType::Info };
    let (kind, label, detail) = match outcome {
        Outcome::Answered(api::Response::Txn(response)) => match response {
            Response::Committed { ops: done } if done.len() == ops.len() => {
                return End::Committed(done);
            }
            Response::Aborted { reason } | Response::Gone { reason } => {
                (EventType::Fail, "aborted", reason)
            }
            Response::Refused { reason } => (EventType::Fail, "rejected", reason),
            Response::Unknown { reason } => (uncertain, "unknown", reason),
            Response::Committed { .. } | Response::Begun { .. } | Response::Step { .. } => {
                (uncertain, "protocol", "an answer to something else".to_owned())
            }
        },
        Outcome::Answered(_) => (uncertain, "protocol", "an answer of another api".to_owned()),
        Outcome::Refused(why) => (EventType::Fail, "refused", why),
        Outcome::Unknown(why) => (uncertain, "unknown", why),
    };
    let error = Some(Value::list([Value::str(label), Value::str(detail)]));
    End::Other(Completion { kind, value: invocation.value.clone(), error })
}

/// An operation that took effect, with this result.
fn ok(value: Value) -> Completion {
    Completion { kind: EventType::Ok, value, error: None }
}

/// The final phase of a workload with one question for every node.
fn ask_each(nodes: &[NodeId], question: &Invocation) -> Box<dyn Generator> {
    let questions = nodes.iter().map(|node| question.clone().at(*node));
    until_each_ok(questions.collect(), FINAL_TRIES).boxed()
}

/// The key of a micro-operation as the target knows it: a number `7` is called `"7"` there.
fn key_name(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

/// A read of `key` as it stands in a history.
fn read_value(key: impl Into<Value>) -> Value {
    Value::list([Value::str("r"), key.into(), Value::Null])
}

/// A micro-operation as it stands in a history.
fn value_of(kind: &str, key: impl Into<Value>, value: impl Into<Value>) -> Value {
    Value::list([Value::str(kind), key.into(), value.into()])
}

/// The request for an operation whose value is a list of micro-operations. What is no
/// micro-operation is left out.
pub fn encode(invocation: &Invocation, session: Session) -> api::Request {
    request(micro_ops(&invocation.value), session)
}

/// The completion of such an operation.
pub fn decode(invocation: &Invocation, outcome: Outcome) -> Completion {
    let ops = micro_ops(&invocation.value);
    match end(invocation, &ops, outcome) {
        End::Committed(done) => {
            let asked = invocation.value.as_list().unwrap_or_default();
            let results = asked.iter().filter(|op| micro_op_of(op).is_some()).zip(done);
            ok(results.map(|(asked, done)| with_result(asked, done)).collect::<Vec<_>>().into())
        }
        End::Other(completion) => completion,
    }
}

/// The completion of an operation that reads the rows of a table, or inserts one.
fn decode_rows(invocation: &Invocation, ops: &[MicroOp], outcome: Outcome) -> Completion {
    match end(invocation, ops, outcome) {
        End::Committed(mut done) => match done.pop() {
            Some(MicroOp(Kind::Scan, _, rows)) => ok(Value::from(rows)),
            _ => ok(invocation.value.clone()),
        },
        End::Other(completion) => completion,
    }
}

fn micro_ops(value: &Value) -> Vec<MicroOp> {
    value.as_list().unwrap_or_default().iter().filter_map(micro_op_of).collect()
}

fn micro_op_of(value: &Value) -> Option<MicroOp> {
    let [kind, key, value] = value.as_list()? else { return None };
    let kind = match kind.as_str()? {
        "r" => Kind::R,
        "w" => Kind::W,
        "append" => Kind::Append,
        _ => return None,
    };
    Some(micro_op(kind, key_name(key), value))
}

/// The micro-operation as it was asked, with what was read. (Its key as the history has it.)
fn with_result(asked: &Value, done: MicroOp) -> Value {
    match (asked.as_list(), done) {
        (Some([kind, key, _]), MicroOp(Kind::R, _, read)) => {
            Value::list([kind.clone(), key.clone(), Value::from(read)])
        }
        _ => asked.clone(),
    }
}
