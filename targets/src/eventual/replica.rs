//! What other nodes ask of this one: to tell what it has, and to take more in.
//!
//! A replica merges whatever comes, in any order and any number of times; nothing is refused. What
//! it tells and what it acknowledges is on disk by then.

use super::Eventual;
use super::cell::Cell;
use super::message::{Key, Message, Record, Tag};
use crate::bugs::Bug;
use crate::node::{Cx, NodeId};

impl Eventual {
    /// All that this node has of a key: as its home, and for others.
    pub(super) fn local(&self, key: &Key) -> Option<Cell> {
        let kept = self.hints.values().filter_map(|hints| hints.get(key));
        let mut all = self.store.get(key).into_iter().chain(kept);
        let mut cell = all.next()?.clone();
        all.for_each(|other| cell.merge(other));
        Some(cell)
    }

    pub(super) fn on_get(&mut self, from: NodeId, tag: Tag, key: &Key, cx: &mut Cx<'_, Eventual>) {
        let cell = self.local(key);
        self.send(from, Message::Got { tag, cell }, cx);
    }

    pub(super) fn on_put(
        &mut self,
        from: NodeId,
        tag: Option<Tag>,
        key: Key,
        cell: &Cell,
        hint: Option<NodeId>,
        cx: &mut Cx<'_, Eventual>,
    ) {
        match hint {
            Some(home) if home != self.config.id => self.keep_for(home, key, cell, cx),
            _ => {
                self.take_in(key, cell, cx);
            }
        }
        if let Some(tag) = tag {
            self.send(from, Message::Ack { tag }, cx);
        }
    }

    /// Merges what is new, also on disk.
    pub(super) fn take_in(&mut self, key: Key, cell: &Cell, cx: &mut Cx<'_, Eventual>) -> bool {
        self.clock.hear(cell.latest());
        let (ring, replicas) = (&self.ring, self.options.replicas);
        let homes = || ring.walk(&key).into_iter().take(replicas).collect();
        let changed = self.store.merge(&key, cell, homes);
        if changed {
            self.persist(Record::Put { key, cell: cell.clone() }, cx);
        }
        changed
    }

    /// Keeps a cell for a home that is away, also on disk.
    pub(super) fn keep_for(
        &mut self,
        home: NodeId,
        key: Key,
        cell: &Cell,
        cx: &mut Cx<'_, Eventual>,
    ) {
        self.clock.hear(cell.latest());
        // The bug takes the hint and lays it down nowhere.
        if self.config.has(Bug::DropHints) {
            return;
        }
        self.saw("a hint was kept");
        let hints = self.hints.entry(home).or_default();
        match hints.get_mut(&key) {
            Some(known) => known.merge(cell),
            None => {
                hints.insert(key.clone(), cell.clone());
            }
        }
        self.persist(Record::Hint { home, key, cell: cell.clone() }, cx);
    }
}
