//! Scenes: what a generator does on a fake clock, as text. Times are in nanoseconds; operations
//! take 10 of them.

use quorate_targets::seed::Seed;
use quorate_workloads::generator::any::any;
use quorate_workloads::generator::copies::{each_process, each_thread};
use quorate_workloads::generator::flip_flop::flip_flop;
use quorate_workloads::generator::mix::{mix, weighted};
use quorate_workloads::generator::phases::phases;
use quorate_workloads::generator::route::{clients_and_nemesis, reserve};
use quorate_workloads::generator::sequence::{chain, cycle};
use quorate_workloads::generator::simulate::{
    Setup, System, all_info, imperfect, invocations, lines, perfect, simulate,
};
use quorate_workloads::generator::source::{from_fn, list, one, repeat};
use quorate_workloads::generator::{Combine, Generator, Invocation};
use std::time::Duration;

const SEED: Seed = Seed(45);

fn op(f: &str) -> Invocation {
    Invocation::new(f)
}

fn ns(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

/// Operations `f` with the values 0, 1, 2, ...
fn counted(f: &'static str) -> impl Generator {
    let mut value = -1;
    from_fn(move |_| {
        value += 1;
        Some(op(f).value(value))
    })
}

fn same(actual: &str, expected: &str) {
    let trimmed: Vec<&str> =
        expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(actual.lines().collect::<Vec<_>>(), trimmed, "actual:\n{actual}");
}

/// The whole history against a system.
fn check_with(
    setup: &Setup,
    mut system: impl System,
    mut generator: impl Generator,
    expected: &str,
) {
    same(&lines(&simulate(&mut generator, setup, &mut system)), expected);
}

/// The invocations on two threads when all works.
fn check(generator: impl Generator, expected: &str) {
    check_of(&Setup::clients(2), generator, expected);
}

/// The invocations when all works.
fn check_of(setup: &Setup, mut generator: impl Generator, expected: &str) {
    let history = simulate(&mut generator, setup, &mut perfect(setup));
    same(&invocations(&history), expected);
}

#[test]
fn one_operation_and_its_completion() {
    let setup = Setup::clients(2);
    check_with(
        &setup,
        perfect(&setup),
        one(op("write").key("k1").value(7)),
        "
        0 0 invoke write k1 7
        10 0 ok write k1 7",
    );
}
