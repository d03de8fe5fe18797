//! Trouble that is the asker's: the arguments or the input are wrong. The program then ends with
//! exit code 254.

use std::fmt;
use std::io;

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

/// An error of the file system while something was done to a file that the asker named: the
/// asker's where there is no such place or it may not be used so, else ours, like a full disk.
pub fn file_trouble(error: io::Error, what: String) -> anyhow::Error {
    use io::ErrorKind::{
        AlreadyExists, InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound,
        PermissionDenied, ReadOnlyFilesystem,
    };
    let theirs = matches!(
        error.kind(),
        AlreadyExists
            | InvalidFilename
            | InvalidInput
            | IsADirectory
            | NotADirectory
            | NotFound
            | PermissionDenied
            | ReadOnlyFilesystem
    );
    if theirs { wrong(format!("{what}: {error}")) } else { anyhow::Error::new(error).context(what) }
}

/// The same for an error that is a sentence of its own.
pub fn wrong_name(error: impl std::error::Error) -> anyhow::Error {
    wrong(error.to_string())
}
