//! Random transactions over a few contended keys, for the checkers of dependency cycles.
//!
//! * `append`: reads of lists and appends to them. A read tells the whole order in which a key
//!   was written, so next to nothing about the dependencies of transactions is left to guess.
//! * `wr`: reads and writes of registers. What existing databases mostly have; more is inferred.
//! * `mini-txn`: at most two keys, each write behind a read of its key. Such short transactions
//!   show every isolation anomaly too, and are cheap to judge (Huang et al., *Efficient black-box
//!   checking of snapshot isolation in databases*, 2023; Gu et al., 2024).
//!
//! In the final phase every key is read at every node, several in one transaction.

use super::keys::{KEY_COUNT, KEY_DIST, KEY_DIST_BASE, KeyOptions, Keys, MAX_WRITES_PER_KEY};
use super::{decode, encode, read_value, value_of};
use crate::generator::source::from_fn;
use crate::generator::until_each_ok::until_each_ok;
use crate::generator::{Combine, Context, Generator, Invocation};
use crate::options::{OptionError, OptionSpec, Options};
use crate::register::FINAL_TRIES;
use crate::workload::{Completion, Workload};
use quorate_checkers::value::{Name, Value};
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::sync::{Arc, Mutex, PoisonError};

const MIN_TXN_LENGTH: OptionSpec =
    OptionSpec { name: "min-txn-length", default: "1", about: "least operations a transaction" };
const MAX_TXN_LENGTH: OptionSpec =
    OptionSpec { name: "max-txn-length", default: "4", about: "most operations a transaction" };

/// The options of `append` and `wr`.
pub const OPTIONS: &[OptionSpec] =
    &[KEY_DIST, KEY_DIST_BASE, KEY_COUNT, MAX_WRITES_PER_KEY, MIN_TXN_LENGTH, MAX_TXN_LENGTH];

/// The options of `mini-txn`, whose transactions have a form of their own.
pub const MINI_OPTIONS: &[OptionSpec] = &[KEY_DIST, KEY_DIST_BASE, KEY_COUNT, MAX_WRITES_PER_KEY];

/// How many keys a transaction of the final phase reads.
const FINAL_READS: usize = 8;

/// What transactions are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Lists.
    Append,
    /// Registers.
    Wr,
    /// Registers, in mini-transactions.
    Mini,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Random {
    style: Style,
    lengths: (u64, u64),
    seed: Seed,
    nodes: Vec<NodeId>,
    /// Shared with the generator, so that the final phase knows what was used.
    keys: Arc<Mutex<Keys>>,
}

impl Random {
    /// For these nodes, which the final phase asks one by one.
    pub fn new(
        style: Style,
        options: &Options,
        seed: Seed,
        nodes: &[NodeId],
    ) -> Result<Random, OptionError> {
        let lengths = if style == Style::Mini {
            options.expect_only(MINI_OPTIONS)?;
            (1, 2)
        } else {
            options.expect_only(OPTIONS)?;
            let least = options.number(&MIN_TXN_LENGTH, 1, 1_000)?;
            (least, options.number(&MAX_TXN_LENGTH, 1, 1_000)?)
        };
        if lengths.0 > lengths.1 {
            let conflict = "`min-txn-length` is above `max-txn-length`";
            return Err(OptionError::Conflict(conflict.to_owned()));
        }
        let keys = Arc::new(Mutex::new(Keys::new(KeyOptions::from_options(options)?)));
        Ok(Random { style, lengths, seed, nodes: nodes.to_vec(), keys })
    }
}

/// Reads and writes, half and half.
fn mixed(kind: &str, length: u64, keys: &mut Keys, rng: &mut ChaCha8Rng) -> Vec<Value> {
    let op = |_| {
        let place = keys.draw(rng);
        if rng.random_bool(0.5) {
            return read_value(keys.at(place));
        }
        let (key, value) = keys.write(place);
        value_of(kind, key, value)
    };
    (0..length).map(op).collect()
}

/// One key or two, each read and then perhaps written.
fn mini(length: u64, keys: &mut Keys, rng: &mut ChaCha8Rng) -> Vec<Value> {
    let first = keys.draw(rng);
    let second = keys.draw(rng);
    let places: &[usize] = if length > 1 && second != first { &[first, second] } else { &[first] };
    let mut ops: Vec<Value> = places.iter().map(|place| read_value(keys.at(*place))).collect();
    let reads_first = rng.random_bool(0.5);
    for (number, place) in places.iter().enumerate() {
        if rng.random_bool(0.5) {
            let (key, value) = keys.write(*place);
            // Behind its own read, or behind all of them.
            let at = if reads_first { ops.len() } else { ops.len() - places.len() + number + 1 };
            ops.insert(at, value_of("w", key, value));
        }
    }
    ops
}

impl Workload for Random {
    fn main(&mut self) -> Box<dyn Generator> {
        let (style, (least, most)) = (self.style, self.lengths);
        let keys = Arc::clone(&self.keys);
        let mut rng = self.seed.stream("txn");
        let name = Name::from("txn");
        let transaction = move |_: &Context<'_>| {
            let keys = &mut *keys.lock().unwrap_or_else(PoisonError::into_inner);
            let length = rng.random_range(least..=most);
            let ops = match style {
                Style::Append => mixed("append", length, keys, &mut rng),
                Style::Wr => mixed("w", length, keys, &mut rng),
                Style::Mini => mini(length, keys, &mut rng),
            };
            Some(Invocation::new(name.clone()).value(ops))
        };
        from_fn(transaction).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        let ever = self.keys.lock().unwrap_or_else(PoisonError::into_inner).ever();
        let keys: Vec<i64> = (0..ever).collect();
        let at_each = |some: &[i64]| {
            let reads: Vec<Value> = some.iter().map(|key| read_value(*key)).collect();
            let read = Invocation::new("txn").value(reads);
            self.nodes.iter().map(move |node| read.clone().at(*node)).collect::<Vec<_>>()
        };
        until_each_ok(keys.chunks(FINAL_READS).flat_map(at_each).collect(), FINAL_TRIES).boxed()
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        encode(invocation, session)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        decode(invocation, outcome)
    }
}
