//! What was concluded for a view, in its order, and what a violation rests on.

use super::views::Views;
use crate::transactions::registers::{INITIAL, Node};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One write must come before another, since a reader sees the latter and comes behind the former.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    pub(super) from: Node,
    pub(super) to: Node,
    reader: Node,
}

/// All demands, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Derived {
    pub(super) demands: Vec<Demand>,
}

/// Where a view turned out to be impossible.
#[derive(Debug)]
pub(super) enum Stage {
    /// A write comes before a read of the initial value.
    Initial { from: Node, reader: Node },
    /// Both orders of two operations must be kept. For one operation twice: it comes before
    /// itself.
    Before { from: Node, to: Node },
    /// A circle of demands and of what is kept.
    Circle(Vec<Node>),
}

impl Derived {
    pub(super) fn add(&mut self, from: Node, to: Node, reader: Node) {
        self.demands.push(Demand { from, to, reader });
    }

    /// The operations that a violation rests on.
    pub(super) fn grounds(
        &self,
        views: &Views<'_, '_>,
        session: u32,
        stage: &Stage,
    ) -> BTreeSet<Node> {
        let mut nodes = BTreeSet::new();
        let mut done = BTreeSet::new();
        // Pairs whose order must be shown, each by demands before a number.
        let mut open: Vec<(Node, Node, usize)> = Vec::new();
        let all = self.demands.len();
        match stage {
            Stage::Initial { from, reader } => open.push((*from, *reader, all)),
            Stage::Before { from, to } => {
                open.extend([(*from, *to, all), (*to, *from, all)]);
            }
            Stage::Circle(circle) => {
                let next = circle.iter().skip(1).chain(circle.first());
                open.extend(circle.iter().zip(next).map(|(a, b)| (*a, *b, all)));
            }
        }
        while let Some((from, to, limit)) = open.pop() {
            nodes.extend([from, to]);
            for (step, demand) in self.way(views, session, from, to, limit) {
                nodes.insert(step);
                let Some(number) = demand.filter(|number| done.insert(*number)) else { continue };
                let Demand { from, to, reader } = self.demands[number];
                nodes.extend([from, to, reader]);
                open.push((from, reader, number));
            }
        }
        nodes.remove(&INITIAL);
        nodes
    }

    /// A shortest way from one operation to a later one: its steps, each with the demand that it
    /// takes, if it takes one.
    fn way(
        &self,
        views: &Views<'_, '_>,
        session: u32,
        from: Node,
        to: Node,
        limit: usize,
    ) -> Vec<(Node, Option<usize>)> {
        let registers = views.registers;
        let mut into: BTreeMap<Node, Vec<usize>> = BTreeMap::new();
        for (number, demand) in self.demands.iter().enumerate().take(limit) {
            into.entry(demand.to).or_default().push(number);
        }
        let mut came: BTreeMap<Node, (Node, Option<usize>)> = BTreeMap::new();
        let mut queue = VecDeque::from([to]);
        while let Some(node) = queue.pop_front() {
            let causal = views.causal() || registers.session(node) == session;
            let reads = registers.reads(node).iter().filter(|_| causal);
            let before = reads
                .filter_map(|read| read.writer())
                .chain(registers.before(node))
                .map(|before| (before, None));
            let demands = into.get(&node).into_iter().flatten();
            let demands = demands.map(|number| (self.demands[*number].from, Some(*number)));
            for (before, demand) in before.chain(demands) {
                if before == INITIAL || came.contains_key(&before) {
                    continue;
                }
                came.insert(before, (node, demand));
                if before == from {
                    return follow(&came, from, to);
                }
                queue.push_back(before);
            }
        }
        Vec::new()
    }
}

fn follow(
    came: &BTreeMap<Node, (Node, Option<usize>)>,
    from: Node,
    to: Node,
) -> Vec<(Node, Option<usize>)> {
    let mut way = Vec::new();
    let mut node = from;
    while let Some((next, demand)) = came.get(&node) {
        way.push((node, *demand));
        node = *next;
        if node == to {
            break;
        }
    }
    way
}
