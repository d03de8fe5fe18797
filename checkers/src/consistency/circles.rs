//! A circle of demands and of the order kept, if a view has one.
//!
//! Whatever comes before an operation of the process brings all before it along, so the writes of
//! a circle enter the rows at the same operation. For each such operation the writes of its
//! demands are ordered by depth-first search: edges are the demands, and from each session the
//! last write that is kept before another one.

use super::derived::Stage;
use super::views::View;
use crate::transactions::registers::Node;
use std::collections::BTreeMap;

/// A circle among the demands of a view.
pub(super) fn among(view: &View<'_, '_, '_>) -> Option<Stage> {
    let mut entries: Vec<(usize, Node)> = Vec::with_capacity(2 * view.derived.demands.len());
    for demand in &view.derived.demands {
        let (from, to) = (view.entry(demand.from), view.entry(demand.to));
        if from == to {
            entries.extend([(from, demand.from), (to, demand.to)]);
        }
    }
    entries.sort_unstable();
    entries.dedup();
    let mut into: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    for demand in &view.derived.demands {
        into.entry(demand.to).or_default().push(demand.from);
    }
    let mut groups = entries.chunk_by(|a, b| a.0 == b.0);
    groups.find_map(|group| {
        let nodes: Vec<Node> = group.iter().map(|(_, node)| *node).collect();
        circle(view, &nodes, &into).map(Stage::Circle)
    })
}

/// A circle within a group of writes, sorted and so session by session.
fn circle(
    view: &View<'_, '_, '_>,
    nodes: &[Node],
    into: &BTreeMap<Node, Vec<Node>>,
) -> Option<Vec<Node>> {
    const NEW: u8 = 0;
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    let before: Vec<Vec<usize>> =
        nodes.iter().map(|node| edges(view, nodes, into, *node)).collect();
    let mut state = vec![NEW; nodes.len()];
    for root in 0..nodes.len() {
        if state[root] != NEW {
            continue;
        }
        let mut stack = vec![(root, 0)];
        state[root] = OPEN;
        while let Some((at, number)) = stack.last_mut() {
            let Some(next) = before[*at].get(*number).copied() else {
                state[*at] = DONE;
                stack.pop();
                continue;
            };
            *number += 1;
            match state[next] {
                NEW => {
                    state[next] = OPEN;
                    stack.push((next, 0));
                }
                OPEN => {
                    let path = stack.iter().map(|(at, _)| *at).skip_while(|at| *at != next);
                    let mut circle: Vec<Node> = path.map(|at| nodes[at]).collect();
                    circle.reverse();
                    return Some(circle);
                }
                _ => {}
            }
        }
    }
    None
}

/// The places in the group of what comes right before `node`.
fn edges(
    view: &View<'_, '_, '_>,
    nodes: &[Node],
    into: &BTreeMap<Node, Vec<Node>>,
    node: Node,
) -> Vec<usize> {
    let registers = view.views.registers;
    let demanded = into.get(&node).into_iter().flatten();
    let mut before: Vec<usize> =
        demanded.filter_map(|from| nodes.binary_search(from).ok()).collect();
    let mut begin = 0;
    for stretch in nodes.chunk_by(|a, b| registers.session(*a) == registers.session(*b)) {
        let last = stretch.partition_point(|other| view.views.before(*other, node));
        before.extend((begin + last).checked_sub(1).filter(|_| last > 0));
        begin += stretch.len();
    }
    before
}
