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
    ops: Vec<MicroOp>,
    /// Session, outcome, and where its micro-operations end.
    txns: Vec<(u64, EventType, usize)>,
    /// Keys to which somebody writes 0.
    zeros: HashSet<i128, FxBuildHasher>,
    /// Whether 0 stands for the initial value.
    zero_is_initial: bool,
    notes: Vec<String>,
}

impl Recording {
    fn new(zero_is_initial: bool) -> Recording {
        Recording { zero_is_initial, ..Recording::default() }
    }

    fn op(&mut self, write: bool, key: i128, value: Option<i128>) {
        if write && value == Some(INITIAL) {
            self.zeros.insert(key);
        }
        self.ops.push(MicroOp { write, key, value });
    }

    /// Ends the transaction that the operations since the last call make up. One without any
    /// says nothing and is left out.
    fn end(&mut self, session: u64, outcome: EventType) {
        if self.ops.len() > self.txns.last().map_or(0, |(_, _, end)| *end) {
            self.txns.push((session, outcome, self.ops.len()));
        }
    }

    fn value(&self, op: MicroOp) -> Value {
        match op.value {
            Some(INITIAL) if !op.write && self.zero_is_initial && !self.zeros.contains(&op.key) => {
                Value::Null
            }
            Some(value) => number(value),
            None => Value::Null,
        }
    }

    /// The transaction as the value of an event.
    fn txn(&self, ops: &[MicroOp], names: &[Value; 2]) -> Value {
        let list = |op: &MicroOp| {
            let name = names[usize::from(op.write)].clone();
            Value::list([name, number(op.key), self.value(*op)])
        };
        Value::List(ops.iter().map(list).collect())
    }

    fn finish(mut self) -> Result<Loaded, HistoryError> {
        let mut builder = Builder::default();
        let f = Names::default().get("txn");
        let names = [Value::str("r"), Value::str("w")];
        let mut begin = 0;
        for (session, outcome, end) in &self.txns {
            let value = self.txn(&self.ops[begin..*end], &names);
            begin = *end;
            let first = builder.next_index().0 == 0;
            let mark = || [(UNORDERED.into(), Value::Bool(false))].into();
            let mut event = Event {
                index: builder.next_index(),
                time: Nanos(0),
                process: Process::Client(*session),
                kind: EventType::Invoke,
                f: f.clone(),
                key: None,
                value: Value::Null,
                error: None,
                node: None,
                extra: first.then(mark),
            };
            // What failed is told at once, as the invocation is what others go by.
            if *outcome != EventType::Ok {
                event.value = value.clone();
            }
            builder.push(event.clone())?;
            event.index = builder.next_index();
            (event.kind, event.value, event.extra) = (*outcome, value, None);
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
