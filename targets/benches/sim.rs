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
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Counts, Detail, Nanos, Setup, World};
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

fn main() {
    divan::main();
}
