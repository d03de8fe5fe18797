//! Hosts one node by hand, without the harness:
//!
//! ```text
//! cargo run -p quorate-targets --features host --example node -- \
//!     raft-kv 1 127.0.0.1:7001 127.0.0.1:7101 /tmp/n1 2=127.0.0.1:7102 3=127.0.0.1:7103
//! ```
//!
//! The arguments: target, number of the node, address for clients, address for peers, data
//! directory, and number and address of each peer. It says on stderr why it stops.

use quorate_targets::host::{self, Disk, HostOptions};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(options) = options(&args) else {
        eprintln!("usage: node TARGET ID CLIENT_ADDR PEER_ADDR DATA [PEER=ADDR]...");
        return ExitCode::from(254);
    };
    let Err(error) = host::run(&options) else { return ExitCode::SUCCESS };
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        eprintln!("{error}");
        cause = error.source();
    }
    ExitCode::from(if error.is_usage() { 254 } else { 255 })
}

fn options(args: &[String]) -> Option<HostOptions> {
    let [target, id, client, peer, data, peers @ ..] = args else { return None };
    let mut options = HostOptions::new(target, NodeId(id.parse().ok()?), data);
    options.client_listen = client.parse().ok()?;
    options.peer_listen = peer.parse().ok()?;
    options.disk = Disk::Lazy;
    options.seed = Seed(u64::from(options.id.0));
    for peer in peers {
        let (id, addr) = peer.split_once('=')?;
        let id = NodeId(id.parse().ok()?);
        options.members.push(id);
        options.peers.insert(id, addr.parse().ok()?);
    }
    Some(options)
}
