//! `quorate node`: host one node of a bundled database.

use super::wrong;
use crate::catalog;
use crate::plan::Disk;
use anyhow::Result;
use quorate_targets::host::{self, HostOptions};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Host one node of a bundled database in this process. `quorate run` does this for each node.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example, a cluster of one:\n  quorate node raft-kv --id n1 --listen 127.0.0.1:7001 --data /tmp/n1 &\n  curl -s -H 'content-type: application/json' 127.0.0.1:7001/kv -d '{\"op\":\"write\",\"key\":\"a\",\"value\":1}'\n  curl -s 127.0.0.1:7001/status"
)]
pub struct Args {
    /// Which database (`quorate list targets`)
    target: String,
    /// This node
    #[arg(long, value_name = "nX", value_parser = node_id)]
    id: NodeId,
    /// All members [default: this node and the peers]
    #[arg(long, value_name = "nX,nY", value_delimiter = ',', value_parser = node_id)]
    members: Vec<NodeId>,
    /// Where a peer listens (repeatable)
    #[arg(long = "peer", value_name = "nX=ADDR", value_parser = peer)]
    peers: Vec<(NodeId, SocketAddr)>,
    /// Where clients ask
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where peers send
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    peer_listen: SocketAddr,
    /// Where the journal lives
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What is lost when the process is killed
    #[arg(long, value_enum, default_value = "sync")]
    disk: Disk,
    /// Decides the node's randomness
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Switch on a seeded bug (repeatable)
    #[arg(long = "bug", value_name = "NAME")]
    bugs: Vec<String>,
    /// Set an option of the target (repeatable)
    #[arg(long = "target-opt", value_name = "K=V")]
    options: Vec<String>,
    /// End when the process with this number, our parent, ends
    #[arg(long, value_name = "PID")]
    parent: Option<u32>,
}

fn node_id(text: &str) -> Result<NodeId, String> {
    text.strip_prefix('n')
        .and_then(|number| number.parse().ok())
        .filter(|number| *number > 0)
        .map(NodeId)
        .ok_or_else(|| format!("{text:?} is not a node's name; write it like n1"))
}

fn peer(text: &str) -> Result<(NodeId, SocketAddr), String> {
    let (id, address) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} is not of the form n2=127.0.0.1:7002"))?;
    let address = address.parse().map_err(|_| format!("{address:?} is not an address with a port"))?;
    Ok((node_id(id)?, address))
}
