//! Transactions in simulated runs: each level of isolation keeps what it promises and no more,
//! and each seeded bug shows the anomaly that it must cause.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/binary.rs"]
mod binary;

use quorate::catalog;
use quorate_targets::bugs::{self, Bug};
use serde_json::Value;

/// Judges a simulated run; nothing else is looked at than what clients see.
fn sim(args: &[&str], seed: u64) -> (i32, Value) {
    let seed = seed.to_string();
    binary::simulated("raft-kv", &[&["--seed", &seed], args].concat())
}

/// More seeds in nightly runs.
fn seeds(few: u64) -> u64 {
    if std::env::var_os("QUORATE_NIGHTLY").is_some() { few * 20 } else { few }
}

/// All kinds of anomaly that were found, forbidden or not.
fn found(verdict: &Value) -> Vec<String> {
    let found = verdict["checkers"]["transactions"]["found"].as_object().unwrap();
    found.keys().cloned().collect()
}

fn types(verdict: &Value) -> Vec<&str> {
    verdict["anomaly_types"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect()
}

#[test]
fn every_workload_passes_under_faults() {
    let served = catalog::target("raft-kv").unwrap().workloads;
    let workloads: Vec<&str> = served.iter().filter(|name| **name != "register").copied().collect();
    assert!(workloads.len() >= 9, "{workloads:?}");
    for workload in workloads {
        for seed in 1..=seeds(2) {
            let (code, verdict) = sim(&["-w", workload, "-t", "5s"], seed);
            assert_eq!(code, 0, "{workload}, seed {seed}: {}", verdict["why"]);
        }
    }
}

/// A level of isolation, with anomalies of which some must show within a few seeds.
const LEVELS: [(&str, &[&str]); 4] = [
    ("read-uncommitted", &["G1a", "G1b", "G1c"]),
    ("read-committed", &["G-single-item", "lost-update"]),
    ("snapshot", &["G2-item"]),
    ("serializable", &["G-single-item-realtime", "G2-item-realtime"]),
];

#[test]
fn each_level_keeps_its_promise_and_no_more() {
    for (level, allowed) in LEVELS {
        let option = format!("isolation={level}");
        let mut seen = Vec::new();
        for seed in 1..=seeds(4) {
            let args = ["-w", "append", "-t", "8s", "--target-opt", &option];
            let (code, verdict) = sim(&args, seed);
            assert_eq!(code, 0, "{level}, seed {seed}: {}", verdict["why"]);
            seen.extend(found(&verdict));
        }
        let shown = allowed.iter().any(|kind| seen.iter().any(|t| t == kind));
        assert!(shown, "{level} shows none of {allowed:?}, only {seen:?}");
    }
}

/// Two transactions that each miss the row that the other inserts are what snapshots allow.
#[test]
fn snapshots_show_phantoms_and_nothing_worse() {
    let mut seen = Vec::new();
    for seed in 1..=seeds(3) {
        let args = ["-w", "closed-predicate", "-t", "5s", "--target-opt", "isolation=snapshot"];
        let (code, verdict) = sim(&args, seed);
        assert_eq!(code, 0, "seed {seed}: {}", verdict["why"]);
        seen.extend(found(&verdict));
    }
    assert!(seen.iter().any(|kind| kind == "G2"), "only {seen:?}");
}

/// The bugs that only transactions can show.
const BUGS: [Bug; 10] = [
    Bug::DirtyRead,
    Bug::DirtyWrite,
    Bug::ReadSkew,
    Bug::WriteSkewUnderSerializable,
    Bug::LostUpdate,
    Bug::FracturedRead,
    Bug::StaleSnapshot,
    Bug::LongFork,
    Bug::InternalInconsistency,
    Bug::NonRepeatableRead,
];

#[test]
fn all_such_bugs_are_listed() {
    let needs_level =
        |entry: &&bugs::Entry| entry.needs.iter().any(|word| word.starts_with("isolation="));
    let needing: Vec<Bug> =
        bugs::of("raft-kv").filter(needs_level).map(|entry| entry.bug).collect();
    assert_eq!(needing, BUGS);
}

#[test]
fn each_bug_shows_its_anomaly() {
    for entry in BUGS.map(Bug::entry) {
        let caught = (1..=5).find_map(|seed| {
            let args = [&["--bug", entry.name, "--clients-only"], entry.needs].concat();
            let (code, verdict) = sim(&args, seed);
            (code == 1).then_some(verdict)
        });
        let verdict = caught.unwrap_or_else(|| panic!("{} was not caught", entry.name));
        let types = types(&verdict);
        assert!(types.contains(&entry.anomaly), "{}: {types:?}", entry.name);
        let told = verdict["anomalies"].as_array().unwrap();
        assert!(told.iter().all(|anomaly| !anomaly["ops"].as_array().unwrap().is_empty()));
    }
}
