//! Faults as windows of time, from what the nemesis wrote into the history.
//!
//! A window begins where the nemesis announces the fault and ends where its healing is done: at
//! these times at the latest, respectively at the earliest, the fault was not in force.

use super::text;
use crate::summary;
use quorate_checkers::history::{Event, History, Process};
use quorate_checkers::value::Value;
use serde::Serialize;
use std::collections::BTreeSet;

/// A fault and how long it was in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Window {
    /// Its kind: `partition`, `kill`, `pause`, ...
    pub(crate) kind: String,
    /// A small number for its colour, by kind.
    pub(crate) hue: usize,
    /// From when, in nanoseconds.
    pub(crate) begin: u64,
    /// Until when; the end of the history where nothing healed it.
    pub(crate) end: u64,
    /// On whom, in words.
    pub(crate) label: String,
    /// Whether it is known to have been in force.
    pub(crate) certain: bool,
    /// The event that announced it.
    pub(crate) event: u32,
}

/// How many colours of faults there are.
pub(super) const HUES: usize = 6;

/// What begins a fault, what ends it, and what it is called. Any other `start-X` and `stop-X`
/// are read alike.
const KINDS: [(&str, &str, &str); 3] = [
    ("start-partition", "stop-partition", "partition"),
    ("kill", "start", "kill"),
    ("pause", "resume", "pause"),
];

/// What an event of the nemesis does, with the kind of fault.
pub(crate) enum Part {
    Begins(String),
    Ends(String),
    Neither,
}

/// What an event of the nemesis called `f` does.
pub(crate) fn part(f: &str) -> Part {
    for (begin, end, kind) in KINDS {
        if f == begin {
            return Part::Begins(kind.into());
        }
        if f == end {
            return Part::Ends(kind.into());
        }
    }
    if let Some(kind) = f.strip_prefix("start-") {
        return Part::Begins(text::label(kind));
    }
    f.strip_prefix("stop-").map_or(Part::Neither, |kind| Part::Ends(text::label(kind)))
}

/// All faults that were in force, or may have been, by the time at which they began.
pub(crate) fn windows(history: &History) -> Vec<Window> {
    let last = super::ops::end_of(history);
    let mut windows: Vec<Window> = Vec::new();
    let mut announced: Option<&Event> = None;
    for event in history.events().iter().filter(|event| event.process == Process::Nemesis) {
        let Some(outcome) = summary::outcome(event) else {
            announced = Some(event);
            continue;
        };
        let first = announced.take().filter(|first| first.f == event.f).unwrap_or(event);
        match part(&event.f) {
            Part::Begins(kind) if outcome != "skipped" => {
                let label = who(if event.value.is_null() { &first.value } else { &event.value });
                windows.push(Window {
                    hue: hue(&kind),
                    label,
                    kind,
                    begin: first.time.0,
                    end: last,
                    certain: outcome == "installed",
                    event: first.index.0,
                });
            }
            Part::Ends(kind) if outcome == "installed" => {
                for window in windows.iter_mut().filter(|w| w.kind == kind && w.end == last) {
                    window.end = event.time.0.max(window.begin);
                }
            }
            _ => {}
        }
    }
    windows
}

/// The kinds of faults in force while a history is written.
#[derive(Debug, Default)]
pub(crate) struct InForce(BTreeSet<String>);

impl InForce {
    /// Takes the next event of the nemesis.
    pub(crate) fn turn(&mut self, event: &Event) {
        match (part(&event.f), summary::outcome(event)) {
            (Part::Begins(kind), Some(outcome)) if outcome != "skipped" => {
                self.0.insert(kind);
            }
            (Part::Ends(kind), Some("installed")) => {
                self.0.remove(&kind);
            }
            _ => {}
        }
    }

    /// Their names.
    pub(crate) fn kinds(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

/// Colours of the common kinds do not depend on which others there are.
fn hue(kind: &str) -> usize {
    KINDS.iter().position(|(_, _, name)| *name == kind).unwrap_or_else(|| {
        let sum =
            kind.bytes().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        KINDS.len() + sum % (HUES - KINDS.len())
    })
}

/// On whom a fault acts, in words, from the value of its event.
fn who(value: &Value) -> String {
    let names = |value: &Value| -> Vec<String> {
        value.as_list().unwrap_or_default().iter().map(super::ops::plain).collect()
    };
    let told = match value {
        Value::Null => String::new(),
        Value::List(_) => names(value).join(" "),
        Value::Map(pairs) => {
            groups(pairs.iter().map(|(node, hidden)| (super::ops::plain(node), names(hidden))))
        }
        other => super::ops::plain(other),
    };
    text::label(&told)
}

/// A partition in words. Nodes that are deaf to the same peers stand together; two groups that
/// are deaf to each other are written `a b | c d e`, any other reads `a deaf to b`.
fn groups(grudge: impl Iterator<Item = (String, Vec<String>)>) -> String {
    let mut deaf: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for (node, mut hidden) in grudge.filter(|(_, hidden)| !hidden.is_empty()) {
        hidden.sort();
        match deaf.iter_mut().find(|(_, to)| *to == hidden) {
            Some((group, _)) => group.push(node),
            None => deaf.push((vec![node], hidden)),
        }
    }
    if let [(a, to_b), (b, to_a)] = deaf.as_slice()
        && a == to_a
        && b == to_b
    {
        return format!("{} | {}", a.join(" "), b.join(" "));
    }
    let told: Vec<String> = deaf
        .iter()
        .map(|(group, to)| format!("{} deaf to {}", group.join(" "), to.join(" ")))
        .collect();
    told.join("; ")
}

/// The faults that were in force at some moment between two.
pub(super) fn during(windows: &[Window], begin: u64, end: u64) -> Vec<&Window> {
    windows.iter().filter(|window| window.begin <= end && window.end >= begin).collect()
}
