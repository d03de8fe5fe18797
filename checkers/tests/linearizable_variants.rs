//! Strict and durable linearizability against a brute-force oracle with deadlines.

mod linearizable_support;

use linearizable_support::{Recorded, Shape, record_register, rng, rounds, show, simulate};
use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::linearizable::{Call, ModelKind, Options, Variant, check};
use quorate_checkers::model::{
    Model, PoolInput, PoolOutput, Queue, Register, RegisterInput, RegisterOutput,
};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use rand::{Rng, RngExt};
use std::collections::{BTreeMap, VecDeque};

/// When each crashed call was given up, and when its client went on; positions doubled, so that
/// there is room between events.
struct Crashes {
    gave_up: Vec<Option<u64>>,
    went_on: Vec<Option<u64>>,
}

fn crashes<I, O>(rng: &mut impl Rng, calls: &[Call<I, O>], clients: u64) -> Crashes {
    let next = |call: &Call<I, O>| {
        let begins = calls.iter().filter(|other| other.process == call.process + clients);
        begins.map(|other| other.invoke * 2).min()
    };
    let went_on: Vec<Option<u64>> =
        calls.iter().map(|call| next(call).filter(|_| call.is_crashed())).collect();
    let gave_up = calls
        .iter()
        .zip(&went_on)
        .map(|(call, next)| match next {
            Some(next) if rng.random_bool(0.5) => Some(next - 1),
            Some(_) => Some(call.invoke * 2 + 1),
            None => (call.is_crashed() && rng.random_bool(0.7)).then_some(call.invoke * 2 + 1),
        })
        .collect();
    Crashes { gave_up, went_on }
}

fn oracle<M: Model>(
    model: &M,
    calls: &[Call<M::Input, M::Output>],
    deadlines: &[Option<u64>],
) -> bool {
    let mut left: Vec<usize> = (0..calls.len()).collect();
    try_all(model, calls, deadlines, &mut left, &model.initial(), 0)
}

/// `begun` is the latest invocation of all that took effect.
fn try_all<M: Model>(
    model: &M,
    calls: &[Call<M::Input, M::Output>],
    deadlines: &[Option<u64>],
    left: &mut Vec<usize>,
    state: &M::State,
    begun: u64,
) -> bool {
    let Some(first_end) = left.iter().filter_map(|at| calls[*at].complete).min() else {
        return true;
    };
    for at in 0..left.len() {
        let index = left[at];
        let call = &calls[index];
        let late = deadlines[index].is_some_and(|last| last <= begun);
        if call.invoke > first_end || call.is_crashed() && late {
            continue;
        }
        left.remove(at);
        let begun = begun.max(call.invoke * 2);
        let fits = model
            .step(state, &call.input, call.output.as_ref())
            .into_iter()
            .any(|next| try_all(model, calls, deadlines, left, &next, begun));
        left.insert(at, index);
        if fits {
            return true;
        }
    }
    false
}

fn record<I, O>(
    calls: &[Call<I, O>],
    crashes: &Crashes,
    show: impl Fn(&I, Option<&O>) -> Recorded,
) -> History {
    let mut ends: Vec<(u64, usize, Option<EventType>)> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        ends.push((call.invoke * 2, index, None));
        let done = |at| (at * 2, index, Some(show(&call.input, call.output.as_ref()).kind));
        ends.extend(call.complete.map(done));
        ends.extend(crashes.gave_up[index].map(|at| (at, index, Some(EventType::Info))));
    }
    ends.sort_unstable_by_key(|(at, index, _)| (*at, *index));
    let events = ends.into_iter().enumerate().map(|(at, (time, index, kind))| {
        let call = &calls[index];
        let shown = show(&call.input, call.output.as_ref());
        let done = kind.is_some_and(|kind| kind != EventType::Info);
        Event {
            index: OpIndex(at as u32),
            time: Nanos(time),
            process: Process::Client(call.process),
            kind: kind.unwrap_or(EventType::Invoke),
            f: shown.f.into(),
            key: None,
            value: if done { shown.output } else { shown.input },
            error: shown.error.filter(|_| done),
            node: None,
            extra: None,
        }
    });
    History::from_events(events.collect()).expect("a well-formed history")
}

/// Verdicts by variant: how many were valid and how many not.
type Seen = BTreeMap<&'static str, [u64; 2]>;

fn agree<M: Model>(
    seed: u64,
    (model, kind): (&M, ModelKind),
    calls: &[Call<M::Input, M::Output>],
    (crashes, clients): (&Crashes, u64),
    show_call: impl Fn(&M::Input, Option<&M::Output>) -> Recorded,
    tally: &mut Seen,
) {
    let history = record(calls, crashes, show_call);
    let none = vec![None; calls.len()];
    let variants = [
        ("plain", Variant::Plain, &none),
        ("durable", Variant::Durable, &crashes.went_on),
        ("strict", Variant::Strict, &crashes.gave_up),
    ];
    let mut weaker = true;
    for (name, variant, deadlines) in variants {
        let expected = oracle(model, calls, deadlines);
        assert!(weaker || !expected, "each is stronger than the one before: {}", show(calls));
        weaker = expected;
        let clients = Some(clients);
        let options = Options { threads: 1, variant, clients, ..Options::default() };
        let report = check(&history, kind, &options);
        let valid = if expected { Valid::True } else { Valid::False };
        assert_eq!(
            report.valid,
            valid,
            "seed {seed}, {name}, given up at {:?}: {:?}{}",
            crashes.gave_up,
            report.why,
            show(calls)
        );
        tally.entry(name).or_default()[usize::from(expected)] += 1;
        // Nobody says how many clients there were: what is concluded all the same is right.
        let untold = check(&history, kind, &Options { clients: None, ..options });
        let fits = untold.valid == valid || untold.valid == Valid::Unknown;
        assert!(fits, "seed {seed}, {name} untold: {:?}{}", untold.why, show(calls));
        let guessed = usize::from(untold.valid == Valid::Unknown);
        tally.entry(if name == "durable" { "untold" } else { "told" }).or_default()[guessed] += 1;
    }
}

fn all_were_told_apart(tally: &Seen) {
    let valid = |name: &str| tally[name][1];
    assert!(valid("plain") > valid("durable") + 50, "{tally:?}");
    assert!(valid("durable") > valid("strict") + 10, "{tally:?}");
    assert!(tally["strict"][1] > 1000, "{tally:?}");
    assert!(tally["untold"].iter().all(|count| *count > 50), "{tally:?}");
}

/// Some clients that all begin at once, so that the first of each is seen before any crash.
fn shape(rng: &mut impl Rng) -> Shape {
    Shape { clients: rng.random_range(1..=3), calls: rng.random_range(3..=7), crashed: 0.35 }
}

/// Whether the processes show how many clients there are: all of the first begin, and nobody's
/// place could be another's.
fn clear<I, O>(calls: &[Call<I, O>], crashes: &Crashes, clients: u64) -> bool {
    let first = |process| calls.iter().find(|call| call.process == process);
    let begun: Option<Vec<_>> = (0..clients).map(first).collect();
    begun.is_some_and(|first| {
        let last = first.iter().map(|call| call.invoke).max().unwrap_or(0);
        crashes.gave_up.iter().flatten().all(|at| *at > last * 2)
            && calls.iter().filter(|call| call.process >= clients).all(|call| call.invoke > last)
    })
}

#[test]
fn registers() {
    let mut tally = Seen::new();
    for seed in 0..rounds(20_000) {
        let mut rng = rng(seed);
        let shape = shape(&mut rng);
        let unique = rng.random_bool(0.5);
        let mut fresh = 0u8;
        let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..4) {
            0 | 1 => RegisterInput::Read,
            2 => {
                fresh = if unique { fresh + 1 } else { rng.random_range(1..3) };
                RegisterInput::Write(fresh)
            }
            _ => {
                let old = rng.random_range(0..=fresh);
                fresh = if unique { fresh + 1 } else { rng.random_range(1..3) };
                RegisterInput::Cas { old, new: fresh }
            }
        };
        let serve = |state: &mut u8, input: &RegisterInput<u8>| match input {
            RegisterInput::Read => RegisterOutput::Seen(*state),
            RegisterInput::Cas { old, .. } if old != state => RegisterOutput::Refused,
            RegisterInput::Write(new) | RegisterInput::Cas { new, .. } => {
                *state = *new;
                RegisterOutput::Done
            }
        };
        let mut calls = simulate(&mut rng, shape, 0, ask, serve);
        for call in &mut calls {
            if let Some(RegisterOutput::Seen(seen)) = &mut call.output
                && rng.random_bool(0.1)
            {
                *seen = rng.random_range(0..=fresh);
            }
        }
        let clients = shape.clients as u64;
        let crashes = crashes(&mut rng, &calls, clients);
        if !clear(&calls, &crashes, clients) {
            continue;
        }
        let subject = (&Register { initial: 0 }, ModelKind::Register);
        agree(seed, subject, &calls, (&crashes, clients), record_register, &mut tally);
    }
    all_were_told_apart(&tally);
}

fn show_queue(input: &PoolInput<u8>, output: Option<&PoolOutput<u8>>) -> Recorded {
    match (input, output) {
        (PoolInput::Add(item), _) => {
            let item = Value::Int(i64::from(*item));
            Recorded::ok("enqueue", item.clone(), item)
        }
        (_, Some(PoolOutput::Item(Some(item)))) => {
            Recorded::ok("dequeue", Value::Null, Value::Int(i64::from(*item)))
        }
        _ => Recorded::ok("dequeue", Value::Null, Value::Null),
    }
}

#[test]
fn queues() {
    let mut tally = Seen::new();
    for seed in 0..rounds(20_000) {
        let mut rng = rng(seed);
        let shape = shape(&mut rng);
        let mut fresh = 0;
        let ask = |rng: &mut dyn Rng, _| {
            if rng.random_bool(0.5) {
                return PoolInput::Take;
            }
            fresh += 1;
            PoolInput::Add(fresh)
        };
        let serve = |state: &mut VecDeque<u8>, input: &PoolInput<u8>| match input {
            PoolInput::Add(item) => {
                state.push_back(*item);
                PoolOutput::Added
            }
            _ => PoolOutput::Item(state.pop_front()),
        };
        let calls = simulate(&mut rng, shape, VecDeque::new(), ask, serve);
        let clients = shape.clients as u64;
        let crashes = crashes(&mut rng, &calls, clients);
        if !clear(&calls, &crashes, clients) {
            continue;
        }
        let subject = (&Queue::new(), ModelKind::Queue);
        agree(seed, subject, &calls, (&crashes, clients), show_queue, &mut tally);
    }
    all_were_told_apart(&tally);
}
