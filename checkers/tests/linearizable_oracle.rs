//! Every algorithm against the brute-force oracle, on random small histories.

mod linearizable_support;

use linearizable_support::{
    Shape, oracle, record, record_register, rng, rounds, serve_register, show, simulate,
};
use quorate_checkers::linearizable::{Call, ModelKind, Options, Outcome, check, explain};
use quorate_checkers::model::{Model, Register, RegisterInput, RegisterOutput};
use quorate_checkers::verdict::Valid;
use rand::{Rng, RngExt};
use std::collections::BTreeMap;

type RegisterCall = Call<RegisterInput<u8>, RegisterOutput<u8>>;

const REGISTER: Register<u8> = Register { initial: 0 };

/// A small run of a register whose values repeat, with some answers falsified.
fn repeating_register(rng: &mut impl Rng) -> Vec<RegisterCall> {
    let shape = Shape {
        clients: rng.random_range(1..=4),
        calls: rng.random_range(1..=8),
        crashed: [0.0, 0.2, 0.5][rng.random_range(0..3)],
    };
    let values = rng.random_range(1..4u8);
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..3) {
        0 => RegisterInput::Read,
        1 => RegisterInput::Write(rng.random_range(0..=values)),
        _ => RegisterInput::Cas {
            old: rng.random_range(0..=values),
            new: rng.random_range(0..=values),
        },
    };
    let mut calls = simulate(rng, shape, 0, ask, serve_register);
    for call in &mut calls {
        if rng.random_bool(0.15) {
            falsify(call, rng.random_range(0..=values));
        }
    }
    calls
}

fn falsify(call: &mut RegisterCall, value: u8) {
    if let Some(output) = &mut call.output {
        *output = match (&call.input, &output) {
            (RegisterInput::Read, _) => RegisterOutput::Seen(value),
            (RegisterInput::Cas { .. }, RegisterOutput::Done) => RegisterOutput::Refused,
            _ => RegisterOutput::Done,
        };
    }
}

/// Compares the search with the oracle, checks its evidence, and counts both kinds of verdict.
fn agree<M: Model>(model: &M, calls: &[Call<M::Input, M::Output>], seen: &mut [u64; 2])
where
    M::Input: Clone + Send,
    M::Output: Clone + Send,
{
    let expected = oracle(model, calls);
    let options = Options { threads: 1, ..Options::default() };
    let explained = explain(model, calls, &options);
    let outcome = if expected { Outcome::Linearizable } else { Outcome::Violation };
    assert_eq!(explained.outcome, outcome, "{}", show(calls));
    seen[usize::from(expected)] += 1;
    let Some(failure) = explained.failure else { return };
    let end = calls[failure.call].complete.expect("it completed");
    let prefix = |keep: &dyn Fn(u64) -> bool| -> Vec<Call<M::Input, M::Output>> {
        let mut prefix = calls.to_vec();
        prefix.retain(|call| call.invoke < end);
        for call in &mut prefix {
            if !call.complete.is_some_and(keep) {
                call.complete = None; // Still open, yet its answer is known.
            }
        }
        prefix
    };
    assert!(!oracle(model, &prefix(&|at| at <= end)), "the failing prefix fails: {}", show(calls));
    assert!(oracle(model, &prefix(&|at| at < end)), "a shorter one does not: {}", show(calls));
    explains(model, calls, &failure.order.iter().map(|p| p.call).collect::<Vec<_>>(), end);
}

/// Asserts that `order` is a linearization of all that completed before `end`.
fn explains<M: Model>(model: &M, calls: &[Call<M::Input, M::Output>], order: &[usize], end: u64) {
    let mut states = vec![model.initial()];
    for (at, index) in order.iter().enumerate() {
        let call = &calls[*index];
        assert!(!order[..at].contains(index), "placed once");
        for later in &order[at + 1..] {
            let complete = calls[*later].complete.unwrap_or(u64::MAX);
            assert!(complete >= call.invoke, "real time is kept: {order:?} {}", show(calls));
        }
        states = states
            .iter()
            .flat_map(|state| model.step(state, &call.input, call.output.as_ref()))
            .collect();
        assert!(!states.is_empty(), "the order is possible: {order:?} {}", show(calls));
    }
    for (index, call) in calls.iter().enumerate() {
        let completed = call.complete.is_some_and(|at| at < end);
        assert!(!completed || order.contains(&index), "all are placed: {order:?} {}", show(calls));
    }
}

#[test]
fn the_search_on_registers_with_repeated_values() {
    let mut seen = [0, 0];
    for seed in 0..rounds(20_000) {
        let calls = repeating_register(&mut rng(seed));
        agree(&REGISTER, &calls, &mut seen);
    }
    assert!(seen.iter().all(|count| *count > 2_000), "both verdicts are common: {seen:?}");
}

/// A small run of a register in which every value is written once, with some answers falsified.
/// Compare-and-sets are refused in it only if `refusals`.
fn unique_register(rng: &mut impl Rng, refusals: bool) -> Vec<RegisterCall> {
    let shape = Shape {
        clients: rng.random_range(1..=4),
        calls: rng.random_range(1..=8),
        crashed: [0.0, 0.2, 0.5][rng.random_range(0..3)],
    };
    let mut fresh = 0;
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..5) {
        0..=1 => RegisterInput::Read,
        2 => {
            fresh += 1;
            RegisterInput::Write(fresh)
        }
        _ => {
            fresh += 1;
            RegisterInput::Cas { old: rng.random_range(0..fresh), new: fresh }
        }
    };
    let mut calls = simulate(rng, shape, 0, ask, serve_register);
    for call in &mut calls {
        if rng.random_bool(0.1) {
            falsify(call, rng.random_range(0..=fresh));
        }
        if let RegisterInput::Cas { old, .. } = &mut call.input
            && rng.random_bool(0.1)
        {
            *old = rng.random_range(0..=fresh);
        }
        if !refusals && call.output == Some(RegisterOutput::Refused) {
            (call.input, call.output) = (RegisterInput::Read, Some(RegisterOutput::Seen(0)));
        }
    }
    calls
}

/// Compares `check` with the oracle; counts verdicts, and which algorithm gave them.
fn same_verdict(
    calls: &[RegisterCall],
    seen: &mut [u64; 2],
    algorithms: &mut BTreeMap<String, u64>,
) {
    let expected = oracle(&REGISTER, calls);
    let history = record(calls, |_| None, record_register);
    let options = Options { threads: 1, ..Options::default() };
    let report = check(&history, ModelKind::Register, &options);
    let valid = if expected { Valid::True } else { Valid::False };
    assert_eq!(report.valid, valid, "{:?}{}", report.why, show(calls));
    assert_eq!(report.anomalies.len(), usize::from(!expected), "evidence{}", show(calls));
    seen[usize::from(expected)] += 1;
    for (name, _) in report.details["algorithms"].as_object().expect("counts") {
        *algorithms.entry(name.clone()).or_default() += 1;
    }
}

#[test]
fn zones_on_registers_with_unique_values() {
    let (mut seen, mut algorithms) = ([0, 0], BTreeMap::new());
    for seed in 0..rounds(50_000) {
        let calls = unique_register(&mut rng(seed), false);
        same_verdict(&calls, &mut seen, &mut algorithms);
    }
    assert!(seen.iter().all(|count| *count > 10_000), "both verdicts are common: {seen:?}");
    assert_eq!(algorithms.keys().collect::<Vec<_>>(), ["zones"], "nothing fell back");
}

#[test]
fn zones_with_refused_compare_and_sets() {
    let (mut seen, mut algorithms) = ([0, 0], BTreeMap::new());
    for seed in 0..rounds(50_000) {
        let calls = unique_register(&mut rng(seed), true);
        same_verdict(&calls, &mut seen, &mut algorithms);
    }
    assert!(seen.iter().all(|count| *count > 5_000), "both verdicts are common: {seen:?}");
    assert!(algorithms["zones"] > 20 * algorithms["search"], "few fall back: {algorithms:?}");
}

#[test]
fn repeated_values_in_a_history() {
    let (mut seen, mut algorithms) = ([0, 0], BTreeMap::new());
    for seed in 0..rounds(5_000) {
        let calls = repeating_register(&mut rng(seed));
        same_verdict(&calls, &mut seen, &mut algorithms);
    }
    assert!(algorithms["renaming"] > 1000, "{algorithms:?}");
}
