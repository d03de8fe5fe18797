//! The register workload: reads, writes and cas over several keys, each a register of its own.
//!
//! Every value written is unique over the run, so that each read tells which write it saw: what
//! makes checking cheap and verdicts explain themselves. Keys serve for a bounded number of
//! operations and crashes (see [`independent`](crate::generator::independent)). When the faults
//! are healed, every key is read at every node: what was acknowledged and is lost shows then at
//! the latest.

mod key;

use crate::generator::independent::{KeyBounds, independent};
use crate::generator::until_each_ok::{Tries, until_each_ok};
use crate::generator::{Combine, Generator, Invocation};
use crate::kv;
use crate::options::{OptionError, OptionSpec, Options};
use crate::workload::{Completion, Workload};
use key::{KeyClient, Roles, Weights};
use quorate_checkers::value::Value;
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// How stubbornly a final read is tried at one node.
pub const FINAL_TRIES: Tries = Tries { most: 50, gap: Duration::from_millis(100) };

const KEYS: OptionSpec = OptionSpec { name: "keys", default: "5", about: "keys in use at a time" };
const OPS_PER_KEY: OptionSpec = OptionSpec {
    name: "ops-per-key",
    default: "500",
    about: "operations before a fresh key replaces one; 0 = no bound",
};
const CRASHES_PER_KEY: OptionSpec = OptionSpec {
    name: "crashes-per-key",
    default: "10",
    about: "crashed operations before a fresh key replaces one; 0 = no bound",
};
const READERS: OptionSpec = OptionSpec {
    name: "readers",
    default: "n",
    about: "threads that only read, at most half of all; n = one a node",
};
const READ: OptionSpec =
    OptionSpec { name: "read", default: "1", about: "weight of reads in the others' mix" };
const WRITE: OptionSpec =
    OptionSpec { name: "write", default: "2", about: "weight of writes in the others' mix" };
const CAS: OptionSpec =
    OptionSpec { name: "cas", default: "2", about: "weight of compare-and-set in the others' mix" };

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[KEYS, OPS_PER_KEY, CRASHES_PER_KEY, READERS, READ, WRITE, CAS];

/// The options of a register workload, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterOptions {
    bounds: KeyBounds,
    /// `None` is one a node.
    readers: Option<usize>,
    weights: Weights,
}

impl RegisterOptions {
    /// Reads the options; each that is not given has its default from [`OPTIONS`].
    pub fn from_options(options: &Options) -> Result<RegisterOptions, OptionError> {
        options.expect_only(OPTIONS)?;
        let bounds = KeyBounds {
            keys_at_once: options.number(&KEYS, 1, 10_000)? as usize,
            operations_per_key: options.number(&OPS_PER_KEY, 0, u64::MAX)?,
            crashes_per_key: options.number(&CRASHES_PER_KEY, 0, u64::MAX)?,
        };
        let readers = match options.text(&READERS) {
            "n" => None,
            _ => Some(options.number(&READERS, 0, 100_000)? as usize),
        };
        let weight = |spec| options.number(spec, 0, 1_000_000).map(|weight| weight as u32);
        let weights = Weights { read: weight(&READ)?, write: weight(&WRITE)?, cas: weight(&CAS)? };
        if weights.read + weights.write + weights.cas == 0 {
            let all_zero = "the weights `read`, `write` and `cas` are all 0";
            return Err(OptionError::Conflict(all_zero.to_owned()));
        }
        Ok(RegisterOptions { bounds, readers, weights })
    }
}

/// What has been used so far, over all keys.
#[derive(Debug, Default)]
struct Used {
    keys: AtomicU64,
    values: AtomicI64,
}

impl Used {
    /// A value that no other operation of the run has written, from 1.
    fn fresh_value(&self) -> i64 {
        self.values.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of a key that has not been used, from 0.
    fn fresh_key(&self) -> u64 {
        self.keys.fetch_add(1, Ordering::Relaxed)
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Register {
    options: RegisterOptions,
    seed: Seed,
    nodes: Vec<NodeId>,
    used: Arc<Used>,
}

impl Register {
    /// For these nodes, which the final phase asks one by one.
    pub fn new(options: RegisterOptions, seed: Seed, nodes: &[NodeId]) -> Register {
        Register { options, seed, nodes: nodes.to_vec(), used: Arc::default() }
    }
}

fn key_name(number: u64) -> String {
    format!("k{number}")
}

impl Workload for Register {
    fn main(&mut self) -> Box<dyn Generator> {
        let used = Arc::clone(&self.used);
        let readers = self.options.readers.unwrap_or(self.nodes.len());
        let roles = Roles { readers, weights: self.options.weights };
        let seed = self.seed.fork("main");
        let fresh_key = move || {
            let name = key_name(used.fresh_key());
            let client = KeyClient::new(Arc::clone(&used), roles, seed.stream(&name));
            (Value::str(name), client)
        };
        independent(self.options.bounds, seed, fresh_key).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        let keys = (0..self.used.keys.load(Ordering::Relaxed)).map(key_name);
        let at_each = |key: String| {
            self.nodes.iter().map(move |node| Invocation::new("read").key(&*key).at(*node))
        };
        until_each_ok(keys.flat_map(at_each).collect(), FINAL_TRIES).boxed()
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        kv::encode(invocation, session)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        kv::decode(invocation, outcome)
    }
}
