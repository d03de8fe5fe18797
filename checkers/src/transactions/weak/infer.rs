//! The edges that a level adds: t2 before t1, since t3 sees t2 and yet reads x from t1.

use super::{Level, causal};
use crate::transactions::registers::{INITIAL, Node, Registers};

/// `from` must come before `to`, because `reader` sees `from`, which writes `key`, and reads
/// that key from `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: Node,
    pub(crate) to: Node,
    pub(crate) reader: Node,
    pub(crate) key: u32,
}

/// Doubled edges are taken out whenever so many came since.
const BATCH: usize = 1 << 22;

/// Edges without their reasons.
#[derive(Default)]
pub(crate) struct Collected {
    edges: Vec<u64>,
    clean: usize,
}

impl Collected {
    pub(crate) fn add(&mut self, edge: Edge) {
        self.edges.push(u64::from(edge.to) << 32 | u64::from(edge.from));
        if self.edges.len() >= self.clean + BATCH {
            self.edges.sort_unstable();
            self.edges.dedup();
            self.clean = self.edges.len();
        }
    }

    pub(crate) fn edges(self) -> Vec<u64> {
        self.edges
    }
}

/// Gives edges that, with session order and reads-from, have a cycle exactly if the level is
/// broken. `order` is an order of all nodes by session order and reads-from.
pub(crate) fn infer(
    registers: &Registers<'_>,
    level: Level,
    order: &[Node],
    add: &mut impl FnMut(Edge),
) {
    match level {
        Level::ReadCommitted => ReadCommitted::new(registers).infer(add),
        Level::ReadAtomic => read_atomic(registers, add),
        Level::Causal => causal::infer(registers, order, add),
    }
}

/// For each key who is read from next, seen from some read of a transaction, and who after that.
#[derive(Clone, Copy)]
struct Next {
    reader: Node,
    first: Node,
    second: Node,
}

const NOBODY: Node = Node::MAX;

struct ReadCommitted<'r, 't> {
    registers: &'r Registers<'t>,
    next: Vec<Next>,
    /// The keys of `next` that belong to the transaction at hand.
    keys: Vec<u32>,
    /// For each node the last transaction that was found to read from it.
    read_by: Vec<Node>,
    /// Whether a read is the first from its writer, in the transaction at hand.
    first: Vec<bool>,
}

impl<'r, 't> ReadCommitted<'r, 't> {
    fn new(registers: &'r Registers<'t>) -> Self {
        let none = Next { reader: NOBODY, first: NOBODY, second: NOBODY };
        ReadCommitted {
            registers,
            next: vec![none; registers.keys()],
            keys: Vec::new(),
            read_by: vec![NOBODY; registers.len()],
            first: Vec::new(),
        }
    }

    fn infer(&mut self, add: &mut impl FnMut(Edge)) {
        for reader in self.registers.by_row().iter().copied() {
            let reads = self.registers.reads(reader);
            if reads.len() < 2 {
                continue;
            }
            self.keys.clear();
            self.first.clear();
            for read in reads {
                let writer = read.writer();
                let new = writer.is_some_and(|w| self.read_by[w as usize] != reader);
                self.first.push(new);
                if let Some(writer) = writer {
                    self.read_by[writer as usize] = reader;
                }
            }
            // Backwards, so that `next` tells of the reads behind the one at hand.
            for (position, read) in reads.iter().enumerate().rev() {
                let Some(writer) = read.writer() else { continue };
                if self.first[position] && writer != INITIAL {
                    self.later_reads(reader, writer, add);
                }
                self.note(reader, read.key, writer);
            }
        }
    }

    /// Edges from a writer that `reader` has seen to those that it reads from later, on keys
    /// that both write.
    fn later_reads(&self, reader: Node, writer: Node, add: &mut impl FnMut(Edge)) {
        if self.keys.is_empty() {
            return;
        }
        let writes = self.registers.writes(writer);
        let mut meet = |key: u32| {
            let next = self.next[key as usize];
            if next.reader != reader {
                return;
            }
            let to = if next.first == writer { next.second } else { next.first };
            if to != NOBODY {
                add(Edge { from: writer, to, reader, key });
            }
        };
        if writes.len() <= self.keys.len() {
            for write in writes {
                meet(write.key);
            }
        } else {
            for key in &self.keys {
                if self.registers.writes_key(writer, *key) {
                    meet(*key);
                }
            }
        }
    }

    fn note(&mut self, reader: Node, key: u32, writer: Node) {
        let next = &mut self.next[key as usize];
        if next.reader != reader {
            *next = Next { reader, first: writer, second: NOBODY };
            self.keys.push(key);
        } else if next.first != writer {
            (next.first, next.second) = (writer, next.first);
        }
    }
}

/// Whom the transaction at hand reads each key from, and who wrote each key last in its session.
fn read_atomic(registers: &Registers<'_>, add: &mut impl FnMut(Edge)) {
    let mut source = vec![(NOBODY, NOBODY); registers.keys()];
    let mut last_write = vec![(u32::MAX, NOBODY); registers.keys()];
    let mut read_by = vec![NOBODY; registers.len()];
    for reader in 1..registers.len() as Node {
        let session = registers.session(reader);
        let reads = registers.reads(reader);
        for read in reads {
            let Some(writer) = read.writer() else { continue };
            source[read.key as usize] = (reader, writer);
            let (of, from) = last_write[read.key as usize];
            if of == session && from != writer {
                add(Edge { from, to: writer, reader, key: read.key });
            }
        }
        for seen in reads.iter().filter_map(|read| read.writer()) {
            if seen == INITIAL || std::mem::replace(&mut read_by[seen as usize], reader) == reader {
                continue;
            }
            let mut meet = |key: u32| {
                let (of, to) = source[key as usize];
                if of == reader && to != seen {
                    add(Edge { from: seen, to, reader, key });
                }
            };
            let writes = registers.writes(seen);
            if writes.len() <= reads.len() {
                for write in writes {
                    meet(write.key);
                }
            } else {
                let common = reads.iter().filter(|read| registers.writes_key(seen, read.key));
                common.for_each(|read| meet(read.key));
            }
        }
        for write in registers.writes(reader) {
            last_write[write.key as usize] = (session, reader);
        }
    }
}
