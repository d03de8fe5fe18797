//! What was found besides cycles, kept within bounds.

use super::kind::{AnomalyKind, KindSet};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// At most this many of a kind are told; all are counted.
const TOLD_MAX: u64 = 16;

/// One anomaly.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    pub(super) kind: AnomalyKind,
    /// What happened, in words.
    pub(super) text: String,
    /// The transactions that show it.
    pub(super) txns: Vec<u32>,
    /// More, by name.
    pub(super) evidence: Map<String, Json>,
}

/// All anomalies found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    /// How many there are of each kind, told or not.
    pub(super) counts: BTreeMap<AnomalyKind, u64>,
    /// Why some keys could not be judged.
    pub(super) broken: Vec<String>,
    /// How many keys could not.
    pub(super) broken_keys: usize,
}

impl Findings {
    /// Notes one more of a kind; `tell` is asked for it while there is room.
    pub(super) fn add(&mut self, kind: AnomalyKind, tell: impl FnOnce() -> Finding) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= TOLD_MAX {
            self.list.push(tell());
        }
    }

    /// Notes that a key could not be judged.
    pub(super) fn give_up(&mut self, why: impl FnOnce() -> String) {
        self.broken_keys += 1;
        if (self.broken.len() as u64) < TOLD_MAX {
            self.broken.push(why());
        }
    }

    pub(super) fn kinds(&self) -> KindSet {
        self.counts.keys().copied().collect()
    }
}
