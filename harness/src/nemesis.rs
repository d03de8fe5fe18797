//! Faults as data: what can be done to a cluster, when, and to whom.
//!
//! A schedule is made from the seed before the run and written to the plan; applying it is the
//! business of a [`crate::world::World`]. Where a target cannot be known beforehand (the
//! leader), the action names the role and the world resolves it.

mod clock;
mod faults;
pub(crate) mod names;
mod packet;
mod schedule;
mod shapes;

pub use faults::FaultKind;
pub use packet::{Distribution, Packet};
pub use schedule::{aim_at_leaders, is_aimed_at_leaders, mean_gap, schedule};
pub use shapes::{Shape, Whom, alone};

use quorate_targets::clock_fault::ClockFault;
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
    Nodes(#[serde(with = "names::list")] Vec<NodeId>),
    /// Whoever leads when the action is applied.
    Leader,
}

/// Which links a partition cuts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Exactly these.
    Grudge(#[serde(with = "names::grudge")] Grudge),
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
    /// Delays, loses, doubles, reorders or throttles what some nodes send and receive.
    StartPacket {
        /// Whose messages.
        aim: Aim,
        /// What happens to them.
        packet: Packet,
    },
    /// Messages pass as they come.
    StopPacket,
    /// Makes clocks wrong.
    StartClock {
        /// Whose.
        aim: Aim,
        /// How.
        clock: ClockFault,
    },
    /// All clocks are right again.
    StopClock,
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

impl Action {
    /// Its name in the plan and in the history.
    pub fn f(&self) -> &'static str {
        match self {
            Action::StartPartition { .. } => "start-partition",
            Action::StopPartition => "stop-partition",
            Action::Kill { .. } => "kill",
            Action::Start => "start",
            Action::Pause { .. } => "pause",
            Action::Resume => "resume",
            Action::StartPacket { .. } => "start-packet",
            Action::StopPacket => "stop-packet",
            Action::StartClock { .. } => "start-clock",
            Action::StopClock => "stop-clock",
        }
    }

    /// What is asked for, as the history announces it: what stands beside the name in the plan.
    pub fn value(&self) -> serde_json::Value {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(mut fields)) => {
                fields.remove("f");
                if fields.is_empty() { serde_json::Value::Null } else { fields.into() }
            }
            _ => serde_json::Value::Null,
        }
    }
}

/// A grudge as the history tells it: `{"n1":["n2","n3"]}`.
pub fn grudge_json(grudge: &Grudge) -> serde_json::Value {
    grudge.iter().map(|(node, deaf_to)| (node.to_string(), nodes_json(deaf_to))).collect()
}

/// Nodes as the history tells them: `["n1","n4"]`.
pub fn nodes_json(nodes: &[NodeId]) -> serde_json::Value {
    nodes.iter().map(NodeId::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_reads_back_what_was_written() {
        let grudge = Grudge::from([(NodeId(1), vec![NodeId(2), NodeId(3)])]);
        let scheduled = Scheduled {
            at_ms: 1500,
            action: Action::StartPartition { shape: "one".into(), cut: Cut::Grudge(grudge) },
        };
        let text = serde_json::to_string(&scheduled).unwrap();
        assert_eq!(
            text,
            r#"{"at_ms":1500,"f":"start-partition","shape":"one","cut":{"grudge":{"n1":["n2","n3"]}}}"#
        );
        assert_eq!(serde_json::from_str::<Scheduled>(&text).unwrap(), scheduled);

        let kill = r#"{"at_ms":7,"f":"kill","aim":{"nodes":["n4"]}}"#;
        let read: Scheduled = serde_json::from_str(kill).unwrap();
        assert_eq!(read.action, Action::Kill { aim: Aim::Nodes(vec![NodeId(4)]) });
        assert!(serde_json::from_str::<Scheduled>(&kill.replace("n4", "x4")).is_err());

        for text in [
            r#"{"at_ms":7,"f":"start-packet","aim":{"nodes":["n4"]},"packet":{"loss_percent":20}}"#,
            r#"{"at_ms":8,"f":"start-clock","aim":"leader","clock":{"jump":{"by_ms":-5}}}"#,
            r#"{"at_ms":9,"f":"stop-clock"}"#,
        ] {
            let read: Scheduled = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
    }
}
