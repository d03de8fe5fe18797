//! Rows that come and go, and reads by predicate.
//!
//! A read by predicate also depends on the rows that it did *not* return. What it made of them is
//! told by exclusion, if all versions of all rows are known (a *closed* universe): a row that it
//! left out stood at a version that does not match. Versions of a row are known because values are
//! unique: it is unborn, or was there from the start (`init`); then what committed transactions
//! left there; a deleted row is dead. Unborn and dead rows match no predicate. So:
//!
//! * the version after which no version that it may have left out comes gives `wrp`: its writer
//!   precedes the reader;
//! * a version that matches and comes after all that it may have left out gives `rwp`: the reader
//!   precedes its writer, whose row it would have found;
//! * the rows that it returned are read like any other (`wr`, `rw`).
//!
//! If every version of a row matches and it was left out, that is a `predicate-read-miss`.
//!
//! The order of a row's versions is known as far as this tells: the initial one comes first; a
//! single insert precedes a single write, where nothing was ever deleted; and who reads a version
//! and leaves another left the next one, if that is said to hold (`wfr-keys`): then a row with one
//! blind write is in order. Of all other rows
//! only the first version has a place. Not inferred: which of several deletes a read found, order
//! from sessions or real time, and what writes by predicate (`wwp`) do: there are none.
//!
//! A transaction of unknown outcome may have left versions; it counts as committed once a read
//! found one, or could have left a row out for no other reason. (Adya, *Weak Consistency*, 1999,
//! §4.4.2; Kingsbury's closed-predicate histories in Elle.) Each read by predicate looks at each
//! row: that bounds the cost, and [`CELLS_MAX`] bounds that.

mod explain;
mod judge;
mod links;
mod parse;
mod predicate;
mod versions;

#[cfg(test)]
mod tests;

use super::committed::Committed;
use super::finding::Findings;
use super::graph::Edges;
use super::stop::Stop;
use super::table::{Action, KeyId, Outcome, RowsId, Table, TxnId, ValueId};
use hashbrown::HashMap;
pub use predicate::Predicate;
use rustc_hash::FxBuildHasher;
use versions::Key;

pub(super) use explain::explain;
pub(super) use parse::{has_initial_rows, is_own, predicate_of, table};

/// Reads by predicate times rows.
const CELLS_MAX: usize = 50_000_000;

/// What the rows of a history say.
#[derive(Debug)]
pub(super) struct Universe {
    pub(super) committed: Committed,
    pub(super) findings: Findings,
    pub(super) edges: Edges,
    /// The rows that can be judged, by their keys.
    keys: Vec<Option<Key>>,
    /// The keys of those.
    rows: Vec<KeyId>,
    /// The predicates, by the keys that stand for them.
    predicates: Vec<Option<Predicate>>,
    /// Who wrote each value of a row.
    writes: HashMap<(KeyId, ValueId), Write, FxBuildHasher>,
}

/// A value on its way into a row.
#[derive(Clone, Copy, Debug)]
struct Write {
    txn: u32,
    /// The version of the row that it is; none if it was aborted or replaced by its own writer.
    version: Option<usize>,
}

/// What a transaction saw of others.
#[derive(Debug)]
struct Look {
    /// The micro-operation's place in the transaction.
    op: usize,
    seen: Seen,
}

#[derive(Debug)]
enum Seen {
    /// A row with this value.
    Value(KeyId, ValueId),
    /// No such row.
    Nothing(KeyId),
    /// No row that matches but these and those that it wrote itself.
    NoOther { predicate: KeyId, rows: RowsId, own: Vec<KeyId> },
}

/// What a transaction saw of others: not what it wrote itself before.
fn looks(table: &Table, txn: u32) -> Vec<Look> {
    let (mut looks, mut own) = (Vec::new(), Vec::new());
    for (op, step) in table.ops(TxnId(txn)).iter().enumerate() {
        match step.action {
            Action::Read(_) if own.contains(&step.key) => {}
            Action::Read(ValueId::NIL) => looks.push(Look { op, seen: Seen::Nothing(step.key) }),
            Action::Read(value) => looks.push(Look { op, seen: Seen::Value(step.key, value) }),
            Action::ReadWhere(rows) => {
                let others = table.rows(rows).iter().filter(|(key, _)| !own.contains(key));
                looks.extend(
                    others.map(|(key, value)| Look { op, seen: Seen::Value(*key, *value) }),
                );
                let seen = Seen::NoOther { predicate: step.key, rows, own: own.clone() };
                looks.push(Look { op, seen });
            }
            action if is_write(action) && !own.contains(&step.key) => own.push(step.key),
            _ => {}
        }
    }
    looks
}

fn is_write(action: Action) -> bool {
    matches!(action, Action::Init(_) | Action::Insert(_) | Action::Write(_) | Action::Delete)
}

/// Reads all rows, until `stop`.
pub(super) fn infer(table: &Table, wfr_keys: bool, stop: &Stop<'_>) -> Universe {
    let ok = table.txns().iter().map(|txn| txn.outcome == Outcome::Ok);
    let mut universe = Universe {
        committed: Committed::these(ok.collect()),
        findings: Findings::default(),
        edges: Edges::between(table.len()),
        keys: (0..table.keys()).map(|_| None).collect(),
        rows: Vec::new(),
        predicates: (0..table.keys()).map(|_| None).collect(),
        writes: HashMap::default(),
    };
    universe.read_keys(table);
    let by_predicate =
        table.all_ops().iter().filter(|op| matches!(op.action, Action::ReadWhere(_))).count();
    if by_predicate.saturating_mul(universe.rows.len()) > CELLS_MAX {
        universe.findings.give_up(|| {
            format!(
                "{by_predicate} reads by predicate over {} rows are more than {CELLS_MAX} pairs",
                universe.rows.len()
            )
        });
        universe.forget();
        return universe;
    }
    universe.settle(table, stop);
    universe.order_keys(table, wfr_keys);
    for txn in (0..table.len() as u32).filter(|_| !stop.now()) {
        if universe.committed.contains(txn) {
            universe.judge(table, txn);
        }
    }
    universe.lost_updates(table);
    universe.draw(table, stop);
    universe
}

impl Universe {
    /// Nothing is left to be judged.
    fn forget(&mut self) {
        self.keys.iter_mut().for_each(|key| *key = None);
        self.rows.clear();
        self.predicates.iter_mut().for_each(|predicate| *predicate = None);
    }

    fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys[id.0 as usize].as_ref()
    }

    /// The rows that a read by predicate left out though others might have put them there.
    fn left_out<'u>(
        &'u self,
        table: &Table,
        rows: RowsId,
        own: &'u [KeyId],
    ) -> impl Iterator<Item = &'u Key> + use<'u> {
        let mut found: Vec<KeyId> = table.rows(rows).iter().map(|row| row.0).collect();
        found.sort_unstable();
        let out = move |key: &&KeyId| found.binary_search(key).is_err() && !own.contains(key);
        self.rows.iter().filter(out).filter_map(|id| self.key(*id))
    }

    /// Counts transactions of unknown outcome that reads show to have committed.
    fn settle(&mut self, table: &Table, stop: &Stop<'_>) {
        if table.txns().iter().all(|txn| txn.outcome != Outcome::Info) {
            return;
        }
        let mut open: Vec<u32> =
            (0..table.len() as u32).filter(|txn| self.committed.contains(*txn)).collect();
        while let Some(txn) = open.pop().filter(|_| !stop.now()) {
            for writer in self.shown(table, txn) {
                let unknown = table.txns()[writer as usize].outcome == Outcome::Info;
                if unknown && self.committed.add(writer) {
                    open.push(writer);
                }
            }
        }
    }

    /// The transactions that must have committed for this one to read what it did.
    fn shown(&self, table: &Table, txn: u32) -> Vec<u32> {
        let mut writers = Vec::new();
        for look in looks(table, txn) {
            match look.seen {
                Seen::Value(key, value) => {
                    writers.extend(self.writes.get(&(key, value)).map(|write| write.txn));
                }
                Seen::Nothing(key) => {
                    let only = self.key(key).and_then(|key| key.only_one(txn, |_| true));
                    writers.extend(only);
                }
                Seen::NoOther { predicate, rows, own } => {
                    let Some(predicate) = &self.predicates[predicate.0 as usize] else { continue };
                    for key in self.left_out(table, rows, &own) {
                        writers.extend(
                            key.only_one(txn, |value| predicate.matches(table.value(value))),
                        );
                    }
                }
            }
        }
        writers
    }
}
