//! What black-box isolation costs: user CPU and memory, by model and size.
//!
//! ```text
//! cargo bench -p quorate-checkers --bench isolation             # all
//! cargo bench -p quorate-checkers --bench isolation -- causal   # rows whose name has "causal"
//! ```
//!
//! Histories are made by running transactions one after another and handing them to sessions, so
//! they are serializable, and strictly so; each verdict is compared. `weak` has the shape that
//! AWDIT's figures are for: 250,000 transactions of 8 operations in 50 sessions. `search` has the
//! shape of the runs that `VeriStrong` is measured by: 25 sessions, 8 operations on 10,000 keys.
//! `from text` reads the same history from Plume's text first.

#![expect(clippy::print_stdout, reason = "it is a report")]
#![expect(clippy::unwrap_used, reason = "the histories are our own")]

#[path = "linearizable/measure.rs"]
mod measure;

use measure::{Cost, measure};
use quorate_checkers::format::{Format, Options as Reading, read};
use quorate_checkers::transactions::registers::Registers;
use quorate_checkers::transactions::serial::{self, Model};
use quorate_checkers::transactions::weak::{self, Level};
use quorate_checkers::transactions::{Action, Outcome, Table, ValueId};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;

/// How a history is made.
#[derive(Clone, Copy)]
struct Shape {
    txns: usize,
    sessions: usize,
    keys: i64,
    ops: usize,
    /// Values are drawn from so many instead of being unique.
    values: Option<i64>,
}

/// One read or write: which key, and what.
struct Op {
    write: bool,
    key: i64,
    value: i64,
}

fn main() {
    let real = std::env::args().any(|argument| argument == "--bench");
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let rows = Rows { filter };
    println!(
        "{:<44} {:>10} {:>12} {:>9} {:>7}",
        "check", "operations", "user CPU", "ns/op", "B/op"
    );
    let divisor = if real { 1 } else { 1000 };
    for txns in [2_500, 25_000, 250_000] {
        weak_levels(&rows, (txns / divisor).max(10));
    }
    for txns in [1_000, 4_000, 16_000, 64_000] {
        searches(&rows, (txns / divisor).max(10));
    }
}

struct Rows {
    filter: Option<String>,
}

impl Rows {
    fn row(&self, name: &str, operations: usize, run: impl Fn() -> Valid) {
        if self.filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
            return;
        }
        let (verdict, Cost { cpu, bytes, .. }) = measure(&run);
        assert_eq!(verdict, Valid::True, "{name}");
        let each = cpu.as_nanos() as f64 / operations as f64;
        let of_each = bytes as f64 / operations as f64;
        let cpu = format!("{:.3} ms", cpu.as_secs_f64() * 1e3);
        println!("{name:<44} {operations:>10} {cpu:>12} {each:>9.0} {of_each:>7.0}");
    }
}

fn weak_levels(rows: &Rows, txns: usize) {
    let shape = Shape { txns, sessions: 50, keys: 10_000, ops: 8, values: None };
    let history = history(&shape);
    let table = table(&history);
    let text = plume(&history);
    for level in Level::ALL {
        let operations = txns * shape.ops;
        rows.row(&format!("weak: {}", level.name()), operations, || {
            weak::check(&Registers::new(&table), level).valid()
        });
        rows.row(&format!("weak: {}, from text", level.name()), operations, || {
            let loaded = read(text.as_bytes(), "bench", Format::Plume, Reading::default()).unwrap();
            let table = Table::from_history(&loaded.history).unwrap();
            drop(loaded);
            weak::check(&Registers::new(&table), level).valid()
        });
    }
}

fn searches(rows: &Rows, txns: usize) {
    for (name, values) in [("unique", None), ("repeating", Some(40))] {
        let shape = Shape { txns, sessions: 25, keys: 10_000, ops: 8, values };
        let table = table(&history(&shape));
        for model in [Model::SessionSerializable, Model::SessionSnapshotIsolation] {
            let name = format!("search: {}, {name} values", model.name());
            rows.row(&name, txns * shape.ops, || {
                let registers = Registers::new(&table);
                serial::check(&registers, model, &serial::Options::default()).valid()
            });
        }
    }
}

/// Transactions in a serial order, each with its session.
fn history(shape: &Shape) -> Vec<(usize, Vec<Op>)> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut state = vec![0_i64; shape.keys as usize];
    let mut fresh = 0;
    let mut all = Vec::with_capacity(shape.txns);
    for _ in 0..shape.txns {
        let mut ops = Vec::with_capacity(shape.ops);
        for _ in 0..shape.ops {
            let key = rng.random_range(0..shape.keys);
            let write = rng.random_range(0..2) == 0;
            if write {
                fresh += 1;
                state[key as usize] = match shape.values {
                    None => fresh,
                    Some(values) => rng.random_range(1..=values),
                };
            }
            ops.push(Op { write, key, value: state[key as usize] });
        }
        all.push((rng.random_range(0..shape.sessions), ops));
    }
    all
}

fn table(history: &[(usize, Vec<Op>)]) -> Table {
    let mut table = Table::default();
    let count = history.iter().map(|(session, _)| session + 1).max().unwrap_or(0);
    let sessions: Vec<_> = (0..count).map(|number| table.add_session(number as u64)).collect();
    for (session, ops) in history {
        table.begin(sessions[*session], Outcome::Ok, None, None);
        for op in ops {
            let key = table.key_id(&Value::Int(op.key));
            let value = match op.value {
                0 => ValueId::NIL,
                value => table.value_id(&Value::Int(value)),
            };
            table.push(key, if op.write { Action::Write(value) } else { Action::Read(value) });
        }
    }
    table
}

/// As Plume writes it.
fn plume(history: &[(usize, Vec<Op>)]) -> String {
    let mut text = String::new();
    for (number, (session, ops)) in history.iter().enumerate() {
        for op in ops {
            let name = if op.write { 'w' } else { 'r' };
            let _ = writeln!(text, "{name}({},{},{session},{number})", op.key, op.value);
        }
    }
    text
}
