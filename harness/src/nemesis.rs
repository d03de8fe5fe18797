//! Faults as data: what can be done to a cluster, when, and to whom.
//!
//! A schedule is made from the seed before the run and written to the plan; applying it is the
//! business of a [`crate::world::World`]. Where a target cannot be known beforehand (the
//! leader), the action names the role and the world resolves it.

use quorate_targets::node::NodeId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who does not hear whom: each node with the peers whose messages to it are dropped. May be
/// asymmetric. (Jepsen's term.)
pub type Grudge = BTreeMap<NodeId, Vec<NodeId>>;

/// Which nodes an action is aimed at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aim {
    /// Exactly these.
    Nodes(Vec<NodeId>),
    /// Whoever leads when the action is applied.
    Leader,
}

/// Which links a partition cuts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Exactly these.
    Grudge(Grudge),
    /// The leader from everyone else, both ways, whoever leads when it is applied.
    LeaderAlone,
}

/// One thing that the nemesis does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "f", rename_all = "kebab-case")]
pub enum Action {
    /// Cuts links between nodes.
    StartPartition {
        /// The shape's name: `halves`, `one`, `majorities-ring`, ...
        shape: String,
        /// What is cut.
        cut: Cut,
    },
    /// Heals all links.
    StopPartition,
    /// SIGKILL.
    Kill {
        /// Whom.
        aim: Aim,
    },
    /// Restarts every node that is down.
    Start,
    /// SIGSTOP.
    Pause {
        /// Whom.
        aim: Aim,
    },
    /// SIGCONT to every paused node.
    Resume,
}

/// What became of an action; it is in the history.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultOutcome {
    /// It is in force. The value tells what exactly, for the history.
    Installed(serde_json::Value),
    /// It was not applied.
    Skipped(String),
    /// It may be in force, wholly or in part.
    Indeterminate(String),
}

/// When what is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    /// Milliseconds since the main phase began.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}
