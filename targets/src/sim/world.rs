//! The world: nodes, network, disks, clocks and clients, driven one event at a time.

use super::event::{Event, Observed, SetupError, Stop, Token};
use super::network::Network;
use super::observe::{Happened, Observer, View};
use super::post::{Post, Turn};
use super::queue::{QUEUE_MAX, Queue};
use super::setup::Setup;
use super::slot::{Pause, Slot};
use super::time::{Delay, Nanos};
use super::trace::{Trace, What};
use crate::node::{Effect, Node, NodeId, Status};
use crate::seed::Seed;
use rand::Rng;

/// How many nodes a world has at most.
pub const NODES_MAX: usize = 128;

/// How many events may happen at one instant of virtual time.
pub const INSTANT_MAX: u64 = 1_000_000;

/// What happened so far, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Events that did something: deliveries, timers, requests, answers, syncs, boots, alarms.
    pub events: u64,
    /// Inputs that nodes took.
    pub steps: u64,
    /// Messages that nodes sent.
    pub sent: u64,
    /// Messages that nodes received, duplicates included.
    pub delivered: u64,
    /// Messages lost, whatever the cause.
    pub lost: u64,
    /// Syncs that ended.
    pub syncs: u64,
    /// Deaths of nodes.
    pub deaths: u64,
    /// Replies to requests that were not open: the client had gone, or had its answer.
    pub strays: u64,
}

/// A cluster of nodes of one kind in virtual time.
#[derive(Debug)]
pub struct World<N: Node, O = ()> {
    pub(super) now: Nanos,
    pub(super) queue: Queue<Event<N>>,
    pub(super) network: Network<N::Message>,
    pub(super) slots: Vec<Slot<N>>,
    pub(super) trace: Trace,
    pub(super) post: Post,
    pub(super) counts: Counts,
    pub(super) observer: O,
    /// Found by the observer where no error could be returned; the next poll does.
    pub(super) stop: Option<Stop>,
    /// The effects of the present step; kept for its room.
    pub(super) effects: Vec<Effect<N>>,
    client: Delay,
    pub(super) boot: Delay,
    pub(super) timers: bool,
    tokens: u64,
    /// How many events have happened at `now`.
    instant: u64,
}

impl<N: Node> World<N> {
    /// A world that nobody observes. All nodes are about to boot.
    pub fn new(seed: Seed, setup: Setup) -> Result<Self, SetupError> {
        World::observed(seed, setup, ())
    }
}

impl<N: Node, O: Observer<N>> World<N, O> {
    /// A world whose nodes an observer looks at. All nodes are about to boot.
    pub fn observed(seed: Seed, setup: Setup, observer: O) -> Result<Self, SetupError> {
        let nodes = setup.nodes.len();
        if !(1..=NODES_MAX).contains(&nodes) {
            return Err(SetupError::Size { nodes, max: NODES_MAX });
        }
        for (index, config) in setup.nodes.iter().enumerate() {
            if usize::from(config.id.0) != index + 1 {
                return Err(SetupError::Numbering { place: index + 1, id: config.id });
            }
        }
        let slot = |config| Slot::new(seed, config, setup.disk);
        let mut world = World {
            now: Nanos::ZERO,
            queue: Queue::new(),
            network: Network::new(seed, nodes, setup.link),
            slots: setup.nodes.into_iter().map(slot).collect(),
            trace: Trace::new(setup.detail, setup.trace_max),
            post: Post::new(setup.post_max),
            counts: Counts::default(),
            observer,
            stop: None,
            effects: Vec::new(),
            client: setup.client,
            boot: setup.boot,
            timers: setup.timers,
            tokens: 0,
            instant: 0,
        };
        (0..nodes).for_each(|node| world.plan_boot(node));
        Ok(world)
    }

    /// Virtual time.
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// When the next event comes, if any is planned.
    pub fn next_time(&self) -> Option<Nanos> {
        self.queue.next_time()
    }

    /// All nodes, running or not.
    pub fn members(&self) -> impl Iterator<Item = NodeId> + use<N, O> {
        (1..=self.slots.len() as u16).map(NodeId)
    }

    /// How a node stands; nothing if it is down. A paused node tells, which a real one cannot:
    /// see [`is_paused`](Self::is_paused).
    pub fn status(&self, node: NodeId) -> Option<Status> {
        self.node(node).map(Node::status)
    }

    /// A node, if it runs or is paused.
    pub fn node(&self, node: NodeId) -> Option<&N> {
        self.slots[self.index(node)?].node.as_ref()
    }

    /// Whether a node is paused.
    pub fn is_paused(&self, node: NodeId) -> bool {
        self.index(node).is_some_and(|index| self.slots[index].pause != Pause::Running)
    }

    /// The timers that a node has armed, ascending.
    pub fn armed(&self, node: NodeId) -> impl Iterator<Item = &N::Timer> {
        let slot = self.index(node).map(|index| &self.slots[index]);
        slot.into_iter().flat_map(|slot| slot.timers.armed())
    }

    /// What observers see.
    pub fn view(&self) -> View<'_, N> {
        View { now: self.now, slots: &self.slots }
    }

    /// The observer.
    pub fn observer(&self) -> &O {
        &self.observer
    }

    /// The observer, to be told of what it cannot see.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }

    /// What happened.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The messages of the run, as far as the setup asks for them.
    pub fn post(&self) -> &Post {
        &self.post
    }

    /// The changes of role or term since they were last taken, where the post is kept.
    pub fn take_turns(&mut self) -> Vec<Turn> {
        self.post.take_turns()
    }

    /// What happened, in numbers.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// A client sends a request to a node. Its end comes out of [`poll`](Self::poll), if it has
    /// one: a paused node, or one that cannot serve, never answers. To wait only so long is the
    /// caller's affair (see [`wake_at`](Self::wake_at)).
    pub fn submit(&mut self, node: NodeId, request: N::Request) -> Token {
        let token = Token(self.tokens);
        self.tokens += 1;
        let Some(index) = self.index(node) else {
            self.queue.push(self.now, Event::Out(Observed::Refused { token, node }));
            return token;
        };
        self.trace.note(self.now, What::Ask, Some(index), None, token.0, Some(&request));
        let word = self.slots[index].inward.next_u64();
        let at = self.now + self.client.draw(word);
        self.queue.push(at, Event::Request { node: index, token, request });
        token
    }

    /// A client closes its connection: it has waited long enough. The node may still carry the
    /// request out; the answer, if it has not left yet, goes nowhere.
    pub fn forget(&mut self, node: NodeId, token: Token) {
        if let Some(index) = self.index(node) {
            self.slots[index].close(token);
        }
    }

    /// Sets an alarm, which comes out of [`poll`](Self::poll) under this number.
    pub fn wake_at(&mut self, time: Nanos, number: u64) {
        self.queue.push(time.max(self.now), Event::Out(Observed::Wake(number)));
    }

    /// Makes a timer fire now, whether it is armed or not; an armed one stays armed.
    pub fn fire(&mut self, node: NodeId, timer: N::Timer) {
        if let Some(index) = self.index(node) {
            let life = self.slots[index].life;
            self.queue.push(self.now, Event::Fire { node: index, life, timer });
        }
    }

    /// Goes on until something comes out, or until the time is `until`, whichever is first.
    /// Nothing comes out (`None`) with the time at `until`, or before it if nothing is
    /// planned any more.
    pub fn poll(&mut self, until: Nanos) -> Result<Option<Observed<N::Response>>, Stop> {
        loop {
            if let Some(stop) = self.stop.take() {
                return Err(stop);
            }
            let Some((time, event)) = self.queue.pop(until) else { break };
            self.advance(time)?;
            if let Event::Out(observed) = event {
                self.note_out(&observed);
                return Ok(Some(observed));
            }
            self.handle(event)?;
        }
        if until < Nanos::NEVER {
            self.now = self.now.max(until);
        }
        Ok(None)
    }

    /// Moves the time, and looks at the limits.
    fn advance(&mut self, time: Nanos) -> Result<(), Stop> {
        if time > self.now {
            self.now = time;
            self.instant = 0;
        }
        self.instant += 1;
        if self.instant > INSTANT_MAX {
            return Err(Stop::Livelock { at: self.now, events: self.instant });
        }
        if self.queue.len() > QUEUE_MAX {
            return Err(Stop::Overflow { at: self.now, events: self.queue.len() });
        }
        Ok(())
    }

    fn note_out(&mut self, observed: &Observed<N::Response>) {
        self.counts.events += 1;
        let (what, node, number) = observed.label();
        let node = node.and_then(|node| self.index(node));
        self.trace.note(self.now, what, node, None, number, Some(observed));
    }

    /// Something goes back to the client.
    pub(super) fn answer(&mut self, node: usize, observed: Observed<N::Response>) {
        let word = self.slots[node].outward.next_u64();
        self.queue.push(self.now + self.client.draw(word), Event::Out(observed));
    }

    pub(super) fn out_stopped(&mut self, node: usize, why: String) {
        let node = self.slots[node].config.id;
        self.queue.push(self.now, Event::Out(Observed::Stopped { node, why }));
    }

    /// Shows the observer what happened.
    pub(super) fn look(&mut self, node: usize, happened: &Happened<'_, N>) -> Result<(), Stop> {
        let view = View { now: self.now, slots: &self.slots };
        Ok(self.observer.after(&view, self.slots[node].config.id, happened)?)
    }

    /// The place of a node, if there is such a node.
    pub(super) fn index(&self, node: NodeId) -> Option<usize> {
        usize::from(node.0).checked_sub(1).filter(|index| *index < self.slots.len())
    }
}
