//! The final phase of a run: what was asked after all faults were healed.

use crate::aftermath::FINAL_PHASE;
use crate::history::{Event, History, OpView, Process};
use crate::value::Value;

/// The event behind which the final phase begins, if the history has one.
pub(crate) fn begin(history: &History) -> Option<&Event> {
    let marks =
        |event: &&Event| event.process == Process::Nemesis && event.f.as_str() == FINAL_PHASE;
    history.events().iter().find(marks)
}

/// A node's name; empty where a history does not tell.
pub(crate) fn node<'a>(op: &OpView<'a>) -> &'a str {
    op.invoke.node.as_deref().unwrap_or("")
}

/// `at n3`, or nothing where the node is not known.
pub(crate) fn at(node: &str) -> String {
    if node.is_empty() { String::new() } else { format!(" at {node}") }
}

/// ` of key k1`, or nothing where there is one object only.
pub(crate) fn of_key(key: Option<&Value>) -> String {
    key.map_or_else(String::new, |key| format!(" of {}", key_text(key)))
}

/// A key as people write it.
pub(crate) fn key_text(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

/// Quantiles of a sorted list of nanoseconds, in milliseconds.
pub(crate) fn quantiles_ms(sorted: &[u64]) -> serde_json::Value {
    let at = |q: f64| {
        let last = sorted.len().checked_sub(1)?;
        let place = (q * last as f64).round() as usize;
        Some(sorted[place.min(last)] as f64 / 1e6)
    };
    let names = [("min", 0.0), ("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)];
    names.into_iter().map(|(name, q)| (name.to_owned(), serde_json::json!(at(q)))).collect()
}
