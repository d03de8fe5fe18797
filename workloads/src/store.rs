//! Operations on sets, counters and registers of an eventually consistent store as requests, and
//! its outcomes as completions.
//!
//! | object | operation | argument | result |
//! |---|---|---|---|
//! | set | `add`, `remove` | the element | the same |
//! | set | `read` | | all elements |
//! | counter | `add` | how much, also negative | the same |
//! | counter | `read` | | the sum |
//! | register | `write` | the new value | the same |
//! | register | `read` | | the value; `null` if it was never written |
//!
//! Outcomes and labels of errors are those of [`crate::kv`]: a read without an answer is `fail`.

use crate::generator::Invocation;
use crate::kv::failed;
use crate::workload::Completion;
use quorate_checkers::history::EventType;
use quorate_checkers::value::Value;
use quorate_targets::api::kv::Session;
use quorate_targets::api::store::{Op, Request, Response, SetKind};
use quorate_targets::api::{self, Outcome};

/// What operations are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A set of this kind.
    Set(SetKind),
    /// A counter.
    Counter,
    /// A register.
    Register,
}

fn operation(object: Object, invocation: &Invocation) -> Op {
    let key = match &invocation.key {
        Some(Value::Str(key)) => key.to_string(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let value = || serde_json::Value::from(&invocation.value);
    match (object, &*invocation.f) {
        (Object::Set(set), "add") => Op::Add { key, set, element: value() },
        (Object::Set(set), "remove") => Op::Remove { key, set, element: value() },
        (Object::Set(set), _) => Op::Elements { key, set },
        (Object::Counter, "add") => {
            Op::Increment { key, by: invocation.value.as_int().unwrap_or(0) }
        }
        (Object::Counter, _) => Op::Count { key },
        (Object::Register, "write") => Op::Write { key, value: value(), context: None },
        (Object::Register, _) => Op::Read { key },
    }
}

/// The request for an operation. What it does not know reads.
pub fn encode(object: Object, invocation: &Invocation, session: Session) -> Request {
    let op = operation(object, invocation);
    Request { op, session: Some(session), token: None, read_quorum: None, write_quorum: None }
}

/// The completion of an operation.
pub fn decode(object: Object, invocation: &Invocation, outcome: Outcome) -> Completion {
    let reads = operation(object, invocation).reads();
    let uncertain = if reads { EventType::Fail } else { EventType::Info };
    let response = match outcome {
        Outcome::Answered(api::Response::Store(response)) => response,
        Outcome::Answered(_) => return failed(invocation, uncertain, "protocol", "another api"),
        Outcome::Refused(why) => return failed(invocation, EventType::Fail, "refused", why),
        Outcome::Unknown(why) => return failed(invocation, uncertain, "unknown", why),
    };
    let ok = |value| Completion { kind: EventType::Ok, value, error: None };
    match (object, reads, response) {
        (Object::Register, true, Response::Value { value, .. }) => ok(value.into()),
        (Object::Set(_), true, Response::Elements { elements }) => {
            ok(Value::list(elements.into_iter().map(Value::from).collect::<Vec<Value>>()))
        }
        (Object::Counter, true, Response::Count { count }) => ok(Value::Int(count)),
        (_, false, Response::Done { .. }) => ok(invocation.value.clone()),
        (_, _, Response::Error { definite: true, reason }) => {
            failed(invocation, EventType::Fail, "rejected", reason)
        }
        (_, _, Response::Error { definite: false, reason }) => {
            failed(invocation, uncertain, "indeterminate", reason)
        }
        (_, _, Response::Value { .. }) => failed(invocation, uncertain, "protocol", "value"),
        (_, _, Response::Done { .. }) => failed(invocation, uncertain, "protocol", "done"),
        (_, _, Response::Elements { .. }) => failed(invocation, uncertain, "protocol", "elements"),
        (_, _, Response::Count { .. }) => failed(invocation, uncertain, "protocol", "count"),
    }
}
