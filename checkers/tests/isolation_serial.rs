//! Serializability and snapshot isolation: against all orders, and on others' histories.

mod isolation_support;

use isolation_support::cases::{below, folder};
use isolation_support::oracle::{self, Kept};
use isolation_support::random::{Shape, history, show, table};
use quorate_checkers::history::History;
use quorate_checkers::transactions::Table;
use quorate_checkers::transactions::registers::Registers;
use quorate_checkers::transactions::serial::{Model, Options, check};
use quorate_checkers::verdict::Valid;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Compares with all orders of small histories; how many had one and how many had none, a model.
fn compare(seed: u64, rounds: usize, values: Option<i64>) -> [[u32; 2]; 5] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut seen = [[0_u32; 2]; 5];
    for round in 0..rounds {
        let shape = Shape {
            txns: 5,
            sessions: 1 + round % 4,
            keys: 1 + (round % 3) as i64,
            ops: 4,
            values,
            uncertain: (round % 2 == 0).then_some(4),
            wild: 2 + (round % 9) as u32,
        };
        let txns = history(&mut rng, &shape);
        let table = table(&txns);
        let registers = Registers::new(&table);
        for model in Model::ALL {
            let found = check(&registers, model, &Options::default());
            let expected = match model {
                Model::SnapshotIsolation => oracle::snapshot_isolated(&txns, Kept::Nothing),
                Model::SessionSnapshotIsolation => oracle::snapshot_isolated(&txns, Kept::Sessions),
                Model::Serializable => oracle::serializable(&txns, Kept::Nothing),
                Model::SessionSerializable => oracle::serializable(&txns, Kept::Sessions),
                Model::StrictSerializable => oracle::serializable(&txns, Kept::RealTime),
            };
            let valid = if expected { Valid::True } else { Valid::False };
            assert_eq!(found.valid(), valid, "{} {found:?}{}", model.name(), show(&txns));
            seen[model as usize][usize::from(expected)] += 1;
        }
    }
    seen
}

/// How many histories each test tries: more with `QUORATE_NIGHTLY=1`.
fn rounds() -> usize {
    if std::env::var_os("QUORATE_NIGHTLY").is_some() { 100_000 } else { 4_000 }
}

#[test]
fn all_orders_agree_where_values_are_unique() {
    let seen = compare(11, rounds(), None);
    assert!(seen.iter().flatten().all(|count| *count > 500), "{seen:?}");
}

#[test]
fn all_orders_agree_where_values_repeat() {
    let seen = compare(12, rounds(), Some(2));
    assert!(seen.iter().flatten().all(|count| *count > 500), "{seen:?}");
}

fn decide(history: &History, model: Model) -> (Valid, String) {
    let table = Table::from_history(history).unwrap_or_else(|error| panic!("{error}"));
    let found = check(&Registers::new(&table), model, &Options::default());
    let told =
        found.anomalies.iter().map(|anomaly| format!("{}: {}", anomaly.kind, anomaly.explanation));
    (found.valid(), told.take(1).chain(found.undecided.clone()).collect())
}

/// All histories below a folder for which `of` names a model have this verdict.
fn all_are(name: &str, of: impl Fn(&str) -> Option<Model>, expected: Valid) {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for (case, history) in below(&folder.join(name)) {
        let Some(model) = of(&case) else { continue };
        let (found, told) = decide(&history, model);
        if found != expected {
            wrong.push(format!("{name}/{case} {}: {found:?} {told}", model.name()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn serializable_runs_are() {
    all_are("serializable", |_| Some(Model::SessionSerializable), Valid::True);
    all_are("serializable", |_| Some(Model::SessionSnapshotIsolation), Valid::True);
}

#[test]
fn serializable_runs_with_repeated_values_are() {
    all_are("duplicates-serializable", |_| Some(Model::SessionSerializable), Valid::True);
}

#[test]
fn runs_of_buggy_databases_are_not_serializable() {
    all_are("not-serializable", |_| Some(Model::SessionSerializable), Valid::False);
    all_are("not-serializable", |_| Some(Model::Serializable), Valid::False);
}

/// Of the texts, one violates serializability only, as its name says.
#[test]
fn runs_of_buggy_databases_are_not_snapshot_isolated() {
    let of = |case: &str| match case {
        "pg_ser_bug.txt" => Some(Model::SessionSerializable),
        _ => Some(Model::SessionSnapshotIsolation),
    };
    all_are("not-si", of, Valid::False);
}
