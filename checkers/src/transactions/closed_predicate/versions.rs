//! The versions of a row, and what is known of their order.

use super::predicate::Predicate;
use super::{Seen, Universe, Write, is_write, looks, predicate_of};
use crate::transactions::committed::Committed;
use crate::transactions::table::{Action, KeyId, Outcome, Table, TxnId, ValueId};
use std::collections::BTreeMap;

/// What a row is at a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not there yet, or no more.
    Absent,
    /// There, with this value.
    Row(ValueId),
}

/// A version of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) state: State,
    /// Who left it, and by which of its micro-operations; nobody if it was unborn.
    pub(super) writer: Option<(u32, usize)>,
}

/// All versions of a row.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: KeyId,
    /// The first one is the initial one. Transactions of unknown outcome have theirs here too.
    pub(super) versions: Vec<Version>,
    /// Those that are known to have been there: in order if `ordered`, else only the first one is
    /// in its place.
    pub(super) line: Vec<usize>,
    pub(super) ordered: bool,
    /// The place of each version in the line.
    place: Vec<Option<usize>>,
    /// What came of each insertion that may have taken effect.
    inserts: Vec<usize>,
    /// Deletions that may have.
    deletes: usize,
}

/// What is known of a row that a read did not find.
#[derive(Debug, Default)]
pub(super) struct Absence {
    /// How many versions it may have stood at.
    pub(super) count: usize,
    /// The one of these that all others follow.
    pub(super) least: Option<usize>,
    /// The first ones after all of these that the read would have found.
    pub(super) then: Vec<usize>,
}

impl Key {
    fn new(id: KeyId) -> Key {
        Key {
            id,
            versions: vec![Version { state: State::Absent, writer: None }],
            line: Vec::new(),
            ordered: false,
            place: Vec::new(),
            inserts: Vec::new(),
            deletes: 0,
        }
    }

    /// The versions at which `reader`, its own later ones left aside, could have stood before a row
    /// that does not match.
    fn unmatched(
        &self,
        reader: u32,
        matches: impl Fn(ValueId) -> bool,
    ) -> impl Iterator<Item = usize> {
        let out = move |version: &Version| match version.state {
            State::Absent => true,
            State::Row(value) => !matches(value),
        };
        let own = move |version: &Version| version.writer.is_some_and(|(txn, _)| txn == reader);
        let versions = self.versions.iter().enumerate();
        versions.filter(move |(_, version)| out(version) && !own(version)).map(|(at, _)| at)
    }

    /// Who wrote the only version at which the row could have been left out.
    pub(super) fn only_one(&self, reader: u32, matches: impl Fn(ValueId) -> bool) -> Option<u32> {
        let mut versions = self.unmatched(reader, matches);
        let only = versions.next().filter(|_| versions.next().is_none())?;
        self.versions[only].writer.map(|(txn, _)| txn)
    }

    /// The only version at which the row was not there.
    fn only_unmatched(&self, reader: u32) -> Option<usize> {
        let mut versions = self.unmatched(reader, |_| true);
        versions.next().filter(|_| versions.next().is_none())
    }

    /// What follows from the row being left out.
    pub(super) fn absence(&self, reader: u32, matches: impl Fn(ValueId) -> bool + Copy) -> Absence {
        let mut absence = Absence::default();
        // The first and last candidates, while all of them have a place.
        let (mut first, mut last) = (None::<usize>, None::<usize>);
        let mut placed = self.ordered;
        for version in self.unmatched(reader, matches) {
            absence.count += 1;
            match self.place[version] {
                Some(place) => {
                    first = Some(first.map_or(place, |first| first.min(place)));
                    last = Some(last.map_or(place, |last| last.max(place)));
                }
                None => placed = false,
            }
        }
        let initial = first == Some(0);
        if absence.count == 1 || placed || initial {
            absence.least = first.map(|place| self.line[place]);
        }
        let Some(last) = last.filter(|_| absence.count == 1 || placed) else { return absence };
        let found = |version: &&usize| match self.versions[**version].state {
            State::Absent => false,
            State::Row(value) => matches(value),
        };
        absence.then = self.after(last).iter().filter(found).copied().collect();
        if self.ordered {
            absence.then.truncate(1);
        }
        absence
    }

    /// The versions that are known to follow the one at this place of the line.
    fn after(&self, place: usize) -> &[usize] {
        if self.ordered || place == 0 { &self.line[place + 1..] } else { &[] }
    }

    /// The versions that may be next after this one: one if the order is known.
    pub(super) fn next(&self, version: usize) -> &[usize] {
        let after = self.place[version].map_or(&[][..], |place| self.after(place));
        if self.ordered { &after[..after.len().min(1)] } else { after }
    }

    /// Pairs of versions of which the second came directly after the first, or just later.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.line
            .iter()
            .flat_map(|version| self.next(*version).iter().map(|next| (*version, *next)))
    }

    /// Puts the versions of committed transactions in order, as far as that is known. `found` tells
    /// for some versions which one their writer had found.
    fn put_in_order(&mut self, committed: &Committed, found: &BTreeMap<usize, usize>) {
        let there =
            |version: &Version| version.writer.is_none_or(|(txn, _)| committed.contains(txn));
        let rest = (1..self.versions.len()).filter(|at| there(&self.versions[*at]));
        let mut line: Vec<usize> = std::iter::once(0).chain(rest).collect();
        let unborn = self.versions[0].state == State::Absent;
        self.ordered = match &mut line[1..] {
            [] | [_] => true,
            [a, _] if unborn && self.deletes == 0 && self.inserts == [*a] => true,
            [a, b] if unborn && self.deletes == 0 && self.inserts == [*b] => {
                std::mem::swap(a, b);
                true
            }
            _ => match chain(&line, found) {
                Some(chain) => {
                    line = chain;
                    true
                }
                None => false,
            },
        };
        self.place = vec![None; self.versions.len()];
        for (place, version) in line.iter().enumerate() {
            self.place[*version] = Some(place);
        }
        self.line = line;
    }
}

/// All versions, each next to the one that its writer had found; none if that is not one line. One
/// of which nobody knows that comes next to the initial one, if all others come after it.
fn chain(versions: &[usize], found: &BTreeMap<usize, usize>) -> Option<Vec<usize>> {
    let count = versions.len();
    let mut found = found.clone();
    let mut blind = versions[1..].iter().filter(|version| !found.contains_key(version));
    if let (Some(first), None) = (blind.next().copied(), blind.next()) {
        found.insert(first, 0);
    }
    let next: BTreeMap<usize, usize> = found.iter().map(|(left, found)| (*found, *left)).collect();
    let mut line = vec![0];
    while let Some(after) = next.get(&line[line.len() - 1]) {
        line.push(*after);
        if line.len() > count {
            return None;
        }
    }
    (line.len() == count && next.len() == found.len()).then_some(line)
}

impl Universe {
    /// Finds all rows, their versions and the predicates. A row with a value that was written to it
    /// twice is none.
    pub(super) fn read_keys(&mut self, table: &Table) {
        for id in table.ids() {
            for op in table.ops(id) {
                let at = op.key.0 as usize;
                match op.action {
                    Action::ReadWhere(rows) => {
                        self.predicates[at] = Predicate::of(predicate_of(table.key(op.key)));
                        for (key, _) in table.rows(rows) {
                            self.keys[key.0 as usize].get_or_insert_with(|| Key::new(*key));
                        }
                    }
                    Action::Read(_) => {
                        self.keys[at].get_or_insert_with(|| Key::new(op.key));
                    }
                    action if is_write(action) => {
                        self.keys[at].get_or_insert_with(|| Key::new(op.key));
                    }
                    _ => {}
                }
            }
        }
        let mut twice: Vec<(KeyId, ValueId)> = Vec::new();
        for id in table.ids() {
            self.read_writes(table, id, &mut twice);
        }
        for (key, value) in twice {
            if self.keys[key.0 as usize].take().is_some() {
                self.findings.give_up(|| {
                    format!(
                        "{} was written to {} twice, so its reads cannot be told apart",
                        table.value_words(value),
                        table.key_words(key)
                    )
                });
            }
        }
        self.rows = self.keys.iter().flatten().map(|key| key.id).collect();
    }

    fn read_writes(&mut self, table: &Table, id: TxnId, twice: &mut Vec<(KeyId, ValueId)>) {
        let failed = table.txn(id).outcome == Outcome::Fail;
        let ops = table.ops(id);
        let mut later: Vec<KeyId> = Vec::new();
        for (op, step) in ops.iter().enumerate().rev().filter(|(_, step)| is_write(step.action)) {
            let Some(key) = &mut self.keys[step.key.0 as usize] else { continue };
            let last = !later.contains(&step.key);
            later.push(step.key);
            let state = match step.action {
                Action::Init(value) | Action::Insert(value) | Action::Write(value) => {
                    State::Row(value)
                }
                _ => State::Absent,
            };
            let version = Version { state, writer: Some((id.0, op)) };
            let kept = (last && !failed).then_some(match step.action {
                Action::Init(_) => 0,
                _ => key.versions.len(),
            });
            match kept {
                Some(0) => key.versions[0] = version,
                Some(_) => key.versions.push(version),
                None => {}
            }
            if let (false, Action::Insert(_)) = (failed, step.action) {
                // Where its own writer went on, that is what came of the insertion.
                let made = key.versions.len() - 1;
                key.inserts.push(made);
            }
            key.deletes += usize::from(!failed && step.action == Action::Delete);
            if let State::Row(value) = state
                && self
                    .writes
                    .insert((step.key, value), Write { txn: id.0, version: kept })
                    .is_some()
            {
                twice.push((step.key, value));
            }
        }
    }

    /// Puts the versions of all rows in order.
    pub(super) fn order_keys(&mut self, table: &Table, wfr_keys: bool) {
        let mut found: Vec<BTreeMap<usize, usize>> = vec![BTreeMap::new(); self.keys.len()];
        if wfr_keys {
            for txn in (0..table.len() as u32).filter(|txn| self.committed.contains(*txn)) {
                for (key, from, to) in self.updates(table, txn) {
                    found[key.0 as usize].insert(to, from);
                }
            }
        }
        for (key, found) in self.keys.iter_mut().zip(&found) {
            if let Some(key) = key {
                key.put_in_order(&self.committed, found);
            }
        }
    }

    /// The rows of which a transaction found one version and left another, with both.
    pub(super) fn updates(&self, table: &Table, txn: u32) -> Vec<(KeyId, usize, usize)> {
        let mut updates: Vec<(KeyId, usize, usize)> = Vec::new();
        for look in looks(table, txn) {
            let (id, found) = match look.seen {
                Seen::Value(id, value) => {
                    (id, self.writes.get(&(id, value)).and_then(|write| write.version))
                }
                Seen::Nothing(id) => (id, self.key(id).and_then(|key| key.only_unmatched(txn))),
                Seen::NoOther { .. } => continue,
            };
            let Some(key) = self.key(id) else { continue };
            let left = key
                .versions
                .iter()
                .position(|version| version.writer.is_some_and(|(writer, _)| writer == txn));
            if let (Some(found), Some(left)) = (found, left)
                && found != left
                && updates.iter().all(|update| update.0 != id)
            {
                updates.push((id, found, left));
            }
        }
        updates
    }
}
