//! Clients' requests and their fate.
//!
//! The leader proposes writes and confirms reads; every other node forwards to the leader, and
//! the answer comes back the same way. A forward names the leader's term and is taken only in
//! that term, so that a copy of it which arrives late cannot be appended after its fate was
//! told. A lost forward is never answered: the client's patience ends it.
//!
//! Once appended, the fate of a request is decided when *some* entry is committed at its place:
//! its own entry, then it is answered from the state machine; another, then it certainly never
//! happens. A leader that resigns or is deposed keeps following its pending requests as a
//! follower. Where a snapshot jumps over the place, the session table may still know the answer.

use super::command::{Command, Request, Response};
use super::log::{Entry, Index, Term};
use super::machine::Rules;
use super::message::{Message, Tag};
use super::{MAX_PENDING, RaftKv};
use crate::api::kv;
use crate::bugs::Bug;
use crate::node::{Cx, NodeId, RequestId};
use std::sync::Arc;

/// Who waits for an answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// A client of this node.
    Client(RequestId),
    /// A client of a peer.
    Peer(NodeId, Tag),
}

/// A request in the log.
#[derive(Debug)]
pub(super) struct Pending {
    origin: Origin,
    /// The entry that it became.
    entry: Arc<Entry>,
}

impl RaftKv {
    /// A client of this node asks.
    pub(super) fn serve(&mut self, id: RequestId, request: Request, cx: &mut Cx<'_, RaftKv>) {
        match request {
            Request::Kv(request) => self.request(Origin::Client(id), Command::Kv(request), cx),
            Request::Txn(request) => self.transact(id, request, cx),
        }
    }

    /// Does what the leader is for, or has it done by the leader.
    pub(super) fn request(&mut self, origin: Origin, command: Command, cx: &mut Cx<'_, RaftKv>) {
        if command.key_read().is_some() && self.config.has(Bug::FollowerRead) {
            self.read_now(origin, &command, cx);
        } else if !self.is_leader() {
            self.forward(origin, command, cx);
        } else if command.only_reads() {
            self.read(origin, command, cx);
        } else {
            self.propose(origin, command, cx);
        }
    }

    fn propose(&mut self, origin: Origin, command: Command, cx: &mut Cx<'_, RaftKv>) {
        if self.pending.len() >= MAX_PENDING {
            return self.answer(origin, command.refused("too many requests are pending"), cx);
        }
        let writes = |command: &Command| match command {
            Command::Kv(request) => matches!(request.op, kv::Op::Write { .. }),
            Command::Txn(_) => false,
        };
        let early = self.config.has(Bug::AckBeforeCommit) && writes(&command);
        let entry = Arc::new(Entry { term: self.term, request: Some(command) });
        let index = self.append(Arc::clone(&entry), cx);
        if early {
            self.answer(origin, Response::Kv(kv::Response::Done), cx);
        } else {
            self.pending.insert((index, self.term), Pending { origin, entry });
        }
        self.replicate(cx);
    }

    fn forward(&mut self, origin: Origin, command: Command, cx: &mut Cx<'_, RaftKv>) {
        let (Origin::Client(id), Some(leader)) = (origin, self.leader) else {
            return self.answer(origin, command.refused("no leader"), cx);
        };
        if self.forwarded.len() >= MAX_PENDING {
            // The oldest has waited longest, and most likely in vain.
            self.forwarded.pop_first();
        }
        self.forwarded.insert(id.0);
        let tag = Tag { boot: self.boots, request: id.0 };
        self.send(leader, Message::Forward { term: self.term, tag, command }, cx);
    }

    pub(super) fn on_forward(
        &mut self,
        origin: Origin,
        term: Term,
        command: Command,
        cx: &mut Cx<'_, RaftKv>,
    ) {
        if self.is_leader() && term == self.term {
            return self.request(origin, command, cx);
        }
        // An earlier copy of this message may have been appended; a read has no effect anyway.
        let response = if command.only_reads() {
            command.refused("not the leader")
        } else {
            command.unknown("not the leader")
        };
        self.answer(origin, response, cx);
    }

    pub(super) fn on_answer(&mut self, tag: Tag, response: Response, cx: &mut Cx<'_, RaftKv>) {
        if tag.boot == self.boots && self.forwarded.remove(&tag.request) {
            self.answer(Origin::Client(RequestId(tag.request)), response, cx);
        }
    }

    pub(super) fn answer(&mut self, origin: Origin, response: Response, cx: &mut Cx<'_, RaftKv>) {
        match origin {
            Origin::Client(id) => {
                let Some(response) = self.understand(id, response, cx) else { return };
                self.sync(cx);
                cx.reply(id, response);
            }
            Origin::Peer(peer, tag) => self.send(peer, Message::Answer { tag, response }, cx),
        }
    }

    /// The log is committed up to `index`: applies it and answers whose fate is now known.
    pub(super) fn commit_to(&mut self, index: Index, cx: &mut Cx<'_, RaftKv>) {
        self.commit = self.commit.max(index.min(self.log.last()));
        while self.applied < self.commit {
            let index = self.applied.next();
            let Some(entry) = self.log.get(index).cloned() else { break };
            let response = self.apply(&entry, index);
            self.applied = index;
            self.settle(index, &entry, response, cx);
        }
        self.begin_waiting(cx);
        self.compact_if_due(cx);
    }

    /// Applies an entry; returns the answer to its command if it has one.
    fn apply(&mut self, entry: &Entry, index: Index) -> Option<Response> {
        let rules = Rules::of(&self.config, self.options.sessions);
        let past = &mut self.txns.past;
        if let Some(command) = &entry.request {
            return Some(self.machine.apply(command, index, rules, past));
        }
        self.machine.catch_up(index, past);
        None
    }

    /// Answers the requests that were appended at `index`, where `entry` is committed now.
    fn settle(
        &mut self,
        index: Index,
        entry: &Entry,
        mut response: Option<Response>,
        cx: &mut Cx<'_, RaftKv>,
    ) {
        while let Some(first) = self.pending.first_entry() {
            let (at, term) = *first.key();
            if at > index {
                break;
            }
            let Pending { origin, entry: own } = first.remove();
            let response = match response.take_if(|_| (at, term) == (index, entry.term)) {
                Some(response) => response,
                None => own.refused("another leader's entry was committed in its place"),
            };
            self.answer(origin, response, cx);
        }
    }

    /// A snapshot has jumped over places of pending requests.
    pub(super) fn settle_restored(&mut self, cx: &mut Cx<'_, RaftKv>) {
        let open = self.pending.split_off(&(self.applied.next(), Term(0)));
        for Pending { origin, entry } in std::mem::replace(&mut self.pending, open).into_values() {
            let Some(command) = &entry.request else { continue };
            let answered = self.machine.answered(command).cloned();
            let response = answered.unwrap_or_else(|| command.unknown("lost the leadership"));
            self.answer(origin, response, cx);
        }
        self.begin_waiting(cx);
    }
}
