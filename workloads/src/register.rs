//! The register workload: reads, writes and cas over several keys, each a register of its own.
//!
//! Every value written is unique over the run, so that each read tells which write it saw: what
//! makes checking cheap and verdicts explain themselves. Keys serve for a bounded number of
//! operations and crashes (see [`independent`](crate::generator::independent)). When the faults
//! are healed, every key is read at every node: what was acknowledged and is lost shows then at
//! the latest.

mod key;

use crate::generator::any::any;
use crate::generator::independent::{KeyBounds, independent};
use crate::generator::source::repeat;
use crate::generator::{Combine, Generator, Invocation};
use crate::kv;
use crate::options::{OptionError, OptionSpec, Options};
use crate::workload::{Completion, Workload};
use key::{KeyClient, Weights};
use quorate_checkers::value::Value;
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// How often a final read is tried before it is given up.
pub const FINAL_TRIES_MAX: u64 = 50;

/// The mean time between two tries of a final read; a read at a time for each key and node.
pub const FINAL_TRY_GAP: Duration = Duration::from_millis(100);

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
const READ: OptionSpec =
    OptionSpec { name: "read", default: "4", about: "weight of reads in the mix" };
const WRITE: OptionSpec =
    OptionSpec { name: "write", default: "3", about: "weight of writes in the mix" };
const CAS: OptionSpec =
    OptionSpec { name: "cas", default: "3", about: "weight of compare-and-set in the mix" };

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[KEYS, OPS_PER_KEY, CRASHES_PER_KEY, READ, WRITE, CAS];

/// The options of a register workload, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterOptions {
    bounds: KeyBounds,
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
        let weight = |spec| options.number(spec, 0, 1_000_000).map(|weight| weight as u32);
        let weights = Weights { read: weight(&READ)?, write: weight(&WRITE)?, cas: weight(&CAS)? };
        if weights.read + weights.write + weights.cas == 0 {
            let all_zero = "the weights `read`, `write` and `cas` are all 0";
            return Err(OptionError::Conflict(all_zero.to_owned()));
        }
        Ok(RegisterOptions { bounds, weights })
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

    /// Reads one key at one node until it works, one try at a time.
    fn final_read(&self, key: &str, node: NodeId) -> Box<dyn Generator> {
        let seed = self.seed.fork(&format!("final/{key}/{node}"));
        repeat(Invocation::new("read").key(key).at(node))
            .stagger(FINAL_TRY_GAP, seed)
            .limit(FINAL_TRIES_MAX)
            .concurrency_limit(1)
            .until_ok()
            .boxed()
    }
}

fn key_name(number: u64) -> String {
    format!("k{number}")
}

impl Workload for Register {
    fn main(&mut self) -> Box<dyn Generator> {
        let (used, weights) = (Arc::clone(&self.used), self.options.weights);
        let seed = self.seed.fork("main");
        let fresh_key = move || {
            let name = key_name(used.fresh_key());
            let client = KeyClient::new(Arc::clone(&used), weights, seed.stream(&name));
            (Value::str(name), client)
        };
        independent(self.options.bounds, seed, fresh_key).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        let keys = (0..self.used.keys.load(Ordering::Relaxed)).map(key_name);
        let reads = keys
            .flat_map(|key| {
                self.nodes.iter().map(|node| self.final_read(&key, *node)).collect::<Vec<_>>()
            })
            .collect();
        any(self.seed.fork("final"), reads).synchronize().boxed()
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        kv::encode(invocation, session)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        kv::decode(invocation, outcome)
    }
}
