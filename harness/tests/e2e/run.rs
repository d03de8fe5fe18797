//! Whole runs against real clusters of processes: what a person sees, and what is left behind.

use crate::support::{Bench, Ran, processes_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quorate_targets::bugs::{self, Bug};
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

/// Bugs that five real runs need not catch; simulated ones do.
const RARE: [Bug; 3] = [Bug::ForgetVote, Bug::NoLogCheck, Bug::CommitPriorTerm];
/// Bugs that are caught on every machine; CI catches all of registers that are not rare.
const ALWAYS: [Bug; 3] = [Bug::StaleRead, Bug::FollowerRead, Bug::StaleSnapshot];

#[test]
fn seeded_bugs_are_caught_within_five_runs() {
    let bench = Bench::new();
    let set = |name: &str| std::env::var_os(name).is_some();
    let wanted = |entry: &bugs::Entry| {
        // Those of transactions are also caught one by one in simulated runs, in far less time.
        let short = !entry.needs.contains(&"--workload") && set("CI");
        let tried = short || set("QUORATE_NIGHTLY") || ALWAYS.contains(&entry.bug);
        tried && !RARE.contains(&entry.bug)
    };
    for entry in bugs::of("raft-kv").filter(|entry| wanted(entry)) {
        let caught = (1..=5).any(|seed| caught(&bench, entry, seed));
        assert!(caught, "{} was not caught in five runs", entry.name);
    }
}

/// Whether one run catches a bug; if it does, with evidence.
fn caught(bench: &Bench, entry: &bugs::Entry, seed: u32) -> bool {
    let Some(verdict) = bench.caught(entry, seed) else { return false };
    let transactional = entry.needs.contains(&"--workload");
    let model = ["linearizable", "strict-serializable"][usize::from(transactional)];
    // A cluster that serves no more tells no lies.
    let holds = entry.bug == Bug::KeepVote;
    assert_eq!(verdict["models"][model], holds, "{}: {}", entry.name, verdict["why"]);
    let types: Vec<&str> =
        verdict["anomaly_types"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
    let kind = types.iter().any(|t| entry.anomaly.contains(t) || *t == "nonlinearizable");
    assert!(kind, "{}: {types:?} is not what it must cause: {}", entry.name, entry.anomaly);
    let first = &verdict["anomalies"][0];
    assert!(!first["ops"].as_array().unwrap().is_empty(), "{}: no evidence", entry.name);
    assert!(!first["explanation"].as_str().unwrap().is_empty(), "{}: no words", entry.name);
    true
}

#[test]
fn a_full_disk_stops_the_run_before_the_cluster_starts() {
    let bench = Bench::new();
    let disk = bench.folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(&disk)
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("not tried: mounting a small disk needs root");
        return;
    }
    let ran = bench.quorate(&["run", "raft-kv", "--results", "disk", "-t", "1s"]);
    let left = processes_of(bench.folder.path());
    let unmounted = std::process::Command::new("umount").arg(&disk).status().unwrap();
    assert!(unmounted.success());
    assert_eq!(ran.code, Some(255), "{}", ran.stderr);
    assert!(ran.stderr.contains("full") && ran.stderr.contains("--results"), "{}", ran.stderr);
    assert_eq!(left, Vec::<u32>::new(), "nodes were left running");
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
