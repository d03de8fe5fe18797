//! Election safety: at most one leader is elected in a term (paper, 5.2). And what makes it so:
//! a node gives at most one vote in a term, over all its lives.

use super::super::{Message, Term};
use super::Step;
use crate::node::{Effect, NodeId};
use std::collections::BTreeMap;

/// Who led, and who voted for whom.
#[derive(Debug, Default)]
pub(super) struct Votes {
    leaders: BTreeMap<Term, NodeId>,
    given: BTreeMap<(Term, NodeId), NodeId>,
}

impl Votes {
    pub(super) fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        for effect in step.effects {
            let Effect::Send { to, message } = effect else { continue };
            let vote = match message {
                Message::VoteReply(vote) if vote.granted => (vote.term, *to),
                Message::Vote(ballot) => (ballot.term, step.id),
                _ => continue,
            };
            self.give(step.id, vote.0, vote.1)?;
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

    fn give(&mut self, voter: NodeId, term: Term, candidate: NodeId) -> Result<(), String> {
        let first = *self.given.entry((term, voter)).or_insert(candidate);
        if first == candidate {
            return Ok(());
        }
        Err(format!("{voter} voted for {first} and for {candidate} in term {term}"))
    }
}
