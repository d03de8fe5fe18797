//! The edges next to all serial orders of small random tables.

use super::*;
use crate::transactions::graph::Why;
use crate::transactions::{Options, Session, Workload, check_table};
use crate::value::Value;
use crate::verdict::Valid;
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

/// What a database is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Its transactions run one after the other, but some see an old state, and some another one
    /// with each step.
    Sloppy,
    /// The same; each row changes once and all outcomes are known.
    Once,
    /// Each sees one state, and writes only what nobody has changed since.
    Snapshots,
}

struct Database<'r> {
    kind: Kind,
    rng: &'r mut ChaCha8Rng,
    table: Table,
    /// What was there after each transaction that took effect.
    states: Vec<State>,
    /// The last state that each row changed with.
    changed: BTreeMap<KeyId, usize>,
    fresh: i64,
}

/// A table of such a database.
fn random(rng: &mut ChaCha8Rng, kind: Kind) -> Table {
    let mut table = Table::default();
    let session = table.add_session(0);
    table.begin(session, Outcome::Ok, None, None);
    let (states, changed) = (vec![State::new()], BTreeMap::new());
    let mut database = Database { kind, rng, table, states, changed, fresh: 0 };
    for row in 0..KEYS {
        if database.rng.random() {
            let value = database.value();
            let key = key(&mut database.table, row);
            database.table.push(key, Action::Init(value));
            database.states[0].insert(key, value);
        }
    }
    for _ in 0..database.rng.random_range(2..5) {
        database.transaction();
    }
    database.table
}

impl Database<'_> {
    fn value(&mut self) -> ValueId {
        self.fresh += 1;
        self.table.value_id(&Value::Int(self.fresh - 1))
    }

    fn transaction(&mut self) {
        let outcome = match self.rng.random_range(0..8) {
            0 => Outcome::Fail,
            1 if self.kind != Kind::Once => Outcome::Info,
            _ => Outcome::Ok,
        };
        let txn = self.table.begin(Session(0), outcome, None, None);
        let torn = self.kind != Kind::Snapshots && self.rng.random_range(0..4) == 0;
        let last = self.states.len() - 1;
        let stale = self.rng.random_range(0..if self.kind == Kind::Snapshots { 2 } else { 3 }) == 0;
        let mut from = if stale { self.rng.random_range(0..=last) } else { last };
        for _ in 0..self.rng.random_range(1..4) {
            from = if torn { self.rng.random_range(0..=last) } else { from };
            self.step(txn, from);
        }
        if outcome != Outcome::Fail {
            let next = apply_writes(&self.table, txn, &self.states[last]);
            self.states.push(next);
            for op in self.table.ops(txn).iter().filter(|op| is_write(op.action)) {
                self.changed.insert(op.key, last + 1);
            }
        }
    }

    fn step(&mut self, txn: TxnId, from: usize) {
        let seen = apply_writes(&self.table, txn, &self.states[from]);
        let row = self.rng.random_range(0..KEYS);
        let id = key(&mut self.table, row);
        let written =
            self.table.all_ops().iter().any(|op| {
                op.key == id && is_write(op.action) && !matches!(op.action, Action::Init(_))
            });
        let changed = self.changed.get(&id).copied().unwrap_or(0);
        let may = match self.kind {
            Kind::Sloppy => true,
            Kind::Once => !written,
            Kind::Snapshots => changed <= from,
        };
        match self.rng.random_range(0..6) {
            0 | 1 => {
                let asked = predicate(self.rng);
                let predicate = Predicate::of(&asked).unwrap();
                let all = seen.iter().filter(|row| predicate.matches(self.table.value(*row.1)));
                let rows: Vec<_> = all.map(|(key, value)| (*key, *value)).collect();
                let id = self.table.key_id(&Value::list([Value::str("rp"), asked]));
                let rows = self.table.add_rows(rows);
                self.table.push(id, Action::ReadWhere(rows));
            }
            2 => {
                let value = seen.get(&id).copied().unwrap_or(ValueId::NIL);
                self.table.push(id, Action::Read(value));
            }
            kind @ (3 | 4) if may => {
                let value = self.value();
                let insert = kind == 3 && !seen.contains_key(&id);
                let write = if insert { Action::Insert(value) } else { Action::Write(value) };
                self.table.push(id, write);
            }
            5 if may => self.table.push(id, Action::Delete),
            _ => {}
        }
    }
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
        let table = random(&mut rng, Kind::Sloppy);
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

fn judged(table: &Table, model: &str) -> crate::verdict::CheckerReport {
    let options = Options {
        workload: Some(Workload::ClosedPredicate),
        models: vec![model.parse().unwrap()],
        ..Options::default()
    };
    check_table(table, &options)
}

/// Where each row changes once and all outcomes are known, everything is inferred.
#[test]
fn a_table_without_anomalies_has_a_serial_order() {
    let mut counts = [0_u64; 2];
    for seed in 0..histories() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let table = random(&mut rng, Kind::Once);
        let expected = !orders(&table).is_empty();
        let report = judged(&table, "serializable");
        let found = report.valid != Valid::False;
        let words: Vec<String> = (0..table.len() as u32).map(|txn| table.who(txn)).collect();
        assert_eq!(expected, found, "seed {seed}: {words:#?} {report:#?}");
        counts[usize::from(found)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 100), "both verdicts must come up: {counts:?}");
}

/// Snapshots are never accused of what they rule out, and show what they allow.
#[test]
fn snapshots_show_write_skew_and_nothing_worse() {
    let mut skews = 0;
    for seed in 0..histories() {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let table = random(&mut rng, Kind::Snapshots);
        let report = judged(&table, "snapshot-isolation");
        let words: Vec<String> = (0..table.len() as u32).map(|txn| table.who(txn)).collect();
        assert!(report.valid != Valid::False, "seed {seed}: {words:#?} {report:#?}");
        let found = report.details["found"].as_object().unwrap();
        skews += u64::from(found.contains_key("G2"));
    }
    assert!(skews > histories() / 500, "only {skews} through a predicate");
}
