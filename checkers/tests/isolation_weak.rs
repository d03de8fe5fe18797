//! Read committed, read atomic and causal: against the definitions, and on others' histories.

mod isolation_support;

use isolation_support::cases::{below, folder};
use isolation_support::oracle;
use isolation_support::random::{Shape, history, show, table};
use quorate_checkers::history::History;
use quorate_checkers::transactions::Table;
use quorate_checkers::transactions::registers::Registers;
use quorate_checkers::transactions::weak::{Level, check};
use quorate_checkers::verdict::Valid;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn holds(history: &History, level: Level) -> Valid {
    let table = Table::from_history(history).unwrap_or_else(|error| panic!("{error}"));
    check(&Registers::new(&table), level).valid()
}

/// How many histories are tried: more with `QUORATE_NIGHTLY=1`.
fn rounds() -> usize {
    if std::env::var_os("QUORATE_NIGHTLY").is_some() { 100_000 } else { 20_000 }
}

#[test]
fn the_definitions_agree_on_small_histories() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut seen = [[0_u32; 2]; 3];
    for round in 0..rounds() {
        let shape = Shape {
            txns: 5,
            sessions: 1 + round % 3,
            keys: 1 + (round % 4) as i64,
            ops: 4,
            values: None,
            uncertain: (round % 2 == 0).then_some(4),
            wild: 2 + (round % 7) as u32,
        };
        let txns = history(&mut rng, &shape);
        let table = table(&txns);
        let registers = Registers::new(&table);
        for level in Level::ALL {
            let found = check(&registers, level);
            let expected = oracle::weak(&txns, level);
            let valid = if expected { Valid::True } else { Valid::False };
            assert_eq!(found.valid(), valid, "{} {found:?}{}", level.name(), show(&txns));
            seen[level as usize][usize::from(expected)] += 1;
        }
    }
    assert!(seen.iter().flatten().all(|count| *count > 2_000), "{seen:?}");
}

#[test]
fn cases_hold_what_their_folders_say() {
    let Some(folder) = folder() else { return };
    let strongest = ["none", "read-committed", "read-atomic", "causal"];
    let mut wrong = Vec::new();
    for (holding, name) in strongest.into_iter().enumerate() {
        for (case, history) in below(&folder.join("weak").join(name)) {
            for (number, level) in Level::ALL.into_iter().enumerate() {
                let expected = if number < holding { Valid::True } else { Valid::False };
                let found = holds(&history, level);
                if found != expected {
                    wrong.push(format!("{name}/{case}: {} is {found:?}", level.name()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn runs_of_databases_have_the_verdicts_that_others_gave() {
    let Some(folder) = folder() else { return };
    let cases = below(&folder.join("dbcop"));
    let verdicts = include_verdicts(&folder);
    let mut wrong = Vec::new();
    for (name, expected) in &verdicts {
        let found = cases.iter().find(|(case, _)| case.starts_with(name.as_str()));
        let (case, history) = found.unwrap_or_else(|| panic!("{name} is not there"));
        for (level, expected) in Level::ALL.into_iter().zip(expected) {
            let found = holds(history, level);
            if (found == Valid::True) != *expected || found == Valid::Unknown {
                wrong.push(format!("{case}: {} is {found:?}", level.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[expect(clippy::disallowed_methods, reason = "the test reads the files; the crate does not")]
fn include_verdicts(folder: &std::path::Path) -> Vec<(String, [bool; 3])> {
    let text = std::fs::read_to_string(folder.join("dbcop/VERDICTS.tsv"));
    let text = text.unwrap_or_else(|error| panic!("{error}"));
    let mut rows: Vec<(String, [bool; 3])> = text
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split('\t');
            let name = fields.next().unwrap_or_default().to_owned();
            (name, std::array::from_fn(|_| fields.next() == Some("ok")))
        })
        .collect();
    rows.sort();
    rows
}

/// `(case, holds)` for the folders whose documentation says which levels hold.
#[test]
fn stronger_verdicts_bound_the_weak_ones() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for (case, history) in below(&folder.join("serializable")) {
        for level in Level::ALL {
            if holds(&history, level) != Valid::True {
                wrong.push(format!("serializable/{case}: {}", level.name()));
            }
        }
    }
    for (case, history) in below(&folder.join("not-serializable")) {
        let expected = if case == "cock-blog" { Valid::False } else { Valid::True };
        for level in Level::ALL {
            if holds(&history, level) != expected {
                wrong.push(format!("not-serializable/{case}: {}", level.name()));
            }
        }
    }
    let broken = [
        ("galera", None),
        ("yugabyte/", Some(Level::ReadAtomic)),
        ("dgraph/", Some(Level::Causal)),
    ];
    for (case, history) in below(&folder.join("not-si")) {
        let Some((_, level)) = broken.iter().find(|(name, _)| case.starts_with(name)) else {
            continue;
        };
        for other in Level::ALL {
            let expected = level.is_none_or(|level| other < level);
            if expected != (holds(&history, other) == Valid::True)
                && (expected || Some(other) == *level)
            {
                wrong.push(format!("not-si/{case}: {}", other.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
