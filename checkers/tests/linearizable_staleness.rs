//! The smallest Δ against the brute-force oracle: with it the history is linearizable, with a
//! nanosecond less it is not.

mod linearizable_support;

use linearizable_support::{Shape, oracle, record, record_register, rng, rounds, show, simulate};
use quorate_checkers::history::Nanos;
use quorate_checkers::linearizable::{Call, staleness};
use quorate_checkers::model::{Register, RegisterInput, RegisterOutput};
use rand::{Rng, RngExt};

type RegisterCall = Call<RegisterInput<u8>, RegisterOutput<u8>>;

/// A small run in which every value is written once, and reads return any value written so far.
fn stale_register(rng: &mut impl Rng) -> Vec<RegisterCall> {
    let (clients, calls) = (rng.random_range(1..=3), rng.random_range(3..=8));
    let shape = Shape { clients, calls, crashed: [0.0, 0.2][rng.random_range(0..2)] };
    let mut fresh = 0;
    let ask = |rng: &mut dyn Rng, _| {
        if rng.random_bool(0.6) {
            return RegisterInput::Read;
        }
        fresh += 1;
        RegisterInput::Write(fresh)
    };
    let serve = |state: &mut u8, input: &RegisterInput<u8>| match input {
        RegisterInput::Write(new) => {
            *state = *new;
            RegisterOutput::Done
        }
        _ => RegisterOutput::Seen(*state),
    };
    let mut calls = simulate(rng, shape, 0, ask, serve);
    for call in &mut calls {
        if let Some(RegisterOutput::Seen(seen)) = &mut call.output
            && rng.random_bool(0.3)
        {
            let back = rng.random_range(0..5);
            *seen = if back == 4 { seen.saturating_add(1) } else { seen.saturating_sub(back) };
        }
    }
    calls
}

/// In nanoseconds, as histories are recorded, and with reads that begin earlier.
fn relaxed(calls: &[RegisterCall], delta: u64) -> Vec<RegisterCall> {
    let relax = |call: &RegisterCall| {
        let delta = if call.input == RegisterInput::Read { delta } else { 0 };
        Call {
            invoke: (call.invoke * 1000).saturating_sub(delta),
            complete: call.complete.map(|at| at * 1000),
            ..call.clone()
        }
    };
    calls.iter().map(relax).collect()
}

#[test]
fn the_least_delta_is_the_least() {
    let model = Register { initial: 0 };
    let (mut fresh, mut stale, mut otherwise) = (0, 0, 0);
    for seed in 0..rounds(20_000) {
        let calls = stale_register(&mut rng(seed));
        let found = staleness(&record(&calls, |_| None, record_register));
        let fits = |delta| oracle(&model, &relaxed(&calls, delta));
        match (found.stale.first(), found.otherwise) {
            (Some((_, Nanos(delta))), _) => {
                assert!(fits(*delta) && !fits(delta - 1), "{delta}{}", show(&calls));
                stale += 1;
            }
            (None, 0) => {
                assert!(fits(0), "{}", show(&calls));
                fresh += 1;
            }
            (None, _) => {
                assert!(!fits(u64::MAX), "{}", show(&calls));
                otherwise += 1;
            }
        }
    }
    let all = (fresh, stale, otherwise);
    assert!(fresh > 1000 && stale > 1000 && otherwise > 20, "all are common: {all:?}");
}
