//! Cobra's logs: a folder of `T<n>.log`, one a session; here they come one after the other.
//!
//! Records are big-endian: `S txn`, `W write-id key value`, `R writer write-id key value`,
//! `C txn`, each number 64 bits. Cobra gives each write an id of its own and reads say which
//! write they saw, so the id is the value. Two ids stand for the initial value. A transaction
//! without `C` at the end of its log is one of which nobody knows whether it happened.

use super::{Bytes, Placed, Recording};
use crate::history::{EventType, Fault, Loaded};
use std::io::{BufReader, Read};

/// Write ids that stand for the initial value.
const INITIAL_IDS: [i64; 2] = [0xbebe_ebee, 0xdead_beef];

/// Reads the logs of all sessions, each with its number and name. An error names the log.
pub(in crate::format) fn read<R: Read>(
    logs: impl IntoIterator<Item = (u64, String, R)>,
) -> Result<Loaded, (String, u64, Fault)> {
    let mut recording = Recording::new(false);
    for (session, name, input) in logs {
        let mut bytes = Bytes { input: BufReader::new(input), at: 0 };
        let result = log(session, &mut bytes, &mut recording);
        result.map_err(|(at, fault)| (name, at, fault))?;
    }
    recording.finish().map_err(|error| (String::new(), 0, Fault::History(error)))
}

fn log(session: u64, bytes: &mut Bytes<impl Read>, recording: &mut Recording) -> Placed<()> {
    let mut open: Option<i64> = None;
    while let Some(tag) = bytes.next()? {
        match (tag, open) {
            (b'S', None) => open = Some(number(bytes, "S")?),
            (b'W', Some(_)) => {
                let id = number(bytes, "W")?;
                let key = number(bytes, "W")?;
                number(bytes, "W")?;
                recording.op(true, key.into(), Some(id.into()));
            }
            (b'R', Some(_)) => {
                number(bytes, "R")?;
                let id = number(bytes, "R")?;
                let key = number(bytes, "R")?;
                number(bytes, "R")?;
                let id = Some(id).filter(|id| !INITIAL_IDS.contains(id));
                recording.op(false, key.into(), id.map(i128::from));
            }
            (b'C', Some(txn)) => {
                let ended = number(bytes, "C")?;
                if ended != txn {
                    let problem = format!("`C` of transaction {ended} inside {txn}");
                    return Err(bytes.problem(problem));
                }
                recording.end(session, EventType::Ok);
                open = None;
            }
            (b'S' | b'W' | b'R' | b'C', _) => {
                let tag = char::from(tag);
                let place = if open.is_some() { "inside" } else { "outside" };
                return Err(bytes.problem(format!("`{tag}` {place} a transaction")));
            }
            (other, _) => {
                let problem = format!("expected `S`, `W`, `R` or `C`, found byte {other}");
                return Err(bytes.problem(problem));
            }
        }
    }
    if open.is_some() {
        recording.end(session, EventType::Info);
    }
    Ok(())
}

fn number(bytes: &mut Bytes<impl Read>, what: &'static str) -> Placed<i64> {
    bytes.array(what).map(i64::from_be_bytes)
}
