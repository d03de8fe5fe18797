//! A set that only grows and is read as a whole; its elements are numbers that name them.

use super::{Effect, Model};

/// A set, empty at first.
#[derive(Clone, Copy, Debug)]
pub struct GrowingSet;

/// What is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrowingInput {
    /// Put an element in.
    Add(u32),
    /// Read all elements.
    Read,
}

impl Model for GrowingSet {
    /// The elements, ascending.
    type State = Vec<u32>;
    type Input = GrowingInput;
    /// All elements, ascending, where they were read.
    type Output = Option<Vec<u32>>;
    type Next = Option<Vec<u32>>;

    fn initial(&self) -> Vec<u32> {
        Vec::new()
    }

    fn step(
        &self,
        state: &Vec<u32>,
        input: &GrowingInput,
        output: Option<&Option<Vec<u32>>>,
    ) -> Option<Vec<u32>> {
        let mut after = state.clone();
        if let GrowingInput::Add(element) = input
            && let Err(place) = after.binary_search(element)
        {
            after.insert(place, *element);
        }
        match output {
            Some(Some(seen)) => (*seen == after).then_some(after),
            Some(None) | None => Some(after),
        }
    }

    fn effect(&self, input: &GrowingInput, _: Option<&Option<Vec<u32>>>) -> Effect {
        match input {
            GrowingInput::Read => Effect::Observes,
            GrowingInput::Add(_) => Effect::Updates,
        }
    }

    fn state_bytes(&self, state: &Vec<u32>) -> usize {
        size_of::<Vec<u32>>() + state.len() * size_of::<u32>()
    }
}
