//! How many requests a second one process of clients gets through:
//!
//! ```text
//! cargo run --release -p quorate-targets --features client --example load -- \
//!     16 5 127.0.0.1:7001 127.0.0.1:7002 127.0.0.1:7003
//! ```
//!
//! The arguments: number of clients, seconds, and the client address of each node. Half of the
//! requests are reads, half are writes, spread over eight keys.

use quorate_targets::api::{Outcome, Request, Response, kv};
use quorate_targets::caller::Policy;
use quorate_targets::client::{AddressBook, Client};
use quorate_targets::node::NodeId;
use serde_json::json;
use std::error::Error;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [clients, seconds, addrs @ ..] = args.as_slice() else {
        return Err("usage: load CLIENTS SECONDS ADDR...".into());
    };
    let (clients, seconds): (u64, u64) = (clients.parse()?, seconds.parse()?);
    let book = AddressBook::default();
    for (id, addr) in (1..).zip(addrs) {
        book.set(NodeId(id), Some(addr.parse()?));
    }
    let nodes = addrs.len() as u64;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut tasks = JoinSet::new();
        for number in 0..clients {
            let node = NodeId((number % nodes) as u16 + 1);
            let client = Client::new(book.clone(), Policy::default())?;
            tasks.spawn(drive(client, node, number, end));
        }
        let (mut done, mut failed, mut slowest) = (0, 0, Duration::ZERO);
        while let Some(result) = tasks.join_next().await {
            let (good, bad, slow) = result?;
            (done, failed, slowest) = (done + good, failed + bad, slowest.max(slow));
        }
        eprintln!("{} answered a second, {failed} not, slowest {slowest:?}", done / seconds);
        Ok(())
    })
}

/// How many requests were answered, how many were not, and the longest that one took.
async fn drive(
    mut client: Client,
    node: NodeId,
    number: u64,
    end: Instant,
) -> (u64, u64, Duration) {
    let (mut done, mut failed, mut slowest) = (0, 0, Duration::ZERO);
    for seq in 1.. {
        let began = Instant::now();
        if began >= end {
            break;
        }
        let key = format!("k{}", (number + seq) % 8);
        let op = match seq % 2 {
            0 => kv::Op::Read { key },
            _ => kv::Op::Write { key, value: json!(number * 1_000_000 + seq) },
        };
        // Sessions are for ever: another run must not take up this one's.
        let client_id = (u64::from(std::process::id()) << 32) + number;
        let session = Some(kv::Session { client: client_id, seq });
        let outcome = client.call(node, Request::Kv(kv::Request { op, session })).await;
        match outcome {
            Outcome::Answered(Response::Kv(kv::Response::Value { .. } | kv::Response::Done)) => {
                done += 1;
            }
            other => {
                eprintln!("client {number}, request {seq}: {other:?}");
                failed += 1;
            }
        }
        slowest = slowest.max(began.elapsed());
    }
    (done, failed, slowest)
}
