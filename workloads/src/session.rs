//! The session workload: each client writes and reads registers of its own and of others, and
//! hands its session token back with each request.
//!
//! What a session may expect (to read what it wrote, never to go back in time) shows only to who
//! looks at one client's operations in their order, so each client is one session. It lives as
//! long as its process: one that does not know what became of an operation begins anew, without a
//! token. With `tokens=off` none is ever sent, and the store owes nothing.

use crate::generator::source::Turn;
use crate::generator::{Combine, Context, Generator, Invocation, Next};
use crate::options::{OptionError, OptionSpec, Options};
use crate::replicas::{final_reads, of_one};
use crate::store::{self, Object};
use crate::workload::{Completion, Workload};
use quorate_checkers::history::Event;
use quorate_targets::api::store::Response;
use quorate_targets::api::{self, Outcome, Request, kv::Session as ClientSession};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const TOKENS: OptionSpec =
    OptionSpec { name: "tokens", default: "on", about: "whether clients send session tokens" };
const KEYS_MAX: OptionSpec =
    OptionSpec { name: "keys", default: "10", about: "registers at most; clients share them" };
const OWN: OptionSpec =
    OptionSpec { name: "own", default: "50", about: "share of own keys, in percent" };
const WRITE: OptionSpec =
    OptionSpec { name: "write", default: "40", about: "share of writes, in percent" };

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[TOKENS, KEYS_MAX, OWN, WRITE];

/// See the [module](self).
#[derive(Debug)]
pub struct Session {
    tokens_on: bool,
    keys_max: u64,
    own: u32,
    write: u32,
    seed: Seed,
    nodes: Vec<NodeId>,
    /// How many registers are in use.
    keys: Arc<AtomicU64>,
    /// What each client was told last.
    tokens: BTreeMap<u64, String>,
    /// Whether reads are to show what one replica has.
    finale: bool,
}

impl Session {
    /// With these options, for these nodes.
    pub fn new(options: &Options, seed: Seed, nodes: &[NodeId]) -> Result<Session, OptionError> {
        options.expect_only(OPTIONS)?;
        let tokens_on = match options.text(&TOKENS) {
            "on" => true,
            "off" => false,
            other => {
                return Err(OptionError::Invalid {
                    name: TOKENS.name.to_owned(),
                    value: other.to_owned(),
                    expected: "on or off".to_owned(),
                });
            }
        };
        let percent = |spec| options.number(spec, 0, 100).map(|percent| percent as u32);
        Ok(Session {
            tokens_on,
            // A token names every key that was seen, and stores bound that.
            keys_max: options.number(&KEYS_MAX, 1, 200)?,
            own: percent(&OWN)?,
            write: percent(&WRITE)?,
            seed,
            nodes: nodes.to_vec(),
            keys: Arc::default(),
            tokens: BTreeMap::new(),
            finale: false,
        })
    }
}

fn key_name(number: u64) -> String {
    format!("x{number}")
}

impl Workload for Session {
    fn main(&mut self) -> Box<dyn Generator> {
        Load {
            keys_max: self.keys_max,
            own: self.own,
            write: self.write,
            rng: self.seed.stream("main"),
            keys: Arc::clone(&self.keys),
            turn: Turn::default(),
            written: 0,
        }
        .boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        self.finale = true;
        final_reads((0..self.keys.load(Ordering::Relaxed)).map(key_name), &self.nodes)
    }

    fn encode(&self, invocation: &Invocation, session: ClientSession) -> Request {
        let mut request = store::encode(Object::Register, invocation, session);
        if self.tokens_on {
            request.token = Some(self.tokens.get(&session.client).cloned().unwrap_or_default());
        }
        Request::Store(of_one(request, self.finale))
    }

    fn learn(&mut self, client: u64, outcome: &Outcome) {
        if let Outcome::Answered(api::Response::Store(
            Response::Value { token: Some(token), .. } | Response::Done { token: Some(token) },
        )) = outcome
        {
            self.tokens.insert(client, token.clone());
        }
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        store::decode(Object::Register, invocation, outcome)
    }
}

/// The main phase; endless.
#[derive(Debug)]
struct Load {
    keys_max: u64,
    own: u32,
    write: u32,
    rng: ChaCha8Rng,
    keys: Arc<AtomicU64>,
    turn: Turn,
    /// Values written so far: each is unique.
    written: i64,
}

impl Load {
    fn draw(&mut self, thread: usize, threads: usize) -> Invocation {
        let keys = (threads as u64).clamp(1, self.keys_max);
        self.keys.store(keys, Ordering::Relaxed);
        let own = self.rng.random_range(0..100) < self.own;
        let number = if own { thread as u64 % keys } else { self.rng.random_range(0..keys) };
        let key = key_name(number);
        if self.rng.random_range(0..100) >= self.write {
            return Invocation::new("read").key(&*key);
        }
        self.written += 1;
        Invocation::new("write").key(&*key).value(self.written)
    }
}

impl Generator for Load {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        match self.turn.take(allowed) {
            Some(thread) => {
                Next::Op { thread, invocation: self.draw(thread, context.threads.len()) }
            }
            None => Next::Pending(None),
        }
    }

    fn update(&mut self, _: &Context<'_>, _: usize, _: &Event) {}
}
