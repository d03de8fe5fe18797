//! Causal consistency, and causal convergence.
//!
//! Both look at the causal order alone: what each process did in its order, and each read behind
//! the write that it saw. A read of `x` from `w1` with another write `w2` of `x` in its past is
//!
//! * no causal consistency if `w1` comes causally before `w2` (the pattern `WriteCORead`; with
//!   the initial value for `w1`, `WriteCOInitRead`);
//! * otherwise a demand that `w2` comes before `w1` for everybody; causal convergence holds
//!   exactly if these demands and the causal order have no circle (`CyclicCF`).
//!
//! Of each session only the last such `w2` matters, as in AWDIT (PLDI 2025), so both cost
//! O(n · sessions).

use super::grounds::Grounds;
use super::{Broken, Found, Model};
use crate::transactions::registers::{INITIAL, Node, Registers};
use crate::transactions::weak::{BLOCK, Clocks, Collected, Edge, Graph, Level, infer};
use std::collections::BTreeSet;

/// What a read demands of two writes.
fn demands(registers: &Registers<'_>, order: &[Node], mut take: impl FnMut(Edge)) {
    infer(registers, Level::Causal, order, &mut take);
}

/// Causal consistency; `order` keeps the causal order.
pub(super) fn consistent(registers: &Registers<'_>, order: &[Node]) -> Found {
    let mut collected = Collected::default();
    let mut initial = false;
    demands(registers, order, |edge| match edge.to {
        INITIAL => initial = true,
        _ => collected.add(edge),
    });
    let mut pairs = collected.edges();
    pairs.sort_unstable();
    pairs.dedup();
    let broken = overwritten(registers, order, &pairs);
    if !initial && broken.is_empty() {
        return Found::holds();
    }
    let (mut readers, mut first) = (BTreeSet::new(), None::<Edge>);
    demands(registers, order, |edge| {
        let pair = u64::from(edge.to) << 32 | u64::from(edge.from);
        if edge.to == INITIAL || broken.binary_search(&pair).is_ok() {
            readers.insert(edge.reader);
            if first.is_none_or(|first| edge.reader < first.reader) {
                first = Some(edge);
            }
        }
    });
    let mut grounds = Grounds::default();
    if let Some(edge) = first {
        let graph = Graph::new(registers, &[]);
        grounds.causal(&graph, edge.to, edge.from);
        grounds.causal(&graph, edge.from, edge.reader);
    }
    Found::broken(Broken { violations: readers.len() as u64, grounds: grounds.nodes })
}

/// The pairs, sorted and each `to << 32 | from`, whose `to` comes causally before its `from`.
fn overwritten(registers: &Registers<'_>, order: &[Node], pairs: &[u64]) -> Vec<u64> {
    let mut found = Vec::new();
    for first in (1..registers.sessions()).step_by(BLOCK) {
        let width = BLOCK.min(registers.sessions() - first);
        let inside = |pair: &u64| {
            let session = registers.session((pair >> 32) as Node) as usize;
            session.checked_sub(first).filter(|slot| *slot < width)
        };
        if pairs.iter().all(|pair| inside(pair).is_none()) {
            continue;
        }
        let clocks = Clocks::new(registers, order, first, width);
        let behind = pairs.iter().filter(|pair| {
            inside(pair).is_some_and(|slot| {
                clocks.of(**pair as Node)[slot] > registers.position((**pair >> 32) as Node)
            })
        });
        found.extend(behind);
    }
    found.sort_unstable();
    found
}

/// Causal convergence; `order` keeps the causal order.
pub(super) fn convergent(registers: &Registers<'_>, order: &[Node]) -> Found {
    let mut collected = Collected::default();
    demands(registers, order, |edge| collected.add(edge));
    let graph = Graph::new(registers, &collected.edges());
    let Err(circle) = graph.order() else { return Found::holds() };
    let circle = graph.shorten(circle);
    let mut grounds = Grounds::default();
    grounds.nodes.extend(circle.iter().copied().filter(|node| *node != INITIAL));
    let next = circle.iter().skip(1).chain(circle.first());
    let steps: BTreeSet<(Node, Node)> = circle.iter().copied().zip(next.copied()).collect();
    let mut told = BTreeSet::new();
    let mut readers = Vec::new();
    let components = graph.components();
    let mut keys = BTreeSet::new();
    demands(registers, order, |edge| {
        if components.same(edge.from, edge.to) {
            keys.insert(edge.key);
        }
        if steps.contains(&(edge.from, edge.to)) && told.insert((edge.from, edge.to)) {
            readers.push(edge);
        }
    });
    let base = Graph::new(registers, &[]);
    for edge in readers {
        grounds.causal(&base, edge.from, edge.reader);
    }
    Found::broken(Broken { violations: keys.len() as u64, grounds: grounds.nodes })
}

/// What a circle of the causal order itself breaks: there are reads of what they caused.
pub(super) fn circular(registers: &Registers<'_>, circle: Vec<Node>, model: Model) -> Broken {
    let graph = Graph::new(registers, &[]);
    let components = graph.components();
    let mut broken = BTreeSet::new();
    for reader in 1..registers.len() as Node {
        for read in registers.reads(reader) {
            let inside = |writer: Node| components.same(writer, reader);
            if read.writer().is_some_and(inside) {
                broken.insert(match model {
                    Model::Causal => reader,
                    Model::CausalMemory => registers.session(reader),
                    _ => read.key,
                });
            }
        }
    }
    let grounds = graph.shorten(circle).into_iter().collect();
    Broken { violations: broken.len() as u64, grounds }
}
