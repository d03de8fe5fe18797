//! A toy for tests of the simulator: a replicated number.
//!
//! A write is journalled by its coordinator and by each peer that it reaches, and answered when
//! a majority has it on disk. Every node beats now and then, so that something always happens.

#![allow(dead_code, reason = "each test uses some of it")]

use quorate_targets::node::{Config, Cx, Input, Node, NodeId, RequestId, Status};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Message {
    Store(u64),
    Stored(u64),
    Beat,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Replicate it, answer when a majority has it.
    Write(u64),
    /// The values that this node has journalled and may talk about.
    Read,
    /// Replace the journal by one record, and answer when that is done.
    Compact(u64),
    /// The node's clock.
    Clock,
    /// Arm the beat timer anew, for 10 ms.
    Rest,
    /// Never come to rest.
    Spin,
    /// Answer twice.
    Twice,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Response {
    Done,
    Values(Vec<u64>),
    Clock(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    Beat,
    Spin,
}

#[derive(Debug)]
pub(crate) struct Toy {
    config: Config,
    pub values: Vec<u64>,
    /// Writes under way: who asked, and how many have it.
    writes: BTreeMap<u64, (RequestId, usize)>,
    pub beats: u64,
    /// Times at which the beat timer fired, by the node's own clock.
    pub fired: Vec<u64>,
}

impl Toy {
    /// Journals a value; what is said next is said when it is on disk.
    fn store(&mut self, value: u64, cx: &mut Cx<'_, Toy>) {
        self.values.push(value);
        cx.append(value);
        cx.sync();
    }

    fn count(&mut self, value: u64, cx: &mut Cx<'_, Toy>) {
        let majority = self.config.members.len() / 2 + 1;
        let Some((id, nodes)) = self.writes.get_mut(&value) else { return };
        *nodes += 1;
        if *nodes == majority {
            cx.reply(*id, Response::Done);
            self.writes.remove(&value);
        }
    }

    fn request(&mut self, id: RequestId, request: &Request, cx: &mut Cx<'_, Toy>) {
        match *request {
            Request::Write(value) => {
                self.writes.insert(value, (id, 0));
                for peer in self.config.peers() {
                    cx.send(peer, Message::Store(value));
                }
                self.store(value, cx);
                self.count(value, cx);
            }
            Request::Read => cx.reply(id, Response::Values(self.values.clone())),
            Request::Compact(value) => {
                self.values = vec![value];
                cx.rewrite(vec![value]);
                cx.reply(id, Response::Done);
            }
            Request::Clock => cx.reply(id, Response::Clock(cx.now().0)),
            Request::Rest => {
                cx.set_timer(Timer::Beat, Duration::from_millis(10));
                cx.reply(id, Response::Done);
            }
            Request::Spin => cx.set_timer(Timer::Spin, Duration::ZERO),
            Request::Twice => {
                cx.reply(id, Response::Done);
                cx.reply(id, Response::Done);
            }
        }
    }
}

impl Node for Toy {
    const API: &'static str = "toy";
    type Message = Message;
    type Request = Request;
    type Response = Response;
    type Record = u64;
    type Timer = Timer;

    fn boot(config: Config, journal: Vec<u64>) -> Result<Toy, String> {
        if config.options.contains_key("refuse") {
            return Err("the options are wrong".into());
        }
        let (writes, fired) = (BTreeMap::new(), Vec::new());
        Ok(Toy { config, values: journal, writes, beats: 0, fired })
    }

    fn step(&mut self, input: Input<Toy>, cx: &mut Cx<'_, Toy>) {
        match input {
            Input::Start => cx.set_timer(Timer::Beat, Duration::from_millis(10)),
            Input::Request { id, request } => self.request(id, &request, cx),
            Input::Message { from, message: Message::Store(value) } => {
                self.store(value, cx);
                cx.send(from, Message::Stored(value));
            }
            Input::Message { message: Message::Stored(value), .. } => self.count(value, cx),
            Input::Message { message: Message::Beat, .. } => self.beats += 1,
            Input::Timer(Timer::Spin) => cx.set_timer(Timer::Spin, Duration::ZERO),
            Input::Timer(Timer::Beat) => {
                self.fired.push(cx.now().0);
                for peer in self.config.peers() {
                    cx.send(peer, Message::Beat);
                }
                let jitter = cx.rng().next_u64() % 1_000_000;
                cx.set_timer(Timer::Beat, Duration::from_nanos(10_000_000 + jitter));
            }
        }
    }

    fn status(&self) -> Status {
        Status { role: "toy".into(), commit: self.values.len() as u64, ..Status::default() }
    }
}

pub(crate) const N1: NodeId = NodeId(1);
pub(crate) const N2: NodeId = NodeId(2);
pub(crate) const N3: NodeId = NodeId(3);
