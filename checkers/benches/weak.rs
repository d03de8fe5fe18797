//! How long it takes to judge histories of eventually consistent stores: sets that are filled and
//! read by many clients, and sessions that write and read registers. All are valid, so that every
//! operation is looked at.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use quorate_checkers::history::{History, jsonl};
use quorate_checkers::verdict::Valid;
use quorate_checkers::{session, set_full};
use std::fmt::Write;

const CLIENTS: usize = 50;
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Elements of a set, and registers.
const WIDTH: usize = 50;

fn main() {
    divan::main();
}

/// Writes down operations, each with both of its events.
#[derive(Default)]
struct Scribe {
    text: String,
    time: usize,
}

impl Scribe {
    fn op(&mut self, process: usize, f: &str, key: usize, input: &str, output: &str) {
        for (kind, value) in [("invoke", input), ("ok", output)] {
            self.time += 1_000;
            let _ = writeln!(
                self.text,
                "{{\"time\":{},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\
                 \"key\":\"k{key}\",\"value\":{value},\"node\":\"n{}\"}}",
                self.time,
                process % 5 + 1
            );
        }
    }

    fn history(&self) -> History {
        jsonl::read(self.text.as_bytes(), "weak").unwrap_or_default()
    }
}

/// Sets of fifty elements, one after the other; each tenth operation reads the set.
fn sets(operations: usize) -> History {
    let (mut scribe, mut added) = (Scribe::default(), Vec::new());
    let (mut key, mut element) = (0, 0);
    for n in 0..operations {
        if n % 10 == 9 {
            let all = format!("[{}]", added.join(","));
            scribe.op(n % CLIENTS, "read", key, "null", &all);
            continue;
        }
        if added.len() == WIDTH {
            key += 1;
            added.clear();
        }
        element += 1;
        let value = element.to_string();
        scribe.op(n % CLIENTS, "add", key, &value, &value);
        added.push(value);
    }
    scribe.history()
}

/// Fifty registers, whose writes everybody reads at once.
fn registers(operations: usize) -> History {
    let mut scribe = Scribe::default();
    let mut latest = vec!["null".to_owned(); WIDTH];
    for n in 0..operations {
        // By multiplication, so that clients and registers meet in all ways.
        let (process, key) = (n % CLIENTS, n / 2 * 7 % WIDTH);
        if n % 2 == 0 {
            latest[key] = n.to_string();
            scribe.op(process, "write", key, &latest[key].clone(), &latest[key].clone());
        } else {
            scribe.op(process, "read", key, "null", &latest[key].clone());
        }
    }
    scribe.history()
}

#[divan::bench(args = SIZES, sample_count = 3)]
fn set(bencher: Bencher<'_, '_>, operations: usize) {
    let history = sets(operations);
    assert_eq!(history.operations().len(), operations, "the history was read");
    assert_ne!(set_full::check(&history).valid, Valid::False);
    bencher
        .counter(ItemsCount::new(operations))
        .bench_local(|| black_box(set_full::check(black_box(&history))));
}

#[divan::bench(args = SIZES, sample_count = 3)]
fn sessions(bencher: Bencher<'_, '_>, operations: usize) {
    let history = registers(operations);
    assert_eq!(session::check(&history).valid, Valid::True);
    bencher
        .counter(ItemsCount::new(operations))
        .bench_local(|| black_box(session::check(black_box(&history))));
}
