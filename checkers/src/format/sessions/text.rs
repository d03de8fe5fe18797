//! Two texts: Plume's `r(key,value,session,txn)`, which `PolySI` and `IsoVista` use as well, and
//! AWDIT's `r key value` with lines of `-` between transactions and of `=` between sessions.
//!
//! In Plume's, lines of one transaction follow each other, and the transaction -1 is an aborted
//! one. Reading streams: a line is forgotten when its operation is noted.

use super::{Placed, Recording};
use crate::history::{EventType, Fault, Loaded};
use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;
use std::io::{BufRead, BufReader, Read};

/// The number of a transaction that aborted.
const ABORTED: i128 = -1;

/// Reads Plume's text. An error has its line.
pub(in crate::format) fn read_plume(input: impl Read) -> Result<Loaded, (u64, Fault)> {
    let mut recording = Recording::new(true);
    let mut seen: HashSet<(u64, i128), FxBuildHasher> = HashSet::default();
    let mut last: Option<(u64, i128)> = None;
    each_line(input, |line, text| {
        let parsed = plain_line(text).map_or_else(|| plume_line(text), Ok);
        let (write, fields) = parsed.map_err(|problem| (line, syntax(problem)))?;
        let [key, value, session, txn] = fields;
        let session = u64::try_from(session)
            .map_err(|_| (line, syntax(format!("session {session}: expected a natural number"))))?;
        let this = Some((session, txn));
        if this != last {
            close(&mut recording, last);
            if txn != ABORTED && !seen.insert((session, txn)) {
                let problem = format!(
                    "transaction {txn} of session {session} goes on after another: its lines must \
                     follow each other"
                );
                return Err((line, syntax(problem)));
            }
        }
        last = this;
        recording.op(write, key, Some(value));
        Ok(())
    })?;
    close(&mut recording, last);
    recording.finish().map_err(|error| (0, Fault::History(error)))
}

fn close(recording: &mut Recording, txn: Option<(u64, i128)>) {
    if let Some((session, number)) = txn {
        let aborted = number == ABORTED;
        recording.end(session, if aborted { EventType::Fail } else { EventType::Ok });
    }
}

/// What nearly all lines are: without blanks, and with numbers that are safely of 64 bits.
fn plain_line(text: &str) -> Option<(bool, [i128; 4])> {
    const DIGITS_MAX: usize = 18;
    let (write, mut rest) = match text.as_bytes() {
        [b'r', b'(', rest @ ..] => (false, rest),
        [b'w', b'(', rest @ ..] => (true, rest),
        _ => return None,
    };
    let mut fields = [0; 4];
    for (field, end) in fields.iter_mut().zip(b",,,)") {
        let digits = rest.strip_prefix(b"-").unwrap_or(rest);
        let sign = if digits.len() < rest.len() { -1 } else { 1 };
        let (mut number, mut length) = (0_i64, 0);
        while let Some(digit @ b'0'..=b'9') = digits.get(length)
            && length < DIGITS_MAX
        {
            number = 10 * number + i64::from(digit - b'0');
            length += 1;
        }
        if length == 0 || digits.get(length) != Some(end) {
            return None;
        }
        *field = i128::from(sign * number);
        rest = &digits[length + 1..];
    }
    rest.is_empty().then_some((write, fields))
}

fn plume_line(text: &str) -> Result<(bool, [i128; 4]), String> {
    let expected = || "expected `r(key,value,session,txn)` or `w(...)`".to_owned();
    let (write, rest) = match text.as_bytes().first() {
        Some(b'r') => (false, &text[1..]),
        Some(b'w') => (true, &text[1..]),
        _ => return Err(expected()),
    };
    let inner = rest.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let mut fields = [0; 4];
    let mut parts = inner.ok_or_else(expected)?.split(',');
    for field in &mut fields {
        *field = parts.next().ok_or_else(expected).and_then(number)?;
    }
    if parts.next().is_some() {
        return Err(expected());
    }
    Ok((write, fields))
}

/// Reads AWDIT's text. An error has its line.
pub(in crate::format) fn read_awdit(input: impl Read) -> Result<Loaded, (u64, Fault)> {
    let mut recording = Recording::new(true);
    let mut session = 0;
    each_line(input, |line, text| {
        let bar = |c: char| text.len() >= 3 && text.chars().all(|other| other == c);
        if bar('-') || bar('=') {
            recording.end(session, EventType::Ok);
            session += u64::from(bar('='));
            return Ok(());
        }
        let mut parts = text.split_whitespace();
        let problem = |problem: String| (line, syntax(problem));
        let write = match parts.next() {
            Some("r") => false,
            Some("w") => true,
            _ => return Err(problem("expected `r key value`, `w key value` or a bar".into())),
        };
        let mut field = |name: &str| {
            let missing = || problem("expected a key and a value".into());
            let part = parts.next().ok_or_else(missing)?;
            number(part).map_err(|problem| {
                let column = 1 + part.as_ptr().addr() - text.as_ptr().addr();
                (line, Fault::Syntax { column, field: Some(name.to_owned()), problem })
            })
        };
        let (key, value) = (field("key")?, field("value")?);
        if parts.next().is_some() {
            return Err(problem("expected the end of the line behind the value".into()));
        }
        recording.op(write, key, Some(value));
        Ok(())
    })?;
    recording.end(session, EventType::Ok);
    recording.finish().map_err(|error| (0, Fault::History(error)))
}

fn number(text: &str) -> Result<i128, String> {
    let text = text.trim();
    if let Ok(n) = text.parse::<i64>() {
        return Ok(n.into());
    }
    let bounded = text
        .parse::<i128>()
        .ok()
        .filter(|n| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(n));
    bounded.ok_or_else(|| format!("`{text}` is no number of 64 bits"))
}

fn syntax(problem: String) -> Fault {
    Fault::Syntax { column: 1, field: None, problem }
}

/// Gives each line that is not blank, trimmed, with its number from 1.
fn each_line(input: impl Read, mut take: impl FnMut(u64, &str) -> Placed<()>) -> Placed<()> {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = input.read_until(b'\n', &mut bytes).map_err(|error| (line, Fault::Io(error)))?;
        if read == 0 {
            break;
        }
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| (line, Fault::NotUtf8 { column: error.valid_up_to() + 1 }))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.is_empty() {
            take(line, text)?;
        }
    }
    Ok(())
}
