//! What makes a history well-formed, decided one event at a time.
//!
//! A process is idle, busy with one operation, or retired. An invocation takes it from idle to
//! busy; `ok` and `fail` take it back; `info` retires it for good, because its operation may
//! still take effect while a second one of the same process would be under way. The nemesis is
//! no such process: its events are all `info` and stand alone.
//!
//! Cost: one lookup an event; memory for each process that was ever seen.

use super::fields::FIELDS;
use super::{Event, EventType, HistoryError, Nanos, OpIndex, Process};
use crate::value::{Name, Value};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// What an event is to its history. Operations are counted from 0 in the order of invocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It begins an operation.
    Invocation {
        /// The number of the operation.
        operation: u32,
    },
    /// It completes one.
    Completion {
        /// The number of the operation.
        operation: u32,
        /// Where the operation began.
        invoke: OpIndex,
    },
    /// The nemesis did something.
    Nemesis,
}

/// The rules, with what they must remember of the events so far.
#[derive(Clone, Debug, Default)]
pub struct Pairing {
    next: u32,
    operations: u32,
    time: Nanos,
    processes: HashMap<u64, State, FxBuildHasher>,
    open: usize,
}

#[derive(Clone, Debug)]
enum State {
    Idle,
    Busy { operation: u32, invoke: OpIndex, f: Name, key: Option<Value> },
    Retired { info: OpIndex },
}

impl Pairing {
    /// Takes the next event. After an error the state is as it was before.
    pub fn accept(&mut self, event: &Event) -> Result<Role, HistoryError> {
        let at = OpIndex(self.next);
        if self.next == u32::MAX {
            return Err(HistoryError::TooLong { at });
        }
        if event.index != at {
            return Err(HistoryError::Index { at, found: event.index });
        }
        if event.time < self.time {
            return Err(HistoryError::Time { at, before: self.time, found: event.time });
        }
        if let Some(extra) = &event.extra {
            check_extra(at, extra)?;
        }
        let role = match event.process {
            Process::Nemesis if event.kind == EventType::Info => Role::Nemesis,
            Process::Nemesis => return Err(HistoryError::NemesisType { at, kind: event.kind }),
            Process::Client(number) => self.step(number, event)?,
        };
        self.time = event.time;
        self.next += 1;
        Ok(role)
    }

    /// The index that the next event must have.
    pub fn next_index(&self) -> OpIndex {
        OpIndex(self.next)
    }

    /// The time of the last event; the next may not be earlier.
    pub fn last_time(&self) -> Nanos {
        self.time
    }

    /// How many operations are under way.
    pub fn open(&self) -> usize {
        self.open
    }

    /// What process `number` has under way: the number of the operation and its invocation.
    pub fn open_operation(&self, number: u64) -> Option<(u32, OpIndex)> {
        match self.processes.get(&number) {
            Some(State::Busy { operation, invoke, .. }) => Some((*operation, *invoke)),
            _ => None,
        }
    }

    fn step(&mut self, number: u64, event: &Event) -> Result<Role, HistoryError> {
        let at = event.index;
        let process = event.process;
        let state = self.processes.entry(number).or_insert(State::Idle);
        match (&*state, event.kind) {
            (State::Retired { info }, _) => Err(HistoryError::Retired { at, process, info: *info }),
            (State::Busy { invoke, .. }, EventType::Invoke) => {
                Err(HistoryError::Busy { at, process, invoke: *invoke })
            }
            (State::Idle, EventType::Invoke) => {
                let operation = self.operations;
                *state = State::Busy {
                    operation,
                    invoke: at,
                    f: event.f.clone(),
                    key: event.key.clone(),
                };
                self.operations += 1;
                self.open += 1;
                Ok(Role::Invocation { operation })
            }
            (State::Idle, kind) => Err(HistoryError::NotInvoked { at, process, kind }),
            (State::Busy { operation, invoke, f, key }, kind) => {
                check_same(event, *invoke, f, key.as_ref())?;
                let role = Role::Completion { operation: *operation, invoke: *invoke };
                *state = match kind {
                    EventType::Info => State::Retired { info: at },
                    _ => State::Idle,
                };
                self.open -= 1;
                Ok(role)
            }
        }
    }
}

/// A completion repeats the name of its invocation, and its key or none.
fn check_same(
    event: &Event,
    invoke: OpIndex,
    f: &Name,
    key: Option<&Value>,
) -> Result<(), HistoryError> {
    if event.f != *f {
        let (invoked, found) = (f.clone(), event.f.clone());
        return Err(HistoryError::Name { at: event.index, invoke, invoked, found });
    }
    match &event.key {
        Some(found) if key != Some(found) => Err(HistoryError::Key {
            at: event.index,
            invoke,
            invoked: key.cloned().unwrap_or_default(),
            found: found.clone(),
        }),
        _ => Ok(()),
    }
}

fn check_extra(at: OpIndex, extra: &[(Name, Value)]) -> Result<(), HistoryError> {
    for (position, (name, _)) in extra.iter().enumerate() {
        let doubled = extra[..position].iter().any(|(other, _)| other == name);
        if doubled || FIELDS.contains(&name.as_str()) {
            return Err(HistoryError::Extra { at, name: name.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
