//! One value that is read, written, and compared and set.

use super::{Effect, Model};
use std::fmt::{self, Debug};
use std::hash::Hash;

/// A register that holds `initial` at first. A compare-and-set makes it a cas register; there
/// is no difference otherwise.
#[derive(Clone, Debug)]
pub struct Register<V> {
    /// The value before the first write.
    pub initial: V,
}

/// What is asked of a register.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum RegisterInput<V> {
    /// Read the value.
    Read,
    /// Replace the value.
    Write(V),
    /// Replace the value if it equals `old`.
    Cas {
        /// The value that it must have.
        old: V,
        /// The value that it then gets.
        new: V,
    },
}

/// What a register answers.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum RegisterOutput<V> {
    /// A read saw this value.
    Seen(V),
    /// The write, or the compare-and-set, took effect.
    Done,
    /// The compare-and-set found another value than `old` and did nothing.
    Refused,
}

impl<V: Clone + Eq + Hash + Debug + Send + Sync> Model for Register<V> {
    type State = V;
    type Input = RegisterInput<V>;
    type Output = RegisterOutput<V>;
    type Next = Option<V>;

    fn initial(&self) -> V {
        self.initial.clone()
    }

    fn step(
        &self,
        state: &V,
        input: &RegisterInput<V>,
        output: Option<&RegisterOutput<V>>,
    ) -> Option<V> {
        use RegisterInput::{Cas, Read, Write};
        use RegisterOutput::{Done, Refused, Seen};
        match (input, output) {
            (Read, Some(Seen(value))) => (value == state).then(|| state.clone()),
            (Read, None) => Some(state.clone()),
            (Write(value), Some(Done) | None) => Some(value.clone()),
            (Cas { old, new }, Some(Done)) => (old == state).then(|| new.clone()),
            (Cas { old, .. }, Some(Refused)) => (old != state).then(|| state.clone()),
            (Cas { old, new }, None) => Some(if old == state { new } else { state }.clone()),
            // An answer to another question: never possible.
            (Read, Some(Done | Refused)) | (Write(_) | Cas { .. }, Some(_)) => None,
        }
    }

    fn effect(&self, input: &RegisterInput<V>, output: Option<&RegisterOutput<V>>) -> Effect {
        match (input, output) {
            (RegisterInput::Write(_), Some(RegisterOutput::Done) | None) => Effect::Overwrites,
            (RegisterInput::Read, _)
            | (RegisterInput::Cas { .. }, Some(RegisterOutput::Refused)) => Effect::Observes,
            _ => Effect::Updates,
        }
    }

    fn stand_in(&self, input: &RegisterInput<V>) -> Option<RegisterInput<V>> {
        match input {
            RegisterInput::Cas { new, .. } => Some(RegisterInput::Write(new.clone())),
            _ => None,
        }
    }
}

impl<V: Debug> Debug for RegisterInput<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterInput::Read => f.write_str("read"),
            RegisterInput::Write(value) => write!(f, "write {value:?}"),
            RegisterInput::Cas { old, new } => write!(f, "cas {old:?} to {new:?}"),
        }
    }
}

impl<V: Debug> Debug for RegisterOutput<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RegisterOutput::Seen(value) => write!(f, "saw {value:?}"),
            RegisterOutput::Done => f.write_str("done"),
            RegisterOutput::Refused => f.write_str("refused"),
        }
    }
}
