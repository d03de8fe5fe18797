//! Real runs of the eventually consistent store: five processes, real faults, lazy disks.

use crate::support::Bench;
use quorate_targets::bugs;

fn nightly() -> bool {
    std::env::var_os("QUORATE_NIGHTLY").is_some()
}

#[test]
fn the_store_keeps_its_promises_under_real_faults() {
    let bench = Bench::new();
    let workloads: &[&str] =
        if nightly() { &["set", "g-counter", "pn-counter", "session"] } else { &["set"] };
    let (seeds, limit) = if nightly() { (1..=10, "20s") } else { (1..=1, "6s") };
    for workload in workloads {
        for seed in seeds.clone() {
            let seed = seed.to_string();
            let faults = ["--nemesis", "partition,kill,pause,packet", "--nemesis-interval", "2s"];
            let run = ["run", "eventual", "-w", workload, "--seed", &seed, "-t", limit];
            bench.quorate(&[&run[..], &faults].concat()).expect(0);
        }
    }
}

#[test]
fn seeded_bugs_of_the_store_are_caught_within_five_runs() {
    let bench = Bench::new();
    let wanted = |entry: &&bugs::Entry| nightly() || entry.name == "clock-skew-lww";
    for entry in bugs::of("eventual").filter(wanted) {
        let caught = (1..=5).any(|seed: u32| {
            let seed = seed.to_string();
            let run = ["run", "eventual", "--seed", &seed, "--bug", entry.name];
            let ran = bench.quorate(&[&run[..], entry.needs, &["--format", "json"]].concat());
            if ran.code == Some(0) {
                return false;
            }
            ran.expect(1);
            let verdict = ran.verdict();
            let types = verdict["anomaly_types"].as_array().unwrap();
            let kind = types.iter().any(|t| entry.anomaly.contains(t.as_str().unwrap()));
            assert!(kind, "{}: {types:?} is not what it must cause", entry.name);
            true
        });
        assert!(caught, "{} was not caught in five runs", entry.name);
    }
}
