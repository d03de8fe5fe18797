//! What was ever committed: the one history that all nodes must share.

use super::super::{Entry, Index};
use std::sync::Arc;

/// The committed entries in order, as the first node that applied each had it.
#[derive(Debug, Default)]
pub(super) struct Commitment {
    entries: Vec<Arc<Entry>>,
}

impl Commitment {
    pub(super) fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// The last committed place.
    pub(super) fn last(&self) -> Index {
        Index(self.entries.len() as u64)
    }

    pub(super) fn get(&self, index: Index) -> Option<&Arc<Entry>> {
        self.entries.get((index.0 as usize).checked_sub(1)?)
    }

    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        self.entries.push(entry);
    }
}
