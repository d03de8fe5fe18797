//! The place of a node in the world: what is there whether the node runs or not.
//!
//! The disk, the clock and the random stream outlive a crash; timers, open requests and effects
//! that wait for the disk do not. While a node is paused its inputs pile up and its disk goes on.

use super::clock::Clock;
use super::disk::{Disk, DiskBehaviour};
use super::event::{Event, Token};
use super::timers::Timers;
use crate::node::{Config, Node, NodeId, RequestId};
use crate::seed::Seed;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// How many inputs a paused node lets wait; messages above that are lost.
pub const BACKLOG_MAX: usize = 1 << 16;

/// An effect that waits for the disk, or what it waits for.
#[derive(Debug)]
pub(super) enum Waiting<N: Node> {
    Send {
        to: NodeId,
        message: N::Message,
    },
    Reply {
        id: RequestId,
        response: N::Response,
    },
    /// What follows leaves when so many writes are durable.
    Barrier(u64),
}

/// Whether a paused node is still to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    Running,
    Paused,
    /// It was told to go on; the event for that is in the queue.
    Waking,
}

#[derive(Debug)]
pub(super) struct Slot<N: Node> {
    pub(super) config: Config,
    /// Absent while the node is down.
    pub(super) node: Option<N>,
    /// Whether a boot is in the queue.
    pub(super) booting: bool,
    pub(super) pause: Pause,
    /// Grows by one with each crash; events of an earlier life are void.
    pub(super) life: u32,
    pub(super) clock: Clock,
    pub(super) timers: Timers<N::Timer>,
    pub(super) disk: Disk<N::Record>,
    pub(super) rng: ChaCha8Rng,
    /// Of the ways from and to clients.
    pub(super) inward: ChaCha8Rng,
    pub(super) outward: ChaCha8Rng,
    /// Of boot times.
    pub(super) boots: ChaCha8Rng,
    /// Effects behind a running sync, in order.
    pub(super) waiting: VecDeque<Waiting<N>>,
    /// What came while the node was paused, in order.
    pub(super) backlog: VecDeque<Event<N>>,
    /// Requests that arrived and were not answered, ascending.
    pub(super) open: Vec<Token>,
}

impl<N: Node> Slot<N> {
    pub(super) fn new(seed: Seed, config: Config, disk: DiskBehaviour) -> Self {
        let id = config.id;
        let stream = |role: &str| seed.stream(&format!("{role}{id}"));
        Slot {
            node: None,
            booting: false,
            pause: Pause::Running,
            life: 0,
            clock: Clock::default(),
            timers: Timers::new(),
            disk: Disk::new(disk, stream("disk/")),
            rng: stream("node/"),
            inward: stream("network/client-"),
            outward: seed.stream(&format!("network/{id}-client")),
            boots: stream("boot/"),
            waiting: VecDeque::new(),
            backlog: VecDeque::new(),
            open: Vec::new(),
            config,
        }
    }

    /// Whether the process is there and takes connections (the system does that for it while
    /// it is paused).
    pub(super) fn is_up(&self) -> bool {
        self.node.is_some()
    }

    /// Everything that lives in memory goes; the requests that were open are handed back.
    pub(super) fn die(&mut self) -> Vec<Token> {
        self.node = None;
        self.booting = false;
        self.pause = Pause::Running;
        self.life += 1;
        self.timers.clear();
        self.waiting.clear();
        self.backlog.clear();
        std::mem::take(&mut self.open)
    }

    /// Closes an open request. `false` if it was not open.
    pub(super) fn close(&mut self, token: Token) -> bool {
        let place = self.open.binary_search(&token);
        place.is_ok_and(|place| {
            self.open.remove(place);
            true
        })
    }

    pub(super) fn open(&mut self, token: Token) {
        if let Err(place) = self.open.binary_search(&token) {
            self.open.insert(place, token);
        }
    }
}
