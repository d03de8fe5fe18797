//! Do all replicas agree in the end, and how long does that take?
//!
//! Strong eventual consistency (Shapiro et al. 2011, section 2.2) promises that replicas which
//! have seen the same updates are the same. So once all faults are healed and nobody writes any
//! more, reads at all nodes must come to the same value, and stay there. The check looks at the
//! reads of the final phase alone: a key has *converged* if each node's last read returns the
//! same, and it took as long as the last read that still returned something else. Lists are
//! compared as sets are, without order. Linear in what final reads return, times a logarithm.

use crate::final_phase::{self, key_text, quantiles_ms};
use crate::history::{History, OpView};
use crate::value::Value;
use crate::verdict::{Anomaly, CheckerReport, Valid};
use serde_json::json;
use std::collections::BTreeMap;

/// At most so many keys are explained; all are counted.
const EXPLAINED_MAX: usize = 8;
/// At most so many characters of a value are shown.
const SHOWN_MAX: usize = 60;

/// A final read: where, and what it returned.
struct Read<'a> {
    op: OpView<'a>,
    node: &'a str,
    value: Value,
}

/// Checks whether all replicas agreed.
pub fn check(history: &History) -> CheckerReport {
    let Some(begin) = final_phase::begin(history) else {
        let why = "the history has no final phase: nothing tells whether replicas agree";
        return CheckerReport::unknown(why.to_owned());
    };
    let mut by_key: BTreeMap<Option<&Value>, Vec<Read<'_>>> = BTreeMap::new();
    let finals = history.ops().filter(|op| op.invoke.index > begin.index);
    for op in finals.filter(|op| op.f().as_str() == "read") {
        let Some(value) = op.output() else { continue };
        let read = Read { op, node: final_phase::node(&op), value: plain(value) };
        by_key.entry(op.key()).or_default().push(read);
    }
    let mut latencies = Vec::new();
    let mut anomalies = Vec::new();
    let mut diverged = 0_u64;
    for (key, reads) in &by_key {
        let last: BTreeMap<&str, &Read<'_>> = reads.iter().map(|read| (read.node, read)).collect();
        match disagreement(&last) {
            None => latencies.push(latency(begin.time.0, reads, &last)),
            Some((one, other)) => {
                diverged += 1;
                if anomalies.len() < EXPLAINED_MAX {
                    anomalies.push(anomaly(*key, one, other));
                }
            }
        }
    }
    latencies.sort_unstable();
    let mut details = serde_json::Map::new();
    details.insert("keys".into(), by_key.len().into());
    details.insert("diverged".into(), diverged.into());
    details.insert("convergence_ms".into(), quantiles_ms(&latencies));
    let nodes = by_key.values().flatten().map(|read| read.node);
    details.insert("nodes".into(), json!(nodes.collect::<std::collections::BTreeSet<&str>>()));
    let (valid, why) = match (anomalies.first(), by_key.is_empty()) {
        (Some(first), _) => {
            let keys = if by_key.len() == 1 { "key" } else { "keys" };
            let count = by_key.len();
            let why = format!("{diverged} of {count} {keys} diverged: {}", first.explanation);
            (Valid::False, Some(why))
        }
        (None, true) => (Valid::Unknown, Some("no read of the final phase was answered".into())),
        (None, false) => (Valid::True, None),
    };
    CheckerReport { valid, why, details, anomalies, models: BTreeMap::new() }
}

/// A value as it is compared: lists without order.
fn plain(value: &Value) -> Value {
    match value.as_list() {
        Some(items) => {
            let mut items = items.to_vec();
            items.sort();
            Value::list(items)
        }
        None => value.clone(),
    }
}

/// Two nodes' last reads that differ.
fn disagreement<'a, 'b>(
    last: &BTreeMap<&str, &'a Read<'b>>,
) -> Option<(&'a Read<'b>, &'a Read<'b>)> {
    let mut reads = last.values().copied();
    let first = reads.next()?;
    reads.find(|read| read.value != first.value).map(|other| (first, other))
}

/// Time from the healing until the last answer that differs from what all came to.
fn latency(healed: u64, reads: &[Read<'_>], last: &BTreeMap<&str, &Read<'_>>) -> u64 {
    let Some(agreed) = last.values().next() else { return 0 };
    let differ = reads.iter().filter(|read| read.value != agreed.value);
    let times = differ.filter_map(|read| Some(read.op.complete?.time.0));
    times.max().map_or(0, |time| time.saturating_sub(healed))
}

fn anomaly(key: Option<&Value>, one: &Read<'_>, other: &Read<'_>) -> Anomaly {
    let what = key.map_or_else(|| "the object".to_owned(), key_text);
    let explanation = format!(
        "After healing, replicas of {what} never agreed: the last read at {} returned {}, that at \
         {} {}.{}",
        one.node,
        shown(&one.value),
        other.node,
        shown(&other.value),
        difference(&one.value, &other.value)
    );
    Anomaly {
        kind: "diverged".into(),
        checker: "convergence".into(),
        explanation,
        ops: vec![one.op.invoke.index, other.op.invoke.index],
        evidence: serde_json::Map::new(),
    }
}

fn shown(value: &Value) -> String {
    if let Some(items) = value.as_list() {
        return format!("{} elements", items.len());
    }
    let text = value.to_string();
    if text.chars().count() <= SHOWN_MAX {
        return text;
    }
    text.chars().take(SHOWN_MAX).chain("...".chars()).collect()
}

/// What one list has and the other has not.
fn difference(one: &Value, other: &Value) -> String {
    let (Some(a), Some(b)) = (one.as_list(), other.as_list()) else { return String::new() };
    let only = |here: &[Value], there: &[Value]| {
        let items = here.iter().filter(|item| there.binary_search(item).is_err()).take(5);
        items.map(Value::to_string).collect::<Vec<String>>().join(", ")
    };
    let (first, second) = (only(a, b), only(b, a));
    let named = |items: String, which: &str| match items.as_str() {
        "" => String::new(),
        items => format!(" Only {which} has {items}."),
    };
    named(first, "the first") + &named(second, "the second")
}
