//! The replicated log: what every node must agree on, one entry after the other.
//!
//! Entries are numbered from 1. A prefix may have been compacted into a snapshot; of it only
//! the index and term of its last entry are kept (the *base*). Terms never fall along the log,
//! so that searches by term are binary. Entries are shared: sending one to four followers and
//! to the journal costs five counters, not five copies.

use super::command::{Command, Response};
use crate::api::txn;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// A term: at most one leader each.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Term(pub u64);

impl Term {
    /// The following term.
    #[must_use]
    pub fn next(self) -> Term {
        Term(self.0 + 1)
    }
}

/// A place in the log, counted from 1; 0 is the place before the first entry.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Index(pub u64);

impl Index {
    /// The following place.
    #[must_use]
    pub fn next(self) -> Index {
        Index(self.0 + 1)
    }

    /// The place before; 0 has itself.
    #[must_use]
    pub fn prev(self) -> Index {
        Index(self.0.saturating_sub(1))
    }

    /// `count` places further.
    #[must_use]
    pub fn plus(self, count: usize) -> Index {
        Index(self.0 + count as u64)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The term of the leader that made it.
    pub term: Term,
    /// What it does; nothing for the entry with which a leader begins its term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Command>,
}

impl Entry {
    /// The answer to its command, that it had no effect and never will. An entry without one
    /// has nobody to tell.
    pub(super) fn refused(&self, reason: &str) -> Response {
        let reason = reason.to_owned();
        match &self.request {
            Some(command) => command.refused(&reason),
            None => Response::Txn(txn::Response::Refused { reason }),
        }
    }
}

/// The log as one node has it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The last compacted place.
    base: Index,
    /// The term of the entry there.
    base_term: Term,
    entries: VecDeque<Arc<Entry>>,
}

impl Log {
    /// An empty log behind a compacted prefix.
    pub fn new(base: Index, base_term: Term) -> Log {
        Log { base, base_term, entries: VecDeque::new() }
    }

    /// The last compacted place; 0 if there is none.
    pub fn base(&self) -> Index {
        self.base
    }

    /// The term of the last compacted entry.
    pub fn base_term(&self) -> Term {
        self.base_term
    }

    /// The place of the last entry.
    pub fn last(&self) -> Index {
        self.base.plus(self.entries.len())
    }

    /// The term of the last entry.
    pub fn last_term(&self) -> Term {
        self.entries.back().map_or(self.base_term, |entry| entry.term)
    }

    /// The entry at `index`, unless it is compacted or not there yet.
    pub fn get(&self, index: Index) -> Option<&Arc<Entry>> {
        self.entries.get(self.offset(index)?)
    }

    /// The term of the entry at `index`; also known of the base.
    pub fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.base {
            return Some(self.base_term);
        }
        self.get(index).map(|entry| entry.term)
    }

    /// Puts an entry at the end; returns its place.
    pub fn push(&mut self, entry: Arc<Entry>) -> Index {
        self.entries.push_back(entry);
        self.last()
    }

    /// Drops the entry at `from` and all behind it.
    pub fn truncate(&mut self, from: Index) {
        if let Some(offset) = self.offset(from) {
            self.entries.truncate(offset);
        }
    }

    /// Up to `limit` entries from `from` on.
    pub fn slice(&self, from: Index, limit: usize) -> Vec<Arc<Entry>> {
        let Some(start) = self.offset(from) else { return Vec::new() };
        self.entries.iter().skip(start).take(limit).cloned().collect()
    }

    /// All entries that are not compacted, with their places.
    pub fn iter(&self) -> impl Iterator<Item = (Index, &Arc<Entry>)> {
        self.entries.iter().enumerate().map(|(i, entry)| (self.base.plus(i + 1), entry))
    }

    /// Forgets the entries up to `index`, which must be in the log.
    pub fn compact(&mut self, index: Index) {
        let Some(term) = self.term_at(index) else { return };
        let count = index.0.saturating_sub(self.base.0) as usize;
        self.entries.drain(..count);
        (self.base, self.base_term) = (index, term);
    }

    /// The first place that has an entry of `term` or of a later one.
    pub fn first_of_term(&self, term: Term) -> Index {
        self.base.plus(self.entries.partition_point(|entry| entry.term < term) + 1)
    }

    /// The last place that has an entry of `term`, if one has; the base counts.
    pub fn last_of_term(&self, term: Term) -> Option<Index> {
        let count = self.entries.partition_point(|entry| entry.term <= term);
        let index = self.base.plus(count);
        (self.term_at(index) == Some(term)).then_some(index)
    }

    /// Whether a log that ends with `(term, index)` is at least as up to date as this one
    /// (Raft paper, 5.4.1).
    pub fn is_covered_by(&self, last_term: Term, last: Index) -> bool {
        (last_term, last) >= (self.last_term(), self.last())
    }

    fn offset(&self, index: Index) -> Option<usize> {
        index.0.checked_sub(self.base.0 + 1).map(|offset| offset as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn log(base: u64, terms: &[u64]) -> Log {
        let mut log = Log::new(Index(base), Term(u64::from(base > 0)));
        for term in terms {
            log.push(Arc::new(Entry { term: Term(*term), request: None }));
        }
        log
    }

    #[test]
    fn finds_terms() {
        let log = log(10, &[1, 1, 2, 4, 4]);
        assert_eq!(log.last(), Index(15));
        assert_eq!(log.last_term(), Term(4));
        assert_eq!(log.term_at(Index(9)), None);
        assert_eq!(log.term_at(Index(10)), Some(Term(1)));
        assert_eq!(log.term_at(Index(13)), Some(Term(2)));
        assert_eq!(log.term_at(Index(16)), None);
        assert_eq!(log.first_of_term(Term(2)), Index(13));
        assert_eq!(log.first_of_term(Term(3)), Index(14));
        assert_eq!(log.last_of_term(Term(1)), Some(Index(12)));
        assert_eq!(log.last_of_term(Term(3)), None);
        assert_eq!(log.last_of_term(Term(4)), Some(Index(15)));
    }

    #[test]
    fn up_to_date_compares_terms_before_lengths() {
        let log = log(0, &[1, 1, 2]);
        assert!(log.is_covered_by(Term(2), Index(3)));
        assert!(log.is_covered_by(Term(3), Index(1)));
        assert!(!log.is_covered_by(Term(1), Index(9)));
        assert!(!log.is_covered_by(Term(2), Index(2)));
    }

    proptest! {
        /// Compaction and truncation change no entry that stays.
        #[test]
        fn like_a_list(
            terms in prop::collection::vec(1u64..4, 0..20),
            cut in 0u64..25,
            keep in 0u64..25,
        ) {
            let mut terms = terms;
            terms.sort_unstable();
            let mut log = log(0, &terms);
            log.truncate(Index(keep + 1));
            terms.truncate(keep as usize);
            log.compact(Index(cut));
            for at in 1..=25u64 {
                let expected = terms.get(at as usize - 1).map(|t| Term(*t));
                let known = log.base() <= Index(at);
                prop_assert_eq!(log.term_at(Index(at)), expected.filter(|_| known));
            }
            prop_assert_eq!(log.last(), Index(terms.len() as u64));
            prop_assert_eq!(log.iter().count() as u64, log.last().0 - log.base().0);
            for term in (1..5).map(Term) {
                let last = terms.iter().rposition(|t| *t == term.0).map(|i| Index(i as u64 + 1));
                prop_assert_eq!(log.last_of_term(term), last.filter(|i| *i >= log.base()));
            }
        }
    }
}
