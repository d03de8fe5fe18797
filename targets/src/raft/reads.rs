//! Linearizable reads without an entry in the log (thesis, 6.4: `ReadIndex`).
//!
//! A read must see every write that was acknowledged before it began. The leader's state has
//! them all, *if* it still leads. So it begins a *round* after the read has come, and when a
//! majority has answered to that round (or a later one), nobody else can have led before it, and
//! the state answers. All messages carry the round, so writes confirm reads as well. While a
//! round is open, reads gather for the next: however many there are, one round serves them.
//!
//! A fresh leader does not know yet what is committed, until its own first entry is
//! (`Lead::floor`). Followers forward their reads.

use super::command::{Command, Response};
use super::log::Index;
use super::replication::Lead;
use super::requests::Origin;
use super::{MAX_PENDING, RaftKv, Role};
use crate::bugs::Bug;
use crate::node::Cx;

/// A read that waits at the leader.
#[derive(Debug)]
pub(super) struct Read {
    origin: Origin,
    command: Command,
    /// The state must have this entry in it.
    index: Index,
    /// This round must be confirmed.
    round: u64,
}

impl RaftKv {
    /// Takes a read at the leader, of a key or of the place that all is committed to.
    pub(super) fn read(&mut self, origin: Origin, command: Command, cx: &mut Cx<'_, RaftKv>) {
        if self.config.has(Bug::StaleRead) {
            return self.read_now(origin, &command, cx);
        }
        let confirmed = self.confirmed();
        let Role::Leader(lead) = &mut self.role else { return };
        if lead.reads.len() >= MAX_PENDING {
            return self.answer(origin, command.refused("too many reads are waiting"), cx);
        }
        let index = self.commit.max(lead.floor);
        lead.reads.push_back(Read { origin, command, index, round: lead.round + 1 });
        if confirmed == lead.round {
            self.begin_round(cx);
        }
        self.answer_reads(cx);
    }

    /// Answers from this node's state.
    pub(super) fn read_now(&mut self, origin: Origin, command: &Command, cx: &mut Cx<'_, RaftKv>) {
        let response = match command.key_read() {
            Some(key) => self.machine.read(key),
            None => Response::Place { place: self.applied },
        };
        self.answer(origin, response, cx);
    }

    /// Asks all whether this node still leads.
    pub(super) fn begin_round(&mut self, cx: &mut Cx<'_, RaftKv>) {
        if let Role::Leader(lead) = &mut self.role {
            lead.round += 1;
        }
        for peer in self.peers() {
            self.heartbeat(peer, cx);
        }
    }

    /// After an answer of a follower: serves reads, and begins the next round if some wait for it.
    pub(super) fn confirm_reads(&mut self, cx: &mut Cx<'_, RaftKv>) {
        self.answer_reads(cx);
        let confirmed = self.confirmed();
        let Role::Leader(lead) = &self.role else { return };
        if confirmed == lead.round && lead.reads.back().is_some_and(|read| read.round > confirmed) {
            self.begin_round(cx);
        }
    }

    /// Answers the reads whose round is confirmed and whose place is applied.
    pub(super) fn answer_reads(&mut self, cx: &mut Cx<'_, RaftKv>) {
        let (confirmed, applied) = (self.confirmed(), self.applied);
        loop {
            let Role::Leader(lead) = &mut self.role else { return };
            let ready = |read: &Read| read.round <= confirmed && read.index <= applied;
            if !lead.reads.front().is_some_and(ready) {
                return;
            }
            let Some(read) = lead.reads.pop_front() else { return };
            self.read_now(read.origin, &read.command, cx);
        }
    }

    /// A deposed leader's reads are refused: it cannot vouch for its state any more.
    pub(super) fn drop_reads(&mut self, lead: Lead, cx: &mut Cx<'_, RaftKv>) {
        for read in lead.reads {
            self.answer(read.origin, read.command.refused("lost the leadership"), cx);
        }
    }

    /// The latest round that a majority has answered.
    fn confirmed(&self) -> u64 {
        let Role::Leader(lead) = &self.role else { return 0 };
        let mut rounds: Vec<u64> = lead.peers.values().map(|progress| progress.round).collect();
        rounds.push(lead.round);
        rounds.sort_unstable_by(|a, b| b.cmp(a));
        rounds[self.quorum() - 1]
    }
}
