//! What a home has in memory: cells with their homes, and with digests for Merkle trees.

use super::cell::Cell;
use super::message::Key;
use crate::node::NodeId;
use std::collections::BTreeMap;

/// A cell as it is kept.
#[derive(Clone, Debug)]
struct Kept {
    cell: Cell,
    homes: Vec<NodeId>,
    /// Absent since the cell changed.
    digest: Option<u64>,
}

/// Cells by key.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    cells: BTreeMap<Key, Kept>,
}

impl Store {
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Cell> {
        self.cells.get(key).map(|kept| &kept.cell)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Cell)> {
        self.cells.iter().map(|(key, kept)| (key, &kept.cell))
    }

    /// Merges into what is there; `homes` is asked where nothing is. Whether anything changed.
    pub(super) fn merge(
        &mut self,
        key: &Key,
        cell: &Cell,
        homes: impl FnOnce() -> Vec<NodeId>,
    ) -> bool {
        let Some(kept) = self.cells.get_mut(key) else {
            let kept = Kept { cell: cell.clone(), homes: homes(), digest: None };
            self.cells.insert(key.clone(), kept);
            return true;
        };
        let before = kept.cell.clone();
        kept.cell.merge(cell);
        let changed = kept.cell != before;
        if changed {
            kept.digest = None;
        }
        changed
    }

    /// Forgets tombstones older than this.
    pub(super) fn purge(&mut self, key: &Key, before: u64) {
        let Some(kept) = self.cells.remove(key) else { return };
        if let Some(cell) = kept.cell.purged(before) {
            self.cells.insert(key.clone(), Kept { cell, digest: None, ..kept });
        }
    }

    /// The digest of what is under a key; 0 where there is nothing.
    pub(super) fn digest(&mut self, key: &Key) -> u64 {
        self.cells.get_mut(key).map_or(0, Kept::digest)
    }

    /// Keys with their digests, of those that both nodes are home to.
    pub(super) fn shared(&mut self, a: NodeId, b: NodeId) -> impl Iterator<Item = (&Key, u64)> {
        let both = move |kept: &Kept| kept.homes.contains(&a) && kept.homes.contains(&b);
        let shared = self.cells.iter_mut().filter(move |(_, kept)| both(kept));
        shared.map(|(key, kept)| (key, kept.digest()))
    }
}

impl Kept {
    fn digest(&mut self) -> u64 {
        *self.digest.get_or_insert_with(|| self.cell.digest())
    }
}
