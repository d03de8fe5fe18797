//! Whole histories, written as a person would: what is right passes, what is wrong is explained.

use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::linearizable::{ModelKind, Options, Variant, check};
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

fn durable(text: &str, clients: Option<u64>) -> CheckerReport {
    let options = Options { variant: Variant::Durable, clients, ..Options::default() };
    check(&history(text), ModelKind::Register, &options)
}

/// A crashed write that shows after another one: in time only if its client had not gone on.
const LATE: &str = "
    0 invoke write 1
    0 info write 1
    1 invoke write 2
    1 ok write 2
    2 invoke read
    2 ok read 2
    1 invoke read
    1 ok read 1";

#[test]
fn who_goes_on_after_a_crash_is_not_guessed() {
    let untold = durable(LATE, None);
    assert_eq!(
        (untold.valid, &untold.details["clients"]),
        (Valid::Unknown, &serde_json::Value::Null)
    );
    assert!(untold.why.unwrap().contains("how many clients"));
    assert_eq!(durable(LATE, Some(3)).valid, Valid::True);
    let told = durable(LATE, Some(2));
    assert_eq!((told.valid, told.details["clients"].as_u64()), (Valid::False, Some(2)));
    // Process 2 is followed by process 7 and no process by 5 or 6: there were five clients.
    let five = "
        0 invoke read
        0 ok read null
        1 invoke read
        1 ok read null
        3 invoke read
        3 ok read null
        4 invoke read
        4 ok read null
        2 invoke write 1
        2 info write 1
        0 invoke read
        0 ok read null
        7 invoke read
        7 ok read null
        0 invoke read
        0 ok read 1";
    let report = durable(five, None);
    assert_eq!((report.valid, report.details["clients"].as_u64()), (Valid::False, Some(5)));
    // What took effect before its client gave up did so in time whoever went on.
    let early = LATE.replace("1 invoke read\n    1 ok read 1", "");
    assert_eq!(durable(&early, None).valid, Valid::True);
}

fn object(kind: ModelKind, text: &str) -> CheckerReport {
    check(&history(text), kind, &Options::default())
}

fn sequence(ops: &[(&str, &str)]) -> String {
    let lines = ops.iter().map(|(f, value)| format!("0 invoke {f} {value}\n0 ok {f} {value}\n"));
    lines.collect::<Vec<_>>().concat()
}

#[test]
fn a_counter_may_leave_64_bits_and_come_back() {
    let (most, below) = ("9223372036854775807", "9223372036854775802");
    let back = [("add", most), ("add", "5"), ("add", "-10"), ("read", below)];
    assert_eq!(object(ModelKind::Counter, &sequence(&back)).valid, Valid::True);
    let wrong = [("add", most), ("add", "5"), ("add", "-10"), ("read", most)];
    assert_eq!(object(ModelKind::Counter, &sequence(&wrong)).valid, Valid::False);
    let unread = [("add", most), ("add", most)];
    assert_eq!(object(ModelKind::Counter, &sequence(&unread)).valid, Valid::True);
    let least = "-9223372036854775808";
    let sizes = [("add", least), ("add", least), ("read", "0")];
    assert_eq!(object(ModelKind::Counter, &sequence(&sizes)).valid, Valid::False);
    for odd in ["0.5", "\"a\"", "9223372036854775808"] {
        for f in ["add", "dec", "read"] {
            let report = object(ModelKind::Counter, &sequence(&[(f, odd), ("add", "1")]));
            assert_eq!(report.valid, Valid::Unknown);
            let why = report.why.unwrap();
            assert!(why.contains("index 0") && why.contains("an integer"), "{why}");
        }
    }
}

#[test]
fn a_semaphore_counts_the_permits_that_are_named() {
    let cases: [(&[(&str, &str)], Valid); 8] = [
        (&[("release", "2"), ("acquire", "1"), ("acquire", "1")], Valid::True),
        (&[("release", "2"), ("acquire", "2")], Valid::True),
        (&[("release", "1"), ("acquire", "3")], Valid::False),
        (&[("release", "2"), ("acquire", "1"), ("acquire", "2")], Valid::False),
        (&[("release", "null"), ("acquire", "1")], Valid::True),
        (&[("release", "null"), ("acquire", "null"), ("acquire", "null")], Valid::False),
        (&[("release", "0"), ("acquire", "1")], Valid::Unknown),
        (&[("release", "1.5")], Valid::Unknown),
    ];
    for (ops, expected) in cases {
        assert_eq!(object(ModelKind::Semaphore, &sequence(ops)).valid, expected, "{ops:?}");
    }
    let refused = |permits: u8| {
        let release = format!("0 invoke release {permits}\n0 ok release {permits}\n");
        let text = release + "0 invoke acquire 3\n0 ok acquire false";
        object(ModelKind::Semaphore, &text).valid
    };
    assert_eq!((refused(2), refused(3)), (Valid::True, Valid::False));
    let other = object(ModelKind::Semaphore, "0 invoke acquire 1\n0 ok acquire 2");
    assert_eq!(other.valid, Valid::Unknown);
}

#[test]
fn what_is_malformed_is_named_with_what_was_expected() {
    let cases = [
        (ModelKind::Register, "0 invoke cas [1]\n0 ok cas [1]", "cas at index 0", "[old, new]"),
        (ModelKind::Set, "0 invoke contains 1\n0 ok contains true", "index 1", "[element, true]"),
        (ModelKind::OwnedLock, "0 invoke acquire \"a\"\n0 ok acquire", "index 0", "a client"),
        (ModelKind::AppendList, "0 invoke read\n0 ok read 1", "index 1", "a list"),
        (ModelKind::Register, "0 invoke write 1\n0 ok write 2", "index 0", "event 1"),
        (ModelKind::Register, "0 invoke cas [0,1]\n0 ok cas [0,2]", "index 0", "event 1"),
    ];
    for (kind, text, place, expected) in cases {
        let report = object(kind, text);
        let why = report.why.unwrap_or_default();
        assert_eq!(report.valid, Valid::Unknown, "{text}");
        assert!(why.contains(place) && why.contains(expected), "{why}");
    }
    assert_eq!(register("0 invoke write 1\n0 ok write null").valid, Valid::True);
    let start =
        object(ModelKind::Counter, "0 invoke read\n0 ok read 1\n0 invoke add 2\n0 ok add 2");
    assert!(!start.why.unwrap().contains("the 0 operations"));
}
