//! The edges next to all serial orders of small random tables.

use super::*;
use crate::transactions::Session;
use crate::transactions::graph::Why;
use crate::value::Value;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// The value of each row that is there.
type State = BTreeMap<KeyId, ValueId>;

const KEYS: i64 = 3;

/// What a transaction leaves; nothing if it would have seen something else in this state.
fn apply(table: &Table, txn: u32, state: &State) -> Option<State> {
    let mut state = state.clone();
    for op in table.ops(TxnId(txn)) {
        let there = state.get(&op.key).copied();
        match op.action {
            Action::Insert(_) if there.is_some() => return None,
            Action::Init(value) | Action::Write(value) | Action::Insert(value) => {
                state.insert(op.key, value);
            }
            Action::Delete => {
                state.remove(&op.key);
            }
            Action::Read(value) if there.unwrap_or(ValueId::NIL) != value => return None,
            Action::ReadWhere(rows) => {
                let predicate = Predicate::of(predicate_of(table.key(op.key))).unwrap();
                let matching = state.iter().filter(|row| predicate.matches(table.value(*row.1)));
                let found: State = matching.map(|(key, value)| (*key, *value)).collect();
                if found != table.rows(rows).iter().copied().collect() {
                    return None;
                }
            }
            _ => {}
        }
    }
    Some(state)
}

/// All serial orders that explain all reads: what is known to have committed and maybe more. The
/// first transaction, which says what was there, comes first.
fn orders(table: &Table) -> Vec<Vec<u32>> {
    fn go(table: &Table, order: &mut Vec<u32>, state: &State, all: &mut Vec<Vec<u32>>) {
        let outcome = |txn: u32| table.txns()[txn as usize].outcome;
        let left: Vec<u32> = (0..table.len() as u32)
            .filter(|txn| !order.contains(txn) && outcome(*txn) != Outcome::Fail)
            .collect();
        if left.iter().all(|txn| outcome(*txn) == Outcome::Info) {
            all.push(order.clone());
        }
        for txn in left {
            if order.is_empty() && txn != 0 {
                break;
            }
            if let Some(next) = apply(table, txn, state) {
                order.push(txn);
                go(table, order, &next, all);
                order.pop();
            }
        }
    }
    let mut all = Vec::new();
    go(table, &mut Vec::new(), &State::new(), &mut all);
    all
}

fn key(table: &mut Table, key: i64) -> KeyId {
    table.key_id(&Value::Int(key))
}

fn predicate(rng: &mut ChaCha8Rng) -> Value {
    let number = |rng: &mut ChaCha8Rng, most: i64| Value::Int(rng.random_range(0..most));
    match rng.random_range(0..3) {
        0 => Value::Bool(true),
        1 => Value::list([Value::str("="), number(rng, 6)]),
        _ => Value::list([Value::str("mod"), Value::Int(2), number(rng, 2)]),
    }
}

/// A table of a database whose transactions run one after the other, but some see an old state, and
/// some another one with each step.
fn random(rng: &mut ChaCha8Rng, once: bool) -> Table {
    let mut table = Table::default();
    let session = table.add_session(0);
    table.begin(session, Outcome::Ok, None, None);
    let mut state = State::new();
    let mut mutated = vec![false; KEYS as usize];
    let mut fresh = 0;
    for row in 0..KEYS {
        if rng.random() {
            let (key, value) = (key(&mut table, row), table.value_id(&Value::Int(fresh)));
            table.push(key, Action::Init(value));
            state.insert(key, value);
            fresh += 1;
        }
    }
    // Each runs in the state that some earlier ones left.
    let mut states = vec![state];
    for _ in 0..rng.random_range(2..5) {
        let outcome = match rng.random_range(0..8) {
            0 => Outcome::Fail,
            1 if !once => Outcome::Info,
            _ => Outcome::Ok,
        };
        let txn = table.begin(Session(0), outcome, None, None);
        let (stale, torn) = (rng.random_range(0..3) == 0, rng.random_range(0..4) == 0);
        let some = |rng: &mut ChaCha8Rng| rng.random_range(0..states.len());
        let mut from = if stale { some(rng) } else { states.len() - 1 };
        for _ in 0..rng.random_range(1..4) {
            from = if torn { some(rng) } else { from };
            let seen = apply_writes(&table, txn, &states[from]);
            let row = rng.random_range(0..KEYS);
            let id = key(&mut table, row);
            let mut may = || !once || !std::mem::replace(&mut mutated[row as usize], true);
            match rng.random_range(0..6) {
                0 | 1 => {
                    let asked = predicate(rng);
                    let predicate = Predicate::of(&asked).unwrap();
                    let all = seen.iter().filter(|row| predicate.matches(table.value(*row.1)));
                    let rows: Vec<_> = all.map(|(key, value)| (*key, *value)).collect();
                    let id = table.key_id(&Value::list([Value::str("rp"), asked]));
                    let rows = table.add_rows(rows);
                    table.push(id, Action::ReadWhere(rows));
                }
                2 => {
                    let value = seen.get(&id).copied().unwrap_or(ValueId::NIL);
                    table.push(id, Action::Read(value));
                }
                kind @ (3 | 4) if may() => {
                    let value = table.value_id(&Value::Int(fresh));
                    fresh += 1;
                    let insert = kind == 3 && !seen.contains_key(&id);
                    table.push(
                        id,
                        if insert { Action::Insert(value) } else { Action::Write(value) },
                    );
                }
                5 if may() => table.push(id, Action::Delete),
                _ => {}
            }
        }
        if outcome != Outcome::Fail {
            let last = &states[states.len() - 1];
            let next = apply_writes(&table, txn, last);
            states.push(next);
        }
    }
    table
}

/// What a transaction leaves whatever it saw.
fn apply_writes(table: &Table, txn: TxnId, state: &State) -> State {
    let mut state = state.clone();
    for op in table.ops(txn) {
        match op.action {
            Action::Init(value) | Action::Write(value) | Action::Insert(value) => {
                state.insert(op.key, value);
            }
            Action::Delete => {
                state.remove(&op.key);
            }
            _ => {}
        }
    }
    state
}

fn histories() -> u64 {
    if std::env::var_os("QUORATE_NIGHTLY").is_some() { 100_000 } else { 5_000 }
}

/// Nothing is claimed of a table that some serial order explains but what holds in all such orders.
#[test]
fn each_edge_holds_in_all_serial_orders() {
    let mut counts: BTreeMap<Why, u64> = BTreeMap::new();
    let mut serial = 0;
    for seed in 0..histories() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let table = random(&mut rng, false);
        let orders = orders(&table);
        if orders.is_empty() {
            continue;
        }
        serial += 1;
        let universe = infer(&table, false, &Stop::when(&|| false));
        let found = &universe.findings;
        assert!(found.list.is_empty() && found.broken.is_empty(), "seed {seed}: {found:#?}");
        for key in &universe.rows {
            universe
                .writes_of(*key, &mut |link| check_link(seed, &table, &orders, link, &mut counts));
        }
        for txn in (0..table.len() as u32).filter(|txn| universe.committed.contains(*txn)) {
            let all = orders.iter().all(|order| order.contains(&txn));
            assert!(all, "seed {seed}: {txn} need not have committed");
            universe.reads_of(&table, txn, &mut |link| {
                check_link(seed, &table, &orders, link, &mut counts);
            });
        }
    }
    assert!(serial > histories() / 10, "only {serial} are serializable");
    assert_eq!(counts.len(), 5, "each reason must come up: {counts:?}");
}

fn check_link(
    seed: u64,
    table: &Table,
    orders: &[Vec<u32>],
    link: links::Link,
    counts: &mut BTreeMap<Why, u64>,
) {
    let place = |order: &[u32], txn: u32| order.iter().position(|other| *other == txn);
    for order in orders {
        let (a, b) = (place(order, link.source), place(order, link.target));
        let words: Vec<String> = order.iter().map(|txn| table.who(*txn)).collect();
        assert!(a.is_some() && a < b, "seed {seed}: {link:?} but {words:#?}");
    }
    *counts.entry(link.why).or_default() += 1;
}

/// Where each row changes once and all outcomes are known, everything is inferred.
#[test]
fn a_table_without_anomalies_has_a_serial_order() {
    let mut counts = [0_u64; 2];
    for seed in 0..histories() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let table = random(&mut rng, true);
        let expected = !orders(&table).is_empty();
        let model = "serializable".parse().unwrap();
        let options = crate::transactions::Options {
            workload: Some(crate::transactions::Workload::ClosedPredicate),
            models: vec![model],
            ..crate::transactions::Options::default()
        };
        let report = crate::transactions::check_table(&table, &options);
        let found = report.valid != crate::verdict::Valid::False;
        let words: Vec<String> = (0..table.len() as u32).map(|txn| table.who(txn)).collect();
        assert_eq!(expected, found, "seed {seed}: {words:#?} {report:#?}");
        counts[usize::from(found)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 100), "both verdicts must come up: {counts:?}");
}
