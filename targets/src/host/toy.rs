//! A node for tests that does what each request tells it to.

use crate::node::{Config, Cx, Input, Node, NodeId, Status};
use serde::{Deserialize, Serialize};

/// What to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Act {
    Append(u64),
    Sync,
    Rewrite(Vec<u64>),
    Send(NodeId, u64),
    Reply(u64),
}

#[derive(Clone, Debug)]
pub(super) struct Toy;

impl Node for Toy {
    const API: &'static str = "toy";
    type Message = u64;
    type Request = Vec<Act>;
    type Response = u64;
    type Record = u64;
    type Timer = u64;

    fn boot(_: Config, _: Vec<u64>) -> Result<Self, String> {
        Ok(Toy)
    }

    fn step(&mut self, input: Input<Self>, cx: &mut Cx<'_, Self>) {
        let Input::Request { id, request } = input else { return };
        for act in request {
            match act {
                Act::Append(record) => cx.append(record),
                Act::Sync => cx.sync(),
                Act::Rewrite(records) => cx.rewrite(records),
                Act::Send(to, message) => cx.send(to, message),
                Act::Reply(response) => cx.reply(id, response),
            }
        }
    }

    fn status(&self) -> Status {
        Status::default()
    }
}
