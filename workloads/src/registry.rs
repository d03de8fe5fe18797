//! The workloads that there are. To add one is to add its entry here.

use crate::options::{OptionError, OptionSpec, Options};
use crate::orders::{self, Orders, OrdersOptions};
use crate::register::{self, Register, RegisterOptions};
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
        name: "orders",
        api: "orders",
        about: "orders of many customers for few items: placed, taken back, read",
        options: orders::OPTIONS,
        checks: &[Check::Orders, Check::Stats],
        construct: |options, seed, _| {
            Ok(Box::new(Orders::new(OrdersOptions::from_options(options)?, seed)))
        },
    },
];

/// The workload of that name.
pub fn find(name: &str) -> Result<&'static Entry, UnknownName> {
    let known = WORKLOADS.iter().map(|entry| entry.name);
    WORKLOADS
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| UnknownName::new("workload", name, known))
}
