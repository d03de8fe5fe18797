//! The checker next to all orders of small random histories.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod transactions_support;

use quorate_checkers::history::History;
use quorate_checkers::transactions::{KeyRules, Options, TxnModel, Workload, check};
use quorate_checkers::verdict::Valid;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use transactions_support::database::{Isolation, Load, simulate};
use transactions_support::oracle::{
    Op, Order, Txn, Visible, is_plain, is_serializable, is_snapshot, is_visible, mutate, small,
    transactions,
};

/// How many histories each test tries: more with `QUORATE_NIGHTLY=1`.
fn histories() -> u64 {
    if std::env::var_os("QUORATE_NIGHTLY").is_some() { 100_000 } else { 5_000 }
}

const LEVELS: [Isolation; 5] = [
    Isolation::StrictSerializable,
    Isolation::Serializable,
    Isolation::Snapshot,
    Isolation::ReadCommitted,
    Isolation::ReadUncommitted,
];

fn random(seed: u64, workload: Workload) -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let level = LEVELS[rng.random_range(0..LEVELS.len())];
    let load = Load::new(workload, level, rng.random());
    let history = simulate(small(&mut rng, load));
    if rng.random_range(0..3) == 0 { mutate(&history, &mut rng) } else { history }
}

fn judged(history: &History, workload: Workload, model: &str, keys: KeyRules) -> Valid {
    let options = Options {
        workload: Some(workload),
        models: vec![model.parse::<TxnModel>().unwrap()],
        keys,
        everything: false,
        ..Options::default()
    };
    check(history, &options).valid
}

const SERIAL: [(&str, Order); 3] = [
    ("serializable", Order::Any),
    ("strong-session-serializable", Order::Sessions),
    ("strict-serializable", Order::Realtime),
];

const SNAPSHOT: [(&str, Order); 3] = [
    ("snapshot-isolation", Order::Any),
    ("strong-session-snapshot-isolation", Order::Sessions),
    ("strong-snapshot-isolation", Order::Realtime),
];

/// Whether two transactions wrote a key last that nobody read after: then nobody knows in which
/// order they did, and of two that snapshot isolation must order either order may be wrong.
fn blind(txns: &[Txn]) -> bool {
    let mut unread: BTreeMap<i64, usize> = BTreeMap::new();
    let seen = |key: i64, value: i64| {
        txns.iter().flat_map(|txn| &txn.ops).any(
            |op| matches!(op, Op::Read(read, Some(list)) if *read == key && list.contains(&value)),
        )
    };
    for txn in txns {
        let mut keys: Vec<i64> = txn
            .ops
            .iter()
            .filter_map(|op| match op {
                Op::Write(key, value) if !seen(*key, *value) => Some(*key),
                _ => None,
            })
            .collect();
        keys.dedup();
        for key in keys {
            *unread.entry(key).or_default() += 1;
        }
    }
    unread.values().any(|count| *count > 1)
}

#[test]
fn lists_are_serializable_exactly_if_some_order_explains_them() {
    let mut counts: BTreeMap<(&str, bool), u64> = BTreeMap::new();
    for seed in 0..histories() {
        let history = random(seed, Workload::Append);
        let txns = transactions(&history, Workload::Append);
        for (model, order) in SERIAL {
            let expected = is_serializable(&txns, order, true);
            let found = judged(&history, Workload::Append, model, KeyRules::default());
            assert_eq!(expected, found != Valid::False, "seed {seed}, {model}: {txns:#?}");
            *counts.entry((model, expected)).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), 6, "each verdict must come up: {counts:?}");
}

#[test]
fn lists_are_of_snapshots_exactly_if_some_snapshots_explain_them() {
    let mut counts: BTreeMap<(&str, bool), u64> = BTreeMap::new();
    for seed in 0..histories() {
        let history = random(seed, Workload::Append);
        let txns = transactions(&history, Workload::Append);
        for (model, order) in SNAPSHOT {
            let expected = is_snapshot(&txns, order, true);
            let found = judged(&history, Workload::Append, model, KeyRules::default());
            assert!(!expected || found != Valid::False, "seed {seed}, {model}: {txns:#?}");
            assert!(
                expected || found == Valid::False || blind(&txns),
                "seed {seed}, {model}: {txns:#?}"
            );
            *counts.entry((model, expected)).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), 6, "each verdict must come up: {counts:?}");
}

const NOTHING: Visible = Visible { transitive: false, prefix: false, no_conflict: false };

/// Models that are defined by who sees whom.
const VISIBLE: [(&str, Visible); 5] = [
    ("read-atomic", NOTHING),
    ("update-atomic", Visible { no_conflict: true, ..NOTHING }),
    ("causal-cerone", Visible { transitive: true, ..NOTHING }),
    ("parallel-snapshot-isolation", Visible { transitive: true, no_conflict: true, ..NOTHING }),
    ("prefix", Visible { prefix: true, transitive: true, ..NOTHING }),
];

#[test]
fn models_of_visibility_are_never_misjudged() {
    let (mut counts, mut open) = (BTreeMap::<(&str, Valid), u64>::new(), 0);
    for seed in 0..histories() {
        let history = random(seed, Workload::Append);
        let txns = transactions(&history, Workload::Append);
        if !is_plain(&txns) {
            continue;
        }
        for (model, visible) in VISIBLE {
            let options = Options {
                workload: Some(Workload::Append),
                models: vec![model.parse::<TxnModel>().unwrap()],
                ..Options::default()
            };
            let report = check(&history, &options);
            let found = report.valid;
            open += u64::from(report.why.is_some_and(|why| why.ends_with("known to hold.")));
            let wrong = if is_visible(&txns, visible) { Valid::False } else { Valid::True };
            assert!(
                found != wrong || (found == Valid::True && blind(&txns)),
                "seed {seed}, {model} is {found:?}: {txns:#?}"
            );
            *counts.entry((model, found)).or_default() += 1;
        }
    }
    let mut decided = 0;
    for (model, _) in VISIBLE {
        for valid in [Valid::True, Valid::False] {
            let count = counts.get(&(model, valid)).copied().unwrap_or(0);
            assert!(count > 50, "{model}: {counts:?}");
            decided += count;
        }
    }
    assert!(open > 0 && open * 10 < decided, "{open} open, {decided} decided");
}

#[test]
fn registers_are_never_accused_wrongly() {
    let mut counts: BTreeMap<(&str, Valid), u64> = BTreeMap::new();
    for seed in 0..histories() {
        let history = random(seed, Workload::Register);
        let txns = transactions(&history, Workload::Register);
        let none = KeyRules::default();
        let reads = KeyRules { reads_before_writes: true, ..none };
        let sequential = KeyRules { sequential: true, ..reads };
        let all = KeyRules { linearizable: true, ..sequential };
        // A serial order keeps the rules that it implies for each key.
        let checks = [
            ("serializable", Order::Any, none),
            ("serializable", Order::Any, reads),
            ("strong-session-serializable", Order::Sessions, sequential),
            ("strict-serializable", Order::Realtime, all),
            ("strict-serializable", Order::Realtime, none),
        ];
        for (model, order, keys) in checks {
            let found = judged(&history, Workload::Register, model, keys);
            let expected = is_serializable(&txns, order, false);
            assert!(!expected || found != Valid::False, "seed {seed}, {model} {keys:?}: {txns:#?}");
            *counts.entry((model, found)).or_default() += 1;
        }
        let snapshot = judged(&history, Workload::Register, "snapshot-isolation", reads);
        assert!(
            snapshot != Valid::False || !is_snapshot(&txns, Order::Any, false),
            "seed {seed}: {txns:#?}"
        );
    }
    assert!(counts.len() >= 6, "each verdict must come up: {counts:?}");
}
