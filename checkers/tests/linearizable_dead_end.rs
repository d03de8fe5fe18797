//! How far an order exists, for violations that the algorithms of objects found without saying
//! so: every kind of object, and histories that the search alone would not get through.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::linearizable::{ModelKind, Options, check, dead_end};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use serde_json::Value as Json;

/// A client's operation: its moments, name, argument and result.
struct Op(u64, u64, &'static str, Value, Value);

/// A history of operations that all ended; each has a process of its own.
fn history(ops: &[Op]) -> History {
    let mut moments: Vec<(u64, usize, bool)> = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        moments.extend([(op.0, at, false), (op.1, at, true)]);
    }
    moments.sort_unstable();
    let event = |(index, (time, at, ends)): (usize, (u64, usize, bool))| Event {
        index: OpIndex(index as u32),
        time: Nanos(time),
        process: Process::Client(at as u64),
        kind: if ends { EventType::Ok } else { EventType::Invoke },
        f: ops[at].2.into(),
        key: Some("k".into()),
        value: if ends { ops[at].4.clone() } else { ops[at].3.clone() },
        error: None,
        node: None,
        extra: None,
    };
    History::from_events(moments.into_iter().enumerate().map(event).collect()).unwrap()
}

/// Operations one after the other.
fn in_turn(ops: &[(&'static str, Value, Value)]) -> Vec<Op> {
    let op = |(at, (f, input, output)): (usize, &(&'static str, Value, Value))| {
        let at = at as u64 * 10;
        Op(at, at + 5, f, input.clone(), output.clone())
    };
    ops.iter().enumerate().map(op).collect()
}

fn n(number: i64) -> Value {
    Value::Int(number)
}

fn items(numbers: &[i64]) -> Value {
    Value::list(numbers.iter().copied().map(Value::Int).collect::<Vec<_>>())
}

const NULL: Value = Value::Null;

#[test]
fn each_object_shows_the_states_on_the_way() {
    let cases = [
        (
            ModelKind::Register,
            in_turn(&[("write", n(1), n(1)), ("write", n(2), n(2)), ("read", NULL, n(1))]),
            "[1,2]",
        ),
        (
            ModelKind::Queue,
            in_turn(&[("enqueue", n(1), n(1)), ("enqueue", n(2), n(2)), ("dequeue", NULL, n(2))]),
            "[[1],[1,2]]",
        ),
        (
            ModelKind::Stack,
            in_turn(&[("push", n(1), n(1)), ("push", n(2), n(2)), ("pop", NULL, n(1))]),
            "[[1],[1,2]]",
        ),
        (
            ModelKind::PriorityQueue,
            in_turn(&[("insert", n(1), n(1)), ("insert", n(2), n(2)), ("poll", NULL, n(1))]),
            "[[1],[1,2]]",
        ),
        (
            ModelKind::GrowOnlySet,
            in_turn(&[("add", n(3), n(3)), ("add", n(4), n(4)), ("read", NULL, items(&[4]))]),
            "[[3],[3,4]]",
        ),
        (
            ModelKind::Set,
            in_turn(&[("add", n(3), NULL), ("contains", n(3), Value::list([n(3), false.into()]))]),
            "[\"in the set\"]",
        ),
        (
            ModelKind::Counter,
            in_turn(&[("add", n(1), n(1)), ("add", n(1), n(1)), ("read", NULL, n(1))]),
            "[1,2]",
        ),
        (
            ModelKind::AppendList,
            in_turn(&[("append", n(1), n(1)), ("append", n(2), n(2)), ("read", NULL, items(&[1]))]),
            "[[1],[1,2]]",
        ),
        (
            ModelKind::OwnedLock,
            in_turn(&[("acquire", n(1), n(1)), ("release", n(1), n(1)), ("release", n(1), n(1))]),
            "[1,null]",
        ),
    ];
    for (kind, ops, states) in cases {
        let history = history(&ops);
        let report = check(&history, kind, &Options::default());
        assert_eq!(report.valid, Valid::False, "{kind}");
        let evidence = dead_end(&history, kind, Some(&"k".into()), 1 << 12).unwrap();
        let steps = evidence["linearized"].as_array().unwrap();
        let seen: Json = steps.iter().map(|step| step["state"].clone()).collect();
        assert_eq!(seen.to_string(), states, "{kind}");
        let culprit = 2 * (ops.len() as u64 - 1);
        assert_eq!(evidence["operation"]["index"], culprit, "{kind}");
        assert!(!evidence.contains_key("left_out"), "{kind}");
        assert!(!evidence["alternatives"].as_array().unwrap().is_empty(), "{kind}");
    }
}

#[test]
fn what_is_linearizable_has_no_dead_end() {
    let history = history(&in_turn(&[("enqueue", n(1), n(1)), ("dequeue", NULL, n(1))]));
    assert_eq!(dead_end(&history, ModelKind::Queue, Some(&"k".into()), 1 << 12), None);
    assert_eq!(dead_end(&history, ModelKind::Queue, Some(&"other".into()), 1 << 12), None);
}

/// Many clients push at once, which the search cannot go through in a few steps; behind it two
/// items are taken in the wrong order.
#[test]
fn what_the_search_cannot_get_through_is_cut_to_what_fails() {
    let mut ops: Vec<Op> = (0..14).map(|at| Op(at, 100 + at, "push", n(at as i64), NULL)).collect();
    let at = 1000;
    ops.push(Op(at, at + 1, "push", n(100), NULL));
    ops.push(Op(at + 2, at + 3, "push", n(101), NULL));
    ops.push(Op(at + 4, at + 5, "pop", NULL, n(100)));
    ops.push(Op(at + 6, at + 7, "pop", NULL, n(101)));
    let history = history(&ops);
    assert_eq!(check(&history, ModelKind::Stack, &Options::default()).valid, Valid::False);
    let evidence = dead_end(&history, ModelKind::Stack, Some(&"k".into()), 1 << 12).unwrap();
    let left_out = evidence["left_out"].as_u64().unwrap();
    let placed = evidence["linearized"].as_array().unwrap();
    assert!(left_out >= 10, "{left_out} left out");
    assert!(placed.len() + left_out as usize <= ops.len(), "{placed:?}");
    let culprit = &evidence["operation"];
    assert_eq!((&culprit["f"], &culprit["value"]), (&"pop".into(), &100.into()));
    let invoked = history.events()[culprit["index"].as_u64().unwrap() as usize].clone();
    assert_eq!(invoked.time, Nanos(at + 4), "indices are those of the whole history");
}
