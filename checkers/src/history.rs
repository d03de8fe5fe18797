//! The history: what was asked, what was answered, in the order in which a recorder saw it.
//!
//! The terms and their meaning are Jepsen's. A *process* is a logical single-threaded client.
//! It *invokes* an operation and gets one completion: `ok` (it happened), `fail` (it certainly
//! did not happen) or `info` (nobody knows). After `info` the operation stays concurrent with
//! everything that follows and its process number is not used again.

use crate::value::{Name, Value};
use std::fmt;

/// The position of an event in its history, dense from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpIndex(pub u32);

/// Nanoseconds since the run began, on a monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub u64);

/// Who acts: a logical single-threaded client, or the nemesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// A client, by its number.
    Client(u64),
    /// The one that injects faults; written `"nemesis"`.
    Nemesis,
}

/// What an event says of its operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// The operation begins.
    Invoke,
    /// It happened.
    Ok,
    /// It certainly did not happen.
    Fail,
    /// It may or may not have happened, or may yet happen. Also every event of the nemesis.
    Info,
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Position in the history.
    pub index: OpIndex,
    /// When the recorder saw it.
    pub time: Nanos,
    /// Who acted.
    pub process: Process,
    /// Invocation or completion.
    pub kind: EventType,
    /// The operation's name: `read`, `write`, `cas`, `txn`, ...
    pub f: Name,
    /// Which object, where there are several.
    pub key: Option<Value>,
    /// The argument at the invocation, the result at the completion.
    pub value: Value,
    /// Why it is `fail` or `info`.
    pub error: Option<Value>,
    /// The node that was asked.
    pub node: Option<Name>,
    /// Fields that this format does not name, kept as they were read.
    pub extra: Option<Box<[(Name, Value)]>>,
}

impl fmt::Display for OpIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Process::Client(number) => write!(f, "{number}"),
            Process::Nemesis => f.write_str("nemesis"),
        }
    }
}

impl EventType {
    /// As it stands in a history file.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Invoke => "invoke",
            EventType::Ok => "ok",
            EventType::Fail => "fail",
            EventType::Info => "info",
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An invocation with its completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its invocation.
    pub invoke: OpIndex,
    /// Its completion; `None` where the history ends before it, which means the same as `info`.
    pub complete: Option<OpIndex>,
    /// `Ok`, `Fail` or `Info`; `Info` where there is no completion.
    pub outcome: EventType,
}

/// A whole history, well-formed: indices are dense from 0, time never goes back, each completion
/// has its invocation, no process is busy twice.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<Event>,
    operations: Vec<Operation>,
}

impl History {
    /// All events in order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// All client operations in the order of their invocations.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The event at `index`.
    pub fn event(&self, index: OpIndex) -> &Event {
        &self.events[index.0 as usize]
    }
}
