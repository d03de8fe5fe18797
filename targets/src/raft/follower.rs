//! Replication, the follower's side (paper 5.3 and section 7).
//!
//! A follower takes entries only behind a place where its log equals the leader's, which by
//! induction makes the logs equal up to there (log matching). It drops its own entries only
//! where they really conflict: a late or repeated message must not cut off what came after it.

use super::RaftKv;
use super::log::{Index, Log, Term};
use super::machine::Snapshot;
use super::message::{Append, AppendReply, Appended, Message};
use crate::node::{Cx, NodeId};

impl RaftKv {
    pub(super) fn on_append(&mut self, from: NodeId, append: Append, cx: &mut Cx<'_, RaftKv>) {
        let round = append.round;
        let outcome = if append.term < self.term {
            Appended::Late
        } else {
            self.follow(append.term, from, cx);
            self.take(append, cx)
        };
        let reply = AppendReply { term: self.term, round, outcome };
        self.send(from, Message::AppendReply(reply), cx);
    }

    fn take(&mut self, mut append: Append, cx: &mut Cx<'_, RaftKv>) -> Appended {
        let matched = append.prev.plus(append.entries.len());
        let base = self.log.base();
        if matched <= base {
            return Appended::Accepted { matched };
        }
        if append.prev < base {
            // What is compacted is committed, and so equal.
            append.entries.drain(..(base.0 - append.prev.0) as usize);
            (append.prev, append.prev_term) = (base, self.log.base_term());
        }
        let here = self.log.term_at(append.prev);
        if here != Some(append.prev_term) {
            let first = here.map_or(self.log.last().next(), |term| self.log.first_of_term(term));
            return Appended::Rejected { prev: append.prev, term: here, first };
        }
        let mut index = append.prev;
        for entry in append.entries {
            index = index.next();
            let here = self.log.term_at(index);
            if here == Some(entry.term) {
                continue;
            }
            if here.is_some() {
                self.truncate(index);
            }
            self.append(entry, cx);
        }
        self.commit_to(append.commit.min(matched), cx);
        Appended::Accepted { matched }
    }

    /// Drops the entries from `from` on. Requests that are pending there stay so: another leader
    /// may yet have them.
    fn truncate(&mut self, from: Index) {
        debug_assert!(
            from > self.commit || !self.config.bugs.is_empty(),
            "what is committed stays (paper, 5.4)"
        );
        self.log.truncate(from);
    }

    /// Takes over the leader's state, unless its own is as far.
    pub(super) fn on_install(
        &mut self,
        from: NodeId,
        term: Term,
        round: u64,
        snapshot: &Snapshot,
        cx: &mut Cx<'_, RaftKv>,
    ) {
        let outcome = if term < self.term {
            Appended::Late
        } else {
            self.follow(term, from, cx);
            if snapshot.index > self.applied {
                self.restore(snapshot, cx);
            }
            Appended::Accepted { matched: snapshot.index }
        };
        let reply = AppendReply { term: self.term, round, outcome };
        self.send(from, Message::AppendReply(reply), cx);
    }

    fn restore(&mut self, snapshot: &Snapshot, cx: &mut Cx<'_, RaftKv>) {
        if self.log.term_at(snapshot.index) == Some(snapshot.term) {
            self.log.compact(snapshot.index);
        } else {
            self.log = Log::new(snapshot.index, snapshot.term);
        }
        self.machine = snapshot.machine.clone();
        self.forget_past();
        self.applied = snapshot.index;
        self.commit = self.commit.max(snapshot.index);
        self.rewrite(cx);
        self.settle_restored(cx);
    }
}
