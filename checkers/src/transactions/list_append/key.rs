//! One key: its version order, its dependencies, and what its reads have wrong.

use super::{Lists, within};
use crate::transactions::access::{Access, Accesses};
use crate::transactions::finding::{Finding, Shown, evidence};
use crate::transactions::graph::{Fan, Why};
use crate::transactions::kind::AnomalyKind;
use crate::transactions::scratch::{NONE, Scratch};
use crate::transactions::table::{Action, KeyId, ListId, Outcome, Table, ValueId};
use serde_json::{Map, json};

/// A key while it is judged.
pub(super) struct Key<'a> {
    pub(super) table: &'a Table,
    pub(super) id: KeyId,
    pub(super) accesses: &'a [Access],
    /// The elements in the order of versions, each once.
    pub(super) order: Vec<ValueId>,
    /// For each element its append among the accesses; `NONE` if nobody appended it.
    writers: Vec<u32>,
    /// Who read the longest list.
    longest: Option<(u32, ListId)>,
    /// Appends that their own transaction followed by another, among the accesses.
    intermediate: Vec<bool>,
    /// The first element in the order whose writer aborted.
    aborted: usize,
}

/// Judges a key.
pub(super) fn judge(
    table: &Table,
    id: KeyId,
    accesses: &[Access],
    lists: &mut Lists,
    scratch: &mut Scratch,
) {
    scratch.next_key();
    let mut key = Key {
        table,
        id,
        accesses,
        order: Vec::new(),
        writers: Vec::new(),
        longest: None,
        intermediate: Vec::new(),
        aborted: usize::MAX,
    };
    if let Err(twice) = key.index(scratch) {
        lists.findings.give_up(|| {
            format!(
                "{} was appended to {} twice, so its reads cannot be told apart",
                table.value_words(twice),
                table.key_words(id)
            )
        });
        return;
    }
    key.find_order(lists, scratch);
    lists.longest[id.0 as usize] = key.longest.map(|(_, list)| list);
    key.judge_order(lists);
    for run in Accesses::runs(accesses) {
        if lists.committed.contains(run[0].txn) {
            for access in run {
                key.judge_read(*access, lists, scratch);
            }
            within::judge(&key, run, &mut lists.findings, scratch);
        }
    }
    key.lost_updates(lists);
    key.connect(lists, scratch);
}

impl Key<'_> {
    /// Where each element was appended. An element that was appended twice is an error.
    fn index(&mut self, scratch: &mut Scratch) -> Result<(), ValueId> {
        self.intermediate = vec![false; self.accesses.len()];
        let mut last: Option<usize> = None;
        for (at, access) in self.accesses.iter().enumerate() {
            let Action::Append(element) = access.action else { continue };
            let entry = scratch.entry(element);
            if entry.writer != NONE {
                return Err(element);
            }
            entry.writer = at as u32;
            if let Some(last) = last.replace(at)
                && self.accesses[last].txn == access.txn
            {
                self.intermediate[last] = true;
            }
        }
        Ok(())
    }

    fn find_order(&mut self, lists: &Lists, scratch: &mut Scratch) {
        let reads = self.accesses.iter().filter_map(|access| match access.action {
            Action::ReadList(list) if lists.committed.contains(access.txn) => {
                Some((access.txn, list))
            }
            _ => None,
        });
        let longer = |a: (u32, ListId), b: (u32, ListId)| {
            if self.table.list(b.1).len() > self.table.list(a.1).len() { b } else { a }
        };
        self.longest = reads.reduce(longer);
        let Some((_, longest)) = self.longest else { return };
        for element in self.table.list(longest) {
            let entry = scratch.entry(*element);
            if entry.place == NONE {
                entry.place = self.order.len() as u32;
                self.order.push(*element);
                self.writers.push(entry.writer);
            }
        }
    }

    pub(super) fn list(&self, action: Action) -> Option<&[ValueId]> {
        match action {
            Action::ReadList(list) => Some(self.table.list(list)),
            Action::Read(ValueId::NIL) => Some(&[]),
            _ => None,
        }
    }

    /// Who read the longest list.
    pub(super) fn reader(&self) -> Option<u32> {
        self.longest.map(|(reader, _)| reader)
    }

    pub(super) fn reader_words(&self) -> String {
        self.reader().map_or_else(|| "nobody".to_owned(), |reader| self.table.who(reader))
    }

    /// Whether a read is a prefix of the version order.
    pub(super) fn is_prefix(&self, elements: &[ValueId]) -> bool {
        self.order.starts_with(elements)
    }

    fn outcome(&self, access: u32) -> Outcome {
        self.table.txns()[self.accesses[access as usize].txn as usize].outcome
    }

    fn writer(&self, access: u32) -> Option<u32> {
        self.accesses.get(access as usize).map(|access| access.txn)
    }

    /// What the order itself has wrong: committed writes on top of aborted ones.
    fn judge_order(&mut self, lists: &mut Lists) {
        let aborted = self
            .writers
            .iter()
            .position(|writer| *writer != NONE && self.outcome(*writer) == Outcome::Fail);
        let Some(aborted) = aborted else { return };
        self.aborted = aborted;
        let later = self.writers[aborted..].iter().position(|writer| {
            self.writer(*writer).is_some_and(|txn| lists.committed.contains(txn))
        });
        let Some(later) = later.map(|later| aborted + later) else { return };
        let (table, key) = (self.table, self.table.key_words(self.id));
        let (low, high) = (self.writers[aborted], self.writers[later]);
        let (low, high) = (self.accesses[low as usize].txn, self.accesses[high as usize].txn);
        lists.findings.add(AnomalyKind::DirtyUpdate, || Finding {
            kind: AnomalyKind::DirtyUpdate,
            text: format!(
                "{} appended {} to {key} and aborted, yet the append of {} by {} stands on top \
                 of it.",
                table.who(low),
                table.value_words(self.order[aborted]),
                table.value_words(self.order[later]),
                table.who(high),
            ),
            txns: vec![low, high],
            evidence: self
                .evidence(&[("value", self.order[aborted]), ("value'", self.order[later])]),
        });
    }

    pub(super) fn evidence(&self, values: &[(&str, ValueId)]) -> Map<String, serde_json::Value> {
        evidence(self.table, self.id, values)
    }

    /// An element that a read should not show.
    pub(super) fn shown(&self, reader: u32, value: ValueId) -> Shown<'_> {
        Shown { table: self.table, key: self.id, value, reader }
    }

    /// What one read has wrong by itself or next to the version order.
    fn judge_read(&self, access: Access, lists: &mut Lists, scratch: &mut Scratch) {
        let Some(elements) = self.list(access.action) else { return };
        let prefix = self.is_prefix(elements);
        if !prefix {
            self.judge_order_of(access, elements, lists, scratch);
        }
        // All but the last few reads are prefixes without an aborted element: nothing to look at.
        let from = if prefix { self.aborted.min(elements.len()) } else { 0 };
        for element in &elements[from..] {
            let writer = scratch.entry(*element).writer;
            if writer != NONE
                && self.outcome(writer) == Outcome::Fail
                && self.accesses[writer as usize].txn != access.txn
            {
                self.tell_read(AnomalyKind::G1a, access, *element, writer, lists);
                break;
            }
        }
        self.judge_garbage(access, elements, prefix, lists, scratch);
        let Some(last) = elements.last() else { return };
        let writer = scratch.entry(*last).writer;
        if writer != NONE
            && self.intermediate[writer as usize]
            && self.accesses[writer as usize].txn != access.txn
        {
            self.tell_read(AnomalyKind::G1b, access, *last, writer, lists);
        }
    }

    fn tell_read(
        &self,
        kind: AnomalyKind,
        read: Access,
        element: ValueId,
        writer: u32,
        lists: &mut Lists,
    ) {
        let writer = self.accesses[writer as usize].txn;
        let but = match kind {
            AnomalyKind::G1a => "aborted",
            _ => "went on to append more to it",
        };
        let rest =
            || format!(", which {} appended; but that transaction {but}", self.table.who(writer));
        lists.findings.add_read(kind, self.shown(read.txn, element), Some(writer), rest);
    }

    /// Elements that nobody appended.
    fn judge_garbage(
        &self,
        access: Access,
        elements: &[ValueId],
        prefix: bool,
        lists: &mut Lists,
        scratch: &mut Scratch,
    ) {
        let garbage = if prefix {
            self.writers[..elements.len()].iter().position(|writer| *writer == NONE)
        } else {
            elements.iter().position(|element| scratch.entry(*element).writer == NONE)
        };
        let Some(garbage) = garbage else { return };
        let shown = self.shown(access.txn, elements[garbage]);
        let rest = || ", which nobody appended to it".to_owned();
        lists.findings.add_read(AnomalyKind::GarbageRead, shown, None, rest);
    }

    /// A read that is no prefix of the order: it holds something twice, or in another order.
    fn judge_order_of(
        &self,
        access: Access,
        elements: &[ValueId],
        lists: &mut Lists,
        scratch: &mut Scratch,
    ) {
        let table = self.table;
        let mut sorted = elements.to_vec();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            lists.findings.add(AnomalyKind::DuplicateElements, || Finding {
                kind: AnomalyKind::DuplicateElements,
                text: format!(
                    "{} read {} from {}: {} stands there more than once.",
                    table.who(access.txn),
                    table.elements_words(elements),
                    table.key_words(self.id),
                    table.value_words(pair[0]),
                ),
                txns: vec![access.txn],
                evidence: self.evidence(&[("value", pair[0])]),
            });
        }
        let mut next = 0;
        let agrees = elements.iter().all(|element| {
            let place = scratch.entry(*element).place;
            next = next.max(place.saturating_add(1));
            place != NONE && (place + 1 == next || place < next)
        }) && self.is_prefix(&distinct(elements));
        if agrees {
            return;
        }
        let Some((reader, longest)) = self.longest else { return };
        let longest = table.list(longest);
        let at = elements.iter().zip(longest).take_while(|(a, b)| a == b).count();
        lists.findings.add(AnomalyKind::IncompatibleOrder, || {
            let mut evidence = self.evidence(&[]);
            evidence.insert(
                "values".into(),
                json!([table.elements_json(elements), table.elements_json(longest)]),
            );
            Finding {
                kind: AnomalyKind::IncompatibleOrder,
                text: format!(
                    "{} read {} from {}, and {} read {}: from place {} on no order of appends \
                     explains both.",
                    table.who(access.txn),
                    table.elements_words(elements),
                    table.key_words(self.id),
                    table.who(reader),
                    table.elements_words(longest),
                    at + 1,
                ),
                txns: vec![access.txn, reader],
                evidence,
            }
        });
    }

    /// Transactions that read one version and all appended to it.
    fn lost_updates(&self, lists: &mut Lists) {
        let mut updates: Vec<(u32, u32)> = Vec::new();
        for run in Accesses::runs(self.accesses) {
            if !lists.committed.contains(run[0].txn) || run.len() < 2 {
                continue;
            }
            let Some(elements) = self.list(run[0].action) else { continue };
            let appends = run.iter().any(|access| matches!(access.action, Action::Append(_)));
            if appends && self.is_prefix(elements) {
                updates.push((elements.len() as u32, run[0].txn));
            }
        }
        updates.sort_unstable();
        for same in updates.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            let table = self.table;
            let version = &self.order[..same[0].0 as usize];
            lists.findings.add(AnomalyKind::LostUpdate, || {
                let mut evidence = self.evidence(&[]);
                evidence.insert("value".into(), table.elements_json(version));
                Finding {
                    kind: AnomalyKind::LostUpdate,
                    text: format!(
                        "{} and {}{} all read {} from {} and appended to it: of that version \
                         there can be one update.",
                        table.who(same[0].1),
                        table.who(same[1].1),
                        match same.len() {
                            2 => String::new(),
                            more => format!(" and {} more", more - 2),
                        },
                        table.elements_words(version),
                        table.key_words(self.id),
                    ),
                    txns: same.iter().take(8).map(|update| update.1).collect(),
                    evidence,
                }
            });
        }
    }

    /// Adds the edges of this key.
    fn connect(&self, lists: &mut Lists, scratch: &mut Scratch) {
        // The writer of the first version from each place on that is committed.
        let mut next: Vec<u32> = vec![NONE; self.order.len() + 1];
        for at in (0..self.order.len()).rev() {
            let committed = |txn: &u32| lists.committed.contains(*txn);
            next[at] = self.writer(self.writers[at]).filter(committed).unwrap_or(next[at + 1]);
        }
        let mut last: Option<u32> = None;
        for (writer, next) in self.writers.iter().zip(&next) {
            let Some(txn) = self.writer(*writer).filter(|txn| next == txn) else { continue };
            if let Some(before) = last.replace(txn) {
                lists.edges.push(before, txn, Why::Ww);
            }
        }
        let unread = self.unread(lists, scratch);
        let mut fan = Fan::over(&unread);
        if let Some(last) = last {
            let own = unread.binary_search(&last).ok();
            lists.edges.push_range(last, &mut fan, 0..unread.len(), own, Why::Ww);
        }
        for run in Accesses::runs(self.accesses) {
            let reader = run[0].txn;
            if !lists.committed.contains(reader) {
                continue;
            }
            let mut before: Option<usize> = None;
            for access in run {
                let Some(elements) = self.list(access.action) else { continue };
                if let Some(element) = elements.last()
                    && let Some(writer) = self.writer(scratch.entry(*element).writer)
                    && lists.committed.contains(writer)
                    && before != Some(elements.len())
                {
                    lists.edges.push(writer, reader, Why::Wr);
                }
                if before == Some(elements.len()) || !self.is_prefix(elements) {
                    continue;
                }
                before = Some(elements.len());
                match next[elements.len()] {
                    NONE => {
                        let own = unread.binary_search(&reader).ok();
                        let all = 0..unread.len();
                        lists.edges.push_range(reader, &mut fan, all, own, Why::Rw);
                    }
                    writer => lists.edges.push(reader, writer, Why::Rw),
                }
            }
        }
    }

    /// Transactions that committed and appended what no read shows, ascending.
    fn unread(&self, lists: &Lists, scratch: &mut Scratch) -> Vec<u32> {
        let mut unread: Vec<u32> = Vec::new();
        for access in self.accesses {
            let Action::Append(element) = access.action else { continue };
            if lists.committed.contains(access.txn)
                && scratch.entry(element).place == NONE
                && unread.last() != Some(&access.txn)
            {
                unread.push(access.txn);
            }
        }
        if unread.is_empty() {
            return unread;
        }
        // Reads that disagree with the order may show more.
        let mut shown: Vec<u32> = Vec::new();
        for access in self.accesses {
            if let Action::ReadList(list) = access.action
                && lists.committed.contains(access.txn)
                && !self.is_prefix(self.table.list(list))
            {
                for element in self.table.list(list) {
                    let entry = *scratch.entry(*element);
                    if entry.place == NONE && entry.writer != NONE {
                        shown.push(self.accesses[entry.writer as usize].txn);
                    }
                }
            }
        }
        shown.sort_unstable();
        unread.retain(|txn| shown.binary_search(txn).is_err());
        unread
    }
}

/// The elements without repetitions, in the order of their first appearance.
fn distinct(elements: &[ValueId]) -> Vec<ValueId> {
    let mut seen = std::collections::BTreeSet::new();
    elements.iter().copied().filter(|element| seen.insert(*element)).collect()
}
