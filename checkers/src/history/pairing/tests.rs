//! Each rule of a well-formed history, kept and broken.

use super::*;
use crate::history::{Builder, History};

const C: fn(u64) -> Process = Process::Client;

fn event(index: u32, process: Process, kind: EventType) -> Event {
    Event {
        index: OpIndex(index),
        time: Nanos(u64::from(index)),
        process,
        kind,
        f: "read".into(),
        key: None,
        value: Value::Null,
        error: None,
        node: None,
        extra: None,
    }
}

fn events(list: &[(Process, EventType)]) -> Vec<Event> {
    let indexed = list.iter().enumerate();
    indexed.map(|(at, (process, kind))| event(at as u32, *process, *kind)).collect()
}

#[track_caller]
fn check(list: &[(Process, EventType)], field: &str, message: &str) {
    let error = History::from_events(events(list)).unwrap_err();
    assert_eq!((error.field(), error.to_string().as_str()), (field, message));
    assert_eq!(error.at().0 as usize, list.len() - 1);
}

use EventType::{Fail, Info, Invoke, Ok as Done};

#[test]
fn pairs_interleaved_operations() {
    let history = History::from_events(events(&[
        (C(0), Invoke),
        (C(1), Invoke),
        (Process::Nemesis, Info),
        (C(1), Done),
        (C(0), Fail),
        (C(1), Invoke),
        (Process::Nemesis, Info),
        (C(1), Info),
        (C(3), Invoke),
    ]))
    .unwrap();
    let ops: Vec<_> = history
        .operations()
        .iter()
        .map(|op| (op.invoke.0, op.complete.map(|c| c.0), op.outcome))
        .collect();
    let expected = [(0, Some(4), Fail), (1, Some(3), Done), (5, Some(7), Info), (8, None, Info)];
    assert_eq!(ops, expected);
    assert_eq!(history.nemesis().map(|e| e.index.0).collect::<Vec<_>>(), [2, 6]);
    let at = |index| history.op_at(OpIndex(index)).map(|op| op.position);
    assert_eq!(
        (0..9).map(at).collect::<Vec<_>>(),
        [0, 1, 9, 1, 0, 2, 9, 2, 3].map(|p| (p < 9).then_some(p))
    );
}

#[test]
fn refuses_what_breaks_a_rule() {
    check(
        &[(C(0), Invoke), (C(1), Invoke), (C(0), Invoke)],
        "process",
        "process 0 invokes (event 2) while its operation of event 0 is under way",
    );
    check(
        &[(C(4), Done)],
        "type",
        "`ok` of process 4 (event 0) completes nothing: no operation is under way",
    );
    check(
        &[(C(0), Invoke), (C(0), Info), (C(0), Invoke)],
        "process",
        "process 0 goes on (event 2) after its `info` of event 1: `info` retires a process, \
         and its client continues under another number",
    );
    check(
        &[(C(0), Invoke), (C(0), Done), (C(0), Fail)],
        "type",
        "`fail` of process 0 (event 2) completes nothing: no operation is under way",
    );
    check(
        &[(Process::Nemesis, Invoke)],
        "type",
        "`invoke` of the nemesis (event 0): its events are all `info`",
    );
}

#[test]
fn an_error_leaves_the_builder_usable() {
    let mut builder = Builder::default();
    builder.push(event(0, C(0), Invoke)).unwrap();
    for wrong in [event(1, C(0), Invoke), event(1, C(7), Done), event(5, C(0), Done)] {
        builder.push(wrong).unwrap_err();
    }
    let late = Event { time: Nanos(100), ..event(1, C(0), Done) };
    builder.push(late).unwrap();
    let early = event(2, C(0), Invoke);
    let error = builder.push(early).unwrap_err();
    assert_eq!(error.to_string(), "time 2 comes after 100: time may not go back (event 2)");
    assert_eq!(builder.finish().operations().len(), 1);
}

#[test]
fn a_completion_must_fit_its_invocation() {
    let mut pairing = Pairing::default();
    let on = |key: i64, event: Event| Event { key: Some(Value::Int(key)), ..event };
    pairing.accept(&on(1, event(0, C(0), Invoke))).unwrap();
    assert_eq!(pairing.open_operation(0), Some((0, OpIndex(0))));
    let error = pairing.accept(&on(2, event(1, C(0), Done))).unwrap_err();
    assert_eq!(error.field(), "key");
    let renamed = Event { f: "write".into(), ..event(1, C(0), Done) };
    let error = pairing.accept(&renamed).unwrap_err();
    assert_eq!(error.to_string(), "completes `write` (event 1) what began as `read` in event 0");
    // A completion may leave its key out.
    let role = pairing.accept(&event(1, C(0), Info)).unwrap();
    assert_eq!(role, Role::Completion { operation: 0, invoke: OpIndex(0) });
    assert_eq!(pairing.open(), 0);
}

#[test]
fn extra_fields_have_names_of_their_own() {
    let with = |names: &[&str]| {
        let pairs = names.iter().map(|name| (Name::from(*name), Value::Null)).collect();
        Event { extra: Some(pairs), ..event(0, C(0), Invoke) }
    };
    assert!(Pairing::default().accept(&with(&["a", "b"])).is_ok());
    for names in [["a", "a"], ["a", "time"]] {
        let error = Pairing::default().accept(&with(&names)).unwrap_err();
        assert_eq!(error.field(), names[1]);
    }
}
