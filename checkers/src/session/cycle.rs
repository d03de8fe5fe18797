//! A graph of versions, and a short circle for each key that has one.
//!
//! In each strongly connected component the shortest circle through one of its versions, by
//! breadth. Edges lie in one array, sorted: linear in them but for the sort.

use super::observe::Version;
use crate::transactions::scc::{Components, components_of};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Edges with labels, by the version from which they go.
#[derive(Debug)]
pub(super) struct Graph {
    versions: usize,
    edges: Vec<Edge>,
    /// Where the edges from each version begin, and the end of the last.
    starts: Vec<u32>,
}

/// From, to, and its label.
pub(super) type Edge = (Version, Version, u32);

/// At most so many versions of a component are tried as beginnings of a short circle.
const BEGINNINGS_MAX: usize = 64;

impl Graph {
    /// A graph of so many versions.
    pub(super) fn new(versions: usize, mut edges: Vec<Edge>) -> Graph {
        edges.sort_unstable();
        let mut starts = vec![0_u32; versions + 1];
        for (from, ..) in &edges {
            starts[*from as usize + 1] += 1;
        }
        for version in 0..versions {
            starts[version + 1] += starts[version];
        }
        Graph { versions, edges, starts }
    }

    fn out(&self, from: Version) -> &[Edge] {
        let from = from as usize;
        &self.edges[self.starts[from] as usize..self.starts[from + 1] as usize]
    }

    /// A short circle for each group (by `group`) that has one, as the labels along it.
    pub(super) fn cycles(&self, group: impl Fn(Version) -> u32) -> Vec<Vec<usize>> {
        let arc = |from: Version, number: u32| {
            self.out(from).get(number as usize).map(|(_, to, _)| Some(*to))
        };
        let components = components_of(self.versions, arc);
        let (members, starts) = components.members();
        let mut done = BTreeSet::new();
        let mut cycles = Vec::new();
        for bounds in starts.windows(2) {
            let component = &members[bounds[0] as usize..bounds[1] as usize];
            if component.len() < 2 || !done.insert(group(component[0])) {
                continue;
            }
            let beginnings = component.iter().take(BEGINNINGS_MAX);
            let circles = beginnings.filter_map(|start| self.circle(*start, &components));
            cycles.extend(circles.min_by_key(Vec::len));
        }
        cycles
    }

    /// The shortest circle through `start`, within its component.
    fn circle(&self, start: Version, components: &Components) -> Option<Vec<usize>> {
        let mut came: BTreeMap<Version, (Version, u32)> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for (_, to, label) in self.out(at) {
                if *to == start {
                    let mut labels = vec![*label as usize];
                    let mut place = at;
                    while place != start {
                        let (before, label) = came[&place];
                        labels.push(label as usize);
                        place = before;
                    }
                    labels.reverse();
                    return Some(labels);
                }
                if components.same(start, *to) && !came.contains_key(to) {
                    came.insert(*to, (at, *label));
                    queue.push_back(*to);
                }
            }
        }
        None
    }
}
