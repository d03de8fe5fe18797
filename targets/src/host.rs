//! Hosts one node as a process: sockets, clock, randomness and journal around a pure
//! [`Node`].
//!
//! Everything runs on one thread. The heart is one task that owns the node ([`node_loop`]);
//! around it stand the client api ([`http`]), the links to the peers ([`peers`]) and the
//! [`journal`]. They reach the node only through its bounded inbox, and it reaches them only
//! through effects, so that the order of effects, on which durability rests, is decided in
//! one place.
//!
//! A node listens on the loopback interface, unless told otherwise. Once it serves, it prints
//! one line on stdout: `{"ready":true,"id":"n1","client":"127.0.0.1:40001","peer":"127.0.0.1:40002"}`.
//! Logs go to `tracing`.

#![expect(
    clippy::disallowed_methods,
    reason = "this is where a pure node meets the clock and the disk"
)]

mod batch;
mod clock;
mod http;
mod journal;
mod node_loop;
mod outbox;
mod peers;
mod process;
mod timers;
#[cfg(test)]
mod toy;

pub use clock::Clock;
pub use journal::{Disk, JournalError};

use crate::bugs::Bug;
use crate::names::UnknownName;
use crate::node::{Config, Node, NodeId};
use crate::registry;
use crate::seed::Seed;
use journal::JournalFile;
use node_loop::{INBOX_MAX, NodeLoop};
use std::collections::BTreeMap;
use std::future::Future;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How a node is hosted.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The database, by its name: `raft-kv`.
    pub target: String,
    /// This node.
    pub id: NodeId,
    /// All members, this node included.
    pub members: Vec<NodeId>,
    /// Where each other member is reached; in a test, the harness's proxy.
    pub peers: BTreeMap<NodeId, SocketAddr>,
    /// Where clients are served; port 0 takes a free one.
    pub client_listen: SocketAddr,
    /// Where peers are served; port 0 takes a free one.
    pub peer_listen: SocketAddr,
    /// Whether addresses other than loopback ones may be listened on. The apis have no
    /// protection of any kind.
    pub remote: bool,
    /// Where the journal is kept.
    pub data: PathBuf,
    /// What `Sync` does.
    pub disk: Disk,
    /// Decides the node's randomness, together with its id.
    pub seed: Seed,
    /// Seeded bugs that are switched on.
    pub bugs: Vec<Bug>,
    /// Options of the target.
    pub options: BTreeMap<String, String>,
    /// The process with which this one dies; none if it stands alone.
    pub parent: Option<u32>,
}

impl HostOptions {
    /// A node of `target` alone on free loopback ports, its journal in `data`.
    pub fn new(target: impl Into<String>, id: NodeId, data: impl Into<PathBuf>) -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        HostOptions {
            target: target.into(),
            id,
            members: vec![id],
            peers: BTreeMap::new(),
            client_listen: free,
            peer_listen: free,
            remote: false,
            data: data.into(),
            disk: Disk::default(),
            seed: Seed(0),
            bugs: Vec::new(),
            options: BTreeMap::new(),
            parent: None,
        }
    }

    /// The node's configuration, if the options make sense.
    fn config(&self) -> Result<Config, HostError> {
        let mut members = self.members.clone();
        members.sort_unstable();
        members.dedup();
        if members.len() != self.members.len() || !members.contains(&self.id) {
            return Err(HostError::Members { id: self.id });
        }
        let config =
            Config { id: self.id, members, bugs: self.bugs.clone(), options: self.options.clone() };
        let missing = config.peers().find(|peer| !self.peers.contains_key(peer));
        match missing {
            Some(peer) => Err(HostError::PeerAddress { peer }),
            None => Ok(config),
        }
    }
}

/// Why a node is not hosted, or not any more.
#[derive(Debug, Error)]
pub enum HostError {
    /// There is no such target.
    #[error(transparent)]
    UnknownTarget(#[from] UnknownName),
    /// The member list is wrong.
    #[error("the members must name each node once, and {id} among them")]
    Members {
        /// This node.
        id: NodeId,
    },
    /// A peer's address is missing.
    #[error("the address of peer {peer} is missing")]
    PeerAddress {
        /// Which.
        peer: NodeId,
    },
    /// The node refuses its options or its journal; a sentence.
    #[error("{0}")]
    Boot(String),
    /// An address would be reachable from other machines.
    #[error("{addr} is not a loopback address, and the apis have no protection of any kind")]
    NotLoopback {
        /// Which.
        addr: SocketAddr,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {addr} for {who}: if it is in use, stop its owner or give port 0")]
    Listen {
        /// Which.
        addr: SocketAddr,
        /// `clients` or `peers`.
        who: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The journal cannot be used.
    #[error("the node has no journal")]
    Journal(#[from] JournalError),
    /// A message has no JSON form.
    #[error("a message cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    /// The parent is dead or was another.
    #[error("the parent process {parent} is gone")]
    Orphan {
        /// Its process id.
        parent: u32,
    },
    /// The process cannot be set up.
    #[error("the process cannot be set up")]
    Process(#[source] io::Error),
}

impl HostError {
    /// Whether the arguments are to blame, and not what was met while running.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::UnknownTarget(_)
                | Self::Members { .. }
                | Self::PeerAddress { .. }
                | Self::Boot(_)
                | Self::NotLoopback { .. }
        )
    }
}

/// Hosts a node of the target that `options` name, until it is asked to stop by SIGTERM or
/// SIGINT, or fails.
pub fn run(options: &HostOptions) -> Result<(), HostError> {
    registry::find(&options.target)?.host(options)
}

/// As [`run`], for a node type that need not be known by name.
pub fn run_node<N: Node + 'static>(options: &HostOptions) -> Result<(), HostError> {
    if let Some(parent) = options.parent {
        process::die_with(parent)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(HostError::Process)?;
    runtime.block_on(async {
        let sockets = Sockets::bind(options).await?;
        let host = Host::<N>::start(options, sockets)?;
        announce(options, &host).map_err(HostError::Process)?;
        host.run_until(async {
            if let Err(error) = process::asked_to_stop().await {
                tracing::warn!("cannot wait for signals: {error}");
                std::future::pending::<()>().await;
            }
        })
        .await
    })
}

/// Prints the line that says that the node serves.
fn announce<N: Node>(options: &HostOptions, host: &Host<N>) -> io::Result<()> {
    let id = options.id;
    let (client, peer) = (host.client_addr, host.peer_addr);
    tracing::info!("{id} of {} serves clients on {client}, peers on {peer}", options.target);
    let mut out = io::stdout().lock();
    writeln!(out, r#"{{"ready":true,"id":"{id}","client":"{client}","peer":"{peer}"}}"#)?;
    out.flush()
}

/// The two listening sockets of a node.
#[derive(Debug)]
pub struct Sockets {
    client: TcpListener,
    client_addr: SocketAddr,
    peer: TcpListener,
    peer_addr: SocketAddr,
}

impl Sockets {
    /// Listens where `options` say.
    pub async fn bind(options: &HostOptions) -> Result<Self, HostError> {
        let (client, client_addr) = listen(options.client_listen, "clients", options).await?;
        let (peer, peer_addr) = listen(options.peer_listen, "peers", options).await?;
        Ok(Sockets { client, client_addr, peer, peer_addr })
    }

    /// Where peers will be served.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer_addr
    }
}

async fn listen(
    addr: SocketAddr,
    who: &'static str,
    options: &HostOptions,
) -> Result<(TcpListener, SocketAddr), HostError> {
    if !addr.ip().is_loopback() && !options.remote {
        return Err(HostError::NotLoopback { addr });
    }
    let failed = |source| HostError::Listen { addr, who, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

/// A node that is hosted in this process. It serves while [`Host::run_until`] runs.
pub struct Host<N: Node> {
    client_addr: SocketAddr,
    peer_addr: SocketAddr,
    clock: Clock,
    node_loop: NodeLoop<N, JournalFile>,
    inbox: mpsc::Receiver<node_loop::Mail<N>>,
    /// Sockets' tasks; they end when this is dropped.
    tasks: JoinSet<()>,
}

impl<N: Node + 'static> Host<N> {
    /// Boots the node from its journal and begins to accept connections.
    pub fn start(options: &HostOptions, sockets: Sockets) -> Result<Self, HostError> {
        let config = options.config()?;
        let (journal, records) =
            journal::open(&options.data, &options.target, options.id, options.disk)?;
        let node = N::boot(config.clone(), records).map_err(HostError::Boot)?;
        let clock = Clock::default();
        let (sender, inbox) = mpsc::channel(INBOX_MAX);
        let mut tasks = JoinSet::new();
        let outboxes: BTreeMap<_, _> = config.peers().map(|peer| (peer, Arc::default())).collect();
        for (peer, outbox) in &outboxes {
            tasks.spawn(peers::send_to(*peer, options.peers[peer], Arc::clone(outbox)));
        }
        let peers = Arc::new(config.peers().collect());
        tasks.spawn(peers::listen::<N>(sockets.peer, peers, sender.clone()));
        let serve = http::serve::<N>(sockets.client, options.id, sender, clock.clone());
        tasks.spawn(async {
            if let Err(error) = serve.await {
                tracing::error!("clients are served no more: {error}");
            }
        });
        let rng = options.seed.stream(&format!("node/{}", options.id));
        let node_loop = NodeLoop::new(options.id, node, journal, clock.clone(), rng, outboxes);
        let Sockets { client_addr, peer_addr, .. } = sockets;
        Ok(Host { client_addr, peer_addr, clock, node_loop, inbox, tasks })
    }

    /// Where clients are served.
    pub fn client_addr(&self) -> SocketAddr {
        self.client_addr
    }

    /// The node's clock, to skew it.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Runs the node until `stop` is over (what was appended is then written) or it fails.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<(), HostError> {
        tokio::select! {
            result = self.node_loop.run(self.inbox) => result?,
            () = stop => self.node_loop.journal.sync().await?,
        }
        drop(self.tasks);
        Ok(())
    }
}
