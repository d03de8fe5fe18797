//! All orders of a few transactions, tried one after the other.

use super::database::Load;
use quorate_checkers::history::{EventType, History};
use quorate_checkers::transactions::Workload;
use quorate_checkers::value::Value;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// A transaction as the oracle sees it.
#[derive(Clone, Debug)]
pub(crate) struct Txn {
    pub(crate) process: String,
    pub(crate) begin: u32,
    /// The end, if it is known to have committed.
    pub(crate) end: Option<u32>,
    pub(crate) ops: Vec<Op>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    /// What it must see, if that is known.
    Read(i64, Option<Vec<i64>>),
    Write(i64, i64),
}

/// Which order must be kept besides the data's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Any,
    Sessions,
    Realtime,
}

type State = BTreeMap<i64, Vec<i64>>;

/// The transactions that may have committed.
pub(crate) fn transactions(history: &History, workload: Workload) -> Vec<Txn> {
    let ops = history.ops().filter(|op| op.outcome != EventType::Fail);
    ops.map(|op| {
        let ok = op.output();
        let items = ok.unwrap_or(op.input()).as_list().unwrap_or_default();
        Txn {
            process: op.process().to_string(),
            begin: op.invoke.index.0,
            end: ok.and(op.complete).map(|event| event.index.0),
            ops: items.iter().map(|item| parse(item, ok.is_some(), workload)).collect(),
        }
    })
    .collect()
}

fn parse(item: &Value, known: bool, workload: Workload) -> Op {
    let parts = item.as_list().unwrap_or_default();
    let int = |value: &Value| value.as_int().unwrap_or_default();
    if parts[0].as_str() != Some("r") {
        return Op::Write(int(&parts[1]), int(&parts[2]));
    }
    let seen = match (&parts[2], workload) {
        (Value::Null, _) => Vec::new(),
        (Value::List(items), _) => items.iter().map(int).collect(),
        (one, _) => vec![int(one)],
    };
    Op::Read(int(&parts[1]), known.then_some(seen))
}

fn must_precede(a: &Txn, b: &Txn, order: Order) -> bool {
    let ended = a.end.is_some_and(|end| end < b.begin);
    match order {
        Order::Any => false,
        Order::Sessions => ended && a.process == b.process,
        Order::Realtime => ended,
    }
}

/// What the database holds after a transaction that runs on `state`; nothing if it would have
/// seen something else.
fn apply(txn: &Txn, state: &State, lists: bool) -> Option<State> {
    let mut state = state.clone();
    for op in &txn.ops {
        match op {
            Op::Read(key, Some(seen)) => {
                if state.get(key).map_or(&[][..], Vec::as_slice) != seen {
                    return None;
                }
            }
            Op::Read(_, None) => {}
            Op::Write(key, value) => {
                let versions = state.entry(*key).or_default();
                if !lists {
                    versions.clear();
                }
                versions.push(*value);
            }
        }
    }
    Some(state)
}

/// Whether some order of all that committed, and of some that may have, explains all reads.
pub(crate) fn is_serializable(txns: &[Txn], order: Order, lists: bool) -> bool {
    fn go(txns: &[Txn], left: &mut Vec<usize>, state: &State, order: Order, lists: bool) -> bool {
        if left.iter().all(|at| txns[*at].end.is_none()) {
            return true;
        }
        for place in 0..left.len() {
            let at = left[place];
            if left
                .iter()
                .any(|other| *other != at && must_precede(&txns[*other], &txns[at], order))
            {
                continue;
            }
            let Some(next) = apply(&txns[at], state, lists) else { continue };
            left.remove(place);
            let found = go(txns, left, &next, order, lists);
            left.insert(place, at);
            if found {
                return true;
            }
        }
        false
    }
    go(txns, &mut (0..txns.len()).collect(), &State::new(), order, lists)
}

/// Whether some order of commits, with a snapshot for each transaction, explains all reads, and
/// nobody wrote what a transaction writes between its snapshot and its commit.
pub(crate) fn is_snapshot(txns: &[Txn], order: Order, lists: bool) -> bool {
    let mut states = vec![State::new()];
    let mut done = Vec::new();
    commit_next(txns, &mut done, &mut states, order, lists)
}

fn commit_next(
    txns: &[Txn],
    done: &mut Vec<usize>,
    states: &mut Vec<State>,
    order: Order,
    lists: bool,
) -> bool {
    let left: Vec<usize> = (0..txns.len()).filter(|at| !done.contains(at)).collect();
    if left.iter().all(|at| txns[*at].end.is_none()) {
        return true;
    }
    for at in left.iter().copied() {
        let txn = &txns[at];
        if left.iter().any(|other| *other != at && must_precede(&txns[*other], txn, order)) {
            continue;
        }
        let writes = |txn: &Txn, key: i64| {
            txn.ops.iter().any(|op| matches!(op, Op::Write(written, _) if *written == key))
        };
        let clashes = |other: &Txn| {
            txn.ops.iter().any(|op| matches!(op, Op::Write(key, _) if writes(other, *key)))
        };
        // The snapshot holds the first so many commits.
        for snapshot in (0..states.len()).rev() {
            let early = &done[snapshot..];
            if early
                .iter()
                .any(|other| clashes(&txns[*other]) || must_precede(&txns[*other], txn, order))
            {
                break;
            }
            if apply(txn, &states[snapshot], lists).is_none() {
                continue;
            }
            let mut next = states[states.len() - 1].clone();
            for op in &txn.ops {
                if let Op::Write(key, value) = op {
                    let versions = next.entry(*key).or_default();
                    if !lists {
                        versions.clear();
                    }
                    versions.push(*value);
                }
            }
            states.push(next);
            done.push(at);
            let found = commit_next(txns, done, states, order, lists);
            done.pop();
            states.pop();
            if found {
                return true;
            }
            break; // Another snapshot leads to the same states.
        }
    }
    false
}

/// A model by who is visible to whom (Cerone, Bernardi and Gotsman, CONCUR 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Visible {
    /// Who sees a transaction sees all that it saw.
    pub(crate) transitive: bool,
    /// Who sees a transaction sees all before it in the one order.
    pub(crate) prefix: bool,
    /// Of two that write one key the later sees the earlier.
    pub(crate) no_conflict: bool,
}

/// Whether lists fit the oracle of visibility: few transactions, all of which committed, and none
/// reads a key that it has written or writes one twice.
pub(crate) fn is_plain(txns: &[Txn]) -> bool {
    let plain = |txn: &Txn| {
        let mut written = Vec::new();
        txn.ops.iter().all(|op| match op {
            Op::Read(key, _) => !written.contains(key),
            Op::Write(key, _) => {
                let new = !written.contains(key);
                written.push(*key);
                new
            }
        })
    };
    txns.len() <= 4 && txns.iter().all(|txn| txn.end.is_some() && plain(txn))
}

/// Whether there is an order of transactions, and for each a set of earlier ones that it sees, so
/// that each read finds its list as the last of these who wrote it left it.
pub(crate) fn is_visible(txns: &[Txn], model: Visible) -> bool {
    fn orders(txns: &[Txn], order: &mut Vec<usize>, seen: &mut Vec<u32>, model: Visible) -> bool {
        if order.len() == txns.len() {
            return true;
        }
        for at in (0..txns.len()).filter(|at| !order.contains(at)).collect::<Vec<_>>() {
            for sees in 0..1_u32 << order.len() {
                if !fits(txns, order, seen, &txns[at], sees, model) {
                    continue;
                }
                order.push(at);
                seen.push(sees);
                let found = orders(txns, order, seen, model);
                order.pop();
                seen.pop();
                if found {
                    return true;
                }
            }
        }
        false
    }
    orders(txns, &mut Vec::new(), &mut Vec::new(), model)
}

/// Whether the next transaction of an order can see just these earlier ones, by their places.
fn fits(
    txns: &[Txn],
    order: &[usize],
    seen: &[u32],
    next: &Txn,
    sees: u32,
    model: Visible,
) -> bool {
    let is_seen = |place: &usize| sees & 1 << place != 0;
    let writes = |place: usize, key: i64| {
        let written = |op: &Op| matches!(op, Op::Write(written, _) if *written == key);
        txns[order[place]].ops.iter().any(written)
    };
    let reads_fit = next.ops.iter().all(|op| {
        let Op::Read(key, Some(list)) = op else { return true };
        let last = (0..order.len()).rev().find(|at| is_seen(at) && writes(*at, *key));
        let until = last.map_or(0, |at| at + 1);
        let appended = order[..until].iter().flat_map(|at| &txns[*at].ops);
        let found: Vec<i64> = appended
            .filter_map(|op| match op {
                Op::Write(k, value) if k == key => Some(*value),
                _ => None,
            })
            .collect();
        found == *list
    });
    let written = |op: &Op, place| matches!(op, Op::Write(key, _) if writes(place, *key));
    let conflicts = |place: usize| next.ops.iter().any(|op| written(op, place));
    let places = 0..order.len();
    reads_fit
        && (!model.transitive || places.clone().filter(is_seen).all(|at| seen[at] & !sees == 0))
        && (!model.prefix || (sees + 1).is_power_of_two())
        && (!model.no_conflict || places.clone().all(|at| !conflicts(at) || is_seen(&at)))
}

/// A small load.
pub(crate) fn small(rng: &mut ChaCha8Rng, load: Load) -> Load {
    Load {
        clients: rng.random_range(2..4),
        transactions: rng.random_range(2..6),
        keys: rng.random_range(1..4),
        writes_per_key: 100,
        ops_max: rng.random_range(1..4),
        fail: 100,
        info: 100,
        ..load
    }
}

/// The history with one read changed, as a broken database might: something is missing, added,
/// swapped or from elsewhere.
pub(crate) fn mutate(history: &History, rng: &mut ChaCha8Rng) -> History {
    let mut events = history.events().to_vec();
    let mut reads: Vec<(usize, usize)> = Vec::new();
    for (at, event) in events.iter().enumerate().filter(|(_, e)| e.kind == EventType::Ok) {
        let items = event.value.as_list().unwrap_or_default();
        let is_read =
            |item: &Value| item.as_list().is_some_and(|parts| parts[0].as_str() == Some("r"));
        reads.extend(items.iter().enumerate().filter(|(_, i)| is_read(i)).map(|(i, _)| (at, i)));
    }
    if reads.is_empty() {
        return history.clone();
    }
    let (event, item) = reads[rng.random_range(0..reads.len())];
    let mut items = events[event].value.as_list().unwrap_or_default().to_vec();
    let mut parts = items[item].as_list().unwrap_or_default().to_vec();
    parts[2] = match &parts[2] {
        Value::List(list) => changed(list, rng),
        Value::Int(value) => match rng.random_range(0..3) {
            0 => Value::Null,
            1 => Value::Int(value + 1),
            _ => Value::Int((value - 1).max(1)),
        },
        _ => return history.clone(),
    };
    items[item] = Value::List(parts.into());
    events[event].value = Value::List(items.into());
    History::from_events(events).expect("still well-formed")
}

fn changed(list: &[Value], rng: &mut ChaCha8Rng) -> Value {
    let mut list = list.to_vec();
    let at = rng.random_range(0..list.len());
    match rng.random_range(0..4) {
        0 => {
            list.pop();
        }
        1 => {
            list.remove(at);
        }
        2 => {
            let other = rng.random_range(0..list.len());
            list.swap(at, other);
        }
        _ => list.push(Value::Int(rng.random_range(1..8))),
    }
    if list.is_empty() { Value::Null } else { Value::List(list.into()) }
}
