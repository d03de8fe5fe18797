//! How histories are written down: our own lines of JSON, and what other tools read and write.
//!
//! All readers make the same well-formed [`History`], and all say by
//! file, line and field what they cannot read. Our own format is read strictly; those of others
//! are read as far as their meaning is clear, and notes tell what was changed on the way.
//!
//! | format | read | written |
//! |---|---|---|
//! | [`Format::Jsonl`] | streaming, strict | all |
//! | [`Format::Edn`] | one map a line, or one vector of maps | one map a line |
//! | [`Format::ElleJson`] | one list of objects, or one object a line | one list |
//! | [`Format::JepsenLog`] | `process type f value [error]` a line, in Jepsen's log or alone | where it can say it |
//! | [`Format::KvLog`] | as EDN | where it can say it |
//! | [`Format::Intervals`] | `method value begin end` a line | no |
//! | [`Format::Dbcop`], [`Format::Cobra`], [`Format::Plume`], [`Format::Awdit`] | streaming: sessions of transactions without times | no |

pub(crate) mod edn;
mod foreign;
mod intervals;
pub(crate) mod json;
mod log;
mod maps;
mod sessions;

use crate::history::{Fault, History, Loaded, OpIndex, ReadError, jsonl};
use std::fmt;
use std::io::{self, Read, Write};

/// A way to write histories down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Our own: see [`jsonl`].
    Jsonl,
    /// Jepsen's `history.edn`.
    Edn,
    /// The JSON that elle-cli reads: Jepsen's maps as objects.
    ElleJson,
    /// The lines of Jepsen's log, as in Porcupine's etcd data, and of its `history.txt`.
    JepsenLog,
    /// Porcupine's key-value data: EDN maps of `get`, `put` and `append` on string keys.
    KvLog,
    /// Calls of one object as intervals, as fastlin and fptlin read them: `# queue`, then lines.
    Intervals,
    /// dbcop's `history.bincode`.
    Dbcop,
    /// Cobra's logs, a file a session: see [`read_cobra`] for a whole folder of them.
    Cobra,
    /// Plume's text, also that of `PolySI` and `IsoVista`: `r(key,value,session,txn)`.
    Plume,
    /// AWDIT's text: `r key value`, with bars between transactions and sessions.
    Awdit,
}

/// Whether values are the tuples `[key value]` of `jepsen.independent`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tuples {
    /// They are where each invocation has a vector of two whose first is no collection, at
    /// least one has `nil` for its second, completions repeat the first, and no event has a
    /// field `key`.
    #[default]
    Detect,
    /// They are, in all events of clients.
    Always,
    /// They are not.
    Never,
}

/// How to read formats of others. [`Format::Jsonl`] heeds `allow_torn_tail` alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Leave out a last line that was cut off, as a run that was killed leaves it.
    pub allow_torn_tail: bool,
    /// Whether keys are in the values.
    pub tuples: Tuples,
    /// Give an invocation to each completion that has none, for histories of which only the
    /// completions were kept. Such an invocation has an extra field `synthetic`.
    pub synthesise: bool,
}

/// Why a history could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The output failed.
    #[error("cannot be written")]
    Io(#[from] io::Error),
    /// The format has no way to say it.
    #[error("event {at} cannot be said in the format {format}: {why}")]
    Unsayable {
        /// The format.
        format: Format,
        /// The event.
        at: OpIndex,
        /// What the format lacks.
        why: &'static str,
    },
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 10] = [
        Format::Jsonl,
        Format::Edn,
        Format::ElleJson,
        Format::JepsenLog,
        Format::KvLog,
        Format::Intervals,
        Format::Dbcop,
        Format::Cobra,
        Format::Plume,
        Format::Awdit,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Edn => "edn",
            Format::ElleJson => "elle-json",
            Format::JepsenLog => "jepsen-log",
            Format::KvLog => "kv-log",
            Format::Intervals => "intervals",
            Format::Dbcop => "dbcop",
            Format::Cobra => "cobra",
            Format::Plume => "plume",
            Format::Awdit => "awdit",
        }
    }

    /// Whether histories can be written in it; all formats can be read.
    pub fn is_written(self) -> bool {
        !matches!(
            self,
            Format::Intervals | Format::Dbcop | Format::Cobra | Format::Plume | Format::Awdit
        )
    }

    /// The format with this name.
    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The format that a file of this name is written in, by its extension.
    pub fn of_name(file: &str) -> Option<Format> {
        let (_, extension) = file.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "json" => Some(Format::ElleJson),
            "edn" => Some(Format::Edn),
            "log" => Some(Format::JepsenLog),
            "txt" => Some(Format::KvLog),
            "bincode" => Some(Format::Dbcop),
            "plume" => Some(Format::Plume),
            "awdit" => Some(Format::Awdit),
            _ => None,
        }
    }

    /// The format of a file, from its name and its first bytes (a hundred are enough): what
    /// does not look as its extension says goes by its looks. Nothing if neither says it.
    pub fn detect(file: &str, head: &[u8]) -> Option<Format> {
        let named = Format::of_name(file);
        if named == Some(Format::Dbcop) {
            return named;
        }
        if head.len() >= 9 && head[0] == b'S' && matches!(head.get(9), None | Some(b'R' | b'W')) {
            return Some(Format::Cobra); // no text begins like this
        }
        let head = String::from_utf8_lossy(head);
        let mut rest = head.trim_start_matches('\u{feff}').trim_start();
        if rest.starts_with("# ") {
            return Some(Format::Intervals); // EDN has no such tag
        }
        let listed = rest.starts_with(['[', '(']);
        rest = rest.trim_start_matches(['[', '(']).trim_start();
        let looks = match rest.chars().next() {
            None if listed => named,
            None => return named.or(Some(Format::Jsonl)),
            Some('{') => match rest[1..].trim_start().chars().next() {
                Some('"') if listed || named == Some(Format::ElleJson) => Some(Format::ElleJson),
                Some('"') => Some(Format::Jsonl),
                Some(':') if named == Some(Format::KvLog) && !listed => Some(Format::KvLog),
                Some(_) => Some(Format::Edn),
                None => named,
            },
            Some(']') => named.or(Some(Format::ElleJson)),
            Some(';' | '#' | ')') => Some(Format::Edn),
            Some('0'..='9' | ':') if !listed => Some(Format::JepsenLog),
            Some(_) if rest.starts_with("INFO") => Some(Format::JepsenLog),
            Some('r' | 'w') => match rest[1..].chars().next() {
                Some('(') => Some(Format::Plume),
                Some(' ' | '\t') => Some(Format::Awdit),
                _ => None,
            },
            Some(_) => None,
        };
        looks.or(named)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads a whole history; `origin` is the file's name in errors. The formats of maps and logs
/// hold the whole text in memory meanwhile.
pub fn read(
    mut input: impl Read,
    origin: &str,
    format: Format,
    options: Options,
) -> Result<Loaded, ReadError> {
    if format == Format::Jsonl {
        let options = jsonl::Options { allow_torn_tail: options.allow_torn_tail };
        return jsonl::read_with(input, origin, options);
    }
    if let Some(result) = read_sessions(&mut input, origin, format) {
        return result;
    }
    let mut bytes = Vec::new();
    let read = input.read_to_end(&mut bytes);
    read.map_err(|error| Fault::Io(error).at(origin, 1))?;
    let text = text_of(&bytes, origin)?;
    let result = match format {
        Format::JepsenLog => log::read(text, options),
        Format::Intervals => intervals::read(text),
        Format::ElleJson => maps::read_json(text, options),
        _ => maps::read_edn(text, options),
    };
    result.map_err(|(at, fault)| placed(text, at, fault, origin))
}

/// Reads the formats of sessions; nothing if it is none of these.
fn read_sessions(
    input: &mut impl Read,
    origin: &str,
    format: Format,
) -> Option<Result<Loaded, ReadError>> {
    let result = match format {
        Format::Dbcop => sessions::dbcop::read(input),
        Format::Plume => sessions::text::read_plume(input),
        Format::Awdit => sessions::text::read_awdit(input),
        Format::Cobra => return Some(read_cobra([(0, origin.to_owned(), input)])),
        _ => return None,
    };
    let line = |at| if format == Format::Dbcop { 1 } else { at };
    Some(result.map_err(|(at, fault)| fault.at(origin, line(at))))
}

/// Reads Cobra's logs, each with the number of its session and its name in errors.
pub fn read_cobra<R: Read>(
    logs: impl IntoIterator<Item = (u64, String, R)>,
) -> Result<Loaded, ReadError> {
    sessions::cobra::read(logs).map_err(|(origin, _, fault)| fault.at(&origin, 1))
}

/// Writes a whole history. Fields and values that a format cannot hold but does not need, such
/// as times in a log, are left out; what would change the meaning is an error.
///
/// In EDN and elle-cli's JSON the key goes into the value, as the tuple `[key value]`, where all
/// operations have one; where only some have, it stays a field.
pub fn write(output: impl Write, format: Format, history: &History) -> Result<(), WriteError> {
    let mut output = io::BufWriter::new(output);
    match format {
        Format::Jsonl => jsonl::write(&mut output, history.events())?,
        Format::Edn => maps::write_edn(&mut output, history)?,
        Format::ElleJson => maps::write_json(&mut output, history)?,
        Format::JepsenLog => log::write(&mut output, history)?,
        Format::KvLog => log::write_kv(&mut output, history)?,
        Format::Intervals | Format::Dbcop | Format::Cobra | Format::Plume | Format::Awdit => {
            let why = "it is read only";
            return Err(WriteError::Unsayable { format, at: OpIndex(0), why });
        }
    }
    output.flush()?;
    Ok(())
}

fn text_of<'a>(bytes: &'a [u8], origin: &str) -> Result<&'a str, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = place(&bytes[..error.valid_up_to()]);
        Fault::NotUtf8 { column }.at(origin, line)
    })
}

/// The error with its line, and its column where the fault has one.
fn placed(text: &str, at: usize, fault: Fault, origin: &str) -> ReadError {
    let (line, column) = place(&text.as_bytes()[..at.min(text.len())]);
    let fault = match fault {
        Fault::Syntax { field, problem, .. } => Fault::Syntax { column, field, problem },
        Fault::Torn { field, .. } => Fault::Torn { column, field },
        other => other,
    };
    fault.at(origin, line)
}

/// Line and column, both from 1, of what follows `before`.
fn place(before: &[u8]) -> (u64, usize) {
    let lines = before.split(|byte| *byte == b'\n');
    let last = before.rsplit(|byte| *byte == b'\n').next();
    (lines.count() as u64, last.map_or(0, <[u8]>::len) + 1)
}

#[cfg(test)]
mod tests;
