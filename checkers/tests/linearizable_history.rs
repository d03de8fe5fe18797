//! Whole histories, written as a person would: what is right passes, what is wrong is explained.

use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::linearizable::{ModelKind, Options, check};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::{CheckerReport, Valid};

/// Reads lines of `process type f [key/]value [error]`, values in JSON.
fn history(text: &str) -> History {
    let mut events = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap_or("null");
        let process = Process::Client(word().parse().expect("a process"));
        let kind = match word() {
            "invoke" => EventType::Invoke,
            "ok" => EventType::Ok,
            "fail" => EventType::Fail,
            "info" => EventType::Info,
            other => panic!("no such type: {other}"),
        };
        let f = word().into();
        let (key, value) = match word().split_once('/') {
            Some((key, value)) => (Some(Value::str(key)), value.to_string()),
            None => (None, line.split_whitespace().nth(3).unwrap_or("null").to_string()),
        };
        let error = line.split_whitespace().nth(4).map(json);
        let index = OpIndex(events.len() as u32);
        let time = Nanos(u64::from(index.0) * 1_000_000);
        let (node, extra) = (None, None);
        let value = json(&value);
        events.push(Event { index, time, process, kind, f, key, value, error, node, extra });
    }
    History::from_events(events).expect("well-formed")
}

fn json(text: &str) -> Value {
    Value::from(serde_json::from_str::<serde_json::Value>(text).expect("JSON"))
}

fn register(text: &str) -> CheckerReport {
    check(&history(text), ModelKind::Register, &Options::default())
}

#[test]
fn a_crashed_write_may_take_effect_late() {
    let report = register(
        "0 invoke write 1
         0 info write 1
         1 invoke read
         1 ok read null
         1 invoke read
         1 ok read 1",
    );
    assert_eq!(report.valid, Valid::True, "{report:?}");
}

#[test]
fn a_failed_write_did_not_happen() {
    let report = register(
        "0 invoke write 1
         0 fail write 1
         1 invoke read
         1 ok read 1",
    );
    assert_eq!(report.valid, Valid::False);
}

#[test]
fn a_stale_read_is_explained() {
    let report = register(
        "0 invoke write a/1
         0 ok write a/1
         0 invoke write a/2
         0 ok write a/2
         1 invoke read a/null
         1 ok read a/1",
    );
    assert_eq!(report.valid, Valid::False);
    let anomaly = &report.anomalies[0];
    assert!(anomaly.ops.contains(&OpIndex(5)), "{anomaly:?}");
    assert!(anomaly.explanation.contains("read 1"), "{}", anomaly.explanation);
    assert_eq!(report.why.as_ref(), Some(&anomaly.explanation));
}

#[test]
fn a_refused_cas_counts_as_a_read_of_what_it_saw() {
    let seen = |seen: &str| {
        register(&format!(
            "0 invoke write 1
             0 ok write 1
             1 invoke cas [5,6]
             1 fail cas [5,6] [\"precondition-failed\",{seen}]"
        ))
    };
    assert_eq!(seen("1").valid, Valid::True);
    assert_eq!(seen("2").valid, Valid::False);
    assert_eq!(seen("5").valid, Valid::False);
}

#[test]
fn a_refused_cas_without_the_value_only_says_what_it_was_not() {
    let refused = |old: &str, error: &str| {
        register(&format!(
            "0 invoke write 1
             0 ok write 1
             1 invoke cas [{old},6]
             1 fail cas [{old},6] {error}"
        ))
    };
    for error in ["\"precondition-failed\"", "[\"precondition-failed\"]"] {
        assert_eq!(refused("5", error).valid, Valid::True);
        assert_eq!(refused("1", error).valid, Valid::False);
    }
    assert_eq!(refused("1", "\"timeout\"").valid, Valid::True);
}

#[test]
fn keys_do_not_touch_each_other() {
    let report = register(
        "0 invoke write a/1
         0 ok write a/1
         1 invoke read b/null
         1 ok read b/null
         1 invoke read a/null
         1 ok read a/1",
    );
    assert_eq!(report.valid, Valid::True);
    assert_eq!(report.details["keys"], 2);
}

#[test]
fn what_a_register_does_not_know_is_unknown() {
    let report = register(
        "0 invoke enqueue 1
         0 ok enqueue 1",
    );
    assert_eq!(report.valid, Valid::Unknown);
    assert!(report.why.is_some_and(|why| why.contains("enqueue")));
}
