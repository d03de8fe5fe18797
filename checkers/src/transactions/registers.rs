//! What transactions over registers read from each other, on compact arrays.
//!
//! Black-box checkers know no order of versions: all that a history tells them is which
//! transaction wrote the value that another one read. [`Registers`] holds just that. Node 0 is
//! an imagined transaction that wrote every initial value before everything else; the others are
//! the transactions that committed, numbered session by session, so that the nodes of a session
//! are a range and its order is that of numbers.
//!
//! A transaction of which nobody knows whether it committed takes part if some read can have
//! seen its value, else it is left out: nothing else in a history can depend on it, and it could
//! always come last. What it read itself is not known and counts for nothing.
//!
//! While building, everything is found that is wrong without any order: values that nobody
//! wrote, that only an aborted transaction wrote, that were overwritten in the same transaction,
//! and reads that disagree with their own transaction. Linear in the history; about 40 bytes a
//! micro-operation.

mod build;
mod words;

pub use words::{CHECKER, CycleStep};

use super::{KeyId, Table, TxnId, ValueId};
use crate::verdict::Anomaly;
use std::sync::OnceLock;

/// A transaction that takes part; 0 stands for the initial state.
pub type Node = u32;

/// The imagined transaction that wrote all initial values.
pub const INITIAL: Node = 0;

/// The source of a read that several transactions can have written.
pub(super) const AMBIGUOUS: u32 = 1 << 31;

/// A read of what another transaction wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The key.
    pub key: u32,
    /// The writer, or the position in [`Registers::candidates`] where there are several.
    pub(super) source: u32,
    /// Its place among all micro-operations of the table.
    pub(super) op: u32,
}

impl Read {
    /// The transaction that was read from, where only one can have been.
    pub fn writer(self) -> Option<Node> {
        (self.source & AMBIGUOUS == 0).then_some(self.source)
    }

    /// Which candidates the read has, where there are several.
    pub(super) fn choice(self) -> Option<usize> {
        (self.source & AMBIGUOUS != 0).then_some((self.source & !AMBIGUOUS) as usize)
    }
}

/// A write that its transaction did not overwrite itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    /// The key.
    pub key: u32,
    /// The value.
    pub value: ValueId,
}

/// Something wrong that no order of transactions explains.
#[derive(Clone, Debug)]
pub struct Flaw {
    /// What happened.
    pub anomaly: Anomaly,
    /// Whether read committed allows it: reads that differ within a transaction.
    pub read_committed_allows: bool,
}

/// The transactions that committed, with what they read and wrote.
#[derive(Debug)]
pub struct Registers<'t> {
    table: &'t Table,
    /// The row of each node; that of node 0 means nothing.
    rows: Vec<TxnId>,
    /// All nodes but the first, by their rows.
    by_row: Vec<Node>,
    /// Where the nodes of each session begin, and the end of the last. Session 0 is node 0.
    session_starts: Vec<u32>,
    sessions: Vec<u32>,
    reads: Vec<Read>,
    read_starts: Vec<u32>,
    writes: Vec<Write>,
    write_starts: Vec<u32>,
    /// For each key the nodes that write it, ascending; made when somebody asks.
    writers: OnceLock<(Vec<u32>, Vec<Node>)>,
    /// For each ambiguous read who can have written what it saw, ascending.
    candidates: Vec<Vec<Node>>,
    flaws: Vec<Flaw>,
    /// How many reads disagree with something and were left out.
    flawed: usize,
}

impl<'t> Registers<'t> {
    /// The table that this was made of.
    pub fn table(&self) -> &'t Table {
        self.table
    }

    /// How many nodes there are, the initial one included.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no transaction takes part.
    pub fn is_empty(&self) -> bool {
        self.len() == 1
    }

    /// How many sessions there are; the first holds the initial node alone.
    pub fn sessions(&self) -> usize {
        self.session_starts.len() - 1
    }

    /// The session of a node.
    pub fn session(&self, node: Node) -> u32 {
        self.sessions[node as usize]
    }

    /// The nodes of a session, in its order.
    pub fn session_nodes(&self, session: u32) -> std::ops::Range<Node> {
        self.session_starts[session as usize]..self.session_starts[session as usize + 1]
    }

    /// How many nodes of its session come before a node.
    pub fn position(&self, node: Node) -> u32 {
        node - self.session_starts[self.session(node) as usize]
    }

    /// The transaction before this one in its session; the initial state before the first.
    pub fn before(&self, node: Node) -> Option<Node> {
        match node {
            INITIAL => None,
            _ if self.position(node) == 0 => Some(INITIAL),
            _ => Some(node - 1),
        }
    }

    /// What a node read from others, in its order.
    pub fn reads(&self, node: Node) -> &[Read] {
        &self.reads
            [self.read_starts[node as usize] as usize..self.read_starts[node as usize + 1] as usize]
    }

    /// What a node wrote at last, by key.
    pub fn writes(&self, node: Node) -> &[Write] {
        &self.writes[self.write_starts[node as usize] as usize
            ..self.write_starts[node as usize + 1] as usize]
    }

    /// The place of a node's write to a key among all writes; the initial ones stand behind
    /// those of transactions, one a key.
    pub(super) fn slot(&self, node: Node, key: u32) -> Option<usize> {
        if node == INITIAL {
            return Some(self.writes.len() + key as usize);
        }
        let found = self.writes(node).binary_search_by_key(&key, |write| write.key).ok()?;
        Some(self.write_starts[node as usize] as usize + found)
    }

    /// How many slots there are.
    pub(super) fn slots(&self) -> usize {
        self.writes.len() + self.keys()
    }

    /// Whether a node writes a key.
    pub fn writes_key(&self, node: Node, key: u32) -> bool {
        node == INITIAL || self.writes(node).binary_search_by_key(&key, |write| write.key).is_ok()
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.table.keys()
    }

    /// Who writes a key, ascending and so session by session; without the initial node.
    pub fn writers(&self, key: u32) -> &[Node] {
        let (starts, nodes) = self.writers.get_or_init(|| self.writer_index());
        &nodes[starts[key as usize] as usize..starts[key as usize + 1] as usize]
    }

    /// Who can have written what an ambiguous read saw.
    pub fn candidates(&self) -> &[Vec<Node>] {
        &self.candidates
    }

    /// What is wrong whatever the order.
    pub fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }

    /// How many flaws there are, those included that are not told one by one.
    pub fn flawed(&self) -> usize {
        self.flawed
    }

    /// The row of a node other than the initial one.
    pub fn row(&self, node: Node) -> TxnId {
        self.rows[node as usize]
    }

    /// All nodes but the initial one in the order of the table. Where that is the order of a
    /// recorder, what goes along it finds most of what it looks up in the processor's cache.
    pub(super) fn by_row(&self) -> &[Node] {
        &self.by_row
    }

    /// All reads, key by key.
    pub(super) fn reads_by_key(&self) -> KeyedReads {
        KeyedReads::new(self)
    }

    pub(super) fn key_id(key: u32) -> KeyId {
        KeyId(key)
    }
}

/// A read, with the one who read.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyedRead {
    pub(super) reader: Node,
    source: u32,
}

impl KeyedRead {
    /// The transaction that was read from, where only one can have been.
    pub(super) fn writer(self) -> Option<Node> {
        (self.source & AMBIGUOUS == 0).then_some(self.source)
    }
}

/// All reads, key by key, by reader within a key.
#[derive(Debug)]
pub(super) struct KeyedReads {
    starts: Vec<u32>,
    reads: Vec<KeyedRead>,
}

impl KeyedReads {
    fn new(registers: &Registers<'_>) -> KeyedReads {
        let mut starts = vec![0_u32; registers.keys() + 1];
        for read in &registers.reads {
            starts[read.key as usize + 1] += 1;
        }
        for key in 1..starts.len() {
            starts[key] += starts[key - 1];
        }
        let mut next = starts.clone();
        let mut reads = vec![KeyedRead { reader: 0, source: 0 }; registers.reads.len()];
        for reader in 0..registers.len() as Node {
            for read in registers.reads(reader) {
                let slot = &mut next[read.key as usize];
                reads[*slot as usize] = KeyedRead { reader, source: read.source };
                *slot += 1;
            }
        }
        KeyedReads { starts, reads }
    }

    pub(super) fn of(&self, key: u32) -> &[KeyedRead] {
        &self.reads[self.starts[key as usize] as usize..self.starts[key as usize + 1] as usize]
    }
}
