//! The rules of a history, as what is said to whoever breaks one.

use super::{EventType, Nanos, OpIndex, Process};
use crate::value::{Name, Value};

/// How an event breaks the rules of a history. `at` is the position of that event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The index is not the position: one is missing, doubled, or out of order.
    #[error("index {found} where {at} should stand: indices are dense from 0")]
    Index {
        /// The position, and so the index that was expected.
        at: OpIndex,
        /// The index that it has.
        found: OpIndex,
    },
    /// Time goes back.
    #[error("time {} comes after {}: time may not go back (event {at})", .found.0, .before.0)]
    Time {
        /// The event.
        at: OpIndex,
        /// The time of the event before it.
        before: Nanos,
        /// Its own time.
        found: Nanos,
    },
    /// An invocation by a process that has an operation under way.
    #[error(
        "process {process} invokes (event {at}) while its operation of event {invoke} is under way"
    )]
    Busy {
        /// The event.
        at: OpIndex,
        /// Who.
        process: Process,
        /// Where the other operation began.
        invoke: OpIndex,
    },
    /// An event of a process whose last operation is indeterminate.
    #[error(
        "process {process} goes on (event {at}) after its `info` of event {info}: \
         `info` retires a process, and its client continues under another number"
    )]
    Retired {
        /// The event.
        at: OpIndex,
        /// Who.
        process: Process,
        /// The `info` that retired it.
        info: OpIndex,
    },
    /// A completion by a process that has nothing under way.
    #[error(
        "`{kind}` of process {process} (event {at}) completes nothing: no operation is under way"
    )]
    NotInvoked {
        /// The event.
        at: OpIndex,
        /// Who.
        process: Process,
        /// `Ok`, `Fail` or `Info`.
        kind: EventType,
    },
    /// The nemesis with another type than `info`.
    #[error("`{kind}` of the nemesis (event {at}): its events are all `info`")]
    NemesisType {
        /// The event.
        at: OpIndex,
        /// The type that it has.
        kind: EventType,
    },
    /// A completion that names another operation than its invocation.
    #[error("completes `{found}` (event {at}) what began as `{invoked}` in event {invoke}")]
    Name {
        /// The completion.
        at: OpIndex,
        /// Its invocation.
        invoke: OpIndex,
        /// What the invocation says.
        invoked: Name,
        /// What the completion says.
        found: Name,
    },
    /// A completion for another key than its invocation.
    #[error("completes key {found} (event {at}) what began on key {invoked} in event {invoke}")]
    Key {
        /// The completion.
        at: OpIndex,
        /// Its invocation.
        invoke: OpIndex,
        /// What the invocation says.
        invoked: Value,
        /// What the completion says.
        found: Value,
    },
    /// An extra field with a name that the format uses itself, or two of one name.
    #[error("the extra field `{name}` of event {at} exists already")]
    Extra {
        /// The event.
        at: OpIndex,
        /// The field.
        name: Name,
    },
    /// More events than an index can count.
    #[error("a history has at most {} events", u32::MAX)]
    TooLong {
        /// The first event too many.
        at: OpIndex,
    },
}

impl HistoryError {
    /// The event that breaks a rule.
    pub fn at(&self) -> OpIndex {
        match self {
            HistoryError::Index { at, .. }
            | HistoryError::Time { at, .. }
            | HistoryError::Busy { at, .. }
            | HistoryError::Retired { at, .. }
            | HistoryError::NotInvoked { at, .. }
            | HistoryError::NemesisType { at, .. }
            | HistoryError::Name { at, .. }
            | HistoryError::Key { at, .. }
            | HistoryError::Extra { at, .. }
            | HistoryError::TooLong { at } => *at,
        }
    }

    /// The field of the event that breaks a rule.
    pub fn field(&self) -> &str {
        match self {
            HistoryError::Index { .. } | HistoryError::TooLong { .. } => "index",
            HistoryError::Time { .. } => "time",
            HistoryError::Busy { .. } | HistoryError::Retired { .. } => "process",
            HistoryError::NotInvoked { .. } | HistoryError::NemesisType { .. } => "type",
            HistoryError::Name { .. } => "f",
            HistoryError::Key { .. } => "key",
            HistoryError::Extra { name, .. } => name,
        }
    }
}
