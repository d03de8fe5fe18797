//! The kinds of faults that a run can mix, by name.

use crate::nearest::nearest;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A kind of fault: a pair of actions, one that breaks and one that heals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Links between nodes are cut.
    Partition,
    /// Nodes are killed and restarted.
    Kill,
    /// Nodes stand still for a while.
    Pause,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [FaultKind; 3] = [FaultKind::Partition, FaultKind::Kill, FaultKind::Pause];

    /// Its name on the command line and in the plan.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Partition => "partition",
            FaultKind::Kill => "kill",
            FaultKind::Pause => "pause",
        }
    }

    /// What it does, in one line.
    pub fn describe(self) -> &'static str {
        match self {
            FaultKind::Partition => {
                "cuts links between nodes: halves, one node, a third, majorities in a ring, \
                 a bridge, one way only, the leader alone"
            }
            FaultKind::Kill => {
                "SIGKILL to one node, a minority, a majority, all or the leader; restarted later"
            }
            FaultKind::Pause => {
                "SIGSTOP to one node, a minority, a majority or the leader; SIGCONT later"
            }
        }
    }

    /// Reads a comma-separated list; `none` is the empty one. Kinds come sorted, each once.
    pub fn parse_list(text: &str) -> Result<Vec<FaultKind>, UnknownFault> {
        if text.trim() == "none" {
            return Ok(Vec::new());
        }
        let mut kinds = text.split(',').map(str::parse).collect::<Result<Vec<_>, _>>()?;
        kinds.sort_unstable();
        kinds.dedup();
        Ok(kinds)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// There is no fault of that name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault `{typed}`{}; there are: {}, and none", hint(.typed), known())]
pub struct UnknownFault {
    typed: String,
}

fn known() -> String {
    FaultKind::ALL.map(FaultKind::name).join(", ")
}

fn hint(typed: &str) -> String {
    let names = FaultKind::ALL.into_iter().map(FaultKind::name).chain(["none"]);
    nearest(typed, names).map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

impl FromStr for FaultKind {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<FaultKind, UnknownFault> {
        let name = text.trim();
        FaultKind::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownFault { typed: name.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_by_name() {
        use FaultKind::{Kill, Partition};
        assert_eq!(FaultKind::parse_list("kill, partition,kill"), Ok(vec![Partition, Kill]));
        assert_eq!(FaultKind::parse_list("none"), Ok(vec![]));
        for kind in FaultKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = FaultKind::parse_list("partiton").unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no fault `partiton` (did you mean `partition`?); \
             there are: partition, kill, pause, and none"
        );
        assert!(!FaultKind::parse_list("earthquake").unwrap_err().to_string().contains("did you"));
        assert!(FaultKind::parse_list("kill,,pause").is_err());
    }
}
