//! What is done to the cluster, and how it is healed.

use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Cluster, Delay, Fault, Gate, Link, Nanos, Ppm};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

pub(crate) struct Faults {
    rng: ChaCha8Rng,
    /// The most time between two faults, in milliseconds.
    pace_ms: u64,
}

impl Faults {
    pub(crate) fn new(seed: Seed) -> Faults {
        let mut rng = seed.stream("faults");
        let pace_ms = [300, 1000, 3000][rng.random_range(0..3)];
        Faults { rng, pace_ms }
    }

    /// When the next one comes.
    pub(crate) fn after(&mut self) -> Nanos {
        Nanos::from_millis(self.rng.random_range(20..self.pace_ms))
    }

    /// Does one thing, good or bad.
    pub(crate) fn strike(&mut self, cluster: &mut dyn Cluster) {
        let mut nodes = cluster.members();
        nodes.shuffle(&mut self.rng);
        let some = nodes[..self.rng.random_range(1..nodes.len())].to_vec();
        match self.rng.random_range(0..8) {
            0..=2 => self.halves(cluster, &some),
            3 => self.one_way(cluster, &nodes),
            4 => self.lossy(cluster),
            5 => each(cluster, &some, |node| Fault::PowerOff { node }),
            6 => each(cluster, &some, |node| Fault::Pause { node }),
            _ => {
                cluster.inject(&Fault::OpenAll);
            }
        }
        let back: Vec<NodeId> = nodes.into_iter().filter(|_| self.rng.random_bool(0.6)).collect();
        each(cluster, &back, |node| Fault::Start { node });
        each(cluster, &back, |node| Fault::Resume { node });
    }

    /// Makes everything well.
    pub(crate) fn heal(cluster: &mut dyn Cluster) {
        links(cluster, Link::delayed(delay(100, 400)));
        cluster.inject(&Fault::OpenAll);
        let nodes = cluster.members();
        each(cluster, &nodes, |node| Fault::Start { node });
        each(cluster, &nodes, |node| Fault::Resume { node });
    }

    fn halves(&mut self, cluster: &mut dyn Cluster, some: &[NodeId]) {
        let gate = if self.rng.random_bool(0.2) { Gate::Held } else { Gate::Cut };
        cluster.inject(&Fault::OpenAll);
        for (from, to) in pairs(cluster) {
            if some.contains(&from) != some.contains(&to) {
                cluster.inject(&Fault::Gate { from, to, gate });
            }
        }
    }

    /// The first can only send, or only receive.
    fn one_way(&mut self, cluster: &mut dyn Cluster, nodes: &[NodeId]) {
        let sends = self.rng.random_bool(0.5);
        for (from, to) in pairs(cluster) {
            if (if sends { to } else { from }) == nodes[0] {
                cluster.inject(&Fault::Gate { from, to, gate: Gate::Cut });
            }
        }
    }

    fn lossy(&mut self, cluster: &mut dyn Cluster) {
        let chance = |rng: &mut ChaCha8Rng| Ppm([0, 20_000, 200_000][rng.random_range(0..3)]);
        let link = Link {
            loss: chance(&mut self.rng),
            duplicate: chance(&mut self.rng),
            reorder: chance(&mut self.rng),
            ..Link::delayed(delay(100, [400, 5_000, 60_000][self.rng.random_range(0..3)]))
        };
        links(cluster, link);
    }
}

fn each(cluster: &mut dyn Cluster, nodes: &[NodeId], fault: fn(NodeId) -> Fault) {
    for node in nodes {
        cluster.inject(&fault(*node));
    }
}

fn links(cluster: &mut dyn Cluster, link: Link) {
    for (from, to) in pairs(cluster) {
        cluster.inject(&Fault::Link { from, to, link });
    }
}

fn delay(base: u64, jitter: u64) -> Delay {
    Delay::Uniform { base: Nanos::from_micros(base), jitter: Nanos::from_micros(jitter) }
}

fn pairs(cluster: &dyn Cluster) -> Vec<(NodeId, NodeId)> {
    let nodes = cluster.members();
    let all = |from: &NodeId| nodes.iter().map(|to| (*from, *to)).collect::<Vec<_>>();
    nodes.iter().flat_map(all).filter(|(from, to)| from != to).collect()
}
