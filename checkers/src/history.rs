//! The history: what was asked, what was answered, in the order in which a recorder saw it.
//!
//! The terms and their meaning are Jepsen's. A *process* is a logical single-threaded client.
//! It *invokes* an operation and gets one completion: `ok` (it happened), `fail` (it certainly
//! did not happen) or `info` (nobody knows). After `info` the operation stays concurrent with
//! everything that follows and its process number is not used again.
//!
//! One rule set, [`Pairing`], says what a well-formed history is. [`Builder`] keeps the events
//! that pass it, [`History`] is the result, and [`jsonl`] reads and writes it as a file.

mod error;
pub(crate) mod fields;
pub mod jsonl;
mod op_view;
mod pairing;
mod partition;
mod read_error;

pub use error::HistoryError;
pub use jsonl::Loaded;
pub(crate) use jsonl::Names;
pub use op_view::OpView;
pub use pairing::{Pairing, Role};
pub use partition::{KeyGroup, Partition};
pub use read_error::{Fault, ReadError};

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
    /// All four, in the order in which people list them.
    pub const ALL: [EventType; 4] =
        [EventType::Invoke, EventType::Ok, EventType::Fail, EventType::Info];

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
/// has its invocation, no process is busy twice. Memory: 160 bytes an event, 12 an operation,
/// and what long strings and lists take.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<Event>,
    operations: Vec<Operation>,
    /// For each event the position of its operation in `operations`; `UNPAIRED` for the nemesis.
    operation_of: Vec<u32>,
}

const UNPAIRED: u32 = u32::MAX;

impl History {
    /// Checks and pairs events. Their `index` must be their position.
    pub fn from_events(events: Vec<Event>) -> Result<History, HistoryError> {
        let mut pairing = Pairing::default();
        let mut history = History::default();
        for event in &events {
            history.note(pairing.accept(event)?, event);
        }
        history.events = events;
        Ok(history)
    }

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

    /// All client operations with their events, in the order of their invocations.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = OpView<'_>> + Clone {
        (0..self.operations.len()).map(|position| self.op(position))
    }

    /// The operation at `position` of [`History::operations`], with its events.
    pub fn op(&self, position: usize) -> OpView<'_> {
        let operation = self.operations[position];
        OpView {
            position,
            outcome: operation.outcome,
            invoke: self.event(operation.invoke),
            complete: operation.complete.map(|index| self.event(index)),
        }
    }

    /// The operation that the event at `index` begins or completes; none for the nemesis.
    pub fn op_at(&self, index: OpIndex) -> Option<OpView<'_>> {
        match self.operation_of[index.0 as usize] {
            UNPAIRED => None,
            position => Some(self.op(position as usize)),
        }
    }

    /// What the nemesis did, in order.
    pub fn nemesis(&self) -> impl DoubleEndedIterator<Item = &Event> {
        // A look at each event would cost many times as much.
        let unpaired = self.operation_of.iter().enumerate().filter(|(_, of)| **of == UNPAIRED);
        unpaired.map(|(at, _)| &self.events[at])
    }

    /// The client operations of each key apart, in O(n) time and 4 bytes an operation.
    pub fn by_key(&self) -> Partition<'_> {
        Partition::by_key(self)
    }

    /// The events themselves.
    pub fn into_events(self) -> Vec<Event> {
        self.events
    }

    fn note(&mut self, role: Role, event: &Event) {
        let position = match role {
            Role::Invocation { operation } => {
                let outcome = EventType::Info;
                self.operations.push(Operation { invoke: event.index, complete: None, outcome });
                operation
            }
            Role::Completion { operation, .. } => {
                let known = &mut self.operations[operation as usize];
                known.complete = Some(event.index);
                known.outcome = event.kind;
                operation
            }
            Role::Nemesis => UNPAIRED,
        };
        self.operation_of.push(position);
    }
}

/// Makes a history of events that come one by one, checking each.
#[derive(Debug, Default)]
pub struct Builder {
    pairing: Pairing,
    history: History,
}

impl Builder {
    /// Adds the next event. After an error the builder is as it was before.
    pub fn push(&mut self, event: Event) -> Result<Role, HistoryError> {
        let role = self.pairing.accept(&event)?;
        self.history.note(role, &event);
        self.history.events.push(event);
        Ok(role)
    }

    /// The index that the next event must have.
    pub fn next_index(&self) -> OpIndex {
        self.pairing.next_index()
    }

    /// The invocation of what process `number` has under way.
    pub fn open_event(&self, number: u64) -> Option<&Event> {
        self.pairing.open_operation(number).map(|(_, invoke)| self.history.event(invoke))
    }

    /// What has been added so far, a well-formed history at every moment.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The whole.
    pub fn finish(self) -> History {
        self.history
    }
}
