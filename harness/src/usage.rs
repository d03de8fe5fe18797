//! Trouble that is the asker's: the arguments or the input are wrong. The program then ends with
//! exit code 254.

use std::fmt;

/// The arguments or the input are wrong: says how, and what to do.
#[derive(Debug)]
pub struct Wrong(pub String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}

/// An error that says the arguments or the input are wrong.
pub fn wrong(message: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Wrong(message.into()))
}

/// The same for an error that is a sentence of its own.
pub fn wrong_name(error: impl std::error::Error) -> anyhow::Error {
    wrong(error.to_string())
}
