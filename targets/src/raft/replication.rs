//! Replication, the leader's side (paper 5.3 and 5.4.2; thesis 10.2).
//!
//! For each follower the leader keeps which entry it will send next and up to where the logs
//! are known to be equal. While they match, entries *stream*: they are sent as soon as they are
//! there, without waiting for acknowledgement. A lost message shows when a later one does not
//! fit: the follower rejects it and says which term it has there and where that term begins, so
//! that the leader goes back by terms and not by entries. Then it *probes* with empty messages
//! until the logs meet, and streams again. A follower whose next entry is compacted gets the
//! state (*installing*).
//!
//! An entry is committed when a majority has it **and it is of the leader's own term** (paper,
//! 5.4.2 and figure 8); entries before it are then committed with it. So that this comes soon, a
//! leader begins its term with an entry that does nothing.

use super::log::{Entry, Index};
use super::message::{Append, AppendReply, Appended, Message, Timer};
use super::reads::Read;
use super::{MAX_ENTRIES, MAX_IN_FLIGHT, RaftKv, Role};
use crate::bugs::Bug;
use crate::node::{Cx, NodeId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// After how many heartbeats without an answer the state is sent again.
const INSTALL_PATIENCE: u32 = 10;

/// What a node keeps while it leads.
#[derive(Debug)]
pub(super) struct Lead {
    pub(super) peers: BTreeMap<NodeId, Progress>,
    /// All that earlier terms can have committed is at or before this place: reads wait for it.
    pub(super) floor: Index,
    /// The last round of confirmation that was begun; see `reads`.
    pub(super) round: u64,
    /// Reads that wait, by round and place.
    pub(super) reads: VecDeque<Read>,
}

/// How far a follower is.
#[derive(Debug)]
pub(super) struct Progress {
    /// The next entry to send.
    next: Index,
    /// The logs are equal up to here.
    matched: Index,
    flow: Flow,
    /// The latest round that it has answered.
    pub(super) round: u64,
    /// Whether it was heard since the quorum was checked last.
    heard: bool,
}

#[derive(Debug)]
enum Flow {
    /// Looks for the place where the logs meet.
    Probe,
    /// Entries are sent ahead; so many messages are on their way.
    Stream { in_flight: u32 },
    /// The state was sent; it is sent again after so many heartbeats.
    Install { patience: u32 },
}

impl Lead {
    pub(super) fn new(peers: impl Iterator<Item = NodeId>, last: Index) -> Lead {
        let progress = |id| {
            let (next, matched, flow) = (last.next(), Index(0), Flow::Probe);
            (id, Progress { next, matched, flow, round: 0, heard: false })
        };
        let peers = peers.map(progress).collect();
        Lead { peers, floor: last, round: 0, reads: VecDeque::new() }
    }

    /// How many followers were heard since the last call.
    pub(super) fn take_heard(&mut self) -> usize {
        self.peers.values_mut().filter_map(|p| std::mem::take(&mut p.heard).then_some(())).count()
    }
}

impl RaftKv {
    /// Makes the entry with which the leader begins its term. (Who counts replicas of earlier
    /// terms believes that there is no need for it.)
    pub(super) fn begin_term(&mut self, cx: &mut Cx<'_, RaftKv>) {
        if self.config.has(Bug::CommitPriorTerm) {
            return;
        }
        let index = self.append(Arc::new(Entry { term: self.term, request: None }), cx);
        if let Role::Leader(lead) = &mut self.role {
            lead.floor = index;
        }
    }

    /// Sends to all what is new, and commits at once if there is nobody to send it to.
    pub(super) fn replicate(&mut self, cx: &mut Cx<'_, RaftKv>) {
        for peer in self.peers() {
            self.stream(peer, cx);
        }
        if self.quorum() == 1 {
            self.advance_commit(cx);
        }
    }

    pub(super) fn on_heartbeat(&mut self, cx: &mut Cx<'_, RaftKv>) {
        if self.is_leader() {
            cx.set_timer(Timer::Heartbeat, self.options.heartbeat);
            self.begin_round(cx);
            self.replicate(cx);
        }
    }

    /// Sends a follower one message without entries, or the state if it is time.
    pub(super) fn heartbeat(&mut self, to: NodeId, cx: &mut Cx<'_, RaftKv>) {
        let base = self.log.base();
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.peers.get_mut(&to) else { return };
        if progress.next <= base && !matches!(progress.flow, Flow::Install { .. }) {
            progress.flow = Flow::Install { patience: 0 };
        }
        match &mut progress.flow {
            Flow::Install { patience: 0 } => self.install(to, cx),
            Flow::Install { patience } => {
                *patience -= 1;
                self.send_entries(to, base, Vec::new(), cx);
            }
            Flow::Stream { in_flight } => {
                // Whatever is still unacknowledged after a heartbeat may be lost.
                *in_flight = 0;
                let prev = progress.next.prev();
                self.send_entries(to, prev, Vec::new(), cx);
            }
            Flow::Probe => {
                let prev = progress.next.prev();
                self.send_entries(to, prev, Vec::new(), cx);
            }
        }
    }

    /// Sends a follower that is up with the stream what it has not been sent.
    fn stream(&mut self, to: NodeId, cx: &mut Cx<'_, RaftKv>) {
        loop {
            let Role::Leader(lead) = &mut self.role else { return };
            let Some(progress) = lead.peers.get_mut(&to) else { return };
            let Flow::Stream { in_flight } = &mut progress.flow else { return };
            let entries = self.log.slice(progress.next, MAX_ENTRIES);
            if entries.is_empty() || *in_flight >= MAX_IN_FLIGHT {
                return;
            }
            *in_flight += 1;
            let prev = progress.next.prev();
            progress.next = progress.next.plus(entries.len());
            self.send_entries(to, prev, entries, cx);
        }
    }

    fn send_entries(
        &mut self,
        to: NodeId,
        prev: Index,
        entries: Vec<Arc<Entry>>,
        cx: &mut Cx<'_, RaftKv>,
    ) {
        let Role::Leader(lead) = &self.role else { return };
        let (term, round, commit) = (self.term, lead.round, self.commit);
        // Only a place before the base has no term here, and such a follower gets the state.
        let Some(prev_term) = self.log.term_at(prev) else { return };
        // Not behind the sync: see "Disk before word".
        cx.send(to, Message::Append(Append { term, round, prev, prev_term, commit, entries }));
    }

    /// Sends a follower the state.
    fn install(&mut self, to: NodeId, cx: &mut Cx<'_, RaftKv>) {
        let snapshot = Arc::new(self.snapshot());
        let term = self.term;
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.peers.get_mut(&to) else { return };
        progress.flow = Flow::Install { patience: INSTALL_PATIENCE };
        let round = lead.round;
        self.send(to, Message::Install { term, round, snapshot }, cx);
    }

    pub(super) fn on_append_reply(
        &mut self,
        from: NodeId,
        reply: AppendReply,
        cx: &mut Cx<'_, RaftKv>,
    ) {
        self.catch_up(reply.term, cx);
        if reply.term != self.term || matches!(reply.outcome, Appended::Late) {
            return;
        }
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.peers.get_mut(&from) else { return };
        progress.heard = true;
        progress.round = progress.round.max(reply.round);
        match reply.outcome {
            Appended::Late => {}
            Appended::Accepted { matched } => self.on_accepted(from, matched, cx),
            Appended::Rejected { prev, term, first } => {
                let meeting = term
                    .and_then(|term| self.log.last_of_term(term))
                    .filter(|index| *index < prev)
                    .map_or(first, Index::next);
                self.on_rejected(from, prev, meeting, cx);
            }
        }
        self.confirm_reads(cx);
    }

    fn on_accepted(&mut self, from: NodeId, matched: Index, cx: &mut Cx<'_, RaftKv>) {
        let base = self.log.base();
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.peers.get_mut(&from) else { return };
        let news = matched > progress.matched;
        progress.matched = progress.matched.max(matched);
        progress.next = progress.next.max(matched.next());
        match &mut progress.flow {
            Flow::Stream { in_flight } => *in_flight = in_flight.saturating_sub(1),
            Flow::Probe | Flow::Install { .. } if progress.next > base => {
                progress.flow = Flow::Stream { in_flight: 0 };
            }
            Flow::Probe => {}
            // The log was compacted again meanwhile: the next heartbeat takes the state again.
            Flow::Install { patience } => *patience = 0,
        }
        if news {
            self.advance_commit(cx);
        }
        self.stream(from, cx);
    }

    /// The logs do not meet at `prev`; perhaps they do just before `meeting`.
    fn on_rejected(&mut self, from: NodeId, prev: Index, meeting: Index, cx: &mut Cx<'_, RaftKv>) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(progress) = lead.peers.get_mut(&from) else { return };
        let stale = match progress.flow {
            Flow::Probe => prev != progress.next.prev(),
            Flow::Stream { .. } => prev < progress.matched,
            Flow::Install { .. } => true,
        };
        if !stale {
            progress.next = Index(meeting.0.clamp(1, prev.0.max(1)));
            progress.flow = Flow::Probe;
            self.heartbeat(from, cx);
        }
    }

    /// Commits what a majority has, if the last of it is of this term.
    fn advance_commit(&mut self, cx: &mut Cx<'_, RaftKv>) {
        let Role::Leader(lead) = &self.role else { return };
        let mut matched: Vec<Index> = lead.peers.values().map(|p| p.matched).collect();
        matched.push(self.log.last());
        matched.sort_unstable_by(|a, b| b.cmp(a));
        let replicated = matched[self.quorum() - 1].min(self.log.last());
        let own = self.log.term_at(replicated) == Some(self.term);
        if replicated > self.commit && (own || self.config.has(Bug::CommitPriorTerm)) {
            self.commit_to(replicated, cx);
            self.answer_reads(cx);
        }
    }
}
