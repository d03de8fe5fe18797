//! A register that keeps every value which no other write has seen (`DeCandia` et al. 2007,
//! section 4.4, with the dotted version vectors of Preguiça et al. 2012).
//!
//! Each value has a dot: the n-th write of its coordinator to this key. The cell knows which dots
//! it has seen. A merge drops a value that the other side has seen and does not hold: some write
//! there took its place. That is sound because a coordinator sends with each write all of its own
//! earlier ones that still stand, so that to have seen its n-th is to have seen those before.

use super::clock::{Dot, Stamp, Vector};
use super::token::Token;
use crate::node::NodeId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One of several values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sibling {
    /// Which write.
    pub dot: Dot,
    /// When, for those who want only one.
    pub stamp: Stamp,
    /// The value; absent where it is a tombstone.
    pub value: Option<Value>,
    /// See [`super::lww::Lww::deps`].
    #[serde(default, skip_serializing_if = "Token::is_empty")]
    pub deps: Token,
}

/// Values and what was seen. The values are in the order of their dots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Siblings {
    seen: Vector,
    values: Vec<Sibling>,
}

impl Siblings {
    /// The write of a value that takes the place of all that `context` has seen.
    pub fn write(
        &mut self,
        context: &Vector,
        node: NodeId,
        stamp: Stamp,
        value: Option<Value>,
        deps: Token,
    ) {
        self.values.retain(|sibling| !context.covers(sibling.dot));
        self.seen.join(context);
        let dot = self.seen.next(node);
        self.values.push(Sibling { dot, stamp, value, deps });
        self.values.sort_by_key(|sibling| sibling.dot);
    }

    pub(super) fn merge(&mut self, other: &Siblings) {
        let theirs: BTreeMap<Dot, &Sibling> =
            other.values.iter().map(|sibling| (sibling.dot, sibling)).collect();
        let mine: Vec<Dot> = self.values.iter().map(|sibling| sibling.dot).collect();
        self.values
            .retain(|sibling| theirs.contains_key(&sibling.dot) || !other.seen.covers(sibling.dot));
        let new = theirs.into_iter().filter(|(dot, _)| !mine.contains(dot));
        let new = new.filter(|(dot, _)| !self.seen.covers(*dot));
        let new: Vec<Sibling> = new.map(|(_, sibling)| sibling.clone()).collect();
        self.values.extend(new);
        self.values.sort_by_key(|sibling| sibling.dot);
        self.seen.join(&other.seen);
    }

    /// What was seen: the context for the write that takes the place of these.
    pub fn seen(&self) -> &Vector {
        &self.seen
    }

    /// The values, tombstones left out.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.iter().filter_map(|sibling| sibling.value.as_ref())
    }

    /// All siblings.
    pub fn all(&self) -> &[Sibling] {
        &self.values
    }

    /// The newest value, by stamp.
    pub fn newest(&self) -> Option<&Value> {
        let valued = self.values.iter().filter(|sibling| sibling.value.is_some());
        valued.max_by_key(|sibling| sibling.stamp)?.value.as_ref()
    }

    pub(super) fn latest(&self) -> u64 {
        self.values.iter().map(|sibling| sibling.stamp.time).max().unwrap_or(0)
    }

    pub(super) fn is_tombstone(&self) -> bool {
        self.values.iter().all(|sibling| sibling.value.is_none())
    }
}
