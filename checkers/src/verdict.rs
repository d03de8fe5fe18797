//! What checkers conclude, and how conclusions merge.

use crate::history::OpIndex;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A conclusion. Merging takes the worst: false, then unknown, then true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Valid {
    /// The history breaks what was claimed.
    False,
    /// It could not be decided; the report says why.
    Unknown,
    /// The history keeps what was claimed.
    True,
}

impl Valid {
    /// The worse of the two.
    #[must_use]
    pub fn and(self, other: Valid) -> Valid {
        self.min(other)
    }
}

impl Serialize for Valid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Valid::False => serializer.serialize_bool(false),
            Valid::Unknown => serializer.serialize_str("unknown"),
            Valid::True => serializer.serialize_bool(true),
        }
    }
}

/// One thing that went wrong, with the operations that show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Anomaly {
    /// Its name in the field: `stale-read`, `lost-update`, `G1c`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// The checker that found it.
    pub checker: String,
    /// What happened, in words with the operations' values.
    pub explanation: String,
    /// The events that show it, as few as possible.
    #[serde(serialize_with = "indices")]
    pub ops: Vec<OpIndex>,
    /// Whatever else the checker has to show, by name; shown in reports.
    #[serde(flatten)]
    pub evidence: serde_json::Map<String, serde_json::Value>,
}

fn indices<S: Serializer>(ops: &[OpIndex], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ops.iter().map(|op| op.0))
}

/// What one checker says of one history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckerReport {
    /// Its conclusion.
    pub valid: Valid,
    /// One sentence; always there when `valid` is not true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Counts and settings, by name.
    #[serde(flatten)]
    pub details: serde_json::Map<String, serde_json::Value>,
    /// What it found.
    #[serde(skip)]
    pub anomalies: Vec<Anomaly>,
    /// Consistency models that it decided, by name.
    #[serde(skip)]
    pub models: BTreeMap<String, Valid>,
}

/// The verdict over a history: `verdict.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The worst conclusion of all checkers.
    pub valid: Valid,
    /// One sentence; always there when `valid` is not true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The kinds of anomaly found, sorted, each once.
    pub anomaly_types: Vec<String>,
    /// Consistency models, by name.
    pub models: BTreeMap<String, Valid>,
    /// Each checker's report, by its name.
    pub checkers: BTreeMap<String, CheckerReport>,
    /// All anomalies, in the checkers' order.
    pub anomalies: Vec<Anomaly>,
    /// What a reader should know of the history that was judged: that it is not whole, say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl CheckerReport {
    /// Nothing could be decided, for this reason.
    pub fn unknown(why: String) -> CheckerReport {
        CheckerReport {
            valid: Valid::Unknown,
            why: Some(why),
            details: serde_json::Map::new(),
            anomalies: Vec::new(),
            models: BTreeMap::new(),
        }
    }
}

impl Verdict {
    /// Merges the reports of checkers, given by name.
    pub fn merge(reports: impl IntoIterator<Item = (String, CheckerReport)>) -> Verdict {
        let checkers: BTreeMap<String, CheckerReport> = reports.into_iter().collect();
        let valid = checkers.values().map(|report| report.valid).fold(Valid::True, Valid::and);
        let why = checkers
            .values()
            .filter(|report| report.valid == valid && valid != Valid::True)
            .find_map(|report| report.why.clone());
        let anomalies: Vec<Anomaly> =
            checkers.values().flat_map(|report| report.anomalies.iter().cloned()).collect();
        let mut anomaly_types: Vec<String> =
            anomalies.iter().map(|anomaly| anomaly.kind.clone()).collect();
        anomaly_types.sort();
        anomaly_types.dedup();
        let mut models: BTreeMap<String, Valid> = BTreeMap::new();
        for (name, valid) in checkers.values().flat_map(|report| &report.models) {
            let known = models.entry(name.clone()).or_insert(*valid);
            // Who decided a model is believed before who left it open.
            if *known == Valid::Unknown || *valid == Valid::False {
                *known = *valid;
            }
        }
        Verdict { valid, why, anomaly_types, models, checkers, anomalies, notes: Vec::new() }
    }
}
