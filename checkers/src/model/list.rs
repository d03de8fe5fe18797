//! A list that is appended to, read and written as a whole.

use super::{Effect, Model};
use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;

/// A list, empty at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct AppendList<V>(PhantomData<fn(V)>);

impl<V> AppendList<V> {
    /// An empty list.
    pub fn new() -> AppendList<V> {
        AppendList(PhantomData)
    }
}

/// What is asked of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListInput<V> {
    /// Put an element behind all others.
    Append(V),
    /// Read all elements.
    Read,
    /// Replace all elements.
    Write(Vec<V>),
}

/// What a list answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListOutput<V> {
    /// It was appended or written.
    Done,
    /// All elements.
    Seen(Vec<V>),
}

impl<V: Clone + Eq + Hash + Debug + Send + Sync> Model for AppendList<V> {
    type State = Vec<V>;
    type Input = ListInput<V>;
    type Output = ListOutput<V>;
    type Next = Option<Vec<V>>;

    fn initial(&self) -> Vec<V> {
        Vec::new()
    }

    fn step(
        &self,
        state: &Vec<V>,
        input: &ListInput<V>,
        output: Option<&ListOutput<V>>,
    ) -> Option<Vec<V>> {
        match (input, output) {
            (ListInput::Append(element), Some(ListOutput::Done) | None) => {
                let mut list = state.clone();
                list.push(element.clone());
                Some(list)
            }
            (ListInput::Write(list), Some(ListOutput::Done) | None) => Some(list.clone()),
            (ListInput::Read, Some(ListOutput::Seen(seen))) => {
                (seen == state).then(|| state.clone())
            }
            (ListInput::Read, None) => Some(state.clone()),
            (ListInput::Read, Some(ListOutput::Done)) | (_, Some(ListOutput::Seen(_))) => None,
        }
    }

    fn effect(&self, input: &ListInput<V>, output: Option<&ListOutput<V>>) -> Effect {
        match (input, output) {
            (ListInput::Read, _) => Effect::Observes,
            (ListInput::Write(_), Some(ListOutput::Done) | None) => Effect::Overwrites,
            _ => Effect::Updates,
        }
    }

    fn state_bytes(&self, state: &Vec<V>) -> usize {
        size_of::<Vec<V>>() + state.len() * size_of::<V>()
    }
}
