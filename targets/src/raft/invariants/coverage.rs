//! How often the interesting was seen.

use super::super::{Appended, Message, RaftKv, Record};
use super::Step;
use super::commitment::Commitment;
use crate::node::{Effect, Input};
use crate::sim::Sometimes;

/// What should be reached in a good hunt.
pub(super) const STATES: &[&str] = &[
    "a leader was elected",
    "a leader was deposed with uncommitted entries",
    "a leader resigned for want of a majority",
    "a vote was denied by the log check",
    "a pre-vote was denied because a leader is heard",
    "entries were overwritten",
    "a follower rejected entries that do not fit",
    "a snapshot was taken",
    "a snapshot was installed",
    "a late message of an earlier term came",
];

pub(super) fn count_input(node: &RaftKv, input: &Input<RaftKv>, seen: &mut Sometimes) {
    let Input::Message { message: Message::Append(append), .. } = input else { return };
    if append.term < node.term() {
        seen.saw("a late message of an earlier term came");
    }
}

pub(super) fn count(step: &Step<'_>, committed: &Commitment, seen: &mut Sometimes) {
    let (node, before) = (step.node, &step.before);
    if step.elected() {
        seen.saw("a leader was elected");
    }
    if before.leads && !node.is_leader() {
        if before.last > committed.last() {
            seen.saw("a leader was deposed with uncommitted entries");
        }
        if before.term == node.term() {
            seen.saw("a leader resigned for want of a majority");
        }
    }
    if step.appended().any(|(index, _)| index <= before.last) {
        seen.saw("entries were overwritten");
    }
    for effect in step.effects {
        count_effect(step, effect, seen);
    }
}

fn count_effect(step: &Step<'_>, effect: &Effect<RaftKv>, seen: &mut Sometimes) {
    match effect {
        Effect::Send { message: Message::VoteReply(vote), .. }
            if !vote.granted && vote.term > step.before.term =>
        {
            seen.saw("a vote was denied by the log check");
        }
        Effect::Send { message: Message::PreVoteReply(vote), .. }
            if !vote.granted && step.before.knows_leader =>
        {
            seen.saw("a pre-vote was denied because a leader is heard");
        }
        Effect::Send { message: Message::AppendReply(reply), .. }
            if matches!(reply.outcome, Appended::Rejected { .. }) =>
        {
            seen.saw("a follower rejected entries that do not fit");
        }
        Effect::Rewrite(records) if is_installed(step, records) => {
            seen.saw("a snapshot was installed");
        }
        Effect::Rewrite(_) => seen.saw("a snapshot was taken"),
        _ => {}
    }
}

/// Whether the journal was rewritten because the state of a leader came.
fn is_installed(step: &Step<'_>, records: &[Record]) -> bool {
    match records.first() {
        Some(Record::Snapshot(snapshot)) => snapshot.index > step.before.last,
        _ => false,
    }
}
