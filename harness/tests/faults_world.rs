//! The world of processes with real nodes: faults do what they say, nodes come back, and nothing
//! outlives the harness.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test fails it")]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quorate::cluster::Setup;
use quorate::nemesis::{Action, Aim, Cut, FaultOutcome, Grudge, Packet};
use quorate::world::processes::{Options, Processes};
use quorate::world::{Happening, World};
use quorate_checkers::history::Nanos;
use quorate_targets::api::kv::{self, Op};
use quorate_targets::api::{Outcome, Request, Response};
use quorate_targets::caller::Policy;
use quorate_targets::clock_fault::ClockFault;
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

mod common;
use common::{processes_with, wait_gone};

const SECOND: u64 = 1_000_000_000;
/// Longer than anything takes on the busiest machine.
const PATIENCE_S: u64 = 60;

fn start(folder: &Path) -> Processes {
    let setup = Setup {
        program: env!("CARGO_BIN_EXE_quorate").into(),
        arguments: vec!["node".into(), "raft-kv".into()],
        members: (1..=3).map(NodeId).collect(),
        lazy_disk: true,
        seed: Seed(1),
        bugs: Vec::new(),
        options: BTreeMap::new(),
        folder: folder.into(),
        ready_max: Duration::from_secs(30),
    };
    let policy = Policy::default();
    Processes::start(Options { setup, threads: 3, policy, second_interrupt: Box::new(|| {}) })
        .unwrap()
}

fn next(world: &mut Processes) -> Happening {
    let until = Nanos(world.now().0 + PATIENCE_S * SECOND);
    world.poll(until).expect("something happens")
}

/// What the action did, or why it did nothing.
fn inject(world: &mut Processes, action: &Action) -> Result<Value, String> {
    world.inject(action);
    match next(world) {
        Happening::Injected(FaultOutcome::Installed(what)) => Ok(what),
        Happening::Injected(FaultOutcome::Skipped(why)) => Err(why),
        other => panic!("{other:?}"),
    }
}

fn ask(world: &mut Processes, node: u16, op: Op) -> Outcome {
    world.invoke(
        usize::from(node) - 1,
        NodeId(node),
        Request::Kv(kv::Request { op, session: None }),
    );
    match next(world) {
        Happening::Completed { outcome, .. } => outcome,
        other => panic!("{other:?}"),
    }
}

/// Writes through `node` until it is answered.
fn write(world: &mut Processes, node: u16, value: i64) {
    let op = Op::Write { key: "k".into(), value: json!(value) };
    let began = Instant::now();
    while ask(world, node, op.clone()) != Outcome::Answered(Response::Kv(kv::Response::Done)) {
        assert!(began.elapsed().as_secs() < PATIENCE_S, "{node} serves at last");
    }
}

/// Reads through `node` until it is answered.
fn read(world: &mut Processes, node: u16) -> Value {
    let began = Instant::now();
    loop {
        let outcome = ask(world, node, Op::Read { key: "k".into() });
        if let Outcome::Answered(Response::Kv(kv::Response::Value { value })) = outcome {
            return value;
        }
        assert!(began.elapsed().as_secs() < PATIENCE_S, "{node} serves at last");
    }
}

/// While all messages are late, nothing is agreed upon sooner.
fn messages_are_shaped(world: &mut Processes) {
    let all = Aim::Nodes((1..=3).map(NodeId).collect());
    let packet = Packet { delay_ms: 60, jitter_ms: 10, ..Packet::default() };
    let late = Action::StartPacket { aim: all, packet };
    assert_eq!(inject(world, &late), Ok(json!(["n1", "n2", "n3"])));
    let began = world.now();
    write(world, 1, 3);
    let took = Duration::from_nanos(world.now().0 - began.0);
    assert!(took >= Duration::from_millis(100), "there and back: {took:?}");
    inject(world, &Action::StopPacket).unwrap();
    assert_eq!(read(world, 2), json!(3));
}

/// Nodes hear what is wrong with their clocks, and that it is over.
fn clocks_are_wrong(world: &mut Processes, folder: &Path) {
    let one = Aim::Nodes(vec![NodeId(2)]);
    let fast = Action::StartClock { aim: one, clock: ClockFault::Jump { by_ms: 60_000 } };
    assert_eq!(inject(world, &fast), Ok(json!(["n2"])));
    assert_eq!(read(world, 2), json!(3), "a leader is one whatever the time");
    assert_eq!(inject(world, &Action::StopClock), Ok(json!(["n1", "n2", "n3"])));
    let log = std::fs::read_to_string(folder.join("nodes/n2/stderr.log")).unwrap();
    assert!(log.contains("60000") && log.contains("Reset"), "{log}");
}

#[test]
fn a_cluster_is_broken_and_healed_in_every_way() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().to_str().unwrap().to_owned();
    let mut world = start(folder.path());
    write(&mut world, 1, 1);
    for node in 1..=3 {
        assert_eq!(read(&mut world, node), json!(1));
    }

    let leader_alone = Cut::LeaderAlone;
    let cut = Action::StartPartition { shape: "leader-alone".into(), cut: leader_alone };
    let grudge = inject(&mut world, &cut).unwrap();
    assert_eq!(grudge.as_object().unwrap().len(), 3, "all hear less: {grudge}");
    inject(&mut world, &Action::StopPartition).unwrap();
    write(&mut world, 2, 2);

    assert_eq!(inject(&mut world, &Action::Start), Err("no node is down".into()));
    let all = Aim::Nodes((1..=3).map(NodeId).collect());
    let killed = inject(&mut world, &Action::Kill { aim: all.clone() }).unwrap();
    assert_eq!(killed, json!(["n1", "n2", "n3"]));
    assert!(processes_with(&mark).is_empty());
    assert!(inject(&mut world, &Action::Kill { aim: all }).is_err(), "they are dead");
    assert!(inject(&mut world, &Action::Kill { aim: Aim::Leader }).is_err(), "nobody leads");
    assert!(matches!(
        ask(&mut world, 1, Op::Write { key: "k".into(), value: json!(9) }),
        Outcome::Refused(_)
    ));
    let started = inject(&mut world, &Action::Start).unwrap();
    assert_eq!(started, json!(["n1", "n2", "n3"]));
    assert_eq!(read(&mut world, 3), json!(2), "what was acknowledged survives a power cut");

    let one = Aim::Nodes(vec![NodeId(1)]);
    assert_eq!(inject(&mut world, &Action::Pause { aim: one.clone() }), Ok(json!(["n1"])));
    assert!(inject(&mut world, &Action::Pause { aim: one }).is_err(), "it stands still already");
    assert_eq!(read(&mut world, 2), json!(2), "two of three go on");
    assert_eq!(inject(&mut world, &Action::Resume), Ok(json!(["n1"])));
    assert_eq!(read(&mut world, 1), json!(2));

    messages_are_shaped(&mut world);
    clocks_are_wrong(&mut world, folder.path());

    let traffic = world.traffic();
    assert!(traffic.values().all(|link| link.frames > 0), "{traffic:?}");
    let messages = world.messages();
    assert!(messages.is_sorted_by_key(|message| message.sent));
    let votes = messages.iter().filter(|message| message.kind == "vote");
    assert!(votes.count() > 0 && messages.iter().all(|message| message.kind != "message"));
    world.stop().unwrap();
    assert!(processes_with(&mark).is_empty());
}

#[test]
fn a_node_cut_off_does_not_hear_what_the_others_agree_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = start(folder.path());
    write(&mut world, 1, 1);
    let grudge = Grudge::from([
        (NodeId(1), vec![NodeId(2), NodeId(3)]),
        (NodeId(2), vec![NodeId(1)]),
        (NodeId(3), vec![NodeId(1)]),
    ]);
    let cut = Action::StartPartition { shape: "one".into(), cut: Cut::Grudge(grudge) };
    let told = inject(&mut world, &cut).unwrap();
    assert_eq!(told, json!({"n1": ["n2", "n3"], "n2": ["n1"], "n3": ["n1"]}));
    write(&mut world, 2, 2);
    let alone = ask(&mut world, 1, Op::Read { key: "k".into() });
    let value = |value| Outcome::Answered(Response::Kv(kv::Response::Value { value }));
    assert!(alone != value(json!(1)) && alone != value(json!(2)), "{alone:?}");
    let counters = world.traffic();
    assert!(counters[&(NodeId(1), NodeId(2))].dropped > 0, "{counters:?}");
    assert_eq!(counters[&(NodeId(3), NodeId(2))].dropped, 0);
    inject(&mut world, &Action::StopPartition).unwrap();
    assert_eq!(read(&mut world, 1), json!(2));
}

#[test]
fn a_node_that_dies_by_itself_is_told_and_can_be_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = start(folder.path());
    let data = folder.path().join("nodes/n2/data").to_str().unwrap().to_owned();
    let pid = processes_with(&data)[0];
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    match next(&mut world) {
        Happening::NodeDied { node, reason } => {
            assert_eq!(node, NodeId(2));
            assert!(reason.contains("signal: 9") && reason.contains("nodes/n2"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(inject(&mut world, &Action::Start), Ok(json!(["n2"])));
    write(&mut world, 2, 1);
}

#[test]
fn a_dropped_world_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    drop(start(folder.path()));
    wait_gone(folder.path().to_str().unwrap());
}

/// Where the harness-like process of the next test is to run.
const FOLDER: &str = "QUORATE_TEST_FOLDER";

/// Not a test of its own: the process that the next test kills. It pauses one node and waits.
#[test]
fn harness_like_process() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let mut world = start(Path::new(&folder));
    inject(&mut world, &Action::Pause { aim: Aim::Nodes(vec![NodeId(1)]) }).unwrap();
    eprintln!("paused");
    loop {
        std::thread::park();
    }
}

#[test]
fn nodes_die_with_a_killed_harness_also_paused_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().to_str().unwrap();
    let mut harness = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness_like_process", "--nocapture"])
        .env(FOLDER, mark)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(harness.stderr.take().unwrap()).lines();
    let paused = lines.map_while(Result::ok).any(|line| line == "paused");
    assert!(paused, "the harness came up");
    assert_eq!(processes_with(mark).len(), 3);
    harness.kill().unwrap();
    harness.wait().unwrap();
    wait_gone(mark);
}
