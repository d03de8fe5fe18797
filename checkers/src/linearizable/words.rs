//! Operations in words and as JSON, for people.

use crate::history::{EventType, Nanos, OpIndex, OpView};
use crate::value::Value;
use serde_json::{Map, json};
use std::fmt;

/// The name of this checker in reports.
pub const CHECKER: &str = "linearizable";

/// A time for people.
pub(crate) struct Millis(pub(crate) Nanos);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms", self.0.0 as f64 / 1e6)
    }
}

/// The value that tells what an operation was about: its result where it has one of its own.
pub(crate) fn telling<'a>(op: &OpView<'a>) -> &'a Value {
    match op.output() {
        Some(output) if !output.is_null() => output,
        Some(output) if op.input().is_null() => output,
        _ => op.input(),
    }
}

/// `read 7 (process 3, 1.204 ms to 2.710 ms)`.
pub(crate) fn describe(op: &OpView<'_>) -> String {
    let begin = Millis(op.invoke.time);
    let process = op.process();
    let what = format!("{} {}", op.f(), telling(op));
    match op.complete {
        Some(end) if op.outcome == EventType::Info => {
            let end = Millis(end.time);
            format!("{what} (process {process}, {begin}, outcome unknown at {end})")
        }
        Some(end) => format!("{what} (process {process}, {begin} to {})", Millis(end.time)),
        None => format!("{what} (process {process}, {begin}, never completed)"),
    }
}

/// An operation for a report.
pub(crate) fn as_json(op: &OpView<'_>) -> serde_json::Value {
    let mut map = Map::new();
    map.insert("index".into(), json!(op.invoke.index.0));
    map.insert("completion".into(), json!(op.complete.map(|event| event.index.0)));
    map.insert("process".into(), json!(op.process().to_string()));
    map.insert("f".into(), json!(op.f().as_str()));
    map.insert("value".into(), telling(op).into());
    map.insert("outcome".into(), json!(op.outcome.as_str()));
    map.insert("start".into(), json!(op.invoke.time.0));
    map.insert("end".into(), json!(op.complete.map(|event| event.time.0)));
    serde_json::Value::Object(map)
}

/// The events of operations, in order, each once.
pub(crate) fn events<'a>(ops: impl IntoIterator<Item = OpView<'a>>) -> Vec<OpIndex> {
    let mut events: Vec<OpIndex> = ops
        .into_iter()
        .flat_map(|op| [Some(op.invoke.index), op.complete.map(|event| event.index)])
        .flatten()
        .collect();
    events.sort_unstable();
    events.dedup();
    events
}

/// ` of key "k1"`, or nothing where there are no keys.
pub(crate) fn of_key(key: Option<&Value>) -> String {
    key.map_or_else(String::new, |key| format!(" of key {key}"))
}

/// ` (key "k1")`, or nothing where there are no keys.
pub(crate) fn on_key(key: Option<&Value>) -> String {
    key.map_or_else(String::new, |key| format!(" (key {key})"))
}
