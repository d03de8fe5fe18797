//! Clients of a simulated raft-kv: what they know in the end, through all that happens to their
//! nodes; and that a cluster behind its trait is as deterministic as the world below.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use quorate_targets::api::{Outcome, Request, Response, kv};
use quorate_targets::caller::Policy;
use quorate_targets::node::NodeId;
use quorate_targets::registry;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Cluster, Fault, Happening, Nanos, Setup, THREADS_MAX};

const N1: NodeId = NodeId(1);

/// Five nodes that have had two seconds to find a leader.
fn five(seed: u64) -> Box<dyn Cluster> {
    let target = registry::find("raft-kv").unwrap();
    let mut cluster = target.simulate(Seed(seed), Setup::new(5), Policy::default()).unwrap();
    assert_eq!(cluster.poll(Nanos::from_secs(2)), Ok(None));
    cluster
}

fn kv(op: kv::Op, seq: u64) -> Request {
    Request::Kv(kv::Request { op, session: Some(kv::Session { client: 1, seq }) })
}

fn write(value: u64) -> Request {
    kv(kv::Op::Write { key: "k".into(), value: value.into() }, value)
}

fn read() -> Request {
    Request::Kv(kv::Request { op: kv::Op::Read { key: "k".into() }, session: None })
}

/// How the operation of thread 0 ends, and how long that takes.
fn outcome(cluster: &mut dyn Cluster, node: NodeId, request: Request) -> (Outcome, Nanos) {
    let begin = cluster.now();
    cluster.begin(0, node, request);
    match cluster.poll(Nanos::NEVER).unwrap() {
        Some(Happening::Completed { thread: 0, outcome }) => (outcome, cluster.now() - begin),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_node_serves() {
    let mut cluster = five(1);
    for (value, node) in (1..).zip(cluster.members()) {
        let (done, took) = outcome(&mut *cluster, node, write(value));
        assert_eq!(done, Outcome::Answered(Response::Kv(kv::Response::Done)));
        assert!(took < Nanos::from_millis(20), "{took}");
        let (seen, _) = outcome(&mut *cluster, node, read());
        let value = value.into();
        assert_eq!(seen, Outcome::Answered(Response::Kv(kv::Response::Value { value })));
    }
    assert_eq!(cluster.sometimes().count("a leader was elected"), 1);
}

#[test]
fn a_dead_node_refuses_until_the_client_gives_up() {
    let mut cluster = five(1);
    cluster.inject(&Fault::Kill { node: N1 });
    assert_eq!(cluster.status(N1), None);
    let (refused, took) = outcome(&mut *cluster, N1, write(1));
    assert_eq!(refused, Outcome::Refused("connection refused".into()));
    let total = Nanos::from(Policy::default().total);
    assert!(took <= total && took > total - Nanos::from_millis(200), "{took}");
}

#[test]
fn a_paused_node_leaves_the_client_in_doubt() {
    let mut cluster = five(1);
    cluster.inject(&Fault::Pause { node: N1 });
    assert_eq!(cluster.status(N1), None);
    let (unknown, took) = outcome(&mut *cluster, N1, write(1));
    assert!(matches!(unknown, Outcome::Unknown(_)), "{unknown:?}");
    assert!(took <= Nanos::from(Policy::default().total), "{took}");
    // What the client has given up may yet take effect, and once only.
    cluster.inject(&Fault::Resume { node: N1 });
    assert_eq!(cluster.poll(cluster.now() + Nanos::from_secs(2)), Ok(None));
    let (seen, _) = outcome(&mut *cluster, NodeId(2), read());
    let value = 1.into();
    assert_eq!(seen, Outcome::Answered(Response::Kv(kv::Response::Value { value })));
}

#[test]
fn a_retry_finds_the_node_that_came_back() {
    let mut cluster = five(1);
    cluster.inject(&Fault::PowerOff { node: N1 });
    cluster.begin(0, N1, write(1));
    assert_eq!(cluster.poll(cluster.now() + Nanos::from_millis(300)), Ok(None));
    cluster.inject(&Fault::Start { node: N1 });
    let outcome = cluster.poll(Nanos::NEVER).unwrap();
    let done = Outcome::Answered(Response::Kv(kv::Response::Done));
    assert_eq!(outcome, Some(Happening::Completed { thread: 0, outcome: done }));
}

#[test]
fn threads_keep_to_themselves() {
    let mut cluster = five(1);
    cluster.inject(&Fault::Pause { node: N1 });
    cluster.begin(7, N1, write(1));
    cluster.begin(3, NodeId(2), write(2));
    cluster.begin(THREADS_MAX, NodeId(2), read());
    let mut ended = Vec::new();
    while let Some(Happening::Completed { thread, outcome }) = cluster.poll(Nanos::NEVER).unwrap() {
        ended.push((thread, matches!(outcome, Outcome::Answered(_))));
        if ended.len() == 3 {
            break;
        }
    }
    assert_eq!(ended, [(THREADS_MAX, false), (3, true), (7, false)]);
}

#[test]
fn one_seed_is_one_run_behind_the_trait() {
    let digest = |seed| {
        let mut cluster = five(seed);
        for value in 1..50 {
            outcome(&mut *cluster, NodeId((value % 5) as u16 + 1), write(value));
        }
        (cluster.trace().digest(), cluster.counts())
    };
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}
