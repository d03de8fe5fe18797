//! What is under a key: values that merge.
//!
//! A merge is commutative, associative and idempotent, so replicas that have seen the same
//! updates have the same cell, in whatever order and how often these came (strong eventual
//! consistency; Shapiro et al., *Conflict-free Replicated Data Types*, 2011, section 2.2). An
//! update travels as a cell of its own that is merged where it arrives (a delta: Almeida et al.
//! 2015). One kind of cell a file: [`super::lww`], [`super::siblings`], [`super::crdt`].

use super::crdt::{Counter, OrSet};
use super::lww::Lww;
use super::ring::hash;
use super::siblings::Siblings;
use super::token::Version;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is under a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// The last writer's value.
    Lww(Lww),
    /// All values that no other has replaced.
    Siblings(Siblings),
    /// A set that only grows: its elements as canonical JSON.
    GSet(BTreeSet<String>),
    /// A set with removes.
    OrSet(OrSet),
    /// A counter.
    Counter(Counter),
}

impl Cell {
    /// Takes in what the other has.
    pub fn merge(&mut self, other: &Cell) {
        match (&mut *self, other) {
            (Cell::Lww(mine), Cell::Lww(theirs)) => mine.merge(theirs),
            (Cell::Siblings(mine), Cell::Siblings(theirs)) => mine.merge(theirs),
            (Cell::GSet(mine), Cell::GSet(theirs)) => mine.extend(theirs.iter().cloned()),
            (Cell::OrSet(mine), Cell::OrSet(theirs)) => mine.merge(theirs),
            (Cell::Counter(mine), Cell::Counter(theirs)) => mine.merge(theirs),
            // Nodes that disagree on how conflicts are resolved: all keep the same one.
            (mine, theirs) if theirs.rank() > mine.rank() => *self = theirs.clone(),
            _ => {}
        }
    }

    /// Whether a merge with the other changes nothing.
    pub fn covers(&self, other: &Cell) -> bool {
        let mut merged = self.clone();
        merged.merge(other);
        merged == *self
    }

    fn rank(&self) -> u8 {
        match self {
            Cell::Lww(_) => 0,
            Cell::Siblings(_) => 1,
            Cell::GSet(_) => 2,
            Cell::OrSet(_) => 3,
            Cell::Counter(_) => 4,
        }
    }

    /// The latest stamp in it; 0 where there is none.
    pub fn latest(&self) -> u64 {
        match self {
            Cell::Lww(lww) => lww.stamp.time,
            Cell::Siblings(siblings) => siblings.latest(),
            Cell::OrSet(set) => set.latest(),
            Cell::GSet(_) | Cell::Counter(_) => 0,
        }
    }

    /// Whether a session that has seen this much may be shown this.
    pub fn reaches(&self, version: &Version) -> bool {
        match (self, version) {
            (Cell::Lww(lww), Version::Lww(stamp)) => lww.stamp >= *stamp,
            (Cell::Siblings(siblings), Version::Vector(seen)) => siblings.seen().includes(seen),
            _ => true,
        }
    }

    /// Whether it has tombstones older than this.
    pub fn has_tombstones(&self, before: u64) -> bool {
        match self {
            Cell::Lww(lww) => lww.is_tombstone() && lww.stamp.time < before,
            Cell::Siblings(siblings) => siblings.is_tombstone() && siblings.latest() < before,
            Cell::OrSet(set) => set.has_removed(before),
            Cell::GSet(_) | Cell::Counter(_) => false,
        }
    }

    /// Without its tombstones older than this; nothing if nothing is left. The result depends on
    /// the cell alone, so that replicas with equal cells stay equal.
    pub fn purged(mut self, before: u64) -> Option<Cell> {
        if !self.has_tombstones(before) {
            return Some(self);
        }
        let Cell::OrSet(set) = &mut self else { return None };
        set.purge(before);
        (!set.is_empty()).then_some(self)
    }

    /// A digest of all of it.
    pub(super) fn digest(&self) -> u64 {
        // Writing to memory cannot fail: no map here has names that are not text.
        hash(&serde_json::to_vec(self).unwrap_or_default())
    }
}
