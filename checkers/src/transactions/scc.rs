//! Strongly connected components: the sets of nodes in which each leads to each.
//!
//! Tarjan's algorithm (1972) without recursion, over the edges with certain reasons. It numbers
//! components from those that lead nowhere, so that each edge between components goes from a
//! larger number to a smaller one: the numbers are an order of the condensed graph.

use super::graph::{Graph, Reasons};

/// The components of a graph.
#[derive(Debug)]
pub(crate) struct Components {
    /// The component of each node.
    pub(crate) of: Vec<u32>,
    /// How many there are.
    pub(crate) count: usize,
}

const UNSEEN: u32 = u32::MAX;

/// The components by the edges whose reason is in `reasons`. O(nodes + edges).
pub(super) fn components(graph: &Graph, reasons: Reasons) -> Components {
    components_of(graph.nodes(), |node, number| {
        let arc = graph.arcs(node).get(number as usize)?;
        Some(reasons.contains(arc.why()).then(|| arc.target()))
    })
}

/// The components of any graph: `arc` gives the target of a node's arc with a number; nothing
/// behind the last one, and nothing in place of one that does not count.
pub(crate) fn components_of(
    nodes: usize,
    arc: impl Fn(u32, u32) -> Option<Option<u32>>,
) -> Components {
    // While a node is open, `low` is the earliest visit that it is known to reach.
    let mut low = vec![UNSEEN; nodes];
    let mut of = vec![UNSEEN; nodes];
    let mut open: Vec<u32> = Vec::new();
    let mut path: Vec<(u32, u32, u32)> = Vec::new();
    let (mut visits, mut count) = (0_u32, 0_u32);
    for root in 0..nodes as u32 {
        if low[root as usize] != UNSEEN {
            continue;
        }
        path.push((root, 0, visits));
        low[root as usize] = visits;
        visits += 1;
        open.push(root);
        while let Some((node, next, visit)) = path.last_mut() {
            let at = *node as usize;
            if let Some(target) = arc(*node, *next) {
                *next += 1;
                let Some(target) = target else { continue };
                if low[target as usize] == UNSEEN {
                    path.push((target, 0, visits));
                    low[target as usize] = visits;
                    visits += 1;
                    open.push(target);
                } else if of[target as usize] == UNSEEN {
                    low[at] = low[at].min(low[target as usize]);
                }
                continue;
            }
            if low[at] == *visit {
                while let Some(member) = open.pop() {
                    of[member as usize] = count;
                    if member as usize == at {
                        break;
                    }
                }
                count += 1;
            }
            path.pop();
            if let Some((parent, ..)) = path.last() {
                low[*parent as usize] = low[*parent as usize].min(low[at]);
            }
        }
    }
    Components { of, count: count as usize }
}

impl Components {
    /// Whether two nodes lead to each other.
    pub(crate) fn same(&self, a: u32, b: u32) -> bool {
        self.of[a as usize] == self.of[b as usize]
    }

    /// The nodes component by component, and where each component's begin.
    pub(crate) fn members(&self) -> (Vec<u32>, Vec<u32>) {
        let mut starts = vec![0_u32; self.count + 1];
        for component in &self.of {
            starts[*component as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut nodes = vec![0; self.of.len()];
        for (node, component) in self.of.iter().enumerate() {
            let slot = &mut next[*component as usize];
            nodes[*slot as usize] = node as u32;
            *slot += 1;
        }
        (nodes, starts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transactions::graph::{Arc, Why};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn check(graph: &Graph, reasons: Reasons) {
        let nodes = graph.nodes();
        let found = components(graph, reasons);
        let mut reach = vec![vec![false; nodes]; nodes];
        for (from, row) in reach.iter_mut().enumerate() {
            row[from] = true;
            for arc in graph.arcs(from as u32).iter().filter(|arc| reasons.contains(arc.why())) {
                row[arc.target() as usize] = true;
            }
        }
        for via in 0..nodes {
            for from in 0..nodes {
                for to in 0..nodes {
                    reach[from][to] |= reach[from][via] && reach[via][to];
                }
            }
        }
        let leads = |a: usize, b: usize| reach[a][b];
        for a in 0..nodes {
            for b in 0..nodes {
                assert_eq!(found.of[a] == found.of[b], leads(a, b) && leads(b, a), "{a} {b}");
                assert!(!leads(a, b) || found.of[a] >= found.of[b], "{a} leads to {b}");
            }
        }
        let (members, starts) = found.members();
        assert_eq!((members.len(), starts.len()), (nodes, found.count + 1));
    }

    #[test]
    fn agrees_with_reachability() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..500 {
            let nodes = rng.random_range(1..12_u32);
            let edges: Vec<(u32, Arc)> = (0..rng.random_range(0..30))
                .map(|_| {
                    let why = [Why::Ww, Why::Rw, Why::Link][rng.random_range(0..3)];
                    (rng.random_range(0..nodes), Arc::new(rng.random_range(0..nodes), why))
                })
                .collect();
            let graph = Graph::new(nodes as usize, &edges);
            check(&graph, Reasons::ALL);
            check(&graph, Reasons::NONE.with(Why::Ww));
        }
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let nodes = 200_000_u32;
        let edges: Vec<(u32, Arc)> =
            (0..nodes).map(|at| (at, Arc::new((at + 1) % nodes, Why::Ww))).collect();
        assert_eq!(components(&Graph::new(nodes as usize, &edges), Reasons::ALL).count, 1);
    }
}
