//! A node's side of interactive transactions: begin, operations, commit, and their end.
//!
//! What a client asks about a transaction is answered here at once, but for two things that need
//! the leader: a snapshot that must be fresh, and a commit with writes. Such a request is noted
//! in `asked`, so that the leader's answer, whichever way it comes, is understood before the
//! client is told ([`RaftKv::understand`]).

use super::Isolation;
use super::draft::Draft;
use super::open::{Open, State, Surroundings};
use crate::api::kv::Session;
use crate::api::txn::{Kind, MicroOp, Op, Request, Response, TxnId};
use crate::bugs::Bug;
use crate::node::{Cx, RequestId};
use crate::raft::command::{self, Command, Transact, Work, Write};
use crate::raft::log::Index;
use crate::raft::message::Timer;
use crate::raft::requests::Origin;
use crate::raft::store::Past;
use crate::raft::{MAX_PENDING, RaftKv};
use std::collections::{BTreeMap, BTreeSet};

/// The most transactions that a node has open; beyond it, it refuses.
pub(super) const MAX_OPEN: usize = 4096;

/// After how many sweeps without a word from its client a transaction is dropped; there are
/// that many in `txn-timeout-ms`.
const IDLE_MAX: u32 = 4;

/// The interactive transactions of a node.
#[derive(Debug, Default)]
pub(in crate::raft) struct Txns {
    /// How many were begun in this life.
    begun: u64,
    /// Those that are open or were lately, by number.
    open: BTreeMap<u64, Open>,
    /// What they look back at.
    pub(in crate::raft) past: Past,
    /// Requests of clients that wait for an answer of the leader.
    asked: BTreeMap<RequestId, Asked>,
    /// Beginnings that wait until this node has applied a place.
    waiting: BTreeSet<(Index, RequestId)>,
    /// Whether the next sweep is set.
    sweeping: bool,
}

/// What a request to the leader was for.
#[derive(Debug)]
enum Asked {
    /// A fresh snapshot for a transaction to begin with.
    Begin,
    /// The commit of the transaction of that number.
    Commit(u64),
    /// One write that does not wait for its commit (bug `dirty-write`).
    Write(MicroOp),
}

impl Txns {
    /// Keeps of the past what open transactions look at, and no more.
    fn look_back(&mut self) {
        let active = self.open.values().filter(|open| matches!(open.state, State::Active));
        let oldest = active.filter_map(|open| open.snapshot).min();
        self.past.keep(oldest);
    }

    fn ask(&mut self, id: RequestId, what: Asked) {
        if self.asked.len() >= MAX_PENDING {
            // The oldest has waited longest, and most likely in vain.
            self.asked.pop_first();
        }
        self.asked.insert(id, what);
    }
}

fn gone(reason: &str) -> Response {
    Response::Gone { reason: reason.to_owned() }
}

impl RaftKv {
    /// A client asks something in the transactional api.
    pub(in crate::raft) fn transact(
        &mut self,
        id: RequestId,
        request: Request,
        cx: &mut Cx<'_, RaftKv>,
    ) {
        let Request { op, session } = request;
        match op {
            Op::Txn { ops } if self.options.isolation == Isolation::StrictSerializable => {
                self.ask_leader(id, Work::Whole { ops }, session, cx);
            }
            Op::Txn { .. } | Op::Begin => self.begin(id, cx),
            Op::Step { txn, number, step } => self.step_of(id, txn, number, step, cx),
            Op::Commit { txn } => self.commit_of(id, txn, session, cx),
            Op::Rollback { txn } => {
                let end = Response::Aborted { reason: "given up by its client".to_owned() };
                let response = match self.open_of(txn) {
                    Ok(Open { state: State::Ended(end), .. }) => end.clone(),
                    Ok(Open { state: State::Committing(_), .. }) => gone("its commit is under way"),
                    Ok(open) => {
                        open.state = State::Ended(end.clone());
                        end
                    }
                    Err(gone) => gone,
                };
                self.txns.look_back();
                self.tell(id, response, cx);
            }
        }
    }

    fn ask_leader(
        &mut self,
        id: RequestId,
        work: Work,
        session: Option<Session>,
        cx: &mut Cx<'_, RaftKv>,
    ) {
        let command = Command::Txn(Transact { work, session });
        self.request(Origin::Client(id), command, cx);
    }

    fn tell(&mut self, id: RequestId, response: Response, cx: &mut Cx<'_, RaftKv>) {
        self.answer(Origin::Client(id), command::Response::Txn(response), cx);
    }

    fn open_of(&mut self, txn: TxnId) -> Result<&mut Open, Response> {
        let open = self.txns.open.get_mut(&txn.number).filter(|_| txn.boot == self.boots);
        let open = open.ok_or_else(|| gone("there is no such transaction"))?;
        open.idle = 0;
        Ok(open)
    }

    fn begin(&mut self, id: RequestId, cx: &mut Cx<'_, RaftKv>) {
        if self.txns.open.len() >= MAX_OPEN {
            let reason = "too many transactions are open".to_owned();
            return self.tell(id, Response::Refused { reason }, cx);
        }
        let stale = [Bug::StaleSnapshot, Bug::LongFork].iter().any(|bug| self.config.has(*bug));
        if !self.options.isolation.is_fresh() || stale {
            let begun = self.begun();
            self.set_sweep(cx);
            return self.tell(id, begun, cx);
        }
        self.txns.ask(id, Asked::Begin);
        self.ask_leader(id, Work::Place, None, cx);
    }

    /// A transaction begins now, on the state as it is applied here.
    fn begun(&mut self) -> Response {
        let snapshot = self.options.isolation.has_snapshot().then_some(self.applied);
        let early = if self.config.has(Bug::LongFork) { self.early() } else { Vec::new() };
        self.txns.begun += 1;
        let number = self.txns.begun;
        self.txns.open.insert(number, Open::new(snapshot, early));
        self.txns.look_back();
        Response::Begun { txn: TxnId { boot: self.boots, number } }
    }

    /// The writes of this node's own transactions whose commit is under way (bug `long-fork`).
    fn early(&self) -> Vec<Write> {
        let open = self.txns.open.values();
        let early = open.filter(|open| open.committing().is_some_and(|one| self.is_ahead(one)));
        early.flat_map(|open| open.draft.writes().to_vec()).collect()
    }

    /// Whether the state here has nothing of a commit yet that was asked for.
    fn is_ahead(&self, transact: &Transact) -> bool {
        let command = Command::Txn(transact.clone());
        command.session().is_some() && self.machine.answered(&command).is_none()
    }

    /// The drafts of others, where they are seen.
    fn drafts_beside(&self, own: u64) -> Vec<Draft> {
        let seen =
            self.options.isolation == Isolation::ReadUncommitted || self.config.has(Bug::DirtyRead);
        let others = self.txns.open.iter().filter(|(number, open)| match &open.state {
            _ if !seen || **number == own => false,
            State::Active => true,
            State::Committing(transact) => self.is_ahead(transact),
            State::Ended(_) => false,
        });
        others.map(|(_, open)| open.draft.clone()).collect()
    }

    fn step_of(
        &mut self,
        id: RequestId,
        txn: TxnId,
        number: u32,
        step: MicroOp,
        cx: &mut Cx<'_, RaftKv>,
    ) {
        let known = match self.open_of(txn) {
            Ok(open) => open.repeated(number),
            Err(gone) => Err(gone),
        };
        match known {
            Ok(Some(answer)) | Err(answer) => return self.tell(id, answer, cx),
            Ok(None) => {}
        }
        let others = self.drafts_beside(txn.number);
        let around = Surroundings {
            config: &self.config,
            isolation: self.options.isolation,
            store: self.machine.store(),
            past: &self.txns.past,
            applied: self.applied,
            others: others.iter().collect(),
        };
        let Some(open) = self.txns.open.get_mut(&txn.number) else { return };
        let answer = open.step(number, &step, &around);
        if self.config.has(Bug::DirtyWrite) && matches!(step.0, Kind::W | Kind::Append) {
            let Work::Commit { writes, .. } = open.commit(Isolation::ReadUncommitted, &self.config)
            else {
                return;
            };
            open.draft.clear();
            self.txns.ask(id, Asked::Write(step));
            let (unchanged, unchanged_below) = (BTreeMap::new(), BTreeMap::new());
            let work = Work::Commit { unchanged, unchanged_below, writes };
            return self.ask_leader(id, work, None, cx);
        }
        self.txns.look_back();
        self.tell(id, answer, cx);
    }

    fn commit_of(
        &mut self,
        id: RequestId,
        txn: TxnId,
        session: Option<Session>,
        cx: &mut Cx<'_, RaftKv>,
    ) {
        let (isolation, config) = (self.options.isolation, self.config.clone());
        let open = match self.open_of(txn) {
            Ok(open) => open,
            Err(gone) => return self.tell(id, gone, cx),
        };
        let transact = match &open.state {
            State::Ended(end) => {
                let end = end.clone();
                return self.tell(id, end, cx);
            }
            // The same once more: the session sees to it that it is applied once.
            State::Committing(transact) => transact.clone(),
            State::Active => Transact { work: open.commit(isolation, &config), session },
        };
        if open.draft.writes().is_empty() {
            // It took place where it looked.
            let end = Response::Committed { ops: Vec::new() };
            open.state = State::Ended(end.clone());
            self.txns.look_back();
            return self.tell(id, end, cx);
        }
        open.state = State::Committing(transact.clone());
        self.txns.look_back();
        self.txns.ask(id, Asked::Commit(txn.number));
        self.request(Origin::Client(id), Command::Txn(transact), cx);
    }

    /// What a client is told when this has come as the answer to its request; nothing if it has
    /// to wait.
    pub(in crate::raft) fn understand(
        &mut self,
        id: RequestId,
        response: command::Response,
        cx: &mut Cx<'_, RaftKv>,
    ) -> Option<command::Response> {
        let Some(asked) = self.txns.asked.remove(&id) else { return Some(response) };
        let response = match (asked, response) {
            (Asked::Begin, command::Response::Place { place }) => {
                if self.applied < place {
                    if self.txns.waiting.len() >= MAX_PENDING {
                        self.txns.waiting.pop_first();
                    }
                    self.txns.waiting.insert((place, id));
                    return None;
                }
                self.set_sweep(cx);
                self.begun()
            }
            (Asked::Commit(number), command::Response::Txn(response)) => {
                let over =
                    matches!(response, Response::Committed { .. } | Response::Aborted { .. });
                if let Some(open) = self.txns.open.get_mut(&number).filter(|_| over) {
                    open.state = State::Ended(response.clone());
                }
                response
            }
            (Asked::Write(step), command::Response::Txn(Response::Committed { .. })) => {
                Response::Step { step }
            }
            (_, other) => return Some(other),
        };
        Some(command::Response::Txn(response))
    }

    /// More of the log is applied: transactions begin that have waited for it.
    pub(in crate::raft) fn begin_waiting(&mut self, cx: &mut Cx<'_, RaftKv>) {
        while let Some((place, id)) = self.txns.waiting.first().copied() {
            if place > self.applied {
                return;
            }
            self.txns.waiting.pop_first();
            self.set_sweep(cx);
            let begun = self.begun();
            self.tell(id, begun, cx);
        }
    }

    /// The state has jumped ahead: what it was before is not known here any more.
    pub(in crate::raft) fn forget_past(&mut self) {
        self.txns.past = Past::default();
        for open in self.txns.open.values_mut() {
            if matches!(open.state, State::Active) && open.snapshot.is_some() {
                let reason = "its node was too far behind".to_owned();
                open.state = State::Ended(Response::Aborted { reason });
            }
        }
    }

    fn set_sweep(&mut self, cx: &mut Cx<'_, RaftKv>) {
        if !self.txns.sweeping {
            self.txns.sweeping = true;
            cx.set_timer(Timer::Sweep, self.options.txn_timeout / IDLE_MAX);
        }
    }

    /// Drops the transactions whose clients are silent.
    pub(in crate::raft) fn on_sweep(&mut self, cx: &mut Cx<'_, RaftKv>) {
        self.txns.sweeping = false;
        self.txns.open.retain(|_, open| {
            open.idle += 1;
            open.idle <= IDLE_MAX
        });
        self.txns.look_back();
        if !self.txns.open.is_empty() {
            self.set_sweep(cx);
        }
    }
}
