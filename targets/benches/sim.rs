//! How fast the simulated world is: events a second, as the cluster grows.
//!
//! `cargo bench -p quorate-targets --bench sim`. The items of a row are events (deliveries,
//! timers, requests, answers, syncs); each iteration is one virtual second at 1,000 requests a
//! second, so the inverse of its time is virtual seconds a real second.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

#[path = "../tests/sim_toy/mod.rs"]
mod sim_toy;

use divan::Bencher;
use divan::counter::ItemsCount;
use quorate_targets::api::kv;
use quorate_targets::node::NodeId;
use quorate_targets::raft::{RaftKv, Response};
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Counts, Detail, Nanos, Observed, Setup, World};
use sim_toy::{Request, Toy};

const RATE: u64 = 1_000;

/// One virtual second of writes at `RATE`, round robin over the nodes.
fn second(nodes: u16, detail: Detail) -> Counts {
    let setup = Setup { detail, ..Setup::new(nodes) };
    let mut world: World<Toy> = World::new(Seed(1), setup).unwrap();
    for request in 0..RATE {
        let until = Nanos(request * 1_000_000_000 / RATE);
        while world.poll(until).unwrap().is_some() {}
        let node = NodeId((request % u64::from(nodes)) as u16 + 1);
        world.submit(node, Request::Write(request));
    }
    while world.poll(Nanos::from_secs(1)).unwrap().is_some() {}
    world.counts()
}

fn bench(bencher: Bencher<'_, '_>, nodes: u16, detail: Detail) {
    let events = second(nodes, detail).events;
    bencher.counter(ItemsCount::new(events)).bench(|| second(nodes, detail));
}

#[divan::bench(args = [3, 5, 9, 15, 25], max_time = 1)]
fn toy_digest_only(bencher: Bencher<'_, '_>, nodes: u16) {
    bench(bencher, nodes, Detail::Digest);
}

#[divan::bench(args = [5, 25], max_time = 1)]
fn toy_events_traced(bencher: Bencher<'_, '_>, nodes: u16) {
    bench(bencher, nodes, Detail::Events);
}

#[divan::bench(args = [5], max_time = 1)]
fn toy_payloads_traced(bencher: Bencher<'_, '_>, nodes: u16) {
    bench(bencher, nodes, Detail::Payloads);
}

/// A raft-kv cluster that has elected its leader, and what it has done so far.
fn elected(nodes: u16) -> World<RaftKv> {
    let setup = Setup { detail: Detail::Digest, ..Setup::new(nodes) };
    let mut world: World<RaftKv> = World::new(Seed(1), setup).unwrap();
    while !world.members().any(|id| world.node(id).is_some_and(RaftKv::is_leader)) {
        let until = world.now() + Nanos::from_millis(10);
        while world.poll(until).unwrap().is_some() {}
    }
    world
}

/// One virtual second of requests at `RATE` over ten keys: half reads, half writes, at every
/// node in turn. Each is answered well.
fn raft_second(mut world: World<RaftKv>) -> Counts {
    let (nodes, begin) = (world.members().count() as u64, world.now());
    let mut answered = 0;
    let mut poll = |world: &mut World<RaftKv>, until| {
        while let Some(observed) = world.poll(until).unwrap() {
            let error = matches!(
                observed,
                Observed::Response { response: Response::Kv(kv::Response::Error { .. }), .. }
            );
            answered += u64::from(!error);
        }
    };
    for request in 0..RATE {
        poll(&mut world, begin + Nanos(request * 1_000_000_000 / RATE));
        let key = format!("k{}", request % 10);
        let op = match request % 2 {
            0 => kv::Op::Read { key },
            _ => kv::Op::Write { key, value: request.into() },
        };
        let session = Some(kv::Session { client: request % 50, seq: request / 50 });
        let node = NodeId((request % nodes) as u16 + 1);
        world.submit(node, kv::Request { op, session }.into());
    }
    poll(&mut world, begin + Nanos::from_secs(1));
    assert!(answered > RATE * 9 / 10, "{answered}");
    world.counts()
}

#[divan::bench(args = [3, 5, 9, 15, 25], max_time = 1)]
fn raft_kv(bencher: Bencher<'_, '_>, nodes: u16) {
    let before = elected(nodes).counts().events;
    let events = raft_second(elected(nodes)).events - before;
    let bencher = bencher.counter(ItemsCount::new(events));
    bencher.with_inputs(|| elected(nodes)).bench_values(raft_second);
}

fn main() {
    divan::main();
}
