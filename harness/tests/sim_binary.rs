//! `quorate sim` and `quorate hunt` as a person calls them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/binary.rs"]
mod binary;

use binary::{command, expect, quorate};
use serde_json::Value;
use std::fs;
use std::path::Path;

fn file(folder: &Path, results: &str, name: &str) -> Vec<u8> {
    fs::read(folder.join(results).join("latest").join(name)).unwrap()
}

/// All that a simulation leaves.
const FILES: [&str; 7] = [
    "history.jsonl",
    "messages.jsonl",
    "status.jsonl",
    "trace.txt",
    "verdict.json",
    "plan.json",
    "report.html",
];

#[test]
fn one_seed_gives_the_same_bytes_in_two_processes() {
    let bench = tempfile::tempdir().unwrap();
    for weather in ["calm", "drawn"] {
        let run = |results: &str, how: &[&str], threads: &str| {
            let args = [how, &["-q", "--results", results]].concat();
            let mut command = command(bench.path(), &args);
            expect(&command.env("RAYON_NUM_THREADS", threads).output().unwrap(), 0);
            FILES.map(|name| file(bench.path(), results, name))
        };
        let seed = |seed| ["sim", "raft-kv", "--seed", seed, "--weather", weather];
        let one = run("one", &seed("7"), "1");
        assert!(one == run("again", &seed("7"), "3"), "seed 7 took two ways in {weather} weather");
        // A folder is enough to have its run again, its trace with it.
        let plan = ["sim", "--plan", "one/latest/plan.json"];
        assert!(one == run("replayed", &plan, "2"), "a plan in {weather} weather took another way");
        let other = run("other", &seed("8"), "1");
        assert!(one[0] != other[0] && one[3] != other[3], "seeds 7 and 8 took one way");
        assert!(one.iter().all(|bytes| bytes.len() > 500), "next to nothing happened");
    }
}

#[test]
fn a_hunt_finds_the_same_with_any_number_of_threads() {
    let bench = tempfile::tempdir().unwrap();
    let hunted = |threads: &str| {
        let args = ["hunt", "raft-kv", "--seeds", "40", "--bug", "no-log-check", "--no-shrink"];
        let more = ["--threads", threads, "--format", "json", "-q"];
        let output = quorate(bench.path(), &[&args[..], &more].concat());
        let mut report: Value = serde_json::from_str(&expect(&output, 1)).unwrap();
        report["real_s"] = Value::Null;
        let folders = report["found"].as_array_mut().unwrap().iter_mut();
        let histories: Vec<Vec<u8>> = folders
            .filter_map(|found| Some(found["folder"].take().as_str()?.to_owned()))
            .map(|folder| fs::read(bench.path().join(folder).join("history.jsonl")).unwrap())
            .collect();
        (report, histories)
    };
    let one = hunted("1");
    assert!(!one.1.is_empty(), "{:?}", one.0);
    assert!(one == hunted("3"), "threads decide what is found");
}

#[test]
fn a_simulated_run_is_a_run() {
    let bench = tempfile::tempdir().unwrap();
    let args = ["sim", "raft-kv", "--seed", "1", "-t", "5s", "--format", "json"];
    let verdict: Value = serde_json::from_str(&expect(&quorate(bench.path(), &args), 0)).unwrap();
    assert_eq!(verdict["models"]["linearizable"], true);
    let plan: Value = serde_json::from_slice(&file(bench.path(), "results", "plan.json")).unwrap();
    assert!(plan["weather"].is_object(), "the plan does not say that it was simulated");
    assert!(!file(bench.path(), "results", "report.html").is_empty());

    let checked = quorate(bench.path(), &["check", "results/latest", "--format", "json"]);
    let again: Value = serde_json::from_str(&expect(&checked, 0)).unwrap();
    assert_eq!(again, verdict);

    // The command that a run names does the same again.
    let history = file(bench.path(), "results", "history.jsonl");
    let words: Vec<&str> = plan["command"].as_str().unwrap().split(' ').skip(1).collect();
    expect(&quorate(bench.path(), &words), 0);
    assert!(file(bench.path(), "results", "history.jsonl") == history);
}

#[test]
fn what_a_hunt_finds_is_repeated_by_its_plan() {
    let bench = tempfile::tempdir().unwrap();
    let args = ["hunt", "raft-kv", "--seeds", "100", "--bug", "ack-before-sync", "--first"];
    let output = quorate(bench.path(), &[&args[..], &["--format", "json", "-q"]].concat());
    let report: Value = serde_json::from_str(&expect(&output, 1)).unwrap();
    let found = &report["found"][0];
    let folder = found["folder"].as_str().unwrap();

    // As it was found, by its command line.
    let words: Vec<&str> = found["command"].as_str().unwrap().split(' ').skip(1).collect();
    let output = quorate(bench.path(), &[&words[..], &["--format", "json"]].concat());
    let verdict: Value = serde_json::from_str(&expect(&output, 1)).unwrap();
    assert_eq!(verdict["anomaly_types"], found["anomaly_types"]);

    // Shrunk, by its plan, told as a story.
    let plan = format!("{folder}/minimal.plan.json");
    let told = expect(&quorate(bench.path(), &["sim", "--plan", &plan, "--story", "-q"]), 1);
    let story = fs::read_to_string(bench.path().join(folder).join("story.txt")).unwrap();
    // Its own folder shows it, most of all its messages.
    let minimal = bench.path().join(folder).join("minimal");
    let report = fs::read_to_string(minimal.join("report.html")).unwrap();
    assert!(report.contains("id=\"messages\"") && report.contains("class=\"lamport\""));
    let messages = fs::read_to_string(minimal.join("messages.jsonl")).unwrap();
    let kinds = |kind: &str| messages.lines().any(|line| line.contains(kind));
    assert!(kinds(r#""kind":"vote""#) && kinds(r#""kind":"append-reply""#), "{messages}");
    assert!(told.contains(story.trim_end()), "the story is not the one that was written\n{told}");
}

#[test]
fn a_short_hunt_finds_nothing_and_says_what_it_reached() {
    let bench = tempfile::tempdir().unwrap();
    let seeds = if std::env::var_os("CI").is_some() { "200" } else { "20" };
    let args = ["hunt", "raft-kv", "--seeds", seeds];
    let output = quorate(bench.path(), &args);
    let told = expect(&output, 0);
    assert!(told.contains("NOTHING FOUND") && told.contains("a leader was elected"), "{told}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("runs"), "no progress");
}

#[test]
fn what_a_workload_never_asks_for_is_said() {
    let bench = tempfile::tempdir().unwrap();
    let sim = |args: &[&str]| {
        let base = ["sim", "raft-kv", "--seed", "1", "-t", "300ms", "--nemesis", "none"];
        String::from_utf8(quorate(bench.path(), &[&base, args].concat()).stderr).unwrap()
    };
    let isolation = ["--target-opt", "isolation=snapshot"];
    for args in [&["--bug", "dirty-read"][..], &isolation] {
        let told = sim(args);
        let what = args[1].split('=').next().unwrap();
        assert!(told.contains("does not show with the workload register"), "{told}");
        assert!(told.contains(&format!("{what} does not")) && told.contains("is append"), "{told}");
    }
    for args in
        [&["--bug", "stale-read"][..], &["--workload", "append", isolation[0], isolation[1]]]
    {
        assert!(!sim(args).contains("does not show"), "{args:?}");
    }
}

#[test]
fn wrong_arguments_are_said_to_be_wrong() {
    let bench = tempfile::tempdir().unwrap();
    fs::write(bench.path().join("broken.json"), "{}").unwrap();
    for (args, told) in [
        (&["sim", "raft"][..], "raft-kv"),
        (&["sim", "null"], "no nodes to simulate"),
        (&["sim"], "<TARGET>"),
        (&["sim", "--plan", "nowhere.json"], "nowhere.json"),
        (&["sim", "--plan", "broken.json"], "not a plan"),
        (&["run", "null", "--nemesis", "kill"], "no nodes for faults"),
        (&["sim", "raft-kv", "--nemesis", "none,kill"], "stands alone"),
        (
            &["sim", "raft-kv", "--target-opt", "isolation=a", "--target-opt", "isolation=b"],
            "twice",
        ),
        (&["sim", "raft-kv", "-r", "-1"], "--rate -1"),
        (&["sim", "raft-kv", "-t", "-1s"], "'--time-limit <T>': \"-1s\" is not a length of time"),
        (&["sim", "raft-kv", "-n", "-1"], "'--nodes <N>'"),
        (&["sim", "raft-kv", "-c", "-1"], "--concurrency \"-1\""),
        (&["show", "--process", "foo"], "neither a number nor `nemesis`"),
        (&["hunt", "raft-kv", "--seeds", "0"], "--seeds"),
        (&["hunt", "raft-kv", "--for", "0s"], "--for"),
        (&["hunt", "raft-kv", "--rate", "-1"], "--rate"),
        (&["hunt", "null"], "no nodes to simulate"),
        (&["hunt", "raft-kv", "--bug", "forget-votes"], "forget-vote"),
        (&["hunt", "raft-kv", "--nodes", "0"], "--nodes"),
        (&["hunt", "raft-kv", "--target-opt", "snapshot-evry=4"], "snapshot-every"),
    ] {
        let output = quorate(bench.path(), args);
        assert_eq!(output.status.code(), Some(254), "{args:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(told), "{args:?}: {stderr}");
    }
}
