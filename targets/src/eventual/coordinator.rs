//! One node coordinates an operation: quorums, stand-ins, read repair (`DeCandia` et al. 2007,
//! sections 4.5, 4.6 and 5).
//!
//! A read asks all homes and answers once R have told what they have; when the others have told
//! too, whoever is behind is sent the rest (read repair). A write goes to all homes and is
//! acknowledged once W have it on disk. A home that is suspected, or does not answer in time, is
//! stood in for by the next node of the ring, which keeps what it is sent as a hint (sloppy
//! quorum); a home and its stand-in count once.

use super::cell::Cell;
use super::clock::Stamp;
use super::journal::Known;
use super::message::{Key, Message, Tag, Timer};
use super::token::Token;
use super::update::{self, Ground, Plan};
use super::{Eventual, OPERATIONS_MAX};
use crate::api::kv::Session;
use crate::api::store::{Op, Request, Response};
use crate::bugs::Bug;
use crate::node::{Cx, NodeId, RequestId};
use std::collections::{BTreeMap, BTreeSet};

/// An operation under way.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    id: RequestId,
    op: Op,
    session: Option<Session>,
    token: Option<Token>,
    key: Key,
    read_quorum: usize,
    write_quorum: usize,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Reading(Reading),
    Writing(Writing),
}

/// Who was asked, and what they told.
#[derive(Clone, Debug, Default)]
struct Reading {
    asked: BTreeSet<NodeId>,
    told: BTreeMap<NodeId, Option<Cell>>,
    answered: bool,
}

/// Who was sent an update, and who has it.
#[derive(Clone, Debug)]
struct Writing {
    cell: Cell,
    /// Stand-ins, with the homes for which they stand in.
    stand_ins: BTreeMap<NodeId, NodeId>,
    /// Homes that have it, or whose stand-ins have it.
    done: BTreeSet<NodeId>,
    /// Who said so.
    by: BTreeSet<NodeId>,
}

/// An update that was acknowledged to its client.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// Which key.
    pub key: Key,
    /// What is new.
    pub cell: Cell,
    /// How many nodes had to have it on disk.
    pub quorum: usize,
    /// Who has said so.
    pub by: BTreeSet<NodeId>,
}

impl Reading {
    /// How many of those who have told count: who is no home and keeps nothing for one knows
    /// nothing of the key, not even that there is none.
    fn answers(&self, homes: &[NodeId]) -> usize {
        self.told.iter().filter(|(node, cell)| cell.is_some() || homes.contains(node)).count()
    }

    fn merged(&self) -> Option<Cell> {
        let mut cells = self.told.values().flatten();
        let mut merged = cells.next()?.clone();
        cells.for_each(|cell| merged.merge(cell));
        Some(merged)
    }
}

fn definite(reason: impl Into<String>) -> Response {
    Response::Error { definite: true, reason: reason.into() }
}

impl Eventual {
    pub(super) fn request(&mut self, id: RequestId, request: Request, cx: &mut Cx<'_, Eventual>) {
        match self.accept(id, request) {
            Ok((mut operation, Plan::Update)) => {
                let cell = self.make(&mut operation, None, cx);
                self.begin_write(operation, cell, cx);
            }
            Ok((operation, _)) => self.begin_read(operation, cx),
            Err(reason) => self.reply(id, definite(reason), cx),
        }
    }

    /// The operation that was asked for, with what is done first; or why it is refused.
    fn accept(&self, id: RequestId, request: Request) -> Result<(Operation, Plan), String> {
        let Request { op, session, token, read_quorum, write_quorum } = request;
        if self.operations.len() >= OPERATIONS_MAX {
            return Err(format!("{OPERATIONS_MAX} operations are under way"));
        }
        let quorum = |name: &str, asked: Option<u16>, set: usize| match asked {
            Some(asked) if !(1..=self.options.replicas).contains(&asked.into()) => {
                Err(format!("{name} must be from 1 to {}", self.options.replicas))
            }
            asked => Ok(asked.map_or(set, usize::from)),
        };
        let read_quorum = quorum("read-quorum", read_quorum, self.options.read_quorum)?;
        let write_quorum = quorum("write-quorum", write_quorum, self.options.write_quorum)?;
        let token = token.map(|text| Token::parse(&text)).transpose()?;
        let plan = match update::plan(&op, self.options.resolve) {
            Plan::Refuse(reason) => return Err(reason.to_owned()),
            // A retry repeats what was issued, whatever it would read now.
            Plan::ReadThenUpdate if self.is_known(&op, session) => Plan::Update,
            plan => plan,
        };
        let (key, phase) = (update::key_of(&op), Phase::Reading(Reading::default()));
        let operation = Operation { id, op, session, token, key, read_quorum, write_quorum, phase };
        Ok((operation, plan))
    }

    fn is_known(&self, op: &Op, session: Option<Session>) -> bool {
        session.is_some_and(|session| !matches!(self.known(op, session), Known::New))
    }

    fn known(&self, op: &Op, session: Session) -> Known {
        // The bug does not remember increments.
        if self.config.has(Bug::CounterDoubleMerge) && matches!(op, Op::Increment { .. }) {
            return Known::New;
        }
        self.issued.find(session)
    }

    /// The update of an operation: issued now, or what an earlier attempt of it has issued.
    fn make(
        &mut self,
        operation: &mut Operation,
        found: Option<&Cell>,
        cx: &mut Cx<'_, Eventual>,
    ) -> Result<Cell, Response> {
        if let Some(session) = operation.session {
            match self.known(&operation.op, session) {
                Known::New => {}
                Known::Issued(cell) => {
                    self.saw("a retry repeated its update");
                    return Ok(cell);
                }
                Known::Forgotten => {
                    let reason = "the session is too old to be remembered".to_owned();
                    return Err(Response::Error { definite: false, reason });
                }
            }
        }
        let token = operation.token.as_ref().filter(|_| self.heeds_tokens());
        let stamp = self.stamp_above(token, cx);
        let ground = Ground {
            resolve: self.options.resolve,
            node: self.config.id,
            stamp,
            found,
            own: self.issued.own.get(&operation.key),
            token,
        };
        let cell = ground.update(&operation.op).map_err(definite)?;
        self.issue(operation.session, &operation.key, &cell, cx);
        Ok(cell)
    }

    /// A stamp above all that a session has seen.
    fn stamp_above(&mut self, token: Option<&Token>, cx: &Cx<'_, Eventual>) -> Stamp {
        // The bug believes its clock.
        if self.config.has(Bug::ClockSkewLww) {
            return Stamp { time: self.now(cx).0, node: self.config.id.0 };
        }
        if let Some(token) = token {
            self.clock.hear(token.latest());
        }
        self.stamp(cx)
    }

    fn heeds_tokens(&self) -> bool {
        !self.config.has(Bug::NonMonotonicSession)
    }

    /// The tag of the next operation.
    pub(super) fn next_tag(&mut self) -> Tag {
        self.number += 1;
        Tag { boot: self.boots, number: self.number }
    }

    fn begin_read(&mut self, operation: Operation, cx: &mut Cx<'_, Eventual>) {
        let tag = self.next_tag();
        let homes = self.homes(&operation.key);
        let mut asked: Vec<NodeId> = if self.options.sloppy {
            let mut alive = self.ring.walk(&operation.key);
            alive.retain(|node| self.detector.alive(*node));
            alive.truncate(homes.len());
            alive
        } else {
            Vec::new()
        };
        // Where too few are alive, homes are asked all the same: a suspicion may be wrong.
        for home in homes.iter().copied() {
            if asked.len() < homes.len() && !asked.contains(&home) {
                asked.push(home);
            }
        }
        let key = operation.key.clone();
        let reading = Reading { asked: asked.iter().copied().collect(), ..Reading::default() };
        let phase = Phase::Reading(reading);
        self.operations.insert(tag.number, Operation { phase, ..operation });
        self.rearm(Timer::Impatient(tag.number), cx);
        self.rearm(Timer::Deadline(tag.number), cx);
        for node in asked {
            self.send(node, Message::Get { tag, key: key.clone() }, cx);
        }
    }

    pub(super) fn on_got(
        &mut self,
        from: NodeId,
        tag: Tag,
        cell: Option<Cell>,
        cx: &mut Cx<'_, Eventual>,
    ) {
        if tag.boot != self.boots {
            return;
        }
        let Some(mut operation) = self.operations.remove(&tag.number) else { return };
        let homes = self.homes(&operation.key);
        let Phase::Reading(reading) = &mut operation.phase else {
            self.operations.insert(tag.number, operation);
            return;
        };
        reading.told.insert(from, cell);
        let enough = reading.answers(&homes) >= operation.read_quorum && !reading.answered;
        let merged = enough.then(|| reading.merged());
        match merged {
            Some(merged) if self.reaches(&operation, merged.as_ref()) => {
                self.found(tag.number, operation, merged.as_ref(), cx);
            }
            Some(_) => {
                self.saw("replicas were behind a session");
                self.operations.insert(tag.number, operation);
            }
            None => self.settle(tag.number, operation, cx),
        }
    }

    /// Whether what was found is what the session may be shown.
    fn reaches(&self, operation: &Operation, merged: Option<&Cell>) -> bool {
        let token = operation.token.as_ref().filter(|_| self.heeds_tokens());
        let Some(version) = token.and_then(|token| token.get(&operation.key.name)) else {
            return true;
        };
        operation.key.kind != super::Kind::Register
            || merged.is_some_and(|cell| cell.reaches(version))
    }

    /// A quorum has told what it has.
    fn found(
        &mut self,
        number: u64,
        mut operation: Operation,
        merged: Option<&Cell>,
        cx: &mut Cx<'_, Eventual>,
    ) {
        if !operation.op.reads() {
            disarm(number, cx);
            let cell = self.make(&mut operation, merged, cx);
            return self.begin_write(operation, cell, cx);
        }
        let response = update::answer(&operation.op, merged, operation.token.clone());
        if matches!(&response, Response::Value { siblings, .. } if !siblings.is_empty()) {
            self.saw("siblings were returned");
        }
        self.reply(operation.id, response, cx);
        if let Phase::Reading(reading) = &mut operation.phase {
            reading.answered = true;
        }
        self.settle(number, operation, cx);
    }

    /// A read goes on, or ends if all have told; then those who are behind are sent the rest.
    fn settle(&mut self, number: u64, operation: Operation, cx: &mut Cx<'_, Eventual>) {
        let over = match &operation.phase {
            Phase::Reading(reading) => {
                reading.answered && reading.asked.iter().all(|node| reading.told.contains_key(node))
            }
            Phase::Writing(_) => false,
        };
        if !over {
            self.operations.insert(number, operation);
            return;
        }
        self.end_read(number, &operation, cx);
    }

    fn end_read(&mut self, number: u64, operation: &Operation, cx: &mut Cx<'_, Eventual>) {
        disarm(number, cx);
        let Phase::Reading(reading) = &operation.phase else { return };
        let Some(merged) = reading.merged() else { return };
        if self.config.has(Bug::NoReadRepairNoAntiEntropy) {
            return;
        }
        let homes = self.homes(&operation.key);
        for (node, cell) in &reading.told {
            if homes.contains(node) && cell.as_ref() != Some(&merged) {
                self.saw("a read repaired a replica");
                let (key, cell) = (operation.key.clone(), merged.clone());
                self.send(*node, Message::Put { tag: None, key, cell, hint: None }, cx);
            }
        }
    }

    fn begin_write(
        &mut self,
        operation: Operation,
        cell: Result<Cell, Response>,
        cx: &mut Cx<'_, Eventual>,
    ) {
        let cell = match cell {
            Ok(cell) => cell,
            Err(response) => return self.reply(operation.id, response, cx),
        };
        let tag = self.next_tag();
        let homes = self.homes(&operation.key);
        let (stand_ins, done, by) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        let writing = Writing { cell, stand_ins, done, by };
        let mut operation = Operation { phase: Phase::Writing(writing), ..operation };
        self.rearm(Timer::Impatient(tag.number), cx);
        self.rearm(Timer::Deadline(tag.number), cx);
        for home in homes {
            if self.options.sloppy && !self.detector.alive(home) {
                self.stand_in(tag, &mut operation, home, cx);
            } else {
                self.put(tag, &operation, home, None, cx);
            }
        }
        self.operations.insert(tag.number, operation);
    }

    fn put(
        &mut self,
        tag: Tag,
        operation: &Operation,
        to: NodeId,
        hint: Option<NodeId>,
        cx: &mut Cx<'_, Eventual>,
    ) {
        let Phase::Writing(writing) = &operation.phase else { return };
        let (key, cell) = (operation.key.clone(), writing.cell.clone());
        self.send(to, Message::Put { tag: Some(tag), key, cell, hint }, cx);
    }

    /// The next node of the ring that is alive takes a write for a home; the home itself is tried
    /// where there is none.
    fn stand_in(
        &mut self,
        tag: Tag,
        operation: &mut Operation,
        home: NodeId,
        cx: &mut Cx<'_, Eventual>,
    ) {
        let others = self.ring.walk(&operation.key).split_off(self.options.replicas);
        let Phase::Writing(writing) = &mut operation.phase else { return };
        let free =
            |node: &NodeId| !writing.stand_ins.contains_key(node) && self.detector.alive(*node);
        let Some(node) = others.into_iter().find(free) else {
            return self.put(tag, operation, home, None, cx);
        };
        writing.stand_ins.insert(node, home);
        self.saw("a stand-in was asked");
        self.put(tag, operation, node, Some(home), cx);
    }

    pub(super) fn on_ack(&mut self, from: NodeId, tag: Tag, cx: &mut Cx<'_, Eventual>) {
        if tag.boot != self.boots || self.on_handed_off(from, tag, cx) {
            return;
        }
        let Some(mut operation) = self.operations.remove(&tag.number) else { return };
        if let Phase::Writing(writing) = &mut operation.phase {
            writing.by.insert(from);
            writing.done.insert(writing.stand_ins.get(&from).copied().unwrap_or(from));
            if writing.done.len() >= operation.write_quorum {
                disarm(tag.number, cx);
                self.acknowledged.push(Acknowledged {
                    key: operation.key.clone(),
                    cell: writing.cell.clone(),
                    quorum: operation.write_quorum,
                    by: writing.by.clone(),
                });
                let token = operation.token.map(|mut token| {
                    update::see(&mut token, &operation.key, &writing.cell);
                    token.text()
                });
                return self.reply(operation.id, Response::Done { token }, cx);
            }
        }
        self.operations.insert(tag.number, operation);
    }

    /// Replicas are slow: others are asked.
    pub(super) fn on_impatient(&mut self, number: u64, cx: &mut Cx<'_, Eventual>) {
        let Some(mut operation) = self.operations.remove(&number) else { return };
        let tag = Tag { boot: self.boots, number };
        let key = operation.key.clone();
        match &mut operation.phase {
            Phase::Reading(reading) if reading.answered => {
                return self.end_read(number, &operation, cx);
            }
            Phase::Reading(reading) => {
                let mut nodes = self.ring.walk(&key);
                if !self.options.sloppy {
                    nodes.truncate(self.options.replicas);
                }
                reading.asked.extend(&nodes);
                for node in nodes {
                    self.send(node, Message::Get { tag, key: key.clone() }, cx);
                }
            }
            Phase::Writing(writing) => {
                let done = writing.done.clone();
                let stood: BTreeSet<NodeId> = writing.stand_ins.values().copied().collect();
                for home in self.homes(&key).into_iter().filter(|home| !done.contains(home)) {
                    self.put(tag, &operation, home, None, cx);
                    if self.options.sloppy && !stood.contains(&home) {
                        self.stand_in(tag, &mut operation, home, cx);
                    }
                }
            }
        }
        self.operations.insert(number, operation);
    }

    pub(super) fn on_deadline(&mut self, number: u64, cx: &mut Cx<'_, Eventual>) {
        let Some(operation) = self.operations.remove(&number) else { return };
        disarm(number, cx);
        match operation.phase {
            Phase::Reading(reading) if reading.answered => {}
            Phase::Reading(reading) => {
                // An update that was to follow was not issued.
                let told = reading.answers(&self.homes(&operation.key));
                let need = operation.read_quorum;
                let reason = if told < need {
                    format!("{told} of {need} replicas have answered")
                } else {
                    "the replicas that have answered are behind this session".to_owned()
                };
                self.reply(operation.id, definite(reason), cx);
            }
            Phase::Writing(writing) => {
                let (done, need) = (writing.done.len(), operation.write_quorum);
                // The coordinator itself sees to it that no home is left out.
                for home in self.homes(&operation.key) {
                    if !writing.done.contains(&home) && home != self.config.id {
                        self.keep_for(home, operation.key.clone(), &writing.cell, cx);
                    }
                }
                let reason = format!("{done} of {need} replicas have acknowledged");
                self.reply(operation.id, Response::Error { definite: false, reason }, cx);
            }
        }
    }
}

fn disarm(number: u64, cx: &mut Cx<'_, Eventual>) {
    cx.cancel_timer(Timer::Impatient(number));
    cx.cancel_timer(Timer::Deadline(number));
}
