//! The plan: everything that decides a run, as data. It is made from the command line before
//! anything starts, written to `plan.json`, and enough to do the same again.

mod command;

use crate::duration;
use crate::nemesis::Scheduled;
use crate::script::Script;
use quorate_targets::bugs::Bug;
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_targets::sim::Weather;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How a node's disk treats what has not been synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Disk {
    /// It is lost when the node is killed, as in a power cut.
    Lazy,
    /// It is written at once, with a real fsync at each sync.
    Sync,
}

/// Bounds of a run; reaching one is said in the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// How long nodes may take to come up and serve.
    #[serde(rename = "startup_ms", with = "duration::as_ms")]
    pub startup: Duration,
    /// How long operations that are under way may take to end when the main phase is over.
    #[serde(rename = "drain_ms", with = "duration::as_ms")]
    pub drain: Duration,
    /// How long the cluster may take to serve every key on every node after healing.
    #[serde(rename = "recovery_ms", with = "duration::as_ms")]
    pub recovery: Duration,
    /// How long the checkers may take.
    #[serde(rename = "check_ms", with = "duration::as_ms")]
    pub check: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            startup: Duration::from_secs(20),
            drain: Duration::from_secs(10),
            recovery: Duration::from_secs(30),
            check: Duration::from_mins(2),
        }
    }
}

/// Everything that decides a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of Quorate that made it.
    pub version: String,
    /// The command line that does the same again.
    pub command: String,
    /// The system under test.
    pub target: String,
    /// What is asked of it.
    pub workload: String,
    /// Cluster size; 0 for a target without nodes.
    pub nodes: u16,
    /// Client threads.
    pub concurrency: usize,
    /// Operations a second over all clients; 0 is as fast as they go.
    pub rate: f64,
    /// Length of the main phase.
    #[serde(rename = "time_limit_ms", with = "duration::as_ms")]
    pub time_limit: Duration,
    /// Kinds of fault that are mixed.
    pub nemesis: Vec<String>,
    /// Mean time between a fault and its healing.
    #[serde(rename = "nemesis_interval_ms", with = "duration::as_ms")]
    pub nemesis_interval: Duration,
    /// Decides the generator, the schedule and the targets' randomness.
    pub seed: Seed,
    /// Seeded bugs that are switched on.
    pub bugs: Vec<Bug>,
    /// Options of the target.
    pub target_options: BTreeMap<String, String>,
    /// Options of the workload.
    pub workload_options: BTreeMap<String, String>,
    /// How the nodes' disks behave.
    pub disk: Disk,
    /// Bounds.
    pub limits: Limits,
    /// The faults, in order of time.
    pub schedule: Vec<Scheduled>,
    /// The run is simulated, in this weather. Absent where processes run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weather: Option<Weather>,
    /// A broken invariant does not end a simulation: only what clients see counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clients_only: bool,
    /// The load ends at the first violation that is seen while it runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fail_fast: bool,
    /// These operations instead of those that the workload would draw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Script>,
}

impl Plan {
    /// The members of the cluster.
    pub fn members(&self) -> Vec<NodeId> {
        (1..=self.nodes).map(NodeId).collect()
    }

    /// What a person calls this combination; the folder of its runs.
    pub fn name(&self) -> String {
        format!("{}-{}", self.target, self.workload)
    }
}
