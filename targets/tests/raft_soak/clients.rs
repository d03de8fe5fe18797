//! Clients that try again with the same session, and what they know in the end.

use super::{Alarm, Cluster, alarm};
use quorate_targets::api::kv::{Op, Request, Response, Session};
use quorate_targets::node::NodeId;
use quorate_targets::raft;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Nanos, Token};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::time::Duration;

const CLIENTS: usize = 6;
const KEYS: u32 = 2;
const ATTEMPTS: u32 = 3;
const PATIENCE: Duration = Duration::from_millis(400);

/// One logical operation, retries included.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) op: Op,
    pub(crate) session: Session,
    pub(crate) began: Nanos,
    pub(crate) end: Option<End>,
}

#[derive(Debug)]
pub(crate) enum End {
    /// It was answered.
    Ok(Nanos, Response),
    /// It certainly did not happen.
    Fail,
    /// Nobody knows.
    Unknown,
}

/// A client at work on an operation.
#[derive(Clone, Copy, Debug)]
struct Work {
    operation: usize,
    node: NodeId,
    token: Token,
    attempts: u32,
    /// Whether an attempt may have had an effect.
    doubt: bool,
}

pub(crate) struct Clients {
    rng: ChaCha8Rng,
    sessions: Vec<Session>,
    work: Vec<Option<Work>>,
    by_token: BTreeMap<Token, usize>,
    pause: Duration,
    highest: u64,
    values: i64,
    pub(crate) operations: Vec<Operation>,
    stopped: bool,
    /// How many writes were answered; the caller sets it back.
    pub(crate) served: u64,
}

impl Clients {
    pub(crate) fn new(seed: Seed, knobs: &mut ChaCha8Rng) -> Clients {
        let sessions = (1..=CLIENTS as u64).map(|client| Session { client, seq: 0 }).collect();
        Clients {
            rng: seed.stream("clients"),
            sessions,
            work: vec![None; CLIENTS],
            by_token: BTreeMap::new(),
            pause: Duration::from_millis([5, 20, 80, 300][knobs.random_range(0..4)]),
            highest: CLIENTS as u64,
            values: 0,
            operations: Vec::new(),
            stopped: false,
            served: 0,
        }
    }

    pub(crate) fn begin(&mut self, world: &mut Cluster, alarms: &mut Vec<Alarm>) {
        (0..CLIENTS).for_each(|client| self.rest(client, world, alarms));
    }

    /// From now on nobody asks.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    fn rest(&mut self, client: usize, world: &mut Cluster, alarms: &mut Vec<Alarm>) {
        let pause = self.pause.mul_f64(self.rng.random_range(0.0..2.0));
        alarm(world, alarms, pause, Alarm::Client(client));
    }

    /// The client's pause is over: it goes on with its operation, or begins another.
    pub(crate) fn ask(&mut self, client: usize, world: &mut Cluster, alarms: &mut Vec<Alarm>) {
        if self.stopped {
            return;
        }
        let mut work = self.work[client].unwrap_or_else(|| self.invent(client, world.now()));
        let operation = &self.operations[work.operation];
        let session = Some(operation.session);
        work.node = NodeId(self.rng.random_range(1..=world.members().count() as u16));
        work.attempts += 1;
        work.token = world
            .submit(work.node, raft::Request::Kv(Request { op: operation.op.clone(), session }));
        self.by_token.insert(work.token, client);
        self.work[client] = Some(work);
        alarm(world, alarms, PATIENCE, Alarm::Timeout(client, work.token));
    }

    fn invent(&mut self, client: usize, now: Nanos) -> Work {
        let key = format!("k{}", self.rng.random_range(0..KEYS));
        self.values += 1;
        let op = match self.rng.random_range(0..4) {
            0 => Op::Write { key, value: self.values.into() },
            1 => {
                let old = self.rng.random_range((self.values - 12).max(0)..self.values);
                Op::Cas { key, old: old.into(), new: self.values.into() }
            }
            _ => Op::Read { key },
        };
        self.sessions[client].seq += 1;
        let session = self.sessions[client];
        self.operations.push(Operation { op, session, began: now, end: None });
        let operation = self.operations.len() - 1;
        Work { operation, node: NodeId(1), token: Token(0), attempts: 0, doubt: false }
    }

    pub(crate) fn answered(
        &mut self,
        token: Token,
        response: &raft::Response,
        world: &mut Cluster,
        alarms: &mut Vec<Alarm>,
    ) {
        let raft::Response::Kv(response) = response else { return };
        if let Response::Error { definite, .. } = response {
            return self.lost(token, *definite, world, alarms);
        }
        let Some(client) = self.by_token.remove(&token) else { return };
        self.served += u64::from(*response == Response::Done);
        self.finish(client, End::Ok(world.now(), response.clone()), world, alarms);
    }

    pub(crate) fn give_up(
        &mut self,
        client: usize,
        token: Token,
        world: &mut Cluster,
        alarms: &mut Vec<Alarm>,
    ) {
        if let Some(work) = self.work[client].filter(|work| work.token == token) {
            world.forget(work.node, token);
            self.lost(token, false, world, alarms);
        }
    }

    /// An attempt came to nothing; `definite` if it certainly had no effect.
    pub(crate) fn lost(
        &mut self,
        token: Token,
        definite: bool,
        world: &mut Cluster,
        alarms: &mut Vec<Alarm>,
    ) {
        let Some(client) = self.by_token.remove(&token) else { return };
        let Some(work) = &mut self.work[client] else { return };
        work.doubt |= !definite;
        work.token = Token(u64::MAX);
        if work.attempts < ATTEMPTS {
            return alarm(world, alarms, Duration::from_millis(30), Alarm::Client(client));
        }
        let end = if work.doubt { End::Unknown } else { End::Fail };
        if work.doubt {
            self.highest += 1;
            self.sessions[client] = Session { client: self.highest, seq: 0 };
        }
        self.finish(client, end, world, alarms);
    }

    fn finish(&mut self, client: usize, end: End, world: &mut Cluster, alarms: &mut Vec<Alarm>) {
        if let Some(work) = self.work[client].take() {
            self.operations[work.operation].end = Some(end);
        }
        self.rest(client, world, alarms);
    }
}
