//! Real runs of the eventually consistent store: five processes, real faults, lazy disks.

use crate::support::Bench;
use quorate_targets::bugs;

fn nightly() -> bool {
    std::env::var_os("QUORATE_NIGHTLY").is_some()
}

/// Workloads over merging types, and over siblings; and sessions with tokens.
const KEPT: [&[&str]; 6] = [
    &["set"],
    &["set", "--workload-opt", "type=or-set"],
    &["set", "--target-opt", "resolve=vector-clock"],
    &["g-counter"],
    &["pn-counter"],
    &["session"],
];

#[test]
fn the_store_keeps_its_promises_under_real_faults() {
    let bench = Bench::new();
    let workloads = if nightly() { &KEPT[..] } else { &KEPT[..1] };
    let (seeds, limit) = if nightly() { (1..=10, "20s") } else { (1..=1, "6s") };
    for workload in workloads {
        for seed in seeds.clone() {
            let seed = seed.to_string();
            let faults = ["--nemesis", "partition,kill,pause,packet", "--nemesis-interval", "2s"];
            let run = ["run", "eventual", "--seed", &seed, "-t", limit, "-w"];
            bench.quorate(&[&run[..], workload, &faults].concat()).expect(0);
        }
    }
}

/// One replica that acknowledges, and one that answers, under partitions.
const ONE: [&str; 8] = [
    "--target-opt",
    "read-quorum=1",
    "--target-opt",
    "write-quorum=1",
    "--nemesis",
    "partition",
    "--nemesis-interval",
    "1s",
];

#[test]
fn one_replica_is_not_a_linearizable_register() {
    let bench = Bench::new();
    let (seeds, limit) = if nightly() { (1..=10, "15s") } else { (1..=1, "6s") };
    for seed in seeds {
        let seed = seed.to_string();
        let run = ["run", "eventual", "--seed", &seed, "-t", limit, "-w", "register"];
        let ran = bench.quorate(&[&run[..], &["--format", "json"], &ONE].concat());
        assert_eq!(ran.expect(1).verdict()["models"]["linearizable"], false);
    }
}

#[test]
fn without_tokens_sessions_go_back_and_with_them_they_do_not() {
    let bench = Bench::new();
    let (seeds, limit) = if nightly() { (1..=10, "20s") } else { (1..=1, "6s") };
    let mut broken = 0;
    for seed in seeds {
        let seed = seed.to_string();
        let run = ["run", "eventual", "--seed", &seed, "-t", limit, "-w", "session"];
        let tokens =
            |tokens| bench.quorate(&[&run[..], &ONE, &["--workload-opt", tokens]].concat());
        tokens("tokens=on").expect(0);
        if nightly() {
            broken += usize::from(tokens("tokens=off").code == Some(1));
        }
    }
    assert!(!nightly() || broken > 0, "tokens are for nothing");
}

#[test]
fn seeded_bugs_of_the_store_are_caught_within_five_runs() {
    let bench = Bench::new();
    let wanted = |entry: &&bugs::Entry| nightly() || entry.name == "clock-skew-lww";
    for entry in bugs::of("eventual").filter(wanted) {
        bench.catches_within_five(entry);
    }
}
