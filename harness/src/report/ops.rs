//! The operations of a history, flat, as pictures need them.

use super::text;
use quorate_checkers::history::{Event, EventType, History, OpIndex, Operation, Process};
use quorate_checkers::value::Value;
use std::collections::BTreeMap;

/// An operation with what pictures ask of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op<'a> {
    /// Its events.
    pub(super) invoke: &'a Event,
    /// Its completion, where there is one.
    pub(super) complete: Option<&'a Event>,
    /// What became of it.
    pub(super) outcome: EventType,
}

impl<'a> Op<'a> {
    /// The operation with its events looked up.
    pub(super) fn of(history: &'a History, operation: &Operation) -> Op<'a> {
        Op {
            invoke: history.event(operation.invoke),
            complete: operation.complete.map(|index| history.event(index)),
            outcome: operation.outcome,
        }
    }

    /// When it began, in nanoseconds.
    pub(super) fn start(&self) -> u64 {
        self.invoke.time.0
    }

    /// When its completion was seen.
    pub(super) fn end(&self) -> Option<u64> {
        self.complete.map(|event| event.time.0)
    }

    /// What it did, in a few characters: `read 5`, `write 5`, `cas 3→5`.
    pub(super) fn label(&self) -> String {
        let f = self.invoke.f.as_str();
        let done = self.complete.filter(|_| self.outcome == EventType::Ok).map(|event| &event.value);
        let shown = match (f, &self.invoke.value, done) {
            ("cas", Value::List(pair), _) if pair.len() == 2 => format!("{}→{}", pair[0], pair[1]),
            (_, _, Some(result)) if !result.is_null() => result.to_string(),
            ("read", _, Some(_)) => "nil".into(),
            (_, argument, _) if !argument.is_null() => argument.to_string(),
            _ => String::new(),
        };
        let mark = match self.outcome {
            EventType::Fail => " ✗",
            EventType::Info => " ?",
            _ => "",
        };
        text::label(format!("{f} {shown}").trim_end()) + mark
    }
}

/// All operations in order of their invocations.
pub(super) fn all(history: &History) -> impl Iterator<Item = Op<'_>> {
    history.operations().iter().map(|operation| Op::of(history, operation))
}

/// When the last event was, in nanoseconds; at least 1.
pub(super) fn end_of(history: &History) -> u64 {
    history.events().last().map_or(1, |event| event.time.0.max(1))
}

/// The operations that the given events begin or complete, each once, in order of time, and
/// the events among them that belong to none (the nemesis').
pub(super) fn around<'a>(history: &'a History, events: &[OpIndex]) -> (Vec<Op<'a>>, Vec<&'a Event>) {
    let mut ops: BTreeMap<OpIndex, Op<'a>> = BTreeMap::new();
    let mut others = Vec::new();
    for index in events.iter().filter(|index| (index.0 as usize) < history.events().len()) {
        let event = history.event(*index);
        match find(history, event) {
            Some(operation) => {
                ops.insert(operation.invoke, Op::of(history, &operation));
            }
            None => others.push(event),
        }
    }
    (ops.into_values().collect(), others)
}

fn find(history: &History, event: &Event) -> Option<Operation> {
    if event.process == Process::Nemesis {
        return None;
    }
    let operations = history.operations();
    let behind = operations.partition_point(|operation| operation.invoke <= event.index);
    operations[..behind]
        .iter()
        .rev()
        .find(|op| op.invoke == event.index || op.complete == Some(event.index))
        .copied()
}

/// A key as people read it: text without its quotes.
pub(super) fn key_text(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}
