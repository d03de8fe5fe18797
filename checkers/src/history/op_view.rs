//! An operation as checkers look at it.

use super::{Event, EventType, Process};
use crate::value::{Name, Value};

/// An operation together with its events.
#[derive(Clone, Copy, Debug)]
pub struct OpView<'a> {
    /// Its position in [`History::operations`](super::History::operations).
    pub position: usize,
    /// `Ok`, `Fail` or `Info`; `Info` where there is no completion.
    pub outcome: EventType,
    /// Its invocation.
    pub invoke: &'a Event,
    /// Its completion, if the history has it.
    pub complete: Option<&'a Event>,
}

impl<'a> OpView<'a> {
    /// Who invoked it.
    pub fn process(&self) -> Process {
        self.invoke.process
    }

    /// The operation's name.
    pub fn f(&self) -> &'a Name {
        &self.invoke.f
    }

    /// Which object, where there are several.
    pub fn key(&self) -> Option<&'a Value> {
        self.invoke.key.as_ref()
    }

    /// The argument.
    pub fn input(&self) -> &'a Value {
        &self.invoke.value
    }

    /// The result, if it is known to have happened.
    pub fn output(&self) -> Option<&'a Value> {
        match self.outcome {
            EventType::Ok => self.complete.map(|event| &event.value),
            _ => None,
        }
    }
}
