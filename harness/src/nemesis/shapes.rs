//! The shapes of partitions and the aims of kills and pauses: pure functions of the members and
//! a stream of randomness.
//!
//! The shapes are Jepsen's (`jepsen.nemesis`, `jepsen.nemesis.combined`), and one-way ones beside
//! them, in which a message gets through in one direction only. A shape that makes no sense for a
//! cluster of this size (a ring of two nodes) is not offered for it.

use crate::nemesis::{Aim, Cut, Grudge};
use quorate_targets::node::NodeId;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use std::collections::{BTreeMap, BTreeSet};

/// In rings of more nodes than this, majorities are found at random.
const EXACT_RING_MAX: usize = 5;

/// How many nodes are a majority of `n`.
fn majority(n: usize) -> usize {
    n / 2 + 1
}

/// The shape of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Two random halves, of which (with an odd number of nodes) one is a majority.
    Halves,
    /// One random node from all others.
    One,
    /// A random third (rounded down, without the node that a majority needs) from all others.
    MinorityThird,
    /// Each node hears a majority, and no two the same one.
    MajoritiesRing,
    /// Two halves that only one node hears and reaches both of.
    Bridge,
    /// One random node hears nobody, but is heard.
    Deaf,
    /// One random node is heard by nobody, but hears.
    Mute,
    /// One of two random halves does not hear the other.
    OneWayHalves,
    /// The leader from all others.
    LeaderAlone,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Shape; 9] = [
        Shape::Halves,
        Shape::One,
        Shape::MinorityThird,
        Shape::MajoritiesRing,
        Shape::Bridge,
        Shape::Deaf,
        Shape::Mute,
        Shape::OneWayHalves,
        Shape::LeaderAlone,
    ];

    /// Its name in plan and report.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Halves => "halves",
            Shape::One => "one",
            Shape::MinorityThird => "minority-third",
            Shape::MajoritiesRing => "majorities-ring",
            Shape::Bridge => "bridge",
            Shape::Deaf => "deaf",
            Shape::Mute => "mute",
            Shape::OneWayHalves => "one-way-halves",
            Shape::LeaderAlone => "leader-alone",
        }
    }

    /// The smallest cluster in which it is a shape of its own.
    pub fn nodes_min(self) -> usize {
        match self {
            Shape::Halves | Shape::Deaf | Shape::LeaderAlone => 2,
            Shape::One => 4, // below, halves are the same
            Shape::MajoritiesRing | Shape::Bridge | Shape::Mute => 3,
            Shape::OneWayHalves => 4,
            Shape::MinorityThird => 7, // below, it is one node
        }
    }

    /// What it cuts among `nodes`, of which there must be at least [`Shape::nodes_min`].
    pub fn cut(self, nodes: &[NodeId], rng: &mut impl Rng) -> Cut {
        let mut order = nodes.to_vec();
        order.shuffle(rng);
        Cut::Grudge(match self {
            Shape::Halves => apart(&order, order.len() / 2),
            Shape::One => apart(&order, 1),
            Shape::MinorityThird => apart(&order, (order.len() - 1) / 3),
            Shape::MajoritiesRing if order.len() <= EXACT_RING_MAX => exact_ring(&order),
            Shape::MajoritiesRing => random_ring(&order, rng),
            Shape::Bridge => apart(&order[1..], (order.len() - 1) / 2),
            Shape::Deaf => deaf(&order[..1], &order[1..]),
            Shape::Mute => deaf(&order[1..], &order[..1]),
            Shape::OneWayHalves => {
                let (small, large) = order.split_at(order.len() / 2);
                if rng.random() { deaf(small, large) } else { deaf(large, small) }
            }
            Shape::LeaderAlone => return Cut::LeaderAlone,
        })
    }
}

/// The grudge that separates `one` from `others`, both ways.
pub fn alone(one: NodeId, others: &[NodeId]) -> Grudge {
    let mut grudge = deaf(&[one], others);
    grudge.extend(deaf(others, &[one]));
    grudge
}

/// The listeners hear none of the speakers.
fn deaf(listeners: &[NodeId], speakers: &[NodeId]) -> Grudge {
    let mut speakers = speakers.to_vec();
    speakers.sort_unstable();
    listeners.iter().map(|node| (*node, speakers.clone())).collect()
}

/// The first `size` nodes and the rest do not hear each other.
fn apart(nodes: &[NodeId], size: usize) -> Grudge {
    let (left, right) = nodes.split_at(size);
    let mut grudge = deaf(left, right);
    grudge.extend(deaf(right, left));
    grudge
}

/// Each node hears the majority in whose middle it stands on a circle. Two nodes have different
/// middles and so different majorities. With majorities of even size it is one-way in places.
fn exact_ring(circle: &[NodeId]) -> Grudge {
    let (n, size) = (circle.len(), majority(circle.len()));
    let hears = |middle: usize| -> BTreeSet<NodeId> {
        (0..size).map(|i| circle[(middle + n - size / 2 + i) % n]).collect()
    };
    let heard = circle.iter().enumerate().map(|(i, node)| (*node, hears(i))).collect();
    invert(&heard)
}

/// Links are added where they are needed most until every node has a majority. Links work both
/// ways; with many nodes two equal majorities are unlikely, not impossible.
fn random_ring(nodes: &[NodeId], rng: &mut impl Rng) -> Grudge {
    let mut hears: BTreeMap<NodeId, BTreeSet<NodeId>> =
        nodes.iter().map(|node| (*node, BTreeSet::from([*node]))).collect();
    loop {
        let mut order = nodes.to_vec();
        order.shuffle(rng);
        order.sort_by_key(|node| hears[node].len()); // stable: ties stay random
        let poorest = order[0];
        if hears[&poorest].len() >= majority(nodes.len()) {
            return invert(&hears);
        }
        if let Some(friend) = order.iter().find(|node| !hears[&poorest].contains(node)) {
            hears.entry(poorest).or_default().insert(*friend);
            hears.entry(*friend).or_default().insert(poorest);
        }
    }
}

/// From whom each node hears to whom it does not.
fn invert(hears: &BTreeMap<NodeId, BTreeSet<NodeId>>) -> Grudge {
    let deaf_to = |heard: &BTreeSet<NodeId>| -> Vec<NodeId> {
        hears.keys().filter(|node| !heard.contains(node)).copied().collect()
    };
    hears
        .iter()
        .map(|(node, heard)| (*node, deaf_to(heard)))
        .filter(|(_, deaf_to)| !deaf_to.is_empty())
        .collect()
}

/// Whom a kill or a pause hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// One random node.
    One,
    /// As many as leave a majority.
    Minority,
    /// A bare majority.
    Majority,
    /// Everyone.
    All,
    /// Whoever leads.
    Leader,
}

impl Whom {
    /// The smallest cluster in which this differs from [`Whom::One`] and [`Whom::All`].
    pub fn nodes_min(self) -> usize {
        match self {
            Whom::One => 1,
            Whom::All | Whom::Leader => 2,
            Whom::Majority => 3,
            Whom::Minority => 5,
        }
    }

    /// Draws the nodes.
    pub fn aim(self, nodes: &[NodeId], rng: &mut impl Rng) -> Aim {
        let count = match self {
            Whom::One => 1,
            Whom::Minority => nodes.len() - majority(nodes.len()),
            Whom::Majority => majority(nodes.len()),
            Whom::All => nodes.len(),
            Whom::Leader => return Aim::Leader,
        };
        let mut order = nodes.to_vec();
        order.shuffle(rng);
        order.truncate(count);
        order.sort_unstable();
        Aim::Nodes(order)
    }
}

#[cfg(test)]
mod tests;
