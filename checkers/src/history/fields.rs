//! The fields of an event as values: what each must be, and the text that says so.

use super::{EventType, Nanos, Process};
use crate::history::Fault;
use crate::value::Value;

/// The fields that the format names; extra fields must be called otherwise.
pub(crate) const FIELDS: [&str; 9] =
    ["index", "time", "process", "type", "f", "key", "value", "error", "node"];

pub(crate) const INDEX: &str = "an integer from 0 to 4294967294";
pub(crate) const TIME: &str = "nanoseconds since the run began, an integer from 0";
pub(crate) const PROCESS: &str = "an integer from 0, or \"nemesis\"";
pub(crate) const TYPE: &str = "invoke, ok, fail or info";
pub(crate) const F: &str = "the operation's name, a string";
pub(crate) const NODE: &str = "a node's name, a string";

pub(crate) fn index(value: &Value) -> Result<u32, Fault> {
    let index = value.as_int().and_then(|n| u32::try_from(n).ok());
    index.filter(|n| *n < u32::MAX).ok_or_else(|| wrong("index", INDEX, value))
}

pub(crate) fn time(value: &Value) -> Result<Nanos, Fault> {
    number(value).map(Nanos).ok_or_else(|| wrong("time", TIME, value))
}

pub(crate) fn process(value: &Value) -> Result<Process, Fault> {
    match number(value) {
        Some(number) => Ok(Process::Client(number)),
        None if value.as_str() == Some("nemesis") => Ok(Process::Nemesis),
        None => Err(wrong("process", PROCESS, value)),
    }
}

pub(crate) fn kind(value: &Value) -> Result<EventType, Fault> {
    kind_of(value.as_str().unwrap_or_default()).map_err(|_| wrong("type", TYPE, value))
}

pub(crate) fn kind_of(text: &str) -> Result<EventType, Fault> {
    match text {
        "invoke" => Ok(EventType::Invoke),
        "ok" => Ok(EventType::Ok),
        "fail" => Ok(EventType::Fail),
        "info" => Ok(EventType::Info),
        other => Err(wrong("type", TYPE, &Value::str(other))),
    }
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(n) => u64::try_from(*n).ok(),
        Value::BigInt(text) => text.parse().ok(),
        _ => None,
    }
}

/// A field whose value is of another kind than it must be. Shows the value if it is short.
pub(crate) fn wrong(field: &str, expected: &'static str, value: &Value) -> Fault {
    let text = value.to_string();
    let found = if text.len() <= 40 { text } else { value.kind().to_string() };
    Fault::Kind { field: field.to_string(), expected, found }
}
