//! Events arrive at their nodes: boots, messages, timers, requests.
//!
//! A node that is down takes nothing; one that is paused lets it wait. A wire is looked at again
//! when a message comes to its end, since it may have been cut or held meanwhile.

use super::event::{Event, Observed, Stop, Token};
use super::network::Gate;
use super::observe::{Happened, Observer};
use super::post;
use super::slot::{BACKLOG_MAX, Pause};
use super::timers::Due;
use super::trace::What;
use super::world::World;
use crate::node::{Input, Node, RequestId};

impl<N: Node, O: Observer<N>> World<N, O> {
    /// Carries one event out.
    pub(super) fn handle(&mut self, event: Event<N>) -> Result<(), Stop> {
        match event {
            Event::Boot { node, life } => self.boot(node, life),
            Event::Deliver { from, to, number, message } => self.arrive(from, to, number, message),
            Event::Timer { node, ticket, timer } => self.timer_due(node, ticket, timer),
            Event::Fire { node, life, timer } => {
                if self.slots[node].life != life {
                    return Ok(());
                }
                if self.slots[node].pause != Pause::Running {
                    self.pile_up(node, Event::Fire { node, life, timer });
                    return Ok(());
                }
                self.trace.note(self.now, What::Timer, Some(node), None, 0, Some(&timer));
                self.give(node, Input::Timer(timer))
            }
            Event::Request { node, token, request } => self.request(node, token, request),
            Event::Synced { node, life } => self.synced(node, life),
            Event::Resumed { node, life } => self.resumed(node, life),
            Event::Out(_) => Ok(()),
        }
    }

    fn boot(&mut self, node: usize, life: u32) -> Result<(), Stop> {
        let slot = &mut self.slots[node];
        if slot.life != life || !slot.booting {
            return Ok(());
        }
        slot.booting = false;
        let journal = slot.disk.boot().map_err(|error| error.to_string());
        let records = journal.as_ref().map_or(0, |journal| journal.len() as u64);
        match journal.and_then(|journal| N::boot(slot.config.clone(), journal)) {
            Ok(booted) => slot.node = Some(booted),
            Err(why) => {
                self.out_stopped(node, why);
                return Ok(());
            }
        }
        self.counts.events += 1;
        self.trace.note(self.now, What::Boot, Some(node), None, records, None);
        self.look(node, &Happened::Booted)?;
        self.step(node, Input::Start)
    }

    /// A message has come to the end of its wire.
    fn arrive(
        &mut self,
        from: usize,
        to: usize,
        number: u64,
        message: N::Message,
    ) -> Result<(), Stop> {
        let what = match self.network.gate(from, to) {
            Gate::Open if !self.slots[to].is_up() => What::Drop,
            Gate::Open if self.slots[to].pause == Pause::Running => {
                return self.deliver(from, to, number, message);
            }
            Gate::Open => {
                let event = Event::Deliver { from, to, number, message };
                if self.pile_up(to, event) { What::Hold } else { What::Drop }
            }
            Gate::Cut => What::Cut,
            Gate::Held if self.network.hold(from, to, (number, message)) => What::Hold,
            Gate::Held => What::Drop,
        };
        self.counts.lost += u64::from(what != What::Hold);
        match what {
            What::Hold => {}
            What::Cut => self.post.end(number, self.now, post::Fate::Cut),
            _ => self.post.end(number, self.now, post::Fate::Dropped),
        }
        self.trace.note(self.now, what, Some(from), Some(to), number, None);
        Ok(())
    }

    fn deliver(
        &mut self,
        from: usize,
        to: usize,
        number: u64,
        message: N::Message,
    ) -> Result<(), Stop> {
        self.counts.delivered += 1;
        self.post.end(number, self.now, post::Fate::Delivered);
        self.trace.note(self.now, What::Deliver, Some(to), Some(from), number, Some(&message));
        let from = self.slots[from].config.id;
        self.give(to, Input::Message { from, message })
    }

    fn timer_due(&mut self, node: usize, ticket: u64, timer: N::Timer) -> Result<(), Stop> {
        let slot = &mut self.slots[node];
        if slot.pause != Pause::Running {
            // What the node takes before it on waking may yet disarm the timer. A timer has one
            // event, so these need no limit.
            slot.backlog.push_back(Event::Timer { node, ticket, timer });
            return Ok(());
        }
        let (clock, count) = (slot.clock, slot.clock.count(self.now));
        match slot.timers.due(&timer, ticket, count, |deadline| clock.when(deadline)) {
            Due::Stale => Ok(()),
            Due::Later(at) => {
                self.queue.push(at, Event::Timer { node, ticket, timer });
                Ok(())
            }
            Due::Fire => {
                self.trace.note(self.now, What::Timer, Some(node), None, ticket, Some(&timer));
                self.give(node, Input::Timer(timer))
            }
        }
    }

    fn request(&mut self, node: usize, token: Token, request: N::Request) -> Result<(), Stop> {
        let id = self.slots[node].config.id;
        if !self.slots[node].is_up() {
            self.answer(node, Observed::Refused { token, node: id });
            return Ok(());
        }
        self.slots[node].open(token);
        if self.slots[node].pause != Pause::Running {
            self.pile_up(node, Event::Request { node, token, request });
            return Ok(());
        }
        self.serve(node, token, request)
    }

    fn serve(&mut self, node: usize, token: Token, request: N::Request) -> Result<(), Stop> {
        self.trace.note(self.now, What::Request, Some(node), None, token.0, Some(&request));
        self.give(node, Input::Request { id: RequestId(token.0), request })
    }

    /// An input for a paused node waits. `false` if there was no room, and it is lost.
    fn pile_up(&mut self, node: usize, event: Event<N>) -> bool {
        let backlog = &mut self.slots[node].backlog;
        let room = backlog.len() < BACKLOG_MAX;
        if room {
            backlog.push_back(event);
        }
        room
    }

    /// A paused node goes on: it takes all that has piled up, in order.
    fn resumed(&mut self, node: usize, life: u32) -> Result<(), Stop> {
        let slot = &mut self.slots[node];
        if slot.life != life || slot.pause != Pause::Waking {
            return Ok(());
        }
        slot.pause = Pause::Running;
        self.release(node);
        // A step may kill the node; then its backlog is gone with it.
        while let Some(event) = self.slots[node].backlog.pop_front() {
            match event {
                Event::Deliver { from, to, number, message } => {
                    self.deliver(from, to, number, message)?;
                }
                Event::Request { node, token, request } => self.serve(node, token, request)?,
                event => self.handle(event)?,
            }
        }
        Ok(())
    }

    /// A running node takes an input; it is an event of its own.
    fn give(&mut self, node: usize, input: Input<N>) -> Result<(), Stop> {
        self.counts.events += 1;
        self.step(node, input)
    }
}
