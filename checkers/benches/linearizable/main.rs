//! What linearizability costs: user CPU and memory, by shape and size, next to other checkers.
//!
//! ```text
//! cargo bench -p quorate-checkers --bench linearizable            # all
//! cargo bench -p quorate-checkers --bench linearizable -- queue   # rows whose name has "queue"
//! QUORATE_BENCH_HUGE=1 cargo bench ...                            # growth up to 10,000,000
//! ```
//!
//! A table, not a stopwatch: user CPU of all threads together, the least of three batches, for a
//! history that is in memory already; `B/op` is the most that the check itself held at a time, by
//! operation. Wall time says little on a machine that does other things too. Every verdict is
//! known by how its history was made, and compared.
//!
//! Peers are other crates that check linearizability, on the same histories, with ten seconds
//! each: where they need longer the row says so. They are built only when asked for:
//! `RUSTFLAGS="--cfg peers" cargo bench ... -- peers`.

#![expect(clippy::print_stdout, reason = "it is a report")]

#[path = "../../tests/linearizable_support/mod.rs"]
mod linearizable_support;
mod measure;
#[cfg(peers)]
mod peers;
mod shapes;

use linearizable_support::Shape;
use linearizable_support::cases::{self, Subject};
#[cfg(peers)]
use measure::once;
use measure::{Cost, measure};
use quorate_checkers::history::History;
use quorate_checkers::linearizable::online::Online;
use quorate_checkers::linearizable::{ModelKind, Options, check};
use quorate_checkers::verdict::Valid;
use shapes::Case;
#[cfg(peers)]
use shapes::RegisterCall;

const MILLION: usize = 1_000_000;

fn main() {
    // `cargo test --all-targets` runs benches without `--bench`: then small ones do.
    let real = std::env::args().any(|argument| argument == "--bench");
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let table = Table { filter, size: if real { MILLION } else { 1000 } };
    println!(
        "{:<52} {:>10}  {:<8} {:<22} {:>12} {:>9} {:>7}",
        "shape", "operations", "verdict", "decided by", "user CPU", "ns/op", "B/op"
    );
    registers(&table);
    growth(&table);
    repeating(&table);
    objects(&table);
    online(&table);
    logs(&table);
    #[cfg(peers)]
    against_peers(&table);
}

/// What is shown, and how large.
struct Table {
    filter: Option<String>,
    size: usize,
}

impl Table {
    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// Measures `check` on a history, and compares the verdict.
    fn check(&self, name: &str, make: impl FnOnce() -> Case) {
        if !self.wants(name) {
            return;
        }
        let case = make();
        let options = Options::default();
        let (report, cost) = measure(|| check(&case.history, case.kind, &options));
        let expected = if case.valid { Valid::True } else { Valid::False };
        assert_eq!(report.valid, expected, "{name}: {:?}", report.why);
        let by = report.details["algorithms"].as_object().cloned().unwrap_or_default();
        let by: Vec<String> = by.iter().map(|(name, keys)| format!("{name} {keys}")).collect();
        let operations = case.history.operations().len();
        row(name, operations, &format!("{:?}", report.valid), &by.join(", "), cost);
    }
}

/// Prints what one run took.
fn row(name: &str, operations: usize, verdict: &str, by: &str, cost: Cost) {
    let each = cost.cpu.as_nanos() as f64 / operations as f64;
    let bytes = cost.bytes as f64 / operations as f64;
    let cpu = format!("{:.3} ms", cost.cpu.as_secs_f64() * 1e3);
    println!(
        "{name:<52} {operations:>10}  {verdict:<8} {by:<22} {cpu:>12} {each:>9.0} {bytes:>7.0}"
    );
}

fn registers(table: &Table) {
    for clients in [10, 50, 200] {
        for percent in [0, 1, 10] {
            for valid in [true, false] {
                let crashed = f64::from(percent) / 100.0;
                let shape = Shape { clients, calls: table.size, crashed };
                let name =
                    format!("register, {clients} clients, {percent} % crashed, {}", words(valid));
                table.check(&name, || shapes::of_register(&shapes::register(shape, valid), valid));
            }
        }
    }
    let shape = Shape { clients: 50, calls: table.size, crashed: 0.01 };
    table.check("register, 1000 keys, 50 clients, 1 % crashed", || shapes::keyed(shape, 1000));
}

fn words(valid: bool) -> &'static str {
    if valid { "valid" } else { "stale read" }
}

fn growth(table: &Table) {
    let most = match std::env::var_os("QUORATE_BENCH_HUGE") {
        Some(_) => 10 * table.size,
        None => table.size,
    };
    for kind in [None, Some(ModelKind::Queue), Some(ModelKind::Stack)] {
        let mut calls = 1000;
        while calls <= most {
            let shape = |crashed| Shape { clients: 10, calls, crashed };
            let of =
                kind.map_or("register, 1 % crashed".into(), |kind| format!("{kind}, none crashed"));
            table.check(&format!("growth of a {of}, 10 clients"), || match kind {
                None => shapes::of_register(&shapes::register(shape(0.01), true), true),
                Some(kind) => shapes::pool(shape(0.0), kind, true),
            });
            calls *= 10;
        }
    }
}

fn repeating(table: &Table) {
    for valid in [true, false] {
        let calls = (table.size / 100).max(1000);
        let shape = Shape { clients: 20, calls, crashed: 50.0 / calls as f64 };
        let name = format!("five values, 20 clients, about 50 crashed, {}", words(valid));
        table.check(&name, || shapes::of_register(&shapes::repeating(shape, valid), valid));
    }
}

fn objects(table: &Table) {
    for percent in [0, 1] {
        let shape = Shape { clients: 10, calls: table.size, crashed: f64::from(percent) / 100.0 };
        for valid in [true, false] {
            let suffix = format!("10 clients, {percent} % crashed, {}", words_of_pool(valid));
            for kind in [ModelKind::Queue, ModelKind::Stack, ModelKind::PriorityQueue] {
                table.check(&format!("{kind}, {suffix}"), || shapes::pool(shape, kind, valid));
            }
            table.check(&format!("set, {suffix}"), || shapes::set(shape, valid));
        }
    }
}

fn words_of_pool(valid: bool) -> &'static str {
    if valid { "valid" } else { "invalid" }
}

/// The checker that is fed event by event.
fn online(table: &Table) {
    for clients in [10, 50] {
        let name = format!("online register, {clients} clients, 1 % crashed");
        if !table.wants(&name) {
            continue;
        }
        let shape = Shape { clients, calls: table.size, crashed: 0.01 };
        let case = shapes::of_register(&shapes::register(shape, true), true);
        let (valid, cost) = measure(|| {
            let mut online = Online::new(ModelKind::Register);
            for event in case.history.events() {
                online.push(event);
            }
            online.valid()
        });
        assert_eq!(valid, Valid::True, "{name}");
        row(&name, table.size, "True", "zones, every event", cost);
    }
}

/// The 102 etcd logs together, where they lie beside this repository.
fn logs(table: &Table) {
    let Some(folder) = cases::folder() else { return };
    let name = "102 etcd logs";
    if !table.wants(name) {
        return;
    }
    let cases = cases::etcd(&folder.join("etcd-logs"));
    let histories: Vec<_> = cases
        .iter()
        .filter_map(|case| match &case.subject {
            Subject::History(history, kind) => Some((history, *kind, case.expected)),
            _ => None,
        })
        .collect();
    let operations = histories.iter().map(|(history, ..)| history.operations().len()).sum();
    for (threads, by) in [(1, "one thread"), (0, "all threads")] {
        let options = Options { threads, ..Options::default() };
        let (right, cost) = measure(|| {
            let right = |(history, kind, expected): &&(&History, ModelKind, bool)| {
                let report = check(history, *kind, &options);
                report.valid == if *expected { Valid::True } else { Valid::False }
            };
            histories.iter().filter(right).count()
        });
        assert_eq!(right, histories.len(), "every verdict is as published");
        row(name, operations, "as known", by, cost);
    }
}

#[cfg(peers)]
fn against_peers(table: &Table) {
    let shapes = [(10, 1_000, 0.0), (10, 10_000, 0.0), (20, 1_000, 0.0), (50, 100, 0.0)];
    let crashed = [(5, 1_000, 0.01), (5, 1_000, 0.02)];
    for (clients, calls, crashed) in shapes.into_iter().chain(crashed) {
        let shape = Shape { clients, calls: calls.min(table.size), crashed };
        let name = format!("peers: register, {clients} clients, {} % crashed", crashed * 100.0);
        beside_peers(table, &name, |valid| shapes::register(shape, valid));
    }
    // Where values repeat ours searches too: breadth first, the others depth first.
    for (clients, calls) in [(10, 1_000), (10, 10_000), (20, 1_000), (50, 1_000)] {
        let shape = Shape { clients, calls: calls.min(table.size), crashed: 0.0 };
        let name = format!("peers: five values, {clients} clients");
        beside_peers(table, &name, |valid| shapes::repeating(shape, valid));
    }
}

#[cfg(peers)]
fn beside_peers(table: &Table, name: &str, calls: impl Fn(bool) -> Vec<RegisterCall>) {
    for valid in [true, false] {
        let name = format!("{name}, {}", words(valid));
        if table.wants(&name) {
            let calls = calls(valid);
            table.check(&name, || shapes::of_register(&calls, valid));
            peers_of(&name, &calls, valid);
        }
    }
}

#[cfg(peers)]
fn peers_of(name: &str, calls: &[RegisterCall], valid: bool) {
    let operations = peers::for_porcupine(calls);
    let (verdict, cost) = once(|| peers::porcupine(&operations));
    let told = match verdict {
        Some(verdict) if verdict == valid => "same",
        Some(_) => "WRONG",
        None => "gave up",
    };
    row(name, calls.len(), told, "porcupine-rs 0.3", cost);
    // The other has no time limit: only what the first did quickly.
    if verdict.is_some() && cost.cpu < peers::PATIENCE / 20 {
        let history = peers::for_todc(calls);
        let (verdict, cost) = once(|| peers::todc(history));
        let told = if verdict == valid { "same" } else { "WRONG" };
        row(name, calls.len(), told, "todc-utils 0.1", cost);
    }
}
