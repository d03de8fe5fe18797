//! Replicas compare what they have, in the background (`DeCandia` et al. 2007, section 4.7).
//!
//! A node sends the hashes below its root to a random other. That one answers with the hashes
//! below each branch that differs, then each with the contents of the leaves that differ, and at
//! last cells go both ways. No step remembers the one before: each works on what is there when
//! the message comes, so lost, late and double messages do no harm.

use super::Eventual;
use super::cell::Cell;
use super::merkle::{Tree, WIDTH, leaf_of};
use super::message::{Key, Message, Timer};
use crate::bugs::Bug;
use crate::node::{Cx, NodeId};
use std::collections::BTreeMap;

/// The most cells in one message; the rest is found the next time.
const CELLS_MAX: usize = 256;

impl Eventual {
    pub(super) fn on_anti_entropy_due(&mut self, cx: &mut Cx<'_, Eventual>) {
        if !self.config.has(Bug::NoReadRepairNoAntiEntropy)
            && let Some(peer) = self.random_peer(cx)
        {
            let hashes = self.tree(peer).below(None);
            self.send(peer, Message::Compare { branch: None, hashes }, cx);
        }
        self.rearm(Timer::AntiEntropy, cx);
    }

    fn tree(&mut self, peer: NodeId) -> Tree {
        Tree::new(self.store.shared(self.config.id, peer))
    }

    pub(super) fn on_compare(
        &mut self,
        from: NodeId,
        branch: Option<u8>,
        hashes: &[u64],
        cx: &mut Cx<'_, Eventual>,
    ) {
        let tree = self.tree(from);
        let mine = tree.below(branch);
        let places = (0_u8..WIDTH as u8).zip(mine.iter().zip(hashes));
        let differ: Vec<u8> = places.filter(|(_, (a, b))| a != b).map(|(n, _)| n).collect();
        if branch.is_none() {
            self.saw(if differ.is_empty() { "trees were equal" } else { "trees differed" });
        }
        for place in differ {
            let message = match branch {
                None => {
                    let branch = Some(place);
                    Message::Compare { branch, hashes: tree.below(branch) }
                }
                Some(branch) => self.leaf(from, branch.wrapping_mul(WIDTH as u8) + place),
            };
            self.send(from, message, cx);
        }
    }

    fn leaf(&mut self, peer: NodeId, leaf: u8) -> Message {
        let shared = self.store.shared(self.config.id, peer);
        let here = shared.filter(|(key, _)| leaf_of(key) == leaf);
        Message::Leaf { leaf, entries: here.map(|(key, digest)| (key.clone(), digest)).collect() }
    }

    pub(super) fn on_leaf(
        &mut self,
        from: NodeId,
        leaf: u8,
        entries: &[(Key, u64)],
        cx: &mut Cx<'_, Eventual>,
    ) {
        let theirs: BTreeMap<&Key, u64> = entries.iter().map(|(key, hash)| (key, *hash)).collect();
        let shared = self.store.shared(self.config.id, from);
        let mine: BTreeMap<Key, u64> = shared
            .filter(|(key, _)| leaf_of(key) == leaf)
            .map(|(key, digest)| (key.clone(), digest))
            .collect();
        let sent = mine.iter().filter(|(key, hash)| theirs.get(key) != Some(hash));
        let sent: Vec<Key> = sent.map(|(key, _)| key.clone()).take(CELLS_MAX).collect();
        let wanted = theirs.iter().filter(|(key, hash)| mine.get(**key) != Some(hash));
        let wanted: Vec<Key> = wanted.map(|(key, _)| (*key).clone()).take(CELLS_MAX).collect();
        self.send_cells(from, sent, wanted, cx);
    }

    pub(super) fn on_cells(
        &mut self,
        from: NodeId,
        cells: Vec<(Key, Cell)>,
        wanted: Vec<Key>,
        cx: &mut Cx<'_, Eventual>,
    ) {
        let mut changed = false;
        for (key, cell) in cells {
            changed |= self.take_in(key, &cell, cx);
        }
        if changed {
            self.saw("a comparison brought something new");
        }
        self.send_cells(from, wanted, Vec::new(), cx);
    }

    fn send_cells(
        &mut self,
        to: NodeId,
        keys: Vec<Key>,
        wanted: Vec<Key>,
        cx: &mut Cx<'_, Eventual>,
    ) {
        let cell = |key: Key| Some((key.clone(), self.store.get(&key)?.clone()));
        let cells: Vec<(Key, Cell)> = keys.into_iter().filter_map(cell).take(CELLS_MAX).collect();
        if !cells.is_empty() || !wanted.is_empty() {
            self.send(to, Message::Cells { cells, wanted }, cx);
        }
    }
}
