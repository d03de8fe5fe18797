//! `quorate check --model` on histories that tools for black-box isolation wrote.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "common/binary.rs"]
mod binary;

use std::fs;
use std::path::Path;
use std::process::Output;

fn check(path: &Path, options: &[&str]) -> Output {
    let check = ["check", path.to_str().unwrap()];
    binary::quorate(Path::new("."), &[&check, options].concat())
}

/// The exit code and what was printed.
#[track_caller]
fn expect(path: &Path, options: &[&str], code: i32, said: &str) {
    let output = check(path, options);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{options:?}\n{out}\n{err}");
    assert!(format!("{out}{err}").contains(said), "{options:?}: no `{said}` in\n{out}\n{err}");
}

/// Write skew: each reads what the other overwrites.
const SKEW: &str = "r(1,0,1,1)\nw(2,5,1,1)\nr(2,0,2,2)\nw(1,6,2,2)\n";

#[test]
fn each_model_has_its_own_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("skew.plume");
    fs::write(&path, SKEW).unwrap();
    expect(&path, &["--model", "serializable"], 1, "G2-item");
    expect(&path, &["--model", "snapshot-isolation"], 0, "valid");
    for weak in ["read-committed", "read-atomic", "causal"] {
        expect(&path, &["--model", weak], 0, "valid");
    }
    expect(&path, &["--model", "strict-serializable"], 2, "no real time");
    expect(&path, &[], 1, "strong-session-serializable");
    expect(&path, &["--model", "serialisable"], 254, "serializable");
    let verdict = verdict(&path, &["--model", "serializable"]);
    assert_eq!(verdict["valid"], false);
    assert_eq!(verdict["models"]["serializable"], false);
    assert_eq!(verdict["anomalies"][0]["ops"], serde_json::json!([1, 3]));
}

/// A history of committed transactions, one by one; each with what else its last event tells.
fn committed(path: &Path, txns: &[(&str, &str)]) {
    let event = |kind: &str, (ops, more): &(&str, &str)| {
        format!(
            "{{\"time\":0,\"process\":0,\"type\":\"{kind}\",\"f\":\"txn\",\"value\":[{ops}]{more}}}\n"
        )
    };
    let text: String =
        txns.iter().map(|txn| event("invoke", &(txn.0, "")) + &event("ok", txn)).collect();
    fs::write(path, text).unwrap();
}

#[test]
fn reads_by_predicate_are_known_by_their_operations() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let rows = [(r#"["insert","x",4]"#, ""), (r#"["rp",["=",4],{}],["r","x",4]"#, "")];
    committed(&path, &rows);
    for options in [&["--workload", "closed-predicate"][..], &[], &["--anomaly", "G-single"]] {
        expect(&path, options, 1, "rp [\"=\",4] {}, r x 4");
    }
    expect(&path, &["--model", "read-committed"], 0, "valid");
    expect(&path, &["--workload", "wr"], 2, "makes no sense");
    let verdict = verdict(&path, &[]);
    assert_eq!(verdict["anomaly_types"], serde_json::json!(["G-single"]));
    assert_eq!(verdict["checkers"]["transactions"]["workload"], "closed-predicate");
}

#[test]
fn no_verdict_without_time_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("valid.jsonl");
    for (workload, ops) in [
        ("append", [r#"["append","x",1]"#, r#"["r","x",[1]]"#]),
        ("wr", [r#"["w","x",1]"#, r#"["r","x",1]"#]),
        ("closed-predicate", [r#"["insert","x",1]"#, r#"["rp",true,{"x":1}]"#]),
    ] {
        committed(&path, &[(ops[0], ""), (ops[1], "")]);
        expect(&path, &["--workload", workload], 0, "valid");
        expect(
            &path,
            &["--workload", workload, "--timeout", "0s"],
            2,
            "The time for checking ran out",
        );
    }
}

#[test]
fn an_order_of_transactions_can_be_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ordered.jsonl");
    let first = (r#"["r","x",null],["w","y",2]"#, r#","place":2"#);
    let second = (r#"["w","x",3],["w","y",4]"#, r#","place":1"#);
    committed(&path, &[first, second]);
    let model = ["--model", "serializable"];
    expect(&path, &model, 0, "valid");
    let ordered = [&model[..], &["--transaction-order", "place"]].concat();
    expect(&path, &ordered, 1, "of the given order");
    let missing = [&model[..], &["--transaction-order", "position"]].concat();
    expect(&path, &missing, 2, "There is no order to go by");
}

#[test]
fn a_folder_of_logs_is_one_history() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Vec::new();
    for (tag, numbers) in [(b'S', vec![1_i64]), (b'W', vec![7, 1, 1]), (b'C', vec![1])] {
        log.push(tag);
        for n in numbers {
            log.extend(n.to_be_bytes());
        }
    }
    fs::write(folder.path().join("T1.log"), &log).unwrap();
    fs::write(folder.path().join("T2.log"), []).unwrap();
    expect(folder.path(), &["--model", "serializable"], 0, "valid");
    log.push(b'?');
    fs::write(folder.path().join("T1.log"), &log).unwrap();
    expect(folder.path(), &["--model", "serializable"], 254, "T1.log");
}

#[test]
fn single_operations_are_judged_for_sequential_consistency() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stale.jsonl");
    let line = |process: u32, kind: &str, f: &str, value: &str| {
        format!(
            "{{\"time\":0,\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\
             \"key\":\"x\",\"value\":{value}}}\n"
        )
    };
    let write = line(0, "invoke", "write", "1") + &line(0, "ok", "write", "1");
    let read = |value| line(1, "invoke", "read", "null") + &line(1, "ok", "read", value);
    fs::write(&path, write.clone() + &read("null") + &read("1")).unwrap();
    expect(&path, &["--model", "sequential"], 0, "valid");
    expect(&path, &["--model", "linearizable"], 1, "");
    fs::write(&path, write + &read("1") + &read("null")).unwrap();
    expect(&path, &["--model", "sequential"], 1, "");
}

/// Transactions that all began before any of them ended, by one process each, behind some that
/// ran before them by one process.
fn concurrent(path: &Path, before: &[&str], txns: &[&str]) {
    let mut lines = Vec::new();
    let mut event = |process: usize, kind: &str, ops: &str| {
        let time = lines.len();
        lines.push(format!(
            "{{\"time\":{time},\"process\":{process},\"type\":\"{kind}\",\"f\":\"txn\",\"value\":[{ops}]}}\n"
        ));
    };
    for ops in before {
        event(0, "invoke", ops);
        event(0, "ok", ops);
    }
    for kind in ["invoke", "ok"] {
        for (at, ops) in txns.iter().enumerate() {
            event(at + 1, kind, ops);
        }
    }
    fs::write(path, lines.concat()).unwrap();
}

fn verdict(path: &Path, options: &[&str]) -> serde_json::Value {
    let output = check(path, &[&["--format", "json"], options].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn models_that_anomalies_do_not_name_are_judged_by_their_definition() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fractured.jsonl");
    let (writer, reader) =
        (r#"["append","x",1],["append","y",1]"#, r#"["r","y",[1]],["r","x",[]]"#);
    concurrent(&path, &[], &[writer, reader]);
    for model in ["read-atomic", "causal-cerone", "parallel-snapshot-isolation", "prefix"] {
        expect(&path, &["--model", model], 1, "contradiction");
    }
    expect(&path, &["--model", "monotonic-view"], 2, "is open");
    expect(&path, &["--model", "read-committed"], 0, "valid");
    let models = &verdict(&path, &["--model", "read-committed"])["models"];
    assert_eq!(models["read-atomic"], false);
    assert_eq!(models["monotonic-view"], "unknown");
    assert_eq!(models["read-committed"], true);
    // Two readers that disagree on the order of two writers: each snapshot is of its own order.
    let path = folder.path().join("fork.jsonl");
    let readers = [r#"["r","x",[1]],["r","y",[]]"#, r#"["r","x",[]],["r","y",[1]]"#];
    let writers = [r#"["append","x",1]"#, r#"["append","y",1]"#];
    concurrent(&path, &[], &[&writers[..], &readers].concat());
    expect(&path, &["--model", "prefix"], 1, "contradiction");
    expect(&path, &["--model", "parallel-snapshot-isolation"], 0, "valid");
}

#[test]
fn what_is_guessed_is_searched_and_what_is_named_is_judged_by_rules() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("skew.jsonl");
    let skew = [r#"["r","x",1],["w","y",4]"#, r#"["r","y",2],["w","x",3]"#];
    concurrent(&path, &[r#"["w","x",1],["w","y",2]"#], &skew);
    expect(&path, &[], 1, "G2-item");
    let models = &verdict(&path, &[])["models"];
    assert_eq!(models["serializable"], false);
    assert_eq!(models["strict-serializable"], false);
    expect(&path, &["--model", "repeatable-read"], 1, "G2-item");
    expect(&path, &["--model", "PL-3"], 1, "G2-item");
    for kept in ["prefix", "parallel-snapshot-isolation", "PL-2", "consistent-view"] {
        expect(&path, &["--model", kept], 0, "valid");
    }
    expect(&path, &["--model", "update-serializable"], 2, "is open");
    // As Elle has it: no rule orders the versions, so nothing is found.
    expect(&path, &["--workload", "wr"], 0, "valid");
    assert_eq!(verdict(&path, &["--workload", "wr"])["models"]["serializable"], true);
    // What the search decides is not undone by rules that leave it open.
    let path = folder.path().join("right.jsonl");
    concurrent(&path, &[r#"["w","x",1]"#, r#"["w","x",2]"#], &[r#"["r","x",2]"#]);
    let models = &verdict(&path, &[])["models"];
    assert_eq!(models["strict-serializable"], true);
    assert_eq!(models["prefix"], true);
    // A stale read in real time alone.
    let path = folder.path().join("stale.jsonl");
    concurrent(&path, &[r#"["w","x",1]"#, r#"["w","x",2]"#], &[r#"["r","x",1]"#]);
    expect(&path, &[], 1, "-realtime");
    expect(&path, &["--model", "strong-session-serializable"], 0, "valid");
}

#[test]
fn a_history_without_transactions_is_no_history_of_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.jsonl");
    let text = r#"{"time":0,"process":0,"type":"invoke","f":"enqueue","value":1}
{"time":1,"process":0,"type":"ok","f":"enqueue","value":1}
"#;
    fs::write(&path, text).unwrap();
    for workload in ["append", "wr", "mini-txn", "long-fork", "write-skew", "closed-predicate"] {
        expect(&path, &["--workload", workload], 254, "no transactions");
    }
    for workload in ["monotonic", "causal-reverse", "bank", "g2"] {
        expect(&path, &["--workload", workload], 2, "enqueue");
    }
}

#[test]
fn a_small_part_that_still_fails_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (path, small) = (folder.path().join("many.jsonl"), folder.path().join("small.jsonl"));
    let before: Vec<String> = (0..30).map(|n| format!(r#"["append","k",{n}]"#)).collect();
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let skew = [r#"["r","x",[]],["append","y",4]"#, r#"["r","y",[]],["append","x",3]"#];
    let seen = r#"["r","x",[3]],["r","y",[4]]"#;
    concurrent(&path, &before, &[&skew[..], &[seen]].concat());
    let options = ["--model", "serializable", "--minimal", small.to_str().unwrap()];
    expect(&path, &options, 1, "events still fail");
    expect(&small, &["--model", "serializable"], 1, "G2-item");
    assert!(fs::read_to_string(&small).unwrap().lines().count() <= 6);
    let none = ["--model", "read-committed", "--minimal", small.to_str().unwrap()];
    expect(&path, &none, 0, "not known to fail");
}

#[test]
fn a_history_without_operations_is_neither_right_nor_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let nemesis =
        "{\"time\":0,\"process\":\"nemesis\",\"type\":\"info\",\"f\":\"kill\",\"value\":null}\n";
    for (name, text) in
        [("a.jsonl", ""), ("b.edn", "[]"), ("c.edn", "; none\n"), ("d.jsonl", nemesis)]
    {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        for options in [
            &[][..],
            &["--workload", "register"],
            &["--workload", "append"],
            &["--workload", "set"],
            &["--workload", "bank"],
            &["--model", "serializable"],
            &["--model", "linearizable"],
            &["--model", "sequential"],
            &["--model", "queue"],
            &["--anomaly", "G1"],
            &["--variant", "durable"],
        ] {
            let object = options.is_empty()
                || ["linearizable", "queue"].iter().any(|name| options.contains(name))
                || options.contains(&"durable");
            if name == "d.jsonl" && object {
                expect(&path, options, 0, "VALID");
            } else {
                expect(&path, options, 2, "the history has no operations");
            }
        }
        expect(&path, &["--model", "serialisable"], 254, "serializable");
        expect(&path, &["--workload", "regster"], 254, "register");
    }
}

#[test]
fn objects_are_named_once_and_models_only_where_they_apply() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.jsonl");
    let event = |kind: &str, f: &str, value: u8| {
        format!(
            "{{\"time\":0,\"process\":0,\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value}}}\n"
        )
    };
    let op = |f, value| event("invoke", f, value) + &event("ok", f, value);
    fs::write(&path, op("enqueue", 1) + &op("enqueue", 2) + &op("dequeue", 1)).unwrap();
    for names in [["linearizable", "queue"], ["queue", "linearizable"], ["queue", "queue"]] {
        let [one, other] = names;
        expect(
            &path,
            &["--model", one, "--model", other],
            0,
            "when each item came and went (1 key)",
        );
    }
    for names in [["queue", "stack"], ["stack", "queue"]] {
        let [one, other] = names;
        expect(&path, &["--model", one, "--model", other], 254, "names two objects");
    }
    expect(&path, &["--model", "sequential"], 254, "is a model of single operations on registers");
    expect(&path, &["--model", "monotonic-reads"], 254, "its operations: dequeue, enqueue");
    expect(&path, &["--model", "queue", "--model", "sequential"], 254, "name one of the two");
    expect(&path, &["--model", "qeue"], 254, "did you mean `queue`?");
    expect(&path, &["--staleness"], 0, "it is that of registers, and this is a queue");
    let register = folder.path().join("register.jsonl");
    fs::write(&register, op("write", 1) + &event("invoke", "read", 1) + &event("ok", "read", 1))
        .unwrap();
    expect(&register, &["--workload", "register", "--staleness"], 0, "no stale read");
    expect(&path, &["--variant", "durable"], 0, "clients unknown number");
}
