//! The register operations of one key, small: values as numbers, times as event indices.

use crate::history::{Event, EventType, KeyGroup, OpView};
use crate::linearizable::by_model::malformed_input;
use crate::linearizable::call::Call;
use crate::linearizable::options::Unknown;
use crate::model::{RegisterInput, RegisterOutput};
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// A value of the key, by number; [`INITIAL`] is `null`, what a key holds before any write.
pub(in crate::linearizable) type ValueId = u32;

/// The value before the first write.
pub(in crate::linearizable) const INITIAL: ValueId = 0;

/// The completion of an operation that never completed.
pub(in crate::linearizable) const OPEN: u32 = u32::MAX;

/// What an operation did, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::linearizable) enum Action {
    /// It read this value.
    Read(ValueId),
    /// It wrote, or may write.
    Write(ValueId),
    /// It replaced the first by the second, or may do so.
    Cas(ValueId, ValueId),
    /// A compare-and-set of this old value that found another, unknown one.
    Refused(ValueId),
    /// A compare-and-set of this old value that was refused although, as it said, it found it.
    Contradiction(ValueId),
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub(in crate::linearizable) struct RegisterCall {
    /// Its place among the key's operations.
    pub(in crate::linearizable) op: u32,
    /// The event's index plus one: 0 is before all events.
    pub(in crate::linearizable) invoke: u32,
    /// The event's index plus one, or [`OPEN`] if the outcome is unknown.
    pub(in crate::linearizable) complete: u32,
    pub(in crate::linearizable) action: Action,
}

/// All that matters of one key's history: what certainly did not happen is left out, and so are
/// reads without an answer.
pub(in crate::linearizable) struct RegisterCalls<'a> {
    pub(in crate::linearizable) calls: Vec<RegisterCall>,
    /// The values by number.
    pub(in crate::linearizable) values: Vec<&'a Value>,
}

const NULL: &Value = &Value::Null;

impl<'a> RegisterCalls<'a> {
    /// Reads the operations of a key.
    pub(super) fn of(group: &KeyGroup<'a>) -> Result<RegisterCalls<'a>, Unknown> {
        let mut names = Names::new();
        let mut calls = Vec::with_capacity(group.positions.len());
        for (at, op) in group.ops().enumerate() {
            if let Some(action) = names.action(&op)? {
                let operation = group.operation(at);
                let complete = match (op.outcome, operation.complete) {
                    (EventType::Info, _) | (_, None) => OPEN,
                    (_, Some(index)) => index.0 + 1,
                };
                let invoke = operation.invoke.0 + 1;
                calls.push(RegisterCall { op: at as u32, invoke, complete, action });
            }
        }
        Ok(RegisterCalls { calls, values: names.values })
    }

    /// As calls of the model [`Register`](crate::model::Register).
    pub(super) fn for_model(&self) -> Vec<Call<RegisterInput<ValueId>, RegisterOutput<ValueId>>> {
        self.calls
            .iter()
            .map(|call| {
                let (input, output) = match call.action {
                    Action::Read(value) => (RegisterInput::Read, RegisterOutput::Seen(value)),
                    Action::Write(value) => (RegisterInput::Write(value), RegisterOutput::Done),
                    Action::Cas(old, new) => {
                        (RegisterInput::Cas { old, new }, RegisterOutput::Done)
                    }
                    Action::Refused(old) => {
                        (RegisterInput::Cas { old, new: old }, RegisterOutput::Refused)
                    }
                    // An answer that the model never gives.
                    Action::Contradiction(_) => (RegisterInput::Read, RegisterOutput::Refused),
                };
                let open = call.complete == OPEN;
                Call {
                    process: 0,
                    input,
                    output: (!open).then_some(output),
                    invoke: u64::from(call.invoke),
                    complete: (!open).then_some(u64::from(call.complete)),
                }
            })
            .collect()
    }
}

/// Numbers for values.
struct Names<'a> {
    values: Vec<&'a Value>,
    integers: HashMap<i64, ValueId, FxBuildHasher>,
    others: HashMap<&'a Value, ValueId, FxBuildHasher>,
}

impl<'a> Names<'a> {
    fn new() -> Names<'a> {
        Names { values: vec![NULL], integers: HashMap::default(), others: HashMap::default() }
    }

    fn id(&mut self, value: &'a Value) -> ValueId {
        let next = self.values.len() as ValueId;
        let id = match value {
            Value::Null => return INITIAL,
            Value::Int(n) => *self.integers.entry(*n).or_insert(next),
            other => *self.others.entry(other).or_insert(next),
        };
        if id == next {
            self.values.push(value);
        }
        id
    }

    /// What the operation did; nothing if it cannot matter.
    fn action(&mut self, op: &OpView<'a>) -> Result<Option<Action>, Unknown> {
        let action = match (op.f().as_str(), op.outcome) {
            ("read", EventType::Ok) => op.output().map(|seen| Action::Read(self.id(seen))),
            ("write", EventType::Ok | EventType::Info) => {
                no_other_value(op).map_err(Unknown::Input)?;
                Some(Action::Write(self.id(op.input())))
            }
            ("cas", EventType::Ok | EventType::Info) => {
                no_other_value(op).map_err(Unknown::Input)?;
                let (old, new) = old_and_new(op)?;
                Some(Action::Cas(self.id(old), self.id(new)))
            }
            ("cas", EventType::Fail) => self.refusal(op)?,
            ("read" | "write", _) => None,
            (f, _) => {
                return Err(Unknown::Input(format!(
                    "operation {f} (index {}) means nothing to a register",
                    op.invoke.index
                )));
            }
        };
        Ok(action)
    }

    /// A failed compare-and-set asserts something only if it failed for the value that it found.
    fn refusal(&mut self, op: &OpView<'a>) -> Result<Option<Action>, Unknown> {
        let Some(seen) = op.complete.and_then(refusal) else { return Ok(None) };
        let old = self.id(old_and_new(op)?.0);
        Ok(Some(match seen {
            None => Action::Refused(old),
            Some(seen) if self.id(seen) == old => Action::Contradiction(old),
            Some(seen) => Action::Read(self.id(seen)),
        }))
    }
}

/// What a failed compare-and-set says that it found, if it says so, given that it failed for the
/// value that it found at all.
#[expect(clippy::option_option, reason = "not refused; refused; refused and said what it saw")]
pub(crate) fn refusal(completion: &Event) -> Option<Option<&Value>> {
    const REASON: &str = "precondition-failed";
    let error = completion.error.as_ref();
    let items = error.and_then(Value::as_list).unwrap_or_default();
    let reason = items.first().or(error).and_then(Value::as_str);
    (reason == Some(REASON)).then(|| items.get(1))
}

fn old_and_new<'a>(op: &OpView<'a>) -> Result<(&'a Value, &'a Value), Unknown> {
    match op.input().as_list() {
        Some([old, new]) => Ok((old, new)),
        _ => Err(malformed_input(op, "[old, new]")),
    }
}

/// A write that succeeded with another value than it was asked to write: nobody knows which of
/// the two was written.
pub(crate) fn no_other_value(op: &OpView<'_>) -> Result<(), String> {
    match op.complete.filter(|end| end.kind == EventType::Ok) {
        Some(end) if !end.value.is_null() && end.value != *op.input() => Err(format!(
            "the {} at index {} was asked for {}, and event {} says that it was {}: which of the \
             two happened cannot be told",
            op.f(),
            op.invoke.index,
            op.input(),
            end.index,
            end.value
        )),
        _ => Ok(()),
    }
}
