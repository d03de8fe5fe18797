//! The operations that a violation rests on: enough that the model is broken by them alone.

use crate::transactions::registers::{INITIAL, Node};
use crate::transactions::weak::Graph;
use std::collections::BTreeSet;

/// Operations; a superset of the smallest evidence.
#[derive(Debug, Default)]
pub(super) struct Grounds {
    pub(super) nodes: BTreeSet<Node>,
}

impl Grounds {
    /// That one operation comes causally before another.
    pub(super) fn causal(&mut self, graph: &Graph<'_, '_>, from: Node, to: Node) {
        self.nodes.insert(to);
        if from != INITIAL {
            let way = graph.path(from, to, usize::MAX).unwrap_or_else(|| vec![from]);
            self.nodes.extend(way.into_iter().filter(|node| *node != INITIAL));
        }
    }
}
