//! How many operations ended how: in all, and for each name of an operation.
//!
//! A run in which some kind of operation never succeeded has tested little, so its verdict is
//! "unknown". (Jepsen's checker of the same name calls such a run invalid.)

use crate::history::{EventType, History};
use crate::verdict::{CheckerReport, Valid};
use serde::Serialize;
use std::collections::BTreeMap;

/// Operations by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub count: u64,
    /// Those that happened.
    pub ok: u64,
    /// Those that certainly did not happen.
    pub fail: u64,
    /// Those of which nobody knows, unfinished ones included.
    pub info: u64,
}

impl Counts {
    fn add(&mut self, outcome: EventType) {
        self.count += 1;
        match outcome {
            EventType::Ok => self.ok += 1,
            EventType::Fail => self.fail += 1,
            EventType::Info | EventType::Invoke => self.info += 1,
        }
    }
}

/// Counts the client operations: in all, and by name.
pub fn count(history: &History) -> (Counts, BTreeMap<String, Counts>) {
    let mut total = Counts::default();
    let mut by_f: BTreeMap<&str, Counts> = BTreeMap::new();
    for op in history.ops() {
        total.add(op.outcome);
        by_f.entry(op.f().as_str()).or_default().add(op.outcome);
    }
    (total, by_f.into_iter().map(|(f, counts)| (f.to_string(), counts)).collect())
}

/// The report: valid if there are operations and each kind of them succeeded at least once, else
/// unknown.
pub fn check(history: &History) -> CheckerReport {
    let (total, by_f) = count(history);
    let never: Vec<String> = by_f
        .iter()
        .filter(|(_, counts)| counts.ok == 0)
        .map(|(f, counts)| format!("`{f}` (of {})", counts.count))
        .collect();
    let why = match never.as_slice() {
        [] if total.count == 0 => Some("the history holds no operation".to_string()),
        [] => None,
        never => Some(format!("no {} succeeded", never.join(" and no "))),
    };
    let mut details = serde_json::Map::new();
    for (name, value) in [("total", serde_json::json!(total)), ("by-f", serde_json::json!(by_f))] {
        details.insert(name.to_string(), value);
    }
    CheckerReport {
        valid: if why.is_some() { Valid::Unknown } else { Valid::True },
        why,
        details,
        anomalies: Vec::new(),
        models: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::jsonl;

    fn report(events: &[(&str, &str, &str)]) -> CheckerReport {
        let lines = events.iter().map(|(process, kind, f)| {
            format!("{{\"time\":0,\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\"}}\n")
        });
        check(&jsonl::read(lines.collect::<String>().as_bytes(), "test").unwrap())
    }

    #[test]
    fn counts_outcomes_by_name_and_leaves_the_nemesis_out() {
        let report = report(&[
            ("0", "invoke", "read"),
            ("\"nemesis\"", "info", "kill"),
            ("0", "ok", "read"),
            ("0", "invoke", "write"),
            ("1", "invoke", "read"),
            ("0", "ok", "write"),
            ("0", "invoke", "read"),
            ("0", "fail", "read"),
            ("0", "invoke", "write"),
            ("0", "info", "write"),
        ]);
        assert_eq!(report.valid, Valid::True);
        let expected = serde_json::json!({
            "valid": true,
            "total": {"count": 5, "ok": 2, "fail": 1, "info": 2},
            "by-f": {
                "read": {"count": 3, "ok": 1, "fail": 1, "info": 1},
                "write": {"count": 2, "ok": 1, "fail": 0, "info": 1},
            },
        });
        assert_eq!(serde_json::to_value(&report).unwrap(), expected);
    }

    #[test]
    fn what_never_succeeded_makes_it_unknown() {
        let report = report(&[
            ("0", "invoke", "read"),
            ("0", "ok", "read"),
            ("0", "invoke", "cas"),
            ("0", "fail", "cas"),
            ("0", "invoke", "add"),
        ]);
        assert_eq!(report.valid, Valid::Unknown);
        assert_eq!(report.why.as_deref(), Some("no `add` (of 1) and no `cas` (of 1) succeeded"));
    }

    #[test]
    fn an_empty_history_has_shown_nothing() {
        assert_eq!(report(&[]).valid, Valid::Unknown);
    }
}
