//! What was found besides cycles, kept within bounds.

use super::kind::{AnomalyKind, KindSet};
use super::table::{KeyId, Table, ValueId};
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

/// A value that a read returned and that should not be there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) table: &'a Table,
    pub(super) key: KeyId,
    pub(super) value: ValueId,
    /// The transaction that read it.
    pub(super) reader: u32,
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

    /// Notes a read of what should not be there. `rest` ends the sentence that says so; `writer` is
    /// the other transaction that shows it.
    pub(super) fn add_read(
        &mut self,
        kind: AnomalyKind,
        shown: Shown<'_>,
        writer: Option<u32>,
        rest: impl FnOnce() -> String,
    ) {
        let Shown { table, key, value, reader } = shown;
        self.add(kind, || Finding {
            kind,
            text: format!(
                "{} read {} from {}{}.",
                table.who(reader),
                table.value_words(value),
                table.key_words(key),
                rest()
            ),
            txns: [reader].into_iter().chain(writer).collect(),
            evidence: evidence(table, key, &[("value", value)]),
        });
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

/// A key and values of it, by name.
pub(super) fn evidence(table: &Table, key: KeyId, values: &[(&str, ValueId)]) -> Map<String, Json> {
    let key = ("key".to_owned(), table.key_json(key));
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), table.value_json(*value)));
    std::iter::once(key).chain(values).collect()
}
