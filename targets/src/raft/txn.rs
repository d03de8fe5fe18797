//! Transactions, at five levels of isolation, over one log and without a lock.
//!
//! **Whole.** A transaction that a client sends whole is one entry of the log: it reads and
//! writes at its place, and is strictly serializable. Below that level the node begins an
//! *interactive* transaction instead, in which other transactions come between the operations.
//!
//! **Where an interactive one lives.** At the node that its client asks, in memory
//! ([`coordinator`]). Its writes are a private draft ([`draft`]); its reads look at the state that
//! this node has applied, which is a prefix of the log, or at what that state was earlier
//! ([`Past`](super::store::Past)). Only its commit goes into the log: the writes, and the keys
//! that must not have changed since some place. Whether it commits is decided when the entry is
//! applied, by every node alike (backward validation: Kung & Robinson, *On Optimistic Methods
//! for Concurrency Control*, 1981). All its writes appear at this one place.
//!
//! So a change of leader means nothing to an open transaction. If its node dies it is gone, and
//! certainly has not happened unless its commit was under way. Nothing is ever locked: a client
//! that vanishes leaves a draft that nobody waits for, and that is dropped when it has been idle
//! for `txn-timeout-ms`.
//!
//! | level | reads see | must be unchanged at the commit | allows |
//! |---|---|---|---|
//! | `read-uncommitted` | what is applied here, and drafts of others here | what was appended to and then read | G1a, G1b, G1c |
//! | `read-committed` | what is applied here | the same | G-single, lost-update |
//! | `snapshot` | the state at a place that no earlier answer is behind | what is written, since that place | G2-item |
//! | `serializable` | the state applied here at the beginning | what is read or written, since then | the -realtime forms |
//! | `strict-serializable` | as `snapshot` | as `serializable` | nothing |
//!
//! (Berenson et al., *A Critique of ANSI SQL Isolation Levels*, 1995; Adya, *Weak Consistency*,
//! 1999.) `snapshot` is the strong kind: to begin, the node asks the leader how far all is
//! committed, which the leader confirms as it does for reads ([`reads`](super::reads)), and waits
//! until it has applied that. A transaction that only reads needs no entry at its end: it took
//! place where it looked. An appended list that is read again has the draft at its end; that
//! would name a wrong order if another appended meanwhile, so it is among what must not change.
//!
//! **What a client is told.** `aborted` only where the log says so, or where the commit was never
//! asked for; see [`txn`](crate::api::txn) for the others.
//!
//! The seeded bugs are single conditions where each would be made by mistake.

mod coordinator;
mod draft;
mod open;

pub(super) use coordinator::Txns;
pub(super) use draft::{Draft, Sight};

/// How much of each other concurrent transactions see: the option `isolation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    /// Drafts of others are seen.
    ReadUncommitted,
    /// Each read sees what is committed then.
    ReadCommitted,
    /// All reads see one state; of two that write the same key, one aborts.
    Snapshot,
    /// As if one after the other.
    Serializable,
    /// As if one after the other, in an order that agrees with time.
    StrictSerializable,
}

impl Isolation {
    /// All levels with their names on the command line, the default first.
    pub const ALL: [(&'static str, Isolation); 5] = [
        ("strict-serializable", Isolation::StrictSerializable),
        ("serializable", Isolation::Serializable),
        ("snapshot", Isolation::Snapshot),
        ("read-committed", Isolation::ReadCommitted),
        ("read-uncommitted", Isolation::ReadUncommitted),
    ];

    /// Their names.
    pub const NAMES: [&'static str; 5] = [
        Isolation::ALL[0].0,
        Isolation::ALL[1].0,
        Isolation::ALL[2].0,
        Isolation::ALL[3].0,
        Isolation::ALL[4].0,
    ];

    /// The level of that name.
    pub fn named(name: &str) -> Option<Isolation> {
        Isolation::ALL.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }

    /// Whether a transaction looks at one state from its beginning to its end.
    fn has_snapshot(self) -> bool {
        self >= Isolation::Snapshot
    }

    /// Whether that state must have all in it that was ever answered.
    fn is_fresh(self) -> bool {
        matches!(self, Isolation::Snapshot | Isolation::StrictSerializable)
    }
}
