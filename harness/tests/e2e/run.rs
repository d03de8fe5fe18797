//! Whole runs against real clusters of processes: what a person sees, and what is left behind.

use crate::support::{Bench, Ran, processes_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

#[test]
fn a_correct_cluster_passes_under_real_faults() {
    let bench = Bench::new();
    let ran = bench.quorate(&[
        "run",
        "raft-kv",
        "--seed",
        "1",
        "--time-limit",
        "8s",
        "--nemesis-interval",
        "2s",
        "--format",
        "json",
    ]);
    ran.expect(0);
    let verdict = ran.verdict();
    assert_eq!(verdict["valid"], true);
    assert_eq!(verdict["models"]["linearizable"], true);

    let history = bench.history();
    let installed: Vec<&str> = history
        .iter()
        .filter(|event| event["outcome"] == "installed")
        .filter_map(|event| event["f"].as_str())
        .collect();
    for fault in ["start-partition", "kill", "pause"] {
        assert!(installed.contains(&fault), "{fault} was never installed: {installed:?}");
    }
    let ok = history.iter().filter(|event| event["type"] == "ok").count();
    assert!(ok > 1000, "only {ok} operations succeeded");

    let run = bench.latest();
    for file in ["plan.json", "history.jsonl", "verdict.json", "report.html", "nodes/n1/stderr.log"]
    {
        assert!(run.join(file).exists(), "{file} is missing");
    }
    assert_eq!(processes_of(bench.folder.path()), Vec::<u32>::new(), "nodes outlived the run");

    // Judged again from the folder, the verdict is the same.
    let again = bench.quorate(&["check", "results/latest", "--format", "json"]);
    again.expect(0);
    assert_eq!(again.verdict(), verdict);
}

/// Bugs that five runs catch for sure, with what makes them show; a short list on a person's
/// machine, all of them in CI.
const CAUGHT: &[(&str, &[&str])] =
    &[("stale-read", &["--nemesis", "partition"]), ("follower-read", &[])];
const CAUGHT_IN_CI: &[(&str, &[&str])] = &[
    ("ack-before-commit", &[]),
    ("ack-before-sync", &[]),
    ("minority-quorum", &["--nemesis", "partition"]),
    ("double-apply", &[]),
    ("lose-snapshot-tail", &[]),
];

#[test]
fn seeded_bugs_are_caught() {
    let bench = Bench::new();
    let all = std::env::var_os("CI").is_some();
    let more = if all { CAUGHT_IN_CI } else { &[] };
    for (bug, needs) in CAUGHT.iter().chain(more) {
        let caught = ["1", "2", "3", "4", "5"].iter().any(|seed| {
            let mut args = vec!["run", "raft-kv", "--seed", seed, "--bug", bug, "--format", "json"];
            args.extend(["--time-limit", "20s"]);
            args.extend(*needs);
            let ran = bench.quorate(&args);
            if ran.code == Some(0) {
                return false;
            }
            ran.expect(1);
            let verdict = ran.verdict();
            assert_eq!(verdict["models"]["linearizable"], false, "{bug}: {}", verdict["why"]);
            let first = &verdict["anomalies"][0];
            assert!(!first["ops"].as_array().unwrap().is_empty(), "{bug}: no evidence");
            assert!(!first["explanation"].as_str().unwrap().is_empty(), "{bug}: no words");
            true
        });
        assert!(caught, "{bug} was not caught in five runs");
    }
}

/// Starts a run and waits until operations flow.
fn running(bench: &Bench, args: &[&str]) -> std::process::Child {
    let child = bench.spawn(args);
    let history = bench.latest().join("history.jsonl");
    wait_for("operations", || std::fs::metadata(&history).is_ok_and(|meta| meta.len() > 10_000));
    child
}

fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    let limit = Instant::now() + Duration::from_secs(30);
    while !happened() {
        assert!(Instant::now() < limit, "waited 30 s for {what}");
        std::thread::yield_now();
    }
}

fn signal(child: &std::process::Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

#[test]
fn interrupted_it_still_heals_stops_and_judges() {
    let bench = Bench::new();
    let child = running(
        &bench,
        &["run", "raft-kv", "--seed", "2", "--time-limit", "5m", "--format", "json"],
    );
    signal(&child, Signal::SIGINT);
    let ran = Ran::from(child.wait_with_output().unwrap());
    ran.expect(0);
    assert_eq!(ran.verdict()["models"]["linearizable"], true);
    assert_eq!(processes_of(bench.folder.path()), Vec::<u32>::new(), "nodes outlived the run");
}

#[test]
fn killed_it_takes_its_nodes_along_and_leaves_a_history() {
    let bench = Bench::new();
    let mut child = running(
        &bench,
        &["run", "raft-kv", "--seed", "3", "--time-limit", "5m", "--nemesis", "pause", "--quiet"],
    );
    assert!(processes_of(bench.folder.path()).len() >= 5);
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();
    wait_for("the nodes to end", || processes_of(bench.folder.path()).is_empty());
    let ran = bench.quorate(&["check", "results/latest"]);
    ran.expect(0);
}

#[test]
fn two_runs_at_once_do_not_disturb_each_other() {
    let bench = Bench::new();
    let args =
        |seed| ["run", "raft-kv", "--seed", seed, "-t", "3s", "-n", "3", "-r", "100", "--quiet"];
    let (one, two) = (bench.spawn(&args("4")), bench.spawn(&args("5")));
    for child in [one, two] {
        Ran::from(child.wait_with_output().unwrap()).expect(0);
    }
}

#[test]
fn progress_goes_to_stderr_and_can_be_silenced() {
    let bench = Bench::new();
    let args = ["run", "null", "--seed", "6", "-t", "1s", "--format", "json"];
    let ran = bench.quorate(&args);
    ran.expect(0);
    assert!(ran.stderr.contains("--seed 6"), "{}", ran.stderr);
    let quiet = bench.quorate(&[&args[..], &["--quiet"]].concat());
    assert_eq!(quiet.expect(0).stderr, "");
    quiet.verdict();
}

#[test]
fn a_node_can_be_started_by_hand() {
    let bench = Bench::new();
    let mut child =
        bench.spawn(&["node", "raft-kv", "--id", "n1", "--data", "data", "--disk", "sync"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address: std::net::SocketAddr = ready["client"].as_str().unwrap().parse().unwrap();
    assert!(address.ip().is_loopback());

    // A second node on the same port or the same data is refused with a reason.
    let listen = address.to_string();
    let port =
        bench.quorate(&["node", "raft-kv", "--id", "n1", "--data", "other", "--listen", &listen]);
    assert!(port.code != Some(0) && port.stderr.contains(&listen), "{}", port.stderr);
    let data = bench.quorate(&["node", "raft-kv", "--id", "n1", "--data", "data"]);
    assert!(data.code != Some(0) && data.stderr.contains("data"), "{}", data.stderr);
    child.kill().unwrap();
    child.wait().unwrap();
}
