//! Simulated histories of an atomic object, and a brute-force oracle: for tests and benches.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod cases;

use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::linearizable::Call;
use quorate_checkers::model::{Model, PoolInput, PoolOutput, RegisterInput, RegisterOutput};
use quorate_checkers::value::{Name, Value};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

pub(crate) fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// How many histories a differential test tries: more with `QUORATE_NIGHTLY=1`.
pub(crate) fn rounds(normal: u64) -> u64 {
    if std::env::var_os("QUORATE_NIGHTLY").is_some() { normal * 20 } else { normal }
}

/// The size and the trouble of a simulated run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) clients: usize,
    pub(crate) calls: usize,
    /// The share of calls whose client never learns the outcome.
    pub(crate) crashed: f64,
}

/// Runs clients against an atomic object: each call takes effect at one moment between its
/// invocation and its completion, so the result is linearizable. A crashed call takes effect
/// before, at some later time, or never.
pub(crate) fn simulate<S, I: Clone, O>(
    rng: &mut impl Rng,
    shape: Shape,
    mut state: S,
    mut ask: impl FnMut(&mut dyn Rng, usize) -> I,
    mut apply: impl FnMut(&mut S, &I) -> O,
) -> Vec<Call<I, O>> {
    enum Client {
        Idle,
        Asked(usize),
        Served(usize),
    }
    let mut calls: Vec<Call<I, O>> = Vec::with_capacity(shape.calls);
    let mut clients: Vec<Client> = (0..shape.clients).map(|_| Client::Idle).collect();
    let mut process: Vec<u64> = (0..shape.clients as u64).collect();
    let mut zombies: Vec<usize> = Vec::new();
    let mut time = 0;
    let mut busy = 0;
    while calls.len() < shape.calls || busy > 0 {
        time += 1;
        if !zombies.is_empty() && rng.random_bool(0.1) {
            let zombie = zombies.swap_remove(rng.random_range(0..zombies.len()));
            apply(&mut state, &calls[zombie].input.clone());
        }
        let at = rng.random_range(0..shape.clients);
        clients[at] = match clients[at] {
            Client::Idle if calls.len() < shape.calls => {
                let input = ask(rng, at);
                calls.push(Call::crashed(process[at], input, time));
                busy += 1;
                Client::Asked(calls.len() - 1)
            }
            Client::Idle => Client::Idle,
            Client::Asked(call) if rng.random_bool(shape.crashed) => {
                match rng.random_range(0..3) {
                    0 => {}
                    1 => drop(apply(&mut state, &calls[call].input.clone())),
                    _ => zombies.push(call),
                }
                process[at] += shape.clients as u64;
                busy -= 1;
                Client::Idle
            }
            Client::Asked(call) => {
                let output = apply(&mut state, &calls[call].input.clone());
                calls[call].output = Some(output);
                Client::Served(call)
            }
            Client::Served(call) => {
                calls[call].complete = Some(time);
                busy -= 1;
                Client::Idle
            }
        };
    }
    calls
}

/// Whether some order of the calls explains them, by trying all orders and, with them, all sets
/// of crashed calls.
pub(crate) fn oracle<M: Model>(model: &M, calls: &[Call<M::Input, M::Output>]) -> bool {
    let mut left: Vec<usize> = (0..calls.len()).collect();
    try_all(model, calls, &mut left, &model.initial())
}

fn try_all<M: Model>(
    model: &M,
    calls: &[Call<M::Input, M::Output>],
    left: &mut Vec<usize>,
    state: &M::State,
) -> bool {
    let first_end = left.iter().filter_map(|index| calls[*index].complete).min();
    let Some(first_end) = first_end else { return true };
    for at in 0..left.len() {
        let index = left[at];
        let call = &calls[index];
        if call.invoke > first_end {
            continue;
        }
        left.remove(at);
        for next in model.step(state, &call.input, call.output.as_ref()) {
            if try_all(model, calls, left, &next) {
                left.insert(at, index);
                return true;
            }
        }
        left.insert(at, index);
    }
    false
}

/// The calls, one a line, for the message of a failed test.
pub(crate) fn show<I: std::fmt::Debug, O: std::fmt::Debug>(calls: &[Call<I, O>]) -> String {
    let line = |(at, call): (usize, &Call<I, O>)| {
        let Call { process, input, output, invoke, complete } = call;
        format!("\n#{at} [{invoke}, {complete:?}] p{process} {input:?}: {output:?}")
    };
    calls.iter().enumerate().map(line).collect()
}

/// How a call looks in a history: the operation, its argument, and its completion with result
/// and error.
pub(crate) struct Recorded {
    pub(crate) f: &'static str,
    pub(crate) input: Value,
    pub(crate) kind: EventType,
    pub(crate) output: Value,
    pub(crate) error: Option<Value>,
}

impl Recorded {
    pub(crate) fn ok(f: &'static str, input: Value, output: Value) -> Recorded {
        Recorded { f, input, kind: EventType::Ok, output, error: None }
    }
}

/// The history that a recorder of these calls writes. Crashed calls complete with `info` or not
/// at all.
pub(crate) fn record<I, O>(
    calls: &[Call<I, O>],
    key: impl Fn(&Call<I, O>) -> Option<Value>,
    show: impl Fn(&I, Option<&O>) -> Recorded,
) -> History {
    let mut ends: Vec<(u64, bool, usize)> = Vec::with_capacity(calls.len() * 2);
    for (index, call) in calls.iter().enumerate() {
        ends.push((call.invoke, false, index));
        ends.extend(call.complete.map(|at| (at, true, index)));
    }
    ends.sort_unstable();
    let mut names: BTreeMap<&str, Name> = BTreeMap::new();
    let events = ends.into_iter().enumerate().map(|(at, (time, completes, index))| {
        let call = &calls[index];
        let shown = show(&call.input, call.output.as_ref());
        let f = names.entry(shown.f).or_insert_with(|| shown.f.into()).clone();
        Event {
            index: OpIndex(at as u32),
            time: Nanos(time * 1000),
            process: Process::Client(call.process),
            kind: if completes { shown.kind } else { EventType::Invoke },
            f,
            key: key(call),
            value: if completes { shown.output } else { shown.input },
            error: shown.error.filter(|_| completes),
            node: None,
            extra: None,
        }
    });
    History::from_events(events.collect()).expect("a well-formed history")
}

/// What an atomic register does.
pub(crate) fn serve_register<V: Copy + PartialEq>(
    state: &mut V,
    input: &RegisterInput<V>,
) -> RegisterOutput<V> {
    match input {
        RegisterInput::Read => RegisterOutput::Seen(*state),
        RegisterInput::Write(new) => {
            *state = *new;
            RegisterOutput::Done
        }
        RegisterInput::Cas { old, new } if old == state => {
            *state = *new;
            RegisterOutput::Done
        }
        RegisterInput::Cas { .. } => RegisterOutput::Refused,
    }
}

/// A container's call, as it is recorded.
pub(crate) fn record_pool(input: &PoolInput<i64>, output: Option<&PoolOutput<i64>>) -> Recorded {
    let item = match output {
        Some(PoolOutput::Item(Some(item))) => Value::Int(*item),
        _ => Value::Null,
    };
    match input {
        PoolInput::Add(item) => Recorded::ok("enqueue", Value::Int(*item), Value::Int(*item)),
        PoolInput::Take => Recorded::ok("dequeue", Value::Null, item),
        PoolInput::Peek => Recorded::ok("peek", Value::Null, item),
    }
}

/// A register's call, as it is recorded; 0 is the initial value, `null`. A refused
/// compare-and-set says nothing of what it saw.
pub(crate) fn record_register<V: Copy + PartialEq + Into<i64>>(
    input: &RegisterInput<V>,
    output: Option<&RegisterOutput<V>>,
) -> Recorded {
    let value = |value: V| match value.into() {
        0 => Value::Null,
        other => Value::Int(other),
    };
    match input {
        RegisterInput::Read => match output {
            Some(RegisterOutput::Seen(seen)) => Recorded::ok("read", Value::Null, value(*seen)),
            _ => Recorded::ok("read", Value::Null, Value::Null),
        },
        RegisterInput::Write(new) => Recorded::ok("write", value(*new), value(*new)),
        RegisterInput::Cas { old, new } => {
            let pair = Value::from(vec![value(*old), value(*new)]);
            let mut recorded = Recorded::ok("cas", pair.clone(), pair);
            if output == Some(&RegisterOutput::Refused) {
                recorded.kind = EventType::Fail;
                recorded.error = Some(Value::from(vec![Value::str("precondition-failed")]));
            }
            recorded
        }
    }
}
