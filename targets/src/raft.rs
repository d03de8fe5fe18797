//! A replicated key-value store after Raft (Ongaro & Ousterhout, *In Search of an Understandable
//! Consensus Algorithm*, 2014: "paper"; Ongaro, *Consensus: Bridging Theory and Practice*, 2014:
//! "thesis").
//!
//! The nodes agree on one log of requests and apply it in order. In each term at most one leader
//! is elected by a majority; only it makes entries; an entry that a majority has on disk is
//! committed and stays for ever. One idea a file:
//!
//! | file | idea | source |
//! |---|---|---|
//! | `log` | entries, terms, the compacted prefix | paper 5.3 |
//! | `election` | random timeouts, pre-vote, votes, a leader that lost its majority resigns | paper 5.2, 5.4.1; thesis 6.2, 9.6 |
//! | `replication` | entries flow ahead of their acknowledgement, repair goes back by terms, commit | paper 5.3, 5.4.2; thesis 10.2 |
//! | `follower` | the other side of replication | paper 5.3 |
//! | `reads` | a read asks a majority whether the leader still leads, and needs no entry | thesis 6.4 |
//! | `requests`, `command` | requests are proposed or forwarded, and their fate is followed | thesis 6.3 |
//! | `txn` | transactions over several keys, at five levels of isolation | see there |
//! | `machine`, `store`, `sessions` | what entries do; a retry is applied once | thesis 6.3 |
//! | `journal` | what is on disk, how a node starts from it, snapshots | paper section 7; thesis 5.1 |
//! | `invariants` | what must hold over all nodes at any time | paper, figure 3 |
//!
//! **Disk before word.** Term, vote and entries are appended and synced before any message that
//! depends on them. All sends but one go through [`RaftKv::send`], which puts the sync in front.
//! The exception: a leader sends its new entries while its own disk still works on them (thesis,
//! 10.2.1). That is safe, for it counts itself towards a majority only in a later step, which is
//! behind the sync. One step makes at most one sync.
//!
//! **What a client is told.** `Done`, a value or a mismatch once the entry is applied. An error
//! is `definite` only if the request was never appended, or if another entry is *committed* at
//! its place; that another leader has overwritten it in some log proves nothing yet. So pending
//! requests outlive leadership, until the log has passed their place.
//!
//! **Cost.** A step costs O(what changes): entries are shared, terms are searched by halving, a
//! snapshot is O(state) every `snapshot-every` entries. An idle cluster sends heartbeats only.
//!
//! The seeded bugs (see [`crate::bugs`]) are single conditions on the path where each would be
//! made by mistake. With a bug on, what is asserted here may well not hold; the node then goes
//! on as a careless one would.

mod command;
mod election;
mod follower;
pub mod invariants;
mod journal;
mod log;
mod machine;
mod message;
mod reads;
mod replication;
mod requests;
mod sessions;
mod store;
mod txn;

pub use command::{Command, Request, Response, Transact, Work, Write};
pub use journal::Options;
pub use log::{Entry, Index, Log, Term};
pub use machine::{Machine, Rules, Snapshot};
pub use message::{Append, AppendReply, Appended, Ballot, Message, Record, Tag, Timer, Vote};
pub use store::Past;
pub use txn::Isolation;

use crate::bugs::Bug;
use crate::node::{Config, Cx, Input, Node, NodeId, Status};
use requests::{Origin, Pending};
use std::collections::{BTreeMap, BTreeSet};
use txn::Txns;

/// The most entries in one message.
pub const MAX_ENTRIES: usize = 256;
/// The most messages with entries on their way to one follower; more entries wait for an
/// acknowledgement and travel together.
pub const MAX_IN_FLIGHT: u32 = 8;
/// The most requests whose fate a node follows, and the most reads that wait; beyond it, it
/// refuses.
pub const MAX_PENDING: usize = 4096;

/// A node of the store.
#[derive(Debug)]
pub struct RaftKv {
    config: Config,
    options: Options,
    /// How often this node has started: tells its lives apart.
    boots: u64,
    /// The latest term that this node has seen. On disk.
    term: Term,
    /// For whom it voted in that term. On disk.
    vote: Option<NodeId>,
    /// On disk, but for the prefix that is in `machine` and in the snapshot on disk.
    log: Log,
    /// The log up to here is known to be committed.
    commit: Index,
    /// The log up to here is in `machine`.
    applied: Index,
    machine: Machine,
    role: Role,
    /// Who leads, while it is heard.
    leader: Option<NodeId>,
    /// Requests in the log whose fate is open.
    pending: BTreeMap<(Index, Term), Pending>,
    /// Requests of own clients that were passed on to a leader and are not answered yet.
    forwarded: BTreeSet<u64>,
    /// Interactive transactions of own clients.
    txns: Txns,
    /// Whether records were appended behind the last sync.
    unsynced: bool,
    /// Whether a late sync is on its way (bug `ack-before-sync`).
    late_sync: bool,
}

/// What a node is in its term.
#[derive(Debug)]
enum Role {
    Follower,
    /// Asks whether it would be elected; those who said yes.
    PreCandidate(BTreeSet<NodeId>),
    /// Stands for election; those who voted for it.
    Candidate(BTreeSet<NodeId>),
    Leader(replication::Lead),
}

impl Node for RaftKv {
    const API: &'static str = "kv";
    const MORE_APIS: &'static [&'static str] = &["txn"];

    type Message = Message;
    type Request = Request;
    type Response = Response;
    type Record = Record;
    type Timer = Timer;

    fn boot(config: Config, journal: Vec<Record>) -> Result<RaftKv, String> {
        journal::boot(config, journal)
    }

    fn step(&mut self, input: Input<RaftKv>, cx: &mut Cx<'_, RaftKv>) {
        match input {
            Input::Start => self.start(cx),
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Request { id, request } => self.serve(id, request, cx),
            Input::Timer(timer) => self.wake(timer, cx),
        }
        self.sync(cx);
        debug_assert!(self.applied <= self.commit, "only what is committed is applied");
        debug_assert!(
            self.commit <= self.log.last() || !self.config.bugs.is_empty(),
            "what is committed is in the log"
        );
    }

    fn status(&self) -> Status {
        let (role, ready) = match &self.role {
            Role::Follower => ("follower", self.leader.is_some()),
            Role::PreCandidate(_) => ("pre-candidate", false),
            Role::Candidate(_) => ("candidate", false),
            Role::Leader(lead) => ("leader", self.commit >= lead.floor),
        };
        Status {
            role: role.to_owned(),
            leader: self.leader,
            term: self.term.0,
            commit: self.commit.0,
            applied: self.applied.0,
            ready,
        }
    }
}

impl RaftKv {
    fn start(&mut self, cx: &mut Cx<'_, RaftKv>) {
        self.persist(Record::Boot(self.boots), cx);
        self.await_leader(cx);
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_, RaftKv>) {
        match message {
            Message::PreVote(ballot) => self.on_pre_vote(from, ballot, cx),
            Message::PreVoteReply(vote) => self.on_pre_vote_reply(from, vote, cx),
            Message::Vote(ballot) => self.on_vote(from, ballot, cx),
            Message::VoteReply(vote) => self.on_vote_reply(from, vote, cx),
            Message::Append(append) => self.on_append(from, append, cx),
            Message::AppendReply(reply) => self.on_append_reply(from, reply, cx),
            Message::Install { term, round, snapshot } => {
                self.on_install(from, term, round, &snapshot, cx);
            }
            Message::Forward { term, tag, command } => {
                self.on_forward(Origin::Peer(from, tag), term, command, cx);
            }
            Message::Answer { tag, response } => self.on_answer(tag, response, cx),
        }
    }

    fn wake(&mut self, timer: Timer, cx: &mut Cx<'_, RaftKv>) {
        match timer {
            Timer::Silence => self.on_silence(cx),
            Timer::Campaign => self.campaign(cx),
            Timer::Heartbeat => self.on_heartbeat(cx),
            Timer::CheckQuorum => self.on_check_quorum(cx),
            Timer::LateSync => {
                self.late_sync = false;
                cx.sync();
            }
            Timer::Sweep => self.on_sweep(cx),
        }
    }

    /// How many nodes decide.
    fn quorum(&self) -> usize {
        let majority = self.config.members.len() / 2 + 1;
        if self.config.has(Bug::MinorityQuorum) { (majority - 1).max(1) } else { majority }
    }

    /// Sends a message behind the sync of all that it may depend on.
    fn send(&mut self, to: NodeId, message: Message, cx: &mut Cx<'_, RaftKv>) {
        self.sync(cx);
        cx.send(to, message);
    }

    /// The other members; copied, so that the node may change while they are gone through.
    fn peers(&self) -> Vec<NodeId> {
        self.config.peers().collect()
    }
}

/// What invariants and tests look at.
impl RaftKv {
    /// The current term.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Whether it leads, as it believes.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// How far the log is known to be committed.
    pub fn commit(&self) -> Index {
        self.commit
    }

    /// How far the log is applied.
    pub fn applied(&self) -> Index {
        self.applied
    }

    /// The state machine behind [`RaftKv::applied`].
    pub fn machine(&self) -> &Machine {
        &self.machine
    }
}
