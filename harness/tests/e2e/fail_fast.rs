//! Runs that end at the first violation.

use crate::support::Bench;

fn last_event_ns(bench: &Bench) -> u64 {
    bench.history().last().and_then(|event| event["time"].as_u64()).unwrap()
}

#[test]
fn a_violation_ends_the_run_long_before_its_time() {
    let bench = Bench::new();
    let ran = bench.quorate(&[
        "run",
        "raft-kv",
        "--seed",
        "1",
        "--bug",
        "follower-read",
        "--time-limit",
        "60s",
        "--fail-fast",
        "--format",
        "json",
    ]);
    ran.expect(1);
    let verdict = ran.verdict();
    assert_eq!(verdict["models"]["linearizable"], false);
    assert!(!verdict["anomalies"][0]["ops"].as_array().unwrap().is_empty(), "no evidence");
    let ended = last_event_ns(&bench);
    assert!(ended < 40_000_000_000, "the last event is at {ended} ns");
    let plan = std::fs::read_to_string(bench.latest().join("plan.json")).unwrap();
    assert!(plan.contains("--fail-fast"), "the command does not repeat the run: {plan}");
}

#[test]
fn a_correct_run_is_not_ended_early() {
    let bench = Bench::new();
    let ran =
        bench.quorate(&["run", "raft-kv", "--seed", "1", "--time-limit", "4s", "--fail-fast"]);
    ran.expect(0);
    let ended = last_event_ns(&bench);
    assert!(ended >= 4_000_000_000, "the last event is at {ended} ns");
}
