//! Clients of a simulated cluster: logical operations with their retries, in virtual time.
//!
//! The same [`Caller`] that decides for a real client decides here what an attempt's fate means
//! and whether there is another one; so an operation is `ok`, `fail` or unknown in both worlds for
//! the same reasons. Threads are numbered by the caller; each carries one operation at a time.

use super::event::{Observed, Stop, Token};
use super::fault::{Fault, Injected};
use super::observe::{Observer, Sometimes};
use super::post::{Post, Turn};
use super::time::Nanos;
use super::trace::Trace;
use super::world::{Counts, World};
use crate::api::{Outcome, Request, Response};
use crate::caller::{Caller, Event, Next, Policy};
use crate::node::{Node, NodeId, Status};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How many client threads there are at most.
pub const THREADS_MAX: usize = 1 << 16;

/// Something that a cluster tells of.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// The operation of a thread ended.
    Completed {
        /// Which thread.
        thread: usize,
        /// What its client knows.
        outcome: Outcome,
    },
    /// A node stopped by itself, or did not come up.
    Stopped {
        /// Which.
        node: NodeId,
        /// Why, in a sentence.
        why: String,
    },
}

/// A simulated cluster with its clients, whatever its nodes are.
pub trait Cluster: Send {
    /// Virtual time.
    fn now(&self) -> Nanos;

    /// All nodes, running or not.
    fn members(&self) -> Vec<NodeId>;

    /// Begins one operation of an idle thread, as a client of `node`. One that is begun on a
    /// thread that is not idle takes the place of what it did.
    fn begin(&mut self, thread: usize, node: NodeId, request: Request);

    /// Does this to the cluster, now.
    fn inject(&mut self, fault: &Fault) -> Injected;

    /// Goes on until something happens, or until the time is `until`, whichever is first. Nothing
    /// has happened (`None`) with the time at `until`.
    fn poll(&mut self, until: Nanos) -> Result<Option<Happening>, Stop>;

    /// How a node stands; nothing if it is down or paused.
    fn status(&self, node: NodeId) -> Option<Status>;

    /// What happened.
    fn trace(&self) -> &Trace;

    /// The messages of the run, as far as the setup asks for them.
    fn post(&self) -> &Post;

    /// The changes of role or term since they were last taken, where the post is kept.
    fn take_turns(&mut self) -> Vec<Turn>;

    /// What happened, in numbers.
    fn counts(&self) -> Counts;

    /// How often the interesting was seen.
    fn sometimes(&self) -> Sometimes;
}

/// An observer that counts what is interesting.
pub trait Coverage {
    /// How often it was seen.
    fn coverage(&self) -> Sometimes;
}

impl Coverage for () {
    fn coverage(&self) -> Sometimes {
        Sometimes::default()
    }
}

/// What a thread is at.
#[derive(Debug)]
struct Call {
    caller: Caller,
    node: NodeId,
    /// The attempt under way, if there is one.
    token: Option<Token>,
    /// When the caller wants to be woken.
    until: Nanos,
}

/// A world with clients.
#[derive(Debug)]
pub struct Clients<N: Node, O = ()> {
    world: World<N, O>,
    policy: Policy,
    calls: Vec<Option<Call>>,
    /// For when the earliest alarm of each thread is set. It rings once and is then set anew
    /// where it must be, so that an operation which ends in time costs no alarm.
    alarms: Vec<Nanos>,
    threads: BTreeMap<Token, usize>,
    ready: VecDeque<Happening>,
}

impl<N, O> Clients<N, O>
where
    N: Node<Request: TryFrom<Request>, Response: Into<Response>>,
    O: Observer<N>,
{
    /// Clients as patient as `policy` says. They must have `world` for themselves.
    pub fn new(world: World<N, O>, policy: Policy) -> Self {
        let (calls, alarms) = (Vec::new(), Vec::new());
        Clients { world, policy, calls, alarms, threads: BTreeMap::new(), ready: VecDeque::new() }
    }

    /// The world.
    pub fn world(&self) -> &World<N, O> {
        &self.world
    }

    fn duration(&self) -> Duration {
        Duration::from_nanos(self.world.now().0)
    }

    /// Does what the caller of `thread` wants next.
    fn follow(&mut self, thread: usize, next: Next) {
        match next {
            Next::Send { to, request, until, .. } => self.send(thread, to, request, until.into()),
            Next::Wait { until } => {
                self.abandon(thread);
                self.wake(thread, until.into());
            }
            Next::Finish(outcome) => self.finish(thread, outcome),
        }
    }

    fn send(&mut self, thread: usize, to: NodeId, request: Request, until: Nanos) {
        let Ok(request) = N::Request::try_from(request) else {
            return self.finish(thread, Outcome::Refused("the target has no such api".to_owned()));
        };
        self.abandon(thread);
        let token = self.world.submit(to, request);
        self.threads.insert(token, thread);
        if let Some(call) = &mut self.calls[thread] {
            (call.token, call.node) = (Some(token), to);
        }
        self.wake(thread, until);
    }

    /// The attempt under way, if there is one, is given up.
    fn abandon(&mut self, thread: usize) {
        let Some(call) = &mut self.calls[thread] else { return };
        if let Some(token) = call.token.take()
            && self.threads.remove(&token).is_some()
        {
            self.world.forget(call.node, token);
        }
    }

    fn wake(&mut self, thread: usize, until: Nanos) {
        if let Some(call) = &mut self.calls[thread] {
            call.until = until;
        }
        if until < self.alarms[thread] {
            self.alarms[thread] = until;
            self.world.wake_at(until, thread as u64);
        }
    }

    fn finish(&mut self, thread: usize, outcome: Outcome) {
        self.abandon(thread);
        self.calls[thread] = None;
        self.ready.push_back(Happening::Completed { thread, outcome });
    }

    /// Tells the caller of `thread` what became of its attempt.
    fn tell(&mut self, thread: usize, event: Event) {
        let now = self.duration();
        if let Some(call) = &mut self.calls[thread] {
            let next = call.caller.on(event, now);
            self.follow(thread, next);
        }
    }

    fn fate(&mut self, token: Token, event: Event) {
        if let Some(thread) = self.threads.remove(&token) {
            self.tell(thread, event);
        }
    }

    fn rang(&mut self, thread: usize) {
        let now = self.world.now();
        if thread >= self.calls.len() || now < self.alarms[thread] {
            return;
        }
        self.alarms[thread] = Nanos::NEVER;
        match &self.calls[thread] {
            Some(call) if call.until > now => self.wake(thread, call.until),
            Some(_) => self.tell(thread, Event::Wake),
            None => {}
        }
    }
}

impl<N, O> Cluster for Clients<N, O>
where
    N: Node<Request: TryFrom<Request>, Response: Into<Response>> + Send,
    O: Observer<N> + Coverage + Send,
{
    fn now(&self) -> Nanos {
        self.world.now()
    }

    fn members(&self) -> Vec<NodeId> {
        self.world.members().collect()
    }

    fn begin(&mut self, thread: usize, node: NodeId, request: Request) {
        if thread >= THREADS_MAX {
            let outcome = Outcome::Refused(format!("there are only {THREADS_MAX} threads"));
            self.ready.push_back(Happening::Completed { thread, outcome });
            return;
        }
        if thread >= self.calls.len() {
            self.calls.resize_with(thread + 1, || None);
            self.alarms.resize(thread + 1, Nanos::NEVER);
        }
        self.abandon(thread);
        let (caller, next) = Caller::start(self.policy, node, request, self.duration());
        self.calls[thread] = Some(Call { caller, node, token: None, until: Nanos::NEVER });
        self.follow(thread, next);
    }

    fn inject(&mut self, fault: &Fault) -> Injected {
        self.world.inject(fault)
    }

    fn poll(&mut self, until: Nanos) -> Result<Option<Happening>, Stop> {
        loop {
            if let Some(happening) = self.ready.pop_front() {
                return Ok(Some(happening));
            }
            match self.world.poll(until)? {
                None => return Ok(None),
                Some(Observed::Response { token, response, .. }) => {
                    self.fate(token, Event::Answered(response.into()));
                }
                Some(Observed::Refused { token, .. }) => {
                    self.fate(token, Event::Refused("connection refused".to_owned()));
                }
                Some(Observed::Lost { token, .. }) => {
                    self.fate(token, Event::Lost("connection lost".to_owned()));
                }
                Some(Observed::Wake(thread)) => self.rang(thread as usize),
                Some(Observed::Stopped { node, why }) => {
                    return Ok(Some(Happening::Stopped { node, why }));
                }
            }
        }
    }

    fn status(&self, node: NodeId) -> Option<Status> {
        self.world.status(node).filter(|_| !self.world.is_paused(node))
    }

    fn trace(&self) -> &Trace {
        self.world.trace()
    }

    fn post(&self) -> &Post {
        self.world.post()
    }

    fn take_turns(&mut self) -> Vec<Turn> {
        self.world.take_turns()
    }

    fn counts(&self) -> Counts {
        self.world.counts()
    }

    fn sometimes(&self) -> Sometimes {
        self.world.observer().coverage()
    }
}
