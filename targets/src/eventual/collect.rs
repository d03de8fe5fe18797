//! Tombstones are forgotten: not before a time of grace (Cassandra's `gc_grace_seconds`), and not
//! before all homes have them (its `only_purge_repaired_tombstones`).
//!
//! A replica that missed the delete still has the value. If the others forgot their tombstones,
//! nothing would tell its old value from a new one, and it would come back. So the first home of
//! a key asks the others whether they have exactly what it has, and only when all have said yes
//! tells them to forget. The grace is for what is on its way in the network or kept as a hint.

use super::Eventual;
use super::message::{Key, Message, Record, Timer};
use crate::bugs::Bug;
use crate::node::{Cx, NodeId};
use std::collections::BTreeSet;

/// The most keys that are asked about at once.
const POLLS_MAX: usize = 64;

/// Homes are asked about a key.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    hash: u64,
    before: u64,
    agreed: BTreeSet<NodeId>,
}

impl Eventual {
    pub(super) fn on_sweep(&mut self, cx: &mut Cx<'_, Eventual>) {
        self.rearm(Timer::Sweep, cx);
        // What was not agreed upon by now is asked anew.
        self.collecting.clear();
        let now = self.now(cx).0;
        // The bug knows no grace, and asks nobody.
        let alone = self.config.has(Bug::ResurrectDeleted);
        let before = if alone { u64::MAX } else { now.saturating_sub(self.options.grace_ns) };
        let old = self.store.iter().filter(|(_, cell)| cell.has_tombstones(before));
        let old: Vec<Key> = old.map(|(key, _)| key.clone()).take(POLLS_MAX).collect();
        for key in old {
            if alone {
                self.forget(key, before, cx);
            } else if self.homes(&key).first() == Some(&self.config.id) {
                self.poll(&key, before, cx);
            }
        }
    }

    fn poll(&mut self, key: &Key, before: u64, cx: &mut Cx<'_, Eventual>) {
        let hash = self.store.digest(key);
        let poll = Poll { hash, before, agreed: BTreeSet::new() };
        self.collecting.insert(key.clone(), poll);
        for home in self.homes(key) {
            self.send(home, Message::Collect { key: key.clone(), hash }, cx);
        }
    }

    pub(super) fn on_collect(
        &mut self,
        from: NodeId,
        key: Key,
        hash: u64,
        cx: &mut Cx<'_, Eventual>,
    ) {
        if self.store.digest(&key) == hash {
            self.send(from, Message::Same { key, hash }, cx);
        }
    }

    pub(super) fn on_same(
        &mut self,
        from: NodeId,
        key: &Key,
        hash: u64,
        cx: &mut Cx<'_, Eventual>,
    ) {
        let homes = self.homes(key);
        let Some(poll) = self.collecting.get_mut(key).filter(|poll| poll.hash == hash) else {
            return;
        };
        poll.agreed.insert(from);
        if homes.iter().all(|home| poll.agreed.contains(home)) {
            let before = poll.before;
            self.collecting.remove(key);
            for home in homes {
                self.send(home, Message::Purge { key: key.clone(), hash, before }, cx);
            }
        }
    }

    pub(super) fn on_purge(&mut self, key: Key, hash: u64, before: u64, cx: &mut Cx<'_, Eventual>) {
        if self.store.digest(&key) == hash {
            self.forget(key, before, cx);
        }
    }

    fn forget(&mut self, key: Key, before: u64, cx: &mut Cx<'_, Eventual>) {
        self.store.purge(&key, before);
        self.persist(Record::Purged { key, before }, cx);
        self.saw("a tombstone was forgotten");
    }
}
