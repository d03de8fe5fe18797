//! Messages and nodes in a few words.

use quorate_targets::api::kv::{Op, Response};
use quorate_targets::node::Node;
use quorate_targets::raft::{Appended, Ballot, Entry, Index, Message, RaftKv, Vote};
use std::fmt::Write as _;

pub(crate) fn message(message: &Message) -> String {
    match message {
        Message::PreVote(ballot) => format!("pre-vote {}", stand(ballot)),
        Message::PreVoteReply(vote) => format!("pre-vote-reply {}", say(vote)),
        Message::Vote(ballot) => format!("vote {}", stand(ballot)),
        Message::VoteReply(vote) => format!("vote-reply {}", say(vote)),
        Message::Append(append) => {
            let entries: Vec<String> = (append.prev.next().0..)
                .zip(&append.entries)
                .map(|(index, made)| entry(Index(index), made))
                .collect();
            let what = if entries.is_empty() { "nothing".into() } else { entries.join(" ") };
            format!(
                "append {what} behind {}@{}, commit {}, term {}, round {}",
                append.prev, append.prev_term, append.commit, append.term, append.round
            )
        }
        Message::AppendReply(reply) => {
            let outcome = match reply.outcome {
                Appended::Late => "late".to_owned(),
                Appended::Accepted { matched } => format!("accepted up to {matched}"),
                Appended::Rejected { prev, term: Some(term), first } => {
                    format!("rejected: {prev} is of term {term}, which begins at {first}")
                }
                Appended::Rejected { prev, term: None, first } => {
                    format!("rejected: no {prev}, the next is {first}")
                }
            };
            format!("append-reply {outcome}, term {}, round {}", reply.term, reply.round)
        }
        Message::Install { term, round, snapshot } => {
            format!("install the state up to {}, term {term}, round {round}", snapshot.index)
        }
        Message::Forward { term, request, .. } => {
            format!("forward {}, term {term}", op(&request.op))
        }
        Message::Answer { response: what, .. } => format!("answer {}", response(what)),
    }
}

fn stand(ballot: &Ballot) -> String {
    format!("for term {}, log ends {}@{}", ballot.term, ballot.last, ballot.last_term)
}

fn say(vote: &Vote) -> String {
    format!("{}, term {}", if vote.granted { "yes" } else { "no" }, vote.term)
}

fn entry(index: Index, entry: &Entry) -> String {
    match &entry.request {
        None => format!("{index}@{}", entry.term),
        Some(request) => format!("{index}@{}({})", entry.term, op(&request.op)),
    }
}

pub(crate) fn op(op: &Op) -> String {
    match op {
        Op::Read { key } => format!("read {key}"),
        Op::Write { key, value } => format!("{key}={value}"),
        Op::Cas { key, old, new } => format!("{key}:{old}->{new}"),
    }
}

pub(crate) fn response(response: &Response) -> String {
    match response {
        Response::Value { value } => value.to_string(),
        Response::Done => "done".to_owned(),
        Response::Mismatch { seen } => format!("mismatch, seen {seen}"),
        Response::Error { definite, reason } => {
            format!("{}: {reason}", if *definite { "fail" } else { "unknown" })
        }
    }
}

/// Role, term, log and state: `leader, term 1, log 1@1 2@1(k=1), commit 2, {k: 1}`.
pub(crate) fn node(node: &RaftKv) -> String {
    let status = node.status();
    let mut text = format!("{}, term {}", status.role, status.term);
    match status.leader {
        Some(leader) if !node.is_leader() => write!(text, " of {leader}"),
        _ => Ok(()),
    }
    .and_then(|()| write!(text, ", log"))
    .and_then(|()| match node.log().base() {
        Index(0) => Ok(()),
        base => write!(text, " ...{base}@{}", node.log().base_term()),
    })
    .and_then(|()| {
        node.log().iter().try_for_each(|(index, made)| write!(text, " {}", entry(index, made)))
    })
    .and_then(|()| write!(text, ", commit {}", node.commit()))
    .unwrap_or_default();
    let values: Vec<String> =
        node.machine().values().iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{text}, state {{{}}}", values.join(" "))
}
