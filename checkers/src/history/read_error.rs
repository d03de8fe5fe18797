//! Why a history could not be read: which file, which line, which field, and what was expected.

use super::HistoryError;
use std::fmt;

/// What is wrong with a history, and where.
#[derive(Debug, thiserror::Error)]
#[error("{origin}:{line}: {fault}")]
pub struct ReadError {
    /// What was read: the name of the file.
    pub origin: String,
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with one line of a history.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The input could not be read.
    #[error("cannot be read: {0}")]
    Io(std::io::Error),
    /// Bytes that are no text.
    #[error("column {column}: not UTF-8")]
    NotUtf8 {
        /// The byte in its line, from 1.
        column: usize,
    },
    /// Not the syntax of the format.
    #[error("column {column}{}: {problem}", InField(.field.as_deref()))]
    Syntax {
        /// The byte in its line, from 1.
        column: usize,
        /// The field whose value it is in, where that is known.
        field: Option<String>,
        /// What is there, and what was expected.
        problem: String,
    },
    /// The last line has no end: whoever wrote it died meanwhile.
    #[error("the last line is cut off at column {column}{}", InField(.field.as_deref()))]
    Torn {
        /// The byte in its line behind the last, from 1.
        column: usize,
        /// The field whose value was cut, where that is known.
        field: Option<String>,
    },
    /// Not the syntax of a binary format.
    #[error("byte {at}: {problem}")]
    Binary {
        /// The byte of the file, from 0.
        at: u64,
        /// What is there, and what was expected.
        problem: String,
    },
    /// A line longer than any event may be.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// A field that each event must have.
    #[error("field `{field}` is missing: expected {expected}")]
    Missing {
        /// Its name.
        field: &'static str,
        /// What should stand there.
        expected: &'static str,
    },
    /// A field, or a key of a map inside it, that stands there twice.
    #[error("field `{field}` stands there twice")]
    Twice {
        /// Its name.
        field: String,
    },
    /// A field with a value of another kind than it must have.
    #[error("field `{field}`: expected {expected}, found {found}")]
    Kind {
        /// Its name.
        field: String,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Well-formed, but at odds with the events before it.
    #[error("field `{field}`: {0}", field = .0.field())]
    History(HistoryError),
}

/// The field as it goes into a message, where it is known.
struct InField<'a>(Option<&'a str>);

impl fmt::Display for InField<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(field) => write!(f, ", field `{field}`"),
            None => Ok(()),
        }
    }
}

impl Fault {
    /// The field that is wrong, where it is known.
    pub fn field(&self) -> Option<&str> {
        match self {
            Fault::Io(_) | Fault::NotUtf8 { .. } | Fault::Binary { .. } | Fault::TooLong { .. } => {
                None
            }
            Fault::Syntax { field, .. } | Fault::Torn { field, .. } => field.as_deref(),
            Fault::Missing { field, .. } => Some(field),
            Fault::Twice { field } | Fault::Kind { field, .. } => Some(field),
            Fault::History(error) => Some(error.field()),
        }
    }

    /// Puts the fault where it was found.
    pub(crate) fn at(self, origin: &str, line: u64) -> ReadError {
        ReadError { origin: origin.to_string(), line, fault: self }
    }
}
