//! What the weaker models of registers cost: histories of growing sizes of 50 processes.
//!
//! The store is one in which each process reads from a prefix of one log of writes, often an old
//! one, and catches up when it writes: sequentially consistent, and far from linearizable. So each
//! model holds, and has to be shown to hold. In `crashing` histories one operation in a hundred
//! crashes, and its client goes on as another process, so that there are thousands of these.
//!
//! One thread, so that what is measured is the time on one core.

#![expect(clippy::unwrap_used, reason = "the histories are our own")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use quorate_checkers::consistency::{Judge, Model, Options, Versions, atomicity};
use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CLIENTS: usize = 50;
const KEYS: usize = 1_000;
/// How many writes a reader may be behind.
const LAG: usize = 200;
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

/// All models but the strongest, which is not kept and has a bench of its own.
const MODELS: [Model; 5] =
    [Model::Pram, Model::Causal, Model::CausalConvergence, Model::CausalMemory, Model::Sequential];

#[divan::bench(args = SIZES, consts = [0, 1, 2, 3, 4], max_time = 5, sample_count = 5)]
fn model<const MODEL: usize>(bencher: Bencher<'_, '_>, operations: usize) {
    bench(bencher, &history(operations, 0), MODELS[MODEL]);
}

#[divan::bench(args = SIZES, consts = [0, 1, 2, 3, 4], max_time = 5, sample_count = 5)]
fn crashing<const MODEL: usize>(bencher: Bencher<'_, '_>, operations: usize) {
    bench(bencher, &history(operations, 100), MODELS[MODEL]);
}

#[divan::bench(args = SIZES, max_time = 5, sample_count = 5)]
fn least_k(bencher: Bencher<'_, '_>, operations: usize) {
    let history = history(operations, 0);
    assert!(!matches!(atomicity(&history, 1_000).worst(), Versions::Never));
    bencher
        .counter(ItemsCount::new(operations))
        .bench_local(|| black_box(atomicity(black_box(&history), 1_000)));
}

fn bench(bencher: Bencher<'_, '_>, history: &History, model: Model) {
    let options = Options { threads: 1, ..Options::default() };
    let judge = || Judge::new(black_box(history), options).all(&[model]).remove(0);
    let judged = judge();
    assert_eq!(judged.valid, Valid::True, "{model}: {:?}", judged.why);
    bencher.counter(ItemsCount::new(history.operations().len())).bench_local(|| black_box(judge()));
}

/// Operations that follow each other in time; one in `crashes` crashes, none for 0.
fn history(count: usize, crashes: u32) -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    // All writes of a key by their place in the log.
    let mut versions: Vec<Vec<usize>> = vec![Vec::new(); KEYS];
    let mut length = 0;
    let mut seen = [0_usize; CLIENTS];
    let mut processes: [usize; CLIENTS] = std::array::from_fn(|client| client);
    let mut events = Vec::with_capacity(2 * count);
    for number in 0..count {
        let (client, key) = (rng.random_range(0..CLIENTS), rng.random_range(0..KEYS));
        let writes = rng.random_range(0..2) == 0;
        let value = if writes {
            length += 1;
            seen[client] = length;
            versions[key].push(length);
            Value::Int(length as i64)
        } else {
            let oldest = seen[client].max(length.saturating_sub(LAG));
            seen[client] = rng.random_range(oldest..=length);
            let before = versions[key].partition_point(|at| *at <= seen[client]);
            let found = before.checked_sub(1).map(|at| versions[key][at] as i64);
            found.map_or(Value::Null, Value::Int)
        };
        let crashed = crashes > 0 && rng.random_range(0..crashes) == 0;
        let end = if crashed { EventType::Info } else { EventType::Ok };
        for (side, kind) in [EventType::Invoke, end].into_iter().enumerate() {
            let at = 2 * number + side;
            let told = writes || kind == EventType::Ok;
            events.push(Event {
                index: OpIndex(at as u32),
                time: Nanos(at as u64 * 1_000),
                process: Process::Client(processes[client] as u64),
                kind,
                f: if writes { "write".into() } else { "read".into() },
                key: Some(Value::Int(key as i64)),
                value: if told { value.clone() } else { Value::Null },
                error: None,
                node: None,
                extra: None,
            });
        }
        processes[client] += if crashed { CLIENTS } else { 0 };
    }
    History::from_events(events).unwrap()
}
