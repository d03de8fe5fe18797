//! Operations on single keys as requests of the key-value api, and its outcomes as completions.
//!
//! | operation | argument | result |
//! |---|---|---|
//! | `read` | | the value; `null` if the key was never written |
//! | `write` | the new value | the same |
//! | `cas` | `[old,new]` | the same |
//!
//! What is not certain is `info`, but a read without an answer is `fail`: it has no effect that
//! could matter later, and its process need not be given up. Errors are `[label, detail]`:
//!
//! | label | meaning | operation is |
//! |---|---|---|
//! | `precondition-failed` | the cas met another value, which is the detail | `fail` |
//! | `refused` | no attempt reached the target | `fail` |
//! | `rejected` | the target says that it did nothing and never will | `fail` |
//! | `indeterminate` | the target says that it does not know | `info` |
//! | `unknown` | no answer that could be trusted | `info` |
//! | `protocol` | an answer to something else than what was asked | `info` |

use crate::generator::Invocation;
use crate::workload::Completion;
use quorate_checkers::history::EventType;
use quorate_checkers::value::Value;
use quorate_targets::api::kv::{Op, Request, Response, Session};
use quorate_targets::api::{self, Outcome};

/// The label of a cas that met another value.
pub const PRECONDITION_FAILED: &str = "precondition-failed";

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    Cas,
}

fn kind(invocation: &Invocation) -> Kind {
    match (&*invocation.f, invocation.value.as_list()) {
        ("write", _) => Kind::Write,
        ("cas", Some([_, _])) => Kind::Cas,
        _ => Kind::Read,
    }
}

/// The request for an operation. One that is neither a `write` nor a well-formed `cas` reads.
pub fn encode(invocation: &Invocation, session: Session) -> api::Request {
    let key = match &invocation.key {
        Some(Value::Str(key)) => key.to_string(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let value = &invocation.value;
    let op = match (kind(invocation), value.as_list()) {
        (Kind::Write, _) => Op::Write { key, value: value.into() },
        (Kind::Cas, Some([old, new])) => Op::Cas { key, old: old.into(), new: new.into() },
        _ => Op::Read { key },
    };
    api::Request::Kv(Request { op, session: Some(session) })
}

/// The completion of an operation.
pub fn decode(invocation: &Invocation, outcome: Outcome) -> Completion {
    let kind = kind(invocation);
    let uncertain = if kind == Kind::Read { EventType::Fail } else { EventType::Info };
    let response = match outcome {
        Outcome::Answered(api::Response::Kv(response)) => response,
        Outcome::Answered(_) => return failed(invocation, uncertain, "protocol", "another api"),
        Outcome::Refused(why) => return failed(invocation, EventType::Fail, "refused", why),
        Outcome::Unknown(why) => return failed(invocation, uncertain, "unknown", why),
    };
    match (kind, response) {
        (Kind::Read, Response::Value { value }) => {
            Completion { kind: EventType::Ok, value: value.into(), error: None }
        }
        (Kind::Write | Kind::Cas, Response::Done) => {
            Completion { kind: EventType::Ok, value: invocation.value.clone(), error: None }
        }
        (Kind::Cas, Response::Mismatch { seen }) => {
            failed(invocation, EventType::Fail, PRECONDITION_FAILED, seen)
        }
        (_, Response::Error { definite: true, reason }) => {
            failed(invocation, EventType::Fail, "rejected", reason)
        }
        (_, Response::Error { definite: false, reason }) => {
            failed(invocation, uncertain, "indeterminate", reason)
        }
        (_, Response::Value { .. }) => failed(invocation, uncertain, "protocol", "value"),
        (_, Response::Done) => failed(invocation, uncertain, "protocol", "done"),
        (_, Response::Mismatch { .. }) => failed(invocation, uncertain, "protocol", "mismatch"),
    }
}

pub(crate) fn failed(
    invocation: &Invocation,
    kind: EventType,
    label: &str,
    detail: impl Into<serde_json::Value>,
) -> Completion {
    let error = Value::list([Value::str(label), Value::from(detail.into())]);
    Completion { kind, value: invocation.value.clone(), error: Some(error) }
}

/// The value that a completed operation shows its key to have had: what a read returned, what a
/// write or cas put there, what a refused cas met.
pub fn shown(event: &quorate_checkers::history::Event) -> Option<&Value> {
    match (event.kind, &*event.f) {
        (EventType::Ok, "read" | "write") => Some(&event.value),
        (EventType::Ok, "cas") => match event.value.as_list()? {
            [_, new] => Some(new),
            _ => None,
        },
        (EventType::Fail, "cas") => match event.error.as_ref()?.as_list()? {
            [label, seen] if label.as_str() == Some(PRECONDITION_FAILED) => Some(seen),
            _ => None,
        },
        _ => None,
    }
}
