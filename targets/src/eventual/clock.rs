//! Stamps that order writes, and vectors that tell what was seen from what was not.
//!
//! A stamp is the time of the coordinator's clock, made *hybrid* (Kulkarni et al., *Logical
//! Physical Clocks*, 2014): never behind a stamp that the node has heard of. So a write that
//! follows a read has the greater stamp, however wrong a clock is. Ties are broken by the node.
//!
//! A version vector (Parker et al. 1983; `DeCandia` et al. 2007, section 4.4) says for each node
//! how many of its writes to a key were seen.

use crate::node::{NodeId, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// When a write was made, by its coordinator's clock; greater is newer.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Stamp {
    /// Nanoseconds since the Unix epoch, or more.
    pub time: u64,
    /// The coordinator's number.
    pub node: u16,
}

/// The n-th write of a node to one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dot {
    /// The coordinator.
    pub node: NodeId,
    /// Its writes to this key, counted from 1.
    pub count: u64,
}

/// A hybrid logical clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hybrid {
    last: u64,
}

impl Hybrid {
    /// A stamp above all that were given or heard.
    pub fn stamp(&mut self, now: Time, node: NodeId) -> Stamp {
        self.last = now.0.max(self.last.saturating_add(1));
        Stamp { time: self.last, node: node.0 }
    }

    /// A stamp of another was seen.
    pub fn hear(&mut self, time: u64) {
        self.last = self.last.max(time);
    }

    /// The latest time that was given or heard.
    pub fn latest(&self) -> u64 {
        self.last
    }
}

/// For each node, how many of its writes to a key were seen. Written as a list, since it travels
/// in places where JSON knows only words as names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Dot>", into = "Vec<Dot>")]
pub struct Vector(BTreeMap<NodeId, u64>);

impl Vector {
    /// Whether the write was seen.
    pub fn covers(&self, dot: Dot) -> bool {
        self.0.get(&dot.node).is_some_and(|count| *count >= dot.count)
    }

    /// Whether all was seen that the other has seen.
    pub fn includes(&self, other: &Vector) -> bool {
        other.0.iter().all(|(node, count)| self.covers(Dot { node: *node, count: *count }))
    }

    /// Sees what the other has seen.
    pub fn join(&mut self, other: &Vector) {
        for (node, count) in &other.0 {
            let known = self.0.entry(*node).or_default();
            *known = (*known).max(*count);
        }
    }

    /// The next write of a node, seen from now on.
    pub fn next(&mut self, node: NodeId) -> Dot {
        let count = self.0.entry(node).or_default();
        *count += 1;
        Dot { node, count: *count }
    }
}

impl From<Vec<Dot>> for Vector {
    fn from(dots: Vec<Dot>) -> Vector {
        Vector(dots.into_iter().map(|dot| (dot.node, dot.count)).collect())
    }
}

impl From<Vector> for Vec<Dot> {
    fn from(vector: Vector) -> Vec<Dot> {
        vector.0.into_iter().map(|(node, count)| Dot { node, count }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_rise_whatever_the_clock_does() {
        let mut clock = Hybrid::default();
        let first = clock.stamp(Time(100), NodeId(1));
        let back = clock.stamp(Time(7), NodeId(1));
        assert!(back > first);
        clock.hear(5_000);
        assert!(clock.stamp(Time(101), NodeId(1)).time > 5_000);
        assert!(clock.stamp(Time(9_000), NodeId(1)).time == 9_000);
    }

    #[test]
    fn vectors_tell_concurrent_from_later() {
        let (a, b) = (NodeId(1), NodeId(2));
        let mut left = Vector::default();
        let dot = left.next(a);
        let mut right = Vector::default();
        right.next(b);
        assert!(left.covers(dot) && !right.covers(dot));
        assert!(!left.includes(&right) && !right.includes(&left));
        right.join(&left);
        assert!(right.includes(&left) && right.covers(dot));
        let text = serde_json::to_string(&right).unwrap();
        assert_eq!(serde_json::from_str::<Vector>(&text).unwrap(), right);
    }
}
