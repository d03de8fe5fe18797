//! Registers whose values repeat: each step of the ladder against the brute-force oracle.

mod linearizable_support;

use linearizable_support::{Shape, oracle, record, record_register, rng, rounds, show, simulate};
use quorate_checkers::history::History;
use quorate_checkers::linearizable::{Call, ModelKind, Options, check};
use quorate_checkers::model::{Register, RegisterInput, RegisterOutput};
use quorate_checkers::verdict::{CheckerReport, Valid};
use rand::{Rng, RngExt};
use std::collections::BTreeMap;

type RegisterCall = Call<RegisterInput<u8>, RegisterOutput<u8>>;

/// How a random history is made.
#[derive(Clone, Copy)]
struct Recipe {
    clients: usize,
    calls: usize,
    /// Values are 0, which is there at first, to this.
    values: u8,
    crashed: f64,
    /// The share of calls that compare and set.
    cas: f64,
    /// The share of answers that are made up.
    wrong: f64,
}

fn recipe(rng: &mut impl Rng) -> Recipe {
    Recipe {
        clients: rng.random_range(1..=3),
        calls: rng.random_range(3..=10),
        values: rng.random_range(1..=3),
        crashed: [0.0, 0.0, 0.15, 0.4][rng.random_range(0..4)],
        cas: [0.0, 0.3, 0.6][rng.random_range(0..3)],
        wrong: [0.0, 0.05, 0.15][rng.random_range(0..3)],
    }
}

fn run(rng: &mut impl Rng, recipe: Recipe) -> Vec<RegisterCall> {
    let Recipe { clients, calls, values, crashed, cas, wrong } = recipe;
    let ask = |rng: &mut dyn Rng, _| match rng.random_bool(cas) {
        true => {
            let (old, new) = (rng.random_range(0..=values), rng.random_range(0..=values));
            RegisterInput::Cas { old, new }
        }
        false if rng.random_bool(0.5) => RegisterInput::Read,
        false => RegisterInput::Write(rng.random_range(0..=values)),
    };
    let serve = |state: &mut u8, input: &RegisterInput<u8>| match input {
        RegisterInput::Read => RegisterOutput::Seen(*state),
        RegisterInput::Cas { old, .. } if old != state => RegisterOutput::Refused,
        RegisterInput::Write(new) | RegisterInput::Cas { new, .. } => {
            *state = *new;
            RegisterOutput::Done
        }
    };
    let mut calls = simulate(rng, Shape { clients, calls, crashed }, 0, ask, serve);
    for call in &mut calls {
        if call.output.is_some() && rng.random_bool(wrong) {
            call.output = Some(match call.input {
                RegisterInput::Read => RegisterOutput::Seen(rng.random_range(0..=values)),
                RegisterInput::Cas { .. } if rng.random_bool(0.5) => RegisterOutput::Refused,
                _ => RegisterOutput::Done,
            });
        }
    }
    calls
}

fn algorithm(report: &CheckerReport) -> String {
    let counts = report.details["algorithms"].as_object().expect("counts");
    counts.keys().next().cloned().unwrap_or_default()
}

fn judge(history: &History) -> CheckerReport {
    check(history, ModelKind::Register, &Options { threads: 1, ..Options::default() })
}

#[test]
fn every_step_agrees_with_the_oracle() {
    let mut seen: BTreeMap<(String, bool), u64> = BTreeMap::new();
    for seed in 0..rounds(50_000) {
        let mut rng = rng(seed);
        let recipe = recipe(&mut rng);
        let calls = run(&mut rng, recipe);
        let expected = oracle(&Register { initial: 0 }, &calls);
        let report = judge(&record(&calls, |_| None, record_register));
        let valid = if expected { Valid::True } else { Valid::False };
        let how = algorithm(&report);
        assert_eq!(report.valid, valid, "seed {seed} by {how}: {:?}{}", report.why, show(&calls));
        assert_eq!(report.anomalies.len(), usize::from(!expected), "seed {seed}{}", show(&calls));
        *seen.entry((how, expected)).or_default() += 1;
    }
    for step in ["renaming", "segments", "segment search", "search"] {
        for valid in [true, false] {
            let count = seen.get(&(step.to_string(), valid)).copied().unwrap_or(0);
            assert!(count > 20, "{step} gave {valid} {count} times: {seen:?}");
        }
    }
}
