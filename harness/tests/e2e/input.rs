//! Wrong arguments and wrong input: the exit code is 254, the message says what there is.

use crate::support::Bench;

#[test]
fn wrong_arguments_name_what_there_is() {
    let bench = Bench::new();
    let cases: &[(&[&str], &[&str])] = &[
        (&["run", "raft-vk"], &["raft-vk", "raft-kv"]),
        (&["run", "raft-kv", "-w", "registre"], &["registre", "register"]),
        (
            &["run", "raft-kv", "--nemesis", "partitions"],
            &["partitions", "partition", "kill", "pause"],
        ),
        (&["run", "raft-kv", "--bug", "stale-reads"], &["stale-reads", "stale-read"]),
        (&["run", "null", "--bug", "stale-read"], &["null", "stale-read"]),
        (
            &["run", "raft-kv", "--target-opt", "snapshot-evry=5"],
            &["snapshot-evry", "snapshot-every"],
        ),
        (&["run", "raft-kv", "--target-opt", "nonsense"], &["nonsense", "K=V"]),
        (&["run", "raft-kv", "--workload-opt", "kees=5"], &["kees", "keys"]),
        (&["run", "raft-kv", "-n", "0"], &["--nodes 0", "1 to"]),
        (&["run", "raft-kv", "-n", "1000"], &["--nodes 1000", "1 to"]),
        (&["run", "raft-kv", "-c", "x"], &["--concurrency", "2n"]),
        (&["run", "raft-kv", "-r", "-1"], &["-1"]),
        (&["run", "raft-kv", "-t", "20"], &["20", "500ms"]),
        (&["run", "raft-kv", "-t", "0s"], &["--time-limit"]),
        (&["run", "raft-kv", "--sed", "1"], &["--sed", "--seed"]),
        (&["run", "raft-kv", "--disk", "tape"], &["tape", "lazy"]),
        (&["check", "no-such-file"], &["no-such-file"]),
        (&["check", "."], &["history.jsonl"]),
        (&["show"], &["quorate run"]),
        (&["list", "nothing"], &["targets", "bugs"]),
        (&["node", "raft-kv", "--id", "one", "--data", "d"], &["one", "n1"]),
        (&["nonsense"], &["nonsense"]),
    ];
    for (args, wanted) in cases {
        let ran = bench.quorate(args);
        assert_eq!(ran.code, Some(254), "{args:?}: {}{}", ran.stdout, ran.stderr);
        for text in *wanted {
            assert!(ran.stderr.contains(text), "{args:?} does not say {text:?}: {}", ran.stderr);
        }
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    assert!(!bench.folder.path().join("results").exists(), "a refused run left a folder");
}

#[test]
fn wrong_histories_name_file_line_and_field() {
    let bench = Bench::new();
    let ok = r#"{"index":0,"time":1,"process":0,"type":"invoke","f":"write","key":"a","value":1}"#;
    let cases: &[(&str, &[&str])] = &[
        ("{", &["h.jsonl:1"]),
        ("{\"time\":1", &["h.jsonl:1"]),
        ("[]\n", &["h.jsonl:1"]),
        (r#"{"time":1,"process":0,"type":"invoke"}"#, &["h.jsonl:1", "`f`"]),
        (r#"{"time":1,"process":0,"type":"maybe","f":"read"}"#, &["h.jsonl:1", "`type`", "maybe"]),
        (r#"{"time":1,"process":0,"type":"ok","f":"read"}"#, &["h.jsonl:1", "process 0"]),
        (r#"{"time":"now","process":0,"type":"invoke","f":"read"}"#, &["h.jsonl:1", "`time`"]),
        (
            r#"{"index":7,"time":1,"process":0,"type":"invoke","f":"read"}"#,
            &["h.jsonl:1", "`index`"],
        ),
    ];
    for (text, wanted) in cases {
        std::fs::write(bench.folder.path().join("h.jsonl"), format!("{text}\n")).unwrap();
        let ran = bench.quorate(&["check", "h.jsonl"]);
        assert_eq!(ran.code, Some(254), "{text}: {}{}", ran.stdout, ran.stderr);
        for part in *wanted {
            assert!(ran.stderr.contains(part), "{text} does not say {part:?}: {}", ran.stderr);
        }
    }
    let second = ok.replace("\"index\":0", "\"index\":1");
    for (line, wanted) in [
        (second.clone(), "process 0"),
        (
            second.replace("\"time\":1", "\"time\":0").replace("\"process\":0", "\"process\":1"),
            "`time`",
        ),
        (ok.replace("\"process\":0", "\"process\":1"), "`index`"),
    ] {
        std::fs::write(bench.folder.path().join("h.jsonl"), format!("{ok}\n{line}\n")).unwrap();
        let ran = bench.quorate(&["check", "h.jsonl"]);
        assert_eq!(ran.code, Some(254), "{line}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("h.jsonl:2") && ran.stderr.contains(wanted), "{}", ran.stderr);
    }
}

#[test]
fn a_history_of_ones_own_is_judged() {
    let bench = Bench::new();
    let line = |process: u32, kind: &str, f: &str, value: &str, time: u32| {
        format!(
            r#"{{"time":{time},"process":{process},"type":"{kind}","f":"{f}","value":{value}}}"#
        )
    };
    let stale = [
        line(0, "invoke", "write", "1", 1),
        line(0, "ok", "write", "1", 2),
        line(0, "invoke", "write", "2", 3),
        line(0, "ok", "write", "2", 4),
        line(1, "invoke", "read", "null", 5),
        line(1, "ok", "read", "1", 6),
    ]
    .join("\n");
    std::fs::write(bench.folder.path().join("stale.jsonl"), &stale).unwrap();
    let ran = bench.quorate(&["check", "stale.jsonl", "--format", "json"]);
    ran.expect(1);
    let verdict = ran.verdict();
    assert_eq!(verdict["valid"], false);
    assert!(verdict["anomalies"][0]["ops"].as_array().unwrap().iter().any(|op| op == 5 || op == 4));

    let fresh =
        stale.replace(r#""type":"ok","f":"read","value":1"#, r#""type":"ok","f":"read","value":2"#);
    std::fs::write(bench.folder.path().join("fresh.jsonl"), &fresh).unwrap();
    bench.quorate(&["check", "fresh.jsonl"]).expect(0);

    std::fs::write(bench.folder.path().join("empty.jsonl"), "").unwrap();
    let empty = bench.quorate(&["check", "empty.jsonl"]);
    assert!(empty.expect(2).stdout.contains("no operations"), "{}", empty.stdout);
}

#[test]
fn a_results_folder_that_cannot_be_written_stops_the_run_before_it_starts() {
    let bench = Bench::new();
    std::fs::write(bench.folder.path().join("file"), "").unwrap();
    let ran = bench.quorate(&["run", "raft-kv", "--results", "file/results", "-t", "1s"]);
    assert_eq!(ran.code, Some(254), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("file/results") && ran.stderr.contains("--results"),
        "{}",
        ran.stderr
    );
}
