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
