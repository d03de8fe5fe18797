//! `quorate check` on histories of transactions.

use crate::support::{Bench, Ran};

const LINES: [&str; 4] = [
    r#"{"time":0,"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["append","y",1]]}"#,
    r#"{"time":1,"process":1,"type":"invoke","f":"txn","value":[["r","y",null],["append","x",1]]}"#,
    r#"{"time":2,"process":0,"type":"ok","f":"txn","value":[["r","x",null],["append","y",1]]}"#,
    r#"{"time":3,"process":1,"type":"ok","f":"txn","value":[["r","y",null],["append","x",1]]}"#,
];

/// Checks a history, written as a file of this name.
fn check(bench: &Bench, name: &str, lines: &[&str], args: &[&str]) -> Ran {
    let path = bench.folder.path().join(name);
    std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    bench.quorate(&[&["check", &path.display().to_string()], args].concat())
}

#[test]
fn write_skew_is_told_and_allowed_where_it_may_be() {
    let bench = Bench::new();
    let ran = check(&bench, "h.jsonl", &LINES, &[]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    for text in ["INVALID", "G2-item", "not repeatable-read", "strong-snapshot-isolation"] {
        assert!(ran.stdout.contains(text), "no {text:?}: {}", ran.stdout);
    }
    assert!(ran.stderr.contains("transactions of append, by their operations"), "{}", ran.stderr);
    let cases: &[(&[&str], i32)] = &[
        (&["--workload", "append"], 1),
        (&["--model", "serializable"], 1),
        (&["--model", "PL-2.99"], 1),
        (&["--model", "snapshot-isolation"], 0),
        (&["--model", "snapshot-isolation", "--model", "serializable"], 1),
        (&["--workload", "append", "--model", "strong-snapshot-isolation"], 0),
        (&["--anomaly", "G1", "--anomaly", "G0"], 0),
        (&["--anomaly", "G2"], 1),
        (&["--workload", "wr"], 2),
        (&["--model", "serialisable"], 254),
        (&["--anomaly", "G3"], 254),
        (&["--workload", "register", "--model", "serializable"], 254),
    ];
    for (args, code) in cases {
        let ran = check(&bench, "h.jsonl", &LINES, args);
        assert_eq!(ran.code, Some(*code), "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn completions_alone_are_enough() {
    let bench = Bench::new();
    for name in ["h.json", "h.jsonl"] {
        let ran = check(&bench, name, &LINES[2..], &["--format", "json"]);
        assert_eq!(ran.code, Some(1), "{name}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("had no invocation"), "{}", ran.stderr);
        let verdict: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(verdict["anomaly_types"], serde_json::json!(["G2-item"]));
        assert_eq!(verdict["models"]["snapshot-isolation"], serde_json::json!(true));
        assert_eq!(verdict["models"]["serializable"], serde_json::json!(false));
        let steps = verdict["anomalies"][0]["steps"].as_array().unwrap();
        assert!(steps.iter().all(|step| step["type"] == "rw"), "{steps:?}");
    }
    // Where some invocations are there, one that is missing is an error.
    let ran = check(&bench, "h.jsonl", &[LINES[0], LINES[2], LINES[3]], &[]);
    assert_eq!(ran.code, Some(254), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn rules_for_keys_find_more() {
    let bench = Bench::new();
    let lines = [
        r#"{"time":0,"process":0,"type":"invoke","f":"txn","value":[["w","x",1]]}"#,
        r#"{"time":1,"process":0,"type":"ok","f":"txn","value":[["w","x",1]]}"#,
        r#"{"time":2,"process":0,"type":"invoke","f":"txn","value":[["w","x",2]]}"#,
        r#"{"time":3,"process":0,"type":"ok","f":"txn","value":[["w","x",2]]}"#,
        r#"{"time":4,"process":1,"type":"invoke","f":"txn","value":[["r","x",null]]}"#,
        r#"{"time":5,"process":1,"type":"ok","f":"txn","value":[["r","x",1]]}"#,
    ];
    for (args, code) in [
        (&[][..], 0),
        (&["--wfr-keys"], 0),
        (&["--sequential-keys"], 1),
        (&["--linearizable-keys"], 1),
    ] {
        let ran = check(&bench, "h.jsonl", &lines, args);
        assert_eq!(ran.code, Some(code), "{args:?}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn models_and_the_checker_are_listed() {
    let bench = Bench::new();
    let models = bench.quorate(&["list", "models"]).stdout;
    for name in ["snapshot-isolation", "strong-session-serializable", "PL-2.99", "read-atomic"] {
        assert!(models.contains(name), "no {name}: {models}");
    }
    assert!(bench.quorate(&["list", "checkers"]).stdout.contains("transactions"));
}
