//! The world of real processes: a cluster on this machine, clients over HTTP, faults by proxy and
//! signal.

use crate::cluster::{Cluster, ClusterError, PreflightError, Setup, Surroundings, preflight};
use crate::messages::{self, Message};
use crate::nemesis::Action;
use crate::proxy::{Counters, LinkId, Network, NetworkError};
use crate::world::injector::{Injector, Order};
use crate::world::lanes::{self, Caller, Lanes};
use crate::world::statuses::Statuses;
use crate::world::{Happening, World};
use anyhow::Context;
use quorate_checkers::history::Nanos;
use quorate_targets::api::{Outcome, Request};
use quorate_targets::caller::Policy;
use quorate_targets::client::{AddressBook, Client, ClientError};
use quorate_targets::node::{NodeId, Status};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::sync::oneshot;

pub use crate::world::lanes::SecondInterrupt;

/// How long the clean end of a cluster may take in all; what still runs then is killed.
const STOP_MAX: Duration = Duration::from_secs(10);

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No runtime, or no signals.
    #[error("cannot start the threads that drive the run")]
    Runtime(#[from] io::Error),
    /// No HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The machine cannot carry the run.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// No network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// No cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A task of ours ended early.
    #[error("starting the cluster was given up")]
    GivenUp,
}

/// What the world is made of.
pub struct Options {
    /// The cluster.
    pub setup: Setup,
    /// How many client threads there are.
    pub threads: usize,
    /// How patient their clients are.
    pub policy: Policy,
    /// What a second Ctrl-C does.
    pub second_interrupt: SecondInterrupt,
}

/// A running cluster with its clients. Dropping it kills the cluster; [`Processes::stop`] ends
/// it in order.
#[derive(Debug)]
pub struct Processes {
    lanes: Lanes,
    network: Arc<Network>,
    statuses: Statuses,
    injector: UnboundedSender<Order>,
    /// Dropped last: all tasks live in it, and with its threads the kernel ends the nodes.
    runtime: Runtime,
}

impl Processes {
    /// Looks whether the run's folder and this machine will do, then starts network, cluster and
    /// clients; returns when all nodes are ready.
    pub fn start(options: Options) -> Result<Processes, StartError> {
        let Options { setup, threads, policy, second_interrupt } = options;
        preflight(&setup.folder, &setup.members, threads)?;
        let epoch = Instant::now();
        let runtime = lanes::runtime()?;
        let mut lanes = Lanes::new(epoch);
        lanes.listen(&runtime, second_interrupt)?;
        let members = setup.members.clone();
        let network = runtime.block_on(Network::open(&members, setup.seed, epoch))?;
        let network = Arc::new(network);
        let book = AddressBook::default();
        let (deaths, dead) = mpsc::unbounded_channel();
        let around = Surroundings { network: Arc::clone(&network), book: book.clone(), deaths };
        // On a worker thread, not on ours: nodes die with the thread that started them.
        let starting = runtime.spawn(Cluster::start(setup, around));
        let cluster = runtime.block_on(starting).map_err(|_| StartError::GivenUp)??;

        for _ in 0..threads {
            lanes.add(&runtime, Client::new(book.clone(), policy)?);
        }
        let client = Arc::new(Client::new(book, policy)?);
        let statuses = Statuses::default();
        runtime.spawn(statuses.clone().poll(Arc::clone(&client), members));
        let (injector, orders) = mpsc::unbounded_channel();
        let tell = lanes.tell();
        let serving = Injector { cluster, network: Arc::clone(&network), client, tell };
        runtime.spawn(serving.run(orders, dead));
        Ok(Processes { lanes, network, statuses, injector, runtime })
    }

    /// What each link has carried so far.
    pub fn traffic(&self) -> BTreeMap<LinkId, Counters> {
        self.network.counters()
    }

    /// Ends the nodes: asks them, and kills those that do not listen. Nothing runs afterwards,
    /// also if it fails.
    pub fn stop(self) -> Result<(), ClusterError> {
        let (done, stopped) = oneshot::channel();
        if self.injector.send(Order::Stop(done)).is_err() {
            return Ok(()); // the cluster is gone with its owner
        }
        let stopped =
            self.runtime.block_on(async { tokio::time::timeout(STOP_MAX, stopped).await });
        match stopped {
            Ok(Ok(result)) => result,
            // Dropping the runtime kills what is left.
            Ok(Err(_)) | Err(_) => Ok(()),
        }
    }
}

impl Caller for Client {
    async fn call(&mut self, node: NodeId, request: Request) -> Outcome {
        Client::call(self, node, request).await
    }
}

impl World for Processes {
    fn now(&mut self) -> Nanos {
        self.lanes.now()
    }

    fn invoke(&mut self, thread: usize, node: NodeId, request: Request) {
        self.lanes.invoke(thread, node, request);
    }

    fn inject(&mut self, action: &Action) {
        // The injector lives as long as we do: it ends only by `stop`, which takes us.
        let _ = self.injector.send(Order::Apply(action.clone()));
    }

    fn poll(&mut self, until: Nanos) -> Option<Happening> {
        self.lanes.poll(until)
    }

    fn statuses(&mut self) -> BTreeMap<NodeId, Status> {
        self.statuses.last()
    }

    fn messages(&mut self) -> Vec<Message> {
        messages::of_frames(&self.network.messages())
    }

    fn stop(self: Box<Self>) -> anyhow::Result<()> {
        Processes::stop(*self).context("the cluster did not end in order")
    }
}
