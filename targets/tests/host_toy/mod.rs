//! A key-value node for tests of the host and the client. Each node answers from its own map;
//! a write is synced before it is acknowledged, and then told to the peers. A read of a key
//! that has no value waits until it has one: so a test can wait for an event without sleeping,
//! and a request can stay without an answer for ever.

use quorate_targets::api::kv::{Op, Request, Response};
use quorate_targets::node::{Config, Cx, Input, Node, NodeId, RequestId, Status};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct Toy {
    peers: Vec<NodeId>,
    map: BTreeMap<String, Value>,
    waiting: Vec<(String, RequestId)>,
}

impl Toy {
    /// A write to a key that begins so is acknowledged before it is on disk.
    pub(crate) const UNSYNCED: &str = "unsynced";

    fn put(&mut self, key: &str, value: &Value, cx: &mut Cx<'_, Self>) {
        self.map.insert(key.to_owned(), value.clone());
        for (_, id) in self.waiting.extract_if(.., |(wanted, _)| wanted == key) {
            cx.reply(id, Response::Value { value: value.clone() });
        }
    }

    fn serve(&mut self, id: RequestId, op: Op, cx: &mut Cx<'_, Self>) {
        match op {
            Op::Read { key } => match self.map.get(&key) {
                Some(value) => cx.reply(id, Response::Value { value: value.clone() }),
                None => self.waiting.push((key, id)),
            },
            Op::Write { key, value } => {
                cx.append((key.clone(), value.clone()));
                if !key.starts_with(Self::UNSYNCED) {
                    cx.sync();
                }
                cx.reply(id, Response::Done);
                for peer in &self.peers {
                    cx.send(*peer, (key.clone(), value.clone()));
                }
                self.put(&key, &value, cx);
            }
            Op::Cas { .. } => {
                cx.reply(id, Response::Error { definite: true, reason: "no cas here".into() });
            }
        }
    }
}

impl Node for Toy {
    const API: &'static str = "kv";
    type Message = (String, Value);
    type Request = Request;
    type Response = Response;
    type Record = (String, Value);
    type Timer = ();

    fn boot(config: Config, journal: Vec<Self::Record>) -> Result<Self, String> {
        if let Some(option) = config.options.keys().next() {
            return Err(format!("the toy has no option {option}"));
        }
        let map = journal.into_iter().collect();
        Ok(Toy { peers: config.peers().collect(), map, waiting: Vec::new() })
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_, Self>) {
        match input {
            Input::Message { message: (key, value), .. } => self.put(&key, &value, cx),
            Input::Request { id, request } => self.serve(id, request.op, cx),
            Input::Start | Input::Timer(()) => {}
        }
    }

    fn status(&self) -> Status {
        Status { role: "toy".into(), applied: self.map.len() as u64, ..Status::default() }
    }
}
