//! The algorithms of objects other than registers against the brute-force oracle.

mod linearizable_support;

use linearizable_support::{
    Recorded, Shape, oracle, record, record_pool, rng, rounds, show, simulate,
};
use quorate_checkers::history::{EventType, History};
use quorate_checkers::linearizable::{Call, ModelKind, Options, check};
use quorate_checkers::model::{
    AppendList, Counter, CounterInput, ListInput, ListOutput, Membership, MembershipInput,
    MembershipOutput, Model, MutexInput, OwnedLock, PoolInput, PoolOutput, PriorityQueue, Queue,
    Stack,
};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use rand::{Rng, RngExt};
use std::collections::BTreeMap;

/// Verdicts and algorithms seen in one test.
#[derive(Default, Debug)]
struct Tally {
    verdicts: [u64; 2],
    algorithms: BTreeMap<String, u64>,
}

impl Tally {
    fn compare<M: Model>(
        &mut self,
        model: &M,
        calls: &[Call<M::Input, M::Output>],
        kind: ModelKind,
        history: &History,
    ) {
        let expected = oracle(model, calls);
        let options = Options { threads: 1, ..Options::default() };
        let report = check(history, kind, &options);
        let valid = if expected { Valid::True } else { Valid::False };
        assert_eq!(report.valid, valid, "{kind} {:?}{}", report.why, show(calls));
        assert_eq!(report.anomalies.len(), usize::from(!expected), "evidence{}", show(calls));
        self.verdicts[usize::from(expected)] += 1;
        for (name, _) in report.details["algorithms"].as_object().expect("counts") {
            *self.algorithms.entry(name.clone()).or_default() += 1;
        }
    }

    /// Asserts that both verdicts are common, and that few histories needed the search.
    fn balanced(&self, search_at_most: f64) {
        let all: u64 = self.verdicts.iter().sum();
        assert!(self.verdicts.iter().all(|count| *count > all / 20), "{self:?}");
        let searched = self.algorithms.get("search").copied().unwrap_or(0);
        assert!(searched as f64 <= search_at_most * all as f64, "{self:?}");
    }
}

fn shape(rng: &mut impl Rng, calls: usize, crashes: bool) -> Shape {
    let crash_rate = if crashes { [0.2, 0.5][rng.random_range(0..2)] } else { 0.0 };
    Shape {
        clients: rng.random_range(1..=4),
        calls: rng.random_range(1..=calls),
        crashed: crash_rate,
    }
}

type PoolCall = Call<PoolInput<i64>, PoolOutput<i64>>;

/// A small run of a container with unique items, with some answers falsified.
fn pool(
    rng: &mut impl Rng,
    crashes: bool,
    peeks: bool,
    take: impl Fn(&mut Vec<i64>) -> Option<i64>,
) -> Vec<PoolCall> {
    let shape = shape(rng, 9, crashes);
    let mut items: Vec<i64> = (1..=9).collect();
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..10) {
        0..=4 => PoolInput::Add(items.swap_remove(rng.random_range(0..items.len()))),
        9 if peeks => PoolInput::Peek,
        _ => PoolInput::Take,
    };
    let mut calls = simulate(rng, shape, Vec::new(), ask, |state, input| match input {
        PoolInput::Add(item) => {
            state.push(*item);
            PoolOutput::Added
        }
        PoolInput::Take => PoolOutput::Item(take(state)),
        PoolInput::Peek => PoolOutput::Item(take(&mut state.clone())),
    });
    if rng.random_bool(0.6) {
        falsify(rng, &mut calls);
    }
    calls
}

/// Swaps the answers of two takes, or changes one.
fn falsify(rng: &mut impl Rng, calls: &mut [PoolCall]) {
    let takes: Vec<usize> = (0..calls.len())
        .filter(|at| matches!(calls[*at].output, Some(PoolOutput::Item(_))))
        .collect();
    if takes.is_empty() {
        return;
    }
    let one = takes[rng.random_range(0..takes.len())];
    let other = takes[rng.random_range(0..takes.len())];
    if one == other || rng.random_bool(0.3) {
        let item = [None, Some(rng.random_range(1..=9))][rng.random_range(0..2)];
        calls[one].output = Some(PoolOutput::Item(item));
    } else {
        let output = calls[one].output.take();
        calls[one].output = calls[other].output.take();
        calls[other].output = output;
    }
}

fn first(items: &mut Vec<i64>) -> Option<i64> {
    (!items.is_empty()).then(|| items.remove(0))
}

fn last(items: &mut Vec<i64>) -> Option<i64> {
    items.pop()
}

fn greatest(items: &mut Vec<i64>) -> Option<i64> {
    let at = (0..items.len()).max_by_key(|at| items[*at])?;
    Some(items.remove(at))
}

/// Runs one kind of container without crashes, with them, and with peeks.
fn containers<M>(model: &M, kind: ModelKind, take: fn(&mut Vec<i64>) -> Option<i64>)
where
    M: Model<Input = PoolInput<i64>, Output = PoolOutput<i64>>,
{
    let (mut sure, mut crashed, mut peeked) =
        (Tally::default(), Tally::default(), Tally::default());
    for seed in 0..rounds(50_000) {
        let mut rng = rng(seed);
        let (tally, crashing, peeks) = match seed % 10 {
            0..5 => (&mut sure, false, false),
            5..9 => (&mut crashed, true, false),
            _ => (&mut peeked, false, true),
        };
        let calls = pool(&mut rng, crashing, peeks, take);
        let history = record(&calls, |_| None, record_pool);
        tally.compare(model, &calls, kind, &history);
    }
    sure.balanced(0.0);
    crashed.balanced(0.1);
    peeked.balanced(1.0);
}

#[test]
fn queues() {
    containers(&Queue::new(), ModelKind::Queue, first);
}

#[test]
fn stacks() {
    containers(&Stack::new(), ModelKind::Stack, last);
}

#[test]
fn priority_queues() {
    containers(&PriorityQueue::new(), ModelKind::PriorityQueue, greatest);
}

/// A run with one element of a set.
fn element(rng: &mut impl Rng) -> Vec<Call<MembershipInput, MembershipOutput>> {
    use MembershipInput::{Add, Contains, Remove};
    use MembershipOutput::{Absent, Done, Present};
    let crashes = rng.random_bool(0.3);
    let shape = shape(rng, 7, crashes);
    let tells = rng.random_bool(0.8);
    let (mut adds, mut removes) = if rng.random_bool(0.8) { (1, 1) } else { (9, 9) };
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..4) {
        0 if adds > 0 => {
            adds -= 1;
            Add
        }
        1 if removes > 0 => {
            removes -= 1;
            Remove
        }
        _ => Contains,
    };
    let mut calls = simulate(rng, shape, false, ask, |state, input| {
        let was = *state;
        match input {
            Add => *state = true,
            Remove => *state = false,
            Contains => {}
        }
        match was {
            _ if !tells && *input != Contains => Done,
            true => Present,
            false => Absent,
        }
    });
    for call in &mut calls {
        if rng.random_bool(0.1) {
            call.output = call.output.map(|output| match output {
                Present => Absent,
                Absent => Present,
                Done => Done,
            });
        }
    }
    calls
}

#[test]
fn sets() {
    use MembershipInput::{Add, Contains, Remove};
    use MembershipOutput::{Absent, Done, Present};
    let mut tally = Tally::default();
    for seed in 0..rounds(50_000) {
        let calls = element(&mut rng(seed));
        let history = record(
            &calls,
            |_| None,
            |input, output| {
                let (f, changes) = match input {
                    Add => ("add", Some(Absent)),
                    Remove => ("remove", Some(Present)),
                    Contains => ("contains", Some(Present)),
                };
                let told = match output {
                    Some(Done) | None => Value::Int(7),
                    other => {
                        Value::from(vec![Value::Int(7), Value::Bool(other == changes.as_ref())])
                    }
                };
                Recorded::ok(f, Value::Int(7), told)
            },
        );
        tally.compare(&Membership, &calls, ModelKind::Set, &history);
    }
    tally.balanced(0.6);
}

/// A run of a list, or of a set that is read whole.
fn lists(rng: &mut impl Rng, writes: bool) -> Vec<Call<ListInput<i64>, ListOutput<i64>>> {
    let crashes = rng.random_bool(0.5);
    let shape = shape(rng, 7, crashes);
    let mut fresh = 0;
    let repeats = rng.random_bool(0.1);
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..5) {
        0 if writes => {
            fresh += 2;
            ListInput::Write(vec![fresh - 1, fresh])
        }
        0..=1 => ListInput::Read,
        2..=3 => {
            fresh += 1;
            ListInput::Append(fresh)
        }
        _ if repeats => ListInput::Append(1),
        _ => ListInput::Read,
    };
    let mut calls = simulate(rng, shape, Vec::new(), ask, |state: &mut Vec<i64>, input| {
        match input {
            ListInput::Append(element) => state.push(*element),
            ListInput::Write(list) => state.clone_from(list),
            ListInput::Read => return ListOutput::Seen(state.clone()),
        }
        ListOutput::Done
    });
    for call in &mut calls {
        if let Some(ListOutput::Seen(list)) = &mut call.output
            && rng.random_bool(0.2)
        {
            match rng.random_range(0..3) {
                0 => drop(list.pop()),
                1 => list.push(rng.random_range(1..=fresh.max(1))),
                _ if list.len() > 1 => list.swap(0, 1),
                _ => {}
            }
        }
    }
    calls
}

fn record_list(
    input: &ListInput<i64>,
    output: Option<&ListOutput<i64>>,
    add: &'static str,
) -> Recorded {
    let list =
        |list: &Vec<i64>| Value::from(list.iter().map(|n| Value::Int(*n)).collect::<Vec<_>>());
    match (input, output) {
        (ListInput::Append(element), _) => {
            Recorded::ok(add, Value::Int(*element), Value::Int(*element))
        }
        (ListInput::Write(new), _) => Recorded::ok("write", list(new), list(new)),
        (ListInput::Read, Some(ListOutput::Seen(seen))) => {
            Recorded::ok("read", Value::Null, list(seen))
        }
        (ListInput::Read, _) => Recorded::ok("read", Value::Null, Value::Null),
    }
}

#[test]
fn append_lists() {
    let mut tally = Tally::default();
    for seed in 0..rounds(50_000) {
        let calls = lists(&mut rng(seed), seed % 2 == 0);
        let history =
            record(&calls, |_| None, |input, output| record_list(input, output, "append"));
        tally.compare(&AppendList::new(), &calls, ModelKind::AppendList, &history);
    }
    tally.balanced(0.1);
}

/// A set that only grows, as a sorted list.
struct GrowOnly;

impl Model for GrowOnly {
    type State = Vec<i64>;
    type Input = ListInput<i64>;
    type Output = ListOutput<i64>;
    type Next = Option<Vec<i64>>;

    fn initial(&self) -> Vec<i64> {
        Vec::new()
    }

    fn step(
        &self,
        state: &Vec<i64>,
        input: &ListInput<i64>,
        output: Option<&ListOutput<i64>>,
    ) -> Option<Vec<i64>> {
        let mut set = state.clone();
        match (input, output) {
            (ListInput::Append(element), _) if set.contains(element) => {}
            (ListInput::Append(element), _) => set.push(*element),
            (ListInput::Write(_), _) => return None,
            (ListInput::Read, Some(ListOutput::Seen(seen))) => {
                let mut seen = seen.clone();
                seen.sort_unstable();
                return (seen == set).then_some(set);
            }
            (ListInput::Read, _) => {}
        }
        set.sort_unstable();
        Some(set)
    }
}

/// A run of a set that only grows, in which elements may be added again, with some answers
/// falsified.
fn growing(rng: &mut impl Rng) -> Vec<Call<ListInput<i64>, ListOutput<i64>>> {
    let crashes = rng.random_bool(0.5);
    let shape = shape(rng, 8, crashes);
    let elements = rng.random_range(1..=8);
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..5) {
        0..=2 => ListInput::Append(rng.random_range(1..=elements)),
        _ => ListInput::Read,
    };
    let mut calls = simulate(rng, shape, Vec::new(), ask, |state: &mut Vec<i64>, input| {
        match input {
            ListInput::Append(element) if !state.contains(element) => state.push(*element),
            ListInput::Read => return ListOutput::Seen(state.clone()),
            _ => {}
        }
        ListOutput::Done
    });
    for call in &mut calls {
        if let Some(ListOutput::Seen(set)) = &mut call.output
            && rng.random_bool(0.15)
        {
            if rng.random_bool(0.5) {
                set.pop();
            } else {
                set.push(rng.random_range(1..=elements));
            }
        }
    }
    calls
}

#[test]
fn sets_that_only_grow() {
    let mut tally = Tally::default();
    for seed in 0..rounds(50_000) {
        let calls = growing(&mut rng(seed));
        let history = record(&calls, |_| None, |input, output| record_list(input, output, "add"));
        tally.compare(&GrowOnly, &calls, ModelKind::GrowOnlySet, &history);
    }
    tally.balanced(0.0);
}

/// A run of a counter, with some answers falsified; all steps are `sizes[0]` or any of `sizes`.
fn counter(rng: &mut impl Rng, sizes: &[i64]) -> Vec<Call<CounterInput, Option<i64>>> {
    let crashes = rng.random_bool(0.5);
    let shape = shape(rng, 8, crashes);
    let ask = |rng: &mut dyn Rng, _| match rng.random_range(0..5) {
        0..=2 => CounterInput::Add(sizes[rng.random_range(0..sizes.len())]),
        _ => CounterInput::Read,
    };
    let mut calls = simulate(rng, shape, 0, ask, |state: &mut i64, input| match input {
        CounterInput::Add(delta) => {
            *state += delta;
            None
        }
        CounterInput::Read => Some(*state),
    });
    for call in &mut calls {
        if let Some(Some(value)) = &mut call.output
            && rng.random_bool(0.15)
        {
            *value += rng.random_range(-2..=2);
        }
    }
    calls
}

fn record_counter(input: &CounterInput, output: Option<&Option<i64>>) -> Recorded {
    match input {
        CounterInput::Add(delta) => Recorded::ok("add", Value::Int(*delta), Value::Int(*delta)),
        CounterInput::Read => {
            let seen = output.copied().flatten().map_or(Value::Null, Value::Int);
            Recorded::ok("read", Value::Null, seen)
        }
    }
}

#[test]
fn counters() {
    let (mut equal, mut mixed) = (Tally::default(), Tally::default());
    for seed in 0..rounds(50_000) {
        let (tally, sizes): (_, &[i64]) = match seed % 6 {
            0..3 => (&mut equal, &[1]),
            3 => (&mut equal, &[-1]),
            4 => (&mut equal, &[2]),
            _ => (&mut mixed, &[1, 2, -1]),
        };
        let calls = counter(&mut rng(seed), sizes);
        let history = record(&calls, |_| None, record_counter);
        tally.compare(&Counter, &calls, ModelKind::Counter, &history);
    }
    equal.balanced(0.0);
    mixed.balanced(1.0);
}

#[test]
fn locks_with_owners() {
    let mut tally = Tally::default();
    for seed in 0..rounds(50_000) {
        let mut rng = rng(seed);
        let crashes = rng.random_bool(0.3);
        let shape = shape(&mut rng, 8, crashes);
        let mut holds = vec![false; shape.clients];
        let ask = |rng: &mut dyn Rng, at: usize| {
            let mut release = holds[at];
            if rng.random_bool(0.05) {
                release = !release;
            }
            holds[at] = !release;
            let input = if release { MutexInput::Release } else { MutexInput::Acquire };
            (0u64, input)
        };
        let mut calls = simulate(&mut rng, shape, (), ask, |(), _| ());
        for call in &mut calls {
            call.input.0 = call.process;
        }
        let history = record(
            &calls,
            |_| None,
            |(_, input), _| {
                let f = if *input == MutexInput::Acquire { "acquire" } else { "release" };
                Recorded {
                    f,
                    input: Value::Null,
                    kind: EventType::Ok,
                    output: Value::Null,
                    error: None,
                }
            },
        );
        tally.compare(&OwnedLock, &calls, ModelKind::OwnedLock, &history);
    }
    tally.balanced(0.3);
}
