//! The workloads that there are. To add one is to add its entry here.

use crate::counter::{self, Counter, Steps};
use crate::options::{OptionError, OptionSpec, Options};
use crate::orders::{self, Orders, OrdersOptions};
use crate::register::{self, Register, RegisterOptions};
use crate::session::{self, Session};
use crate::set::{self, Set};
use crate::txn::{
    self, Bank, CausalReverse, ClosedPredicate, G2, LongFork, Monotonic, Random, Style, WriteSkew,
};
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
pub const WORKLOADS: &[Entry] = &[
    Entry {
        name: "register",
        api: "kv",
        about: "reads, writes and cas over several keys, each a linearizable register",
        options: register::OPTIONS,
        checks: &[Check::Linearizable { model: "cas-register" }, Check::Stats],
        construct: |options, seed, nodes| {
            Ok(Box::new(Register::new(RegisterOptions::from_options(options)?, seed, nodes)))
        },
    },
    Entry {
        name: "append",
        api: "txn",
        about: "transactions of reads of lists and appends to them",
        options: txn::RANDOM_OPTIONS,
        checks: &[Check::Transactions { kind: "append" }, Check::Stats],
        construct: |options, seed, nodes| {
            Ok(Box::new(Random::new(Style::Append, options, seed, nodes)?))
        },
    },
    Entry {
        name: "wr",
        api: "txn",
        about: "transactions of reads and writes of registers",
        options: txn::RANDOM_OPTIONS,
        checks: &[Check::Transactions { kind: "wr" }, Check::Stats],
        construct: |options, seed, nodes| {
            Ok(Box::new(Random::new(Style::Wr, options, seed, nodes)?))
        },
    },
    Entry {
        name: "mini-txn",
        api: "txn",
        about: "transactions over at most two registers, each write behind a read of its key",
        options: txn::MINI_OPTIONS,
        checks: &[Check::Transactions { kind: "wr" }, Check::Stats],
        construct: |options, seed, nodes| {
            Ok(Box::new(Random::new(Style::Mini, options, seed, nodes)?))
        },
    },
    Entry {
        name: "bank",
        api: "txn",
        about: "transfers between accounts, whose sum no reader may see changed",
        options: txn::BANK_OPTIONS,
        checks: &[Check::Invariant { name: "bank" }, Check::Stats],
        construct: |options, seed, nodes| Ok(Box::new(Bank::new(options, seed, nodes)?)),
    },
    Entry {
        name: "long-fork",
        api: "txn",
        about: "single writes and reads of groups, which must all agree on one order",
        options: txn::LONG_FORK_OPTIONS,
        checks: &[
            Check::Invariant { name: "long-fork" },
            Check::Transactions { kind: "wr" },
            Check::Stats,
        ],
        construct: |options, seed, nodes| Ok(Box::new(LongFork::new(options, seed, nodes)?)),
    },
    Entry {
        name: "write-skew",
        api: "txn",
        about: "pairs of transactions that each read what the other writes",
        options: &[],
        checks: &[Check::Transactions { kind: "wr" }, Check::Stats],
        construct: |options, _, nodes| Ok(Box::new(WriteSkew::new(options, nodes)?)),
    },
    Entry {
        name: "g2",
        api: "txn",
        about: "pairs of insertions, each only if there is no row yet",
        options: &[],
        checks: &[Check::Invariant { name: "g2" }, Check::Stats],
        construct: |options, _, nodes| Ok(Box::new(G2::new(options, nodes)?)),
    },
    Entry {
        name: "closed-predicate",
        api: "txn",
        about: "rows inserted and deleted, read by key and by predicate",
        options: txn::CLOSED_PREDICATE_OPTIONS,
        checks: &[Check::Transactions { kind: "closed-predicate" }, Check::Stats],
        construct: |options, seed, nodes| Ok(Box::new(ClosedPredicate::new(options, seed, nodes)?)),
    },
    Entry {
        name: "causal-reverse",
        api: "txn",
        about: "insertions of rows, which must become visible in the order of time",
        options: txn::CAUSAL_REVERSE_OPTIONS,
        checks: &[Check::Invariant { name: "causal-reverse" }, Check::Stats],
        construct: |options, seed, nodes| Ok(Box::new(CausalReverse::new(options, seed, nodes)?)),
    },
    Entry {
        name: "monotonic",
        api: "txn",
        about: "counters that nobody may see going down",
        options: txn::MONOTONIC_OPTIONS,
        checks: &[Check::Invariant { name: "monotonic" }, Check::Stats],
        construct: |options, seed, nodes| Ok(Box::new(Monotonic::new(options, seed, nodes)?)),
    },
    Entry {
        name: "orders",
        api: "orders",
        about: "orders of many customers for few items: placed, taken back, read",
        options: orders::OPTIONS,
        checks: &[Check::Orders, Check::Stats],
        construct: |options, seed, _| {
            Ok(Box::new(Orders::new(OrdersOptions::from_options(options)?, seed)))
        },
    },
    SET,
    G_COUNTER,
    PN_COUNTER,
    SESSION,
];

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
