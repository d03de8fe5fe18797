//! Invariants: what is looked at after every event, and how often the interesting was seen.
//!
//! A history shows a broken promise only if a client happens to see it. An [`Observer`] sees the
//! nodes themselves after every step, so that a protocol's invariant fails where it breaks. An
//! observer costs nothing where there is none: the world is generic over it, and `()` is empty.

use super::slot::Slot;
use super::time::Nanos;
use crate::node::{Effect, Input, Node, NodeId};
use std::collections::BTreeMap;

/// What may be looked at.
#[derive(Debug)]
pub struct View<'a, N: Node> {
    pub(super) now: Nanos,
    pub(super) slots: &'a [Slot<N>],
}

impl<'a, N: Node> View<'a, N> {
    /// Virtual time.
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// How many nodes the cluster has, running or not.
    pub fn members(&self) -> usize {
        self.slots.len()
    }

    /// A node, if it runs (or is paused).
    pub fn node(&self, id: NodeId) -> Option<&'a N> {
        self.slots.get(usize::from(id.0).checked_sub(1)?)?.node.as_ref()
    }

    /// All nodes that run (or are paused), ascending.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &'a N)> {
        self.slots.iter().filter_map(|slot| Some((slot.config.id, slot.node.as_ref()?)))
    }

    /// What is durable in a node's journal. While the node is down after a loss of power, a torn
    /// last record may be among it, which the next boot cuts off.
    pub fn journal(&self, id: NodeId) -> &'a [N::Record] {
        let slot = usize::from(id.0).checked_sub(1).and_then(|index| self.slots.get(index));
        slot.map_or(&[], |slot| slot.disk.durable())
    }
}

/// What has just happened to a node.
#[derive(Debug)]
pub enum Happened<'a, N: Node> {
    /// It took an input and wants this done.
    Stepped(&'a [Effect<N>]),
    /// It booted; its first step is next.
    Booted,
    /// It died.
    Died,
}

/// An invariant does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{property} does not hold at {at}: {detail}")]
pub struct Violation {
    /// The invariant's name.
    pub property: &'static str,
    /// When.
    pub at: Nanos,
    /// What was seen instead, in a sentence.
    pub detail: String,
}

/// Looks at the nodes around every event.
pub trait Observer<N: Node> {
    /// `node` is about to take `input`.
    fn before(&mut self, view: &View<'_, N>, node: NodeId, input: &Input<N>) {
        let _ = (view, node, input);
    }

    /// Something happened to `node`. An error ends the run.
    fn after(
        &mut self,
        view: &View<'_, N>,
        node: NodeId,
        happened: &Happened<'_, N>,
    ) -> Result<(), Violation> {
        let _ = (view, node, happened);
        Ok(())
    }
}

/// Nobody looks.
impl<N: Node> Observer<N> for () {}

/// "Sometimes" counters: how often the interesting was seen. An invariant that was never put to
/// the test proves nothing, so each state that matters is declared, and reported at zero too.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Sometimes(BTreeMap<&'static str, u64>);

impl Sometimes {
    /// Counters for these states, all at zero.
    #[must_use]
    pub fn declare(names: &[&'static str]) -> Sometimes {
        Sometimes(names.iter().map(|name| (*name, 0)).collect())
    }

    /// It was seen once more.
    pub fn saw(&mut self, name: &'static str) {
        *self.0.entry(name).or_default() += 1;
    }

    /// How often it was seen.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// What was never seen.
    pub fn never(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name)
    }

    /// All counters, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(name, count)| (*name, *count))
    }

    /// Adds the counters of another run.
    pub fn merge(&mut self, other: &Sometimes) {
        for (name, count) in other.iter() {
            *self.0.entry(name).or_default() += count;
        }
    }
}
