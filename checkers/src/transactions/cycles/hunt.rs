//! One component: a short cycle of each kind that it holds.
//!
//! For each kind the edges that such a cycle needs are known: those of one reason whose ends lie
//! in one component of the edges allowed. A shortest way back from one of them is a cycle. All
//! of them are tried with ways of one edge, then two, then three, within a budget; if none is
//! found so, a few are tried to the end, the first of them always.

use super::single::{self, Closing};
use super::walk::{Rules, Walker};
use super::{Budget, Cycle, Found, Level, Part, Shape, classify};
use crate::transactions::graph::{Arc, Graph, Reasons, Why};
use crate::transactions::kind::{AnomalyKind, KindSet};
use crate::transactions::scc::components;
use crate::transactions::stop::Stop;

/// Edges that may be looked at for a shorter cycle: this many and thrice the component.
const SHORTENING_STEPS: u64 = 100_000;

const WRITES: Reasons = Reasons::NONE.with(Why::Ww);
const SHAPES: [Shape; 5] = [Shape::G0, Shape::G1c, Shape::Single, Shape::Nonadjacent, Shape::G2];
/// Without writes over writes there are no predicates to speak of.
const WITH_PREDICATES: [Shape; 4] = [Shape::G1c, Shape::Single, Shape::Nonadjacent, Shape::G2];

/// What is searched for.
#[derive(Clone, Copy)]
struct Aim {
    shape: Shape,
    level: Level,
    /// Whether edges by predicate may be part of it.
    predicates: bool,
}

impl Aim {
    /// Reads of what another wrote.
    fn reads(self) -> Reasons {
        let reads = Reasons::NONE.with(Why::Wr);
        if self.predicates { reads.with(Why::Wrp) } else { reads }
    }

    /// Reads of what another replaced.
    fn anti(self) -> Reasons {
        let anti = Reasons::NONE.with(Why::Rw);
        if self.predicates { anti.with(Why::Rwp) } else { anti }
    }

    fn kind(self) -> AnomalyKind {
        self.shape.kind(self.level, self.predicates)
    }
}

/// Adds a cycle of each kind in `part` that is implied by no other one found there.
pub(super) fn hunt(part: &Part, levels: &[Level], budget: &mut Budget<'_>, found: &mut Found) {
    let mut known = KindSet::EMPTY;
    let predicates = part.graph.all_arcs().iter().any(|arc| arc.why().is_predicate());
    for level in levels {
        let plain = SHAPES.iter().map(|shape| (shape, false));
        let wider = WITH_PREDICATES.iter().filter(|_| predicates).map(|shape| (shape, true));
        for (shape, predicates) in plain.chain(wider) {
            let aim = Aim { shape: *shape, level: *level, predicates };
            if known.contains(aim.kind()) || budget.stop.now() {
                continue;
            }
            let mut note = |cycle: Cycle| {
                if !known.contains(cycle.kind) {
                    known = known.or(cycle.kind.implies());
                    found.cycles.push(cycle);
                }
            };
            match look(part, aim, budget) {
                Looked::Found(cycle) => note(cycle),
                Looked::Nothing => {}
                Looked::GaveUp => found.gave_up = true,
                // A walk that is no simple cycle may pass one of these twice: then they say it.
                Looked::Unshown(_) if known.contains(Shape::G1c.kind(*level, false)) => {}
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

fn look(part: &Part, aim: Aim, budget: &mut Budget<'_>) -> Looked {
    let order = aim.level.reasons();
    let data = WRITES.or(aim.reads()).or(order);
    let within = |why: Reasons, reasons: Reasons| -> Vec<(u32, Arc)> {
        let split = components(&part.graph, reasons);
        let inside = |(source, arc): &(u32, Arc)| {
            split.of[*source as usize] == split.of[arc.target() as usize]
        };
        part.edges(why).filter(inside).collect()
    };
    let (edges, reasons, adjacent) = match aim.shape {
        Shape::G0 => {
            let reasons = WRITES.or(order);
            (within(WRITES, reasons), reasons, true)
        }
        Shape::G1c => (within(aim.reads(), data), data, true),
        Shape::Single => match single::closing(part, data, aim.anti(), budget) {
            Closing::Some(edges) => (edges, data, true),
            Closing::None => return Looked::Nothing,
            Closing::GaveUp => return Looked::GaveUp,
        },
        Shape::Nonadjacent => {
            let reasons = data.or(aim.anti());
            (nonadjacent(part, reasons), reasons, false)
        }
        Shape::G2 => {
            let reasons = data.or(aim.anti());
            (within(aim.anti(), reasons), reasons, true)
        }
    };
    if edges.is_empty() {
        return Looked::Nothing;
    }
    match shortest(part, &edges, Rules { reasons, adjacent }, budget.stop) {
        Some(cycle) => Looked::Found(cycle),
        None => Looked::Unshown(unshown(aim)),
    }
}

/// The shortest cycle found that begins with one of `edges`.
fn shortest(part: &Part, edges: &[(u32, Arc)], rules: Rules, stop: &Stop<'_>) -> Option<Cycle> {
    let mut walker = Walker::new(part, rules);
    let size = (part.graph.nodes() + part.graph.all_arcs().len()) as u64;
    for edges_max in 1..=3 {
        let limit = walker.steps + SHORTENING_STEPS + size;
        for (source, arc) in edges {
            if let Some(cycle) = close(&mut walker, *source, *arc, edges_max, rules) {
                return Some(cycle);
            }
            if walker.steps > limit || stop.now() {
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
        if walker.steps > limit && best.is_some() || walker.steps > 10 * limit || stop.now() {
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
                Why::Rw | Why::Rwp => doubled.push((from, Arc::new(to + 1, Why::Rw))),
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
    let anti = part.edges(reasons).filter(|(_, arc)| arc.why().is_anti());
    anti.filter(inside).collect()
}

/// How a cycle is called of which only the existence is known.
fn unshown(aim: Aim) -> AnomalyKind {
    use AnomalyKind as Kind;
    match (aim.shape, aim.level) {
        (Shape::G2, Level::Plain) if aim.predicates => Kind::CycleSer,
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
