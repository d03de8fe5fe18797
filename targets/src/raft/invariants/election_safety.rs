//! Election safety: at most one leader is elected in a term (paper, 5.2). And what makes it so:
//! a node gives at most one vote in a term, over all its lives.

use super::super::{Message, Term};
use super::Step;
use crate::node::NodeId;
use std::collections::BTreeMap;

/// Who led, and who voted for whom.
#[derive(Debug, Default)]
pub(super) struct Votes {
    leaders: BTreeMap<Term, NodeId>,
    given: BTreeMap<(Term, NodeId), NodeId>,
    /// Two votes of one node in one term.
    double: Option<String>,
}

impl Votes {
    /// A message comes to `to`. A vote counts when it arrives: before, a loss of power can take
    /// it back together with the voter's memory of it.
    pub(super) fn receive(&mut self, from: NodeId, to: NodeId, message: &Message) {
        match message {
            Message::VoteReply(vote) if vote.granted => self.give(from, vote.term, to),
            Message::Vote(ballot) => self.give(from, ballot.term, from),
            _ => {}
        }
    }

    pub(super) fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if let Some(double) = self.double.take() {
            return Err(double);
        }
        if step.node.is_leader() {
            let term = step.node.term();
            let first = *self.leaders.entry(term).or_insert(step.id);
            if first != step.id {
                return Err(format!("{first} and {} both lead in term {term}", step.id));
            }
        }
        Ok(())
    }

    fn give(&mut self, voter: NodeId, term: Term, candidate: NodeId) {
        let first = *self.given.entry((term, voter)).or_insert(candidate);
        if first != candidate {
            let detail = format!("{voter} voted for {first} and for {candidate} in term {term}");
            self.double.get_or_insert(detail);
        }
    }
}
