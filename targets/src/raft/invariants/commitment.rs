//! What was ever committed: the one history that all nodes must share.
//!
//! A leader counts itself towards a majority in a step behind its sync, and what that step lets
//! out waits for the disk. So between the two the leader *knows* of a commitment that nobody
//! else can know of yet, and that dies with it in a loss of power. Such commitments are held
//! back until they are on the leader's disk.

use super::super::{Entry, Index, RaftKv, Record, Term};
use crate::node::NodeId;
use crate::sim::View;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The committed entries in order, as the first node that applied each had it.
#[derive(Debug, Default)]
pub(super) struct Commitment {
    entries: Vec<Arc<Entry>>,
    /// What leaders have applied and perhaps not on disk, ascending.
    held: BTreeMap<NodeId, Vec<(Index, Arc<Entry>)>>,
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

    /// A leader has applied an entry.
    pub(super) fn hold(&mut self, leader: NodeId, index: Index, entry: Arc<Entry>) {
        self.held.entry(leader).or_default().push((index, entry));
    }

    /// Takes what leaders have on disk by now.
    pub(super) fn release(&mut self, view: &View<'_, RaftKv>) -> Result<(), String> {
        for (leader, mut held) in std::mem::take(&mut self.held) {
            let journal = view.journal(leader);
            let durable = held.partition_point(|(index, entry)| has(journal, *index, entry.term));
            for (index, entry) in held.drain(..durable) {
                self.add(leader, index, entry)?;
            }
            if !held.is_empty() && view.node(leader).is_some() {
                self.held.insert(leader, held);
            }
        }
        Ok(())
    }

    /// A node has applied an entry and may tell others.
    pub(super) fn add(
        &mut self,
        node: NodeId,
        index: Index,
        entry: Arc<Entry>,
    ) -> Result<(), String> {
        match self.get(index) {
            Some(first) if Arc::ptr_eq(first, &entry) || *first == entry => Ok(()),
            Some(first) => Err(format!(
                "{node} applies an entry of term {} at {index}, where another of term {} was applied",
                entry.term, first.term
            )),
            None if index == self.last().next() => {
                self.entries.push(entry);
                Ok(())
            }
            None => Err(format!("{node} applies {index} before what is before it")),
        }
    }
}

/// Whether a leader's journal has this entry. Its last records are looked at first, where the
/// entries in question are.
fn has(journal: &[Record], index: Index, term: Term) -> bool {
    for record in journal.iter().rev() {
        match record {
            Record::Entry { index: here, entry } if *here <= index => {
                return *here == index && entry.term == term;
            }
            Record::Snapshot(snapshot) => return snapshot.index >= index,
            Record::Entry { .. } | Record::Boot(_) | Record::Ballot { .. } => {}
        }
    }
    false
}
