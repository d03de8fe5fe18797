//! An eventually consistent store after Dynamo (`DeCandia` et al., *Dynamo: Amazon's Highly
//! Available Key-value Store*, 2007: "paper") and Cassandra, whose terms are used.
//!
//! Every node coordinates what its clients ask. A key lives on N replicas, its homes; a write is
//! acknowledged when W of them have it on disk, a read answered when R have told what they have.
//! Replicas differ for a while and are brought together in three ways: what a read finds, hints
//! kept for those who were away, and comparisons in the background. One idea a file:
//!
//! | file | idea | source |
//! |---|---|---|
//! | `ring` | consistent hashing with virtual nodes | paper 4.2, 4.3 |
//! | `cell`, `lww`, `siblings`, `crdt` | values that merge | paper 4.4; Shapiro et al. 2011 |
//! | `clock` | stamps, version vectors | Kulkarni et al. 2014; Parker et al. 1983 |
//! | `token` | sessions that read their own writes | Terry et al. 1994; Lloyd et al. 2011 |
//! | `coordinator` | quorums, stand-ins, read repair | paper 4.5, 4.6, section 5 |
//! | `update` | what an operation does to what is under its key | |
//! | `replica` | what others ask of this node | |
//! | `gossip` | who is alive | paper 4.8.3 |
//! | `handoff` | hints are delivered | paper 4.6 |
//! | `merkle`, `anti_entropy` | replicas compare trees of hashes | paper 4.7 |
//! | `collect` | tombstones are forgotten once all homes have them | Cassandra's `gc_grace` |
//! | `journal`, `store` | what is on disk, what is in memory | |
//! | `invariants` | what must hold over all nodes at any time | |
//!
//! **Disk before word.** All messages and answers go through [`Eventual::send`] and
//! [`Eventual::reply`], which put a sync in front of them if anything was appended. A coordinator
//! has an update on disk, with the session that asked for it, before a replica hears of it: a
//! retry repeats the same update, also after a restart.
//!
//! **What is promised.** With R + W > N and `sloppy=off` a read meets every write that was
//! acknowledged before it began, since any R homes and any W share one. That is a regular register
//! (Lamport, *On Interprocess Communication*, 1986) and not a linearizable one, for two reasons:
//!
//! * A write that is under way has reached one home and not the others. A read that asks this one
//!   sees it; a later read that asks the others sees the value before. Read repair comes too late,
//!   since the first read is answered before the others have what it saw. A store that wrote that
//!   back before it answered would be linearizable here, without any agreement (Attiya, Bar-Noy
//!   and Dolev, *Sharing Memory Robustly in Message-Passing Systems*, 1995).
//! * Under `lww` the greatest stamp wins, and a write does not ask for those that there are: one
//!   that begins after another has ended may have a smaller stamp where clocks differ, is
//!   acknowledged, and never seen.
//!
//! Sloppy quorums promise less: a read may ask other nodes than those that stand in.
//!
//! **Cost.** An operation is two messages for each replica; a comparison of equal replicas is
//! two messages of 16 hashes and O(keys) work. Whole cells travel when they differ.
//!
//! Seeded bugs (see [`crate::bugs`]) are single conditions where each would be made by mistake.

mod anti_entropy;
pub mod cell;
pub mod clock;
mod collect;
mod coordinator;
pub mod crdt;
mod gossip;
mod handoff;
pub mod invariants;
mod journal;
pub mod lww;
mod merkle;
pub mod message;
mod options;
mod replica;
mod ring;
pub mod siblings;
mod store;
pub mod token;
mod update;

pub use coordinator::Acknowledged;
pub use message::{Key, Kind, Message, Record, Timer};
pub use options::{Options, Resolve};
pub use ring::Ring;

use crate::api::store::{Request, Response};
use crate::node::{Config, Cx, Input, Node, NodeId, RequestId, Status};
use cell::Cell;
use clock::{Hybrid, Stamp};
use std::collections::{BTreeMap, VecDeque};
use store::Store;

/// The most operations that a node coordinates at once; beyond it, it refuses.
pub const OPERATIONS_MAX: usize = 4096;

/// A node of the store.
#[derive(Debug)]
pub struct Eventual {
    config: Config,
    options: Options,
    ring: Ring,
    /// How often this node has started: tells its lives apart.
    boots: u64,
    clock: Hybrid,
    /// What this node has as a home. On disk.
    store: Store,
    /// What it keeps for others. On disk.
    hints: BTreeMap<NodeId, BTreeMap<Key, Cell>>,
    /// What it has issued as a coordinator. On disk.
    issued: journal::Issued,
    /// What it coordinates now.
    operations: BTreeMap<u64, coordinator::Operation>,
    /// The last operation's number.
    number: u64,
    /// Hints that were offered and are not acknowledged, by operation number.
    offered: BTreeMap<u64, handoff::Offer>,
    detector: gossip::Detector,
    /// Tombstones whose homes are asked.
    collecting: BTreeMap<Key, collect::Poll>,
    /// Messages to itself, taken at the end of the step.
    own: VecDeque<Message>,
    /// Whether records were appended behind the last sync.
    unsynced: bool,
    /// Records in the journal since it was last rewritten.
    records: u64,
    /// What was interesting in this step, for whoever observes.
    seen: Vec<&'static str>,
    /// The updates that were acknowledged in this step, for whoever observes.
    acknowledged: Vec<Acknowledged>,
}

impl Node for Eventual {
    const API: &'static str = "kv";

    type Message = Message;
    type Request = Request;
    type Response = Response;
    type Record = Record;
    type Timer = Timer;

    fn boot(config: Config, journal: Vec<Record>) -> Result<Eventual, String> {
        journal::boot(config, journal)
    }

    fn step(&mut self, input: Input<Eventual>, cx: &mut Cx<'_, Eventual>) {
        self.seen.clear();
        self.acknowledged.clear();
        match input {
            Input::Start => self.start(cx),
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Request { id, request } => self.request(id, request, cx),
            Input::Timer(timer) => self.wake(timer, cx),
        }
        while let Some(message) = self.own.pop_front() {
            self.receive(self.config.id, message, cx);
        }
        self.compact_if_due(cx);
        self.sync(cx);
    }

    fn status(&self) -> Status {
        let role = "replica".to_owned();
        let applied = self.store.len() as u64;
        Status { role, leader: None, term: self.boots, commit: applied, applied, ready: true }
    }
}

impl Eventual {
    fn start(&mut self, cx: &mut Cx<'_, Eventual>) {
        self.persist(Record::Boot(self.boots), cx);
        for timer in [Timer::Gossip, Timer::Handoff, Timer::AntiEntropy, Timer::Sweep] {
            self.rearm(timer, cx);
        }
    }

    fn rearm(&self, timer: Timer, cx: &mut Cx<'_, Eventual>) {
        let after = match timer {
            Timer::Gossip => self.options.gossip,
            Timer::Handoff => self.options.handoff,
            Timer::AntiEntropy => self.options.anti_entropy,
            Timer::Sweep => self.options.sweep,
            Timer::Impatient(_) => self.options.patience,
            Timer::Deadline(_) => self.options.timeout,
        };
        cx.set_timer(timer, after);
    }

    fn wake(&mut self, timer: Timer, cx: &mut Cx<'_, Eventual>) {
        match timer {
            Timer::Impatient(number) => self.on_impatient(number, cx),
            Timer::Deadline(number) => self.on_deadline(number, cx),
            Timer::Gossip => self.on_gossip_due(cx),
            Timer::Handoff => self.on_handoff_due(cx),
            Timer::AntiEntropy => self.on_anti_entropy_due(cx),
            Timer::Sweep => self.on_sweep(cx),
        }
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_, Eventual>) {
        self.detector.hear(from);
        match message {
            Message::Get { tag, key } => self.on_get(from, tag, &key, cx),
            Message::Got { tag, cell } => self.on_got(from, tag, cell, cx),
            Message::Put { tag, key, cell, hint } => self.on_put(from, tag, key, &cell, hint, cx),
            Message::Ack { tag } => self.on_ack(from, tag, cx),
            Message::Gossip { beats, time } => self.on_gossip(&beats, time),
            Message::Compare { branch, hashes } => self.on_compare(from, branch, &hashes, cx),
            Message::Leaf { leaf, entries } => self.on_leaf(from, leaf, &entries, cx),
            Message::Cells { cells, wanted } => self.on_cells(from, cells, wanted, cx),
            Message::Collect { key, hash } => self.on_collect(from, key, hash, cx),
            Message::Same { key, hash } => self.on_same(from, &key, hash, cx),
            Message::Purge { key, hash, before } => self.on_purge(key, hash, before, cx),
        }
    }

    /// Sends a message behind the sync of all that it may depend on. One to itself waits for the
    /// end of the step.
    fn send(&mut self, to: NodeId, message: Message, cx: &mut Cx<'_, Eventual>) {
        if to == self.config.id {
            return self.own.push_back(message);
        }
        self.sync(cx);
        cx.send(to, message);
    }

    /// Answers a client, behind the sync of all that the answer may depend on.
    fn reply(&mut self, id: RequestId, response: Response, cx: &mut Cx<'_, Eventual>) {
        self.sync(cx);
        cx.reply(id, response);
    }

    /// The homes of a key.
    fn homes(&self, key: &Key) -> Vec<NodeId> {
        let mut walk = self.ring.walk(key);
        walk.truncate(self.options.replicas);
        walk
    }

    /// This node's clock, as wrong as the option `clock-skew-ms` makes it.
    fn now(&self, cx: &Cx<'_, Eventual>) -> crate::node::Time {
        let skew = self.options.skew_ns.saturating_mul(u64::from(self.config.id.0));
        crate::node::Time(cx.now().0.saturating_add(skew))
    }

    fn stamp(&mut self, cx: &Cx<'_, Eventual>) -> Stamp {
        let now = self.now(cx);
        self.clock.stamp(now, self.config.id)
    }

    /// Something interesting was reached.
    fn saw(&mut self, what: &'static str) {
        self.seen.push(what);
    }
}

/// What invariants and tests look at.
impl Eventual {
    /// How it is set.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Everything that it has as a home.
    pub fn cells(&self) -> impl Iterator<Item = (&Key, &Cell)> {
        self.store.iter()
    }

    /// What it has of a key: as a home and for others.
    pub fn cell(&self, key: &Key) -> Option<Cell> {
        self.local(key)
    }

    /// The homes of a key, the nearest first.
    pub fn homes_of(&self, key: &Key) -> Vec<NodeId> {
        self.homes(key)
    }

    /// How many cells it keeps for others.
    pub fn hints(&self) -> usize {
        self.hints.values().map(BTreeMap::len).sum()
    }

    /// The updates that it acknowledged to clients in its latest step.
    pub fn acknowledged(&self) -> &[Acknowledged] {
        &self.acknowledged
    }

    /// What its latest step reached, of the states in [`invariants`].
    pub fn sights(&self) -> &[&'static str] {
        &self.seen
    }
}
