//! Invariants: what must hold of any history of a workload, whatever the order of its operations.
//!
//! Each is decided in one pass, in time linear in the history, and shows the operations that
//! break it. What is broken is also a breach of some isolation level; but a transfer that loses
//! money is easier to believe than a cycle of dependencies.
//!
//! | name | what must hold | of operations |
//! |---|---|---|
//! | `bank` | each read sees all the money there is | `open`, `transfer`, `read` |
//! | `long-fork` | readers of the same keys agree on one order of their writes | single writes, group reads |
//! | `g2` | of two insertions that each need an empty group one fails | `insert` |
//! | `causal-reverse` | who sees a row sees all whose insertion had ended before that row's began | `write`, `read` |
//! | `monotonic` | nobody sees a counter going down, and no two increments give the same value | `inc`, `read` |

mod bank;
mod causal_reverse;
mod g2;
mod long_fork;
mod monotonic;

use crate::history::{EventType, History, OpIndex, OpView};
use crate::linearizable::words::events;
use crate::value::Value;
use crate::verdict::{Anomaly, CheckerReport, Valid};
use serde_json::Map;
use std::collections::BTreeMap;

/// At most this many anomalies of a kind are told; all are counted.
const TOLD_MAX: usize = 8;

/// An invariant.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// Its name.
    pub name: &'static str,
    /// What must hold, in one line.
    pub about: &'static str,
    /// The operations that it knows.
    operations: &'static [&'static str],
    check: fn(&History) -> CheckerReport,
}

impl Invariant {
    /// Judges a history; unknown where it has other operations, which may mean anything.
    pub fn judge(&self, history: &History) -> CheckerReport {
        let odd = history.ops().find(|op| !self.operations.contains(&op.f().as_str()));
        let Some(odd) = odd else { return (self.check)(history) };
        CheckerReport::unknown(format!(
            "event {} is {}, and {} is about {}",
            odd.invoke.index,
            odd.f(),
            self.name,
            self.operations.join(", ")
        ))
    }
}

/// All invariants.
pub const ALL: &[Invariant] = &[
    Invariant {
        name: "bank",
        about: "does each read see all the money",
        operations: &["open", "transfer", "read"],
        check: bank::check,
    },
    Invariant {
        name: "long-fork",
        about: "do readers agree on one order of writes",
        operations: &["read", "write", "txn"],
        check: long_fork::check,
    },
    Invariant {
        name: "g2",
        about: "does at most one conditional insertion of a group succeed",
        operations: &["insert", "read"],
        check: g2::check,
    },
    Invariant {
        name: "causal-reverse",
        about: "do rows become visible in the order of time",
        operations: &["write", "insert", "read"],
        check: causal_reverse::check,
    },
    Invariant {
        name: "monotonic",
        about: "does no counter go down and no increment get lost",
        operations: &["inc", "read"],
        check: monotonic::check,
    },
];

/// The invariant of that name.
pub fn find(name: &str) -> Option<&'static Invariant> {
    ALL.iter().find(|invariant| invariant.name == name)
}

/// What was found, kind by kind.
struct Findings {
    checker: &'static str,
    counts: BTreeMap<&'static str, u64>,
    anomalies: Vec<Anomaly>,
    details: Map<String, serde_json::Value>,
    /// Why something could not be judged.
    open: Option<String>,
}

impl Findings {
    fn new(checker: &'static str) -> Findings {
        let (counts, anomalies, details) = (BTreeMap::new(), Vec::new(), Map::new());
        Findings { checker, counts, anomalies, details, open: None }
    }

    /// Something cannot be judged; the first reason is told.
    fn undecided(&mut self, why: impl FnOnce() -> String) {
        self.open.get_or_insert_with(why);
    }

    /// One more of a kind; `explain` is called only if it is to be told.
    fn add<'a>(
        &mut self,
        kind: &'static str,
        ops: impl IntoIterator<Item = OpView<'a>>,
        explain: impl FnOnce() -> String,
    ) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= TOLD_MAX as u64 {
            let ops: Vec<OpIndex> = events(ops);
            self.anomalies.push(Anomaly {
                kind: kind.to_owned(),
                checker: self.checker.to_owned(),
                explanation: explain(),
                ops,
                evidence: Map::new(),
            });
        }
    }

    fn detail(&mut self, name: &str, value: impl Into<serde_json::Value>) {
        self.details.insert(name.to_owned(), value.into());
    }

    /// The report; unknown with `nothing` as the reason if nothing was looked at.
    fn report(mut self, looked_at: usize, nothing: &str) -> CheckerReport {
        self.detail("looked-at", looked_at);
        let counts = self.counts.iter().map(|(kind, n)| ((*kind).to_owned(), (*n).into()));
        self.details.insert("found".into(), counts.collect::<Map<_, _>>().into());
        let why = self.anomalies.first().map(|anomaly| anomaly.explanation.clone());
        let (valid, why) = match why {
            Some(why) => (Valid::False, Some(why)),
            None if self.open.is_some() => (Valid::Unknown, self.open),
            None if looked_at == 0 => (Valid::Unknown, Some(nothing.to_owned())),
            None => (Valid::True, None),
        };
        let (details, anomalies) = (self.details, self.anomalies);
        CheckerReport { valid, why, details, anomalies, models: BTreeMap::new() }
    }
}

/// The operations of that name that happened, with their results.
fn results<'a>(
    history: &'a History,
    f: &'a str,
) -> impl Iterator<Item = (OpView<'a>, &'a Value)> + 'a {
    history
        .ops()
        .filter(move |op| op.outcome == EventType::Ok && op.f().as_str() == f)
        .filter_map(|op| Some((op, op.output()?)))
}

#[cfg(test)]
mod support {
    use crate::history::{History, jsonl};
    use crate::verdict::{CheckerReport, Valid};
    use std::fmt::Write;

    /// `process type f key value`, one an event; `-` for no key.
    pub(super) fn history(lines: &[&str]) -> History {
        let mut text = String::new();
        for (time, line) in lines.iter().enumerate() {
            let words: Vec<&str> = line.splitn(5, ' ').collect();
            let [process, kind, f, key, value] = words[..] else { panic!("{line}") };
            let key = if key == "-" { String::new() } else { format!("\"key\":{key},") };
            writeln!(
                text,
                "{{\"time\":{time},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",{key}\"value\":{value}}}"
            )
            .unwrap();
        }
        jsonl::read(text.as_bytes(), "test").unwrap()
    }

    /// The kinds of anomaly found; none if it is valid.
    pub(super) fn kinds(report: &CheckerReport) -> Vec<&str> {
        assert_eq!(report.valid == Valid::False, !report.anomalies.is_empty());
        for anomaly in &report.anomalies {
            assert!(!anomaly.ops.is_empty() && anomaly.explanation.ends_with('.'), "{anomaly:?}");
        }
        report.anomalies.iter().map(|anomaly| anomaly.kind.as_str()).collect()
    }
}
