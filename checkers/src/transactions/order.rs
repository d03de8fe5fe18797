//! The order of real time and of sessions, and whether a graph agrees with it.
//!
//! Real time orders all pairs of transactions of which one ended before the other began: too
//! many to write down. While a history is valid it need not be: transactions are taken away one
//! by one, each when nothing that is left comes before it by an edge, and nothing that is left
//! ended before it began. The second is one comparison, because what ended first is known. What
//! cannot be taken away is on a cycle or behind one.
//!
//! Only for what remains are edges of real time made: to and from joints along the line of time,
//! three a transaction.

use super::graph::{Arc, Edges, Graph, NODES_MAX, Why};
use super::table::{Outcome, Table};

/// When each transaction began and ended, as positions in the history.
#[derive(Debug)]
pub(super) struct Intervals {
    pub(super) begin: Vec<u32>,
    /// [`Intervals::NEVER`] where the end is unknown.
    pub(super) end: Vec<u32>,
}

impl Intervals {
    pub(super) const NEVER: u32 = u32::MAX;

    /// The intervals of a table; those that `takes_part` says not to count are concurrent with
    /// everything.
    pub(super) fn of(table: &Table, takes_part: impl Fn(usize) -> bool) -> Intervals {
        let rows = table.txns().iter().enumerate();
        let counted = rows.map(|(at, txn)| (takes_part(at), txn));
        let (begin, end) = counted
            .map(|(part, txn)| {
                let begin = txn.invoke.filter(|_| part).map_or(0, |index| index.0);
                let ok = part && txn.outcome == Outcome::Ok;
                let end = txn.complete.filter(|_| ok).map_or(Self::NEVER, |index| index.0);
                (begin, end)
            })
            .unzip();
        Intervals { begin, end }
    }

    /// Whether `a` ended before `b` began.
    pub(super) fn precedes(&self, a: u32, b: u32) -> bool {
        self.end[a as usize] < self.begin[b as usize]
    }
}

/// Adds an edge from each transaction to the next one of its session, of those that take part.
pub(super) fn add_sessions(edges: &mut Edges, table: &Table, takes_part: impl Fn(usize) -> bool) {
    let mut last: Vec<Option<u32>> = vec![None; table.sessions()];
    for (at, txn) in table.txns().iter().enumerate() {
        if !takes_part(at) {
            continue;
        }
        let last = &mut last[txn.session.0 as usize];
        if let Some(before) = last.replace(at as u32) {
            edges.push(before, at as u32, Why::Process);
        }
    }
}

/// The nodes that are on a cycle or behind one, ascending; with real time if there are
/// intervals. O(nodes + edges), and a sort of the ends.
pub(super) fn stuck(graph: &Graph, intervals: Option<&Intervals>) -> Vec<u32> {
    let nodes = graph.nodes();
    let mut before = vec![0_u32; nodes];
    for arc in graph.all_arcs() {
        before[arc.target() as usize] += 1;
    }
    let mut line = Line::new(intervals, nodes);
    let mut gone = vec![false; nodes];
    let mut free: Vec<u32> = Vec::new();
    line.advance(&gone, |node| {
        if before[node as usize] == 0 {
            free.push(node);
        }
    });
    let mut left = nodes;
    while let Some(node) = free.pop() {
        gone[node as usize] = true;
        left -= 1;
        for arc in graph.arcs(node) {
            let target = arc.target();
            before[target as usize] -= 1;
            if before[target as usize] == 0 && line.is_open(target) {
                free.push(target);
            }
        }
        line.advance(&gone, |node| {
            if before[node as usize] == 0 {
                free.push(node);
            }
        });
    }
    if left == 0 {
        return Vec::new();
    }
    (0..nodes as u32).filter(|node| !gone[*node as usize]).collect()
}

/// How far the line of time is open: whatever began before the first end that is left.
struct Line<'a> {
    intervals: Option<&'a Intervals>,
    nodes: u32,
    /// Transactions by their ends; the first `ended` are gone.
    by_end: Vec<u32>,
    ended: usize,
    /// Transactions by their beginnings; the first `begun` have been given out.
    by_begin: Vec<u32>,
    begun: usize,
    /// What began before this is open.
    limit: u32,
    started: bool,
}

impl<'a> Line<'a> {
    fn new(intervals: Option<&'a Intervals>, nodes: usize) -> Line<'a> {
        let (mut by_end, mut by_begin) = (Vec::new(), Vec::new());
        if let Some(intervals) = intervals {
            by_end.extend(0..intervals.end.len() as u32);
            by_end.retain(|at| intervals.end[*at as usize] != Intervals::NEVER);
            by_end.sort_by_key(|at| intervals.end[*at as usize]);
            by_begin.extend(0..intervals.begin.len() as u32);
            if !intervals.begin.is_sorted() {
                by_begin.sort_by_key(|at| intervals.begin[*at as usize]);
            }
        }
        let nodes = nodes as u32;
        Line { intervals, nodes, by_end, ended: 0, by_begin, begun: 0, limit: 0, started: false }
    }

    fn is_open(&self, node: u32) -> bool {
        let began = self.intervals.and_then(|intervals| intervals.begin.get(node as usize));
        began.is_none_or(|began| *began < self.limit)
    }

    /// Moves on past what is gone, and gives out what is newly open.
    fn advance(&mut self, gone: &[bool], mut give: impl FnMut(u32)) {
        if !self.started {
            self.started = true;
            let timed = self.intervals.map_or(0, |intervals| intervals.begin.len());
            (timed as u32..self.nodes).for_each(&mut give);
        }
        let Some(intervals) = self.intervals else { return };
        while self.by_end.get(self.ended).is_some_and(|at| gone[*at as usize]) {
            self.ended += 1;
        }
        let first = self.by_end.get(self.ended);
        self.limit = first.map_or(u32::MAX, |at| intervals.end[*at as usize]);
        while let Some(at) = self.by_begin.get(self.begun)
            && intervals.begin[*at as usize] < self.limit
        {
            give(*at);
            self.begun += 1;
        }
    }
}

/// Edges of real time between `members`, which are nodes of `edges`: `names` says which
/// transaction each is. A joint for each stretch of ends; three edges a transaction.
pub(super) fn add_realtime(
    edges: &mut Vec<(u32, Arc)>,
    nodes: &mut u32,
    members: impl Iterator<Item = (u32, u32)>,
    intervals: &Intervals,
) {
    let mut moments: Vec<(u32, bool, u32)> = Vec::new();
    for (node, name) in members {
        let (begin, end) = (intervals.begin[name as usize], intervals.end[name as usize]);
        moments.push((begin, false, node));
        if end != Intervals::NEVER {
            moments.push((end, true, node));
        }
    }
    moments.sort_unstable();
    let mut joint: Option<u32> = None;
    let mut closed = true;
    for (_, is_end, node) in moments {
        if is_end {
            if closed && (*nodes as usize) < NODES_MAX {
                let next = *nodes;
                *nodes += 1;
                if let Some(last) = joint {
                    edges.push((last, Arc::new(next, Why::Link)));
                }
                joint = Some(next);
                closed = false;
            }
            if let Some(joint) = joint {
                edges.push((node, Arc::new(joint, Why::Realtime)));
            }
        } else if let Some(joint) = joint {
            edges.push((joint, Arc::new(node, Why::Link)));
            closed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transactions::graph::Reasons;
    use crate::transactions::scc::components;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Random intervals, some without an end, and random edges.
    fn random(rng: &mut ChaCha8Rng) -> (usize, Vec<(u32, Arc)>, Intervals) {
        let count = rng.random_range(1..8_usize);
        let mut moments: Vec<u32> = (0..2 * count as u32).collect();
        for at in 0..moments.len() {
            let other = rng.random_range(0..moments.len());
            moments.swap(at, other);
        }
        let pairs: Vec<(u32, u32)> = moments
            .chunks(2)
            .map(|pair| (pair[0].min(pair[1]), pair[0].max(pair[1])))
            .map(|(a, b)| (a, if rng.random_range(0..6) == 0 { Intervals::NEVER } else { b }))
            .collect();
        let (begin, end) = pairs.into_iter().unzip();
        let edges = (0..rng.random_range(0..6))
            .map(|_| {
                let source = rng.random_range(0..count as u32);
                (source, Arc::new(rng.random_range(0..count as u32), Why::Rw))
            })
            .filter(|(source, arc)| *source != arc.target())
            .collect();
        (count, edges, Intervals { begin, end })
    }

    #[test]
    fn joints_say_what_all_pairs_say() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..3000 {
            let (count, edges, intervals) = random(&mut rng);
            let mut pairs = edges.clone();
            for a in 0..count as u32 {
                for b in 0..count as u32 {
                    if intervals.precedes(a, b) {
                        pairs.push((a, Arc::new(b, Why::Realtime)));
                    }
                }
            }
            let plain = components(&Graph::new(count, &pairs), Reasons::ALL);
            let (mut jointed, mut nodes) = (edges.clone(), count as u32);
            let members = (0..count as u32).map(|at| (at, at));
            add_realtime(&mut jointed, &mut nodes, members, &intervals);
            let found = components(&Graph::new(nodes as usize, &jointed), Reasons::ALL);
            let mut cyclic = false;
            for a in 0..count {
                for b in 0..count {
                    let together = plain.of[a] == plain.of[b];
                    assert_eq!(together, found.of[a] == found.of[b], "{edges:?} {intervals:?}");
                    cyclic |= a != b && together;
                }
            }
            let stuck = stuck(&Graph::new(count, &edges), Some(&intervals));
            assert_eq!(!stuck.is_empty(), cyclic, "{edges:?} {intervals:?}");
            for a in 0..count {
                for b in (0..count).filter(|b| *b != a) {
                    assert!(plain.of[a] != plain.of[b] || stuck.contains(&(a as u32)));
                }
            }
        }
    }
}
