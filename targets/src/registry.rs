//! The bundled databases by name: all that the rest of the house knows of each. Whoever hosts,
//! simulates, hunts or lists a target finds it here and names no database itself.
//!
//! To add one: write its [`Node`], add an entry to [`TARGETS`], and its seeded bugs to
//! [`crate::bugs`]. An entry without invariants of its own has `()` in their place.

use crate::api::{Request, Response};
use crate::caller::Policy;
use crate::eventual::{self, Eventual};
use crate::names::UnknownName;
use crate::node::{Config, Node};
use crate::raft::RaftKv;
use crate::raft::invariants::Invariants;
use crate::saga::{SagaOrders, invariants::Invariants as SagaInvariants};
use crate::seed::Seed;
use crate::sim::{Clients, Cluster, Coverage, Observer, Setup, SetupError, World};
use std::collections::BTreeMap;
use std::fmt;

/// What is known of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub description: &'static str,
    /// Names of the workloads that it can run; the first is the default.
    pub workloads: &'static [&'static str],
    /// The default cluster size.
    pub nodes: u16,
    /// Options that are worth varying when bugs are hunted, with values to choose from. The empty
    /// value leaves the default; one that stands twice is chosen twice as often.
    pub varied: &'static [(&'static str, &'static [&'static str])],
    /// Options of workloads that have another default here: workload, option, value.
    pub workload_defaults: &'static [(&'static str, &'static str, &'static str)],
}

/// Makes a simulated cluster with its clients.
type Simulate = fn(Seed, Setup, Policy) -> Result<Box<dyn Cluster>, SetupError>;

/// A bundled database.
#[derive(Clone, Copy)]
pub struct Target {
    /// What is known of it.
    pub about: About,
    /// The path of its api (`Node::API`).
    pub api: &'static str,
    /// Those of its other apis (`Node::MORE_APIS`).
    pub more_apis: &'static [&'static str],
    boot: fn(Config) -> Result<(), String>,
    simulate: Simulate,
    #[cfg(feature = "host")]
    host: fn(&crate::host::HostOptions) -> Result<(), crate::host::HostError>,
}

/// All bundled databases, in the order in which they are listed.
pub const TARGETS: &[Target] = &[
    Target::new::<RaftKv, Invariants>(About {
        name: "raft-kv",
        description: "a key-value store replicated by Raft; linearizable, with transactions",
        workloads: &[
            "register",
            "append",
            "wr",
            "mini-txn",
            "bank",
            "long-fork",
            "write-skew",
            "g2",
            "closed-predicate",
            "causal-reverse",
            "monotonic",
        ],
        nodes: 5,
        varied: &[
            ("snapshot-every", &["", "4", "20", "100"]),
            ("sessions", &["", "", "", "8"]),
            ("heartbeat-ms", &["", "", "20", "100"]),
        ],
        workload_defaults: &[],
    }),
    EVENTUAL,
    Target::new::<SagaOrders, SagaInvariants>(About {
        name: "saga-orders",
        description: "an order service of five services; each order is a saga",
        workloads: &["orders"],
        nodes: crate::saga::NODES,
        varied: &[
            ("style", &["", "choreography"]),
            ("lease-ms", &["", "", "200", "1000"]),
            ("retry-ms", &["", "", "20"]),
        ],
        workload_defaults: &[],
    }),
];

const EVENTUAL: Target = Target::new::<Eventual, eventual::invariants::Invariants>(About {
    name: "eventual",
    description: "a store like Dynamo and Cassandra; replicas agree in the end",
    workloads: &["set", "g-counter", "pn-counter", "session", "register"],
    nodes: 5,
    varied: &[
        ("anti-entropy-ms", &["", "", "300"]),
        ("compact-every", &["", "50", "500"]),
        ("suspect-after", &["", "", "3", "30"]),
    ],
    // To compare and set needs agreement, which this store does without.
    workload_defaults: &[("register", "cas", "0")],
});

/// The target called `name`.
pub fn find(name: &str) -> Result<&'static Target, UnknownName> {
    TARGETS.iter().find(|target| target.about.name == name).ok_or_else(|| {
        UnknownName::new("target", name, TARGETS.iter().map(|target| target.about.name))
    })
}

impl Target {
    /// The target whose nodes are `N`, and whose invariants `O` checks after every simulated
    /// event.
    const fn new<N, O>(about: About) -> Target
    where
        N: Node<Request: TryFrom<Request>, Response: Into<Response>> + Send + 'static,
        O: Observer<N> + Coverage + Default + Send + 'static,
    {
        Target {
            about,
            api: N::API,
            more_apis: N::MORE_APIS,
            boot: |config| N::boot(config, Vec::new()).map(|_| ()),
            simulate: |seed, setup, policy| {
                let world: World<N, O> = World::observed(seed, setup, O::default())?;
                Ok(Box::new(Clients::new(world, policy)))
            },
            #[cfg(feature = "host")]
            host: crate::host::run_node::<N>,
        }
    }

    /// Whether workloads that are written against this api can run on it.
    pub fn has_api(&self, api: &str) -> bool {
        self.api == api || self.more_apis.contains(&api)
    }

    /// The options of a workload that have another default on this target.
    pub fn defaults(&self, workload: &str) -> BTreeMap<String, String> {
        let all = self.about.workload_defaults.iter();
        let of_this = all.filter(|(of, ..)| *of == workload);
        of_this.map(|(_, name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// Whether a node boots with this configuration; the error says what is wrong with it.
    pub fn validate(&self, config: Config) -> Result<(), String> {
        (self.boot)(config)
    }

    /// A simulated cluster with its clients and its invariants.
    pub fn simulate(
        &self,
        seed: Seed,
        setup: Setup,
        policy: Policy,
    ) -> Result<Box<dyn Cluster>, SetupError> {
        (self.simulate)(seed, setup, policy)
    }

    /// Hosts one node in this process, until it is asked to stop by SIGTERM or SIGINT, or fails.
    #[cfg(feature = "host")]
    pub fn host(&self, options: &crate::host::HostOptions) -> Result<(), crate::host::HostError> {
        (self.host)(options)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("about", &self.about).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::NodeId;

    fn config(options: BTreeMap<String, String>) -> Config {
        let members: Vec<NodeId> = (1..=5).map(NodeId).collect();
        Config { id: NodeId(1), members, bugs: Vec::new(), options }
    }

    #[test]
    fn each_boots_with_its_defaults_and_with_each_varied_option() {
        for target in TARGETS {
            let About { name, workloads, varied, .. } = target.about;
            assert_eq!(find(name).unwrap().about, target.about);
            assert!(!workloads.is_empty(), "{name} can be asked nothing");
            target.validate(config(BTreeMap::new())).unwrap();
            for (option, values) in varied {
                for value in values.iter().filter(|value| !value.is_empty()) {
                    let options = [((*option).to_owned(), (*value).to_owned())].into();
                    target.validate(config(options)).unwrap();
                }
            }
            let nonsense = [("no-such-option".to_owned(), "1".to_owned())].into();
            assert!(target.validate(config(nonsense)).is_err(), "{name} takes any option");
        }
        let error = find("raft").unwrap_err().to_string();
        assert!(error.contains("raft-kv"), "{error}");
    }
}
