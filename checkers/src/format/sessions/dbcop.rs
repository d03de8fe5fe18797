//! dbcop's `history.bincode`: little-endian, all lengths 64 bits.
//!
//! A header of five numbers (id, nodes, variables, transactions, events) and three strings; then
//! the sessions, each a list of transactions, each a list of events `{write, key, value, ok}`
//! and whether it committed. An event that did not succeed is left out; a transaction that did
//! not commit becomes a `fail`.

use super::{Bytes, INITIAL, Placed, Recording};
use crate::history::{EventType, Fault};
use std::io::{BufReader, Read};

/// No list of the format is longer than this; a larger number is no length.
const LENGTH_MAX: u64 = 1 << 32;

/// Reads a whole file. Memory: 48 bytes an event besides the history.
pub(in crate::format) fn read(input: impl Read) -> Result<crate::history::Loaded, (u64, Fault)> {
    let mut bytes = Bytes { input: BufReader::with_capacity(1 << 16, input), at: 0 };
    let mut recording = Recording::new(true);
    for _ in 0..5 {
        number(&mut bytes, "header")?;
    }
    for _ in 0..3 {
        for _ in 0..length(&mut bytes, "text of the header")? {
            bytes.array::<1>("text of the header")?;
        }
    }
    let mut failed = 0_u64;
    for session in 0..length(&mut bytes, "sessions")? {
        for _ in 0..length(&mut bytes, "transactions")? {
            for _ in 0..length(&mut bytes, "events")? {
                failed += u64::from(!event(&mut bytes, &mut recording)?);
            }
            let committed = flag(&mut bytes, "committed")?;
            recording.end(session, if committed { EventType::Ok } else { EventType::Fail });
        }
    }
    if bytes.next()?.is_some() {
        return Err(bytes.problem("expected the end behind the last session".into()));
    }
    if failed > 0 {
        recording.notes.push(format!("{failed} reads and writes did not succeed and are left out"));
    }
    recording.finish().map_err(|error| (bytes.at, Fault::History(error)))
}

/// Takes one event; whether it succeeded.
fn event(bytes: &mut Bytes<impl Read>, recording: &mut Recording) -> Placed<bool> {
    let write = flag(bytes, "write")?;
    let key = number(bytes, "key")?;
    let value = number(bytes, "value")?;
    let ok = flag(bytes, "ok")?;
    if ok {
        let value = i128::from(value);
        recording.op(write, key.into(), Some(value).filter(|value| write || *value != INITIAL));
    }
    Ok(ok)
}

fn number(bytes: &mut Bytes<impl Read>, what: &'static str) -> Placed<u64> {
    bytes.array(what).map(u64::from_le_bytes)
}

fn length(bytes: &mut Bytes<impl Read>, what: &'static str) -> Placed<u64> {
    match number(bytes, what)? {
        length if length <= LENGTH_MAX => Ok(length),
        length => Err(bytes.problem(format!("{length} {what}: that is no length"))),
    }
}

fn flag(bytes: &mut Bytes<impl Read>, what: &'static str) -> Placed<bool> {
    match bytes.array::<1>(what)?[0] {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(bytes.problem(format!("`{what}` is {other}: expected 0 or 1"))),
    }
}
