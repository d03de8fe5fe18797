//! Which transaction comes before which, and by what that is known.

use super::versions::Absence;
use super::{Seen, Universe, looks};
use crate::transactions::graph::{Edges, Why};
use crate::transactions::stop::Stop;
use crate::transactions::table::{KeyId, Table};

/// An edge with its evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) source: u32,
    pub(super) target: u32,
    pub(super) why: Why,
    pub(super) key: KeyId,
    /// The version that was found or replaced, if it is known.
    pub(super) before: Option<usize>,
    /// The one that came later.
    pub(super) after: Option<usize>,
    /// The reader's micro-operation, if a read shows it.
    pub(super) op: usize,
}

impl Universe {
    /// Adds all edges.
    pub(super) fn draw(&mut self, table: &Table, stop: &Stop<'_>) {
        let mut edges = Edges::between(table.len());
        let mut last = None;
        let mut push = |link: Link| {
            // A row after the other, the same transaction may be the reason.
            let edge = Some((link.source, link.target, link.why));
            if std::mem::replace(&mut last, edge) != edge {
                edges.push(link.source, link.target, link.why);
            }
        };
        for key in self.rows.iter().filter(|_| !stop.now()) {
            self.writes_of(*key, &mut push);
        }
        for txn in (0..table.len() as u32).filter(|_| !stop.now()) {
            if self.committed.contains(txn) {
                self.reads_of(table, txn, &mut push);
            }
        }
        self.edges = edges;
    }

    /// Who replaced whose version of a row.
    pub(super) fn writes_of(&self, id: KeyId, give: &mut dyn FnMut(Link)) {
        let Some(key) = self.key(id) else { return };
        for (before, after) in key.pairs() {
            let writer = |version: usize| key.versions[version].writer;
            let (Some((source, _)), Some((target, op))) = (writer(before), writer(after)) else {
                continue;
            };
            let (before, after) = (Some(before), Some(after));
            self.give(give, Link { source, target, why: Why::Ww, key: id, before, after, op });
        }
    }

    /// What a transaction's reads say of those before and after it.
    pub(super) fn reads_of(&self, table: &Table, txn: u32, give: &mut dyn FnMut(Link)) {
        for look in looks(table, txn) {
            let op = look.op;
            match look.seen {
                Seen::Value(id, value) => {
                    let (Some(key), Some(write)) = (self.key(id), self.writes.get(&(id, value)))
                    else {
                        continue;
                    };
                    let link = Link {
                        source: write.txn,
                        target: txn,
                        why: Why::Wr,
                        key: id,
                        before: write.version,
                        after: None,
                        op,
                    };
                    self.give(give, link);
                    for next in write.version.map_or(&[][..], |version| key.next(version)) {
                        self.give_anti(give, txn, Why::Rw, (id, *next), write.version, op);
                    }
                }
                Seen::Nothing(id) => {
                    let Some(key) = self.key(id) else { continue };
                    let absence = key.absence(txn, |_| true);
                    if absence.count == 0 {
                        // It must have looked before the row was there at all.
                        self.give_anti(give, txn, Why::Rw, (id, 0), None, op);
                    }
                    self.give_absence(give, txn, (Why::Wr, Why::Rw), id, &absence, op);
                }
                Seen::NoOther { predicate, rows, own } => {
                    let Some(predicate) = &self.predicates[predicate.0 as usize] else { continue };
                    for key in self.left_out(table, rows, &own) {
                        let absence =
                            key.absence(txn, |value| predicate.matches(table.value(value)));
                        self.give_absence(give, txn, (Why::Wrp, Why::Rwp), key.id, &absence, op);
                    }
                }
            }
        }
    }

    fn give_absence(
        &self,
        give: &mut dyn FnMut(Link),
        txn: u32,
        (read, anti): (Why, Why),
        id: KeyId,
        absence: &Absence,
        op: usize,
    ) {
        let Some(key) = self.key(id) else { return };
        let before = absence.least;
        if let Some((source, _)) = before.and_then(|least| key.versions[least].writer) {
            let link = Link { source, target: txn, why: read, key: id, before, after: None, op };
            self.give(give, link);
        }
        for then in &absence.then {
            self.give_anti(give, txn, anti, (id, *then), before, op);
        }
    }

    fn give_anti(
        &self,
        give: &mut dyn FnMut(Link),
        source: u32,
        why: Why,
        (id, after): (KeyId, usize),
        before: Option<usize>,
        op: usize,
    ) {
        let writer = self.key(id).and_then(|key| key.versions[after].writer);
        if let Some((target, _)) = writer {
            let link = Link { source, target, why, key: id, before, after: Some(after), op };
            self.give(give, link);
        }
    }

    /// Gives a link between two transactions that both count.
    fn give(&self, give: &mut dyn FnMut(Link), link: Link) {
        let counts = |txn: u32| self.committed.contains(txn);
        if link.source != link.target && counts(link.source) && counts(link.target) {
            give(link);
        }
    }
}
