//! What the weaker models of registers cost: user CPU and memory, by model and size.
//!
//! ```text
//! cargo bench -p quorate-checkers --bench consistency            # all
//! cargo bench -p quorate-checkers --bench consistency -- PRAM    # rows whose name has "PRAM"
//! ```
//!
//! Histories are those of a store in which each of 50 processes reads from a prefix of one log of
//! writes, often an old one, and catches up when it writes: sequentially consistent, and far from
//! linearizable. Each verdict is compared. One thread, so that user CPU is the time it takes.

#![expect(clippy::print_stdout, reason = "it is a report")]
#![expect(clippy::unwrap_used, reason = "the histories are our own")]

#[path = "linearizable/measure.rs"]
mod measure;

use measure::{Cost, measure};
use quorate_checkers::consistency::{Judge, Model, Options, Versions, atomicity};
use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const PROCESSES: usize = 50;
const KEYS: usize = 1_000;
/// How many writes a reader may be behind.
const LAG: usize = 200;

fn main() {
    let real = std::env::args().any(|argument| argument == "--bench");
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let header = ["check", "operations", "user CPU", "ns/op", "B/op"];
    let [check, operations, cpu, each, bytes] = header;
    println!("{check:<28} {operations:>10} {cpu:>12} {each:>9} {bytes:>7}");
    let divisor = if real { 1 } else { 1000 };
    for count in [10_000, 100_000, 1_000_000] {
        let count = (count / divisor).max(100);
        let history = history(count);
        for model in [
            Model::Pram,
            Model::Causal,
            Model::CausalConvergence,
            Model::CausalMemory,
            Model::Sequential,
        ] {
            row(filter.as_deref(), model.name(), count, || {
                let options = Options { threads: 1, ..Options::default() };
                let valid = Judge::new(&history, options).all(&[model])[0].valid;
                assert_eq!(valid, Valid::True, "{model}");
            });
        }
        row(filter.as_deref(), "least k", count, || {
            assert!(!matches!(atomicity(&history, 1_000).worst(), Versions::Never));
        });
    }
}

fn row(filter: Option<&str>, name: &str, operations: usize, run: impl Fn()) {
    if filter.is_some_and(|filter| !name.contains(filter)) {
        return;
    }
    let ((), Cost { cpu, bytes, .. }) = measure(&run);
    let each = cpu.as_nanos() as f64 / operations as f64;
    let of_each = bytes as f64 / operations as f64;
    let cpu = format!("{:.3} ms", cpu.as_secs_f64() * 1e3);
    println!("{name:<28} {operations:>10} {cpu:>12} {each:>9.0} {of_each:>7.0}");
}

/// Operations that follow each other in time.
fn history(count: usize) -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    // All writes of a key by their place in the log.
    let mut versions: Vec<Vec<usize>> = vec![Vec::new(); KEYS];
    let mut length = 0;
    let mut seen = [0_usize; PROCESSES];
    let mut events = Vec::with_capacity(2 * count);
    for number in 0..count {
        let (process, key) = (rng.random_range(0..PROCESSES), rng.random_range(0..KEYS));
        let writes = rng.random_range(0..2) == 0;
        let value = if writes {
            length += 1;
            seen[process] = length;
            versions[key].push(length);
            Value::Int(length as i64)
        } else {
            let oldest = seen[process].max(length.saturating_sub(LAG));
            seen[process] = rng.random_range(oldest..=length);
            let before = versions[key].partition_point(|at| *at <= seen[process]);
            let found = before.checked_sub(1).map(|at| versions[key][at] as i64);
            found.map_or(Value::Null, Value::Int)
        };
        for (end, kind) in [(0, EventType::Invoke), (1, EventType::Ok)] {
            let at = 2 * number + end;
            let told = writes || kind == EventType::Ok;
            events.push(Event {
                index: OpIndex(at as u32),
                time: Nanos(at as u64 * 1_000),
                process: Process::Client(process as u64),
                kind,
                f: if writes { "write".into() } else { "read".into() },
                key: Some(Value::Int(key as i64)),
                value: if told { value.clone() } else { Value::Null },
                error: None,
                node: None,
                extra: None,
            });
        }
    }
    History::from_events(events).unwrap()
}
