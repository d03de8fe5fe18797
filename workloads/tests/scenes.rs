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
use quorate_workloads::generator::until_each_ok::{Tries, until_each_ok};
use quorate_workloads::generator::{Combine, Generator, Invocation};
use std::time::Duration;

const SEED: Seed = Seed(45);

fn op(f: &str) -> Invocation {
    Invocation::new(f)
}

fn int(number: u64) -> i64 {
    i64::try_from(number).expect("small")
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
fn sources_take_threads_in_turn() {
    let setup = Setup::clients(2);
    let read = one(op("read").key("k1"));
    check_with(
        &setup,
        perfect(&setup),
        read,
        "0 0 invoke read k1
         10 0 ok read k1",
    );
    let three = Setup::clients(3);
    let expected = "0 0 invoke read
                    100 1 invoke read
                    200 2 invoke read
                    300 0 invoke read";
    check_of(&three, repeat(op("read")).delay(ns(100)).limit(4), expected);
}

#[test]
fn sources_end_where_they_say() {
    check(
        list(vec![op("a"), op("b"), op("c")]),
        "0 0 invoke a
         0 1 invoke b
         10 0 invoke c",
    );
    let mut left = 2;
    let counting_down = from_fn(move |context| {
        left -= 1;
        (left >= 0).then(|| op("at").value(int(context.time.0)))
    });
    check(
        counting_down.delay(ns(7)),
        "0 0 invoke at 0
         7 1 invoke at 7",
    );
    check(repeat(op("a")).limit(0), "");
    check(repeat(op("a")).once(), "0 0 invoke a");
}

#[test]
fn crashed_processes_are_replaced() {
    let setup = Setup::clients(2);
    check_with(
        &setup,
        imperfect(&setup),
        repeat(op("w")).concurrency_limit(1).limit(6),
        "0 0 invoke w
         10 0 ok w
         10 1 invoke w
         20 1 ok w
         20 0 invoke w
         30 0 info w
         30 1 invoke w
         40 1 info w
         40 2 invoke w
         50 2 fail w
         50 3 invoke w
         60 3 fail w",
    );
}

#[test]
fn delay_catches_up() {
    // One thread, busy for 10 ns: due are 0, 4, 8, 12, ...; the late ones follow at once.
    check_of(
        &Setup::clients(1),
        chain(vec![counted("a").delay(ns(4)).limit(3).boxed(), one(op("end")).boxed()]),
        "0 0 invoke a 0
         10 0 invoke a 1
         20 0 invoke a 2
         30 0 invoke end",
    );
    check_of(
        &Setup::clients(1),
        counted("a").delay(ns(15)).limit(4),
        "0 0 invoke a 0
         15 0 invoke a 1
         30 0 invoke a 2
         45 0 invoke a 3",
    );
}

#[test]
fn time_runs_from_the_first_operation() {
    let late = one(op("warm-up")).then(counted("a").time_limit(ns(20)));
    check_of(
        &Setup::clients(1),
        late,
        "0 0 invoke warm-up
         10 0 invoke a 0
         20 0 invoke a 1",
    );
    check(counted("a").time_limit(ns(0)), "");
    // A limit inside does not hold up what comes after it for longer than it says.
    let slow = counted("a").delay(ns(1000)).time_limit(ns(30));
    check(
        chain(vec![slow.boxed(), one(op("after")).boxed()]),
        "0 0 invoke a 0
         30 0 invoke after",
    );
}

#[test]
fn a_chain_does_not_wait() {
    check(
        chain(vec![one(op("a")).boxed(), list(vec![op("b"), op("c")]).boxed()]),
        "0 0 invoke a
         0 1 invoke b
         10 0 invoke c",
    );
}

#[test]
fn a_cycle_begins_anew() {
    check(
        cycle(Some(2), |round| list(vec![op("a").value(int(round)), op("b")])),
        "0 0 invoke a 0
         0 1 invoke b
         10 0 invoke a 1
         10 1 invoke b",
    );
    check(cycle(None, |_| list(vec![])), "");
    check(
        cycle(None, |round| list(if round < 3 { vec![op("a")] } else { vec![] })),
        "0 0 invoke a
         0 1 invoke a
         10 0 invoke a",
    );
}

#[test]
fn flip_flop_ends_with_either() {
    let history = "0 0 invoke start 0
                   0 1 invoke stop
                   10 1 invoke start 1";
    let stops = repeat(op("stop")).limit(1);
    check_of(&Setup::clients(2), flip_flop(counted("start"), stops).limit(9), history);
}

#[test]
fn phases_do_not_overlap() {
    let slow_first = phases(vec![
        counted("a").delay(ns(5)).limit(3).boxed(),
        list(vec![op("b"), op("b")]).boxed(),
        one(op("c")).boxed(),
    ]);
    check(
        slow_first,
        "0 0 invoke a 0
         5 1 invoke a 1
         10 0 invoke a 2
         20 0 invoke b
         20 1 invoke b
         30 0 invoke c",
    );
}

#[test]
fn barriers_wait_for_the_threads_of_their_route_only() {
    // Thread 2 is always busy; the phases of threads 0 and 1 go on all the same.
    let busy = repeat(op("busy")).limit(5);
    let two = phases(vec![list(vec![op("a"), op("a")]).boxed(), one(op("b")).boxed()]);
    check_of(
        &Setup::clients(3),
        reserve(SEED, vec![(2, two.boxed())], busy.boxed()),
        "0 0 invoke a
         0 1 invoke a
         0 2 invoke busy
         10 0 invoke b
         10 2 invoke busy
         20 2 invoke busy
         30 2 invoke busy
         40 2 invoke busy",
    );
}

#[test]
fn each_thread_has_its_own() {
    let setup = Setup::clients(3);
    check_with(
        &setup,
        perfect(&setup),
        each_thread(|n| list(vec![op("a").value(int(n as u64)), op("b")])),
        "0 0 invoke a 0
         0 1 invoke a 1
         0 2 invoke a 2
         10 0 ok a 0
         10 1 ok a 1
         10 2 ok a 2
         10 0 invoke b
         10 1 invoke b
         10 2 invoke b
         20 0 ok b
         20 1 ok b
         20 2 ok b",
    );
    // Barriers and bounds inside are each thread's own.
    check_of(
        &Setup::clients(2),
        each_thread(|n| {
            let first = repeat(op("a")).limit(n as u64 + 1);
            first.then(one(op("z")))
        }),
        "0 0 invoke a
         0 1 invoke a
         10 0 invoke z
         10 1 invoke a
         20 1 invoke z",
    );
}

#[test]
fn each_process_has_its_own() {
    let setup = Setup { operations_max: 6, ..Setup::clients(2) };
    check_with(
        &setup,
        all_info(&setup),
        each_process(|_| list(vec![op("first"), op("second")])),
        "0 0 invoke first
         0 1 invoke first
         10 0 info first
         10 1 info first
         10 2 invoke first
         10 3 invoke first
         20 2 info first
         20 3 info first
         20 4 invoke first
         20 5 invoke first
         30 4 info first
         30 5 info first",
    );
    check(
        each_process(|_| list(vec![op("first"), op("second")])),
        "0 0 invoke first
         0 1 invoke first
         10 0 invoke second
         10 1 invoke second",
    );
}

#[test]
fn until_ok_counts_its_own_operations() {
    let setup = Setup::clients(2);
    // The second operation of each thread is `info`, the third is `fail`, the fourth `ok`.
    let tries = repeat(op("try")).concurrency_limit(1).until_ok();
    let first = repeat(op("first")).limit(2).boxed();
    let history = "0 0 invoke first
                   0 1 invoke first
                   10 0 ok first
                   10 1 ok first
                   10 0 invoke try
                   20 0 info try
                   20 1 invoke try
                   30 1 info try
                   30 2 invoke try
                   40 2 fail try
                   40 3 invoke try
                   50 3 fail try
                   50 2 invoke try
                   60 2 ok try";
    check_with(&setup, imperfect(&setup), chain(vec![first, tries.boxed()]), history);
}

#[test]
fn each_is_tried_until_it_works() {
    let setup = Setup::clients(2);
    // The outcomes on each thread are `ok`, `info`, `fail`, in rotation.
    let tries = Tries { most: 2, gap: ns(5) };
    check_with(
        &setup,
        imperfect(&setup),
        until_each_ok(["a", "b", "c", "d", "e"].map(op).to_vec(), tries),
        "0 0 invoke a
         0 1 invoke b
         10 0 ok a
         10 1 ok b
         10 0 invoke c
         10 1 invoke d
         20 0 info c
         20 1 info d
         20 2 invoke e
         25 3 invoke c
         30 2 fail e
         30 2 invoke d
         35 3 fail c
         35 3 invoke e
         40 2 ok d
         45 3 ok e",
    );
    check(until_each_ok(vec![], tries), "");
    check(
        until_each_ok(["a", "b", "c"].map(op).to_vec(), tries).filter(|op| &*op.f != "b"),
        "0 0 invoke a
         0 1 invoke c",
    );
    check(until_each_ok(vec![op("a")], Tries { most: 0, gap: ns(1) }), "");
}

#[test]
fn reserved_threads_keep_to_their_generators() {
    check_of(
        &Setup::clients(5),
        reserve(
            SEED,
            vec![(2, counted("a").limit(2).boxed()), (1, counted("b").limit(2).boxed())],
            counted("c").limit(2).boxed(),
        )
        .filter(|operation| &*operation.f != "c"),
        "0 0 invoke a 0
         0 2 invoke b 0
         0 1 invoke a 1
         10 2 invoke b 1",
    );
    // More is reserved than there is: the last ones get nothing.
    check(
        reserve(
            SEED,
            vec![(1, counted("a").limit(1).boxed()), (7, counted("b").limit(1).boxed())],
            counted("c").boxed(),
        ),
        "0 0 invoke a 0
         0 1 invoke b 0",
    );
}

#[test]
fn clients_and_nemesis_go_their_own_ways() {
    let setup = Setup { nemesis: true, ..Setup::clients(2) };
    let faults = flip_flop(repeat(op("start")), repeat(op("stop"))).delay(ns(15)).limit(2);
    let load = counted("w").delay(ns(10)).limit(3);
    check_with(
        &setup,
        perfect(&setup),
        clients_and_nemesis(SEED, load, faults),
        "0 0 invoke w 0
         0 nemesis info start
         10 0 ok w 0
         10 nemesis info start
         10 1 invoke w 1
         15 nemesis info stop
         20 1 ok w 1
         20 0 invoke w 2
         25 nemesis info stop
         30 0 ok w 2",
    );
    check(repeat(op("start")).nemesis(), "");
}

#[test]
fn threads_that_are_not_neighbours() {
    let even = counted("even").on(|number, _| number % 2 == 0);
    check_of(
        &Setup::clients(5),
        even.limit(5),
        "0 0 invoke even 0
         0 2 invoke even 1
         0 4 invoke even 2
         10 0 invoke even 3
         10 2 invoke even 4",
    );
}

#[test]
fn any_takes_what_is_ready() {
    let slow = counted("slow").delay(ns(30)).limit(3);
    let quick = counted("quick").delay(ns(20)).limit(3);
    check_of(
        &Setup::clients(4),
        any(SEED, vec![slow.boxed(), quick.boxed()]).limit(6),
        "0 0 invoke slow 0
         0 1 invoke quick 0
         20 2 invoke quick 1
         30 1 invoke slow 1
         40 3 invoke quick 2
         60 2 invoke slow 2",
    );
}

#[test]
fn processes_and_concurrency_are_bounded() {
    let setup = Setup::clients(2);
    check_with(
        &setup,
        all_info(&setup),
        repeat(op("w")).process_limit(3),
        "0 0 invoke w
         0 1 invoke w
         10 0 info w
         10 1 info w
         10 2 invoke w
         20 2 info w",
    );
    check(
        counted("w").process_limit(1).limit(3),
        "0 0 invoke w 0
         10 0 invoke w 1
         20 0 invoke w 2",
    );
    check(
        counted("w").concurrency_limit(1).limit(3),
        "0 0 invoke w 0
         10 1 invoke w 1
         20 0 invoke w 2",
    );
}

#[test]
fn operations_change_on_their_way_out() {
    check(
        counted("a").limit(3).map(|operation| operation.key("k")),
        "0 0 invoke a k 0
         0 1 invoke a k 1
         10 0 invoke a k 2",
    );
    let names = vec![("start".into(), "start-partition".into())];
    check(
        list(vec![op("start"), op("stop")]).f_map(names),
        "0 0 invoke start-partition
         0 1 invoke stop",
    );
    let odd = |operation: &Invocation| operation.value.as_int().is_some_and(|n| n % 2 == 1);
    check(
        counted("a").filter(odd).limit(3),
        "0 1 invoke a 1
         0 0 invoke a 3
         10 0 invoke a 5",
    );
    check(repeat(op("a")).filter(|_| false).time_limit(ns(0)), "");
}

#[test]
fn a_dropped_operation_is_not_in_flight() {
    // Each second operation is dropped outside the bound; the bound would fill up otherwise.
    let mut keep = false;
    let half = counted("a").concurrency_limit(1).filter(move |_| {
        keep = !keep;
        keep
    });
    check(
        half.limit(3),
        "0 0 invoke a 0
         10 0 invoke a 2
         20 0 invoke a 4",
    );
}

#[test]
fn mixtures_drop_what_is_done() {
    let shares = vec![(1, counted("a").limit(2).boxed()), (0, counted("never").boxed())];
    check(
        weighted(SEED, shares),
        "0 0 invoke a 0
         0 1 invoke a 1",
    );
    check(mix(SEED, vec![]), "");
}
