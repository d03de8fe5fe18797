//! One step of a node, and what becomes of its effects.
//!
//! Timers are armed at once. Records go to the disk at once too (written, not synced), also past
//! effects that still wait: it can only make more survive. Messages and replies keep their
//! order and wait behind a sync until it has ended. A sync covers all that was written when
//! it began, so that syncs which queue up behind a running one are done by one: group commit.

use super::disk::DiskError;
use super::event::{Event, Observed, Stop, Token};
use super::network::Fate;
use super::observe::{Happened, Observer, View};
use super::post;
use super::slot::{Pause, WAITING_MAX, Waiting};
use super::time::Nanos;
use super::trace::What;
use super::world::World;
use crate::node::{Cx, Effect, Input, Node, NodeId, RequestId};
use std::time::Duration;

impl<N: Node, O: Observer<N>> World<N, O> {
    /// A node takes an input, if it runs.
    pub(super) fn step(&mut self, node: usize, input: Input<N>) -> Result<(), Stop> {
        let id = self.slots[node].config.id;
        let view = View { now: self.now, slots: &self.slots };
        self.observer.before(&view, id, &input);
        let slot = &mut self.slots[node];
        let Some(state) = slot.node.as_mut() else { return Ok(()) };
        let mut effects = std::mem::take(&mut self.effects);
        let time = slot.clock.read(self.now);
        let watched = self.trace.tells() || self.post.is_kept();
        let before = watched.then(|| state.status());
        state.step(input, &mut Cx::new(time, &mut slot.rng, &mut effects));
        if let Some(before) = before {
            let status = state.status();
            if (&before.role, before.term) != (&status.role, status.term) {
                if self.trace.tells() {
                    let role = status.role.clone();
                    self.trace.tell(self.now, What::Turn, node, status.term, role);
                }
                self.post.turn(self.now, id, status);
            }
        }
        self.counts.steps += 1;
        let looked = self.look(node, &Happened::Stepped(&effects));
        for effect in effects.drain(..) {
            if let Err(error) = self.carry_out(node, effect) {
                self.disk_failed(node, &error);
                break;
            }
        }
        self.effects = effects;
        looked
    }

    fn carry_out(&mut self, node: usize, effect: Effect<N>) -> Result<(), DiskError> {
        let slot = &mut self.slots[node];
        match effect {
            Effect::SetTimer { timer, after } => self.set_timer(node, timer, after),
            Effect::CancelTimer(timer) => slot.timers.cancel(&timer),
            Effect::Append(record) => slot.disk.append(record)?,
            Effect::Rewrite(records) => {
                slot.disk.replace(records)?;
                self.barrier(node);
            }
            Effect::Sync => self.barrier(node),
            Effect::Send { to, message } if slot.waiting.is_empty() => {
                self.send(node, to, message);
            }
            Effect::Send { to, message } => self.wait(node, Waiting::Send { to, message })?,
            Effect::Reply { id, response } if slot.waiting.is_empty() => {
                self.reply(node, id, response);
            }
            Effect::Reply { id, response } => {
                self.wait(node, Waiting::Reply { id, response })?;
            }
        }
        Ok(())
    }

    /// An effect waits for the disk.
    fn wait(&mut self, node: usize, effect: Waiting<N>) -> Result<(), DiskError> {
        let waiting = &mut self.slots[node].waiting;
        if waiting.len() >= WAITING_MAX {
            return Err(DiskError::Behind);
        }
        waiting.push_back(effect);
        Ok(())
    }

    fn set_timer(&mut self, node: usize, timer: N::Timer, after: Duration) {
        let slot = &mut self.slots[node];
        let deadline = slot.clock.count(self.now) + Nanos::from(after);
        let when = slot.clock.when(deadline).max(self.now);
        if let Some(ticket) = slot.timers.set(&timer, deadline, when)
            && self.timers
        {
            self.queue.push(when, Event::Timer { node, ticket, timer });
        }
    }

    /// What follows must wait until all that is written is durable.
    fn barrier(&mut self, node: usize) {
        let slot = &mut self.slots[node];
        let written = slot.disk.written();
        if slot.waiting.is_empty() && slot.disk.is_synced(written) {
            return;
        }
        slot.waiting.push_back(Waiting::Barrier(written));
        if !slot.disk.is_syncing() {
            self.begin_sync(node);
        }
    }

    fn begin_sync(&mut self, node: usize) {
        let slot = &mut self.slots[node];
        let takes = slot.disk.begin_sync();
        let (written, life) = (slot.disk.written(), slot.life);
        self.trace.note(self.now, What::Sync, Some(node), None, written, None);
        self.queue.push(self.now + takes, Event::Synced { node, life });
    }

    /// The running sync of a node ends.
    pub(super) fn synced(&mut self, node: usize, life: u32) -> Result<(), Stop> {
        let slot = &mut self.slots[node];
        if slot.life != life {
            return Ok(());
        }
        match slot.disk.end_sync() {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) => {
                self.disk_failed(node, &error);
                return self.stop.take().map_or(Ok(()), Err);
            }
        }
        self.counts.events += 1;
        self.counts.syncs += 1;
        self.trace.note(self.now, What::Synced, Some(node), None, 0, None);
        if self.slots[node].pause == Pause::Running {
            self.release(node);
        }
        Ok(())
    }

    /// Lets go of what waits for nothing any more, and sees to the next sync.
    pub(super) fn release(&mut self, node: usize) {
        while let Some(waiting) = self.slots[node].waiting.pop_front() {
            match waiting {
                Waiting::Send { to, message } => self.send(node, to, message),
                Waiting::Reply { id, response } => self.reply(node, id, response),
                Waiting::Barrier(written) if self.slots[node].disk.is_synced(written) => {}
                Waiting::Barrier(written) => {
                    self.slots[node].waiting.push_front(Waiting::Barrier(written));
                    if !self.slots[node].disk.is_syncing() {
                        self.begin_sync(node);
                    }
                    break;
                }
            }
        }
    }

    /// Sends a message on its way.
    pub(super) fn send(&mut self, from: usize, to: NodeId, message: N::Message) {
        let number = self.counts.sent;
        self.counts.sent += 1;
        let Some(to) = self.index(to) else {
            self.counts.lost += 1;
            self.trace.note(self.now, What::Drop, Some(from), None, number, Some(&message));
            return;
        };
        self.trace.note(self.now, What::Send, Some(from), Some(to), number, Some(&message));
        let ids = (self.slots[from].config.id, self.slots[to].config.id);
        self.post.send(number, ids.0, ids.1, self.now, &message);
        match self.network.send(from, to, self.now) {
            Fate::Arrives { at, again } => {
                if let Some(again) = again {
                    self.trace.note(self.now, What::Double, Some(from), Some(to), number, None);
                    let message = message.clone();
                    self.queue.push(again, Event::Deliver { from, to, number, message });
                }
                self.queue.push(at, Event::Deliver { from, to, number, message });
            }
            lost => {
                let (what, fate) = match lost {
                    Fate::Cut => (What::Cut, post::Fate::Cut),
                    _ => (What::Lose, post::Fate::Lost),
                };
                self.counts.lost += 1;
                self.post.end(number, self.now, fate);
                self.trace.note(self.now, what, Some(from), Some(to), number, None);
            }
        }
    }

    fn reply(&mut self, node: usize, id: RequestId, response: N::Response) {
        let token = Token(id.0);
        if !self.slots[node].close(token) {
            self.counts.strays += 1;
            self.trace.note(self.now, What::Stray, Some(node), None, id.0, Some(&response));
            return;
        }
        self.trace.note(self.now, What::Reply, Some(node), None, id.0, Some(&response));
        let node_id = self.slots[node].config.id;
        self.answer(node, Observed::Response { token, node: node_id, response });
    }

    /// A node stops because its disk failed it.
    fn disk_failed(&mut self, node: usize, error: &DiskError) {
        let disk = &mut self.slots[node].disk;
        let lost = match error {
            DiskError::SyncFailed => disk.sync_failed(),
            DiskError::Full | DiskError::Behind | DiskError::Corrupt { .. } => disk.process_dies(),
        };
        self.die(node, lost);
        self.out_stopped(node, error.to_string());
    }

    /// A node dies, and its open requests with it.
    pub(super) fn die(&mut self, node: usize, lost: usize) {
        self.counts.deaths += 1;
        self.trace.note(self.now, What::Crash, Some(node), None, lost as u64, None);
        let id = self.slots[node].config.id;
        for token in self.slots[node].die() {
            self.answer(node, Observed::Lost { token, node: id });
        }
        if let Err(stop) = self.look(node, &Happened::Died) {
            self.stop = Some(stop);
        }
    }
}
