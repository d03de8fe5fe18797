//! What there is to run: targets with their workloads, options and bugs. Lookups by name say
//! what there is when a name is unknown.

use quorate_targets::bugs::{self, Bug};
use quorate_targets::names::UnknownName;
use quorate_targets::node::{Config, Node, NodeId};
use quorate_targets::raft::RaftKv;
use quorate_targets::seed::Seed;
use quorate_workloads::options::Options;
use quorate_workloads::registry;
use quorate_workloads::workload::Workload;
use std::collections::BTreeMap;

/// A system under test.
#[derive(Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub description: &'static str,
    /// Workloads that it can run; the first is the default.
    pub workloads: &'static [&'static str],
    /// The default cluster size; 0 where there is no cluster.
    pub nodes: u16,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target {
        name: "raft-kv",
        description: "a key-value store replicated by Raft; linearizable, with transactions",
        workloads: &[
            "register",
            "append",
            "wr",
            "mini-txn",
            "bank",
            "long-fork",
            "write-skew",
            "g2",
            "causal-reverse",
            "monotonic",
        ],
        nodes: 5,
    },
    Target {
        name: "null",
        description: "a key-value map inside the harness, without a cluster: how fast the harness is",
        workloads: &["register"],
        nodes: 0,
    },
];

/// The target called `name`.
pub fn target(name: &str) -> Result<&'static Target, UnknownName> {
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .ok_or_else(|| UnknownName::new("target", name, TARGETS.iter().map(|target| target.name)))
}

/// A new instance of a workload; the error says which option is wrong.
pub fn new_workload(
    name: &str,
    options: &BTreeMap<String, String>,
    seed: Seed,
    members: &[NodeId],
) -> Result<Box<dyn Workload>, String> {
    let entry = registry::find(name).map_err(|error| error.to_string())?;
    let options = Options::from(options.clone());
    (entry.construct)(&options, seed, members).map_err(|error| error.to_string())
}

impl Target {
    /// The workload called `name`, if this target can run it.
    pub fn workload(&self, name: &str) -> Result<&'static str, UnknownName> {
        self.workloads.iter().find(|known| **known == name).copied().ok_or_else(|| {
            let what = format!("workload for {}", self.name);
            UnknownName::new(&what, name, self.workloads.iter().copied())
        })
    }

    /// This target's bugs.
    pub fn bugs(&self) -> impl Iterator<Item = &'static bugs::Entry> + '_ {
        bugs::ALL.iter().filter(|entry| entry.target == self.name)
    }

    /// The bug called `name`, if this target has it.
    pub fn bug(&self, name: &str) -> Result<Bug, UnknownName> {
        self.bugs().find(|entry| entry.name == name).map(|entry| entry.bug).ok_or_else(|| {
            let what = format!("bug of {}", self.name);
            UnknownName::new(&what, name, self.bugs().map(|entry| entry.name))
        })
    }

    /// Whether a node would boot with these options; the error says which one is wrong.
    pub fn validate(
        &self,
        members: &[NodeId],
        bugs: &[Bug],
        options: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let config = |id| Config {
            id,
            members: members.to_vec(),
            bugs: bugs.to_vec(),
            options: options.clone(),
        };
        match self.name {
            "raft-kv" => RaftKv::boot(config(NodeId(1)), Vec::new()).map(|_| ()),
            _ if options.is_empty() => Ok(()),
            _ => Err(format!("{} has no options", self.name)),
        }
    }
}
