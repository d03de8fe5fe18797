//! The histories that are measured: simulated, with verdicts that are known by construction.

use crate::linearizable_support::{
    Recorded, Shape, record, record_pool, record_register, rng, serve_register, simulate,
};
use quorate_checkers::history::History;
use quorate_checkers::linearizable::{Call, ModelKind};
use quorate_checkers::model::{
    MembershipInput, MembershipOutput, PoolInput, PoolOutput, RegisterInput, RegisterOutput,
};
use quorate_checkers::value::Value;
use rand::{Rng, RngExt};
use std::collections::{BTreeSet, VecDeque};

/// A history with its verdict.
pub(crate) struct Case {
    pub(crate) kind: ModelKind,
    pub(crate) history: History,
    pub(crate) valid: bool,
}

pub(crate) type RegisterCall = Call<RegisterInput<i64>, RegisterOutput<i64>>;

/// Half reads, a quarter writes, a quarter compare-and-sets; every value is written once. A
/// compare-and-set that is refused tells what it saw: it counts as a read.
pub(crate) fn register(shape: Shape, valid: bool) -> Vec<RegisterCall> {
    let (mut fresh, mut latest) = (0, 0);
    let ask = |rng: &mut dyn Rng, _| {
        let kind = rng.random_range(0..4);
        if kind < 2 {
            return RegisterInput::Read;
        }
        fresh += 1;
        let old = std::mem::replace(&mut latest, fresh);
        if kind == 2 { RegisterInput::Write(fresh) } else { RegisterInput::Cas { old, new: fresh } }
    };
    let told = |state: &mut i64, input: &RegisterInput<i64>| (serve_register(state, input), *state);
    let calls = simulate(&mut rng(1), shape, 0, ask, told);
    let mut calls: Vec<RegisterCall> = calls.into_iter().map(refusals_are_reads).collect();
    if !valid {
        make_stale(&mut calls, 20 * shape.clients);
    }
    calls
}

fn refusals_are_reads(call: Call<RegisterInput<i64>, (RegisterOutput<i64>, i64)>) -> RegisterCall {
    let Call { process, invoke, complete, .. } = call;
    let (input, output) = match call.output {
        Some((RegisterOutput::Refused, seen)) => {
            (RegisterInput::Read, Some(RegisterOutput::Seen(seen)))
        }
        other => (call.input, other.map(|(output, _)| output)),
    };
    Call { process, input, output, invoke, complete }
}

/// Lets a read at 98 % return what was written at least `age` calls before and overwritten since.
fn make_stale(calls: &mut [RegisterCall], age: usize) {
    let is_read = |call: &RegisterCall| matches!(call.output, Some(RegisterOutput::Seen(_)));
    let late = calls.len() * 98 / 100;
    let Some(at) = (late..calls.len()).find(|at| is_read(&calls[*at])) else { return };
    let old =
        calls[..at.saturating_sub(age).max(1)].iter().rev().find_map(|call| match call.input {
            RegisterInput::Write(value) if call.output.is_some() => Some(value),
            _ => None,
        });
    calls[at].output = Some(RegisterOutput::Seen(old.unwrap_or(0)));
}

/// A register whose five values are written again and again. If it is not valid, a late read
/// sees a sixth that was overwritten long ago, so that no crashed write can explain it.
pub(crate) fn repeating(shape: Shape, valid: bool) -> Vec<RegisterCall> {
    let mut first = true;
    let ask = |rng: &mut dyn Rng, _| {
        if std::mem::take(&mut first) {
            return RegisterInput::Write(6);
        }
        match rng.random_range(0..4) {
            0 | 1 => RegisterInput::Read,
            2 => RegisterInput::Write(rng.random_range(1..=5)),
            _ => RegisterInput::Cas { old: rng.random_range(1..=5), new: rng.random_range(1..=5) },
        }
    };
    let mut calls = simulate(&mut rng(2), shape, 0, ask, serve_register);
    if !valid {
        let is_read = |call: &RegisterCall| matches!(call.output, Some(RegisterOutput::Seen(_)));
        let late = calls.len() * 98 / 100;
        if let Some(at) = (late..calls.len()).find(|at| is_read(&calls[*at])) {
            calls[at].output = Some(RegisterOutput::Seen(6));
        }
    }
    calls
}

/// As histories of one register.
pub(crate) fn of_register(calls: &[RegisterCall], valid: bool) -> Case {
    let history = record(calls, |_| None, record_register);
    Case { kind: ModelKind::Register, history, valid }
}

/// Registers by key, each with unique values.
pub(crate) fn keyed(shape: Shape, keys: usize) -> Case {
    let mut fresh = 0;
    let ask = |rng: &mut dyn Rng, _| {
        let input = if rng.random_bool(0.5) {
            RegisterInput::Read
        } else {
            fresh += 1;
            RegisterInput::Write(fresh)
        };
        (rng.random_range(0..keys), input)
    };
    let apply = |state: &mut Vec<i64>, (key, input): &(usize, RegisterInput<i64>)| {
        serve_register(&mut state[*key], input)
    };
    let calls = simulate(&mut rng(3), shape, vec![0; keys], ask, apply);
    let key = |call: &Call<(usize, RegisterInput<i64>), _>| {
        Some(Value::str(format!("k{}", call.input.0)))
    };
    let history = record(&calls, key, |(_, input), output| record_register(input, output));
    Case { kind: ModelKind::Register, history, valid: true }
}

/// A container: half additions, half takes. If it is not valid, a late take returns the item
/// that an earlier one had taken.
pub(crate) fn pool(shape: Shape, kind: ModelKind, valid: bool) -> Case {
    let mut fresh: i64 = 0;
    let ask = |rng: &mut dyn Rng, _| {
        if rng.random_bool(0.5) {
            return PoolInput::Take;
        }
        fresh += 1;
        // Any order of priorities, each once.
        let spread =
            if kind == ModelKind::PriorityQueue { fresh * 0x9E37_79B1 % (1 << 40) } else { fresh };
        PoolInput::Add(spread)
    };
    let rng = &mut rng(4);
    let mut calls = match kind {
        ModelKind::Queue => simulate(rng, shape, VecDeque::new(), ask, |state, input| {
            give(input, state, VecDeque::push_back, VecDeque::pop_front)
        }),
        ModelKind::Stack => simulate(rng, shape, Vec::new(), ask, |state, input| {
            give(input, state, Vec::push, Vec::pop)
        }),
        _ => simulate(rng, shape, BTreeSet::new(), ask, |state, input| {
            give(input, state, |state, item| _ = state.insert(item), BTreeSet::pop_last)
        }),
    };
    if !valid {
        take_twice(&mut calls);
    }
    let history = record(&calls, |_| None, record_pool);
    Case { kind, history, valid }
}

fn give<S>(
    input: &PoolInput<i64>,
    state: &mut S,
    add: impl FnOnce(&mut S, i64),
    take: impl FnOnce(&mut S) -> Option<i64>,
) -> PoolOutput<i64> {
    match input {
        PoolInput::Add(item) => {
            add(state, *item);
            PoolOutput::Added
        }
        PoolInput::Take | PoolInput::Peek => PoolOutput::Item(take(state)),
    }
}

/// Swaps the answers of two takes that are far apart.
fn take_twice(calls: &mut [Call<PoolInput<i64>, PoolOutput<i64>>]) {
    let late = calls.len() * 98 / 100;
    let took = |call: &Call<_, _>| matches!(call.output, Some(PoolOutput::Item(Some(_))));
    let one = (late..calls.len()).find(|at| took(&calls[*at]));
    let other = (calls.len() / 2..late).find(|at| took(&calls[*at]));
    if let (Some(one), Some(other)) = (one, other) {
        let output = calls[one].output.take();
        calls[one].output = calls[other].output.take();
        calls[other].output = output;
    }
}

/// A set whose elements are added once and removed at most once, and asked for in between. If it
/// is not valid, a late call found an element that was removed long ago.
pub(crate) fn set(shape: Shape, valid: bool) -> Case {
    use MembershipInput::{Add, Contains, Remove};
    let mut fresh = 0;
    let mut removable: VecDeque<i64> = VecDeque::new();
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..3) {
        0 if removable.len() > 30 => {
            let at = rng.random_range(0..20);
            (removable.swap_remove_front(at).unwrap_or(1), Remove)
        }
        1 if fresh > 0 => (rng.random_range(fresh.max(30) - 29..=fresh.max(1)), Contains),
        _ => {
            fresh += 1;
            removable.push_back(fresh);
            (fresh, Add)
        }
    };
    let apply = |state: &mut BTreeSet<i64>, (element, input): &(i64, MembershipInput)| {
        let was = match input {
            Add => !state.insert(*element),
            Remove => state.remove(element),
            Contains => state.contains(element),
        };
        if was { MembershipOutput::Present } else { MembershipOutput::Absent }
    };
    let mut calls = simulate(&mut rng(5), shape, BTreeSet::new(), ask, apply);
    if !valid {
        let removed = calls
            .iter()
            .find(|call| call.input.1 == Remove && call.output == Some(MembershipOutput::Present));
        let element = removed.map_or(1, |call| call.input.0);
        let late = calls.len() * 98 / 100;
        let asks = |at: &usize| calls[*at].input.1 == Contains && calls[*at].output.is_some();
        if let Some(at) = (late..calls.len()).find(asks) {
            calls[at].input.0 = element;
            calls[at].output = Some(MembershipOutput::Present);
        }
    }
    let history = record(
        &calls,
        |_| None,
        |(element, input), output| {
            let (f, changes) = match input {
                Add => ("add", MembershipOutput::Absent),
                Remove => ("remove", MembershipOutput::Present),
                Contains => ("contains", MembershipOutput::Present),
            };
            let element = Value::Int(*element);
            let told = output.map_or(Value::Null, |output| Value::Bool(*output == changes));
            Recorded::ok(f, element.clone(), Value::from(vec![element, told]))
        },
    );
    Case { kind: ModelKind::Set, history, valid }
}
