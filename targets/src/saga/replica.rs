//! The saga log is at the other orchestrator before anything is done on account of it.
//!
//! While the registrar may grant the lease to the replica, whatever the leader says (to clients
//! and services) waits behind a *gate* until the replica has on disk what it depends on, and has
//! said so after. Such a word also proves that the replica did not lead yet, so that reads too
//! wait for one. A replica that stays silent is first struck off at the registrar; then the gate
//! is open, for nobody else may lead. A replica that has caught up is first waited for, and then
//! entered at the registrar again.

use super::book::{Book, Entry};
use super::message::{Ask, Log, Message, Tag, Timer, Token};
use super::orders::{Orders, Role};
use super::{SHIPPING, SagaOrders};
use crate::api::orders::Response;
use crate::bugs::Bug;
use crate::node::{Cx, NodeId, RequestId};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How often the leader shows that it is there, and sends again what was not acknowledged.
pub(super) const RESEND: Duration = Duration::from_millis(50);
/// After so many of them without an answer the replica is struck off.
const STRIKES_MAX: u32 = 6;
/// How late the seeded bug `ack-before-journal` syncs.
const LATE_SYNC: Duration = Duration::from_millis(300);
/// At most so many entries in one message.
const ENTRIES_MAX: usize = 512;

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A client of this node.
    Client(RequestId),
    /// A client of the other orchestrator.
    Peer(NodeId, Tag),
}

/// What a leader says.
#[derive(Clone, Debug)]
pub(super) enum Output {
    /// To a client.
    Reply(Origin, Response),
    /// To a peer.
    Send(NodeId, Message),
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Gate {
    /// Whether the registrar may grant the lease to the replica.
    closed: bool,
    /// How far the replica has the log, if it follows.
    follower: Option<u64>,
    /// The last place of the book that was sent to it, until it has that.
    sent_book: Option<u64>,
    /// The last word of the leader that the replica has answered.
    answered: u64,
    /// The last word of the leader.
    round: u64,
    /// Entries of this step.
    fresh: Vec<Entry>,
    /// Entries that the replica has not acknowledged.
    unacked: VecDeque<Entry>,
    /// What was not let out yet, with the place in the log and the word that it waits for.
    waiting: VecDeque<(u64, u64, Output)>,
    /// Words without an answer.
    strikes: u32,
    /// What the registrar is to note, and its version, until it has.
    noting: Option<(bool, u64)>,
    version: u64,
}

impl Gate {
    pub(super) fn new(closed: bool) -> Gate {
        Gate {
            closed,
            follower: None,
            sent_book: None,
            answered: 0,
            round: 0,
            fresh: Vec::new(),
            unacked: VecDeque::new(),
            waiting: VecDeque::new(),
            strikes: 0,
            noting: None,
            version: 0,
        }
    }

    /// An entry was appended.
    pub(super) fn append(&mut self, entry: Entry) {
        self.fresh.push(entry);
    }

    /// Something is to be said, on account of the log up to `seq`.
    pub(super) fn say(&mut self, seq: u64, output: Output) {
        // The next word covers it.
        self.waiting.push_back((seq, self.round + 1, output));
    }

    /// The clients that wait.
    pub(super) fn replies(&mut self) -> Vec<Origin> {
        let waiting = self.waiting.drain(..);
        waiting
            .filter_map(|(_, _, output)| match output {
                Output::Reply(origin, _) => Some(origin),
                Output::Send(..) => None,
            })
            .collect()
    }

    /// Whether the replica is part of what is decided.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn may_pass(&self, seq: u64, round: u64) -> bool {
        let has = self.follower.is_some_and(|has| has >= seq);
        !self.closed || (has && self.answered >= round)
    }
}

impl Orders {
    /// Ends a step of the leader: what is new goes to the replica, and out what may.
    pub(super) fn flush(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        if self.config.has(Bug::AckBeforeJournal) {
            if self.unsynced && !self.late_sync {
                self.late_sync = true;
                cx.set_timer(Timer::LateSync, LATE_SYNC);
            }
            return self.pass_early(cx);
        }
        self.flush_now(cx);
    }

    pub(super) fn flush_now(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        self.sync(cx);
        let (token, other) = (self.token, self.other);
        let Role::Leader(lead) = &mut self.role else { return };
        let gate = &mut lead.gate;
        let fresh = std::mem::take(&mut gate.fresh);
        let new_words = gate.waiting.back().is_some_and(|(_, round, _)| *round > gate.round);
        let tell = gate.follower.is_some() && !fresh.is_empty() || gate.closed && new_words;
        if tell || new_words {
            gate.round += 1;
        }
        if gate.follower.is_some() {
            gate.unacked.extend(fresh.iter().cloned());
        }
        if tell {
            let log = Log::Entries { token, round: gate.round, entries: fresh };
            cx.send(other, Message::Log(log));
        }
        self.let_out(cx);
    }

    /// The seeded bug: what is said does not wait for the log.
    fn pass_early(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        let Role::Leader(lead) = &mut self.role else { return };
        for (_, _, output) in std::mem::take(&mut lead.gate.waiting) {
            put_out(output, cx);
        }
    }

    fn let_out(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        let Role::Leader(lead) = &mut self.role else { return };
        let gate = &mut lead.gate;
        while gate.waiting.front().is_some_and(|(seq, round, _)| gate.may_pass(*seq, *round)) {
            if let Some((_, _, output)) = gate.waiting.pop_front() {
                put_out(output, cx);
            }
        }
    }

    /// Time to show that the leader is there.
    pub(super) fn on_resend(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        let (token, other) = (self.token, self.other);
        let Role::Leader(lead) = &mut self.role else { return };
        cx.set_timer(Timer::Resend, RESEND);
        let gate = &mut lead.gate;
        gate.strikes += 1;
        if gate.strikes > STRIKES_MAX {
            gate.follower = None;
            gate.sent_book = None;
            gate.unacked.clear();
            if gate.closed && !gate.noting.is_some_and(|(paired, _)| !paired) {
                gate.version += 1;
                gate.noting = Some((false, gate.version));
            }
        }
        if gate.follower.is_some() || gate.closed {
            let entries = gate.unacked.iter().take(ENTRIES_MAX).cloned().collect();
            let log = Log::Entries { token, round: gate.round, entries };
            cx.send(other, Message::Log(log));
        }
        if let Some((paired, version)) = gate.noting {
            cx.send(SHIPPING, Message::Lease(Ask::Pair { token, version, paired }));
        }
    }

    /// The registrar has noted who may lead next.
    pub(super) fn on_noted(&mut self, noted: u64) {
        let Role::Leader(lead) = &mut self.role else { return };
        let gate = &mut lead.gate;
        let Some((paired, _)) = gate.noting.take_if(|(_, version)| *version == noted) else {
            return;
        };
        // One that was struck off and came back meanwhile is entered again by its next word.
        gate.closed = paired;
    }

    pub(super) fn on_log(&mut self, from: NodeId, log: Log, cx: &mut Cx<'_, SagaOrders>) {
        match log {
            Log::Join => self.on_join(from, cx),
            Log::Have { token, round, seq } => self.on_have(token, round, seq, cx),
            Log::State { token, round, book } => {
                if !self.follows(from, token, round, cx) {
                    return;
                }
                // Of one lease there is one log: the longer one has the shorter in it.
                if token > self.token || book.seq() > self.book.seq() {
                    self.adopt(token, &book, cx);
                }
                self.have(from, round, cx);
            }
            Log::Entries { token, round, entries } => {
                if !self.follows(from, token, round, cx) {
                    return;
                }
                if token > self.token {
                    return cx.send(from, Message::Log(Log::Join));
                }
                for entry in entries {
                    if entry.seq == self.book.seq() + 1 {
                        self.take(entry, cx);
                    }
                }
                self.have(from, round, cx);
            }
        }
    }

    fn on_join(&mut self, from: NodeId, cx: &mut Cx<'_, SagaOrders>) {
        let (token, seq) = (self.token, self.book.seq());
        let Role::Leader(lead) = &mut self.role else { return };
        let gate = &mut lead.gate;
        gate.round += 1;
        gate.follower = Some(0);
        gate.sent_book = Some(seq);
        gate.unacked.clear();
        let book = Arc::new(self.book.clone());
        let log = Log::State { token, round: gate.round, book };
        self.sync(cx);
        cx.send(from, Message::Log(log));
    }

    fn on_have(&mut self, token: Token, round: u64, seq: u64, cx: &mut Cx<'_, SagaOrders>) {
        if token > self.token {
            return self.depose(cx);
        }
        let mine = token == self.token;
        let last = self.book.seq();
        let Role::Leader(lead) = &mut self.role else { return };
        if !mine {
            return;
        }
        let gate = &mut lead.gate;
        if gate.sent_book.is_some_and(|sent| seq < sent) {
            return;
        }
        gate.sent_book = None;
        gate.strikes = 0;
        gate.answered = gate.answered.max(round);
        let has = gate.follower.unwrap_or(0).max(seq);
        gate.follower = Some(has);
        while gate.unacked.front().is_some_and(|entry| entry.seq <= has) {
            gate.unacked.pop_front();
        }
        if has < last && gate.unacked.front().is_none_or(|entry| entry.seq != has + 1) {
            // It came back, and entries were not kept for it.
            return self.on_join(self.other, cx);
        }
        if has >= last && !gate.closed {
            // From now on nothing is said without it; the registrar is told after.
            gate.closed = true;
            gate.version += 1;
            gate.noting = Some((true, gate.version));
        }
        self.let_out(cx);
    }

    /// Whether the word of `from` under `token` counts; if not, it is told why.
    fn follows(
        &mut self,
        from: NodeId,
        token: Token,
        round: u64,
        cx: &mut Cx<'_, SagaOrders>,
    ) -> bool {
        let late = token < self.token || (token == self.token && self.leads());
        if late && self.config.has(Bug::NoFencing) {
            let log = Log::Have { token, round, seq: u64::MAX };
            cx.send(from, Message::Log(log));
            return false;
        }
        if late {
            let log = Log::Have { token: self.token, round: 0, seq: 0 };
            cx.send(from, Message::Log(log));
            return false;
        }
        if token > self.token && self.leads() {
            self.depose(cx);
        }
        self.leader = Some(from);
        self.heard = true;
        true
    }

    fn have(&mut self, to: NodeId, round: u64, cx: &mut Cx<'_, SagaOrders>) {
        self.sync(cx);
        let log = Log::Have { token: self.token, round, seq: self.book.seq() };
        cx.send(to, Message::Log(log));
    }

    /// Takes over another's book.
    fn adopt(&mut self, token: Token, book: &Arc<Book>, cx: &mut Cx<'_, SagaOrders>) {
        self.token = token;
        self.book = Book::clone(book);
        self.book.index();
        self.rewrite(Arc::clone(book), cx);
    }
}

fn put_out(output: Output, cx: &mut Cx<'_, SagaOrders>) {
    match output {
        Output::Reply(Origin::Client(id), response) => cx.reply(id, response),
        Output::Reply(Origin::Peer(node, tag), response) => {
            cx.send(node, Message::Answer { tag, response });
        }
        Output::Send(to, message) => cx.send(to, message),
    }
}
