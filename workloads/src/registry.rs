//! The workloads that there are. To add one is to add its entry here.

use crate::counter::{self, Counter, Steps};
use crate::options::{OptionError, OptionSpec, Options};
use crate::register::{self, Register, RegisterOptions};
use crate::session::{self, Session};
use crate::set::{self, Set};
use crate::workload::{Check, Workload};
use quorate_targets::names::UnknownName;
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;

/// Sets a workload up: its options, the seed of its draws, the nodes there are.
pub type Construct = fn(&Options, Seed, nodes: &[NodeId]) -> Result<Box<dyn Workload>, OptionError>;

/// A workload that there is.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The api that it is written against, as targets name theirs (`Node::API`).
    pub api: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// Its options with their defaults.
    pub options: &'static [OptionSpec],
    /// What must hold of its histories, unless something else is asked for.
    pub checks: &'static [Check],
    /// Sets it up.
    pub construct: Construct,
}

impl Entry {
    /// Whether its final reads wait for replicas to agree.
    pub fn settles(&self) -> bool {
        self.checks.contains(&CONVERGENCE)
    }
}

/// All workloads, in the order in which they are listed.
pub const WORKLOADS: &[Entry] = &[REGISTER, SET, G_COUNTER, PN_COUNTER, SESSION];

const REGISTER: Entry = Entry {
    name: "register",
    api: "kv",
    about: "reads, writes and cas over several keys, each a linearizable register",
    options: register::OPTIONS,
    checks: &[Check::Linearizable { model: "cas-register" }, Check::Stats],
    construct: |options, seed, nodes| {
        Ok(Box::new(Register::new(RegisterOptions::from_options(options)?, seed, nodes)))
    },
};

/// Do all replicas agree in the end?
const CONVERGENCE: Check = Check::Weak { name: "convergence" };

const SET: Entry = Entry {
    name: "set",
    api: "kv",
    about: "unique elements added to sets (and removed, type=or-set); in the end on every node",
    options: set::OPTIONS,
    checks: &[Check::Weak { name: "set" }, CONVERGENCE, Check::Stats],
    construct: |options, seed, nodes| Ok(Box::new(Set::new(options, seed, nodes)?)),
};

const G_COUNTER: Entry = Entry {
    name: "g-counter",
    api: "kv",
    about: "positive numbers added to counters; in the end the same exact sum on every node",
    options: counter::OPTIONS,
    checks: &[Check::Weak { name: "counter" }, CONVERGENCE, Check::Stats],
    construct: |options, seed, nodes| Ok(Box::new(Counter::new(Steps::Up, options, seed, nodes)?)),
};

const PN_COUNTER: Entry = Entry {
    name: "pn-counter",
    about: "as g-counter, with negative numbers",
    construct: |options, seed, nodes| {
        Ok(Box::new(Counter::new(Steps::UpAndDown, options, seed, nodes)?))
    },
    ..G_COUNTER
};

const SESSION: Entry = Entry {
    name: "session",
    api: "kv",
    about: "clients write and read registers of their own and of others, with session tokens",
    options: session::OPTIONS,
    checks: &[Check::Weak { name: "session" }, CONVERGENCE, Check::Stats],
    construct: |options, seed, nodes| Ok(Box::new(Session::new(options, seed, nodes)?)),
};

/// The workload of that name.
pub fn find(name: &str) -> Result<&'static Entry, UnknownName> {
    let known = WORKLOADS.iter().map(|entry| entry.name);
    WORKLOADS
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| UnknownName::new("workload", name, known))
}
