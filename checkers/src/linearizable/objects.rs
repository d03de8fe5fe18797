//! Objects other than registers: what their operations are called in a history.

use super::by_model::{ModelCalls, Said, meaningless};
use super::key::{KeyContext, KeyReport, undecided};
use super::options::Unknown;
use crate::history::{EventType, OpView, Process};
use crate::model::{
    Counter, CounterInput, Membership, MembershipInput, MembershipOutput, Mutex, MutexInput,
    OwnedLock, PermitInput, Semaphore,
};
use crate::value::Value;
use serde_json::{Value as Json, json};

/// The calls of a counter: `add` of a number, `read`.
pub(super) fn counter_calls(context: &KeyContext<'_, '_>) -> Result<ModelCalls<Counter>, Unknown> {
    let read = |op: &OpView<'_>| -> Result<Option<Said<Counter>>, Unknown> {
        let told = op.output().map(Value::as_int);
        Ok(match (op.f().as_str(), op.outcome) {
            (_, EventType::Fail) => None,
            ("add" | "increment" | "inc", _) => {
                let delta = match op.input() {
                    Value::Null => 1,
                    other => other.as_int().ok_or_else(|| meaningless(op, "a counter"))?,
                };
                // An add says what it was told, not what came of it.
                Some((CounterInput::Add(delta), told.map(|_| None)))
            }
            ("decrement" | "dec", _) => {
                let delta = op.input().as_int().unwrap_or(1);
                let delta = delta.checked_neg().ok_or_else(|| meaningless(op, "a counter"))?;
                Some((CounterInput::Add(delta), told.map(|_| None)))
            }
            ("read", EventType::Ok) => match told.flatten() {
                Some(told) => Some((CounterInput::Read, Some(Some(told)))),
                None => return Err(meaningless(op, "a counter")),
            },
            ("read", _) => None,
            _ => return Err(meaningless(op, "a counter")),
        })
    };
    ModelCalls::of(context, read)
}

/// Decides a counter by the search.
pub(super) fn counter_by_search(
    context: &mut KeyContext<'_, '_>,
    calls: &ModelCalls<Counter>,
) -> KeyReport {
    calls.search(context, &Counter, |state| json!(state))
}

/// Decides a semaphore: `release` and `acquire` of permits.
pub(crate) fn semaphore(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let read = |op: &OpView<'_>| -> Result<Option<Said<Semaphore>>, Unknown> {
        let input = match (op.f().as_str(), op.outcome) {
            (_, EventType::Fail) => return Ok(None),
            ("release", _) => PermitInput::Release,
            ("acquire", _) => PermitInput::Acquire,
            _ => return Err(meaningless(op, "a semaphore")),
        };
        Ok(Some((input, op.output().map(|told| *told != Value::Bool(false)))))
    };
    match ModelCalls::<Semaphore>::of(context, read) {
        Ok(calls) => calls.search(context, &Semaphore, |permits| json!(permits)),
        Err(unknown) => undecided(unknown),
    }
}

/// Decides a lock that anybody may release: `acquire`, `release`.
pub(crate) fn mutex(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let read = |op: &OpView<'_>| -> Result<Option<Said<Mutex>>, Unknown> {
        Ok(lock_input(op)?.map(|input| (input, op.output().map(|_| ()))))
    };
    match ModelCalls::<Mutex>::of(context, read) {
        Ok(calls) => {
            calls.search(context, &Mutex, |held| json!(if *held { "held" } else { "free" }))
        }
        Err(unknown) => undecided(unknown),
    }
}

/// Decides a lock that only its holder may release. The holder is the process, or the value of
/// the operation where it has one.
pub(crate) fn owned_lock(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let read = |op: &OpView<'_>| -> Result<Option<Said<OwnedLock>>, Unknown> {
        let Some(client) = lock_client(op) else { return Ok(None) };
        Ok(lock_input(op)?.map(|input| ((client, input), op.output().map(|_| ()))))
    };
    match ModelCalls::<OwnedLock>::of(context, read) {
        Ok(calls) => calls.search(context, &OwnedLock, |holder| json!(holder)),
        Err(unknown) => undecided(unknown),
    }
}

/// Who asks a lock.
pub(super) fn lock_client(op: &OpView<'_>) -> Option<u64> {
    match (op.input().as_int(), op.process()) {
        (Some(client), _) => Some(client as u64),
        (None, Process::Client(number)) => Some(number),
        (None, Process::Nemesis) => None,
    }
}

/// What is asked of a lock; nothing if it certainly did not happen.
pub(super) fn lock_input(op: &OpView<'_>) -> Result<Option<MutexInput>, Unknown> {
    match (op.f().as_str(), op.outcome) {
        (_, EventType::Fail) => Ok(None),
        ("acquire" | "lock", _) => Ok(Some(MutexInput::Acquire)),
        ("release" | "unlock", _) => Ok(Some(MutexInput::Release)),
        _ => Err(meaningless(op, "a lock")),
    }
}

/// An operation on one element of a set: the element, and what was said of it. A completion
/// tells the outcome as `[element, true]`: whether it was changed, or is in the set.
pub(crate) fn set_operation<'a>(
    op: &OpView<'a>,
) -> Result<Option<(&'a Value, Said<Membership>)>, Unknown> {
    use MembershipInput::{Add, Contains, Remove};
    use MembershipOutput::{Absent, Done, Present};
    let input = match op.f().as_str() {
        "add" | "insert" => Add,
        "remove" | "delete" => Remove,
        "contains" => Contains,
        _ => return Err(meaningless(op, "a set of single elements")),
    };
    let told = op.output().and_then(Value::as_list).and_then(|pair| match pair {
        [element, Value::Bool(told)] if element == op.input() => Some(*told),
        _ => None,
    });
    let output = match (input, told, op.outcome) {
        (_, _, EventType::Fail) | (Contains, _, EventType::Info | EventType::Invoke) => {
            return Ok(None);
        }
        (_, _, EventType::Info | EventType::Invoke) => None,
        (Contains, None, EventType::Ok) => return Err(meaningless(op, "a set")),
        (_, None, EventType::Ok) => Some(Done),
        (Contains | Remove, Some(true), _) | (Add, Some(false), _) => Some(Present),
        (Contains | Remove, Some(false), _) | (Add, Some(true), _) => Some(Absent),
    };
    Ok(Some((op.input(), (input, output))))
}

/// A state of one element for people.
pub(crate) fn membership(present: bool) -> Json {
    json!(if present { "in the set" } else { "not in the set" })
}
