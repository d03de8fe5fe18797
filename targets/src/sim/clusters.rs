//! Simulated clusters of the bundled databases, by name. A new one is one line here.

use super::clients::{Clients, Cluster, Coverage};
use super::event::SetupError;
use super::observe::{Observer, Sometimes};
use super::setup::Setup;
use super::world::World;
use crate::api::{Request, Response};
use crate::caller::Policy;
use crate::eventual::{self, Eventual};
use crate::node::Node;
use crate::raft::RaftKv;
use crate::raft::invariants::Invariants;
use crate::seed::Seed;

type Make = fn(Seed, Setup, Policy) -> Result<Box<dyn Cluster>, SetupError>;

/// The targets, each with the invariants that are checked after every event.
const CLUSTERS: &[(&str, Make)] = &[
    ("raft-kv", make::<RaftKv, Invariants>),
    ("eventual", make::<Eventual, eventual::invariants::Invariants>),
];

/// A cluster of the target called `target`, with its invariants and clients.
pub fn cluster(
    target: &str,
    seed: Seed,
    setup: Setup,
    policy: Policy,
) -> Result<Box<dyn Cluster>, SetupError> {
    match CLUSTERS.iter().find(|(name, _)| *name == target) {
        Some((_, make)) => make(seed, setup, policy),
        None => Err(SetupError::UnknownTarget {
            name: target.to_owned(),
            known: CLUSTERS.iter().map(|(name, _)| *name).collect(),
        }),
    }
}

fn make<N, O>(seed: Seed, setup: Setup, policy: Policy) -> Result<Box<dyn Cluster>, SetupError>
where
    N: Node<Request: TryFrom<Request>, Response: Into<Response>> + Send + 'static,
    O: Observer<N> + Coverage + Default + Send + 'static,
{
    let world: World<N, O> = World::observed(seed, setup, O::default())?;
    Ok(Box::new(Clients::new(world, policy)))
}

impl Coverage for Invariants {
    fn coverage(&self) -> Sometimes {
        self.sometimes().clone()
    }
}

impl Coverage for eventual::invariants::Invariants {
    fn coverage(&self) -> Sometimes {
        self.sometimes().clone()
    }
}
