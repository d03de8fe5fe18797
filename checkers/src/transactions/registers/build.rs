//! From the table to what was read from whom.
//!
//! Four passes. The first numbers the nodes, session by session. The second walks each
//! transaction, keeps what others can see of it, and notes who wrote each value in an array over
//! values. The third looks up each read there. These two go in the order of the table, in which
//! most reads see what was written shortly before, so that what they look up is still in the
//! processor's cache; the fourth puts everything in the order of nodes. Where values repeat or a
//! read is wrong the third starts again from all versions, key by key.

use super::{AMBIGUOUS, INITIAL, Node, Read, Registers, Write};
use crate::transactions::{Action, MicroOp, Outcome, Table, TxnId, ValueId};
use std::sync::OnceLock;

const NONE: u32 = u32::MAX;

/// A write of a committed or aborted transaction, as other transactions may see it.
#[derive(Clone, Copy)]
struct Version {
    value: ValueId,
    /// The node; [`NONE`] for an aborted transaction.
    node: Node,
    /// The row of the transaction.
    row: TxnId,
    /// Whether the transaction did not overwrite it.
    last: bool,
}

/// What a walk over all transactions shows besides their reads and writes.
struct Walked {
    /// For each value the key that it was written to, and by whom ([`NONE`] where nobody else may
    /// read it); nothing where a value was written twice.
    writers: Option<Vec<(u32, Node)>>,
    /// Whether all transactions have committed for certain.
    sure: bool,
}

/// All items of keys, key by key.
struct Keyed<T> {
    starts: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy> Keyed<T> {
    /// Sorts `items` by key, keeping their order within a key.
    fn new(keys: usize, items: &[(u32, T)]) -> Keyed<T> {
        let mut starts = vec![0_u32; keys + 1];
        for (key, _) in items {
            starts[*key as usize + 1] += 1;
        }
        for key in 0..keys {
            starts[key + 1] += starts[key];
        }
        let Some((_, first)) = items.first() else { return Keyed { starts, items: Vec::new() } };
        let mut sorted = vec![*first; items.len()];
        let mut next = starts.clone();
        for (key, item) in items {
            let slot = &mut next[*key as usize];
            sorted[*slot as usize] = *item;
            *slot += 1;
        }
        Keyed { starts, items: sorted }
    }

    fn of(&self, key: usize) -> &[T] {
        &self.items[self.starts[key] as usize..self.starts[key + 1] as usize]
    }
}

impl<'t> Registers<'t> {
    /// What the transactions of a table read from each other. Reads of lists are left out, and
    /// appends: they are not registers.
    pub fn new(table: &'t Table) -> Registers<'t> {
        let mut registers = Registers::numbered(table);
        let walked = registers.walk();
        let sources = walked.writers.and_then(|writers| registers.unique_sources(&writers));
        registers.sort_by_node(sources.as_deref());
        match sources {
            Some(_) if walked.sure => {}
            Some(sources) => {
                let mut observed = vec![false; registers.len()];
                for source in sources {
                    observed[source as usize] = true;
                }
                registers.leave_out(&[], &observed);
            }
            None => {
                let versions = registers.versions();
                registers.resolve(&Keyed::new(table.keys(), &versions));
            }
        }
        registers
    }

    /// Numbers the nodes session by session; reads and writes are still to come.
    fn numbered(table: &'t Table) -> Registers<'t> {
        let takes_part = |id: &TxnId| table.txn(*id).outcome != Outcome::Fail;
        let mut starts = vec![0_u32; table.sessions() + 2];
        for id in table.ids().filter(takes_part) {
            starts[table.txn(id).session.0 as usize + 2] += 1;
        }
        starts[1] = 1;
        for session in 2..starts.len() {
            starts[session] += starts[session - 1];
        }
        let count = starts.last().copied().unwrap_or(1);
        let mut next = starts.clone();
        let mut rows = vec![TxnId(0); count as usize];
        let mut sessions = vec![0; count as usize];
        let mut by_row = Vec::with_capacity(count as usize - 1);
        for id in table.ids().filter(takes_part) {
            let session = table.txn(id).session.0 + 1;
            let slot = &mut next[session as usize];
            rows[*slot as usize] = id;
            sessions[*slot as usize] = session;
            by_row.push(*slot);
            *slot += 1;
        }
        Registers {
            table,
            rows,
            by_row,
            session_starts: starts,
            sessions,
            reads: Vec::new(),
            read_starts: vec![0; count as usize + 1],
            writes: Vec::new(),
            write_starts: vec![0; count as usize + 1],
            writers: OnceLock::new(),
            candidates: Vec::new(),
            flaws: Vec::new(),
            flawed: 0,
        }
    }

    /// Keeps what others can see of each transaction, in the order of the table, and how much
    /// that is of each node.
    fn walk(&mut self) -> Walked {
        let mut writers = vec![(NONE, NONE); self.table.values()];
        let (mut unique, mut all_sure) = (true, true);
        let mut wrote = |key: u32, value: ValueId, node: Node| {
            let slot = &mut writers[value.0 as usize];
            unique &= slot.0 == NONE;
            *slot = (key, node);
        };
        for id in self.table.ids().filter(|id| self.table.txn(*id).outcome == Outcome::Fail) {
            each_write(self.table.ops(id), |key, value, _| wrote(key, value, NONE));
        }
        let mut last = vec![NONE; self.table.keys()];
        let mut seen = vec![(0, ValueId::NIL, false); self.table.keys()];
        for at in 0..self.by_row.len() {
            let node = self.by_row[at];
            let id = self.row(node);
            let sure = self.table.txn(id).outcome == Outcome::Ok;
            all_sure &= sure;
            let (reads, writes) = (self.reads.len(), self.writes.len());
            if sure {
                self.walk_reads(node, &mut seen);
            }
            let ops = self.table.ops(id);
            each_write(ops, |key, _, position| last[key as usize] = position);
            each_write(ops, |key, value, position| {
                let last = last[key as usize] == position;
                wrote(key, value, if last { node } else { NONE });
                if last {
                    self.writes.push(Write { key, value });
                }
            });
            self.writes[writes..].sort_unstable_by_key(|write| write.key);
            self.read_starts[node as usize + 1] = (self.reads.len() - reads) as u32;
            self.write_starts[node as usize + 1] = (self.writes.len() - writes) as u32;
        }
        Walked { writers: unique.then_some(writers), sure: all_sure }
    }

    /// All writes as others may see them, each with its key: first those of aborted transactions.
    fn versions(&self) -> Vec<(u32, Version)> {
        let mut versions: Vec<(u32, Version)> = Vec::new();
        for id in self.table.ids().filter(|id| self.table.txn(*id).outcome == Outcome::Fail) {
            each_write(self.table.ops(id), |key, value, _| {
                versions.push((key, Version { value, node: NONE, row: id, last: true }));
            });
        }
        let mut last = vec![NONE; self.table.keys()];
        for node in 1..self.rows.len() as Node {
            let row = self.row(node);
            let ops = self.table.ops(row);
            each_write(ops, |key, _, position| last[key as usize] = position);
            each_write(ops, |key, value, position| {
                let last = last[key as usize] == position;
                versions.push((key, Version { value, node, row, last }));
            });
        }
        versions
    }

    /// Keeps the reads of what others wrote; notes those that disagree with their own
    /// transaction. `seen` has for each key who saw it last, the value, and whether it was
    /// written.
    fn walk_reads(&mut self, node: Node, seen: &mut [(Node, ValueId, bool)]) {
        let range = self.table.op_range(self.row(node));
        for op in range {
            let MicroOp { key, action } = self.table.all_ops()[op];
            let (who, known, written) = seen[key.0 as usize];
            match action {
                Action::Write(value) => seen[key.0 as usize] = (node, value, true),
                Action::Read(value) if who == node && written => {
                    if value != known {
                        self.flaw_internal(node, op, known);
                    }
                }
                Action::Read(value) => {
                    if who == node && value != known {
                        self.flaw_not_repeatable(node, op, known);
                    }
                    seen[key.0 as usize] = (node, value, false);
                    // The place of the value, until the writer is known.
                    self.reads.push(Read { key: key.0, source: value.0, op: op as u32 });
                }
                Action::ReadList(_)
                | Action::ReadUnknown
                | Action::Append(_)
                | Action::Init(_)
                | Action::Insert(_)
                | Action::Delete
                | Action::ReadWhere(_) => {}
            }
        }
    }

    /// The writer of each read, in the order of the table, where every read is right, as in most
    /// histories, given the key and the writer of each value.
    fn unique_sources(&self, writers: &[(u32, Node)]) -> Option<Vec<Node>> {
        let mut sources = Vec::with_capacity(self.reads.len());
        let mut reads = self.reads.iter();
        for node in &self.by_row {
            for read in reads.by_ref().take(self.read_starts[*node as usize + 1] as usize) {
                let (key, writer) = writers[read.source as usize];
                match ValueId(read.source) {
                    ValueId::NIL => sources.push(INITIAL),
                    _ if key == read.key && writer != NONE && writer != *node => {
                        sources.push(writer);
                    }
                    _ => return None,
                }
            }
        }
        Some(sources)
    }

    /// From the order of the table to that of nodes, the `sources` of reads with them where they
    /// are known.
    fn sort_by_node(&mut self, sources: Option<&[Node]>) {
        if let Some(sources) = sources {
            for (read, source) in self.reads.iter_mut().zip(sources) {
                read.source = *source;
            }
        }
        sort_by_node(&self.by_row, &mut self.read_starts, &mut self.reads);
        sort_by_node(&self.by_row, &mut self.write_starts, &mut self.writes);
    }

    /// Finds the writer of each read, key by key.
    fn resolve(&mut self, versions: &Keyed<Version>) {
        let mut positions: Vec<(u32, u32)> = Vec::with_capacity(self.reads.len());
        let numbered = self.reads.iter().enumerate();
        positions.extend(numbered.map(|(at, read)| (read.key, at as u32)));
        let reads = Keyed::new(self.table.keys(), &positions);
        drop(positions);
        let reader = self.readers();
        let mut observed = vec![false; self.rows.len()];
        // For each value the key that it was last looked up for, and its first final writer.
        let mut first = vec![(NONE, NONE); self.table.values()];
        let mut dead: Vec<bool> = vec![false; self.reads.len()];
        for key in 0..self.table.keys() {
            let of_key = versions.of(key);
            let several = note_writers(key as u32, of_key, &mut first);
            let finals = if several { finals(of_key) } else { Vec::new() };
            for at in reads.of(key) {
                let read = self.reads[*at as usize];
                let (value, node) = (ValueId(read.source), reader[*at as usize]);
                let (known, writer) = first[value.0 as usize];
                let source = match value {
                    ValueId::NIL => Some(INITIAL),
                    _ if several => self.search(node, value, &finals),
                    _ => Some(writer).filter(|writer| known == key as u32 && *writer != node),
                };
                if let Some(source) = source {
                    self.reads[*at as usize].source = source;
                    self.observe(source, &mut observed);
                } else {
                    dead[*at as usize] = true;
                    self.flaw_source(
                        node,
                        read.op as usize,
                        of_key.iter().filter_map(|v| {
                            (v.value == value).then_some((v.node != NONE, v.row, v.last))
                        }),
                    );
                }
            }
        }
        self.leave_out(&dead, &observed);
    }

    /// The reader of each read.
    fn readers(&self) -> Vec<Node> {
        let mut readers = Vec::with_capacity(self.reads.len());
        for node in 0..self.len() as Node {
            readers.resize(self.read_starts[node as usize + 1] as usize, node);
        }
        readers
    }

    /// The source of a read among the final writes of its key, by value.
    fn search(&mut self, reader: Node, value: ValueId, finals: &[(ValueId, Node)]) -> Option<u32> {
        let begin = finals.partition_point(|(other, _)| *other < value);
        let same = finals[begin..].iter().take_while(|(other, _)| *other == value);
        let found = same.map(|(_, node)| *node).filter(|node| *node != reader);
        let found: Vec<Node> = found.collect();
        match found[..] {
            [] => None,
            [only] => Some(only),
            _ => {
                self.candidates.push(found);
                Some(AMBIGUOUS | (self.candidates.len() - 1) as u32)
            }
        }
    }

    fn observe(&self, source: u32, observed: &mut [bool]) {
        if source & AMBIGUOUS == 0 {
            observed[source as usize] = true;
            return;
        }
        for node in &self.candidates[(source & !AMBIGUOUS) as usize] {
            observed[*node as usize] = true;
        }
    }

    /// Takes out reads without a writer (`dead`, empty where there is none), and the writes of
    /// transactions that perhaps never committed and that nobody saw.
    fn leave_out(&mut self, dead: &[bool], observed: &[bool]) {
        let (mut reads, mut writes) = (0, 0);
        let (mut read, mut write) = (0, 0);
        for (node, seen) in observed.iter().enumerate().take(self.len()).skip(1) {
            let sure = self.table.txn(self.rows[node]).outcome == Outcome::Ok;
            let read_end = self.read_starts[node + 1] as usize;
            for at in read..read_end {
                if !dead.get(at).copied().unwrap_or(false) {
                    self.reads[reads] = self.reads[at];
                    reads += 1;
                }
            }
            let write_end = self.write_starts[node + 1] as usize;
            if sure || *seen {
                self.writes.copy_within(write..write_end, writes);
                writes += write_end - write;
            }
            (read, write) = (read_end, write_end);
            self.read_starts[node + 1] = reads as u32;
            self.write_starts[node + 1] = writes as u32;
        }
        self.reads.truncate(reads);
        self.writes.truncate(writes);
    }

    /// Who writes each key.
    pub(super) fn writer_index(&self) -> (Vec<u32>, Vec<Node>) {
        let mut pairs = Vec::with_capacity(self.writes.len());
        for node in 1..self.len() as Node {
            pairs.extend(self.writes(node).iter().map(|write| (write.key, node)));
        }
        let keyed = Keyed::new(self.table.keys(), &pairs);
        (keyed.starts, keyed.items)
    }
}

/// Puts items that stand in the order of the table into that of nodes. What stands behind each
/// node in `starts` is at first how many it has, and then where the next one's begin.
fn sort_by_node<T: Copy>(by_row: &[Node], starts: &mut [u32], items: &mut Vec<T>) {
    let counts = starts.to_vec();
    for node in 1..starts.len() {
        starts[node] += starts[node - 1];
    }
    let Some(first) = items.first() else { return };
    let mut sorted = vec![*first; items.len()];
    let mut rest = items.as_slice();
    for node in by_row {
        let (own, others) = rest.split_at(counts[*node as usize + 1] as usize);
        let begin = starts[*node as usize] as usize;
        sorted[begin..begin + own.len()].copy_from_slice(own);
        rest = others;
    }
    *items = sorted;
}

/// Notes the writer of each value of a key; whether some value has several.
fn note_writers(key: u32, versions: &[Version], first: &mut [(u32, Node)]) -> bool {
    let mut several = false;
    for version in versions.iter().filter(|version| version.last && version.node != NONE) {
        let slot = &mut first[version.value.0 as usize];
        several |= slot.0 == key;
        *slot = (key, version.node);
    }
    several
}

/// The final writes of a key by those who may have committed, by value and node.
fn finals(versions: &[Version]) -> Vec<(ValueId, Node)> {
    let visible = versions.iter().filter(|version| version.last && version.node != NONE);
    let mut finals: Vec<(ValueId, Node)> = visible.map(|v| (v.value, v.node)).collect();
    finals.sort_unstable();
    finals.dedup();
    finals
}

/// Gives each write with its key, value and position.
fn each_write(ops: &[MicroOp], mut take: impl FnMut(u32, ValueId, u32)) {
    for (position, op) in ops.iter().enumerate() {
        if let Action::Write(value) = op.action {
            take(op.key.0, value, position as u32);
        }
    }
}
