//! What the workloads over eventually consistent stores share: keys that fill up one after the
//! other, and final reads at every node until the replicas agree.

use crate::generator::settle::{Patience, settle};
use crate::generator::{Combine, Generator, Invocation};
use quorate_targets::api::store::Request;
use quorate_targets::node::NodeId;
use std::time::Duration;

/// How long replicas have to agree after the healing.
pub const PATIENCE: Patience = Patience {
    least: Duration::from_secs(3),
    most: Duration::from_secs(12),
    gap: Duration::from_millis(400),
};

/// Reads of these keys at each of these nodes, until all agree.
pub fn final_reads(keys: impl Iterator<Item = String>, nodes: &[NodeId]) -> Box<dyn Generator> {
    let at_each =
        |key: String| nodes.iter().map(move |node| Invocation::new("read").key(&*key).at(*node));
    settle(keys.flat_map(at_each).collect(), PATIENCE).boxed()
}

/// A read that is to show what one replica has, in the final phase.
pub(crate) fn of_one(request: Request, finale: bool) -> Request {
    let read_quorum = if finale && request.op.reads() { Some(1) } else { request.read_quorum };
    Request { read_quorum, ..request }
}
