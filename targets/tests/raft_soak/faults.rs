//! What is done to the cluster, and how it is healed.

use super::{Alarm, Cluster, alarm};
use quorate_targets::node::NodeId;
use quorate_targets::raft::RaftKv;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Delay, Fault, Gate, Link, Nanos, Ppm};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

pub(crate) struct Faults {
    rng: ChaCha8Rng,
    /// Bounds of the time between two faults, in milliseconds.
    pace_ms: u64,
}

impl Faults {
    pub(crate) fn new(seed: Seed) -> Faults {
        let mut rng = seed.stream("faults");
        let pace_ms = [150, 500, 1500][rng.random_range(0..3)];
        Faults { rng, pace_ms }
    }

    pub(crate) fn plan(&mut self, world: &mut Cluster, alarms: &mut Vec<Alarm>) {
        let after = Duration::from_millis(self.rng.random_range(20..self.pace_ms * 2));
        alarm(world, alarms, after, Alarm::Fault);
    }

    /// Does one thing, good or bad.
    pub(crate) fn strike(&mut self, world: &mut Cluster, alarms: &mut Vec<Alarm>) {
        let nodes = self.shuffled(world);
        let some = nodes[..self.rng.random_range(1..=nodes.len())].to_vec();
        match self.rng.random_range(0..12) {
            0 | 1 => self.halves(world, &some),
            2 => self.halves(world, &nodes[..1]),
            3 | 4 => self.isolate_leader(world),
            5 => self.one_way(world, &nodes),
            6 => Faults::ring(world, &nodes),
            7 => self.lossy(world),
            8 => some.into_iter().for_each(|node| inject(world, &Fault::PowerOff { node })),
            9 => some.into_iter().for_each(|node| inject(world, &Fault::Pause { node })),
            10 => {
                let leader = leader(world).unwrap_or(nodes[0]);
                inject(world, &Fault::PowerOff { node: leader });
                inject(world, &Fault::Start { node: leader });
            }
            _ => inject(world, &Fault::OpenAll),
        }
        for node in nodes {
            if self.rng.random_bool(0.6) {
                inject(world, &Fault::Start { node });
                inject(world, &Fault::Resume { node });
            }
        }
        self.plan(world, alarms);
    }

    /// Makes everything well.
    pub(crate) fn heal(world: &mut Cluster) {
        Faults::links(world, Link::delayed(delay(100, 400)));
        inject(world, &Fault::OpenAll);
        for node in world.members() {
            inject(world, &Fault::Start { node });
            inject(world, &Fault::Resume { node });
        }
    }

    fn shuffled(&mut self, world: &Cluster) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = world.members().collect();
        nodes.shuffle(&mut self.rng);
        nodes
    }

    /// Cuts off some from the rest.
    fn halves(&mut self, world: &mut Cluster, some: &[NodeId]) {
        let gate = if self.rng.random_bool(0.2) { Gate::Held } else { Gate::Cut };
        inject(world, &Fault::OpenAll);
        for (from, to) in pairs(world) {
            if some.contains(&from) != some.contains(&to) {
                inject(world, &Fault::Gate { from, to, gate });
            }
        }
    }

    fn isolate_leader(&mut self, world: &mut Cluster) {
        if let Some(leader) = leader(world) {
            self.halves(world, &[leader]);
        }
    }

    /// The first can only send, or only receive.
    fn one_way(&mut self, world: &mut Cluster, nodes: &[NodeId]) {
        let sends = self.rng.random_bool(0.5);
        for (from, to) in pairs(world) {
            if (if sends { to } else { from }) == nodes[0] {
                inject(world, &Fault::Gate { from, to, gate: Gate::Cut });
            }
        }
    }

    /// Each sees a majority, no two the same.
    fn ring(world: &mut Cluster, nodes: &[NodeId]) {
        let place = |node| nodes.iter().position(|n| *n == node).unwrap_or(0);
        for (from, to) in pairs(world) {
            let apart = place(from).abs_diff(place(to));
            if apart.min(nodes.len() - apart) > nodes.len() / 4 {
                inject(world, &Fault::Gate { from, to, gate: Gate::Cut });
            }
        }
    }

    fn lossy(&mut self, world: &mut Cluster) {
        let chance = |rng: &mut ChaCha8Rng| Ppm([0, 20_000, 200_000][rng.random_range(0..3)]);
        let link = Link {
            loss: chance(&mut self.rng),
            duplicate: chance(&mut self.rng),
            reorder: chance(&mut self.rng),
            ..Link::delayed(delay(100, [400, 5_000, 60_000][self.rng.random_range(0..3)]))
        };
        Faults::links(world, link);
    }

    fn links(world: &mut Cluster, link: Link) {
        for (from, to) in pairs(world) {
            inject(world, &Fault::Link { from, to, link });
        }
    }
}

/// Does this; that it may make no sense just now does not matter.
fn inject(world: &mut Cluster, fault: &Fault) {
    world.inject(fault);
}

fn delay(base: u64, jitter: u64) -> Delay {
    Delay::Uniform { base: Nanos::from_micros(base), jitter: Nanos::from_micros(jitter) }
}

fn pairs(world: &Cluster) -> Vec<(NodeId, NodeId)> {
    let all = |from| world.members().map(move |to| (from, to));
    world.members().flat_map(all).filter(|(from, to)| from != to).collect()
}

/// Who leads in the latest term.
fn leader(world: &Cluster) -> Option<NodeId> {
    let leads = |node: &NodeId| world.node(*node).is_some_and(RaftKv::is_leader);
    let term = |node: &NodeId| world.node(*node).map(RaftKv::term);
    world.members().filter(leads).max_by_key(term)
}
