//! Small random histories of single operations on registers, and the definitions of the models
//! tried out on them.

#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod oracle;

use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::value::Value;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;

/// An operation. The value 0 is the initial one; one that reads and writes is a compare-and-set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    pub(crate) process: u64,
    pub(crate) key: i64,
    pub(crate) read: Option<i64>,
    pub(crate) write: Option<i64>,
    pub(crate) outcome: EventType,
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

/// What histories look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) ops: usize,
    pub(crate) processes: u64,
    pub(crate) keys: i64,
    /// One operation in so many is in doubt or failed; none for 0.
    pub(crate) doubtful: u32,
    /// One operation in so many is a compare-and-set; none for 0.
    pub(crate) cas: u32,
    /// One read in so many sees just any value.
    pub(crate) wild: u32,
}

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn one_in(rng: &mut ChaCha8Rng, count: u32) -> bool {
    count > 0 && rng.random_range(0..count) == 0
}

/// Draws operations; reads see one of the latest values of their key, or just any.
pub(crate) fn draw(rng: &mut ChaCha8Rng, shape: &Shape) -> Vec<Op> {
    let count = rng.random_range(2..=shape.ops);
    let mut processes: Vec<u64> = (0..shape.processes).collect();
    let mut busy = vec![0_u64; shape.processes as usize];
    let mut ops: Vec<Op> = Vec::new();
    for number in 0..count {
        let client = rng.random_range(0..processes.len());
        let cas = one_in(rng, shape.cas);
        let writes = cas || rng.random_range(0..2) == 0;
        let begin = (10 * number as u64).max(busy[client] + 1);
        let end = begin + rng.random_range(1..30);
        busy[client] = end;
        let outcome = match (one_in(rng, shape.doubtful), rng.random_range(0..3)) {
            (false, _) => EventType::Ok,
            (true, 0) => EventType::Fail,
            (true, _) => EventType::Info,
        };
        ops.push(Op {
            process: processes[client],
            key: rng.random_range(0..shape.keys),
            read: (cas || !writes).then_some(0),
            write: writes.then_some(number as i64 + 1),
            outcome,
            begin,
            end,
        });
        if outcome == EventType::Info {
            processes[client] += 10;
        }
    }
    for at in 0..ops.len() {
        if ops[at].read.is_some() {
            let wild = one_in(rng, shape.wild);
            let until = if wild { ops.len() } else { at };
            let mut seen: Vec<i64> = vec![0];
            let others = ops[..until].iter().filter(|other| other.key == ops[at].key);
            seen.extend(others.filter_map(|other| other.write));
            if !wild {
                seen.drain(..seen.len().saturating_sub(2));
            }
            ops[at].read = Some(seen[rng.random_range(0..seen.len())]);
        }
    }
    ops
}

fn value(number: i64) -> Value {
    if number == 0 { Value::Null } else { Value::Int(number) }
}

/// As it would have been recorded.
pub(crate) fn record(ops: &[Op]) -> History {
    let mut events: Vec<(u64, bool, Event)> = Vec::new();
    for op in ops {
        let f = match (op.read, op.write) {
            (Some(_), Some(_)) => "cas",
            (None, _) => "write",
            _ => "read",
        };
        let asked = match (op.read, op.write) {
            (Some(old), Some(new)) => Value::from(serde_json::json!([old, new])),
            (_, Some(new)) => value(new),
            _ => Value::Null,
        };
        let asked = match asked {
            Value::List(_) if op.read == Some(0) => {
                Value::from(serde_json::json!([null, op.write]))
            }
            other => other,
        };
        let told = match (op.read, op.write, op.outcome) {
            (Some(seen), None, EventType::Ok) => value(seen),
            _ => asked.clone(),
        };
        let event = |kind, value| Event {
            index: OpIndex(0),
            time: Nanos(0),
            process: Process::Client(op.process),
            kind,
            f: f.into(),
            key: Some(Value::Int(op.key)),
            value,
            error: None,
            node: None,
            extra: None,
        };
        events.push((op.begin, false, event(EventType::Invoke, asked)));
        events.push((op.end, true, event(op.outcome, told)));
    }
    events.sort_by_key(|(time, ends, _)| (*time, *ends));
    let events = events.into_iter().enumerate().map(|(at, (time, _, event))| Event {
        index: OpIndex(at as u32),
        time: Nanos(time),
        ..event
    });
    History::from_events(events.collect()).unwrap_or_else(|error| panic!("{error}"))
}

/// As a person reads it.
pub(crate) fn show(ops: &[Op]) -> String {
    let mut text = String::new();
    for op in ops {
        let Op { process, key, read, write, outcome, begin, end } = op;
        let _ = write!(text, "\n  process {process} {outcome} [{begin}, {end}] key {key}:");
        if let Some(read) = read {
            let _ = write!(text, " r {read}");
        }
        if let Some(write) = write {
            let _ = write!(text, " w {write}");
        }
    }
    text
}
