//! `quorate compare`, and `quorate check --model` for the weaker models, as a person calls them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "common/binary.rs"]
mod binary;

use binary::{expect, quorate};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// One operation after the other: `(process, f, key, value)`.
fn write(path: &Path, steps: &[(u32, &str, &str, Value)]) {
    let mut text = String::new();
    for (at, (process, f, key, value)) in steps.iter().enumerate() {
        for (end, kind) in [(0, "invoke"), (1, "ok")] {
            let told = if *f == "read" && kind == "invoke" { &Value::Null } else { value };
            let event = json!({
                "time": (2 * at + end) * 1_000_000, "process": process, "type": kind,
                "f": f, "key": key, "value": told,
            });
            writeln!(text, "{event}").unwrap();
        }
    }
    fs::write(path, text).unwrap();
}

/// Two processes that see two writes in different orders: causal memory, no convergence.
fn torn(path: &Path) {
    let steps = [
        (0, "write", "x", json!(1)),
        (1, "write", "x", json!("<script>alert(1)</script>")),
        (0, "read", "x", json!("<script>alert(1)</script>")),
        (1, "read", "x", json!(1)),
    ];
    write(path, &steps);
}

/// What came first is seen last: PRAM alone.
fn effect_without_cause(path: &Path) {
    let steps = [
        (0, "write", "x", json!(1)),
        (0, "write", "x", json!(2)),
        (1, "read", "x", json!(2)),
        (1, "write", "y", json!(3)),
        (2, "read", "y", json!(3)),
        (2, "read", "x", json!(1)),
    ];
    write(path, &steps);
}

#[test]
fn histories_stand_side_by_side() {
    let bench = tempfile::tempdir().unwrap();
    torn(&bench.path().join("torn.jsonl"));
    effect_without_cause(&bench.path().join("effect.jsonl"));
    let args = ["compare", "torn.jsonl", "effect.jsonl", "--html", "page.html"];
    let text = expect(&quorate(bench.path(), &args), 0);
    let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&row("causal-memory "))[1..], ["yes", "no", "(by", "causal)"]);
    assert_eq!(words(&row("causal-convergence "))[1..4], ["no", "(1", "key)"]);
    assert_eq!(words(&row("PRAM "))[1..], ["yes", "(by", "causal-memory)", "yes"]);
    let strongest = row("strongest ");
    assert!(strongest.contains("causal-memory, ") && strongest.contains("PRAM, "), "{text}");
    assert_eq!(words(&row("writes-follow-reads "))[1..], ["yes", "no", "(1", "key)"]);
    assert_eq!(words(&row("versions "))[3..], ["2", "2"]);
    assert!(text.contains("effect.jsonl is not causal\n"), "{text}");
    assert!(text.contains("E: process 2 reads \"y\" = 3"), "{text}");

    let json = [&args[..3], &["--format", "json"]].concat();
    let json: Value = serde_json::from_str(&expect(&quorate(bench.path(), &json), 0)).unwrap();
    let columns: Vec<&Value> = json["columns"].as_array().unwrap().iter().collect();
    assert_eq!(columns[0]["strongest"][0], "causal-memory");
    assert_eq!(columns[1]["evidence"][0]["model"], "causal");
    assert_eq!(json["models"][0]["model"], "linearizable");
    assert_eq!(json["models"][0]["columns"]["torn.jsonl"]["valid"], false);

    let page = fs::read_to_string(bench.path().join("page.html")).unwrap();
    assert_eq!(page.matches("<svg").count(), 2);
    assert!(page.contains("✓ causal-memory") && page.contains("✗ sequential"));
    assert!(!page.contains("<script") && !page.contains("http:"), "the page is not alone");
}

#[test]
fn transactions_are_compared_by_their_lattice() {
    let bench = tempfile::tempdir().unwrap();
    let skew = "r(1,0,1,1)\nw(2,5,1,1)\nr(2,0,2,2)\nw(1,6,2,2)\n";
    fs::write(bench.path().join("skew.plume"), skew).unwrap();
    let mut lists = String::new();
    for (at, value) in [json!([["append", "x", 1]]), json!([["r", "x", [1]]])].iter().enumerate() {
        for kind in ["invoke", "ok"] {
            let event = json!({
                "time": at, "process": 0, "type": kind, "f": "txn", "value": value,
            });
            writeln!(lists, "{event}").unwrap();
        }
    }
    fs::write(bench.path().join("lists.jsonl"), lists).unwrap();
    let args = ["compare", "skew.plume", "lists.jsonl", "--format", "json"];
    let json: Value = serde_json::from_str(&expect(&quorate(bench.path(), &args), 0)).unwrap();
    let cell = |model: &str, column: &str| {
        let rows = json["models"].as_array().unwrap();
        let row = rows.iter().find(|row| row["model"] == model).unwrap();
        row["columns"][column]["valid"].clone()
    };
    assert_eq!(cell("serializable", "skew.plume"), false);
    assert_eq!(cell("strong-session-snapshot-isolation", "skew.plume"), true);
    assert_eq!(cell("read-atomic", "skew.plume"), true);
    assert_eq!(cell("strict-serializable", "lists.jsonl"), true);
    assert_eq!(json["columns"][1]["strongest"], json!(["strict-serializable"]));
    // Sessions without times tell nothing of real time.
    assert_eq!(cell("strong-snapshot-isolation", "skew.plume"), "unknown");
    assert_eq!(json["columns"][0]["evidence"][0]["model"], "repeatable-read");
}

#[test]
fn targets_run_the_same_operations_under_the_same_faults() {
    let bench = tempfile::tempdir().unwrap();
    let args = ["compare", "--targets", "raft-kv,raft-kv:bug=follower-read", "--sim", "-q"];
    let more = ["--workload", "register", "--nemesis", "partition", "--seed", "7", "-t", "6s"];
    let compared = |results: &str, format: &str| {
        let rest = ["--nemesis-interval", "1s", "--results", results, "--format", format];
        expect(&quorate(bench.path(), &[&args[..], &more[..], &rest[..]].concat()), 0)
    };
    let mut json: Value = serde_json::from_str(&compared("one", "json")).unwrap();
    let columns = json["columns"].as_array().unwrap().clone();
    assert_eq!(columns[0]["strongest"], json!(["linearizable"]));
    assert_eq!(columns[0]["k_atomicity"]["worst"], 1);
    assert_eq!(columns[0]["service"]["pacelc"], "PC/EC");
    let broken = &columns[1];
    assert_eq!(broken["name"], "raft-kv:bug=follower-read");
    assert!(broken["strongest"] != json!(["linearizable"]), "{broken}");
    assert!(broken["k_atomicity"]["worst"].as_u64().unwrap() > 1, "{broken}");
    let asked = |column: &Value| -> Vec<Value> {
        let folder = bench.path().join(column["source"].as_str().unwrap());
        let history = fs::read_to_string(folder.join("history.jsonl")).unwrap();
        let events = history.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let asked = events.filter(|event| event["type"] == "invoke");
        let asked = asked.map(|event| json!([event["f"], event["key"], event["value"]]));
        asked.take(1000).collect()
    };
    let both = [asked(&columns[0]), asked(&columns[1])];
    let sorted = both.map(|mut all| {
        all.sort_by_key(ToString::to_string);
        all
    });
    assert_eq!(sorted[0], sorted[1]);
    assert!(sorted[0].len() == 1000);
    assert!(bench.path().join("one/compare.html").is_file());

    // The same bytes for a seed, but for where the runs are.
    let mut again: Value = serde_json::from_str(&compared("two", "json")).unwrap();
    for comparison in [&mut json, &mut again] {
        for column in comparison["columns"].as_array_mut().unwrap() {
            column["source"] = Value::Null;
        }
    }
    assert_eq!(json, again);
    let text = compared("three", "text");
    assert!(text.contains("raft-kv: PC/EC, raft-kv:bug=follower-read: "), "{text}");
}

#[test]
fn the_weaker_models_are_models_of_check() {
    let bench = tempfile::tempdir().unwrap();
    torn(&bench.path().join("torn.jsonl"));
    effect_without_cause(&bench.path().join("effect.jsonl"));
    let check = |file: &str, model: &str, code: i32| {
        expect(&quorate(bench.path(), &["check", file, "--model", model]), code)
    };
    for (model, torn, effect) in [
        ("sequential", 1, 1),
        ("causal-memory", 0, 1),
        ("causal-convergence", 1, 1),
        ("causal", 0, 1),
        ("pram", 0, 0),
    ] {
        check("torn.jsonl", model, torn);
        check("effect.jsonl", model, effect);
    }
    assert!(check("effect.jsonl", "causal", 1).contains("not-causal"));
}

#[test]
fn what_is_wrong_is_said() {
    let bench = tempfile::tempdir().unwrap();
    for args in [
        &["compare"][..],
        &["compare", "nowhere.jsonl"],
        &["compare", "--targets", "raft"],
        &["compare", "--targets", "raft-kv:bug"],
        &["compare", "--targets", "null", "--sim"],
    ] {
        expect(&quorate(bench.path(), args), 254);
    }
}

#[test]
fn what_is_undecided_says_so_and_what_follows_is_used() {
    let bench = tempfile::tempdir().unwrap();
    let one = |process| (process, "write", "x", json!(1));
    let read = (2, "read", "x", json!(1));
    write(&bench.path().join("fine.jsonl"), &[one(0), one(1), read.clone()]);
    let overwritten = [one(0), one(1), (0, "write", "x", json!(2)), read];
    write(&bench.path().join("late.jsonl"), &overwritten);
    fs::write(bench.path().join("empty.jsonl"), "").unwrap();
    let args = ["compare", "fine.jsonl", "late.jsonl", "empty.jsonl"];
    let text = expect(&quorate(bench.path(), &args), 0);
    let row = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line[20..].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(row("linearizable "), ["yes", "no (1 key)", "unknown"]);
    assert_eq!(row("sequential "), ["yes", "yes", "unknown"]);
    assert_eq!(row("PRAM ")[1], "yes (by causal-memory)");
    for weaker in ["causal-memory ", "causal ", "session-guarantees ", "monotonic-reads "] {
        assert_eq!(row(weaker), ["yes", "yes (by sequential)", "unknown"], "{weaker}");
    }
    assert_eq!(row("time behind "), ["unknown (1 key)", "unknown (1 key)", "unknown"]);
    assert!(text.contains("the history has no operations"), "{text}");
}

#[test]
fn a_session_guarantee_is_a_model_of_check() {
    let bench = tempfile::tempdir().unwrap();
    effect_without_cause(&bench.path().join("effect.jsonl"));
    let check = |models: &[&str], code: i32| {
        let models = models.iter().flat_map(|model| ["--model", model]);
        let args: Vec<&str> = ["check", "effect.jsonl"].into_iter().chain(models).collect();
        expect(&quorate(bench.path(), &args), code)
    };
    check(&["read-your-writes"], 0);
    check(&["monotonic-writes"], 0);
    assert!(check(&["writes-follow-reads"], 1).contains("writes-follow-reads"));
    check(&["session-guarantees"], 1);
    check(&["PRAM", "Monotonic-Reads"], 0);
    check(&["PRAM", "writes-follow-reads"], 1);
    check(&["causal", "monotonic-reads"], 1);
    let models = expect(&quorate(bench.path(), &["list", "models"]), 0);
    for name in ["session-guarantees", "read-your-writes", "writes-follow-reads"] {
        assert!(models.contains(&format!("  {name}  ")), "{models}");
    }
}
