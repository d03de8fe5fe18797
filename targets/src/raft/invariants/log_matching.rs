//! Log matching: if two logs have an entry with the same place and term, they are equal up to
//! there (paper, 5.3). It follows by induction from what is checked here at each append: place
//! and term determine the entry and the term of the entry before it.

use super::super::{Entry, Index, Term};
use super::Step;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All entries that were ever appended anywhere, with the term before each.
#[derive(Debug, Default)]
pub(super) struct Entries {
    seen: BTreeMap<(Index, Term), (Option<Term>, Arc<Entry>)>,
}

impl Entries {
    pub(super) fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let mut appended: Option<(Index, Term)> = None;
        for (index, entry) in step.appended() {
            let before = match appended {
                Some((last, term)) if last == index.prev() => Some(term),
                _ => step.node.log().term_at(index.prev()),
            };
            appended = Some((index, entry.term));
            let first = self.seen.entry((index, entry.term)).or_insert((before, Arc::clone(entry)));
            if !Arc::ptr_eq(&first.1, entry) && first.1 != *entry {
                return Err(format!(
                    "{} has another entry at {index} of term {} than others",
                    step.id, entry.term
                ));
            }
            if first.0.is_some() && before.is_some() && first.0 != before {
                return Err(format!(
                    "{} has another term before {index} of term {} than others",
                    step.id, entry.term
                ));
            }
        }
        Ok(())
    }
}
