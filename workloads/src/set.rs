//! The set workload: unique elements are added to sets, and each set is read at every node in the
//! end. What was acknowledged must then be everywhere; what was removed, nowhere.
//!
//! Sets are filled one after the other, so that reads stay small. All clients add to the same one,
//! so that stores which write sets as a whole show what concurrent writers do to each other. With
//! `type=or-set` elements are removed as well: only such whose add was acknowledged, once each,
//! and never added again, so that one which is back was brought back by the store.

use crate::generator::source::Turn;
use crate::generator::{Combine, Context, Generator, Invocation, Next};
use crate::options::{OptionError, OptionSpec, Options};
use crate::store::{self, Object};
use crate::workload::{Completion, Workload};
use crate::{replicas, replicas::final_reads};
use quorate_checkers::history::{Event, EventType};
use quorate_checkers::value::Value;
use quorate_targets::api::store::SetKind;
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const TYPE: OptionSpec =
    OptionSpec { name: "type", default: "g-set", about: "g-set, or or-set with removes" };
const ADDS_PER_KEY: OptionSpec = OptionSpec {
    name: "adds-per-key",
    default: "50",
    about: "elements that are added to a set before the next one begins",
};
const ADD: OptionSpec = OptionSpec { name: "add", default: "5", about: "weight of adds" };
const READ: OptionSpec = OptionSpec { name: "read", default: "1", about: "weight of reads" };
const REMOVE: OptionSpec =
    OptionSpec { name: "remove", default: "2", about: "weight of removes, in an or-set" };

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[TYPE, ADDS_PER_KEY, ADD, READ, REMOVE];

/// How many elements are remembered for removes.
const REMEMBERED_MAX: usize = 100;

/// See the [module](self).
#[derive(Debug)]
pub struct Set {
    kind: SetKind,
    adds_per_key: u64,
    weights: [u32; 3],
    seed: Seed,
    nodes: Vec<NodeId>,
    added: Arc<AtomicU64>,
    /// Whether reads are to show what one replica has.
    finale: bool,
}

impl Set {
    /// With these options, for these nodes.
    pub fn new(options: &Options, seed: Seed, nodes: &[NodeId]) -> Result<Set, OptionError> {
        options.expect_only(OPTIONS)?;
        let kind = match options.text(&TYPE) {
            "g-set" => SetKind::GSet,
            "or-set" => SetKind::OrSet,
            other => {
                return Err(OptionError::Invalid {
                    name: TYPE.name.to_owned(),
                    value: other.to_owned(),
                    expected: "g-set or or-set".to_owned(),
                });
            }
        };
        let weight = |spec| options.number(spec, 0, 1_000_000).map(|weight| weight as u32);
        let remove = if kind == SetKind::OrSet { weight(&REMOVE)? } else { 0 };
        let weights = [weight(&ADD)?, weight(&READ)?, remove];
        if weights[0] == 0 {
            let nothing = "the weight `add` is 0: there would be nothing to read";
            return Err(OptionError::Conflict(nothing.to_owned()));
        }
        let adds_per_key = options.number(&ADDS_PER_KEY, 1, u64::MAX)?;
        let (nodes, added) = (nodes.to_vec(), Arc::default());
        Ok(Set { kind, adds_per_key, weights, seed, nodes, added, finale: false })
    }
}

fn key_name(number: u64) -> String {
    format!("s{number}")
}

impl Workload for Set {
    fn main(&mut self) -> Box<dyn Generator> {
        Load {
            adds_per_key: self.adds_per_key,
            weights: self.weights,
            rng: self.seed.stream("main"),
            added: Arc::clone(&self.added),
            turn: Turn::default(),
            removable: VecDeque::new(),
        }
        .boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        self.finale = true;
        let keys = self.added.load(Ordering::Relaxed).div_ceil(self.adds_per_key);
        final_reads((0..keys).map(key_name), &self.nodes)
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        let request = store::encode(Object::Set(self.kind), invocation, session);
        Request::Store(replicas::of_one(request, self.finale))
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        store::decode(Object::Set(self.kind), invocation, outcome)
    }
}

/// The main phase; endless.
#[derive(Debug)]
struct Load {
    adds_per_key: u64,
    weights: [u32; 3],
    rng: ChaCha8Rng,
    /// Elements that were added, over all sets: the last one's number.
    added: Arc<AtomicU64>,
    turn: Turn,
    /// Elements that are known to have been added, with their keys.
    removable: VecDeque<(Value, Value)>,
}

impl Load {
    fn draw(&mut self) -> Invocation {
        let [add, read, remove] = self.weights;
        let drawn = self.rng.random_range(0..add + read + remove);
        let added = self.added.load(Ordering::Relaxed);
        if drawn < add || (added == 0 && drawn < add + read) {
            return self.add();
        }
        if drawn < add + read {
            let key = key_name((added - 1) / self.adds_per_key);
            return Invocation::new("read").key(&*key);
        }
        let place = self.rng.random_range(0..self.removable.len().max(1));
        match self.removable.remove(place) {
            Some((key, element)) => Invocation::new("remove").key(key).value(element),
            None => self.add(),
        }
    }

    fn add(&mut self) -> Invocation {
        let before = self.added.fetch_add(1, Ordering::Relaxed);
        let key = key_name(before / self.adds_per_key);
        Invocation::new("add").key(&*key).value(before as i64 + 1)
    }
}

impl Generator for Load {
    fn next(&mut self, _: &Context<'_>, allowed: &[usize]) -> Next {
        match self.turn.take(allowed) {
            Some(thread) => Next::Op { thread, invocation: self.draw() },
            None => Next::Pending(None),
        }
    }

    fn update(&mut self, _: &Context<'_>, _: usize, event: &Event) {
        if self.weights[2] == 0 || event.kind != EventType::Ok || event.f.as_str() != "add" {
            return;
        }
        let key = event.key.clone().unwrap_or_default();
        self.removable.push_back((key, event.value.clone()));
        if self.removable.len() > REMEMBERED_MAX {
            self.removable.pop_front();
        }
    }
}
