//! Objects whose state is a number or less: one element of a set, a counter, a mutex.

use super::{Effect, Model};

/// Whether one element is in a set. A set is a [`Map`](super::Map) of these: its elements do
/// not affect each other.
#[derive(Clone, Copy, Debug)]
pub struct Membership;

/// What is asked about one element of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MembershipInput {
    /// Put it in.
    Add,
    /// Take it out.
    Remove,
    /// Ask whether it is in.
    Contains,
}

/// What a set answers about one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MembershipOutput {
    /// It was added or removed; whether that changed anything was not said.
    Done,
    /// It was in the set before the call.
    Present,
    /// It was not.
    Absent,
}

impl Model for Membership {
    type State = bool;
    type Input = MembershipInput;
    type Output = MembershipOutput;
    type Next = Option<bool>;

    fn initial(&self) -> bool {
        false
    }

    fn step(
        &self,
        present: &bool,
        input: &MembershipInput,
        output: Option<&MembershipOutput>,
    ) -> Option<bool> {
        let possible = match output {
            Some(MembershipOutput::Present) => *present,
            Some(MembershipOutput::Absent) => !present,
            Some(MembershipOutput::Done) => *input != MembershipInput::Contains,
            None => true,
        };
        possible.then_some(match input {
            MembershipInput::Add => true,
            MembershipInput::Remove => false,
            MembershipInput::Contains => *present,
        })
    }

    fn effect(&self, input: &MembershipInput, output: Option<&MembershipOutput>) -> Effect {
        use MembershipInput::{Add, Contains, Remove};
        use MembershipOutput::{Absent, Done, Present};
        match (input, output) {
            (Contains, _) | (Add, Some(Present)) | (Remove, Some(Absent)) => Effect::Observes,
            (Add | Remove, None | Some(Done)) => Effect::Overwrites,
            (Add, Some(Absent)) | (Remove, Some(Present)) => Effect::Updates,
        }
    }
}

/// A number that starts at 0 and is added to.
#[derive(Clone, Copy, Debug)]
pub struct Counter;

/// What is asked of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CounterInput {
    /// Add this, which may be negative.
    Add(i64),
    /// Read it.
    Read,
}

impl Model for Counter {
    /// The sum, which may leave what 64 bits hold and come back.
    type State = i128;
    type Input = CounterInput;
    /// The value that was read, or after adding where that was told; `None` if it was not.
    type Output = Option<i64>;
    type Next = Option<i128>;

    fn initial(&self) -> i128 {
        0
    }

    fn step(
        &self,
        state: &i128,
        input: &CounterInput,
        output: Option<&Option<i64>>,
    ) -> Option<i128> {
        let after = match input {
            // No history is long enough to leave 128 bits by steps of 64.
            CounterInput::Add(delta) => state.checked_add(i128::from(*delta))?,
            CounterInput::Read => *state,
        };
        match output {
            Some(Some(told)) => (i128::from(*told) == after).then_some(after),
            Some(None) | None => Some(after),
        }
    }

    fn effect(&self, input: &CounterInput, _: Option<&Option<i64>>) -> Effect {
        match input {
            CounterInput::Read | CounterInput::Add(0) => Effect::Observes,
            CounterInput::Add(_) => Effect::Updates,
        }
    }
}

/// A lock that anybody may release.
#[derive(Clone, Copy, Debug)]
pub struct Mutex;

/// What is asked of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MutexInput {
    /// Take it; possible while it is free.
    Acquire,
    /// Give it back; possible while it is held.
    Release,
}

impl Model for Mutex {
    /// Whether it is held.
    type State = bool;
    type Input = MutexInput;
    type Output = ();
    type Next = Option<bool>;

    fn initial(&self) -> bool {
        false
    }

    fn step(&self, held: &bool, input: &MutexInput, _: Option<&()>) -> Option<bool> {
        match input {
            MutexInput::Acquire => (!held).then_some(true),
            MutexInput::Release => held.then_some(false),
        }
    }
}

/// A lock that only its holder may release; the inputs carry the client that asks.
#[derive(Clone, Copy, Debug)]
pub struct OwnedLock;

impl Model for OwnedLock {
    /// Who holds it.
    type State = Option<u64>;
    type Input = (u64, MutexInput);
    type Output = ();
    type Next = Option<Option<u64>>;

    fn initial(&self) -> Option<u64> {
        None
    }

    fn step(
        &self,
        holder: &Option<u64>,
        (client, input): &(u64, MutexInput),
        _: Option<&()>,
    ) -> Option<Option<u64>> {
        match input {
            MutexInput::Acquire => holder.is_none().then_some(Some(*client)),
            MutexInput::Release => (*holder == Some(*client)).then_some(None),
        }
    }
}

/// A number of permits, none at first.
#[derive(Clone, Copy, Debug)]
pub struct Semaphore;

/// What is asked of a semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PermitInput {
    /// Add so many permits.
    Release(u32),
    /// Take so many permits at once, if there are as many.
    Acquire(u32),
}

impl Model for Semaphore {
    type State = u64;
    type Input = PermitInput;
    /// Whether there were as many permits to take; true for a release.
    type Output = bool;
    type Next = Option<u64>;

    fn initial(&self) -> u64 {
        0
    }

    fn step(&self, permits: &u64, input: &PermitInput, taken: Option<&bool>) -> Option<u64> {
        match (input, taken) {
            (PermitInput::Release(count), _) => permits.checked_add(u64::from(*count)),
            (PermitInput::Acquire(count), taken) => {
                match (permits.checked_sub(u64::from(*count)), taken) {
                    (Some(left), Some(true) | None) => Some(left),
                    (None, Some(false) | None) => Some(*permits),
                    (Some(_), Some(false)) | (None, Some(true)) => None,
                }
            }
        }
    }

    fn effect(&self, input: &PermitInput, taken: Option<&bool>) -> Effect {
        match (input, taken) {
            (PermitInput::Acquire(_), Some(false)) => Effect::Observes,
            _ => Effect::Updates,
        }
    }
}
