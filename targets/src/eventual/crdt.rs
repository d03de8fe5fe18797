//! Sets with removes, and counters (Shapiro et al., *A comprehensive study of Convergent and
//! Commutative Replicated Data Types*, 2011: sections 3.3.5 and 3.1.3).
//!
//! *Observed-remove set*: each add has a unique tag; a remove names the tags that it has seen. An
//! add that is concurrent with a remove has a tag which the remove does not name, and survives.
//! The names of removed tags are tombstones: forgotten too early, a replica that missed the
//! remove brings the element back.
//!
//! *PN-counter*: each node has two sums of its own, of what it added and of what it took away,
//! which only grow. A merge takes the greater of each, so that no sum counts twice.

use super::clock::Stamp;
use crate::node::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A set from which elements can be removed. Elements are canonical JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OrSet {
    /// Elements with the tags under which they were added; no tag here is removed.
    adds: BTreeMap<String, BTreeSet<Stamp>>,
    /// Removed tags, and when each was removed.
    removed: BTreeSet<Removed>,
}

/// A tag that is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Removed {
    tag: Stamp,
    at: u64,
}

impl OrSet {
    /// The add of an element.
    pub fn add(element: String, tag: Stamp) -> OrSet {
        let adds = BTreeMap::from([(element, BTreeSet::from([tag]))]);
        OrSet { adds, removed: BTreeSet::new() }
    }

    /// The remove of an element as this set has it.
    #[must_use]
    pub fn remove(&self, element: &str, at: u64) -> OrSet {
        let tags = self.adds.get(element).into_iter().flatten();
        OrSet {
            adds: BTreeMap::new(),
            removed: tags.map(|tag| Removed { tag: *tag, at }).collect(),
        }
    }

    pub(super) fn merge(&mut self, other: &OrSet) {
        for (element, tags) in &other.adds {
            self.adds.entry(element.clone()).or_default().extend(tags);
        }
        self.removed.extend(&other.removed);
        self.tidy();
    }

    /// Takes removed tags out, and keeps of two removes of one tag the later.
    fn tidy(&mut self) {
        let latest: BTreeMap<Stamp, u64> = self.removed.iter().map(|r| (r.tag, r.at)).collect();
        self.removed.retain(|removed| latest.get(&removed.tag) == Some(&removed.at));
        self.adds.retain(|_, tags| {
            tags.retain(|tag| !latest.contains_key(tag));
            !tags.is_empty()
        });
    }

    /// The elements.
    pub fn elements(&self) -> impl Iterator<Item = &String> {
        self.adds.keys()
    }

    pub(super) fn latest(&self) -> u64 {
        let removed = self.removed.iter().map(|removed| removed.at);
        let added = self.adds.values().flatten().map(|tag| tag.time);
        removed.chain(added).max().unwrap_or(0)
    }

    pub(super) fn has_removed(&self, before: u64) -> bool {
        self.removed.iter().any(|removed| removed.at < before)
    }

    pub(super) fn purge(&mut self, before: u64) {
        self.removed.retain(|removed| removed.at >= before);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.adds.is_empty() && self.removed.is_empty()
    }
}

/// A number that goes up and down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    /// By node, what it added and what it took away.
    shards: BTreeMap<NodeId, (u64, u64)>,
}

impl Counter {
    /// One more update of a node.
    pub fn add(&mut self, node: NodeId, by: i64) {
        let (up, down) = self.shards.entry(node).or_default();
        let sum = if by < 0 { down } else { up };
        *sum = sum.saturating_add(by.unsigned_abs());
    }

    pub(super) fn merge(&mut self, other: &Counter) {
        for (node, (up, down)) in &other.shards {
            let mine = self.shards.entry(*node).or_default();
            *mine = (mine.0.max(*up), mine.1.max(*down));
        }
    }

    /// Its value, within the bounds of the type.
    pub fn value(&self) -> i64 {
        let sum = |part: fn(&(u64, u64)) -> u64| -> i128 {
            self.shards.values().map(|shard| i128::from(part(shard))).sum()
        };
        let value = sum(|shard| shard.0) - sum(|shard| shard.1);
        i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
    }
}
