//! Carries out fault actions on a cluster of processes, one at a time, beside the load.

use crate::cluster::{Cluster, ClusterError, Death, Turned};
use crate::nemesis::{Action, Aim, Cut, FaultOutcome, alone, grudge_json, nodes_json};
use crate::proxy::{Network, Shaping};
use crate::world::{Happening, statuses};
use futures_util::future::join_all;
use quorate_targets::client::Client;
use quorate_targets::clock_fault::ClockFault;
use quorate_targets::node::NodeId;
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

/// What the injector is told to do.
pub(super) enum Order {
    /// Apply this and tell [`Happening::Injected`].
    Apply(Action),
    /// End the nodes, then yourself.
    Stop(oneshot::Sender<Result<(), ClusterError>>),
}

/// Owns the cluster.
pub(super) struct Injector {
    pub(super) cluster: Cluster,
    pub(super) network: Arc<Network>,
    /// Asks nodes how they are.
    pub(super) client: Arc<Client>,
    pub(super) tell: Sender<Happening>,
}

impl Injector {
    /// Serves until it is told to stop, or nobody is left who could tell.
    pub(super) async fn run(
        mut self,
        mut orders: UnboundedReceiver<Order>,
        mut deaths: UnboundedReceiver<Death>,
    ) {
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Apply(action)) => {
                        let outcome = self.apply(&action).await;
                        self.say(Happening::Injected(outcome));
                    }
                    Some(Order::Stop(done)) => {
                        // Who asked may have given up waiting; the nodes end all the same.
                        let _ = done.send(self.cluster.stop().await);
                        return;
                    }
                    None => return,
                },
                Some(Death { node, reason }) = deaths.recv() => {
                    self.cluster.mourn(node);
                    self.say(Happening::NodeDied { node, reason });
                }
            }
        }
    }

    /// Tells the interpreter, if it still listens.
    fn say(&self, happening: Happening) {
        let _ = self.tell.send(happening);
    }

    async fn apply(&mut self, action: &Action) -> FaultOutcome {
        match action {
            Action::StartPartition { cut, .. } => self.cut(cut).await,
            Action::StopPartition => {
                self.network.heal();
                FaultOutcome::Installed("all links pass".into())
            }
            Action::Kill { aim } => match self.resolve(aim).await {
                Some(nodes) => told(self.cluster.kill(&nodes).await, "the node is down already"),
                None => no_leader(),
            },
            Action::Pause { aim } => match self.resolve(aim).await {
                Some(nodes) => told(self.cluster.pause(&nodes), "the node does not run"),
                None => no_leader(),
            },
            Action::Start => told(self.cluster.start_dead().await, "no node is down"),
            Action::Resume => told(self.cluster.resume(), "no node is paused"),
            Action::StartPacket { aim, packet } => match self.resolve(aim).await {
                Some(nodes) => {
                    self.network.shape(&nodes, packet.shaping());
                    FaultOutcome::Installed(nodes_json(&nodes))
                }
                None => no_leader(),
            },
            Action::StopPacket => {
                self.network.shape(&[], Shaping::default());
                FaultOutcome::Installed("messages pass as they come".into())
            }
            Action::StartClock { aim, clock } => match self.resolve(aim).await {
                Some(nodes) => self.clocks(&nodes, *clock).await,
                None => no_leader(),
            },
            Action::StopClock => {
                let members = self.cluster.members().to_vec();
                self.clocks(&members, ClockFault::Reset).await
            }
        }
    }

    /// Tells nodes what is wrong with their clocks. One that is down or stands still does not
    /// hear of it in time.
    async fn clocks(&self, nodes: &[NodeId], fault: ClockFault) -> FaultOutcome {
        let told = nodes.iter().map(|node| self.client.set_clock(*node, fault));
        let told = join_all(told).await;
        let set: Vec<NodeId> =
            nodes.iter().zip(told).filter(|(_, set)| *set).map(|(node, _)| *node).collect();
        if set.is_empty() {
            return FaultOutcome::Indeterminate("no node has answered".into());
        }
        FaultOutcome::Installed(nodes_json(&set))
    }

    async fn cut(&self, cut: &Cut) -> FaultOutcome {
        let grudge = match cut {
            Cut::Grudge(grudge) => grudge.clone(),
            Cut::LeaderAlone => match self.leader().await {
                Some(leader) => {
                    let members = self.cluster.members().iter().copied();
                    let others: Vec<NodeId> = members.filter(|node| *node != leader).collect();
                    alone(leader, &others)
                }
                None => return no_leader(),
            },
        };
        self.network.partition(&grudge);
        FaultOutcome::Installed(grudge_json(&grudge))
    }

    async fn resolve(&self, aim: &Aim) -> Option<Vec<NodeId>> {
        match aim {
            Aim::Nodes(nodes) => Some(nodes.clone()),
            Aim::Leader => self.leader().await.map(|leader| vec![leader]),
        }
    }

    async fn leader(&self) -> Option<NodeId> {
        statuses::leader(&self.client, self.cluster.members()).await
    }
}

fn no_leader() -> FaultOutcome {
    FaultOutcome::Skipped("no node says that it leads".into())
}

/// The outcome of an action on nodes; `idle` is why there was nothing to do.
fn told(turned: Turned, idle: &str) -> FaultOutcome {
    match turned.error {
        Some(error) => {
            let done = nodes_json(&turned.nodes);
            FaultOutcome::Indeterminate(format!("{}; done on {done}", with_sources(&error)))
        }
        None if turned.nodes.is_empty() => FaultOutcome::Skipped(idle.into()),
        None => FaultOutcome::Installed(nodes_json(&turned.nodes)),
    }
}

/// An error with what lies behind it, on one line.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
