//! Checking event by event against checking whole prefixes.

mod linearizable_support;

use linearizable_support::{Shape, record, record_register, rng, rounds, serve_register, simulate};
use quorate_checkers::history::{EventType, History};
use quorate_checkers::linearizable::online::Online;
use quorate_checkers::linearizable::{ModelKind, Options, check};
use quorate_checkers::model::{RegisterInput, RegisterOutput};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use rand::{Rng, RngExt};

const SHAPES: [f64; 3] = [0.0, 0.2, 0.5];

fn batch(history: &History, kind: ModelKind) -> Valid {
    check(history, kind, &Options { threads: 1, ..Options::default() }).valid
}

/// The index of the event that completes the shortest prefix that is not linearizable: found by
/// bisection, as violations are final.
fn first_violation(history: &History, kind: ModelKind) -> Option<usize> {
    let prefix = |events: usize| {
        let events = history.events()[..events].to_vec();
        batch(&History::from_events(events).expect("a prefix is well-formed"), kind)
    };
    let all = history.events().len();
    if prefix(all) != Valid::False {
        return None;
    }
    let (mut good, mut bad) = (0, all);
    while bad - good > 1 {
        let middle = usize::midpoint(good, bad);
        if prefix(middle) == Valid::False { bad = middle } else { good = middle }
    }
    Some(bad - 1)
}

/// The index of the event at which the online checker first objects, and its verdict at the end.
fn online(history: &History, mut online: Online) -> (Option<usize>, Valid) {
    let mut first = None;
    for (at, event) in history.events().iter().enumerate() {
        let found = online.push(event).is_some();
        if found && first.is_none() {
            first = Some(at);
        }
        assert_eq!(online.violation().is_some(), first.is_some());
    }
    (first, online.finish().valid)
}

/// A run of a register in which every value is written once, some answers falsified; refused
/// compare-and-sets say what they found.
fn unique(rng: &mut impl Rng, calls: usize, lies: f64) -> History {
    let shape =
        Shape { clients: rng.random_range(1..=5), calls, crashed: SHAPES[rng.random_range(0..3)] };
    let mut fresh = 0_i64;
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..5) {
        0..=1 => RegisterInput::Read,
        2 => {
            fresh += 1;
            RegisterInput::Write(fresh)
        }
        _ => {
            fresh += 1;
            let old = rng.random_range(fresh.saturating_sub(4)..fresh);
            RegisterInput::Cas { old: old.max(0), new: fresh }
        }
    };
    let serve = |state: &mut i64, input: &RegisterInput<i64>| match input {
        RegisterInput::Write(value) => {
            *state = *value;
            RegisterOutput::Done
        }
        RegisterInput::Cas { old, new } if old == state => {
            *state = *new;
            RegisterOutput::Done
        }
        RegisterInput::Read | RegisterInput::Cas { .. } => RegisterOutput::Seen(*state),
    };
    let mut calls = simulate(rng, shape, 0_i64, ask, serve);
    for call in &mut calls {
        if let Some(RegisterOutput::Seen(seen)) = &mut call.output
            && rng.random_bool(lies)
        {
            *seen = rng.random_range((*seen - 3).max(0)..=fresh.min(*seen + 3));
        }
    }
    record(
        &calls,
        |_| None,
        |input, output| {
            let mut recorded = record_register(input, output);
            if let (RegisterInput::Cas { .. }, Some(RegisterOutput::Seen(seen))) = (input, output) {
                let seen = if *seen == 0 { Value::Null } else { Value::Int(*seen) };
                recorded.kind = EventType::Fail;
                recorded.error = Some(Value::list([Value::str("precondition-failed"), seen]));
            }
            recorded
        },
    )
}

#[test]
fn unique_values_are_judged_at_the_very_event() {
    let mut seen = [0, 0];
    for seed in 0..rounds(20_000) {
        let mut rng = rng(seed);
        let calls = rng.random_range(1..=12);
        let lies = [0.0, 0.3, 0.6][rng.random_range(0..3)];
        let history = unique(&mut rng, calls, lies);
        let expected = first_violation(&history, ModelKind::Register);
        let (found, valid) = online(&history, Online::new(ModelKind::Register));
        assert_eq!(found, expected, "seed {seed}: {:#?}", history.events());
        assert_eq!(valid, batch(&history, ModelKind::Register), "seed {seed}");
        seen[usize::from(expected.is_none())] += 1;
    }
    assert!(seen.iter().all(|count| *count > 3_000), "both verdicts are common: {seen:?}");
}

#[test]
fn what_is_forgotten_is_not_missed() {
    let (mut seen, mut late) = ([0, 0], 0);
    for seed in 0..rounds(2_000) {
        let mut rng = rng(seed);
        let lies = [0.0, 0.03, 0.1][rng.random_range(0..3)];
        let history = unique(&mut rng, 150, lies);
        let expected = first_violation(&history, ModelKind::Register);
        let (found, _) = online(&history, Online::new(ModelKind::Register));
        assert_eq!(found, expected, "seed {seed}");
        seen[usize::from(expected.is_none())] += 1;
        late += usize::from(expected.is_some_and(|at| at > 100));
    }
    assert!(seen.iter().all(|count| *count > 300), "both verdicts are common: {seen:?}");
    assert!(late > 50, "only {late} violations come after values were forgotten");
}

#[test]
fn memory_is_bounded_by_what_is_open() {
    let mut rng = rng(1);
    let shape = Shape { clients: 5, calls: 50_000, crashed: 0.0 };
    let mut fresh = 0_i64;
    let ask = |rng: &mut dyn Rng, _| {
        if rng.random_bool(0.5) {
            return RegisterInput::Read;
        }
        fresh += 1;
        RegisterInput::Write(fresh)
    };
    let serve = |state: &mut i64, input: &RegisterInput<i64>| {
        if let RegisterInput::Write(value) = input {
            *state = *value;
            return RegisterOutput::Done;
        }
        RegisterOutput::Seen(*state)
    };
    let calls = simulate(&mut rng, shape, 0_i64, ask, serve);
    let history = record(&calls, |_| None, record_register);
    let mut online = Online::new(ModelKind::Register);
    let mut most = 0;
    for event in history.events() {
        assert_eq!(online.push(event), None);
        most = most.max(online.kept());
    }
    assert_eq!(online.finish().valid, Valid::True);
    assert!(most < 200, "{most} values were kept for five clients");
}

/// A run of a register whose values repeat and whose refused compare-and-sets say nothing.
fn repeating(rng: &mut impl Rng) -> History {
    let shape = Shape {
        clients: rng.random_range(1..=4),
        calls: rng.random_range(1..=24),
        crashed: SHAPES[rng.random_range(0..3)],
    };
    let values = rng.random_range(1..6_i64);
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..3) {
        0 => RegisterInput::Read,
        1 => RegisterInput::Write(rng.random_range(0..=values)),
        _ => RegisterInput::Cas {
            old: rng.random_range(0..=values),
            new: rng.random_range(0..=values),
        },
    };
    let mut calls = simulate(rng, shape, 0_i64, ask, serve_register);
    for call in &mut calls {
        if let Some(RegisterOutput::Seen(seen)) = &mut call.output
            && rng.random_bool(0.3)
        {
            *seen = rng.random_range(0..=values);
        }
    }
    record(&calls, |_| None, record_register)
}

#[test]
fn repeated_values_are_never_falsely_accused() {
    let mut seen = [0, 0];
    for seed in 0..rounds(5_000) {
        let history = repeating(&mut rng(seed));
        let expected = first_violation(&history, ModelKind::Register);
        let (found, valid) = online(&history, Online::new(ModelKind::Register));
        assert!(found.is_none() || expected <= found && expected.is_some(), "seed {seed}");
        assert!(valid != Valid::True || expected.is_none(), "seed {seed}");
        let again = Online::checking_again(ModelKind::Register, 1_000_000, 1 << 26);
        let (found, valid) = online(&history, again);
        assert!(found.is_none() || expected <= found && expected.is_some(), "seed {seed}");
        assert_eq!(valid, batch(&history, ModelKind::Register), "seed {seed}");
        seen[usize::from(expected.is_none())] += 1;
    }
    assert!(seen.iter().all(|count| *count > 500), "both verdicts are common: {seen:?}");
}
