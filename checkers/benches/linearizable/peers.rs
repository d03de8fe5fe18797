//! The same registers, checked by other people's checkers: both search as Wing, Gong and Lowe do.

use crate::shapes::RegisterCall;
use porcupine_rs::{CheckResult, Operation, check_operations_timeout};
use quorate_checkers::model::{RegisterInput, RegisterOutput};
use std::time::Duration;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History};
use todc_utils::specifications::Specification;

/// What was asked, and what came of it, if that is known.
type Said = (RegisterInput<i64>, Option<RegisterOutput<i64>>);

/// How long a peer may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(crate) struct Porcupine;

impl porcupine_rs::Model for Porcupine {
    type State = i64;
    type Op = Said;
    type Metadata = ();

    fn init() -> i64 {
        0
    }

    fn step(state: &i64, said: &Said) -> (bool, i64) {
        step(*state, said)
    }
}

/// What porcupine-rs is given. A crashed call ends after all others.
pub(crate) fn for_porcupine(calls: &[RegisterCall]) -> Vec<Operation<Porcupine>> {
    let operation = |call: &RegisterCall| Operation {
        client_id: None,
        call_time: call.invoke.cast_signed(),
        return_time: call.complete.map_or(i64::MAX, u64::cast_signed),
        op: (call.input.clone(), call.output.clone()),
        metadata: None,
    };
    calls.iter().map(operation).collect()
}

/// The verdict of porcupine-rs; none if it lost patience.
pub(crate) fn porcupine(operations: &[Operation<Porcupine>]) -> Option<bool> {
    match check_operations_timeout(operations, PATIENCE) {
        CheckResult::Ok => Some(true),
        CheckResult::Illegal => Some(false),
        CheckResult::Unknown => None,
    }
}

pub(crate) struct Todc;

impl Specification for Todc {
    type State = i64;
    type Operation = Said;

    fn init() -> i64 {
        0
    }

    fn apply(said: &Said, state: &i64) -> (bool, i64) {
        step(*state, said)
    }
}

/// What todc-utils is given.
pub(crate) fn for_todc(calls: &[RegisterCall]) -> History<Said> {
    let mut ends: Vec<(u64, bool, usize)> = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        ends.push((call.invoke, false, at));
        ends.push((call.complete.unwrap_or(u64::MAX), true, at));
    }
    ends.sort_unstable();
    let action = |(_, completes, at): (u64, bool, usize)| {
        let call = &calls[at];
        let said = (call.input.clone(), call.output.clone());
        (at, if completes { Action::Response(said) } else { Action::Call(said) })
    };
    History::from_actions(ends.into_iter().map(action).collect())
}

/// The verdict of todc-utils, which cannot be stopped.
pub(crate) fn todc(history: History<Said>) -> bool {
    WGLChecker::<Todc>::is_linearizable(history)
}

/// A register; an answer that nobody knows may be any.
fn step(state: i64, (input, output): &Said) -> (bool, i64) {
    match (input, output) {
        (RegisterInput::Read, Some(RegisterOutput::Seen(seen))) => (*seen == state, state),
        (RegisterInput::Read, _) => (true, state),
        (RegisterInput::Write(value), _) => (true, *value),
        (RegisterInput::Cas { old, new }, None) => (true, if *old == state { *new } else { state }),
        (RegisterInput::Cas { old, .. }, Some(RegisterOutput::Refused)) => (*old != state, state),
        (RegisterInput::Cas { old, new }, Some(_)) => (*old == state, *new),
    }
}
