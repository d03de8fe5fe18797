//! A string that is appended to, read and replaced as a whole.

use super::{Effect, Model};

/// A string, empty at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct AppendText;

/// What is asked of a string.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TextInput {
    /// Put this behind what is there.
    Append(String),
    /// Replace what is there.
    Put(String),
    /// Read it.
    Get,
}

impl Model for AppendText {
    type State = String;
    type Input = TextInput;
    /// What a read saw; `None` if nothing is told.
    type Output = Option<String>;
    type Next = Option<String>;

    fn initial(&self) -> String {
        String::new()
    }

    fn step(
        &self,
        state: &String,
        input: &TextInput,
        output: Option<&Option<String>>,
    ) -> Option<String> {
        match (input, output) {
            (TextInput::Append(piece), _) => Some(format!("{state}{piece}")),
            (TextInput::Put(text), _) => Some(text.clone()),
            (TextInput::Get, Some(Some(seen))) => (seen == state).then(|| state.clone()),
            (TextInput::Get, _) => Some(state.clone()),
        }
    }

    fn effect(&self, input: &TextInput, _: Option<&Option<String>>) -> Effect {
        match input {
            TextInput::Get => Effect::Observes,
            TextInput::Put(_) => Effect::Overwrites,
            TextInput::Append(_) => Effect::Updates,
        }
    }

    fn state_bytes(&self, state: &String) -> usize {
        size_of::<String>() + state.len()
    }
}
