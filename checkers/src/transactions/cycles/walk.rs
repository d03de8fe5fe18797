//! Shortest ways through a part of the graph: breadth first, links for free.
//!
//! A walk that may not take two read-write edges in a row has two states for each node: whether
//! the last edge was one. Links keep the state.

use super::{JOINT, Part};
use crate::transactions::graph::{Arc, Reasons, Why};
use std::collections::VecDeque;

/// What a walk may do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Edges that it may take.
    pub(super) reasons: Reasons,
    /// Whether two read-write edges may follow each other.
    pub(super) adjacent: bool,
}

/// A breadth-first search that is run often: it never clears its arrays.
#[derive(Debug)]
pub(super) struct Walker<'a> {
    part: &'a Part,
    rules: Rules,
    round: u32,
    /// For each state the round that saw it last, the distance, and the state and reason that
    /// led there.
    seen: Vec<(u32, u32, u32, Why)>,
    queue: VecDeque<(u32, u32)>,
    /// Edges looked at so far.
    pub(super) steps: u64,
}

impl<'a> Walker<'a> {
    pub(super) fn new(part: &'a Part, rules: Rules) -> Walker<'a> {
        let states = 2 * part.graph.nodes();
        Walker {
            part,
            rules,
            round: 0,
            seen: vec![(0, 0, 0, Why::Link); states],
            queue: VecDeque::new(),
            steps: 0,
        }
    }

    /// The shortest cycle that begins with the edge `arc` from `source` and has at most
    /// `edges_max` further edges, as its transactions and reasons.
    pub(super) fn close(
        &mut self,
        source: u32,
        arc: Arc,
        edges_max: u32,
    ) -> Option<(Vec<u32>, Vec<Why>)> {
        self.round += 1;
        self.queue.clear();
        let after = |state: u32, why: Why| match why {
            Why::Link => state,
            why if why.is_anti() && !self.rules.adjacent => 1,
            _ => 0,
        };
        let start = 2 * arc.target() + after(0, arc.why());
        self.seen[start as usize] = (self.round, 0, start, arc.why());
        self.queue.push_back((start, 0));
        while let Some((state, distance)) = self.queue.pop_front() {
            if self.seen[state as usize].1 != distance {
                continue; // A shorter way was found meanwhile.
            }
            let (node, last) = (state / 2, state % 2);
            if node == source && last == 0 {
                return Some(self.trace(source, state));
            }
            for arc in self.part.graph.arcs(node) {
                self.steps += 1;
                let why = arc.why();
                let twice = last == 1 && why.is_anti();
                let cost = u32::from(why != Why::Link);
                if !self.rules.reasons.contains(why) || twice || distance + cost > edges_max {
                    continue;
                }
                let next = 2 * arc.target() + after(last, why);
                let seen = &mut self.seen[next as usize];
                if seen.0 == self.round && seen.1 <= distance + cost {
                    continue;
                }
                *seen = (self.round, distance + cost, state, why);
                if cost == 0 {
                    self.queue.push_front((next, distance));
                } else {
                    self.queue.push_back((next, distance + 1));
                }
            }
        }
        None
    }

    /// The way back from `state` to the start, without joints.
    fn trace(&self, source: u32, mut state: u32) -> (Vec<u32>, Vec<Why>) {
        let mut steps: Vec<(Why, u32)> = Vec::new();
        loop {
            let (_, _, before, why) = self.seen[state as usize];
            steps.push((why, self.part.names[state as usize / 2]));
            if before == state {
                break;
            }
            state = before;
        }
        let mut txns = vec![self.part.names[source as usize]];
        let (mut whys, mut reason) = (Vec::new(), Why::Link);
        for (why, name) in steps.into_iter().rev() {
            if why != Why::Link {
                reason = why;
            }
            if name != JOINT {
                txns.push(name);
                whys.push(reason);
            }
        }
        txns.pop(); // The source again.
        (txns, whys)
    }
}
