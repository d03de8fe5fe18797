//! The eventually consistent store under simulated runs, as a person calls them: what the correct
//! store passes, what each seeded bug is caught by, and what quorums do not promise.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/binary.rs"]
mod binary;

use quorate_targets::bugs;
use serde_json::Value;

/// Exit code and verdict of `quorate sim eventual` with these arguments.
fn sim(args: &[&str]) -> (i32, Value) {
    binary::simulated("eventual", args)
}

/// Seeds: few in each run of the tests, ten at night.
fn seeds() -> Vec<String> {
    let most = if std::env::var_os("QUORATE_NIGHTLY").is_some() { 10 } else { 2 };
    (1..=most).map(|seed: u32| seed.to_string()).collect()
}

#[test]
fn the_correct_store_keeps_its_promises() {
    let workloads: [&[&str]; 6] = [
        &["--workload", "set"],
        &["--workload", "set", "--workload-opt", "type=or-set"],
        &["--workload", "set", "--target-opt", "resolve=vector-clock"],
        &["--workload", "g-counter"],
        &["--workload", "pn-counter"],
        &["--workload", "session"],
    ];
    for workload in workloads {
        for seed in &seeds() {
            for faults in ["partition,kill,pause,packet", "clock,packet,kill"] {
                let common = ["--nemesis", faults, "-t", "8s", "--seed", seed];
                let (code, verdict) = sim(&[&common, workload].concat());
                assert_eq!(code, 0, "{workload:?}, {faults}, seed {seed}: {}", verdict["why"]);
            }
        }
    }
}

#[test]
fn each_bug_is_caught_by_clients_within_five_runs() {
    for entry in bugs::of("eventual") {
        let found = ["1", "2", "3", "4", "5"].iter().find_map(|seed| {
            let common = ["--bug", entry.name, "--seed", seed, "--clients-only"];
            let (code, verdict) = sim(&[&common, entry.needs].concat());
            (code == 1).then_some(verdict)
        });
        let verdict = found.unwrap_or_else(|| panic!("{} was not caught", entry.name));
        let types: Vec<&str> = verdict["anomaly_types"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| kind.as_str().unwrap())
            .collect();
        let named = types.iter().any(|kind| entry.anomaly.contains(kind));
        assert!(named, "{}: {types:?} is not {}", entry.name, entry.anomaly);
    }
}

#[test]
fn without_the_bug_the_same_runs_pass() {
    // What last-write-wins and skewed clocks do is shown beside their cures.
    for entry in bugs::of("eventual") {
        let (code, verdict) = sim(&[&["--seed", "1"], entry.needs].concat());
        assert_eq!(code, 0, "{}: {}", entry.name, verdict["why"]);
    }
}

#[test]
fn one_replica_is_not_a_linearizable_register() {
    for seed in 1..=10 {
        let (code, verdict) = sim(&[
            "--workload",
            "register",
            "--nemesis",
            "partition",
            "--target-opt",
            "read-quorum=1",
            "--target-opt",
            "write-quorum=1",
            "--seed",
            &seed.to_string(),
        ]);
        assert_eq!(code, 1, "seed {seed}: {}", verdict["why"]);
        assert_eq!(verdict["models"]["linearizable"], false);
    }
}

#[test]
fn without_tokens_sessions_go_back_in_time() {
    let broken = ["1", "2", "3"].iter().filter(|seed| {
        let (code, _) = sim(&[
            "--workload",
            "session",
            "--workload-opt",
            "tokens=off",
            "--nemesis",
            "partition",
            "--target-opt",
            "read-quorum=1",
            "--target-opt",
            "write-quorum=1",
            "--seed",
            seed,
        ]);
        code == 1
    });
    assert!(broken.count() > 0);
}
