//! Transactions over HTTP: the same call of a client at every level of isolation.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use quorate_targets::api::kv::Session;
use quorate_targets::api::txn::{self, Op, Response as Txn};
use quorate_targets::api::{Outcome, Request, Response};
use quorate_targets::caller::Policy;
use quorate_targets::client::{AddressBook, Client};
use quorate_targets::host::{Host, HostOptions, Sockets};
use quorate_targets::node::NodeId;
use quorate_targets::raft::{Isolation, RaftKv};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::oneshot;

/// Loopback is quick, but the machine may be busy.
const PATIENT: Policy = Policy {
    attempt: Duration::from_secs(20),
    total: Duration::from_secs(30),
    pause: Duration::from_millis(50),
};

fn request(ops: &Value, seq: u64) -> Request {
    let op = Op::Txn { ops: serde_json::from_value(ops.clone()).unwrap() };
    Request::Txn(txn::Request { op, session: Some(Session { client: 1, seq }) })
}

/// What a whole transaction gives; its reason where it aborts.
async fn call(client: &mut Client, ops: Value, seq: u64) -> Result<Value, String> {
    match client.call(NodeId(1), request(&ops, seq)).await {
        Outcome::Answered(Response::Txn(Txn::Committed { ops })) => {
            Ok(serde_json::to_value(ops).unwrap())
        }
        Outcome::Answered(Response::Txn(Txn::Aborted { reason })) => Err(reason),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_asks_the_same_at_every_level() {
    for (name, _) in Isolation::ALL {
        let dir = tempfile::tempdir().unwrap();
        let mut options = HostOptions::new("raft-kv", NodeId(1), dir.path());
        options.options.insert("isolation".into(), name.into());
        let sockets = Sockets::bind(&options).await.unwrap();
        let host = Host::<RaftKv>::start(&options, sockets).unwrap();
        let book = AddressBook::default();
        book.set(NodeId(1), Some(host.client_addr()));
        let (stop, stopped) = oneshot::channel::<()>();
        let node = tokio::spawn(host.run_until(async { drop(stopped.await) }));

        let mut client = Client::new(book, PATIENT).unwrap();
        let write = json!([["append", "x", 1], ["r", "x", null], ["add", "y", 5]]);
        let wrote = json!([["append", "x", 1], ["r", "x", [1]], ["add", "y", 5]]);
        assert_eq!(call(&mut client, write, 1).await, Ok(wrote), "{name}");
        let read = json!([["r", "x", null], ["r", "y", null], ["r", "z", null]]);
        let seen = json!([["r", "x", [1]], ["r", "y", 5], ["r", "z", null]]);
        assert_eq!(call(&mut client, read, 2).await, Ok(seen), "{name}");
        let take = json!([["w", "x", 9], ["take", "y", 6]]);
        let refusal = call(&mut client, take, 3).await.unwrap_err();
        assert!(refusal.contains("less than 6"), "{name}: {refusal}");
        let after = call(&mut client, json!([["r", "x", null]]), 4).await;
        assert_eq!(after, Ok(json!([["r", "x", [1]]])), "{name}: an aborted write stayed");

        stop.send(()).unwrap();
        node.await.unwrap().unwrap();
    }
}
