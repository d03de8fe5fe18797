//! What became of the cluster: did it serve again after healing, and did any node die by itself?
//!
//! A system that is safe because it never answers is of no use. After the faults are healed the
//! harness writes the nemesis event `final-phase` and then asks every node for every key until
//! it answers or a limit is over. This check reads from the history whether each of these
//! questions was answered in the end. (The simulator of `TigerBeetle` calls the two phases safety
//! and liveness.) A node that died without being killed is told by the nemesis event `node-died`;
//! it makes the verdict unknown, since the machine may be at fault as well as the database. A
//! history without a final phase says nothing of this, and the report says so.

use crate::history::{Event, EventType, History, OpIndex};
use crate::value::Value;
use crate::verdict::{Anomaly, CheckerReport, Valid};
use std::collections::BTreeMap;

/// The nemesis event behind which the final phase begins.
pub const FINAL_PHASE: &str = "final-phase";
/// The nemesis event of a run that a person, or the system, ended before its time.
pub const INTERRUPTED: &str = "interrupted";
/// Why there is nothing to say of a history without a final phase.
pub const NO_FINAL_PHASE: &str = "no final phase was recorded";
/// The nemesis event of a node that ended without being killed.
pub const NODE_DIED: &str = "node-died";

/// At most this many unanswered questions are listed.
const LISTED_MAX: usize = 8;

/// Checks what became of the cluster. Linear in the history.
pub fn check(history: &History) -> CheckerReport {
    let dead: Vec<&Event> = nemesis_events(history, NODE_DIED).collect();
    let begun = nemesis_events(history, FINAL_PHASE).next();
    let interrupted = nemesis_events(history, INTERRUPTED).next().is_some();
    // A run that goes to its end completes all that it asks: one that does not had no time for
    // the answers.
    let cut = begun.is_some_and(|begin| {
        let mut asked = history.operations().iter().filter(|op| op.invoke > begin.index);
        asked.any(|op| op.complete.is_none())
    });
    let finished = begun.is_some() && !interrupted && !cut;
    let unserved = if finished { unserved(history) } else { Vec::new() };
    let mut details = serde_json::Map::new();
    details.insert("final_phase".into(), finished.into());
    details.insert("unserved".into(), unserved.len().into());
    details.insert("nodes_died".into(), dead.len().into());
    let anomalies: Vec<Anomaly> = unserved_anomaly(&unserved)
        .into_iter()
        .chain(dead.iter().map(|event| death(event)))
        .collect();
    let valid = match (unserved.is_empty(), dead.is_empty()) {
        (false, _) => Valid::False,
        (true, false) => Valid::Unknown,
        (true, true) => Valid::True,
    };
    CheckerReport {
        valid,
        why: match anomalies.first() {
            Some(anomaly) => Some(anomaly.explanation.clone()),
            None if begun.is_some() && !finished => {
                Some("the final phase was cut short".to_owned())
            }
            None => (!finished).then(|| NO_FINAL_PHASE.to_owned()),
        },
        details,
        anomalies,
        models: BTreeMap::new(),
    }
}

/// A question of the final phase that was never answered, with its last try.
struct Unserved {
    node: String,
    key: String,
    last: OpIndex,
    tries: usize,
}

fn nemesis_events<'a>(history: &'a History, f: &'a str) -> impl Iterator<Item = &'a Event> {
    history.nemesis().filter(move |event| event.f.as_str() == f)
}

fn unserved(history: &History) -> Vec<Unserved> {
    let Some(begin) = nemesis_events(history, FINAL_PHASE).map(|event| event.index).next() else {
        return Vec::new();
    };
    // By node and key: tries, the last of them, and whether one was answered.
    let mut asked: BTreeMap<(String, String), (usize, OpIndex, bool)> = BTreeMap::new();
    for operation in history.operations().iter().filter(|operation| operation.invoke > begin) {
        let invocation = history.event(operation.invoke);
        let node = invocation.node.as_deref().unwrap_or("").to_owned();
        // What has no key is a question by its argument.
        let key = invocation.key.as_ref().unwrap_or(&invocation.value).to_string();
        let entry = asked.entry((node, key)).or_insert((0, operation.invoke, false));
        entry.0 += 1;
        entry.1 = operation.invoke;
        entry.2 |= operation.outcome == EventType::Ok;
    }
    asked
        .into_iter()
        .filter(|(_, (_, _, answered))| !answered)
        .map(|((node, key), (tries, last, _))| Unserved { node, key, last, tries })
        .collect()
}

fn unserved_anomaly(unserved: &[Unserved]) -> Option<Anomaly> {
    let first = unserved.first()?;
    let mut nodes: Vec<&str> = unserved.iter().map(|question| question.node.as_str()).collect();
    nodes.dedup();
    let explanation = format!(
        "After all faults were healed, {} did not serve again: {} of the final reads were never \
         answered, for instance key {} at {} in {} {}.",
        nodes.join(", "),
        unserved.len(),
        first.key,
        first.node,
        first.tries,
        if first.tries == 1 { "try" } else { "tries" },
    );
    Some(Anomaly {
        kind: "unavailable-after-heal".into(),
        checker: "aftermath".into(),
        explanation,
        ops: unserved.iter().take(LISTED_MAX).map(|question| question.last).collect(),
        evidence: serde_json::Map::new(),
    })
}

fn death(event: &Event) -> Anomaly {
    let field = |name: &str| match &event.value {
        Value::Map(pairs) => pairs
            .iter()
            .find(|(key, _)| key.as_str() == Some(name))
            .and_then(|(_, value)| value.as_str())
            .unwrap_or("?")
            .to_owned(),
        other => other.to_string(),
    };
    Anomaly {
        kind: "node-died".into(),
        checker: "aftermath".into(),
        explanation: format!(
            "{} ended at {:.3} s although nobody had killed it: {}",
            field("node"),
            event.time.0 as f64 / 1e9,
            field("reason")
        ),
        ops: vec![event.index],
        evidence: serde_json::Map::new(),
    }
}
