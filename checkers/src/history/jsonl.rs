//! `history.jsonl`: one event a line, in the order in which the recorder saw them.
//!
//! The reader is strict: what it returns is well-formed, and what it refuses it names by file,
//! line and field. It takes the input in batches of whole lines and parses the pieces of a batch in
//! parallel, while it pairs the events of the batch before in order: so it needs no more than three
//! batches beside the history itself, however long the file is. The writer streams.

mod line;
mod names;
mod write;

pub(crate) use names::Names;
pub use write::{Writer, write};

use super::{Builder, Event, Fault, History, ReadError};
use crate::format::json::Scanner;
use line::ABSENT;
use rayon::prelude::*;
use std::io::Read;

/// The longest line that is read: no event comes near it.
pub const LINE_MAX: usize = 64 << 20;

/// Each piece of a batch is parsed on one thread.
const PIECE: usize = 256 << 10;

/// How strictly to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Leave out a last line that was cut off in the middle, as a run that was killed leaves
    /// it. Without this, such a line is an error.
    pub allow_torn_tail: bool,
}

/// A history with what must be said about how it was read.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The events.
    pub history: History,
    /// Sentences for whoever asked: what was left out or filled in.
    pub notes: Vec<String>,
}

/// Reads one line alone, for those who look at a file while it grows: what is blank, cut off or
/// wrong is nothing, and nobody asks whether events fit together. An index that the line does not
/// tell is the largest.
pub fn event(line: &str) -> Option<Event> {
    line::parse(line, &mut Scanner::default(), &mut Names::default()).ok().flatten()
}

/// Reads a whole history; `origin` is the file's name in errors. An empty input is an empty
/// history. Blank lines, CRLF and a byte order mark are passed over.
///
/// ```
/// let file = concat!(
///     r#"{"index":0,"time":12,"process":3,"type":"invoke","f":"write","value":17}"#, "\n",
///     r#"{"index":1,"time":27,"process":3,"type":"ok","f":"write","value":17}"#, "\n",
/// );
/// let history = quorate_checkers::history::jsonl::read(file.as_bytes(), "history.jsonl")?;
/// assert_eq!(history.operations().len(), 1);
/// # Ok::<(), quorate_checkers::history::ReadError>(())
/// ```
pub fn read(input: impl Read, origin: &str) -> Result<History, ReadError> {
    read_with(input, origin, Options::default()).map(|loaded| loaded.history)
}

/// Reads a whole history as `options` say.
pub fn read_with(input: impl Read, origin: &str, options: Options) -> Result<Loaded, ReadError> {
    let mut reader =
        Reader { origin, options, line: 1, builder: Builder::default(), notes: Vec::new() };
    let mut batches = Batches::new(input);
    let mut before = Vec::new();
    loop {
        let next = batches.next();
        let pieces = match &next {
            Ok(Some(batch)) => batch.pieces(),
            Ok(None) | Err(_) => Vec::new(),
        };
        let parse = || pieces.into_par_iter().map(parse_piece).collect();
        let (taken, parsed) = rayon::join(|| reader.take(before), parse);
        taken?;
        if next.map_err(|fault| fault.at(origin, reader.line))?.is_none() {
            break;
        }
        before = parsed;
    }
    Ok(Loaded { history: reader.builder.finish(), notes: reader.notes })
}

/// Whole lines of the input, about a megabyte at a time.
struct Batches<R> {
    input: R,
    buffer: Vec<u8>,
    /// What the last batch took of the buffer.
    taken: usize,
    size: usize,
    state: Place,
}

#[derive(PartialEq, Eq)]
enum Place {
    Start,
    Middle,
    End,
}

impl<R: Read> Batches<R> {
    fn new(input: R) -> Batches<R> {
        let size = PIECE * 2 * rayon::current_num_threads().max(1);
        Batches { input, buffer: Vec::new(), taken: 0, size, state: Place::Start }
    }

    /// The next lines, each but the last of the input with its newline.
    fn next(&mut self) -> Result<Option<Batch<'_>>, Fault> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let mut searched = 0;
        while self.state != Place::End {
            let room = self.size.saturating_sub(self.buffer.len()).max(PIECE);
            let before = self.buffer.len();
            let mut part = (&mut self.input).take(room as u64);
            part.read_to_end(&mut self.buffer).map_err(Fault::Io)?;
            if self.state == Place::Start {
                self.state = Place::Middle;
                if self.buffer.starts_with(b"\xef\xbb\xbf") {
                    self.buffer.drain(..3);
                }
            }
            if self.buffer.len() - before < room {
                self.state = Place::End;
            } else if let Some(newline) = self.buffer[searched..].iter().rposition(|b| *b == b'\n')
            {
                self.taken = searched + newline + 1;
                break;
            } else if self.buffer.len() > LINE_MAX {
                return Err(Fault::TooLong { limit: LINE_MAX });
            }
            searched = self.buffer.len();
        }
        if self.state == Place::End {
            self.taken = self.buffer.len();
        }
        Ok((self.taken > 0).then(|| Batch(&self.buffer[..self.taken])))
    }
}

struct Batch<'a>(&'a [u8]);

impl<'a> Batch<'a> {
    /// The batch in pieces of whole lines.
    fn pieces(&self) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        let mut rest = self.0;
        while rest.len() > PIECE {
            let Some(newline) = rest[PIECE..].iter().position(|byte| *byte == b'\n') else { break };
            let (piece, more) = rest.split_at(PIECE + newline + 1);
            pieces.push(piece);
            rest = more;
        }
        pieces.push(rest);
        pieces
    }
}

/// What one piece of a batch holds.
struct Parsed {
    events: Vec<Event>,
    /// The line of each event, counted from the beginning of the piece.
    numbers: Vec<u32>,
    /// How many lines it is long, blank ones included.
    length: u64,
    /// What ended it early.
    fault: Option<Fault>,
}

struct Reader<'a> {
    origin: &'a str,
    options: Options,
    /// The next line.
    line: u64,
    builder: Builder,
    notes: Vec<String>,
}

impl Reader<'_> {
    fn take(&mut self, parsed: Vec<Parsed>) -> Result<(), ReadError> {
        for piece in parsed {
            let begin = self.line;
            for (event, number) in piece.events.into_iter().zip(piece.numbers) {
                let added = self.add(event);
                added.map_err(|fault| fault.at(self.origin, begin + u64::from(number)))?;
            }
            self.line = begin + piece.length;
            match piece.fault {
                // Nothing is torn but the last line of the input: each other has its newline.
                Some(Fault::Torn { .. }) if self.options.allow_torn_tail => {
                    let note = format!("line {}, the last, is cut off and was left out", self.line);
                    self.notes.push(note);
                }
                Some(fault) => return Err(fault.at(self.origin, self.line)),
                None => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, mut event: Event) -> Result<(), Fault> {
        if event.index == ABSENT {
            event.index = self.builder.next_index();
        }
        self.builder.push(event).map(drop).map_err(Fault::History)
    }
}

/// Parses whole lines, the last of which may lack its newline.
fn parse_piece(bytes: &[u8]) -> Parsed {
    let (text, broken) = match std::str::from_utf8(bytes) {
        Ok(text) => (text, None),
        // The valid part up to the line with the broken byte; that line is judged by itself.
        Err(error) => {
            let valid = &bytes[..error.valid_up_to()];
            let line_begin = valid.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let text = std::str::from_utf8(&valid[..line_begin]).unwrap_or_default();
            (text, Some((error.valid_up_to() - line_begin, error.error_len(), line_begin)))
        }
    };
    let (mut names, mut scanner) = (Names::default(), Scanner::default());
    let room = bytes.len() / 96;
    let mut parsed = Parsed {
        events: Vec::with_capacity(room),
        numbers: Vec::with_capacity(room),
        length: 0,
        fault: None,
    };
    for line in text.split_inclusive('\n') {
        match line::parse(line, &mut scanner, &mut names) {
            Ok(Some(event)) => {
                parsed.numbers.push(parsed.length as u32);
                parsed.events.push(event);
            }
            Ok(None) => {}
            Err(fault) => {
                parsed.fault = Some(fault);
                return parsed;
            }
        }
        parsed.length += 1;
    }
    if let Some((column, length, begin)) = broken {
        // Cut inside a character, at the very end: the line is torn and not broken.
        let cut = length.is_none() && !bytes[begin..].contains(&b'\n');
        let column = column + 1;
        parsed.fault =
            Some(if cut { Fault::Torn { column, field: None } } else { Fault::NotUtf8 { column } });
    }
    parsed
}

#[cfg(test)]
mod tests;
