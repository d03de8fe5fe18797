//! The edges of causal consistency.
//!
//! What a transaction sees of each session is a prefix, so a clock per transaction says all: how
//! many transactions of each session are in its past. A read of x from t1 needs an edge from the
//! last writer of x in that prefix, for each session; earlier writers come before that one.
//!
//! Clocks are made for a block of sessions at a time, so that memory does not grow with their
//! number. Within a block the work goes key by key: the readers of one session see longer and
//! longer prefixes, so one pointer a writing session moves through its writers, and everything
//! that is touched lies close together. An edge that session order and reads-from imply is not
//! given: in most histories that leaves few.

use super::infer::Edge;
use crate::transactions::registers::{INITIAL, KeyedReads, Node, Registers};

/// Sessions whose clocks are made at once.
pub(crate) const BLOCK: usize = 64;

/// For each node how many transactions of each session of a block are in its past.
pub(crate) struct Clocks {
    first: usize,
    width: usize,
    counts: Vec<u32>,
}

impl Clocks {
    /// The clocks of `width` sessions from `first`; `order` has each node behind what it read
    /// from and behind those before it in its session.
    pub(crate) fn new(
        registers: &Registers<'_>,
        order: &[Node],
        first: usize,
        width: usize,
    ) -> Clocks {
        let mut clocks = Clocks { first, width, counts: vec![0; registers.len() * width] };
        for node in order.iter().copied().filter(|node| *node != INITIAL) {
            if let Some(before) = registers.before(node) {
                clocks.join(registers, node, before);
            }
            let mut last = INITIAL;
            for read in registers.reads(node) {
                let Some(writer) = read.writer().filter(|writer| *writer != last) else { continue };
                clocks.join(registers, node, writer);
                last = writer;
            }
        }
        clocks
    }

    /// How much of each session of the block is in the past of a node.
    pub(crate) fn of(&self, node: Node) -> &[u32] {
        &self.counts[node as usize * self.width..(node as usize + 1) * self.width]
    }

    /// Puts `past` and its past into that of `node`.
    fn join(&mut self, registers: &Registers<'_>, node: Node, past: Node) {
        if past == INITIAL {
            return;
        }
        let (to, from) = (node as usize * self.width, past as usize * self.width);
        let (low, high) = self.counts.split_at_mut(to.max(from));
        let (target, source) = if to < from {
            (&mut low[to..to + self.width], &high[..self.width])
        } else {
            (&mut high[..self.width], &low[from..from + self.width])
        };
        for (target, source) in target.iter_mut().zip(source) {
            *target = (*target).max(*source);
        }
        let session = registers.session(past) as usize;
        if let Some(slot) = session.checked_sub(self.first).and_then(|slot| target.get_mut(slot)) {
            *slot = (*slot).max(registers.position(past) + 1);
        }
    }
}

/// The writers of a key in one session: which, and the one behind the last that is seen.
struct Stretch {
    /// The session, as its place in the block.
    slot: usize,
    first_node: Node,
    begin: usize,
    end: usize,
    next: usize,
}

pub(super) fn infer(registers: &Registers<'_>, order: &[Node], add: &mut impl FnMut(Edge)) {
    let reads = registers.reads_by_key();
    let mut stretches = Vec::new();
    for first in (1..registers.sessions()).step_by(BLOCK) {
        let width = BLOCK.min(registers.sessions() - first);
        let clocks = Clocks::new(registers, order, first, width);
        for key in 0..registers.keys() as u32 {
            if reads.of(key).is_empty() {
                continue;
            }
            cut(registers, key, &clocks, &mut stretches);
            of_key(registers, key, &reads, &clocks, &mut stretches, add);
        }
    }
}

/// The writers of a key, session by session, as far as they are in the block.
fn cut(registers: &Registers<'_>, key: u32, clocks: &Clocks, stretches: &mut Vec<Stretch>) {
    stretches.clear();
    let writers = registers.writers(key);
    let mut at = 0;
    while at < writers.len() {
        let session = registers.session(writers[at]);
        let nodes = registers.session_nodes(session);
        let length = writers[at..].iter().take_while(|writer| **writer < nodes.end).count();
        let end = at + length;
        if let Some(slot) =
            (session as usize).checked_sub(clocks.first).filter(|slot| *slot < clocks.width)
        {
            stretches.push(Stretch { slot, first_node: nodes.start, begin: at, end, next: at });
        }
        at = end;
    }
}

fn of_key(
    registers: &Registers<'_>,
    key: u32,
    reads: &KeyedReads,
    clocks: &Clocks,
    stretches: &mut [Stretch],
    add: &mut impl FnMut(Edge),
) {
    let writers = registers.writers(key);
    let mut session_end = 0;
    for read in reads.of(key) {
        let (reader, Some(to)) = (read.reader, read.writer()) else { continue };
        if reader >= session_end {
            session_end = registers.session_nodes(registers.session(reader)).end;
            for stretch in stretches.iter_mut() {
                stretch.next = stretch.begin;
            }
        }
        let seen = clocks.of(reader);
        let known = clocks.of(to);
        for stretch in stretches.iter_mut() {
            let visible = stretch.first_node + seen[stretch.slot];
            while stretch.next < stretch.end && writers[stretch.next] < visible {
                stretch.next += 1;
            }
            if stretch.next == stretch.begin {
                continue;
            }
            let from = writers[stretch.next - 1];
            let implied = from - stretch.first_node < known[stretch.slot];
            if from != to && !implied {
                add(Edge { from, to, reader, key });
            }
        }
    }
}
