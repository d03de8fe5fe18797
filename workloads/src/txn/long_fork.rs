//! Long fork: two readers that see two unrelated writes in opposite orders (Jepsen's
//! `long_fork`; Sovran et al., *Transactional storage for geo-replicated systems*, 2011).
//!
//! | operation | argument | result |
//! |---|---|---|
//! | `write` | `[["w",7,1]]`, each key once | the same |
//! | `read` | reads of all keys of a group | the same with what was read |
//!
//! Keys come in groups of a few neighbours. A reader reads a whole group that is being written
//! just then or was lately.

use super::{ask_each, decode, encode, read_value, value_of};
use crate::generator::source::from_fn;
use crate::generator::{Combine, Context, Generator, Invocation};
use crate::options::{OptionError, OptionSpec, Options};
use crate::workload::{Completion, Workload};
use quorate_checkers::value::{Name, Value};
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::RngExt;

const GROUP: OptionSpec =
    OptionSpec { name: "group", default: "2", about: "keys that are read together" };

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[GROUP];

/// Of ten reads, so many are of the group that is written now; the others of the one before.
const NEWEST_OF_TEN: u32 = 7;

/// See the [module](self).
#[derive(Debug)]
pub struct LongFork {
    group: i64,
    seed: Seed,
    nodes: Vec<NodeId>,
}

impl LongFork {
    /// For these nodes.
    pub fn new(options: &Options, seed: Seed, nodes: &[NodeId]) -> Result<LongFork, OptionError> {
        options.expect_only(OPTIONS)?;
        let group = options.number(&GROUP, 2, 100)? as i64;
        Ok(LongFork { group, seed, nodes: nodes.to_vec() })
    }
}

/// A read of the whole group.
fn read_group(group: i64, size: i64) -> Vec<Value> {
    (group * size..(group + 1) * size).map(read_value).collect()
}

impl Workload for LongFork {
    fn main(&mut self) -> Box<dyn Generator> {
        let size = self.group;
        let mut rng = self.seed.stream("long-fork");
        let (read, write) = (Name::from("read"), Name::from("write"));
        let mut fresh = 0;
        let op = move |_: &Context<'_>| {
            // Of a group's operations one in three is a write: it is read while it is written.
            if fresh == 0 || rng.random_ratio(1, 3) {
                fresh += 1;
                let value = vec![value_of("w", fresh - 1, 1)];
                return Some(Invocation::new(write.clone()).value(value));
            }
            let newest = (fresh - 1) / size;
            let before = i64::from(!rng.random_ratio(NEWEST_OF_TEN, 10)).min(newest);
            Some(Invocation::new(read.clone()).value(read_group(newest - before, size)))
        };
        from_fn(op).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        ask_each(&self.nodes, &Invocation::new("read").value(read_group(0, self.group)))
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        encode(invocation, session)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        decode(invocation, outcome)
    }
}
