//! A cluster of bundled nodes as child processes: started together, killed, paused, restarted,
//! and gone when the harness is gone.
//!
//! Each node is our own binary (`quorate node TARGET ...`) in a process group of its own, so
//! that a Ctrl-C at the keyboard reaches the harness alone. A node prints one line when it is
//! ready; ports are picked by the kernel, so two runs at once do not disturb each other.
//!
//! Three things see to it that no node outlives the harness: a node asks the kernel to be killed
//! when the *thread* that started it ends (so nodes must be started from a thread that lives as
//! long as the run: a worker of the runtime is one), dropping a [`Cluster`] kills its nodes, and
//! [`Cluster::stop`] ends them in order.

mod child;
mod logs;
mod preflight;

pub use preflight::{PreflightError, preflight};

use crate::proxy::Network;
use child::Child;
use futures_util::future::{join_all, try_join_all};
use nix::sys::signal::Signal;
use quorate_targets::bugs::Bug;
use quorate_targets::client::AddressBook;
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// How long a node has to say that it is ready, unless [`Setup::ready_max`] says otherwise.
pub const READY_MAX: Duration = Duration::from_secs(10);
/// How long nodes have to end when they are asked to; then they are killed.
const STOP_MAX: Duration = Duration::from_secs(2);
/// How long the kernel may take to end a process after SIGKILL.
const KILL_MAX: Duration = Duration::from_secs(5);

/// What is started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The binary, usually our own.
    pub program: PathBuf,
    /// Its first arguments: `node TARGET`.
    pub arguments: Vec<String>,
    /// The nodes.
    pub members: Vec<NodeId>,
    /// Whether what is not synced dies with a killed node.
    pub lazy_disk: bool,
    /// Decides the nodes' randomness.
    pub seed: Seed,
    /// Seeded bugs to switch on.
    pub bugs: Vec<Bug>,
    /// Options of the target.
    pub options: BTreeMap<String, String>,
    /// The run's folder; node n1 lives in `nodes/n1` of it.
    pub folder: PathBuf,
    /// How long a node has to say that it is ready.
    pub ready_max: Duration,
}

/// Why a node is not as wanted. What its log said last is part of the message.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The process could not be made.
    #[error("cannot start node {node} ({})", program.display())]
    Spawn {
        /// Which.
        node: NodeId,
        /// What was to run.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Its folder cannot be written.
    #[error("cannot write the logs of node {node} in {}", folder.display())]
    Folder {
        /// Which.
        node: NodeId,
        /// Where.
        folder: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It ended before it was ready.
    #[error("node {node} did not come up: {ended}")]
    Ended {
        /// Which.
        node: NodeId,
        /// Its exit status and last log lines.
        ended: String,
    },
    /// It runs, but is not ready.
    #[error("node {node} did not come up: it is not ready after {limit:?}\n{log}")]
    NotReady {
        /// Which.
        node: NodeId,
        /// How long it had.
        limit: Duration,
        /// Its last log lines.
        log: String,
    },
    /// It said something else than that it is ready.
    #[error("node {node} is not what was started: its ready line is `{line}`")]
    BadReady {
        /// Which.
        node: NodeId,
        /// What it said.
        line: String,
    },
    /// A signal could not be sent, or did not do what it must.
    #[error("cannot send {signal} to node {node}: {why}")]
    Signal {
        /// Which.
        node: NodeId,
        /// Which signal.
        signal: Signal,
        /// Why not.
        why: String,
    },
}

/// A node ended that nobody had killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Which.
    pub node: NodeId,
    /// Exit status and last log lines.
    pub reason: String,
}

/// What an action on several nodes did.
#[derive(Debug, Default)]
pub struct Turned {
    /// The nodes on which it was carried out.
    pub nodes: Vec<NodeId>,
    /// The first that went wrong; then the others may or may not be as wanted.
    pub error: Option<ClusterError>,
}

impl Turned {
    fn note(&mut self, node: NodeId, result: Result<(), ClusterError>) {
        if result.is_ok() {
            self.nodes.push(node);
        }
        self.fail(result);
    }

    fn fail(&mut self, result: Result<(), ClusterError>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }
}

/// How a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It runs.
    Up,
    /// It stands still.
    Paused,
    /// It is dead.
    Down,
}

/// Who must know where nodes are and whether they live.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Brings messages to nodes.
    pub network: Arc<Network>,
    /// Brings clients to nodes.
    pub book: AddressBook,
    /// Is told of deaths that nobody caused.
    pub deaths: UnboundedSender<Death>,
}

impl Surroundings {
    /// A node is nowhere, until it is ready again.
    fn forget(&self, node: NodeId) {
        self.network.set_peer(node, None);
        self.book.set(node, None);
    }
}

/// The running nodes.
#[derive(Debug)]
pub struct Cluster {
    setup: Setup,
    around: Surroundings,
    nodes: BTreeMap<NodeId, Member>,
}

#[derive(Debug)]
struct Member {
    child: Child,
    paused: bool,
    /// How many processes this node has been.
    incarnation: u32,
}

impl Member {
    fn condition(&self) -> Condition {
        match (self.child.has_ended(), self.paused) {
            (true, _) => Condition::Down,
            (false, true) => Condition::Paused,
            (false, false) => Condition::Up,
        }
    }
}

impl Cluster {
    /// Starts all nodes at once and waits until each is ready. If one does not come up, those
    /// that did are killed.
    pub async fn start(setup: Setup, around: Surroundings) -> Result<Cluster, ClusterError> {
        let starts = setup.members.iter().map(|node| async {
            let child = Child::start(&setup, *node, 1, &around).await?;
            Ok((*node, Member { child, paused: false, incarnation: 1 }))
        });
        let nodes = try_join_all(starts).await?.into_iter().collect();
        Ok(Cluster { setup, around, nodes })
    }

    /// All nodes.
    pub fn members(&self) -> &[NodeId] {
        &self.setup.members
    }

    /// How a node is now.
    pub fn condition(&self, node: NodeId) -> Condition {
        self.nodes.get(&node).map_or(Condition::Down, Member::condition)
    }

    /// The log folder of a node.
    pub fn folder(&self, node: NodeId) -> PathBuf {
        node_folder(&self.setup.folder, node)
    }

    /// SIGKILL to those of `nodes` that run or stand still, to all before any is waited for, as
    /// in a power cut. Done when the processes are gone.
    pub async fn kill(&mut self, nodes: &[NodeId]) -> Turned {
        let mut turned = Turned::default();
        for node in nodes {
            let Some(member) = self.nodes.get_mut(node).filter(|m| !m.child.has_ended()) else {
                continue;
            };
            self.around.forget(*node);
            member.paused = false;
            member.child.expect_end();
            turned.note(*node, member.child.signal(Signal::SIGKILL));
        }
        let until = Instant::now() + KILL_MAX;
        for node in turned.nodes.clone() {
            if let Some(member) = self.nodes.get(&node) {
                turned.fail(member.child.wait_end(Signal::SIGKILL, until).await);
            }
        }
        turned
    }

    /// Starts those that are down again, all at once, each with the data it had. Done when they
    /// are ready.
    pub async fn start_dead(&mut self) -> Turned {
        let mut starts = Vec::new();
        for (node, member) in self.nodes.iter_mut().filter(|(_, m)| m.child.has_ended()) {
            self.around.forget(*node);
            // Noted even if it fails: each process of a node has a number of its own.
            member.incarnation += 1;
            let (setup, around, incarnation) = (&self.setup, &self.around, member.incarnation);
            starts.push(
                async move { (*node, Child::start(setup, *node, incarnation, around).await) },
            );
        }
        let started = join_all(starts).await;
        let mut turned = Turned::default();
        for (node, child) in started {
            let placed = child.map(|child| {
                if let Some(member) = self.nodes.get_mut(&node) {
                    *member = Member { child, paused: false, incarnation: member.incarnation };
                }
            });
            turned.note(node, placed);
        }
        turned
    }

    /// SIGSTOP to those of `nodes` that run.
    pub fn pause(&mut self, nodes: &[NodeId]) -> Turned {
        self.signal(nodes, Condition::Up, Signal::SIGSTOP)
    }

    /// SIGCONT to all that stand still.
    pub fn resume(&mut self) -> Turned {
        let members = self.setup.members.clone();
        self.signal(&members, Condition::Paused, Signal::SIGCONT)
    }

    fn signal(&mut self, nodes: &[NodeId], from: Condition, signal: Signal) -> Turned {
        let mut turned = Turned::default();
        for node in nodes {
            let Some(member) = self.nodes.get_mut(node).filter(|m| m.condition() == from) else {
                continue;
            };
            member.paused = signal == Signal::SIGSTOP;
            turned.note(*node, member.child.signal(signal));
        }
        turned
    }

    /// Notes that a node has died by itself, so that nobody is sent to it any more.
    pub fn mourn(&self, node: NodeId) {
        if self.condition(node) == Condition::Down {
            self.around.forget(node);
        }
    }

    /// Ends all nodes: asks them first, kills those that do not listen.
    pub async fn stop(self) -> Result<(), ClusterError> {
        for member in self.nodes.values().filter(|member| !member.child.has_ended()) {
            member.child.expect_end();
            member.child.signal(Signal::SIGTERM)?;
            member.child.signal(Signal::SIGCONT)?;
        }
        let asked = Instant::now() + STOP_MAX;
        for member in self.nodes.values() {
            if member.child.wait_end(Signal::SIGTERM, asked).await.is_err() {
                member.child.signal(Signal::SIGKILL)?;
                let killed = Instant::now() + KILL_MAX;
                member.child.wait_end(Signal::SIGKILL, killed).await?;
            }
        }
        Ok(())
    }
}

/// Where a node of a run lives.
fn node_folder(run: &Path, node: NodeId) -> PathBuf {
    run.join("nodes").join(node.to_string())
}
