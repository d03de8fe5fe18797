//! Which transaction must come before which: session order, reads-from, and edges inferred.
//!
//! Edges are kept by their end, as sessions and reads are; a search goes backwards. It keeps its
//! own stack, since histories are longer than a thread's.

use crate::transactions::registers::{INITIAL, Node, Registers};
use crate::transactions::scc::{Components, components_of};
use std::iter;

/// Cycles are shortened from at most so many of their nodes.
const TRIES_MAX: usize = 64;

/// The graph.
pub(crate) struct Graph<'r, 't> {
    registers: &'r Registers<'t>,
    /// Where the inferred edges into each node begin, and the end of the last.
    starts: Vec<u32>,
    sources: Vec<Node>,
}

const NEW: u8 = 0;
/// On the way to the node at hand.
const OPEN: u8 = 1;
const DONE: u8 = 2;

impl<'r, 't> Graph<'r, 't> {
    /// The graph with `inferred` edges, each `to << 32 | from`.
    pub(crate) fn new(registers: &'r Registers<'t>, inferred: &[u64]) -> Graph<'r, 't> {
        let mut starts = vec![0_u32; registers.len() + 1];
        for edge in inferred {
            starts[(edge >> 32) as usize + 1] += 1;
        }
        for node in 0..registers.len() {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut sources = vec![0; inferred.len()];
        for edge in inferred {
            let slot = &mut next[(edge >> 32) as usize];
            sources[*slot as usize] = *edge as Node;
            *slot += 1;
        }
        Graph { registers, starts, sources }
    }

    /// The predecessor of a node with this number; nothing behind the last.
    fn before(&self, node: Node, number: usize) -> Option<Node> {
        let inferred = |number: usize| {
            let at = self.starts[node as usize] as usize + number;
            (at < self.starts[node as usize + 1] as usize).then(|| self.sources[at])
        };
        if node == INITIAL {
            return inferred(number);
        }
        if number == 0 {
            return self.registers.before(node);
        }
        let reads = self.registers.reads(node);
        match reads.get(number - 1) {
            Some(read) => Some(read.writer().unwrap_or(INITIAL)),
            None => inferred(number - 1 - reads.len()),
        }
    }

    /// The first predecessor of a node, from this number on, that is not `done`, with its number.
    /// Most are done: what this looks at stands close together.
    fn first_before(
        &self,
        node: Node,
        number: u32,
        done: impl Fn(Node) -> bool,
    ) -> Option<(u32, Node)> {
        let mut from = number as usize;
        if from == 0
            && let Some(before) = self.registers.before(node).filter(|before| !done(*before))
        {
            return Some((0, before));
        }
        let mut passed = 0;
        if node != INITIAL {
            let reads = self.registers.reads(node);
            from = from.max(1);
            let rest = reads.iter().map(|read| read.writer().unwrap_or(INITIAL)).enumerate();
            if let Some((at, before)) = rest.skip(from - 1).find(|(_, before)| !done(*before)) {
                return Some((at as u32 + 1, before));
            }
            passed = reads.len() + 1;
        }
        let (begin, end) = (self.starts[node as usize], self.starts[node as usize + 1]);
        let inferred = self.sources[begin as usize..end as usize].iter().enumerate();
        let mut rest = inferred.skip(from.saturating_sub(passed));
        let (at, before) = rest.find(|(_, before)| !done(**before))?;
        Some(((at + passed) as u32, *before))
    }

    /// All nodes so that each comes behind its predecessors; or a cycle, each node before the
    /// next and the last before the first.
    pub(crate) fn order(&self) -> Result<Vec<Node>, Vec<Node>> {
        let count = self.registers.len();
        let mut order = Vec::with_capacity(count);
        let mut state = vec![NEW; count];
        let mut stack: Vec<(Node, u32)> = Vec::new();
        for root in iter::once(INITIAL).chain(self.registers.by_row().iter().copied()) {
            if state[root as usize] != NEW {
                continue;
            }
            stack.push((root, 0));
            state[root as usize] = OPEN;
            while let Some((node, number)) = stack.last_mut() {
                let done = |before: Node| state[before as usize] == DONE;
                let Some((at, next)) = self.first_before(*node, *number, done) else {
                    state[*node as usize] = DONE;
                    order.push(*node);
                    stack.pop();
                    continue;
                };
                *number = at + 1;
                if state[next as usize] == OPEN {
                    let path = stack.iter().map(|(node, _)| *node);
                    let mut cycle: Vec<Node> = path.skip_while(|node| *node != next).collect();
                    cycle.reverse();
                    return Err(cycle);
                }
                state[next as usize] = OPEN;
                stack.push((next, 0));
            }
        }
        Ok(order)
    }

    /// Which nodes lie on circles with each other.
    pub(crate) fn components(&self) -> Components {
        components_of(self.registers.len(), |node, number| {
            self.before(node, number as usize).map(Some)
        })
    }

    /// A shortest cycle through some node of `cycle`.
    pub(crate) fn shorten(&self, cycle: Vec<Node>) -> Vec<Node> {
        let mut best = cycle.clone();
        for node in cycle.into_iter().take(TRIES_MAX) {
            if let Some(found) = self.path(node, node, best.len())
                && found.len() < best.len()
            {
                best = found;
            }
        }
        best
    }

    /// A shortest way from `from` to `to` of fewer than `limit` nodes: `from` and those between.
    pub(crate) fn path(&self, from: Node, to: Node, limit: usize) -> Option<Vec<Node>> {
        const UNSEEN: u32 = u32::MAX;
        let mut next = vec![UNSEEN; self.registers.len()];
        let mut layer = vec![to];
        for _ in 0..limit {
            let mut reached = Vec::new();
            for node in layer {
                for number in 0.. {
                    let Some(before) = self.before(node, number) else { break };
                    if next[before as usize] != UNSEEN {
                        continue;
                    }
                    next[before as usize] = node;
                    if before == from {
                        return Some(follow(&next, from, to));
                    }
                    reached.push(before);
                }
            }
            if reached.is_empty() {
                return None;
            }
            layer = reached;
        }
        None
    }
}

fn follow(next: &[Node], from: Node, to: Node) -> Vec<Node> {
    let mut path = vec![from];
    let mut node = next[from as usize];
    while node != to {
        path.push(node);
        node = next[node as usize];
    }
    path
}
