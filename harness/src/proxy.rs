//! The network between the nodes: one userspace proxy for each directed link, so that links can
//! be broken without root, one direction at a time, while a run goes on.
//!
//! Node `i` is told, for each peer `j`, the address of a listener of ours. What it sends there is
//! forwarded to wherever `j` listens now; nothing flows back on that connection. The stream is a
//! sequence of frames (length as four bytes big-endian, then so many bytes), and what happens to
//! a link happens to whole frames: a byte stream never loses a part of itself. What the frames
//! say decides nothing; its beginning is remembered for those who read of it later.
//!
//! A cut link is silent, not refused: both of its TCP ends stay up, and its frames are swallowed.
//!
//! Cost: a task a link, one read and one write for as many frames as have arrived, one
//! small allocation for what is remembered of a frame.

mod behaviour;
mod delay_line;
mod frames;
mod link;
mod traffic;

pub use behaviour::{Behaviour, Mode, Shaping};
pub use traffic::{Counters, Fate, Message};

use crate::nemesis::Grudge;
use link::Wire;
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use traffic::{Traffic, messages_a_link};

/// A directed link: who sends, who receives.
pub type LinkId = (NodeId, NodeId);

/// The network has no place to be.
#[derive(Debug, thiserror::Error)]
#[error("no free port on 127.0.0.1 for the link {from} to {to}")]
pub struct NetworkError {
    from: NodeId,
    to: NodeId,
    source: io::Error,
}

/// All links between the nodes. When it is dropped, they are gone.
#[derive(Debug)]
pub struct Network {
    links: BTreeMap<LinkId, Link>,
    /// Where each node accepts its peers; `None` while it is down.
    peers: BTreeMap<NodeId, watch::Sender<Option<SocketAddr>>>,
    /// Ends the links' tasks when dropped.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Link {
    /// Where the sender connects.
    address: SocketAddr,
    behaviour: watch::Sender<Behaviour>,
    traffic: Arc<Traffic>,
}

impl Network {
    /// Opens a healthy network between `members`, in the tokio runtime that this is called in.
    /// Message times count from `epoch`; `seed` decides which frames a lossy link loses.
    pub async fn open(
        members: &[NodeId],
        seed: Seed,
        epoch: Instant,
    ) -> Result<Network, NetworkError> {
        let peers: BTreeMap<_, _> =
            members.iter().map(|node| (*node, watch::Sender::new(None))).collect();
        let remembered = messages_a_link(members.len() * members.len().saturating_sub(1));
        let mut links = BTreeMap::new();
        let mut tasks = JoinSet::new();
        for (to, peer) in &peers {
            for from in members.iter().filter(|from| *from != to) {
                let failed = |source| NetworkError { from: *from, to: *to, source };
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                let behaviour = watch::Sender::new(Behaviour::default());
                let traffic = Arc::new(Traffic::new((*from, *to), epoch, remembered));
                let wire = Wire {
                    listener,
                    peer: peer.subscribe(),
                    behaviour: behaviour.subscribe(),
                    traffic: Arc::clone(&traffic),
                    rng: seed.stream(&format!("proxy/{from}-{to}")),
                };
                tasks.spawn(wire.run());
                links.insert((*from, *to), Link { address, behaviour, traffic });
            }
        }
        Ok(Network { links, peers, _tasks: tasks })
    }

    /// Which address `node` is to use for each of its peers; the same for the whole run.
    pub fn peer_addresses(&self, node: NodeId) -> impl Iterator<Item = (NodeId, SocketAddr)> + '_ {
        self.links
            .iter()
            .filter(move |((from, _), _)| *from == node)
            .map(|((_, to), link)| (*to, link.address))
    }

    /// Where `node` accepts its peers from now on; `None` while it is down.
    pub fn set_peer(&self, node: NodeId, address: Option<SocketAddr>) {
        if let Some(peer) = self.peers.get(&node) {
            peer.send_replace(address);
        }
    }

    /// Cuts exactly the links of the grudge; all others pass. All change within microseconds,
    /// one after another.
    pub fn partition(&self, grudge: &Grudge) {
        for ((from, to), link) in &self.links {
            let cut = grudge.get(to).is_some_and(|deaf_to| deaf_to.contains(from));
            link.set_mode(if cut { Mode::Cut } else { Mode::Pass });
        }
    }

    /// Lets every link pass again; what was held is delivered.
    pub fn heal(&self) {
        self.partition(&Grudge::new());
    }

    /// Sets what one link does with whole frames.
    pub fn set_mode(&self, link: LinkId, mode: Mode) {
        if let Some(link) = self.links.get(&link) {
            link.set_mode(mode);
        }
    }

    /// Sets how one link treats the frames that pass.
    pub fn set_shaping(&self, link: LinkId, shaping: Shaping) {
        if let Some(link) = self.links.get(&link) {
            link.behaviour.send_if_modified(|behaviour| {
                let changes = behaviour.shaping != shaping;
                behaviour.shaping = shaping;
                changes
            });
        }
    }

    /// Treats what these nodes send and receive so, and all else as it comes.
    pub fn shape(&self, nodes: &[NodeId], shaping: Shaping) {
        for link @ (from, to) in self.links() {
            let concerned = nodes.contains(&from) || nodes.contains(&to);
            self.set_shaping(link, if concerned { shaping } else { Shaping::default() });
        }
    }

    /// All links.
    pub fn links(&self) -> impl Iterator<Item = LinkId> + '_ {
        self.links.keys().copied()
    }

    /// What each link has carried so far.
    pub fn counters(&self) -> BTreeMap<LinkId, Counters> {
        self.links.iter().map(|(id, link)| (*id, link.traffic.counters())).collect()
    }

    /// The newest messages of each link, of all links together by time.
    pub fn messages(&self) -> Vec<Message> {
        let mut messages: Vec<Message> =
            self.links.values().flat_map(|link| link.traffic.messages()).collect();
        messages.sort_by_key(|message| (message.time, message.from, message.to));
        messages
    }
}

impl Link {
    fn set_mode(&self, mode: Mode) {
        self.behaviour.send_if_modified(|behaviour| {
            let changes = behaviour.mode != mode;
            behaviour.mode = mode;
            changes
        });
    }
}
