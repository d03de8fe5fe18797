//! What is planned inside the world, and what comes out of it.

use super::time::Nanos;
use super::trace::What;
use crate::node::{Node, NodeId};

/// Names a request of a client, once over the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What a client, or the test, gets to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed<R> {
    /// The node answered.
    Response {
        /// Which request.
        token: Token,
        /// Who was asked.
        node: NodeId,
        /// What it said.
        response: R,
    },
    /// Connection refused: the node was down. The request had no effect and never will.
    Refused {
        /// Which request.
        token: Token,
        /// Who was asked.
        node: NodeId,
    },
    /// Connection lost: the node died with the request open. It may have had an effect.
    Lost {
        /// Which request.
        token: Token,
        /// Who was asked.
        node: NodeId,
    },
    /// An alarm rang.
    Wake(u64),
    /// A node stopped by itself, or did not come up.
    Stopped {
        /// Who.
        node: NodeId,
        /// Why, in a sentence.
        why: String,
    },
}

impl<R> Observed<R> {
    /// What the trace calls it, and whom and which number it is about.
    pub(super) fn label(&self) -> (What, Option<NodeId>, u64) {
        match self {
            Observed::Response { token, node, .. }
            | Observed::Refused { token, node }
            | Observed::Lost { token, node } => (What::Answer, Some(*node), token.0),
            Observed::Wake(number) => (What::Wake, None, *number),
            Observed::Stopped { node, .. } => (What::Stop, Some(*node), 0),
        }
    }
}

/// What is planned. Nodes are indices from 0; a `life` that is not the node's present one makes
/// the event void.
#[derive(Debug)]
pub(super) enum Event<N: Node> {
    Boot {
        node: usize,
        life: u32,
    },
    Deliver {
        from: usize,
        to: usize,
        number: u64,
        message: N::Message,
    },
    Timer {
        node: usize,
        ticket: u64,
        timer: N::Timer,
    },
    /// A timer that is made to fire, armed or not.
    Fire {
        node: usize,
        life: u32,
        timer: N::Timer,
    },
    Request {
        node: usize,
        token: Token,
        request: N::Request,
    },
    Synced {
        node: usize,
        life: u32,
    },
    Resumed {
        node: usize,
        life: u32,
    },
    Out(Observed<N::Response>),
}

/// Why a world cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// An invariant does not hold.
    #[error(transparent)]
    Violation(#[from] super::observe::Violation),
    /// Time does not advance: nodes keep each other busy without any delay.
    #[error("{events} events happened at {at} and there is no end to them")]
    Livelock {
        /// When.
        at: Nanos,
        /// How many.
        events: u64,
    },
    /// Too much is planned.
    #[error("{events} events are waiting at {at}: the protocol sends more than it receives")]
    Overflow {
        /// When.
        at: Nanos,
        /// How many.
        events: usize,
    },
}

/// The cluster that is asked for cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// There is no node, or there are too many.
    #[error("a cluster has 1 to {max} nodes, not {nodes}")]
    Size {
        /// How many were asked for.
        nodes: usize,
        /// How many there may be.
        max: usize,
    },
    /// The nodes are not numbered from 1 without gaps.
    #[error("node number {place} is called {id}")]
    Numbering {
        /// Its place, from 1.
        place: usize,
        /// Its name.
        id: NodeId,
    },
}
