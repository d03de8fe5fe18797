//! What the command line reads and writes: packed files, pipes, links, half of a run, texts that
//! are more than they seem.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/binary.rs"]
mod binary;

use binary::{command, expect, quorate};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A read that nothing explains, in two pairs of lines.
const STALE: [&str; 4] = [
    r#"{"time":1,"process":0,"type":"invoke","f":"write","value":1}"#,
    r#"{"time":2,"process":0,"type":"ok","f":"write","value":1}"#,
    r#"{"time":3,"process":1,"type":"invoke","f":"read","value":null}"#,
    r#"{"time":4,"process":1,"type":"ok","f":"read","value":7}"#,
];

fn lines(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

fn packed(text: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// What it wrote to stderr, if it ended with this code.
#[track_caller]
fn complaint(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    stderr
}

/// A folder with `bad.jsonl`, which breaks its promise.
fn bench() -> tempfile::TempDir {
    let bench = tempfile::tempdir().unwrap();
    fs::write(bench.path().join("bad.jsonl"), lines(&STALE)).unwrap();
    bench
}

fn with_stdin(folder: &Path, args: &[&str], text: &str) -> Output {
    let mut child = command(folder, args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn all_members_of_a_packed_file_are_read() {
    let bench = bench();
    let whole = [packed(&lines(&STALE[..2])), packed(&lines(&STALE[2..]))].concat();
    let write = |name: &str, bytes: &[u8]| fs::write(bench.path().join(name), bytes).unwrap();
    write("whole.jsonl.gz", &whole);
    let told = expect(&quorate(bench.path(), &["check", "whole.jsonl.gz"]), 1);
    assert!(told.contains("2 operations"), "{told}");
    write("garbage.jsonl.gz", &[&whole, &b"not packed"[..]].concat());
    let garbage = quorate(bench.path(), &["check", "garbage.jsonl.gz"]);
    assert!(complaint(&garbage, 254).contains("stands something else"));
    write("cut.jsonl.gz", &whole[..whole.len() - 6]);
    assert!(complaint(&quorate(bench.path(), &["check", "cut.jsonl.gz"]), 254).contains("cut off"));
}

#[test]
fn a_file_is_packed_if_its_name_says_so() {
    let bench = bench();
    let convert = ["convert", "bad.jsonl", "bad.edn.gz"];
    expect(&quorate(bench.path(), &convert), 0);
    let bytes = fs::read(bench.path().join("bad.edn.gz")).unwrap();
    assert!(bytes.starts_with(&[0x1f, 0x8b]));
    expect(&quorate(bench.path(), &["check", "bad.edn.gz"]), 1);
}

#[test]
fn stdin_is_read() {
    let bench = bench();
    let text = lines(&STALE);
    for args in [&["check", "-"][..], &["check", "-", "--from", "jsonl"]] {
        expect(&with_stdin(bench.path(), args, &text), 1);
    }
    let edn = expect(&with_stdin(bench.path(), &["convert", "-", "-", "--to", "edn"], &text), 0);
    assert!(edn.starts_with("{:type :invoke"), "{edn}");
    // By its looks, and read twice where it holds completions alone, of which one shows nothing.
    expect(&with_stdin(bench.path(), &["check", "-"], &edn), 1);
    let alone = r#"{"time":1,"process":0,"type":"ok","f":"txn","value":[["append","x",1]]}"#;
    expect(&with_stdin(bench.path(), &["check", "-"], &format!("{alone}\n")), 2);
    let shown = with_stdin(bench.path(), &["show", "-", "--f", "read", "--format", "json"], &text);
    assert_eq!(expect(&shown, 0).lines().count(), 2);
    let compared = with_stdin(bench.path(), &["compare", "-", "bad.jsonl"], &text);
    assert!(expect(&compared, 0).contains("stdin"));
}

#[test]
fn what_cannot_be_printed_is_no_success_and_a_closed_pipe_is_no_failure() {
    let bench = bench();
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    for args in [
        &["check", "-q", "bad.jsonl"][..],
        &["check", "-q", "bad.jsonl", "--format", "json"],
        &["convert", "bad.jsonl", "-", "--to", "edn"],
        &["show", "bad.jsonl"],
        &["compare", "bad.jsonl"],
        &["list"],
        &["--help"],
    ] {
        let ran = command(bench.path(), args).stdout(full()).output().unwrap();
        assert!(complaint(&ran, 255).contains("cannot write to stdout"), "{args:?}");
    }
    for (args, code) in [(&["check", "-q", "bad.jsonl"][..], 1), (&["list"], 0)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = command(bench.path(), args).stdout(writer).output().unwrap();
        assert_eq!(complaint(&ran, code), "", "{args:?}");
    }
}

/// A run of the folder `results`, and where it lies.
fn run(bench: &Path) -> std::path::PathBuf {
    let sim = ["sim", "raft-kv", "--seed", "1", "-t", "500ms", "--nemesis", "none", "-q"];
    expect(&quorate(bench, &sim), 0);
    bench.join("results/latest").canonicalize().unwrap()
}

#[test]
fn files_of_a_run_are_replaced_and_links_are_not_followed() {
    let bench = bench();
    let run = run(bench.path());
    let elsewhere = bench.path().join("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    fs::remove_file(run.join("report.html")).unwrap();
    symlink(&elsewhere, run.join("report.html")).unwrap();
    expect(&quorate(bench.path(), &["report", "results/latest"]), 0);
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
    assert!(fs::read_to_string(run.join("report.html")).unwrap().starts_with("<!DOCTYPE"));
    let parts = fs::read_dir(&run).unwrap().flatten();
    assert!(!parts.into_iter().any(|entry| entry.file_name().to_string_lossy().contains(".part")));
}

#[test]
fn nothing_in_a_history_reaches_the_terminal_as_it_is() {
    let bench = bench();
    let evil = r"\u001b]0;pwn\u0007\u202e\u009b2J";
    let text = lines(&STALE).replace(r#""f":"#, &format!(r#""node":"{evil}","key":"{evil}","f":"#));
    fs::write(bench.path().join("evil.jsonl"), &text).unwrap();
    fs::write(bench.path().join("f.jsonl"), text.replace(r#""read"#, &format!("\"{evil}")))
        .unwrap();
    let hidden = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    for (args, code) in [
        (&["check", "evil.jsonl"][..], 1),
        (&["check", "evil.jsonl", "--format", "json"], 1),
        (&["show", "evil.jsonl", "--around", "2"], 0),
        (&["show", "evil.jsonl", "--around", "2", "--format", "json"], 0),
        (&["check", "f.jsonl"], 254),
        (&["check", "\u{1b}[2Jnowhere"], 254),
    ] {
        let ran = quorate(bench.path(), args);
        assert_eq!(ran.status.code(), Some(code), "{args:?}");
        for out in [&ran.stdout, &ran.stderr] {
            let text = std::str::from_utf8(out).unwrap();
            assert!(!text.contains(hidden), "{args:?}: {text:?}");
        }
        let told = [ran.stdout, ran.stderr].concat();
        let told = String::from_utf8_lossy(&told).to_lowercase();
        assert!(told.contains("\\u{1b}") || told.contains("\\u001b"), "{args:?}: {told}");
    }
}

#[test]
fn half_a_run_is_judged_and_what_it_lacks_is_said() {
    let bench = bench();
    let run = run(bench.path());
    let history = run.join("history.jsonl");
    let text = fs::read_to_string(&history).unwrap();
    fs::write(&history, &text[..text.len() - 20]).unwrap();
    let json = ["check", "results/latest", "--format", "json"];
    let ran = quorate(bench.path(), &json);
    let verdict: Value = serde_json::from_str(&expect(&ran, 0)).unwrap();
    assert!(verdict["notes"][0].as_str().unwrap().contains("cut off"), "{}", verdict["notes"]);
    assert!(complaint(&ran, 0).contains("cut off"));
    for args in
        [["show", "results/latest"], ["report", "results/latest"], ["compare", "results/latest"]]
    {
        assert!(complaint(&quorate(bench.path(), &args), 0).contains("cut off"), "{args:?}");
    }
    assert!(fs::read_to_string(run.join("report.html")).unwrap().contains("cut off"));
    let alone = history.to_str().unwrap();
    assert!(complaint(&quorate(bench.path(), &["check", alone]), 254).contains("cut off"));
    // A line that is wrong and not cut is not left out.
    fs::write(&history, format!("{}{{\"index\":}}\n", &text)).unwrap();
    complaint(&quorate(bench.path(), &json), 254);

    fs::write(&history, &text).unwrap();
    let plan = run.join("plan.json");
    let planned = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, &planned[..planned.len() / 2]).unwrap();
    for path in ["results/latest", alone] {
        let ran = quorate(bench.path(), &["check", path]);
        assert!(complaint(&ran, 0).contains("not a plan"), "{path}");
    }
    fs::remove_file(&plan).unwrap();
    let ran = quorate(bench.path(), &["check", "results/latest"]);
    assert!(complaint(&ran, 0).contains("no such file"));
    assert!(expect(&ran, 0).contains("plan.json"));
}

#[test]
fn a_history_without_a_final_phase_says_nothing_of_the_cluster() {
    let bench = bench();
    let told = expect(&quorate(bench.path(), &["check", "bad.jsonl"]), 1);
    let line = told.lines().find(|line| line.trim().starts_with("aftermath")).unwrap();
    assert!(line.ends_with("no final phase was recorded"), "{line}");
    run(bench.path());
    let told = expect(&quorate(bench.path(), &["check", "results/latest"]), 0);
    let line = told.lines().find(|line| line.trim().starts_with("aftermath")).unwrap();
    assert!(line.trim_end().ends_with("valid"), "{line}");
}

#[test]
fn conversions_write_into_what_is_there_but_not_over_what_they_read() {
    let bench = bench();
    let at = |name: &str| bench.path().join(name);
    // A pipe stays one.
    let made = Command::new("mkfifo").arg(at("pipe.edn")).status().unwrap();
    assert!(made.success());
    let pipe = at("pipe.edn");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
        text
    });
    expect(&quorate(bench.path(), &["convert", "bad.jsonl", "pipe.edn"]), 0);
    assert_eq!(reader.join().unwrap().lines().count(), 4);
    assert!(!fs::metadata(at("pipe.edn")).unwrap().is_file());
    // So does a link, whatever it leads to.
    fs::write(at("file.edn"), "").unwrap();
    symlink("file.edn", at("link.edn")).unwrap();
    symlink("new.edn", at("dangling.edn")).unwrap();
    for (name, target) in [("link.edn", "file.edn"), ("dangling.edn", "new.edn")] {
        expect(&quorate(bench.path(), &["convert", "bad.jsonl", name]), 0);
        assert!(at(name).is_symlink());
        assert_eq!(fs::read_to_string(at(target)).unwrap().lines().count(), 4);
    }
    symlink("bad.jsonl", at("again.jsonl")).unwrap();
    for out in ["bad.jsonl", "./bad.jsonl", "again.jsonl"] {
        let ran = quorate(bench.path(), &["convert", "bad.jsonl", out, "--to", "edn"]);
        assert!(complaint(&ran, 254).contains("the same file"), "{out}");
    }
    assert_eq!(fs::read_to_string(at("bad.jsonl")).unwrap(), lines(&STALE));
}

#[test]
fn places_that_are_not_there_are_the_askers_trouble() {
    let bench = bench();
    fs::write(bench.path().join("file"), "").unwrap();
    for args in [
        &["convert", "nowhere.jsonl", "x.edn"][..],
        &["convert", "bad.jsonl", "nowhere/x.edn"],
        &["convert", "bad.jsonl", ".", "--to", "edn"],
        &["compare", "bad.jsonl", "--html", "nowhere/c.html"],
        &["check", "bad.jsonl", "--minimal", "nowhere/m"],
        &["run", "null", "--nemesis", "none", "-t", "100ms", "--results", "file"],
        &["sim", "raft-kv", "-t", "100ms", "--results", "file/below"],
    ] {
        complaint(&quorate(bench.path(), args), 254);
    }
    // Nobody asked for a full disk.
    let full = quorate(bench.path(), &["convert", "bad.jsonl", "/dev/full", "--to", "edn"]);
    complaint(&full, 255);
}

#[test]
fn a_run_that_was_interrupted_says_so() {
    for signal in ["INT", "TERM"] {
        let bench = tempfile::tempdir().unwrap();
        let args = ["run", "null", "--nemesis", "none", "-t", "30s", "-r", "50"];
        let mut child = command(bench.path(), &args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The first lines say that it has begun.
        let mut stderr = child.stderr.take().unwrap();
        let mut told = Vec::new();
        while !String::from_utf8_lossy(&told).contains("no cluster to start") {
            let mut byte = [0];
            assert_eq!(stderr.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&told));
            told.push(byte[0]);
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
        let out = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(text.contains("interrupted after 0.") && text.contains("s of 30 s"), "{text}");
        let line = text.lines().find(|line| line.trim().starts_with("aftermath")).unwrap();
        assert!(line.ends_with("no final phase was recorded"), "{line}");
        let verdict = fs::read(bench.path().join("results/latest/verdict.json")).unwrap();
        let verdict: Value = serde_json::from_slice(&verdict).unwrap();
        assert!(verdict["notes"][0].as_str().unwrap().starts_with("interrupted after"));
        let report = fs::read_to_string(bench.path().join("results/latest/report.html")).unwrap();
        assert!(report.contains("interrupted after"));
        let again = quorate(bench.path(), &["check", "results/latest"]);
        assert!(String::from_utf8_lossy(&again.stdout).contains("interrupted after"));
    }
}
