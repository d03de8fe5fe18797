//! Messages and nodes in a few words.

use quorate_targets::api::kv::{self, Op};
use quorate_targets::api::txn::{self, MicroOp};
use quorate_targets::node::Node;
use quorate_targets::raft::{
    Appended, Ballot, Command, Entry, Index, Message, RaftKv, Response, Transact, Vote, Work, Write,
};
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
        Message::Forward { term, command: what, .. } => {
            format!("forward {}, term {term}", command(what))
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
        Some(request) => format!("{index}@{}({})", entry.term, command(request)),
    }
}

fn command(command: &Command) -> String {
    match command {
        Command::Kv(request) => op(&request.op),
        Command::Txn(Transact { work: Work::Whole { ops }, .. }) => list(ops, micro_op),
        Command::Txn(Transact { work: Work::Place, .. }) => "place?".to_owned(),
        Command::Txn(Transact {
            work: Work::Commit { unchanged, unchanged_below, writes },
            ..
        }) => {
            let mut text = list(writes, |write| match write {
                Write::Set(key, value) => format!("{key}={value}"),
                Write::Append(key, value) => format!("{key}+={value}"),
            });
            for (key, at) in unchanged.iter().chain(unchanged_below) {
                let _ = write!(text, ", {key} unchanged since {at}");
            }
            text
        }
    }
}

fn list<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join("; ")
}

fn micro_op(MicroOp(kind, key, value): &MicroOp) -> String {
    format!("{} {key} {value}", format!("{kind:?}").to_lowercase())
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
        Response::Kv(kv::Response::Value { value }) => value.to_string(),
        Response::Kv(kv::Response::Done) => "done".to_owned(),
        Response::Kv(kv::Response::Mismatch { seen }) => format!("mismatch, seen {seen}"),
        Response::Kv(kv::Response::Error { definite, reason }) => {
            format!("{}: {reason}", if *definite { "fail" } else { "unknown" })
        }
        Response::Place { place } => format!("place {place}"),
        Response::Txn(response) => match response {
            txn::Response::Begun { txn } => format!("begun {}.{}", txn.boot, txn.number),
            txn::Response::Step { step } => micro_op(step),
            txn::Response::Committed { ops } if ops.is_empty() => "committed".to_owned(),
            txn::Response::Committed { ops } => format!("committed {}", list(ops, micro_op)),
            txn::Response::Aborted { reason } => format!("aborted: {reason}"),
            txn::Response::Gone { reason } => format!("gone: {reason}"),
            txn::Response::Refused { reason } => format!("refused: {reason}"),
            txn::Response::Unknown { reason } => format!("unknown: {reason}"),
        },
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
