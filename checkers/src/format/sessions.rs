//! Histories that are only sessions of transactions over registers, as the tools for black-box
//! isolation record them: dbcop's binary, Cobra's logs, the text of Plume and `PolySI`, that of
//! AWDIT.
//!
//! These formats know no invocations and no times. Each session becomes a process, each
//! transaction one operation `txn` whose completion holds the micro-operations. The order of the
//! file says nothing about sessions among each other, so the first event gets the field
//! `real-time` with the value `false`: see [`History::has_real_time`].
//!
//! The value 0 stands for the initial value, except at a key to which some transaction writes 0.
//! It becomes `null`, which is what reads of a register return before anything was written.

pub(super) mod cobra;
pub(super) mod dbcop;
pub(super) mod text;

use crate::history::{
    Builder, Event, EventType, Fault, History, HistoryError, Loaded, Names, Nanos, Process,
};
use crate::value::Value;
use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;
use std::io::{self, Read};

/// What a read of the initial value says in these formats.
const INITIAL: i128 = 0;

/// A reader's error with its place: a line of text, or the number of a byte.
type Placed<T> = Result<T, (u64, Fault)>;

/// One read or write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MicroOp {
    write: bool,
    key: i128,
    /// `None` is a read of the initial value, in formats that say so themselves.
    value: Option<i128>,
}

/// Collects transactions as they are read.
#[derive(Debug, Default)]
struct Recording {
    /// What the transaction at hand did.
    ops: Vec<MicroOp>,
    /// Session, outcome and micro-operations.
    txns: Vec<(u64, EventType, Value)>,
    /// Keys to which somebody writes 0.
    zeros: HashSet<i128, FxBuildHasher>,
    /// Reads of 0, now `null`: which transaction, which of its micro-operations, and the key.
    zero_reads: Vec<(usize, usize, i128)>,
    /// Whether 0 stands for the initial value.
    zero_is_initial: bool,
    notes: Vec<String>,
}

impl Recording {
    fn new(zero_is_initial: bool) -> Recording {
        Recording { zero_is_initial, ..Recording::default() }
    }

    fn op(&mut self, write: bool, key: i128, value: Option<i128>) {
        if value == Some(INITIAL) && self.zero_is_initial {
            if write {
                self.zeros.insert(key);
            } else {
                self.zero_reads.push((self.txns.len(), self.ops.len(), key));
                self.ops.push(MicroOp { write, key, value: None });
                return;
            }
        }
        self.ops.push(MicroOp { write, key, value });
    }

    /// Ends the transaction that the operations since the last call make up. One without any
    /// says nothing and is left out.
    fn end(&mut self, session: u64, outcome: EventType) {
        if self.ops.is_empty() {
            return;
        }
        let list = |op: MicroOp| {
            let name = Value::str(if op.write { "w" } else { "r" });
            Value::list([name, number(op.key), op.value.map_or(Value::Null, number)])
        };
        let value = Value::List(self.ops.drain(..).map(list).collect());
        self.txns.push((session, outcome, value));
    }

    /// Gives back their 0 to reads of keys to which somebody writes it.
    fn restore_zeros(&mut self) {
        let of_zero = self.zero_reads.iter().filter(|(.., key)| self.zeros.contains(key));
        for (txn, op, _) in of_zero {
            if let Value::List(ops) = &mut self.txns[*txn].2
                && let Some(Value::List(parts)) = ops.get_mut(*op)
                && let Some(value) = parts.last_mut()
            {
                *value = number(INITIAL);
            }
        }
    }

    fn finish(mut self) -> Result<Loaded, HistoryError> {
        self.restore_zeros();
        let mut builder = Builder::default();
        let f = Names::default().get("txn");
        for (session, outcome, value) in self.txns {
            let first = builder.next_index().0 == 0;
            let mark = || [(UNORDERED.into(), Value::Bool(false))].into();
            let mut event = Event {
                index: builder.next_index(),
                time: Nanos(0),
                process: Process::Client(session),
                kind: EventType::Invoke,
                f: f.clone(),
                key: None,
                value: Value::Null,
                error: None,
                node: None,
                extra: first.then(mark),
            };
            // What failed is told at once, as the invocation is what others go by.
            if outcome != EventType::Ok {
                event.value = value.clone();
            }
            builder.push(event.clone())?;
            event.index = builder.next_index();
            (event.kind, event.value, event.extra) = (outcome, value, None);
            builder.push(event)?;
        }
        if !self.zeros.is_empty() && self.zero_is_initial {
            let count = self.zeros.len();
            self.notes.push(format!(
                "0 is a written value, not the initial one, at the {count} keys that are set to it"
            ));
        }
        self.notes.push(
            "the format has sessions but no times: transactions of different sessions are in no \
             known order"
                .into(),
        );
        Ok(Loaded { history: builder.finish(), notes: self.notes })
    }
}

/// The field of the first event of a history whose order of events is not that of time.
pub(crate) const UNORDERED: &str = "real-time";

impl History {
    /// Whether the order of events tells what happened before what. Histories of tools that
    /// record sessions alone say by a field `"real-time": false` of the first event that it does
    /// not, and then only the order within each process counts.
    pub fn has_real_time(&self) -> bool {
        let extra = self.events().first().and_then(|event| event.extra.as_deref());
        !extra
            .unwrap_or_default()
            .iter()
            .any(|(name, value)| name.as_str() == UNORDERED && matches!(value, Value::Bool(false)))
    }
}

/// A number of a key or value; Cobra's hashes are signed, dbcop's keys need all 64 bits.
fn number(n: i128) -> Value {
    i64::try_from(n).map_or_else(|_| Value::BigInt(n.to_string().into()), Value::Int)
}

/// Reads numbers and bytes off an input and knows how far it is.
struct Bytes<R> {
    input: R,
    at: u64,
}

impl<R: Read> Bytes<R> {
    fn array<const N: usize>(&mut self, what: &'static str) -> Placed<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(|error| (self.at, lack(error, what)))?;
        self.at += N as u64;
        Ok(bytes)
    }

    /// The next byte, or nothing at the end.
    fn next(&mut self) -> Placed<Option<u8>> {
        let mut byte = [0];
        loop {
            return match self.input.read(&mut byte) {
                Ok(0) => Ok(None),
                Ok(_) => {
                    self.at += 1;
                    Ok(Some(byte[0]))
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err((self.at, Fault::Io(error))),
            };
        }
    }

    fn problem(&self, problem: String) -> (u64, Fault) {
        (self.at, Fault::Binary { at: self.at, problem })
    }
}

fn lack(error: io::Error, what: &'static str) -> Fault {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Fault::Missing { field: what, expected: "more bytes" },
        _ => Fault::Io(error),
    }
}
