//! The seeded bugs: named, switchable faults of the bundled databases, each with the anomaly
//! that it must cause. They test the harness: each must be caught.
//!
//! | target | bug | wrong is that | anomaly | in real systems |
//! |---|---|---|---|---|
//! | raft-kv | `stale-read` | the leader does not ask whether it still leads | stale read | Consul's default mode |
//! | raft-kv | `follower-read` | any node answers | stale read | read replicas |
//! | raft-kv | `ack-before-commit` | one log is enough for an answer | lost write | asynchronous replication |
//! | raft-kv | `ack-before-sync` | memory is enough for an answer | lost write, by power | `appendfsync everysec` |
//! | raft-kv | `forget-vote` | a restarted node votes again | two leaders in a term | |
//! | raft-kv | `minority-quorum` | two minorities decide at once | split brain | |
//! | raft-kv | `no-log-check` | who lacks entries may lead | lost write | |
//! | raft-kv | `double-apply` | a retry counts twice | a write comes back | databases without idempotent writes |
//! | raft-kv | `commit-prior-term` | entries are given out that may yet be overwritten | lost write | the paper's figure 8 |
//! | raft-kv | `lose-snapshot-tail` | a restart forgets | lost write, by restart | |
//! | raft-kv | `keep-vote` | a vote is given once and for all | elections nobody wins | |
//! | raft-kv | `dirty-read` | drafts of others are seen | G1a | |
//! | raft-kv | `dirty-write` | writes do not wait for their commit | G0 | stores without transactions |
//! | raft-kv | `read-skew` | each read sees another state | G-single-item | |
//! | raft-kv | `write-skew-under-serializable` | reads are not validated | G2-item | snapshot isolation sold as serializable |
//! | raft-kv | `lost-update` | writes are not validated | lost-update | |
//! | raft-kv | `fractured-read` | a commit takes effect in two parts | G-single-item | |
//! | raft-kv | `stale-snapshot` | a snapshot may be old | G-single-item-realtime | reads from replicas |
//! | raft-kv | `long-fork` | a node shows its own commits before others' | G-nonadjacent-item | parallel snapshot isolation |
//! | raft-kv | `internal-inconsistency` | own writes are not seen | internal | |
//! | raft-kv | `non-repeatable-read` | a second read sees another state | internal | |
//! | saga-orders | `no-idempotency` | a retry is done again | double charge | payment apis without keys |
//! | saga-orders | `lost-compensation` | a restart forgets refunds | cancelled and charged |  |
//! | saga-orders | `compensate-unknown` | a timeout counts as a no | money lost | timeouts read as failures |
//! | saga-orders | `ack-before-journal` | memory is enough for an answer | a confirmed order vanishes | asynchronous replication |
//! | saga-orders | `no-fencing` | two orchestrators | shipped and refunded | locks without tokens |
//! | saga-orders | `outbox-not-atomic` | state and event are two writes | an order hangs | dual writes |
//! | saga-orders | `oversell` | check, then act | negative stock | check-then-act without a lock |
//! | saga-orders | `stuck-saga` | a restart forgets to go on | an order hangs |  |
//! | saga-orders | `out-of-order-compensation` | an undone step is new again | cancelled and charged | keys kept beside the row |
//! | eventual | `drop-hints` | a stand-in keeps nothing | lost element | hints over their window |
//! | eventual | `no-read-repair-no-anti-entropy` | replicas stay apart | replicas that never agree | Cassandra without repair |
//! | eventual | `lww-drops-concurrent` | one of two writers loses | lost element | last-write-wins everywhere |
//! | eventual | `resurrect-deleted` | nothing tells deleted from new | a removed element comes back | `gc_grace_seconds` too short |
//! | eventual | `counter-double-merge` | a retry counts twice | a counter beyond its bounds | Cassandra's counters |
//! | eventual | `non-monotonic-session` | any replica will do | reads go back | reads from replicas |
//! | eventual | `clock-skew-lww` | a slow clock's write loses to an older one | own write not read | Cassandra with skewed clocks |

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
    /// A vote of an earlier term still binds: elections go on and nobody wins them.
    KeepVote,
    /// A transaction sees what others have written and not committed.
    DirtyRead,
    /// A transaction's writes take effect one by one, before its commit.
    DirtyWrite,
    /// Each read of a transaction sees the state of its own moment.
    ReadSkew,
    /// What a serializable transaction has read may have changed when it commits.
    WriteSkewUnderSerializable,
    /// What a transaction writes may have changed since it has read it.
    LostUpdate,
    /// Half of a transaction's writes take effect one entry late.
    FracturedRead,
    /// A transaction begins with what its node has, however old that is.
    StaleSnapshot,
    /// A node shows the commits of its own clients before the log has ordered them.
    LongFork,
    /// A transaction does not see its own writes.
    InternalInconsistency,
    /// What a transaction reads twice is read anew.
    NonRepeatableRead,
    /// Services have no idempotency keys.
    NoIdempotency,
    /// An orchestrator that begins to lead takes orders whose undoing was under way for undone.
    LostCompensation,
    /// A charge that is not answered in time counts as refused, and is not refunded.
    CompensateUnknown,
    /// The orchestrator answers and acts at once, and writes its log up to 300 ms later.
    AckBeforeJournal,
    /// Nobody compares fencing tokens.
    NoFencing,
    /// The event of a change is put into the outbox a moment after the change is on disk.
    OutboxNotAtomic,
    /// Stock is looked at, and taken a moment later without looking again.
    Oversell,
    /// An orchestrator that begins to lead does not go on with the orders under way.
    StuckSaga,
    /// A compensation deletes the key of its step.
    OutOfOrderCompensation,
    /// Hints are acknowledged and dropped.
    DropHints,
    /// Replicas are brought together neither by reads nor in the background.
    NoReadRepairNoAntiEntropy,
    /// Sets and counters are single values of which the last writer's stays.
    LwwDropsConcurrent,
    /// Tombstones are forgotten at once.
    ResurrectDeleted,
    /// An increment that is retried counts again.
    CounterDoubleMerge,
    /// Session tokens are ignored.
    NonMonotonicSession,
    /// Stamps are the plain clock's.
    ClockSkewLww,
}

/// What is known of a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The bug.
    pub bug: Bug,
    /// Its name on the command line.
    pub name: &'static str,
    /// Whose bug it is.
    pub target: &'static str,
    /// What is wrong, in one sentence.
    pub sentence: &'static str,
    /// The anomaly that clients see.
    pub anomaly: &'static str,
    /// What a run needs to show it, as arguments of `quorate run`; nothing where the defaults do.
    pub needs: &'static [&'static str],
}

/// All bugs.
pub const ALL: &[Entry] = &[
    Entry {
        bug: Bug::StaleRead,
        name: "stale-read",
        target: "raft-kv",
        sentence: "The leader answers reads from its own state without asking a majority whether \
                   it still leads, and does not resign when it hears from none.",
        anomaly: "stale-read",
        needs: &["--nemesis", "partition", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::FollowerRead,
        name: "follower-read",
        target: "raft-kv",
        sentence: "Any node answers reads from its own state, however old that is.",
        anomaly: "stale-read",
        needs: &[],
    },
    Entry {
        bug: Bug::AckBeforeCommit,
        name: "ack-before-commit",
        target: "raft-kv",
        sentence: "The leader answers a write as soon as its own log has it.",
        anomaly: "lost write, seen as stale-read or lost-update",
        needs: &["--nemesis", "partition,pause", "--nemesis-interval", "500ms"],
    },
    Entry {
        bug: Bug::AckBeforeSync,
        name: "ack-before-sync",
        target: "raft-kv",
        sentence: "Entries and votes are acknowledged at once and synced up to 300 ms later.",
        anomaly: "lost write, seen as stale-read or lost-update",
        needs: &["--nemesis", "kill", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::ForgetVote,
        name: "forget-vote",
        target: "raft-kv",
        sentence: "The vote is not on disk: a node that restarts votes again in the same term.",
        anomaly: "split brain, seen as stale-read or lost-update",
        needs: &["--nemesis", "kill", "--nemesis-interval", "500ms"],
    },
    Entry {
        bug: Bug::MinorityQuorum,
        name: "minority-quorum",
        target: "raft-kv",
        sentence: "One vote too few is enough, for elections, commits and reads.",
        anomaly: "split brain, seen as stale-read or lost-update",
        needs: &["--nemesis", "partition", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::NoLogCheck,
        name: "no-log-check",
        target: "raft-kv",
        sentence: "Votes are given without comparing logs: a node that lacks committed entries \
                   may lead.",
        anomaly: "lost write, seen as stale-read or lost-update",
        needs: &["--nemesis", "partition,kill", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::DoubleApply,
        name: "double-apply",
        target: "raft-kv",
        sentence: "There is no session table: a request that the client repeats is applied again.",
        anomaly: "write applied twice, seen as aborted-read (a cas refused that took effect), \
                  stale-read or lost-update",
        needs: &["--nemesis", "partition,pause", "--nemesis-interval", "500ms"],
    },
    Entry {
        bug: Bug::CommitPriorTerm,
        name: "commit-prior-term",
        target: "raft-kv",
        sentence: "Entries of earlier terms count as committed once a majority has them (the \
                   paper's figure 8).",
        anomaly: "lost write, seen as stale-read or lost-update",
        needs: &["--nemesis", "partition,kill", "--nemesis-interval", "500ms"],
    },
    Entry {
        bug: Bug::LoseSnapshotTail,
        name: "lose-snapshot-tail",
        target: "raft-kv",
        sentence: "A node that restarts takes its snapshot for all there is and loses the log \
                   behind it.",
        anomaly: "lost write, seen as stale-read or lost-update",
        needs: &["--nemesis", "kill", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::KeepVote,
        name: "keep-vote",
        target: "raft-kv",
        sentence: "A node does not take its vote back in a new term: whom it has voted for once \
                   is whom it can vote for.",
        anomaly: "livelock, seen as unavailable-after-heal",
        needs: &["--nemesis", "partition,kill", "--nemesis-interval", "500ms"],
    },
    Entry {
        bug: Bug::DirtyRead,
        name: "dirty-read",
        target: "raft-kv",
        sentence: "A read sees what other transactions of the node have written and not committed.",
        anomaly: "G1a",
        needs: &["--workload", "append", "--target-opt", "isolation=read-committed"],
    },
    Entry {
        bug: Bug::DirtyWrite,
        name: "dirty-write",
        target: "raft-kv",
        sentence: "Each write of a transaction goes into the log at once and does not wait for \
                   the commit.",
        anomaly: "G0",
        needs: &["--workload", "append", "--target-opt", "isolation=read-committed"],
    },
    Entry {
        bug: Bug::ReadSkew,
        name: "read-skew",
        target: "raft-kv",
        sentence: "Each read of a transaction sees the newest state and not that of its snapshot.",
        anomaly: "G-single-item",
        needs: &["--workload", "append", "--target-opt", "isolation=snapshot"],
    },
    Entry {
        bug: Bug::WriteSkewUnderSerializable,
        name: "write-skew-under-serializable",
        target: "raft-kv",
        sentence: "A serializable transaction commits though what it has read was changed since.",
        anomaly: "G2-item",
        needs: &["--workload", "append", "--target-opt", "isolation=serializable"],
    },
    Entry {
        bug: Bug::LostUpdate,
        name: "lost-update",
        target: "raft-kv",
        sentence: "A transaction commits though what it writes was changed since its snapshot.",
        anomaly: "lost-update",
        needs: &["--workload", "append", "--target-opt", "isolation=snapshot"],
    },
    Entry {
        bug: Bug::FracturedRead,
        name: "fractured-read",
        target: "raft-kv",
        sentence: "The second half of a transaction's writes takes effect one entry late.",
        anomaly: "G-single-item",
        needs: &["--workload", "append", "--target-opt", "isolation=snapshot"],
    },
    Entry {
        bug: Bug::StaleSnapshot,
        name: "stale-snapshot",
        target: "raft-kv",
        sentence: "A transaction begins with the state that its node has, without asking the \
                   leader whether there is a newer one.",
        anomaly: "G-single-item-realtime",
        needs: &["--workload", "append", "--target-opt", "isolation=snapshot"],
    },
    Entry {
        bug: Bug::LongFork,
        name: "long-fork",
        target: "raft-kv",
        sentence: "A node shows commits of its own clients before the log has ordered them among \
                   those of others.",
        anomaly: "G-nonadjacent-item",
        needs: &[
            "--workload",
            "long-fork",
            "--workload-opt",
            "group=4",
            "--target-opt",
            "isolation=snapshot",
        ],
    },
    Entry {
        bug: Bug::InternalInconsistency,
        name: "internal-inconsistency",
        target: "raft-kv",
        sentence: "A transaction does not see its own writes.",
        anomaly: "internal",
        needs: &["--workload", "append", "--target-opt", "isolation=snapshot"],
    },
    Entry {
        bug: Bug::NonRepeatableRead,
        name: "non-repeatable-read",
        target: "raft-kv",
        sentence: "A key that a transaction reads for the second time is read from the newest \
                   state and not from its snapshot.",
        anomaly: "internal",
        needs: &["--workload", "append", "--target-opt", "isolation=snapshot"],
    },
    Entry {
        bug: Bug::NoIdempotency,
        name: "no-idempotency",
        target: "saga-orders",
        sentence: "Services have no idempotency keys: a step that is asked for again is done again.",
        anomaly: "duplicate-effect: a customer is charged twice",
        needs: &["--nemesis", "partition,pause", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::LostCompensation,
        name: "lost-compensation",
        target: "saga-orders",
        sentence: "An orchestrator that begins to lead takes orders whose undoing was under way for undone.",
        anomaly: "leftover-effect: cancelled, and still charged",
        needs: &["--nemesis", "kill,pause", "--nemesis-interval", "500ms", "-c", "6n"],
    },
    Entry {
        bug: Bug::CompensateUnknown,
        name: "compensate-unknown",
        target: "saga-orders",
        sentence: "A charge that is not answered in time counts as refused, and is not refunded.",
        anomaly: "leftover-effect: refused, and charged",
        needs: &["--nemesis", "partition,pause", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::AckBeforeJournal,
        name: "ack-before-journal",
        target: "saga-orders",
        sentence: "The orchestrator answers and acts at once, and writes its log up to 300 ms later.",
        anomaly: "lost-order: a confirmed order is gone, or its charge has no order",
        needs: &["--nemesis", "kill", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::NoFencing,
        name: "no-fencing",
        target: "saga-orders",
        sentence: "A lease is not looked at again once it was granted, and nobody compares fencing tokens: an orchestrator that was paused goes on beside its successor.",
        anomaly: "went-back, lost-order or leftover-effect: two orchestrators drive one saga",
        needs: &["--nemesis", "pause", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::OutboxNotAtomic,
        name: "outbox-not-atomic",
        target: "saga-orders",
        sentence: "The event of a change is put into the outbox a moment after the change is on disk.",
        anomaly: "stuck-saga: nobody heard of a step that was done",
        needs: &[
            "--target-opt",
            "style=choreography",
            "--nemesis",
            "kill",
            "--nemesis-interval",
            "1s",
        ],
    },
    Entry {
        bug: Bug::Oversell,
        name: "oversell",
        target: "saga-orders",
        sentence: "Stock is looked at, and taken a moment later without looking again.",
        anomaly: "below-zero: more is sold than there is",
        needs: &["-c", "6n"],
    },
    Entry {
        bug: Bug::StuckSaga,
        name: "stuck-saga",
        target: "saga-orders",
        sentence: "An orchestrator that begins to lead does not go on with the orders under way.",
        anomaly: "stuck-saga: orders never end",
        needs: &["--nemesis", "kill,pause", "--nemesis-interval", "1s"],
    },
    Entry {
        bug: Bug::OutOfOrderCompensation,
        name: "out-of-order-compensation",
        target: "saga-orders",
        sentence: "A compensation deletes the key of its step: a copy of the step that comes later is done again.",
        anomaly: "duplicate-effect: charged again after the refund",
        needs: &[
            "--target-opt",
            "style=choreography",
            "--nemesis",
            "partition,pause",
            "--nemesis-interval",
            "1s",
        ],
    },
    Entry {
        bug: Bug::DropHints,
        name: "drop-hints",
        target: "eventual",
        sentence: "A node that stands in for another acknowledges what it is sent, and keeps \
                   nothing.",
        anomaly: "lost-element or missing-element: an acknowledged add is on no replica, or on too few",
        needs: &[
            "--workload",
            "set",
            "--target-opt",
            "replicas=2",
            "--target-opt",
            "write-quorum=1",
            "--nemesis",
            "partition",
            "--nemesis-interval",
            "2s",
        ],
    },
    Entry {
        bug: Bug::NoReadRepairNoAntiEntropy,
        name: "no-read-repair-no-anti-entropy",
        target: "eventual",
        sentence: "Replicas that differ are brought together neither by reads nor in the \
                   background.",
        anomaly: "missing-element and diverged: replicas never agree",
        needs: &["--workload", "set", "--nemesis", "partition,kill", "--nemesis-interval", "2s"],
    },
    Entry {
        bug: Bug::LwwDropsConcurrent,
        name: "lww-drops-concurrent",
        target: "eventual",
        sentence: "A set is one value with a timestamp: of two concurrent adds the later stays \
                   (this is what last-write-wins is).",
        anomaly: "lost-element: an add overwritten by one that did not see it",
        needs: &["--workload", "set"],
    },
    Entry {
        bug: Bug::ResurrectDeleted,
        name: "resurrect-deleted",
        target: "eventual",
        sentence: "Tombstones are forgotten at once: a replica that missed the delete brings the \
                   value back.",
        anomaly: "resurrected-element: one that was removed is there again",
        needs: &[
            "--workload",
            "set",
            "--workload-opt",
            "type=or-set",
            "--nemesis",
            "partition,kill",
            "--nemesis-interval",
            "2s",
        ],
    },
    Entry {
        bug: Bug::CounterDoubleMerge,
        name: "counter-double-merge",
        target: "eventual",
        sentence: "An increment that a client repeats is counted again.",
        anomaly: "counter-wrong or counter-out-of-bounds: not what was added",
        needs: &["--workload", "g-counter", "--nemesis", "partition", "--nemesis-interval", "2s"],
    },
    Entry {
        bug: Bug::NonMonotonicSession,
        name: "non-monotonic-session",
        target: "eventual",
        sentence: "Session tokens are ignored: a client is answered by any replica, however old \
                   its state is.",
        anomaly: "read-your-writes, monotonic-reads, monotonic-writes or writes-follow-reads \
                  broken, or only the four together (session-guarantees)",
        needs: &[
            "--workload",
            "session",
            "--target-opt",
            "read-quorum=1",
            "--target-opt",
            "write-quorum=1",
            "--nemesis",
            "partition",
            "--nemesis-interval",
            "1s",
        ],
    },
    Entry {
        bug: Bug::ClockSkewLww,
        name: "clock-skew-lww",
        target: "eventual",
        sentence: "Writes are stamped by the node's plain clock: one with a slow clock loses to an \
                   older write, and is acknowledged.",
        anomaly: "read-your-writes or monotonic-writes broken: an older write hides the client's own",
        needs: &["--workload", "session", "--nemesis", "clock", "--nemesis-interval", "2s"],
    },
];

/// The bug called `name`.
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// The bugs of a target.
pub fn of(target: &str) -> impl Iterator<Item = &'static Entry> + use<'_> {
    ALL.iter().filter(move |entry| entry.target == target)
}

impl Bug {
    /// What is known of it.
    pub fn entry(self) -> &'static Entry {
        // The table is in the order of the enumeration, which a test holds it to.
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
    fn the_table_is_complete() {
        for (place, entry) in ALL.iter().enumerate() {
            assert_eq!(entry.bug as usize, place, "{} is out of order", entry.name);
            assert_eq!(entry.bug.entry(), entry);
            assert_eq!(find(entry.name), Some(entry));
            let json = serde_json::to_string(&entry.bug).unwrap();
            assert_eq!(json, format!("\"{}\"", entry.name), "one name for plans and people");
            assert!(entry.sentence.ends_with('.') && !entry.anomaly.is_empty());
        }
        assert_eq!(of("raft-kv").count(), 21);
        assert_eq!(of("saga-orders").count(), 9);
        assert_eq!(of("eventual").count(), 7);
        assert_eq!(find("no-such-bug"), None);
    }
}
