//! One component: a short cycle of each kind that it holds.
//!
//! For each kind the edges that such a cycle needs are known: those of one reason whose ends lie
//! in one component of the edges allowed. A shortest way back from one of them is a cycle. All
//! of them are tried with ways of one edge, then two, then three, within a budget; if none is
//! found so, a few are tried to the end, the first of them always.

use super::single::{self, Closing};
use super::walk::{Rules, Walker};
use super::{Cycle, Found, Level, Part, Shape, classify};
use crate::transactions::graph::{Arc, Graph, Reasons, Why};
use crate::transactions::kind::{AnomalyKind, KindSet};
use crate::transactions::scc::components;

/// Edges that may be looked at for a shorter cycle: this many and thrice the component.
const SHORTENING_STEPS: u64 = 100_000;

const WRITES: Reasons = Reasons::NONE.with(Why::Ww);
const DATA: Reasons = WRITES.with(Why::Wr);

/// Adds a cycle of each kind in `part` that is implied by no other one found there.
pub(super) fn hunt(part: &Part, levels: &[Level], steps: &mut u64, found: &mut Found) {
    let mut known = KindSet::EMPTY;
    for level in levels {
        for shape in [Shape::G0, Shape::G1c, Shape::Single, Shape::Nonadjacent, Shape::G2] {
            if known.contains(shape.kind(*level)) {
                continue;
            }
            let mut note = |cycle: Cycle| {
                if !known.contains(cycle.kind) {
                    known = known.or(cycle.kind.implies());
                    found.cycles.push(cycle);
                }
            };
            match look(part, shape, *level, steps) {
                Looked::Found(cycle) => note(cycle),
                Looked::Nothing => {}
                Looked::GaveUp => found.gave_up = true,
                // A walk that is no simple cycle may pass one of these twice: then they say it.
                Looked::Unshown(_) if known.contains(Shape::G1c.kind(*level)) => {}
                Looked::Unshown(kind) => found.unshown = found.unshown.with(kind),
            }
        }
    }
}

enum Looked {
    Found(Cycle),
    Nothing,
    GaveUp,
    /// A cycle exists that forbids a model, but none was shown.
    Unshown(AnomalyKind),
}

fn look(part: &Part, shape: Shape, level: Level, steps: &mut u64) -> Looked {
    let order = level.reasons();
    let within = |why: Why, reasons: Reasons| -> Vec<(u32, Arc)> {
        let split = components(&part.graph, reasons);
        let inside = |(source, arc): &(u32, Arc)| {
            split.of[*source as usize] == split.of[arc.target() as usize]
        };
        part.edges(why).filter(inside).collect()
    };
    let (edges, reasons, adjacent) = match shape {
        Shape::G0 => {
            let reasons = WRITES.or(order);
            (within(Why::Ww, reasons), reasons, true)
        }
        Shape::G1c => {
            let reasons = DATA.or(order);
            (within(Why::Wr, reasons), reasons, true)
        }
        Shape::Single => {
            let reasons = DATA.or(order);
            match single::closing(part, reasons, steps) {
                Closing::Some(edges) => (edges, reasons, true),
                Closing::None => return Looked::Nothing,
                Closing::GaveUp => return Looked::GaveUp,
            }
        }
        Shape::Nonadjacent => {
            let reasons = DATA.or(order).with(Why::Rw);
            (nonadjacent(part, reasons), reasons, false)
        }
        Shape::G2 => {
            let reasons = DATA.or(order).with(Why::Rw);
            (within(Why::Rw, reasons), reasons, true)
        }
    };
    if edges.is_empty() {
        return Looked::Nothing;
    }
    match shortest(part, &edges, Rules { reasons, adjacent }) {
        Some(cycle) => Looked::Found(cycle),
        None => Looked::Unshown(unshown(shape, level)),
    }
}

/// The shortest cycle found that begins with one of `edges`.
fn shortest(part: &Part, edges: &[(u32, Arc)], rules: Rules) -> Option<Cycle> {
    let mut walker = Walker::new(part, rules);
    let size = (part.graph.nodes() + part.graph.all_arcs().len()) as u64;
    for edges_max in 1..=3 {
        let limit = walker.steps + SHORTENING_STEPS + size;
        for (source, arc) in edges {
            if let Some(cycle) = close(&mut walker, *source, *arc, edges_max, rules) {
                return Some(cycle);
            }
            if walker.steps > limit {
                break;
            }
        }
    }
    let limit = walker.steps + SHORTENING_STEPS + 3 * size;
    let mut best: Option<Cycle> = None;
    for (source, arc) in edges {
        let edges_max = best.as_ref().map_or(u32::MAX - 1, |best| best.txns.len() as u32 - 2);
        if let Some(cycle) = close(&mut walker, *source, *arc, edges_max, rules)
            && best.as_ref().is_none_or(|best| cycle.txns.len() < best.txns.len())
        {
            best = Some(cycle);
        }
        if walker.steps > limit && best.is_some() || walker.steps > 10 * limit {
            break;
        }
    }
    best
}

fn close(
    walker: &mut Walker<'_>,
    source: u32,
    arc: Arc,
    edges_max: u32,
    rules: Rules,
) -> Option<Cycle> {
    let (txns, whys) = walker.close(source, arc, edges_max)?;
    let (txns, whys) = if rules.adjacent { (txns, whys) } else { simple(txns, whys)? };
    Some(Cycle { kind: classify(&whys), txns, whys })
}

/// A cycle that passes no transaction twice, out of one that may: where it does, one of its two
/// halves is kept, one with read-write edges of which no two follow each other.
fn simple(mut txns: Vec<u32>, mut whys: Vec<Why>) -> Option<(Vec<u32>, Vec<Why>)> {
    while let Some((from, to)) = repeated(&txns) {
        let inner = (txns[from..to].to_vec(), whys[from..to].to_vec());
        txns.drain(from..to);
        whys.drain(from..to);
        let good = |whys: &[Why]| matches!(Shape::of(whys), Shape::Single | Shape::Nonadjacent);
        if good(&inner.1) {
            (txns, whys) = inner;
        } else if !good(&whys) {
            return None;
        }
    }
    Some((txns, whys))
}

fn repeated(txns: &[u32]) -> Option<(usize, usize)> {
    let mut sorted: Vec<(u32, usize)> = txns.iter().copied().zip(0..).collect();
    sorted.sort_unstable();
    sorted.windows(2).find(|pair| pair[0].0 == pair[1].0).map(|pair| (pair[0].1, pair[1].1))
}

/// Read-write edges on closed walks without two of them in a row: components of a graph in which
/// each node stands twice, once for having come by such an edge.
fn nonadjacent(part: &Part, reasons: Reasons) -> Vec<(u32, Arc)> {
    let nodes = part.graph.nodes();
    let mut doubled: Vec<(u32, Arc)> = Vec::new();
    for node in 0..nodes as u32 {
        for arc in part.graph.arcs(node).iter().filter(|arc| reasons.contains(arc.why())) {
            let (from, to) = (2 * node, 2 * arc.target());
            match arc.why() {
                Why::Link => {
                    doubled.push((from, Arc::new(to, Why::Link)));
                    doubled.push((from + 1, Arc::new(to + 1, Why::Link)));
                }
                Why::Rw => doubled.push((from, Arc::new(to + 1, Why::Rw))),
                why => {
                    doubled.push((from, Arc::new(to, why)));
                    doubled.push((from + 1, Arc::new(to, why)));
                }
            }
        }
    }
    let split = components(&Graph::new(2 * nodes, &doubled), Reasons::ALL);
    let inside = |(source, arc): &(u32, Arc)| {
        split.of[2 * *source as usize] == split.of[2 * arc.target() as usize + 1]
    };
    part.edges(Why::Rw).filter(inside).collect()
}

/// How a cycle is called of which only the existence is known.
fn unshown(shape: Shape, level: Level) -> AnomalyKind {
    use AnomalyKind as Kind;
    match (shape, level) {
        (Shape::G0, Level::Plain) => Kind::CycleRu,
        (Shape::G0, Level::Process) => Kind::CycleRuProcess,
        (Shape::G0, Level::Realtime) => Kind::CycleRuRealtime,
        (Shape::G1c, Level::Plain) => Kind::CycleRc,
        (Shape::G1c, Level::Process) => Kind::CycleRcProcess,
        (Shape::G1c, Level::Realtime) => Kind::CycleRcRealtime,
        (Shape::Single | Shape::Nonadjacent, Level::Plain) => Kind::CycleSi,
        (Shape::Single | Shape::Nonadjacent, Level::Process) => Kind::CycleSiProcess,
        (Shape::Single | Shape::Nonadjacent, Level::Realtime) => Kind::CycleSiRealtime,
        (Shape::G2, Level::Plain) => Kind::CycleRr,
        (Shape::G2, Level::Process) => Kind::CycleSerProcess,
        (Shape::G2, Level::Realtime) => Kind::CycleSerRealtime,
    }
}
