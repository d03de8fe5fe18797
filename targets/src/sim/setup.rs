//! How a world begins.

use super::disk::DiskBehaviour;
use super::network::Link;
use super::time::{Delay, Nanos};
use super::trace::{Detail, TRACE_MAX};
use crate::bugs::Bug;
use crate::node::{Config, NodeId};

/// How a world begins. Everything but the seed; faults change it later.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The nodes, numbered from 1 without gaps.
    pub nodes: Vec<Config>,
    /// Every wire between two nodes.
    pub link: Link,
    /// The way between clients and nodes, each way.
    pub client: Delay,
    /// Every disk.
    pub disk: DiskBehaviour,
    /// How long a node takes from its start to its first input.
    pub boot: Delay,
    /// Whether timers fire by themselves. If not, they fire by
    /// [`World::fire`](super::World::fire) only: for scripted scenes.
    pub timers: bool,
    /// What the trace keeps.
    pub detail: Detail,
    /// How many entries the trace keeps.
    pub trace_max: usize,
    /// How many messages the post keeps; none where it is 0.
    pub post_max: usize,
}

impl Setup {
    /// A healthy cluster of `nodes` nodes as on one machine or in one rack: messages take 0.1 to
    /// 0.5 ms, syncs 0.5 to 1.5 ms, boots 5 to 20 ms.
    #[must_use]
    pub fn new(nodes: u16) -> Setup {
        let uniform = |base, jitter| Delay::Uniform {
            base: Nanos::from_micros(base),
            jitter: Nanos::from_micros(jitter),
        };
        Setup {
            nodes: configs(nodes),
            link: Link::delayed(uniform(100, 400)),
            client: uniform(50, 100),
            disk: DiskBehaviour::healthy(uniform(500, 1_000)),
            boot: uniform(5_000, 15_000),
            timers: true,
            detail: Detail::Events,
            trace_max: TRACE_MAX,
            post_max: 0,
        }
    }

    /// A cluster for scripted scenes: every message takes one millisecond, all else takes no
    /// time, and the trace tells what messages say.
    #[must_use]
    pub fn scene(nodes: u16) -> Setup {
        Setup {
            link: Link::delayed(Delay::Fixed(Nanos::from_millis(1))),
            client: Delay::NONE,
            disk: DiskBehaviour::healthy(Delay::NONE),
            boot: Delay::NONE,
            detail: Detail::Payloads,
            ..Setup::new(nodes)
        }
    }

    /// Switches a bug on, at all nodes.
    #[must_use]
    pub fn with_bug(mut self, bug: Bug) -> Setup {
        self.nodes.iter_mut().for_each(|config| config.bugs.push(bug));
        self
    }

    /// Gives all nodes an option of the target.
    #[must_use]
    pub fn with_option(mut self, key: &str, value: &str) -> Setup {
        for config in &mut self.nodes {
            config.options.insert(key.to_owned(), value.to_owned());
        }
        self
    }
}

/// The nodes n1 to nN, without bugs and options.
fn configs(nodes: u16) -> Vec<Config> {
    let members: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
    let config = |id: &NodeId| Config {
        id: *id,
        members: members.clone(),
        bugs: Vec::new(),
        options: std::collections::BTreeMap::new(),
    };
    members.iter().map(config).collect()
}
