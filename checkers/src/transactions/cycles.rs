//! Cycles of dependencies: which kinds there are, and a short one of each.
//!
//! What cannot be taken away in order ([`order::stuck`]) is split into strongly connected
//! components, and each is searched by itself: first for cycles of data alone, then with the
//! order of sessions, then with real time. Within each, from `G0` to `G2`, first without edges by
//! predicate and then with them; what an anomaly already found implies is not looked for again
//! (see `hunt`).
//!
//! Everything but one question is linear in the component: whether a cycle with *exactly one*
//! read-write edge exists asks for reachability of many pairs, which is answered for 256 pairs
//! at a time, within a budget (see `single`).

mod hunt;
mod single;
mod walk;

use super::graph::{Arc, Graph, Reasons, Why};
use super::kind::{AnomalyKind, KindSet};
use super::order::{self, Intervals};
use super::scc::components;
use super::stop::Stop;

/// Which order beyond the data's a cycle may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// None.
    Plain,
    /// That of sessions.
    Process,
    /// That of real time, which holds that of sessions.
    Realtime,
}

/// A cycle: `whys[i]` leads from `txns[i]` to the next, and from the last to the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    pub(super) kind: AnomalyKind,
    pub(super) txns: Vec<u32>,
    pub(super) whys: Vec<Why>,
}

/// What may still be spent.
struct Budget<'a> {
    /// Edges to look at.
    steps: u64,
    stop: &'a Stop<'a>,
}

/// What a search found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// One for each kind and component, shortest first among equals.
    pub(super) cycles: Vec<Cycle>,
    /// Kinds of cycle that are known to exist but could not be shown.
    pub(super) unshown: KindSet,
    /// Whether a budget ended a search before it was decided.
    pub(super) gave_up: bool,
}

/// Searches `graph`, whose first nodes are the transactions of `intervals` and the others
/// joints. `steps` bounds what is not linear, and `stop` everything.
pub(super) fn search(
    graph: &Graph,
    intervals: &Intervals,
    levels: &[Level],
    steps: u64,
    stop: &Stop<'_>,
) -> Found {
    let realtime = levels.contains(&Level::Realtime);
    let stuck = order::stuck(graph, realtime.then_some(intervals));
    let mut found = Found::default();
    if stuck.is_empty() {
        return found;
    }
    let all = Part::of(graph, &stuck, intervals.begin.len(), realtime.then_some(intervals));
    let split = components(&all.graph, Reasons::ALL);
    let (members, starts) = split.members();
    let mut local = vec![ELSEWHERE; all.graph.nodes()];
    let mut budget = Budget { steps, stop };
    for bounds in starts.windows(2) {
        let members = &members[bounds[0] as usize..bounds[1] as usize];
        if members.len() > 1 && !stop.now() {
            let part = all.component(members, &mut local);
            hunt::hunt(&part, levels, &mut budget, &mut found);
        }
    }
    found.cycles.sort_by_key(|cycle| (cycle.kind, cycle.txns.len()));
    found
}

const ELSEWHERE: u32 = u32::MAX;
/// The name of a joint.
const JOINT: u32 = u32::MAX;

/// A part of the graph with its own numbers.
#[derive(Debug)]
struct Part {
    /// The transaction that each node is; [`JOINT`] for joints.
    names: Vec<u32>,
    graph: Graph,
}

impl Part {
    /// The part with these nodes, and real time among its transactions written down.
    fn of(graph: &Graph, nodes: &[u32], txns: usize, intervals: Option<&Intervals>) -> Part {
        let mut local = vec![ELSEWHERE; graph.nodes()];
        for (at, node) in nodes.iter().enumerate() {
            local[*node as usize] = at as u32;
        }
        let name = |node: &u32| if (*node as usize) < txns { *node } else { JOINT };
        let mut names: Vec<u32> = nodes.iter().map(name).collect();
        let mut edges: Vec<(u32, Arc)> = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            for arc in graph.arcs(*node) {
                let target = local[arc.target() as usize];
                if target != ELSEWHERE {
                    edges.push((at as u32, Arc::new(target, arc.why())));
                }
            }
        }
        let mut count = nodes.len() as u32;
        if let Some(intervals) = intervals {
            let timed = names.iter().enumerate().filter(|(_, name)| **name != JOINT);
            let timed = timed.map(|(at, name)| (at as u32, *name));
            order::add_realtime(&mut edges, &mut count, timed, intervals);
        }
        names.resize(count as usize, JOINT);
        Part { graph: Graph::new(count as usize, &edges), names }
    }

    /// The component with these members. `local` is all [`ELSEWHERE`], before and after.
    fn component(&self, members: &[u32], local: &mut [u32]) -> Part {
        for (at, node) in members.iter().enumerate() {
            local[*node as usize] = at as u32;
        }
        let mut edges: Vec<(u32, Arc)> = Vec::new();
        for (at, node) in members.iter().enumerate() {
            for arc in self.graph.arcs(*node) {
                let target = local[arc.target() as usize];
                if target != ELSEWHERE {
                    edges.push((at as u32, Arc::new(target, arc.why())));
                }
            }
        }
        for node in members {
            local[*node as usize] = ELSEWHERE;
        }
        let names = members.iter().map(|node| self.names[*node as usize]).collect();
        Part { graph: Graph::new(members.len(), &edges), names }
    }

    /// All edges for one of these reasons, links left out, as source and arc.
    fn edges(&self, whys: Reasons) -> impl Iterator<Item = (u32, Arc)> + '_ {
        let of = |node: u32| self.graph.arcs(node).iter().map(move |arc| (node, *arc));
        let wanted = move |why: Why| why != Why::Link && whys.contains(why);
        (0..self.graph.nodes() as u32).flat_map(of).filter(move |(_, arc)| wanted(arc.why()))
    }
}

impl Level {
    /// The reason that this level adds.
    pub(super) fn reasons(self) -> Reasons {
        match self {
            Level::Plain => Reasons::NONE,
            Level::Process => Reasons::NONE.with(Why::Process),
            Level::Realtime => Reasons::NONE.with(Why::Realtime),
        }
    }

    fn of(whys: &[Why]) -> Level {
        if whys.contains(&Why::Realtime) {
            Level::Realtime
        } else if whys.contains(&Why::Process) {
            Level::Process
        } else {
            Level::Plain
        }
    }
}

/// What a cycle's edges make it, whatever the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    G0,
    G1c,
    Single,
    Nonadjacent,
    G2,
}

impl Shape {
    fn of(whys: &[Why]) -> Shape {
        let rw = |why: &Why| why.is_anti();
        let count = whys.iter().filter(|why| rw(why)).count();
        let next = whys.iter().cycle().skip(1);
        let adjacent = whys.iter().zip(next).any(|(a, b)| rw(a) && rw(b));
        match count {
            0 if whys.iter().any(|why| matches!(why, Why::Wr | Why::Wrp)) => Shape::G1c,
            0 => Shape::G0,
            1 => Shape::Single,
            _ if adjacent => Shape::G2,
            _ => Shape::Nonadjacent,
        }
    }

    /// The kind of such a cycle; whether edges by predicate are part of it.
    fn kind(self, level: Level, predicates: bool) -> AnomalyKind {
        use AnomalyKind as Kind;
        match (self, level) {
            (Shape::Single, Level::Plain) if predicates => Kind::GSingle,
            (Shape::Single, Level::Process) if predicates => Kind::GSingleProcess,
            (Shape::Single, Level::Realtime) if predicates => Kind::GSingleRealtime,
            (Shape::Nonadjacent, Level::Plain) if predicates => Kind::GNonadjacent,
            (Shape::Nonadjacent, Level::Process) if predicates => Kind::GNonadjacentProcess,
            (Shape::Nonadjacent, Level::Realtime) if predicates => Kind::GNonadjacentRealtime,
            (Shape::G2, Level::Plain) if predicates => Kind::G2,
            (Shape::G2, Level::Process) if predicates => Kind::G2Process,
            (Shape::G2, Level::Realtime) if predicates => Kind::G2Realtime,
            (Shape::G0, Level::Plain) => Kind::G0,
            (Shape::G0, Level::Process) => Kind::G0Process,
            (Shape::G0, Level::Realtime) => Kind::G0Realtime,
            (Shape::G1c, Level::Plain) => Kind::G1c,
            (Shape::G1c, Level::Process) => Kind::G1cProcess,
            (Shape::G1c, Level::Realtime) => Kind::G1cRealtime,
            (Shape::Single, Level::Plain) => Kind::GSingleItem,
            (Shape::Single, Level::Process) => Kind::GSingleItemProcess,
            (Shape::Single, Level::Realtime) => Kind::GSingleItemRealtime,
            (Shape::Nonadjacent, Level::Plain) => Kind::GNonadjacentItem,
            (Shape::Nonadjacent, Level::Process) => Kind::GNonadjacentItemProcess,
            (Shape::Nonadjacent, Level::Realtime) => Kind::GNonadjacentItemRealtime,
            (Shape::G2, Level::Plain) => Kind::G2Item,
            (Shape::G2, Level::Process) => Kind::G2ItemProcess,
            (Shape::G2, Level::Realtime) => Kind::G2ItemRealtime,
        }
    }
}

/// The kind of a cycle with these edges.
fn classify(whys: &[Why]) -> AnomalyKind {
    Shape::of(whys).kind(Level::of(whys), whys.iter().any(|why| why.is_predicate()))
}

#[cfg(test)]
mod tests;
