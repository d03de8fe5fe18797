//! Clients that add, remove, count and write, and what they know in the end.

use quorate_targets::api::kv::Session;
use quorate_targets::api::store::{Op, Request, Response, SetKind};
use quorate_targets::api::{self, Outcome};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Cluster, Nanos};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

pub(crate) const THREADS: usize = 8;
const KEYS: u64 = 3;

/// What became of an operation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    Ok(Response),
    Fail,
    Unknown,
}

/// One logical operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) op: Op,
    pub(crate) began: Nanos,
    pub(crate) ended: Nanos,
    pub(crate) end: End,
}

/// A client with its session.
#[derive(Clone, Debug, Default)]
struct Client {
    number: u64,
    seq: u64,
    token: String,
    current: Option<usize>,
}

pub(crate) struct Load {
    rng: ChaCha8Rng,
    clients: Vec<Client>,
    fresh: u64,
    elements: i64,
    pub(crate) operations: Vec<Operation>,
}

impl Load {
    pub(crate) fn new(seed: Seed) -> Load {
        let client = |number| Client { number, ..Client::default() };
        let clients = (1..=THREADS as u64).map(client).collect();
        let (fresh, rng) = (THREADS as u64, seed.stream("load"));
        Load { rng, clients, fresh, elements: 0, operations: Vec::new() }
    }

    /// When a thread asks again.
    pub(crate) fn pause(&mut self) -> Nanos {
        Nanos::from_millis(self.rng.random_range(1..60))
    }

    /// The thread's next operation.
    pub(crate) fn ask(&mut self, thread: usize, cluster: &mut dyn Cluster) {
        let op = self.invent();
        self.put(thread, op, cluster);
    }

    /// The thread does this.
    pub(crate) fn put(&mut self, thread: usize, op: Op, cluster: &mut dyn Cluster) {
        let now = cluster.now();
        let node = NodeId((thread % cluster.members().len()) as u16 + 1);
        let client = &mut self.clients[thread];
        client.seq += 1;
        client.current = Some(self.operations.len());
        let session = Some(Session { client: client.number, seq: client.seq });
        let token = Some(client.token.clone());
        let request =
            Request { op: op.clone(), session, token, read_quorum: None, write_quorum: None };
        self.operations.push(Operation { op, began: now, ended: Nanos::NEVER, end: End::Unknown });
        cluster.begin(thread, node, api::Request::Store(request));
    }

    fn invent(&mut self) -> Op {
        let key = format!("k{}", self.rng.random_range(0..KEYS));
        let old = |rng: &mut ChaCha8Rng, last: i64| rng.random_range((last - 20).max(0)..=last);
        let (g, or) = (SetKind::GSet, SetKind::OrSet);
        self.elements += 1;
        let element = json!(self.elements);
        match self.rng.random_range(0..12) {
            0 | 1 => Op::Add { key, set: g, element },
            2 | 3 => Op::Add { key, set: or, element },
            4 => Op::Remove { key, set: or, element: json!(old(&mut self.rng, self.elements)) },
            5 => Op::Elements { key, set: g },
            6 => Op::Elements { key, set: or },
            7 => Op::Increment { key, by: self.rng.random_range(-5..=5) },
            8 => Op::Count { key },
            9 => Op::Delete { key, context: None },
            10 => Op::Write { key, value: element, context: None },
            _ => Op::Read { key },
        }
    }

    /// The thread's operation is over.
    pub(crate) fn over(&mut self, thread: usize, now: Nanos, outcome: Outcome) {
        let client = &mut self.clients[thread];
        let Some(current) = client.current.take() else { return };
        let end = match outcome {
            Outcome::Answered(api::Response::Store(Response::Error { definite, .. })) => {
                if definite { End::Fail } else { End::Unknown }
            }
            Outcome::Answered(api::Response::Store(response)) => End::Ok(response),
            Outcome::Answered(other) => panic!("an answer of another api: {other:?}"),
            Outcome::Refused(_) => End::Fail,
            Outcome::Unknown(_) => End::Unknown,
        };
        let token = match &end {
            End::Ok(Response::Value { token, .. } | Response::Done { token }) => token.clone(),
            _ => None,
        };
        if let Some(token) = token {
            client.token = token;
        }
        if end == End::Unknown {
            // As in a history: a process that does not know is never heard of again.
            self.fresh += 1;
            *client = Client { number: self.fresh, ..Client::default() };
        }
        let operation = &mut self.operations[current];
        (operation.ended, operation.end) = (now, end);
    }
}
