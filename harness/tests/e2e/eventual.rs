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
        bench.catches_within_five(entry);
    }
}
