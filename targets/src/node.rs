//! A node without input or output: the contract between a database and what hosts it.
//!
//! A host feeds a node one [`Input`] at a time and then carries out the [`Effect`]s that the
//! node left in its [`Cx`], **in their order**. A message or reply that must not leave before a
//! write is on disk is therefore placed after [`Cx::sync`]; a host may delay effects, but never
//! moves one in front of an earlier one that it depends on: whatever was appended before a
//! `sync` survives a crash once any effect behind that `sync` has left the node.
//!
//! A node keeps ordered maps only, never blocks, takes time and randomness from its `Cx`, and
//! answers each request at most once.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::{self, Debug};
use std::time::Duration;

/// A member of the cluster, numbered from 1; written `n1`, `n2`, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u16);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

/// A node's own clock: nanoseconds since the Unix epoch, as this node believes. It may jump
/// and drift when the clock is skewed; timers are not affected by jumps.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A client's request as the host numbers it; the reply goes back under the same number. It
/// means nothing outside this process, nor after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What happens to a node.
#[derive(Clone, Debug)]
pub enum Input<N: Node> {
    /// The first input after boot.
    Start,
    /// A message of a peer. It may come late, twice, or out of order.
    Message {
        /// The sender.
        from: NodeId,
        /// What it sent.
        message: N::Message,
    },
    /// A client asks.
    Request {
        /// To be given to [`Cx::reply`].
        id: RequestId,
        /// What it asks.
        request: N::Request,
    },
    /// A timer fired.
    Timer(N::Timer),
}

/// What a node wants done. Hosts carry effects out in order.
#[derive(Clone, Debug)]
pub enum Effect<N: Node> {
    /// Send a message to a peer; it may get lost.
    Send {
        /// The receiver.
        to: NodeId,
        /// What is sent.
        message: N::Message,
    },
    /// Answer a client.
    Reply {
        /// The request that is answered.
        id: RequestId,
        /// The answer.
        response: N::Response,
    },
    /// (Re)arm a timer; a timer with an equal value that was armed before is replaced.
    SetTimer {
        /// Which.
        timer: N::Timer,
        /// How long from now.
        after: Duration,
    },
    /// Disarm a timer; nothing if it is not armed.
    CancelTimer(N::Timer),
    /// Append a record to the journal; not on disk before the next `Sync`.
    Append(N::Record),
    /// Wait until everything appended so far is on disk.
    Sync,
    /// Replace the journal by these records, atomically: a crash leaves the old or the new one.
    /// On disk when the effect is done (it implies a `Sync`).
    Rewrite(Vec<N::Record>),
}

/// What a node sees of the world during one step, and where it leaves its effects.
#[derive(Debug)]
pub struct Cx<'a, N: Node> {
    now: Time,
    rng: &'a mut ChaCha8Rng,
    effects: &'a mut Vec<Effect<N>>,
}

impl<'a, N: Node> Cx<'a, N> {
    /// For hosts: the context of one step. Effects are pushed behind those already there.
    pub fn new(now: Time, rng: &'a mut ChaCha8Rng, effects: &'a mut Vec<Effect<N>>) -> Self {
        Cx { now, rng, effects }
    }

    /// The node's clock.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The node's own stream of randomness.
    pub fn rng(&mut self) -> &mut ChaCha8Rng {
        self.rng
    }

    /// See [`Effect::Send`].
    pub fn send(&mut self, to: NodeId, message: N::Message) {
        self.effects.push(Effect::Send { to, message });
    }

    /// See [`Effect::Reply`].
    pub fn reply(&mut self, id: RequestId, response: N::Response) {
        self.effects.push(Effect::Reply { id, response });
    }

    /// See [`Effect::SetTimer`].
    pub fn set_timer(&mut self, timer: N::Timer, after: Duration) {
        self.effects.push(Effect::SetTimer { timer, after });
    }

    /// See [`Effect::CancelTimer`].
    pub fn cancel_timer(&mut self, timer: N::Timer) {
        self.effects.push(Effect::CancelTimer(timer));
    }

    /// See [`Effect::Append`].
    pub fn append(&mut self, record: N::Record) {
        self.effects.push(Effect::Append(record));
    }

    /// See [`Effect::Sync`].
    pub fn sync(&mut self) {
        self.effects.push(Effect::Sync);
    }

    /// See [`Effect::Rewrite`].
    pub fn rewrite(&mut self, records: Vec<N::Record>) {
        self.effects.push(Effect::Rewrite(records));
    }
}

/// What a node tells of itself: for nemeses that aim at a role, for status lines and reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its role: `leader`, `follower`, `candidate`, ...
    pub role: String,
    /// Whom it believes to lead.
    pub leader: Option<NodeId>,
    /// Its term, epoch or generation; 0 where there is none.
    pub term: u64,
    /// How far its log is known to be committed.
    pub commit: u64,
    /// How far it has applied its log.
    pub applied: u64,
    /// Whether it can answer requests now.
    pub ready: bool,
}

/// How a node is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// This node.
    pub id: NodeId,
    /// All members, this node included, in ascending order.
    pub members: Vec<NodeId>,
    /// Seeded bugs that are switched on.
    pub bugs: Vec<crate::bugs::Bug>,
    /// Options of the target, `K=V` as given; each target knows its own.
    pub options: std::collections::BTreeMap<String, String>,
}

impl Config {
    /// Whether `bug` is switched on.
    pub fn has(&self, bug: crate::bugs::Bug) -> bool {
        self.bugs.contains(&bug)
    }

    /// The other members.
    pub fn peers(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.members.iter().copied().filter(|id| *id != self.id)
    }
}

/// A database node as a state machine.
pub trait Node: Sized {
    /// The path of its api over HTTP, without the slash: `POST /kv`.
    const API: &'static str;

    /// The paths of the other apis that its requests can be written in.
    const MORE_APIS: &'static [&'static str] = &[];

    /// What peers send each other.
    type Message: Clone + Debug + Serialize + DeserializeOwned + Send + 'static;
    /// What clients ask.
    type Request: Clone + Debug + Serialize + DeserializeOwned + Send + 'static;
    /// What clients are told.
    type Response: Clone + Debug + Serialize + DeserializeOwned + Send + 'static;
    /// What the journal holds.
    type Record: Clone + Debug + Serialize + DeserializeOwned + Send + 'static;
    /// The timers it has.
    type Timer: Clone + Debug + Ord + Send + 'static;

    /// Starts from what survived on disk, in the order in which it was appended. An error is a
    /// sentence: the options are wrong, or the journal contradicts itself.
    fn boot(config: Config, journal: Vec<Self::Record>) -> Result<Self, String>;

    /// Takes one input; leaves its effects in `cx`.
    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_, Self>);

    /// How it stands now.
    fn status(&self) -> Status;
}
