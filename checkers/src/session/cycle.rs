//! A graph of versions, and a short circle for each key that has one.
//!
//! Strongly connected components by Tarjan's algorithm (1972) without recursion; in each that
//! holds a circle the shortest one through one of its versions, by breadth.

use super::observe::Version;
use std::collections::{BTreeSet, VecDeque};

/// Edges with labels, by the version from which they go.
#[derive(Debug)]
pub(super) struct Graph {
    out: Vec<Vec<(Version, usize)>>,
}

/// At most so many versions of a component are tried as beginnings of a short circle.
const BEGINNINGS_MAX: usize = 64;

impl Graph {
    pub(super) fn new(versions: usize) -> Graph {
        Graph { out: vec![Vec::new(); versions] }
    }

    pub(super) fn edge(&mut self, from: Version, to: Version, label: usize) {
        self.out[from as usize].push((to, label));
    }

    /// A short circle for each group (by `group`) that has one, as the labels along it.
    pub(super) fn cycles(&self, group: impl Fn(Version) -> u32) -> Vec<Vec<usize>> {
        let mut done = BTreeSet::new();
        let mut cycles = Vec::new();
        for component in self.components() {
            let first = component.iter().next().copied().unwrap_or_default();
            if component.len() < 2 || !done.insert(group(first)) {
                continue;
            }
            let beginnings = component.iter().take(BEGINNINGS_MAX);
            let circles = beginnings.filter_map(|start| self.circle(*start, &component));
            cycles.extend(circles.min_by_key(Vec::len));
        }
        cycles
    }

    /// The shortest circle through `start` within a component.
    fn circle(&self, start: Version, component: &BTreeSet<Version>) -> Option<Vec<usize>> {
        let mut came: std::collections::BTreeMap<Version, (Version, usize)> =
            std::collections::BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for (to, label) in &self.out[at as usize] {
                if *to == start {
                    let mut labels = vec![*label];
                    let mut place = at;
                    while place != start {
                        let (before, label) = came[&place];
                        labels.push(label);
                        place = before;
                    }
                    labels.reverse();
                    return Some(labels);
                }
                if component.contains(to) && !came.contains_key(to) {
                    came.insert(*to, (at, *label));
                    queue.push_back(*to);
                }
            }
        }
        None
    }

    /// The strongly connected components with more than one version.
    fn components(&self) -> Vec<BTreeSet<Version>> {
        let mut tarjan = Tarjan {
            graph: self,
            index: vec![UNSEEN; self.out.len()],
            low: vec![0; self.out.len()],
            stacked: vec![false; self.out.len()],
            stack: Vec::new(),
            next: 0,
            found: Vec::new(),
        };
        for version in 0..self.out.len() as Version {
            if tarjan.index[version as usize] == UNSEEN {
                tarjan.visit(version);
            }
        }
        tarjan.found
    }
}

const UNSEEN: u32 = u32::MAX;

struct Tarjan<'a> {
    graph: &'a Graph,
    index: Vec<u32>,
    low: Vec<u32>,
    stacked: Vec<bool>,
    stack: Vec<Version>,
    next: u32,
    found: Vec<BTreeSet<Version>>,
}

impl Tarjan<'_> {
    fn enter(&mut self, version: Version) {
        let at = version as usize;
        (self.index[at], self.low[at]) = (self.next, self.next);
        self.next += 1;
        self.stacked[at] = true;
        self.stack.push(version);
    }

    fn visit(&mut self, root: Version) {
        self.enter(root);
        // Versions under way, each with the edge that comes next.
        let mut path: Vec<(Version, usize)> = vec![(root, 0)];
        while let Some((version, edge)) = path.pop() {
            let at = version as usize;
            if let Some((to, _)) = self.graph.out[at].get(edge).copied() {
                path.push((version, edge + 1));
                if self.index[to as usize] == UNSEEN {
                    self.enter(to);
                    path.push((to, 0));
                } else if self.stacked[to as usize] {
                    self.low[at] = self.low[at].min(self.index[to as usize]);
                }
                continue;
            }
            if let Some((parent, _)) = path.last() {
                let parent = *parent as usize;
                self.low[parent] = self.low[parent].min(self.low[at]);
            }
            if self.low[at] == self.index[at] {
                self.leave(version);
            }
        }
    }

    /// Takes a whole component off the stack.
    fn leave(&mut self, root: Version) {
        let mut component = BTreeSet::new();
        while let Some(version) = self.stack.pop() {
            self.stacked[version as usize] = false;
            component.insert(version);
            if version == root {
                break;
            }
        }
        if component.len() > 1 {
            self.found.push(component);
        }
    }
}
