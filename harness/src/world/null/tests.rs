//! The null world serves, and waits no longer than it is told to.

use super::*;
use quorate_checkers::history::Nanos;
use serde_json::json;

const SECOND: u64 = 1_000_000_000;

fn world(threads: usize) -> Null {
    Null::new(threads, Box::new(|| {})).unwrap()
}

fn ask(world: &mut Null, thread: usize, op: Op) -> kv::Response {
    world.invoke(thread, NodeId(1), Request::Kv(kv::Request { op, session: None }));
    let until = Nanos(world.now().0 + 10 * SECOND);
    match world.poll(until) {
        Some(Happening::Completed { thread: of, outcome: Outcome::Answered(Response::Kv(it)) }) => {
            assert_eq!(of, thread);
            it
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn registers_read_write_and_compare() {
    let mut world = world(2);
    let key = || "k".to_string();
    let value = |value| kv::Response::Value { value };
    assert_eq!(ask(&mut world, 0, Op::Read { key: key() }), value(Value::Null));
    assert_eq!(ask(&mut world, 1, Op::Write { key: key(), value: json!(1) }), kv::Response::Done);
    let cas = |old, new| Op::Cas { key: key(), old: json!(old), new: json!(new) };
    assert_eq!(ask(&mut world, 0, cas(1, 2)), kv::Response::Done);
    assert_eq!(ask(&mut world, 0, cas(1, 3)), kv::Response::Mismatch { seen: json!(2) });
    assert_eq!(ask(&mut world, 1, Op::Read { key: key() }), value(json!(2)));
}

#[test]
fn polling_ends_in_time_and_faults_are_refused() {
    let mut world = world(1);
    let until = Nanos(world.now().0 + SECOND / 100);
    assert!(world.poll(until).is_none());
    assert!(world.now() >= until);
    assert!(world.poll(Nanos(0)).is_none(), "a time in the past does not wait");
    world.inject(&Action::StopPartition);
    let injected = world.poll(until);
    assert!(matches!(injected, Some(Happening::Injected(FaultOutcome::Skipped(_)))));
    world.invoke(
        7,
        NodeId(1),
        Request::Kv(kv::Request { op: Op::Read { key: "k".into() }, session: None }),
    );
    let nobody = world.poll(until);
    assert!(
        matches!(nobody, Some(Happening::Completed { thread: 7, outcome: Outcome::Refused(_) })),
        "{nobody:?}"
    );
}
