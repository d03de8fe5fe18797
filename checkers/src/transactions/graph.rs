//! Dependencies between transactions, in flat arrays.
//!
//! An edge says that its source must come before its target, and why. Nodes are transactions,
//! then *joints*: nodes without meaning, which keep graphs linear in size where many
//! transactions precede many others. An edge into a joint has a reason; edges out of it are
//! [`Why::Link`] and go on with the reason that led in.

/// Why one transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum Why {
    /// Goes on from a joint.
    Link,
    /// It wrote the version before the one that the other wrote.
    Ww,
    /// The other read what it wrote.
    Wr,
    /// The other wrote the version after the one that it read.
    Rw,
    /// It came first in one session.
    Process,
    /// It ended before the other began.
    Realtime,
    /// The other's read by predicate did not find a row, because of what it wrote.
    Wrp,
    /// The other wrote what its read by predicate would have found, and did not.
    Rwp,
}

/// A set of reasons. Links are in every set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reasons(u8);

impl Why {
    const ALL: [Why; 8] =
        [Why::Link, Why::Ww, Why::Wr, Why::Rw, Why::Process, Why::Realtime, Why::Wrp, Why::Rwp];

    /// As reports write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Why::Link => "link",
            Why::Ww => "ww",
            Why::Wr => "wr",
            Why::Rw => "rw",
            Why::Process => "process",
            Why::Realtime => "realtime",
            Why::Wrp => "wrp",
            Why::Rwp => "rwp",
        }
    }

    /// Whether the other wrote what came after what it had read: an anti-dependency.
    pub(super) fn is_anti(self) -> bool {
        matches!(self, Why::Rw | Why::Rwp)
    }

    /// Whether a read by predicate shows it.
    pub(super) fn is_predicate(self) -> bool {
        matches!(self, Why::Wrp | Why::Rwp)
    }
}

impl Reasons {
    pub(super) const ALL: Reasons = Reasons(0xff);
    pub(super) const NONE: Reasons = Reasons(0b1);

    pub(super) const fn with(self, why: Why) -> Reasons {
        Reasons(self.0 | 1 << why as u8)
    }

    pub(super) const fn or(self, other: Reasons) -> Reasons {
        Reasons(self.0 | other.0)
    }

    pub(super) const fn contains(self, why: Why) -> bool {
        self.0 & 1 << why as u8 != 0
    }
}

/// The target of an edge, and its reason in the upper three bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arc(u32);

/// As many nodes as an edge can point to.
pub(super) const NODES_MAX: usize = 1 << 29;

impl Arc {
    pub(super) fn new(target: u32, why: Why) -> Arc {
        debug_assert!((target as usize) < NODES_MAX);
        Arc(target | (why as u32) << 29)
    }

    pub(super) fn target(self) -> u32 {
        self.0 & (NODES_MAX as u32 - 1)
    }

    pub(super) fn why(self) -> Why {
        Why::ALL[(self.0 >> 29) as usize % Why::ALL.len()]
    }
}

/// Edges on their way into a graph.
#[derive(Debug)]
pub(super) struct Edges {
    list: Vec<(u32, Arc)>,
    nodes: u32,
}

/// Up to this many edges are cheaper than joints.
const DIRECT_MAX: usize = 6;

/// Targets of which stretches are pointed to, with a tree of joints over them once needed.
#[derive(Debug)]
pub(super) struct Fan<'a> {
    targets: &'a [u32],
    /// The first joint, less one: the root is number 1.
    tree: Option<u32>,
}

impl<'a> Fan<'a> {
    pub(super) fn over(targets: &'a [u32]) -> Fan<'a> {
        Fan { targets, tree: None }
    }
}

impl Edges {
    /// No edges yet between this many transactions.
    pub(super) fn between(transactions: usize) -> Edges {
        Edges { list: Vec::new(), nodes: transactions as u32 }
    }

    pub(super) fn reserve(&mut self, more: usize) {
        self.list.reserve(more);
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds an edge; nothing where both ends are one.
    pub(super) fn push(&mut self, source: u32, target: u32, why: Why) {
        if source != target {
            self.list.push((source, Arc::new(target, why)));
        }
    }

    /// Edges to the targets `range` of a fan, itself left out: O(log n) edges however many
    /// there are. Targets are distinct; `own` is where the source stands among them, if it does.
    pub(super) fn push_range(
        &mut self,
        source: u32,
        fan: &mut Fan<'_>,
        range: std::ops::Range<usize>,
        own: Option<usize>,
        why: Why,
    ) {
        match own {
            Some(own) if range.contains(&own) => {
                self.push_stretch(source, fan, range.start..own, why);
                self.push_stretch(source, fan, own + 1..range.end, why);
            }
            _ => self.push_stretch(source, fan, range, why),
        }
    }

    fn push_stretch(
        &mut self,
        source: u32,
        fan: &mut Fan<'_>,
        range: std::ops::Range<usize>,
        why: Why,
    ) {
        if range.len() <= DIRECT_MAX {
            for target in &fan.targets[range] {
                self.push(source, *target, why);
            }
            return;
        }
        let count = fan.targets.len();
        let tree = self.tree(fan);
        let node = |at: usize| if at < count { tree + at as u32 } else { fan.targets[at - count] };
        let (mut low, mut high) = (range.start + count, range.end + count);
        while low < high {
            if low % 2 == 1 {
                self.push(source, node(low), why);
                low += 1;
            }
            if high % 2 == 1 {
                high -= 1;
                self.push(source, node(high), why);
            }
            low /= 2;
            high /= 2;
        }
    }

    /// The tree of joints over a fan: joint `i` leads to `2i` and `2i + 1`; from the number of
    /// targets on these are the targets themselves.
    fn tree(&mut self, fan: &mut Fan<'_>) -> u32 {
        if let Some(tree) = fan.tree {
            return tree;
        }
        let count = fan.targets.len();
        let tree = self.nodes - 1;
        self.nodes += count as u32 - 1;
        for at in 1..count {
            for child in [2 * at, 2 * at + 1] {
                let target =
                    if child < count { tree + child as u32 } else { fan.targets[child - count] };
                self.list.push((tree + at as u32, Arc::new(target, Why::Link)));
            }
        }
        fan.tree = Some(tree);
        tree
    }

    /// The graph, each node's edges in the order in which they were added.
    pub(super) fn into_graph(self) -> Graph {
        Graph::new(self.nodes as usize, &self.list)
    }
}

/// A graph: for each node a stretch of `arcs`.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    starts: Vec<u32>,
    arcs: Vec<Arc>,
}

impl Graph {
    /// By counting: O(nodes + edges).
    pub(super) fn new(nodes: usize, edges: &[(u32, Arc)]) -> Graph {
        let mut starts = vec![0_u32; nodes + 2];
        for (source, _) in edges {
            starts[*source as usize + 2] += 1;
        }
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut arcs = vec![Arc(0); edges.len()];
        for (source, arc) in edges {
            let next = &mut starts[*source as usize + 1];
            arcs[*next as usize] = *arc;
            *next += 1;
        }
        starts.pop();
        Graph { starts, arcs }
    }

    pub(super) fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn arcs(&self, node: u32) -> &[Arc] {
        let node = node as usize;
        &self.arcs[self.starts[node] as usize..self.starts[node + 1] as usize]
    }

    /// All edges' targets and reasons, whatever their sources.
    pub(super) fn all_arcs(&self) -> &[Arc] {
        &self.arcs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transactions that `source` reaches, through joints.
    fn reached(graph: &Graph, source: u32, transactions: u32) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        let mut open = vec![source];
        while let Some(node) = open.pop() {
            for arc in graph.arcs(node) {
                if arc.target() < transactions {
                    found.push(arc.target());
                } else {
                    open.push(arc.target());
                }
            }
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn a_fan_reaches_each_stretch_and_nothing_else() {
        for count in 1..20_usize {
            let targets: Vec<u32> = (0..count as u32).collect();
            for low in 0..=count {
                for high in low..=count {
                    for own in [None, Some(low), Some(usize::midpoint(low, high))] {
                        let mut edges = Edges::between(count + 1);
                        let mut fan = Fan::over(&targets);
                        let own = own.filter(|own| *own < count);
                        edges.push_range(count as u32, &mut fan, low..high, own, Why::Rw);
                        let graph = edges.into_graph();
                        let expected: Vec<u32> = (low as u32..high as u32)
                            .filter(|at| own != Some(*at as usize))
                            .collect();
                        assert_eq!(reached(&graph, count as u32, count as u32 + 1), expected);
                    }
                }
            }
        }
    }

    #[test]
    fn a_clique_by_fans_has_few_edges() {
        let count = 1000;
        let targets: Vec<u32> = (0..count).collect();
        let mut edges = Edges::between(count as usize);
        let mut fan = Fan::over(&targets);
        for source in 0..count {
            edges.push_range(source, &mut fan, 0..count as usize, Some(source as usize), Why::Rw);
        }
        assert!(edges.len() < 30_000, "{}", edges.len());
    }

    #[test]
    fn arcs_keep_what_they_are_given() {
        for why in Why::ALL {
            let arc = Arc::new(NODES_MAX as u32 - 1, why);
            assert_eq!((arc.target(), arc.why()), (NODES_MAX as u32 - 1, why));
        }
        assert!(Reasons::NONE.with(Why::Rw).contains(Why::Link));
    }
}
