//! Laws of the combinators, over random seeds, threads and systems.

use proptest::prelude::*;
use quorate_checkers::history::{Event, EventType, Process};
use quorate_targets::seed::Seed;
use quorate_workloads::generator::any::any;
use quorate_workloads::generator::copies::{each_process, each_thread};
use quorate_workloads::generator::flip_flop::flip_flop;
use quorate_workloads::generator::independent::{KeyBounds, independent};
use quorate_workloads::generator::mix::{mix, weighted};
use quorate_workloads::generator::phases::phases;
use quorate_workloads::generator::route::reserve;
use quorate_workloads::generator::sequence::{chain, cycle};
use quorate_workloads::generator::simulate::{Setup, System, invocations, simulate};
use quorate_workloads::generator::source::{from_fn, repeat};
use quorate_workloads::generator::until_each_ok::{Tries, until_each_ok};
use quorate_workloads::generator::{Combine, Generator, Invocation};
use quorate_workloads::workload::Completion;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Answers at random times with random outcomes.
struct Dice {
    rng: ChaCha8Rng,
    latency_max: u64,
}

impl System for Dice {
    fn latency(&mut self, _: Process, _: &Invocation) -> u64 {
        self.rng.random_range(1..=self.latency_max)
    }

    fn complete(&mut self, _: Process, invocation: &Invocation) -> Completion {
        let kind = match self.rng.random_range(0..10) {
            0 => EventType::Info,
            1..3 => EventType::Fail,
            _ => EventType::Ok,
        };
        Completion { kind, value: invocation.value.clone(), error: None }
    }
}

fn dice(seed: Seed) -> Dice {
    Dice { rng: seed.stream("dice"), latency_max: 200 }
}

fn run(generator: &mut dyn Generator, setup: &Setup, seed: Seed) -> Vec<Event> {
    simulate(generator, setup, &mut dice(seed))
}

fn ns(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

fn op(f: &str) -> Box<dyn Generator> {
    repeat(Invocation::new(f)).boxed()
}

/// One of everything, drawn by the seed, nested to some depth. Ends after at most 60 operations.
fn anything(seed: Seed, depth: u32) -> Box<dyn Generator> {
    let mut rng = seed.stream("anything");
    let left = || anything(seed.fork("left"), depth.saturating_sub(1));
    let right = || anything(seed.fork("right"), depth.saturating_sub(1));
    let time = Duration::from_nanos(rng.random_range(0..500));
    let count = rng.random_range(1..30);
    if depth == 0 {
        let mut value = 0;
        let next = from_fn(move |_| {
            value += 1;
            Some(Invocation::new("op").value(value))
        });
        return next.limit(count).boxed();
    }
    let whole = match rng.random_range(0..23) {
        0 => mix(seed, vec![left(), right()]).boxed(),
        1 => weighted(seed, vec![(1, left()), (5, right())]).boxed(),
        2 => any(seed, vec![left(), right()]).boxed(),
        3 => chain(vec![left(), right()]).boxed(),
        4 => phases(vec![left(), right()]).boxed(),
        5 => left().stagger(time, seed).boxed(),
        6 => left().delay(time).boxed(),
        7 => left().time_limit(time * 10).boxed(),
        8 => left().process_limit(count as usize).boxed(),
        9 => left().concurrency_limit(count as usize).boxed(),
        10 => left().until_ok().boxed(),
        11 => flip_flop(left(), right()).boxed(),
        12 => reserve(seed, vec![(1, left())], right()).boxed(),
        13 => left().on(|number, _| number % 2 == 0).boxed(),
        14 => left().filter(|op| op.value.as_int().is_none_or(|n| n % 3 > 0)).boxed(),
        15 => left().map(|op| op.key("mapped")).boxed(),
        16 => each_thread(move |n| anything(seed.fork(&n.to_string()), depth - 1)).boxed(),
        17 => each_process(move |p| anything(seed.fork(&p.to_string()), depth - 1)).boxed(),
        18 => cycle(Some(3), move |n| anything(seed.fork(&n.to_string()), depth - 1)).boxed(),
        19 => left().then(right()).boxed(),
        20 => left().f_map(vec![("op".into(), "renamed".into())]).boxed(),
        21 => {
            let list = (0..i64::from(count as u8)).map(|n| Invocation::new("op").value(n));
            let tries = Tries { most: 3, gap: time };
            chain(vec![until_each_ok(list.collect(), tries).boxed(), left()]).boxed()
        }
        _ => {
            let bounds =
                KeyBounds { keys_at_once: 3, operations_per_key: count, crashes_per_key: 2 };
            let mut keys = 0;
            let fresh = move || {
                keys += 1;
                (keys.into(), anything(seed.fork(&keys.to_string()), depth - 1))
            };
            independent(bounds, seed, fresh).boxed()
        }
    };
    whole.limit(60).boxed()
}

fn invoked(history: &[Event]) -> impl Iterator<Item = &Event> {
    history.iter().filter(|event| event.kind == EventType::Invoke)
}

/// For each operation `f`, the times of the first invocation and the last completion.
fn spans(history: &[Event]) -> BTreeMap<String, (u64, u64)> {
    let mut spans: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for event in history {
        let span = spans.entry(event.f.to_string()).or_insert((event.time.0, 0));
        span.1 = event.time.0;
    }
    spans
}

proptest! {
    #[test]
    fn asking_more_often_changes_nothing(
        seed: u64,
        depth in 1u32..5,
        clients in 1usize..8,
        ask_every in 1u64..50,
    ) {
        let calm = Setup { operations_max: 200, ..Setup::clients(clients) };
        let eager = Setup { ask_every: Some(ask_every), ..calm.clone() };
        let once = run(&mut anything(Seed(seed), depth), &calm, Seed(seed));
        let often = run(&mut anything(Seed(seed), depth), &eager, Seed(seed));
        prop_assert_eq!(invocations(&once), invocations(&often));
    }

    #[test]
    fn a_limit_is_kept(seed: u64, depth in 0u32..4, limit in 0u64..40) {
        let mut generator = anything(Seed(seed), depth).limit(limit);
        let history = run(&mut generator, &Setup::clients(4), Seed(seed));
        prop_assert!(invoked(&history).count() as u64 <= limit);
        let mut endless = op("a").limit(limit);
        let history = run(&mut endless, &Setup::clients(4), Seed(seed));
        prop_assert_eq!(invoked(&history).count() as u64, limit);
    }

    #[test]
    fn after_the_time_limit_comes_nothing(seed: u64, start in 0u64..300, length in 1u64..2000) {
        let wait = op("wait").delay(ns(start)).limit(2);
        let timed = op("timed").stagger(ns(20), Seed(seed)).time_limit(ns(length));
        let mut generator = wait.then(timed);
        let history = run(&mut generator, &Setup::clients(4), Seed(seed));
        let times: Vec<u64> =
            invoked(&history).filter(|e| &*e.f == "timed").map(|e| e.time.0).collect();
        prop_assert!(!times.is_empty());
        prop_assert!(times[times.len() - 1] < times[0] + length);
    }

    #[test]
    fn phases_never_overlap(
        seed: u64,
        clients in 1usize..8,
        lengths in prop::array::uniform3(1u64..20),
    ) {
        let [a, b, c] = lengths;
        let mut generator = phases(vec![
            op("a").limit(a).boxed(),
            op("b").stagger(ns(10), Seed(seed)).limit(b).boxed(),
            op("c").limit(c).boxed(),
        ]);
        let history = run(&mut generator, &Setup::clients(clients), Seed(seed));
        let spans = spans(&history);
        prop_assert!(spans["a"].1 <= spans["b"].0 && spans["b"].1 <= spans["c"].0);
        prop_assert_eq!(invoked(&history).count() as u64, a + b + c);
    }

    #[test]
    fn reserved_threads_are_kept(
        seed: u64,
        clients in 1usize..12,
        counts in prop::array::uniform2(0usize..6),
    ) {
        let [a, b] = counts;
        let shares = vec![(a, op("a")), (b, op("b"))];
        let mut generator = reserve(Seed(seed), shares, op("c")).limit(300);
        let history = run(&mut generator, &Setup::clients(clients), Seed(seed));
        let mut seen: BTreeSet<(String, usize)> = BTreeSet::new();
        for event in invoked(&history) {
            let Process::Client(number) = event.process else { continue };
            seen.insert((event.f.to_string(), number as usize % clients));
        }
        let owner = |thread| if thread < a { "a" } else if thread < a + b { "b" } else { "c" };
        let expected: BTreeSet<(String, usize)> =
            (0..clients).map(|thread| (owner(thread).to_owned(), thread)).collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn stagger_keeps_its_rate(
        seed: u64,
        gap in 1000u64..5000,
        ask_every in prop::option::of(1u64..3000),
    ) {
        // More threads than are ever busy, so that nothing but the pace holds operations up.
        let setup = Setup { ask_every, ..Setup::clients(20) };
        let mut generator = op("a").stagger(ns(gap), Seed(seed)).limit(2000);
        let history = run(&mut generator, &setup, Seed(seed));
        let times: Vec<u64> = invoked(&history).map(|event| event.time.0).collect();
        let mean = times[times.len() - 1] as f64 / (times.len() - 1) as f64;
        // The mean of 2000 uniform gaps is off by 1.3 % (one sigma); 7 % are more than five.
        prop_assert!((mean / gap as f64 - 1.0).abs() < 0.07, "{} for {}", mean, gap);
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        prop_assert!(gaps.clone().all(|g| g <= 2 * gap));
        prop_assert!(gaps.clone().any(|g| g < gap / 4) && gaps.clone().any(|g| g > gap * 7 / 4));
    }

    #[test]
    fn stagger_makes_up_for_late_questions_but_not_for_long_ones(seed: u64) {
        // Each operation keeps the one thread for 3 ms; due every 2 ms on average: it cannot
        // keep up, and the backlog must not grow beyond 10 ms.
        struct Slow;
        impl System for Slow {
            fn latency(&mut self, _: Process, op: &Invocation) -> u64 {
                if &*op.f == "slow" { 3_000_000 } else { 1 }
            }
            fn complete(&mut self, _: Process, op: &Invocation) -> Completion {
                Completion { kind: EventType::Ok, value: op.value.clone(), error: None }
            }
        }
        let slow_then_quick = chain(vec![op("slow").limit(100).boxed(), op("quick").boxed()]);
        let mut generator =
            slow_then_quick.stagger(Duration::from_millis(2), Seed(seed)).limit(1100);
        let history = simulate(&mut generator, &Setup::clients(1), &mut Slow);
        let quick: Vec<u64> =
            invoked(&history).filter(|e| &*e.f == "quick").map(|e| e.time.0).collect();
        let burst = quick.iter().filter(|time| **time < quick[0] + 1_000_000).count();
        prop_assert!(burst <= 20, "{} at once", burst);
        let span = (quick[999] - quick[0]) as f64;
        prop_assert!((span / 999.0 / 2e6 - 1.0).abs() < 0.1, "{}", span);
    }

    #[test]
    fn processes_are_bounded(seed: u64, clients in 1usize..8, most in 0usize..12) {
        let mut generator = op("a").process_limit(most).limit(500);
        let history = run(&mut generator, &Setup::clients(clients), Seed(seed));
        let processes: BTreeSet<Process> = invoked(&history).map(|event| event.process).collect();
        prop_assert_eq!(processes.len(), most);
    }

    #[test]
    fn concurrency_is_bounded(seed: u64, clients in 1usize..8, most in 1usize..10) {
        let mut generator = op("a").concurrency_limit(most).limit(200);
        let history = run(&mut generator, &Setup::clients(clients), Seed(seed));
        let (mut in_flight, mut peak) = (0, 0);
        for event in &history {
            match event.kind {
                EventType::Invoke => in_flight += 1,
                _ => in_flight -= 1,
            }
            peak = peak.max(in_flight);
        }
        prop_assert_eq!(peak, most.min(clients));
    }

    #[test]
    fn mixtures_have_their_weights(seed: u64) {
        let mut generator =
            weighted(Seed(seed), vec![(1, op("a")), (3, op("b"))]).limit(4000);
        let history = run(&mut generator, &Setup::clients(5), Seed(seed));
        let b = invoked(&history).filter(|event| &*event.f == "b").count();
        // Expected 3000, sigma 27.
        prop_assert!((2850..3150).contains(&b), "{}", b);
    }

    #[test]
    fn any_gives_those_that_are_ready_the_same_share(seed: u64) {
        let mut generator = any(Seed(seed), vec![op("a"), op("b")]).limit(2000);
        let history = run(&mut generator, &Setup::clients(5), Seed(seed));
        let a = invoked(&history).filter(|event| &*event.f == "a").count();
        // Expected 1000, sigma 22.
        prop_assert!((870..1130).contains(&a), "{}", a);
    }

    #[test]
    fn until_ok_is_not_taken_in_by_others(seed: u64, clients in 1usize..6) {
        struct OthersWork;
        impl System for OthersWork {
            fn latency(&mut self, _: Process, _: &Invocation) -> u64 {
                10
            }
            fn complete(&mut self, _: Process, op: &Invocation) -> Completion {
                let kind = if &*op.f == "mine" { EventType::Fail } else { EventType::Ok };
                Completion { kind, value: op.value.clone(), error: None }
            }
        }
        let mine = op("mine").until_ok().limit(20).boxed();
        let mut generator = any(Seed(seed), vec![mine, op("other").limit(100).boxed()]);
        let history = simulate(&mut generator, &Setup::clients(clients), &mut OthersWork);
        prop_assert_eq!(invoked(&history).filter(|event| &*event.f == "mine").count(), 20);
    }

    #[test]
    fn each_thread_gets_all_of_its_own(seed: u64, clients in 1usize..8, count in 1u64..10) {
        let mut generator = each_thread(|_| op("a").limit(count));
        let history = run(&mut generator, &Setup::clients(clients), Seed(seed));
        let mut each: BTreeMap<u64, u64> = BTreeMap::new();
        for event in invoked(&history) {
            let Process::Client(number) = event.process else { continue };
            *each.entry(number % clients as u64).or_default() += 1;
        }
        prop_assert_eq!(each.len(), clients);
        prop_assert!(each.values().all(|operations| *operations == count));
    }
}
