//! What is concluded of one key, and which algorithm concluded it.

use super::Outcome;
use super::meter::Meter;
use super::options::Unknown;
use super::variant::Deadlines;
use crate::history::{History, KeyGroup, OpView};
use crate::verdict::Anomaly;
use std::fmt;

/// How a key was decided. All are exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Zones of chains of clusters: registers with unique values.
    Zones,
    /// The same, after values that repeat were told apart.
    Renaming,
    /// The same, segment by segment: the history was cut where the value is forced.
    Segments,
    /// Levels in an order that reads fix: sets that only grow.
    Levels,
    /// The intervals in which items came and went: containers with unique items.
    Intervals,
    /// The search over configurations, for those segments that nothing else decided.
    SegmentSearch,
    /// The search over configurations.
    Search,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Algorithm::Zones => "zones",
            Algorithm::Renaming => "renaming",
            Algorithm::Segments => "segments",
            Algorithm::Levels => "levels",
            Algorithm::Intervals => "intervals",
            Algorithm::SegmentSearch => "segment search",
            Algorithm::Search => "search",
        })
    }
}

/// The conclusion about one key.
#[derive(Debug)]
pub(crate) struct KeyReport {
    pub(crate) outcome: Outcome,
    pub(crate) algorithm: Algorithm,
    pub(crate) anomaly: Option<Anomaly>,
}

/// The report on a key whose operations make no sense to its model.
pub(crate) fn undecided(unknown: Unknown) -> KeyReport {
    let outcome = Outcome::Unknown(unknown);
    KeyReport { outcome, algorithm: Algorithm::Search, anomaly: None }
}

/// What a check of one key is given besides its operations.
pub(crate) struct KeyContext<'a, 'b> {
    pub(crate) history: &'a History,
    pub(crate) group: KeyGroup<'a>,
    pub(crate) meter: Meter<'b>,
    /// Until when crashed operations may take effect, by their position in the history; nothing
    /// where they may at any time.
    pub(crate) deadlines: Option<&'a Deadlines>,
}

impl<'a> KeyContext<'a, '_> {
    /// The operation at a place among the key's operations.
    pub(crate) fn op(&self, at: usize) -> OpView<'a> {
        self.history.op(self.group.positions[at] as usize)
    }

    /// Whether any of the key's operations has a deadline.
    pub(crate) fn has_deadlines(&self) -> bool {
        self.deadlines.is_some()
            && (0..self.group.positions.len()).any(|at| self.deadline(at).is_some())
    }

    /// The last event at which the operation at a place may take effect, if it crashed and has
    /// a deadline.
    pub(crate) fn deadline(&self, at: usize) -> Option<u32> {
        self.deadlines.and_then(|all| all.get(self.group.positions[at] as usize))
    }
}
