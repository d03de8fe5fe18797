//! Small random histories of transactions over registers.

use quorate_checkers::history::OpIndex;
use quorate_checkers::transactions::{Action, Outcome, Table, ValueId};
use quorate_checkers::value::Value;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;

/// One read or write; the value 0 is the initial one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Op {
    pub(crate) write: bool,
    pub(crate) key: i64,
    pub(crate) value: i64,
}

/// A transaction. Times are positions in an imagined run; -1 where there is none.
#[derive(Clone, Debug)]
pub(crate) struct Tx {
    pub(crate) session: usize,
    pub(crate) outcome: Outcome,
    pub(crate) ops: Vec<Op>,
    pub(crate) begin: u32,
    pub(crate) end: u32,
}

/// What histories look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) txns: usize,
    pub(crate) sessions: usize,
    pub(crate) keys: i64,
    pub(crate) ops: usize,
    /// Values are drawn from so many instead of being unique.
    pub(crate) values: Option<i64>,
    /// One transaction in so many does not commit.
    pub(crate) uncertain: Option<u32>,
    /// One read in so many sees just any value instead of a likely one.
    pub(crate) wild: u32,
}

/// Draws a history: transactions run one after another against a store, but each reads from a
/// store some steps old, so that most histories are nearly right.
pub(crate) fn history(rng: &mut ChaCha8Rng, shape: &Shape) -> Vec<Tx> {
    let mut fresh = 0;
    let mut stores: Vec<Vec<i64>> = vec![vec![0; shape.keys as usize]];
    let mut written: Vec<(i64, i64)> = (0..shape.keys).map(|key| (key, 0)).collect();
    let count = rng.random_range(1..=shape.txns);
    let mut txns = Vec::new();
    // A process whose transaction is in doubt does not go on; its client takes a new one.
    let mut processes: Vec<usize> = (0..shape.sessions).collect();
    for position in 0..count {
        let client = rng.random_range(0..shape.sessions);
        let session = processes[client];
        let age = rng.random_range(0..stores.len().min(3));
        let mut snapshot = stores[stores.len() - 1 - age].clone();
        let mut store = stores[stores.len() - 1].clone();
        let mut ops = Vec::new();
        for _ in 0..rng.random_range(1..=shape.ops) {
            let key = rng.random_range(0..shape.keys);
            if rng.random_range(0..2) == 0 {
                fresh += 1;
                let value = shape.values.map_or(fresh, |values| rng.random_range(1..=values));
                (snapshot[key as usize], store[key as usize]) = (value, value);
                written.push((key, value));
                ops.push(Op { write: true, key, value });
            } else {
                let wild = rng.random_range(0..shape.wild) == 0;
                let any: Vec<i64> =
                    written.iter().filter(|(of, _)| *of == key).map(|(_, value)| *value).collect();
                let value =
                    if wild { any[rng.random_range(0..any.len())] } else { snapshot[key as usize] };
                ops.push(Op { write: false, key, value });
            }
        }
        let doubtful = shape.uncertain.is_some_and(|one_in| rng.random_range(0..one_in) == 0);
        let outcome = match (doubtful, rng.random_range(0..2)) {
            (false, _) => Outcome::Ok,
            (true, 0) => Outcome::Info,
            (true, _) => Outcome::Fail,
        };
        if outcome != Outcome::Fail {
            stores.push(store);
        }
        if outcome == Outcome::Info {
            processes[client] += shape.sessions;
        }
        // Some overlap with those behind them.
        let begin = 8 * position as u32;
        let end = begin + 8 * rng.random_range(0..3) + 5;
        txns.push(Tx { session, outcome, ops, begin, end });
    }
    txns
}

/// The history as a table.
pub(crate) fn table(txns: &[Tx]) -> Table {
    let mut table = Table::default();
    let sessions = txns.iter().map(|tx| tx.session).max().map_or(0, |max| max + 1);
    let sessions: Vec<_> = (0..sessions).map(|number| table.add_session(number as u64)).collect();
    for tx in txns {
        let (begin, end) = (Some(OpIndex(tx.begin)), Some(OpIndex(tx.end)));
        table.begin(sessions[tx.session], tx.outcome, begin, end);
        for op in &tx.ops {
            let key = table.key_id(&Value::Int(op.key));
            let value = match op.value {
                0 => ValueId::NIL,
                value => table.value_id(&Value::Int(value)),
            };
            let action = match tx.outcome {
                _ if op.write => Action::Write(value),
                Outcome::Ok => Action::Read(value),
                _ => Action::ReadUnknown,
            };
            table.push(key, action);
        }
    }
    table
}

/// The history as a person reads it.
pub(crate) fn show(txns: &[Tx]) -> String {
    let mut text = String::new();
    for tx in txns {
        let _ =
            write!(text, "\n  session {} {:?} [{}, {}]:", tx.session, tx.outcome, tx.begin, tx.end);
        for op in &tx.ops {
            let name = if op.write { "w" } else { "r" };
            let _ = write!(text, " {name} {} {}", op.key, op.value);
        }
    }
    text
}
