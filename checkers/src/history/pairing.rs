//! What makes a history well-formed, decided one event at a time.
//!
//! A process is idle, busy with one operation, or retired. An invocation takes it from idle to
//! busy; `ok` and `fail` take it back; `info` retires it for good, because its operation may
//! still take effect while a second one of the same process would be under way. The nemesis is
//! no such process: its events are all `info` and stand alone.
//!
//! Cost: one lookup an event; memory for each process that was ever seen.

use super::{Event, EventType, Nanos, OpIndex, Process};
use crate::value::{Name, Value};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// The fields of an event that the format names; extra fields must be called otherwise.
pub(crate) const FIELDS: [&str; 9] =
    ["index", "time", "process", "type", "f", "key", "value", "error", "node"];

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
mod tests {
    use super::*;
    use crate::history::{Builder, History};

    const C: fn(u64) -> Process = Process::Client;

    fn event(index: u32, process: Process, kind: EventType) -> Event {
        Event {
            index: OpIndex(index),
            time: Nanos(u64::from(index)),
            process,
            kind,
            f: "read".into(),
            key: None,
            value: Value::Null,
            error: None,
            node: None,
            extra: None,
        }
    }

    fn events(list: &[(Process, EventType)]) -> Vec<Event> {
        let indexed = list.iter().enumerate();
        indexed.map(|(at, (process, kind))| event(at as u32, *process, *kind)).collect()
    }

    #[track_caller]
    fn check(list: &[(Process, EventType)], field: &str, message: &str) {
        let error = History::from_events(events(list)).unwrap_err();
        assert_eq!((error.field(), error.to_string().as_str()), (field, message));
        assert_eq!(error.at().0 as usize, list.len() - 1);
    }

    use EventType::{Fail, Info, Invoke, Ok as Done};

    #[test]
    fn pairs_interleaved_operations() {
        let history = History::from_events(events(&[
            (C(0), Invoke),
            (C(1), Invoke),
            (Process::Nemesis, Info),
            (C(1), Done),
            (C(0), Fail),
            (C(1), Invoke),
            (Process::Nemesis, Info),
            (C(1), Info),
            (C(3), Invoke),
        ]))
        .unwrap();
        let ops: Vec<_> = history
            .operations()
            .iter()
            .map(|op| (op.invoke.0, op.complete.map(|c| c.0), op.outcome))
            .collect();
        let expected =
            [(0, Some(4), Fail), (1, Some(3), Done), (5, Some(7), Info), (8, None, Info)];
        assert_eq!(ops, expected);
        assert_eq!(history.nemesis().map(|e| e.index.0).collect::<Vec<_>>(), [2, 6]);
        let at = |index| history.op_at(OpIndex(index)).map(|op| op.position);
        assert_eq!(
            (0..9).map(at).collect::<Vec<_>>(),
            [0, 1, 9, 1, 0, 2, 9, 2, 3].map(|p| (p < 9).then_some(p))
        );
    }

    #[test]
    fn refuses_what_breaks_a_rule() {
        check(
            &[(C(0), Invoke), (C(1), Invoke), (C(0), Invoke)],
            "process",
            "process 0 invokes (event 2) while its operation of event 0 is under way",
        );
        check(
            &[(C(4), Done)],
            "type",
            "`ok` of process 4 (event 0) completes nothing: no operation is under way",
        );
        check(
            &[(C(0), Invoke), (C(0), Info), (C(0), Invoke)],
            "process",
            "process 0 goes on (event 2) after its `info` of event 1: `info` retires a process, \
             and its client continues under another number",
        );
        check(
            &[(C(0), Invoke), (C(0), Done), (C(0), Fail)],
            "type",
            "`fail` of process 0 (event 2) completes nothing: no operation is under way",
        );
        check(
            &[(Process::Nemesis, Invoke)],
            "type",
            "`invoke` of the nemesis (event 0): its events are all `info`",
        );
    }

    #[test]
    fn an_error_leaves_the_builder_usable() {
        let mut builder = Builder::default();
        builder.push(event(0, C(0), Invoke)).unwrap();
        for wrong in [event(1, C(0), Invoke), event(1, C(7), Done), event(5, C(0), Done)] {
            builder.push(wrong).unwrap_err();
        }
        let late = Event { time: Nanos(100), ..event(1, C(0), Done) };
        builder.push(late).unwrap();
        let early = event(2, C(0), Invoke);
        let error = builder.push(early).unwrap_err();
        assert_eq!(error.to_string(), "time 2 comes after 100: time may not go back (event 2)");
        assert_eq!(builder.finish().operations().len(), 1);
    }

    #[test]
    fn a_completion_must_fit_its_invocation() {
        let mut pairing = Pairing::default();
        let on = |key: i64, event: Event| Event { key: Some(Value::Int(key)), ..event };
        pairing.accept(&on(1, event(0, C(0), Invoke))).unwrap();
        assert_eq!(pairing.open_operation(0), Some((0, OpIndex(0))));
        let error = pairing.accept(&on(2, event(1, C(0), Done))).unwrap_err();
        assert_eq!(error.field(), "key");
        let renamed = Event { f: "write".into(), ..event(1, C(0), Done) };
        let error = pairing.accept(&renamed).unwrap_err();
        assert_eq!(
            error.to_string(),
            "completes `write` (event 1) what began as `read` in event 0"
        );
        // A completion may leave its key out.
        let role = pairing.accept(&event(1, C(0), Info)).unwrap();
        assert_eq!(role, Role::Completion { operation: 0, invoke: OpIndex(0) });
        assert_eq!(pairing.open(), 0);
    }

    #[test]
    fn extra_fields_have_names_of_their_own() {
        let with = |names: &[&str]| {
            let pairs = names.iter().map(|name| (Name::from(*name), Value::Null)).collect();
            Event { extra: Some(pairs), ..event(0, C(0), Invoke) }
        };
        assert!(Pairing::default().accept(&with(&["a", "b"])).is_ok());
        for names in [["a", "a"], ["a", "time"]] {
            let error = Pairing::default().accept(&with(&names)).unwrap_err();
            assert_eq!(error.field(), names[1]);
        }
    }
}
