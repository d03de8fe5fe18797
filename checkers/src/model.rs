//! Models: what an object does when it is used by one client alone.
//!
//! Linearizability compares a concurrent history with a sequential specification (Herlihy and
//! Wing, "Linearizability: a correctness condition for concurrent objects", 1990). A [`Model`]
//! is that specification as a pure function from a state, an input and an output to the states
//! that may follow. No state means that the output is impossible there. One state is the usual,
//! deterministic case; several make the model non-deterministic.
//!
//! A type of your own takes a dozen lines:
//!
//! ```
//! use quorate_checkers::linearizable::{is_linearizable, Call};
//! use quorate_checkers::model::Model;
//!
//! /// A ticket dispenser: each call returns the next number.
//! struct Tickets;
//!
//! impl Model for Tickets {
//!     type State = u32;
//!     type Input = ();
//!     type Output = u32;
//!     type Next = Option<u32>;
//!
//!     fn initial(&self) -> u32 {
//!         0
//!     }
//!
//!     fn step(&self, sold: &u32, _: &(), ticket: Option<&u32>) -> Option<u32> {
//!         ticket.is_none_or(|ticket| ticket == sold).then_some(sold + 1)
//!     }
//! }
//!
//! // Two clients at once: process 0 asked first and got the second ticket. That is fine.
//! let overlapping = [Call::new(0, (), 0, 1, 3), Call::new(1, (), 1, 0, 2)];
//! assert!(is_linearizable(&Tickets, &overlapping));
//!
//! // One after the other: the second client got a ticket that was gone.
//! let twice = [Call::new(0, (), 0, 0, 1), Call::new(1, (), 2, 0, 3)];
//! assert!(!is_linearizable(&Tickets, &twice));
//! ```

mod growing;
mod list;
mod map;
mod pool;
mod register;
mod registers;
mod small;
mod text;

pub use growing::{GrowingInput, GrowingSet};
pub use list::{AppendList, ListInput, ListOutput};
pub use map::Map;
pub use pool::{PoolInput, PoolOutput, PriorityQueue, Queue, Stack};
pub use register::{Register, RegisterInput, RegisterOutput};
pub use registers::{Access, Registers};
pub use small::{
    Counter, CounterInput, Membership, MembershipInput, MembershipOutput, Mutex, MutexInput,
    OwnedLock, PermitInput, Semaphore,
};
pub use text::{AppendText, TextInput};

use std::fmt::Debug;
use std::hash::Hash;

/// The sequential specification of an object; a pure function.
///
/// Purity is the caller's promise: a `step` that answers differently for equal arguments makes
/// every verdict worthless, because answers are remembered.
pub trait Model: Sync {
    /// All that the object remembers.
    type State: Clone + Eq + Hash + Debug + Send + Sync;
    /// What a client asks, with its arguments.
    type Input: Eq + Hash + Debug + Sync;
    /// What the client was told.
    type Output: Eq + Hash + Debug + Sync;
    /// The states that may follow: `Option<State>` for a deterministic object, `Vec<State>` for
    /// one that may go several ways.
    type Next: IntoIterator<Item = Self::State>;

    /// The state before anything happened.
    fn initial(&self) -> Self::State;

    /// The states after `input` answered with `output` in `state`; none if that answer is
    /// impossible there. Without an output nobody knows what the answer was: any is possible.
    fn step(
        &self,
        state: &Self::State,
        input: &Self::Input,
        output: Option<&Self::Output>,
    ) -> Self::Next;

    /// What this call does to the state, where it is possible; lets the search skip work.
    /// The default is always right.
    fn effect(&self, input: &Self::Input, output: Option<&Self::Output>) -> Effect {
        let _ = (input, output);
        Effect::Updates
    }

    /// Another input that can do whatever this one can, when nobody learns the answers; as a
    /// write can for a compare-and-set to the same value. The search then keeps the stronger of
    /// two calls that crashed. The default, none, is always right.
    fn stand_in(&self, input: &Self::Input) -> Option<Self::Input> {
        let _ = input;
        None
    }

    /// Bytes that a state takes, roughly; counted against the search's budget of memory. Worth
    /// writing where states own heap memory.
    fn state_bytes(&self, state: &Self::State) -> usize {
        size_of_val(state)
    }

    /// Which independent object of a larger one this input is about, where the model is a
    /// collection of such: inputs with different numbers never affect each other's answers.
    /// They are then checked apart and in parallel, which is exact since linearizability is
    /// local (Herlihy and Wing, theorem 1).
    fn part(&self, input: &Self::Input) -> u64 {
        let _ = input;
        0
    }
}

/// How a call with a known answer can touch the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// In no state does it change anything: a read, a refused compare-and-set.
    Observes,
    /// It is possible in every state, and the state after it does not depend on the one before:
    /// a plain write.
    Overwrites,
    /// Anything else.
    Updates,
}
