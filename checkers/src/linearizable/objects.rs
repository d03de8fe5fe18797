//! Objects other than registers: what their operations are called in a history.

use super::by_model::{ModelCalls, Said, malformed_input, malformed_output, meaningless};
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
                let delta = delta(op)?;
                // An add says what it was told, not what came of it.
                Some((CounterInput::Add(delta), told.map(|_| None)))
            }
            ("decrement" | "dec", _) => {
                let delta = delta(op)?.checked_neg().ok_or_else(|| malformed_input(op, INTEGER))?;
                Some((CounterInput::Add(delta), told.map(|_| None)))
            }
            ("read", EventType::Ok) => match told.flatten() {
                Some(told) => Some((CounterInput::Read, Some(Some(told)))),
                None => return Err(malformed_output(op, INTEGER)),
            },
            ("read", _) => None,
            _ => return Err(meaningless(op, "a counter")),
        })
    };
    ModelCalls::of(context, read)
}

/// What counters add and return.
const INTEGER: &str = "an integer of 64 bits";

/// By how much an operation changes a counter: 1 where it does not say.
fn delta(op: &OpView<'_>) -> Result<i64, Unknown> {
    match op.input() {
        Value::Null => Ok(1),
        other => other.as_int().ok_or_else(|| malformed_input(op, INTEGER)),
    }
}

/// Decides a counter by the search.
pub(super) fn counter_by_search(
    context: &mut KeyContext<'_, '_>,
    calls: &ModelCalls<Counter>,
) -> KeyReport {
    calls.search(context, &Counter, |state| Json::from(&Value::integer(*state)))
}

/// How many permits an operation is about: one where it does not say.
fn permits(op: &OpView<'_>) -> Result<u32, Unknown> {
    let count = match op.input() {
        Value::Null => Some(1),
        other => other.as_int().and_then(|count| u32::try_from(count).ok()),
    };
    let count = count.filter(|count| *count > 0);
    count.ok_or_else(|| malformed_input(op, "a number of permits, or null for one"))
}

/// Whether the permits were to be had. An answer that repeats their number, or says nothing, says
/// that they were.
fn were_taken(op: &OpView<'_>) -> Result<Option<bool>, Unknown> {
    match op.output() {
        None => Ok(None),
        Some(Value::Bool(taken)) => Ok(Some(*taken)),
        Some(answer) if answer.is_null() || answer == op.input() => Ok(Some(true)),
        Some(_) => Err(malformed_output(op, "true, false, null or the number that was asked for")),
    }
}

/// Decides a semaphore: `release` and `acquire` of permits.
pub(crate) fn semaphore(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let read = |op: &OpView<'_>| -> Result<Option<Said<Semaphore>>, Unknown> {
        let input = match (op.f().as_str(), op.outcome) {
            (_, EventType::Fail) => return Ok(None),
            ("release", _) => PermitInput::Release(permits(op)?),
            ("acquire", _) => PermitInput::Acquire(permits(op)?),
            _ => return Err(meaningless(op, "a semaphore")),
        };
        Ok(Some((input, were_taken(op)?)))
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
        let Some(client) = lock_client(op)? else { return Ok(None) };
        Ok(lock_input(op)?.map(|input| ((client, input), op.output().map(|_| ()))))
    };
    match ModelCalls::<OwnedLock>::of(context, read) {
        Ok(calls) => calls.search(context, &OwnedLock, |holder| json!(holder)),
        Err(unknown) => undecided(unknown),
    }
}

/// Who asks a lock.
pub(super) fn lock_client(op: &OpView<'_>) -> Result<Option<u64>, Unknown> {
    match (op.input(), op.process()) {
        (Value::Int(client), _) => Ok(Some(*client as u64)),
        (Value::Null, Process::Client(number)) => Ok(Some(number)),
        (Value::Null, Process::Nemesis) => Ok(None),
        _ => Err(malformed_input(op, "the number of a client, or null for the process")),
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
        (Contains, None, EventType::Ok) => {
            return Err(malformed_output(op, "[element, true] or [element, false]"));
        }
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
