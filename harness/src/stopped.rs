//! A simulation that could not go on: an invariant of the protocol does not hold, or virtual time
//! stands still.
//!
//! A history shows a broken promise only where a client happens to look; the simulator sees the
//! nodes themselves. What it saw is an event of the history, so that whoever judges the history
//! again comes to the same verdict.

use quorate_checkers::history::{Event, History, Process};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::{Anomaly, CheckerReport, Valid};
use std::collections::BTreeMap;

/// The nemesis event that tells of it.
pub const EVENT: &str = "simulation-stopped";
/// The checker's name.
pub const CHECKER: &str = "invariants";

/// The event's value.
pub fn value(what: &str, reason: &str) -> Value {
    let pairs = [("what".into(), Value::str(what)), ("reason".into(), Value::str(reason))];
    Value::Map(pairs.into())
}

/// The event, where there is one.
fn event(history: &History) -> Option<&Event> {
    let is_stop = |event: &&Event| event.process == Process::Nemesis && event.f.as_str() == EVENT;
    history.events().iter().rev().find(is_stop)
}

fn field<'a>(event: &'a Event, name: &str) -> &'a str {
    let Value::Map(pairs) = &event.value else { return "" };
    let named = pairs.iter().find(|(key, _)| key.as_str() == Some(name));
    named.and_then(|(_, value)| value.as_str()).unwrap_or("")
}

/// Whether the simulation went to its end; nothing if the history says nothing of it.
pub fn check(history: &History) -> Option<CheckerReport> {
    let event = event(history)?;
    let (what, reason) = (field(event, "what"), field(event, "reason"));
    let anomaly = Anomaly {
        kind: what.to_owned(),
        checker: CHECKER.to_owned(),
        explanation: format!("The simulator looks at the nodes after every event: {reason}."),
        ops: vec![event.index],
        evidence: serde_json::Map::new(),
    };
    Some(CheckerReport {
        valid: Valid::False,
        why: Some(anomaly.explanation.clone()),
        details: serde_json::Map::new(),
        anomalies: vec![anomaly],
        models: BTreeMap::new(),
    })
}
