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
    Store { number: u64, value: u64 },
    Stored { number: u64 },
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
}

#[derive(Debug)]
pub(crate) struct Toy {
    config: Config,
    pub values: Vec<u64>,
    numbers: u64,
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

    fn count(&mut self, number: u64, cx: &mut Cx<'_, Toy>) {
        let majority = self.config.members.len() / 2 + 1;
        let Some((id, nodes)) = self.writes.get_mut(&number) else { return };
        *nodes += 1;
        if *nodes == majority {
            cx.reply(*id, Response::Done);
            self.writes.remove(&number);
        }
    }

    fn request(&mut self, id: RequestId, request: &Request, cx: &mut Cx<'_, Toy>) {
        match *request {
            Request::Write(value) => {
                self.numbers += 1;
                let number = self.numbers;
                self.writes.insert(number, (id, 0));
                for peer in self.config.peers() {
                    cx.send(peer, Message::Store { number, value });
                }
                self.store(value, cx);
                self.count(number, cx);
            }
            Request::Read => cx.reply(id, Response::Values(self.values.clone())),
            Request::Compact(value) => {
                self.values = vec![value];
                cx.rewrite(vec![value]);
                cx.reply(id, Response::Done);
            }
            Request::Clock => cx.reply(id, Response::Clock(cx.now().0)),
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
        Ok(Toy { config, values: journal, numbers: 0, writes, beats: 0, fired })
    }

    fn step(&mut self, input: Input<Toy>, cx: &mut Cx<'_, Toy>) {
        match input {
            Input::Start => cx.set_timer(Timer::Beat, Duration::from_millis(10)),
            Input::Request { id, request } => self.request(id, &request, cx),
            Input::Message { from, message: Message::Store { number, value } } => {
                self.store(value, cx);
                cx.send(from, Message::Stored { number });
            }
            Input::Message { message: Message::Stored { number }, .. } => self.count(number, cx),
            Input::Message { message: Message::Beat, .. } => self.beats += 1,
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
