//! How fast transactions are checked: valid histories of growing sizes, 10 and 100 clients.
//!
//! `append` is list-append, `wr` registers without rules for keys, then with each of them. Each
//! transaction has one to four micro-operations on ten keys at a time, a key takes 32 writes;
//! one in fifty fails, one in a hundred ends without a word. The whole check is measured, from
//! the history in memory to the report; `table` is the part that makes flat arrays of it.

#![expect(clippy::unwrap_used, reason = "the histories are our own")]

#[path = "../tests/transactions_support/database.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod database;

use database::{Isolation, Load, simulate};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use quorate_checkers::history::History;
use quorate_checkers::transactions::{KeyRules, Options, Table, Workload, check};
use quorate_checkers::verdict::Valid;

const SIZES: [(usize, usize); 6] =
    [(1_000, 10), (10_000, 10), (100_000, 10), (100_000, 100), (1_000_000, 10), (1_000_000, 100)];

fn main() {
    divan::main();
}

fn history(workload: Workload, (transactions, clients): (usize, usize)) -> History {
    let load = Load::new(workload, Isolation::StrictSerializable, 1);
    simulate(Load { clients, transactions, ..load })
}

fn bench(bencher: Bencher<'_, '_>, size: (usize, usize), workload: Workload, keys: KeyRules) {
    let history = history(workload, size);
    let options = Options { workload: Some(workload), keys, ..Options::default() };
    assert_eq!(check(&history, &options).valid, Valid::True);
    bencher
        .counter(ItemsCount::new(size.0))
        .bench_local(|| black_box(check(black_box(&history), &options)));
}

#[divan::bench(args = SIZES, max_time = 4)]
fn append(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    bench(bencher, size, Workload::Append, KeyRules::default());
}

#[divan::bench(args = SIZES, max_time = 4)]
fn table(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    let history = history(Workload::Append, size);
    bencher
        .counter(ItemsCount::new(size.0))
        .bench_local(|| black_box(Table::from_history(black_box(&history)).unwrap()));
}

#[divan::bench(args = SIZES, max_time = 4)]
fn wr(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    bench(bencher, size, Workload::Register, KeyRules::default());
}

#[divan::bench(args = SIZES, max_time = 4)]
fn wr_sequential_and_wfr(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    let keys = KeyRules { sequential: true, linearizable: false, reads_before_writes: true };
    bench(bencher, size, Workload::Register, keys);
}

#[divan::bench(args = SIZES, max_time = 4)]
fn wr_linearizable(bencher: Bencher<'_, '_>, size: (usize, usize)) {
    let keys = KeyRules { sequential: false, linearizable: true, reads_before_writes: false };
    bench(bencher, size, Workload::Register, keys);
}
