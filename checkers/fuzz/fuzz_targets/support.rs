//! What every reader must keep to, whatever it is given.

use quorate_checkers::format::{Format, Options, Tuples, read, write};
use quorate_checkers::history::History;

/// Reads `bytes` in every way. What is read must be well-formed, and the same when it has been
/// written as JSONL and read again.
pub(crate) fn check(bytes: &[u8], format: Format) {
    for tuples in [Tuples::Detect, Tuples::Always, Tuples::Never] {
        for flag in [false, true] {
            let options = Options { allow_torn_tail: flag, tuples, synthesise: flag };
            let Ok(loaded) = read(bytes, "fuzz", format, options) else { continue };
            let history = loaded.history;
            History::from_events(history.events().to_vec()).expect("well-formed");
            let mut text = Vec::new();
            write(&mut text, Format::Jsonl, &history).expect("all can be said in JSONL");
            let again = read(&text[..], "again", Format::Jsonl, Options::default());
            let again = again.expect("what was written can be read").history;
            assert_eq!(again.operations(), history.operations());
        }
    }
}
