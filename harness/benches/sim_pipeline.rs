//! How much virtual time a real second holds: the whole pipeline of a simulated run, from
//! generator to verdict, as the cluster grows.
//!
//! `cargo bench -p quorate --bench sim_pipeline`. Each iteration is one virtual second of raft-kv
//! at 1,000 operations a second under partitions, kills and pauses, with its final phase, checked
//! by one thread; the items are events of the simulator.

#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use divan::Bencher;
use divan::counter::ItemsCount;
use quorate::catalog;
use quorate::hunt::knobs::{Fixed, draw};
use quorate::nemesis::FaultKind;
use quorate::plan::{Disk, Plan};
use quorate::trial::carry_out;
use quorate::world::sim::calm_weather;
use quorate_targets::seed::Seed;
use quorate_targets::sim::Detail;
use std::collections::BTreeMap;
use std::time::Duration;

fn plan(nodes: u16) -> Plan {
    let target = catalog::target("raft-kv").unwrap();
    let fixed = Fixed {
        nodes: Some(nodes),
        clients_a_node: Some(4),
        rate: Some(1_000.0),
        time_limit: Some(Duration::from_secs(1)),
        faults: Some(vec![FaultKind::Partition, FaultKind::Kill, FaultKind::Pause]),
        interval: Some(Duration::from_millis(300)),
        target_options: BTreeMap::from([("snapshot-every".into(), "500".into())]),
        disk: Some(Disk::Lazy),
        ..Fixed::of(&target)
    };
    Plan { weather: Some(calm_weather()), ..draw(&fixed, Seed(1)).unwrap() }
}

#[divan::bench(args = [3, 5, 9, 15, 25], max_time = 2)]
fn pipeline(bencher: Bencher<'_, '_>, nodes: u16) {
    let plan = plan(nodes);
    let events = carry_out(&plan, Detail::Digest).unwrap().counts.events;
    let bencher = bencher.counter(ItemsCount::new(events));
    bencher.bench(|| carry_out(&plan, Detail::Digest).unwrap().counts.events);
}

fn main() {
    divan::main();
}
