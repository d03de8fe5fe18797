//! The bundled databases by name. A new one is one line here.

use super::{HostError, HostOptions, run_node};
use crate::eventual::Eventual;
use crate::raft::RaftKv;

type Run = fn(&HostOptions) -> Result<(), HostError>;

const TARGETS: &[(&str, Run)] =
    &[("raft-kv", run_node::<RaftKv>), ("eventual", run_node::<Eventual>)];

/// Hosts a node of the target that `options` name.
pub(super) fn run(options: &HostOptions) -> Result<(), HostError> {
    match TARGETS.iter().find(|(name, _)| *name == options.target) {
        Some((_, run)) => run(options),
        None => Err(HostError::UnknownTarget {
            name: options.target.clone(),
            known: TARGETS.iter().map(|(name, _)| *name).collect(),
        }),
    }
}
