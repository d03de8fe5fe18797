//! Rows and reads by predicate: each anomaly in a history that shows it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod transactions_support;

use quorate_checkers::format::{Format, Options as Reading, read};
use quorate_checkers::history::History;
use quorate_checkers::transactions::{KeyRules, Options, Workload, check};
use quorate_checkers::verdict::{CheckerReport, Valid};
use std::collections::BTreeSet;
use std::fmt::Write;
use transactions_support::written::history;

fn judge(history: &History, model: &str, wfr: bool) -> CheckerReport {
    let keys = KeyRules { reads_before_writes: wfr, ..KeyRules::default() };
    let models = vec![model.parse().unwrap()];
    let workload = Some(Workload::ClosedPredicate);
    check(history, &Options { workload, models, keys, ..Options::default() })
}

fn expect(report: &CheckerReport, expected: &[&str]) {
    let kinds: BTreeSet<&str> = report.anomalies.iter().map(|a| a.kind.as_str()).collect();
    assert_eq!(kinds, expected.iter().copied().collect(), "{report:#?}");
    assert_eq!(report.valid == Valid::False, !expected.is_empty(), "{report:#?}");
    assert_eq!(report.details["workload"], "closed-predicate");
    for anomaly in &report.anomalies {
        assert!(!anomaly.ops.is_empty() && !anomaly.explanation.is_empty(), "{anomaly:?}");
    }
}

/// What a history breaks of strict serializability.
fn check_kinds(text: &str, expected: &[&str]) {
    expect(&judge(&history(text), "strict-serializable", false), expected);
}

/// What it breaks of a weaker model.
fn check_model(text: &str, model: &str, expected: &[&str]) {
    expect(&judge(&history(text), model, false), expected);
}

/// The history of committed transactions, each with its process and the moments at which it began
/// and ended.
fn timed(txns: &[(u32, u32, u32, &str)]) -> History {
    let mut events: Vec<(u32, String)> = Vec::new();
    for (process, begin, end, ops) in txns {
        for (at, kind) in [(begin, "invoke"), (end, "ok")] {
            let mut line = String::new();
            write!(line, r#"{{"type":"{kind}","process":{process},"f":"txn","value":[{ops}]}}"#)
                .unwrap();
            events.push((*at, line));
        }
    }
    events.sort();
    let lines: Vec<String> = events.into_iter().map(|event| event.1).collect();
    let text = lines.join("\n");
    read(text.as_bytes(), "test", Format::ElleJson, Reading::default()).unwrap().history
}

const SKEW: &str = r#"(
    0 ok ["rp",true,{}],["insert","x",1]
    1 ok ["rp",true,{}],["insert","y",1]
    )"#;

#[test]
fn write_skew_through_a_predicate() {
    check_kinds(SKEW, &["G2"]);
    // Nothing but the predicate shows it, and snapshot isolation allows it.
    check_model(SKEW, "repeatable-read", &[]);
    check_model(SKEW, "snapshot-isolation", &[]);
    let updates = r#"0 init {"x":0,"y":0}
        (
        0 ok ["rp",["=",1],{}],["w","x",1]
        1 ok ["rp",["=",1],{}],["w","y",1]
        )"#;
    check_kinds(updates, &["G2"]);
    let divided = r#"(
        0 ok ["rp",["mod",2,0],{}],["insert","x",2]
        1 ok ["rp",["mod",2,0],{}],["insert","y",3],["insert","z",4]
        )"#;
    check_kinds(divided, &["G2"]);
    // What the other inserted does not match.
    let apart = r#"(
        0 ok ["rp",["mod",2,0],{}],["insert","x",2]
        1 ok ["rp",["mod",2,0],{}],["insert","y",3]
        )"#;
    check_kinds(apart, &[]);
}

#[test]
fn half_of_a_transaction_and_long_forks() {
    let half = r#"(
        0 ok ["insert","x",1],["insert","y",1]
        1 ok ["rp",true,{"x":1}]
        )"#;
    check_kinds(half, &["G-single"]);
    check_model(half, "snapshot-isolation", &["G-single"]);
    check_model(half, "consistent-view", &["G-single"]);
    check_model(half, "read-committed", &[]);
    let fork = r#"(
        0 ok ["insert","x",1]
        1 ok ["insert","y",1]
        2 ok ["rp",true,{"x":1}]
        3 ok ["rp",true,{"y":1}]
        )"#;
    check_kinds(fork, &["G-nonadjacent"]);
    check_model(fork, "snapshot-isolation", &["G-nonadjacent"]);
}

#[test]
fn circular_information_flow_through_what_is_not_there() {
    let found = r#"(
        0 ok ["rp",true,{"y":2}],["w","x",1]
        1 ok ["rp",true,{"x":1}],["w","y",2]
        )"#;
    check_kinds(found, &["G1c"]);
    // Each must have seen the other's write, or it had found the row.
    let written = r#"0 init {"x":0,"y":0}
        (
        0 ok ["rp",["=",0],{"x":0}],["w","x",1]
        1 ok ["rp",["=",0],{"y":0}],["w","y",1]
        )"#;
    check_kinds(written, &["G1c"]);
    check_model(written, "read-committed", &["G1c"]);
    let deleted = r#"0 init {"x":0,"y":0}
        (
        0 ok ["delete","x",null],["rp",true,{}]
        1 ok ["delete","y",null],["rp",true,{}]
        )"#;
    check_kinds(deleted, &["G1c"]);
    let by_key = r#"0 init {"x":0,"z":0}
        (
        0 ok ["r","z",3],["delete","x",null]
        1 ok ["r","x",null],["insert","y",2]
        2 ok ["r","y",2],["w","z",3]
        )"#;
    check_kinds(by_key, &["G1c"]);
}

#[test]
fn the_initial_rows_are_a_transaction_too() {
    let by_key = r#"0 init {"x":0,"z":0}
        (
        0 ok ["delete","x",null],["insert","y",1]
        1 ok ["r","y",1],["r","z",null]
        )"#;
    check_model(by_key, "serializable", &["G-single-item"]);
    let both = r#"0 init {"7":1}
        1 ok ["rp",["mod",2,0],{}],["r",7,null]"#;
    check_model(both, "serializable", &["G-single"]);
    let before = r#"0 init {"x":0}
        1 ok ["r","x",null]"#;
    check_kinds(before, &["G-single-item-realtime"]);
}

#[test]
fn misses() {
    let missed = r#"0 init {"5":3}
        1 ok ["rp",["mod",2,1],{}],["rp",["=",3],{}]"#;
    check_model(missed, "serializable", &["predicate-read-miss"]);
    let report = judge(&history(missed), "serializable", false);
    assert_eq!(report.anomalies.len(), 2);
    let words =
        "read by predicate [\"mod\",2,1] and did not find 5, of which every version matches";
    assert!(report.anomalies[0].explanation.contains(words), "{report:#?}");
    check_model(missed, "repeatable-read", &[]);
    // A write that might have hidden the row explains it, an aborted one does not.
    let hidden = r#"0 init {"x":3}
        (
        1 ok ["w","x",4]
        2 ok ["rp",["=",3],{}]
        )"#;
    check_kinds(hidden, &[]);
    check_kinds(&hidden.replace("1 ok", "1 info"), &[]);
    check_kinds(&hidden.replace("1 ok", "1 fail"), &["predicate-read-miss"]);
    check_kinds(
        r#"0 init {"x":3}
        1 ok ["rp",["=",4],{"x":3}]"#,
        &["predicate-read-miss"],
    );
}

#[test]
fn what_single_reads_have_wrong() {
    check_kinds("(\n0 fail [\"insert\",\"x\",1]\n1 ok [\"rp\",true,{\"x\":1}]\n)", &["G1a"]);
    check_kinds(
        r#"(
        0 ok ["insert","x",1],["w","x",2]
        1 ok ["rp",true,{"x":1}]
        )"#,
        &["G1b"],
    );
    check_kinds(r#"0 ok ["rp",true,{"x":1}]"#, &["garbage-read"]);
    check_kinds(r#"0 ok ["rp",true,{"x":1}],["insert","x",1]"#, &["future-read"]);
    // Its own insertion is missing, its own deletion is back.
    check_kinds(r#"0 ok ["insert","x",1],["rp",["=",1],{}]"#, &["internal"]);
    check_kinds(
        r#"0 init {"x":1}
        0 ok ["delete","x",null],["rp",true,{"x":1}]"#,
        &["internal"],
    );
    check_kinds(
        r#"0 init {"x":0}
        (
        0 ok ["r","x",0],["w","x",1]
        1 ok ["r","x",0],["w","x",2]
        )"#,
        &["G2-item", "lost-update"],
    );
}

#[test]
fn what_nobody_knows_counts_once_nothing_else_explains_a_read() {
    let crashed = |seen: &str| {
        format!(
            r#"0 init {{"x":0}}
            (
            0 info ["w","x",1],["insert","y",1]
            1 ok ["rp",["=",0],{seen}],["r","y",null]
            )"#
        )
    };
    check_kinds(&crashed("{}"), &["G-single"]);
    check_kinds(&crashed(r#"{"x":0}"#), &[]);
    // Another one of unknown outcome may have hidden it just as well.
    let either = crashed("{}").replace("(\n", "(\n2 info [\"delete\",\"x\",null]\n");
    check_kinds(&either, &[]);
}

#[test]
fn order_that_a_rule_tells() {
    let fractured = history(
        r#"0 init {"x":0}
        (
        0 ok ["r","x",0],["w","x",1]
        1 ok ["r","x",1],["w","x",2],["insert","y",1]
        2 ok ["r","x",1],["rp",["=",1],{"x":1,"y":1}]
        )"#,
    );
    expect(&judge(&fractured, "serializable", false), &[]);
    expect(&judge(&fractured, "serializable", true), &["G-single-item"]);
}

const V: &str = r#"["insert","v",1]"#;
const U: &str = r#"["insert","u",2]"#;
const NO_V: &str = r#"["rp",["=",1],{}]"#;
const NO_U: &str = r#"["rp",["=",2],{}]"#;

#[test]
fn sessions_and_real_time() {
    let stale = format!("{{}} ok {V}\n {{}} ok {NO_V}");
    let by = |first: &str, second: &str| stale.replacen("{}", first, 1).replacen("{}", second, 1);
    check_kinds(&by("0", "0"), &["G-single-process"]);
    check_kinds(&by("0", "1"), &["G-single-realtime"]);
    check_model(&by("0", "1"), "strong-session-serializable", &[]);
    check_model(&by("0", "0"), "serializable", &[]);

    // Process 0 inserts v and then misses u, whose writer missed v; nothing else is in the way.
    let missed = format!("{NO_V},{U}");
    let skew = |second: u32| timed(&[(0, 1, 10, V), (second, 11, 30, NO_U), (5, 2, 20, &missed)]);
    expect(&judge(&skew(0), "strict-serializable", false), &["G2-process"]);
    expect(&judge(&skew(1), "strict-serializable", false), &["G2-realtime"]);
    expect(&judge(&skew(1), "strong-session-serializable", false), &[]);
    expect(&judge(&skew(0), "strong-session-snapshot-isolation", false), &[]);

    // Here u was read on its way.
    let seen = format!(r#"["r","u",2],{NO_V}"#);
    let fork = |second: u32| {
        timed(&[(0, 1, 10, V), (second, 11, 20, NO_U), (5, 5, 15, U), (6, 2, 100, &seen)])
    };
    expect(&judge(&fork(0), "strict-serializable", false), &["G-nonadjacent-process"]);
    expect(&judge(&fork(1), "strict-serializable", false), &["G-nonadjacent-realtime"]);
    expect(
        &judge(&fork(0), "strong-session-snapshot-isolation", false),
        &["G-nonadjacent-process"],
    );
    expect(&judge(&fork(1), "strong-snapshot-isolation", false), &["G-nonadjacent-realtime"]);
}

#[test]
fn a_cycle_is_told_in_words() {
    let report = judge(&history(SKEW), "serializable", false);
    let anomaly = &report.anomalies[0];
    let expected = serde_json::json!([
        {"type": "rwp", "text": "T1 read by predicate true and did not see T2's insert of y = 1",
            "key": "y", "value": "unborn", "value'": 1, "a-mop-index": 0, "b-mop-index": 1},
        {"type": "rwp", "text": "T2 read by predicate true and did not see T1's insert of x = 1",
            "key": "x", "value": "unborn", "value'": 1, "a-mop-index": 0, "b-mop-index": 1},
    ]);
    assert_eq!(anomaly.evidence["steps"], expected);
    assert!(anomaly.explanation.contains("rp true {}, insert x 1"), "{}", anomaly.explanation);
    let words = |text: &str, part: &str| {
        let report = judge(&history(text), "strict-serializable", false);
        assert!(report.why.as_ref().unwrap().contains(part), "{report:#?}");
    };
    words(
        r#"(
        0 ok ["insert","x",4],["insert","y",5]
        1 ok ["rp",["=",4],{}],["r","y",5]
        )"#,
        "read by predicate [\"=\",4] and did not see T2's insert of x = 4",
    );
    words(
        r#"0 init {"x":0,"y":0}
        (
        0 ok ["rp",["=",0],{"x":0}],["w","x",1]
        1 ok ["rp",["=",0],{"y":0}],["w","y",1]
        )"#,
        "read by predicate [\"=\",0] and did not find x, which T1's write of x = 1 explains",
    );
}

#[test]
fn what_cannot_be_judged_is_not_valid() {
    let twice = "0 ok [\"insert\",\"x\",1]\n 1 ok [\"w\",\"x\",1]\n 2 ok [\"r\",\"x\",1]";
    let report = judge(&history(twice), "serializable", false);
    assert_eq!(report.valid, Valid::Unknown);
    assert!(report.why.unwrap().contains("1 was written to x twice"));
    let nonsense = judge(&history(r#"0 ok ["rp",["<",3],{}]"#), "serializable", false);
    assert_eq!(nonsense.valid, Valid::Unknown);
    assert!(nonsense.why.unwrap().contains("expected a predicate"));
    let lists = history("0 ok [\"append\",\"x\",1]\n 0 ok [\"rp\",true,{}]");
    assert_eq!(judge(&lists, "serializable", false).valid, Valid::Unknown);
    for rows in [SKEW, "0 init {\"x\":0}\n 1 ok [\"r\",\"x\",0]"] {
        assert_eq!(Workload::guess(&history(rows)), Ok(Workload::ClosedPredicate));
    }
}
