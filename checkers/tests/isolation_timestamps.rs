//! Snapshot isolation against the database's own timestamps.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use quorate_checkers::history::{History, jsonl};
use quorate_checkers::transactions::isolation::check_timestamps;
use quorate_checkers::verdict::Valid;
use std::fmt::Write as _;

/// A history of transactions, each `process, value, timestamps`, one after another.
fn history(txns: &[(u32, &str, &str)]) -> History {
    let mut text = String::new();
    for (process, value, stamps) in txns {
        for (kind, extra) in [("invoke", ""), ("ok", *stamps)] {
            let _ = writeln!(
                text,
                "{{\"time\":0,\"process\":{process},\"type\":\"{kind}\",\"f\":\"txn\",\
                 \"value\":{value}{extra}}}"
            );
        }
    }
    jsonl::read(text.as_bytes(), "test").unwrap()
}

#[track_caller]
fn check(txns: &[(u32, &str, &str)], valid: Valid, kinds: &[&str]) {
    let report = check_timestamps(&history(txns)).unwrap();
    let found: Vec<&str> = report.anomalies.iter().map(|anomaly| anomaly.kind.as_str()).collect();
    assert_eq!((report.valid, &found[..]), (valid, kinds), "{report:?}");
    assert_eq!(report.why.is_some(), valid != Valid::True);
}

const FIRST: &str = r#","start-ts":1,"commit-ts":5"#;

#[test]
fn snapshots_hold_what_was_committed_before_them() {
    let first = (0, r#"[["r","x",null],["w","x",1],["r","x",1]]"#, FIRST);
    let early = (1, r#"[["r","x",null]]"#, r#","start-ts":4"#);
    let late = (2, r#"[["r","x",1],["w","y",2]]"#, r#","start-ts":5,"commit-ts":6"#);
    check(&[first, early, late], Valid::True, &[]);
    let stale = (1, r#"[["r","x",null]]"#, r#","start-ts":6"#);
    check(&[first, stale], Valid::False, &["stale-snapshot-read"]);
    let ahead = (1, r#"[["r","x",1]]"#, r#","start-ts":4"#);
    check(&[first, ahead], Valid::False, &["stale-snapshot-read"]);
    let forgets = (1, r#"[["w","y",3],["r","y",4]]"#, r#","start-ts":7,"commit-ts":8"#);
    check(&[forgets], Valid::False, &["internal"]);
}

#[test]
fn nobody_overwrites_what_changed_since_the_snapshot() {
    let first = (0, r#"[["w","x",1]]"#, FIRST);
    let second = (1, r#"[["w","x",2]]"#, r#","start-ts":3,"commit-ts":7"#);
    check(&[first, second], Valid::False, &["write-conflict"]);
    let other = (1, r#"[["w","y",2]]"#, r#","start-ts":3,"commit-ts":7"#);
    check(&[first, other], Valid::True, &[]);
}

#[test]
fn sessions_go_forward() {
    let first = (0, r#"[["w","x",1]]"#, FIRST);
    let second = (0, r#"[["r","x",null]]"#, r#","start-ts":4"#);
    check(&[first, second], Valid::False, &["stale-snapshot"]);
    let back = (1, r#"[["w","x",1]]"#, r#","start-ts":9,"commit-ts":8"#);
    check(&[back], Valid::False, &["time-goes-back"]);
}

#[test]
fn one_time_for_both_is_a_serial_order() {
    let first = (0, r#"[["w","x",1]]"#, r#","start-ts":5,"commit-ts":5"#);
    let second = (1, r#"[["r","x",1],["w","x",2]]"#, r#","start-ts":6,"commit-ts":6"#);
    let report = check_timestamps(&history(&[first, second])).unwrap();
    assert_eq!(report.models.get("strong-session-serializable"), Some(&Valid::True));
    let spread = check_timestamps(&history(&[(0, r#"[["w","x",1]]"#, FIRST)])).unwrap();
    assert_eq!(spread.models.len(), 1, "{spread:?}");
}

#[test]
fn what_has_no_timestamps_is_left_open() {
    let none = (1, r#"[["w","y",1]]"#, "");
    assert!(check_timestamps(&history(&[none])).is_none());
    let reads = (0, r#"[["r","y",1],["w","x",1]]"#, FIRST);
    check(&[none, reads], Valid::Unknown, &[]);
}
