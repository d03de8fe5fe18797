//! Operations as pictures and words need them.

use super::text;
use quorate_checkers::history::{Event, EventType, History, OpIndex, OpView};
use quorate_checkers::value::Value;
use std::collections::BTreeMap;

/// When an operation began, in nanoseconds.
pub(super) fn start(op: &OpView<'_>) -> u64 {
    op.invoke.time.0
}

/// When its completion was seen.
pub(super) fn end(op: &OpView<'_>) -> Option<u64> {
    op.complete.map(|event| event.time.0)
}

/// What it did, in a few characters: `read 5`, `write 5`, `cas 3→5`. A failed one is marked by a
/// cross, one of which nobody knows by a question mark.
pub(super) fn label(op: &OpView<'_>) -> String {
    let shown = match (op.f().as_str(), op.input(), op.output()) {
        ("cas", Value::List(pair), _) if pair.len() == 2 => format!("{}→{}", pair[0], pair[1]),
        (_, _, Some(result)) if !result.is_null() => result.to_string(),
        (_, argument, _) if !argument.is_null() => argument.to_string(),
        (_, _, Some(_)) => "nil".into(),
        _ => String::new(),
    };
    let mark = match op.outcome {
        EventType::Fail => " ✗",
        EventType::Info => " ?",
        _ => "",
    };
    text::label(format!("{} {shown}", op.f()).trim_end()) + mark
}

/// From the first to the last moment of operations and other events. Operations that nobody saw
/// end may be open for long: where there are others, these decide.
pub(super) fn extent(shown: &[OpView<'_>], marks: &[&Event]) -> (u64, u64) {
    let ended = |op: &&OpView<'_>| op.outcome != EventType::Info && op.complete.is_some();
    let any_ended = shown.iter().any(|op| ended(&op));
    let times = shown
        .iter()
        .filter(|op| !any_ended || ended(op))
        .flat_map(|op| [start(op), end(op).unwrap_or(start(op))])
        .chain(marks.iter().map(|event| event.time.0));
    let (begin, end) = times.fold((u64::MAX, 0), |(low, high), t| (low.min(t), high.max(t)));
    (begin.min(end), end)
}

/// When the last event was, in nanoseconds; at least 1.
pub(super) fn end_of(history: &History) -> u64 {
    history.events().last().map_or(1, |event| event.time.0.max(1))
}

/// The operations that the given events begin or complete, each once, in order of time, and
/// the events among them that belong to none (the nemesis').
pub(super) fn around<'a>(
    history: &'a History,
    events: &[OpIndex],
) -> (Vec<OpView<'a>>, Vec<&'a Event>) {
    let mut ops = BTreeMap::new();
    let mut others = Vec::new();
    for index in events.iter().filter(|index| (index.0 as usize) < history.events().len()) {
        match history.op_at(*index) {
            Some(op) => {
                ops.insert(op.position, op);
            }
            None => others.push(history.event(*index)),
        }
    }
    (ops.into_values().collect(), others)
}

/// A value as people read it: text without its quotes.
pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
