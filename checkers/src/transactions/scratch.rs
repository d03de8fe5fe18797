//! What is known of each value of the key at hand, in an array that is never cleared.

use super::table::ValueId;

/// Stands for no access and no place.
pub(super) const NONE: u32 = u32::MAX;

/// What is known of a value of the key at hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    key: u32,
    /// Its write or append among the accesses of the key.
    pub(super) writer: u32,
    /// Its place among the versions.
    pub(super) place: u32,
}

/// An entry for each value of a history.
#[derive(Debug)]
pub(super) struct Scratch {
    key: u32,
    entries: Vec<Entry>,
}

impl Scratch {
    pub(super) fn new(values: usize) -> Scratch {
        Scratch { key: 0, entries: vec![Entry { key: 0, writer: NONE, place: NONE }; values] }
    }

    /// Forgets everything.
    pub(super) fn next_key(&mut self) {
        self.key += 1;
    }

    pub(super) fn entry(&mut self, value: ValueId) -> &mut Entry {
        let entry = &mut self.entries[value.0 as usize];
        if entry.key != self.key {
            *entry = Entry { key: self.key, writer: NONE, place: NONE };
        }
        entry
    }
}
