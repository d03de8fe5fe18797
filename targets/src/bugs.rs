//! The seeded bugs: named, switchable faults of the bundled databases, each with the anomaly
//! that it must cause. They test the harness: each must be caught.

use serde::{Deserialize, Serialize};

/// A seeded bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bug {
    /// Leader answers reads from its own state without confirming that it still leads.
    StaleRead,
    /// Any node answers reads from its own state.
    FollowerRead,
    /// Leader replies when its own log has the entry.
    AckBeforeCommit,
    /// Appends and votes are acknowledged before they are on disk.
    AckBeforeSync,
    /// The vote is not persisted.
    ForgetVote,
    /// One vote too few is enough.
    MinorityQuorum,
    /// Votes are granted without comparing logs.
    NoLogCheck,
    /// There is no session table: a retried request is applied again.
    DoubleApply,
    /// Entries of earlier terms are committed by counting replicas (Raft, Figure 8).
    CommitPriorTerm,
    /// Entries behind a snapshot are lost on restart.
    LoseSnapshotTail,
}

/// What a person is told of a bug.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The bug.
    pub bug: Bug,
    /// Its name on the command line.
    pub name: &'static str,
    /// The database that has it.
    pub target: &'static str,
    /// What is wrong, in one sentence.
    pub sentence: &'static str,
    /// The anomaly that it must cause.
    pub anomaly: &'static str,
    /// Further arguments of `quorate run` that make it show; the defaults are enough where empty.
    pub needs: &'static [&'static str],
}

/// All bugs.
pub const ALL: &[Entry] = &[
    Entry {
        bug: Bug::StaleRead,
        name: "stale-read",
        target: "raft-kv",
        sentence: "the leader answers reads from its own state without confirming that it still leads",
        anomaly: "stale read",
        needs: &["--nemesis", "partition"],
    },
    Entry {
        bug: Bug::FollowerRead,
        name: "follower-read",
        target: "raft-kv",
        sentence: "any node answers reads from its own state",
        anomaly: "stale read",
        needs: &[],
    },
    Entry {
        bug: Bug::AckBeforeCommit,
        name: "ack-before-commit",
        target: "raft-kv",
        sentence: "the leader replies when its own log has the entry, before a majority has it",
        anomaly: "lost write",
        needs: &[],
    },
    Entry {
        bug: Bug::AckBeforeSync,
        name: "ack-before-sync",
        target: "raft-kv",
        sentence: "appends and votes are acknowledged before they are on disk",
        anomaly: "lost write",
        needs: &["--nemesis", "kill"],
    },
    Entry {
        bug: Bug::ForgetVote,
        name: "forget-vote",
        target: "raft-kv",
        sentence: "the vote is not persisted, so that a restarted node can vote twice in a term",
        anomaly: "split brain: lost write",
        needs: &["--nemesis", "kill"],
    },
    Entry {
        bug: Bug::MinorityQuorum,
        name: "minority-quorum",
        target: "raft-kv",
        sentence: "one vote too few is enough, to elect and to commit",
        anomaly: "split brain: stale read, lost write",
        needs: &["--nemesis", "partition"],
    },
    Entry {
        bug: Bug::NoLogCheck,
        name: "no-log-check",
        target: "raft-kv",
        sentence: "votes are granted without comparing logs",
        anomaly: "lost write",
        needs: &[],
    },
    Entry {
        bug: Bug::DoubleApply,
        name: "double-apply",
        target: "raft-kv",
        sentence: "there is no session table: a request that the client retries is applied again",
        anomaly: "a write that comes back, a cas refused that took effect",
        needs: &[],
    },
    Entry {
        bug: Bug::CommitPriorTerm,
        name: "commit-prior-term",
        target: "raft-kv",
        sentence: "entries of earlier terms are committed by counting replicas (Raft, Figure 8)",
        anomaly: "lost write",
        needs: &["--nemesis", "partition,kill"],
    },
    Entry {
        bug: Bug::LoseSnapshotTail,
        name: "lose-snapshot-tail",
        target: "raft-kv",
        sentence: "log entries behind a snapshot are lost when a node restarts",
        anomaly: "lost write",
        needs: &["--nemesis", "kill"],
    },
];

impl Bug {
    /// What a person is told of it.
    pub fn entry(self) -> &'static Entry {
        // The table holds each bug in the order of the enumeration; a test sees to it.
        &ALL[self as usize]
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.entry().name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_each_bug_under_its_name() {
        for (place, entry) in ALL.iter().enumerate() {
            assert_eq!(entry.bug as usize, place);
            assert_eq!(serde_json::to_value(entry.bug).unwrap(), entry.name);
            assert!(entry.needs.len().is_multiple_of(2), "{}: flags come with a value", entry.name);
        }
        assert_eq!(ALL.len(), Bug::LoseSnapshotTail as usize + 1);
    }
}
