//! Elections (paper 5.2 and 5.4.1).
//!
//! A node that hears no leader for the shortest election timeout forgets it, waits a random
//! time more, and then asks all whether they would elect it (pre-vote, thesis 9.6). Only with a
//! majority's yes does it raise its term and stand. A node that still hears a leader says no, so
//! that a node coming back from a partition does not depose a leader that works (thesis 4.2.3).
//! The other way round, a leader that has not heard from a majority for the longest election
//! timeout resigns (thesis 6.2): its clients need not wait for a partition to end.
//!
//! A vote is on disk before it is given: two votes in one term could elect two leaders.

use super::log::Term;
use super::message::{Ballot, Message, Timer, Vote};
use super::replication::Lead;
use super::{RaftKv, Role};
use crate::bugs::Bug;
use crate::node::{Cx, NodeId};
use rand::RngExt;
use std::collections::BTreeSet;
use std::mem;

impl RaftKv {
    /// Waits for a leader for the shortest election timeout.
    pub(super) fn await_leader(&mut self, cx: &mut Cx<'_, RaftKv>) {
        cx.cancel_timer(Timer::Campaign);
        cx.set_timer(Timer::Silence, self.options.election_timeout);
    }

    /// No leader for the shortest timeout: wait a random part of it more.
    pub(super) fn on_silence(&mut self, cx: &mut Cx<'_, RaftKv>) {
        if self.is_leader() {
            return;
        }
        self.leader = None;
        let rest = cx.rng().random_range(0.0..1.0);
        cx.set_timer(Timer::Campaign, self.options.election_timeout.mul_f64(rest));
    }

    /// Asks whether it would be elected in the next term.
    pub(super) fn campaign(&mut self, cx: &mut Cx<'_, RaftKv>) {
        if self.is_leader() {
            return;
        }
        self.leader = None;
        self.role = Role::PreCandidate(BTreeSet::from([self.config.id]));
        self.call(Message::PreVote, self.term.next(), cx);
        self.count_votes(cx);
    }

    /// A majority would elect it: it raises its term, votes for itself and stands.
    fn stand(&mut self, cx: &mut Cx<'_, RaftKv>) {
        self.set_ballot(self.term.next(), Some(self.config.id), cx);
        self.role = Role::Candidate(BTreeSet::from([self.config.id]));
        self.call(Message::Vote, self.term, cx);
        self.count_votes(cx);
    }

    /// Calls for votes; tries again after a random timeout if it comes to nothing.
    fn call(&mut self, message: fn(Ballot) -> Message, term: Term, cx: &mut Cx<'_, RaftKv>) {
        let ballot = Ballot { term, last: self.log.last(), last_term: self.log.last_term() };
        for peer in self.peers() {
            self.send(peer, message(ballot), cx);
        }
        let patience = cx.rng().random_range(1.0..2.0);
        cx.set_timer(Timer::Campaign, self.options.election_timeout.mul_f64(patience));
    }

    pub(super) fn on_pre_vote(&mut self, from: NodeId, ballot: Ballot, cx: &mut Cx<'_, RaftKv>) {
        let granted = ballot.term > self.term && self.leader.is_none() && self.would_elect(ballot);
        let term = if granted { ballot.term } else { self.term };
        self.send(from, Message::PreVoteReply(Vote { term, granted }), cx);
    }

    pub(super) fn on_pre_vote_reply(&mut self, from: NodeId, vote: Vote, cx: &mut Cx<'_, RaftKv>) {
        if !vote.granted {
            self.catch_up(vote.term, cx);
        } else if let Role::PreCandidate(votes) = &mut self.role
            && vote.term == self.term.next()
        {
            votes.insert(from);
            self.count_votes(cx);
        }
    }

    pub(super) fn on_vote(&mut self, from: NodeId, ballot: Ballot, cx: &mut Cx<'_, RaftKv>) {
        self.catch_up(ballot.term, cx);
        let free = self.vote.is_none_or(|vote| vote == from);
        let granted = ballot.term == self.term && free && self.would_elect(ballot);
        if granted {
            self.retire(cx);
            if self.vote.is_none() {
                self.set_ballot(self.term, Some(from), cx);
            }
            self.await_leader(cx);
        }
        self.send(from, Message::VoteReply(Vote { term: self.term, granted }), cx);
    }

    pub(super) fn on_vote_reply(&mut self, from: NodeId, vote: Vote, cx: &mut Cx<'_, RaftKv>) {
        self.catch_up(vote.term, cx);
        if let Role::Candidate(votes) = &mut self.role
            && vote.granted
            && vote.term == self.term
        {
            votes.insert(from);
            self.count_votes(cx);
        }
    }

    /// Whether the candidate's log has all that may be committed, as far as this node can tell
    /// (paper, 5.4.1).
    fn would_elect(&self, ballot: Ballot) -> bool {
        self.log.is_covered_by(ballot.last_term, ballot.last) || self.config.has(Bug::NoLogCheck)
    }

    fn count_votes(&mut self, cx: &mut Cx<'_, RaftKv>) {
        let quorum = self.quorum();
        match &self.role {
            Role::PreCandidate(votes) if votes.len() >= quorum => self.stand(cx),
            Role::Candidate(votes) if votes.len() >= quorum => self.lead(cx),
            _ => {}
        }
    }

    fn lead(&mut self, cx: &mut Cx<'_, RaftKv>) {
        cx.cancel_timer(Timer::Silence);
        cx.cancel_timer(Timer::Campaign);
        self.leader = Some(self.config.id);
        self.role = Role::Leader(Lead::new(self.config.peers(), self.log.last()));
        self.begin_term(cx);
        self.on_heartbeat(cx);
        cx.set_timer(Timer::CheckQuorum, self.options.election_timeout * 2);
    }

    /// The leader counts who answered since the last time, and resigns without a majority.
    pub(super) fn on_check_quorum(&mut self, cx: &mut Cx<'_, RaftKv>) {
        let quorum = self.quorum();
        let Role::Leader(lead) = &mut self.role else { return };
        let certain = lead.take_heard() + 1 >= quorum;
        // Who never doubts that it leads does not resign either.
        if certain || self.config.has(Bug::StaleRead) {
            cx.set_timer(Timer::CheckQuorum, self.options.election_timeout * 2);
        } else {
            self.retire(cx);
        }
    }

    /// Goes on as a follower in `term` if that is later than its own.
    pub(super) fn catch_up(&mut self, term: Term, cx: &mut Cx<'_, RaftKv>) {
        if term > self.term {
            let kept = if self.config.has(Bug::KeepVote) { self.vote } else { None };
            self.set_ballot(term, kept, cx);
            self.retire(cx);
        }
    }

    /// Goes on as a follower that knows no leader. Its pending entries stay pending.
    fn retire(&mut self, cx: &mut Cx<'_, RaftKv>) {
        self.leader = None;
        match mem::replace(&mut self.role, Role::Follower) {
            Role::Follower => {}
            Role::PreCandidate(_) | Role::Candidate(_) => self.await_leader(cx),
            Role::Leader(lead) => {
                cx.cancel_timer(Timer::Heartbeat);
                cx.cancel_timer(Timer::CheckQuorum);
                self.await_leader(cx);
                self.drop_reads(lead, cx);
            }
        }
    }

    /// Follows the leader of `term`, whose message has just come.
    pub(super) fn follow(&mut self, term: Term, leader: NodeId, cx: &mut Cx<'_, RaftKv>) {
        self.catch_up(term, cx);
        if self.leader == Some(leader) {
            return cx.set_timer(Timer::Silence, self.options.election_timeout);
        }
        debug_assert!(
            !self.is_leader() || !self.config.bugs.is_empty(),
            "one leader a term (paper, 5.2)"
        );
        self.retire(cx);
        self.leader = Some(leader);
        self.await_leader(cx);
    }

    fn set_ballot(&mut self, term: Term, vote: Option<NodeId>, cx: &mut Cx<'_, RaftKv>) {
        debug_assert!(term > self.term || self.vote.is_none(), "one vote a term");
        (self.term, self.vote) = (term, vote);
        self.persist(self.ballot(), cx);
    }
}
