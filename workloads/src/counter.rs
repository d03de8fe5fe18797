//! The counter workloads: numbers are added to a few counters, which are read at every node in
//! the end. `g-counter` adds positive numbers only, `pn-counter` negative ones too.

use crate::generator::Generator;
use crate::generator::source::from_fn;
use crate::generator::{Combine, Invocation};
use crate::options::{OptionError, OptionSpec, Options};
use crate::replicas::{final_reads, of_one};
use crate::store::{self, Object};
use crate::workload::{Completion, Workload};
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::RngExt;

const KEYS: OptionSpec = OptionSpec { name: "keys", default: "3", about: "how many counters" };
const ADD: OptionSpec = OptionSpec { name: "add", default: "3", about: "weight of adds" };
const READ: OptionSpec = OptionSpec { name: "read", default: "1", about: "weight of reads" };

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[KEYS, ADD, READ];

/// The largest number that is added at once.
const STEP_MAX: i64 = 5;

/// Which numbers are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Positive ones.
    Up,
    /// Positive and negative ones.
    UpAndDown,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Counter {
    steps: Steps,
    keys: u64,
    weights: [u32; 2],
    seed: Seed,
    nodes: Vec<NodeId>,
    /// Whether reads are to show what one replica has.
    finale: bool,
}

impl Counter {
    /// With these options, for these nodes.
    pub fn new(
        steps: Steps,
        options: &Options,
        seed: Seed,
        nodes: &[NodeId],
    ) -> Result<Counter, OptionError> {
        options.expect_only(OPTIONS)?;
        let weight = |spec| options.number(spec, 0, 1_000_000).map(|weight| weight as u32);
        let weights = [weight(&ADD)?, weight(&READ)?];
        if weights == [0, 0] {
            let all_zero = "the weights `add` and `read` are both 0";
            return Err(OptionError::Conflict(all_zero.to_owned()));
        }
        let keys = options.number(&KEYS, 1, 1_000)?;
        Ok(Counter { steps, keys, weights, seed, nodes: nodes.to_vec(), finale: false })
    }
}

fn key_name(number: u64) -> String {
    format!("c{number}")
}

impl Workload for Counter {
    fn main(&mut self) -> Box<dyn Generator> {
        let mut rng = self.seed.stream("main");
        let (steps, keys, [add, read]) = (self.steps, self.keys, self.weights);
        from_fn(move |_| {
            let key = key_name(rng.random_range(0..keys));
            if rng.random_range(0..add + read) >= add {
                return Some(Invocation::new("read").key(&*key));
            }
            let size = rng.random_range(1..=STEP_MAX);
            let down = steps == Steps::UpAndDown && rng.random_bool(0.5);
            Some(Invocation::new("add").key(&*key).value(if down { -size } else { size }))
        })
        .boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        self.finale = true;
        final_reads((0..self.keys).map(key_name), &self.nodes)
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        Request::Store(of_one(store::encode(Object::Counter, invocation, session), self.finale))
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        store::decode(Object::Counter, invocation, outcome)
    }
}
