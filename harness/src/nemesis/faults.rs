//! The kinds of faults that a run can mix, by name.

use quorate_targets::names::UnknownName;
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
    /// Single messages are late, lost, doubled, overtaken or damaged.
    Packet,
    /// Clocks are wrong.
    Clock,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [FaultKind; 5] = [
        FaultKind::Partition,
        FaultKind::Kill,
        FaultKind::Pause,
        FaultKind::Packet,
        FaultKind::Clock,
    ];

    /// Its name on the command line and in the plan.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Partition => "partition",
            FaultKind::Kill => "kill",
            FaultKind::Pause => "pause",
            FaultKind::Packet => "packet",
            FaultKind::Clock => "clock",
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
            FaultKind::Packet => {
                "messages of one node, a minority, a majority or all are delayed (50 ms, normally \
                 distributed), lost, doubled, reordered, damaged (20 %, in bursts) or throttled \
                 (1 Mbit/s)"
            }
            FaultKind::Clock => {
                "the clock of one node, a minority or a majority jumps (up to 288 s), drifts or \
                 strobes, as the node reads it"
            }
        }
    }

    /// Reads a comma-separated list; `none` is the empty one. Kinds come sorted, each once.
    pub fn parse_list(text: &str) -> Result<Vec<FaultKind>, String> {
        let names: Vec<&str> = text.split(',').collect();
        let mut kinds = FaultKind::of_names(&names)?;
        kinds.sort_unstable();
        Ok(kinds)
    }

    /// The kinds with these names, in their order, each once; `none`, alone, names no kind.
    pub fn of_names<S: AsRef<str>>(names: &[S]) -> Result<Vec<FaultKind>, String> {
        let is_none = |name: &S| name.as_ref().trim() == "none";
        if names.iter().all(is_none) {
            return Ok(Vec::new());
        }
        if names.iter().any(is_none) {
            return Err("`none` stands alone: it cannot be mixed with faults".into());
        }
        let mut kinds = Vec::new();
        for name in names {
            let kind: FaultKind = name.as_ref().parse().map_err(|e: UnknownName| e.to_string())?;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Ok(kinds)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FaultKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<FaultKind, UnknownName> {
        let name = text.trim();
        FaultKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known = FaultKind::ALL.into_iter().map(FaultKind::name).chain(["none"]);
            UnknownName::new("fault", name, known)
        })
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
        let error = FaultKind::parse_list("partiton").unwrap_err();
        assert_eq!(
            error,
            "there is no fault `partiton` (did you mean `partition`?); \
             there is: partition, kill, pause, packet, clock, none"
        );
        assert!(!FaultKind::parse_list("earthquake").unwrap_err().contains("did you"));
        assert!(FaultKind::parse_list("none,kill").unwrap_err().contains("stands alone"));
        assert!(FaultKind::parse_list("kill,,pause").is_err());
    }
}
