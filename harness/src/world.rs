//! The test's own seam: where operations and faults go, and where their outcomes come from.
//!
//! The interpreter drives a [`World`] and cannot tell which it is in: processes on this
//! machine, an in-process register without a cluster, or simulated
//! nodes in virtual time. A world never records anything; it only acts and tells.

mod injector;
mod lanes;
pub mod null;
pub mod processes;
mod statuses;

use crate::nemesis::{Action, FaultOutcome};
use quorate_checkers::history::Nanos;
use quorate_targets::api::{Outcome, Request};
use quorate_targets::node::{NodeId, Status};
use std::collections::BTreeMap;

/// Something that a world tells of.
#[derive(Debug)]
pub enum Happening {
    /// The operation of a thread ended.
    Completed {
        /// Which thread.
        thread: usize,
        /// What its client knows.
        outcome: Outcome,
    },
    /// The fault action that was begun last is done.
    Injected(FaultOutcome),
    /// A node ended that nobody had killed.
    NodeDied {
        /// Which.
        node: NodeId,
        /// Exit status and last log lines.
        reason: String,
    },
    /// The person at the keyboard wants the run to end (Ctrl-C).
    Interrupted,
}

/// Where operations and faults go.
pub trait World {
    /// Nanoseconds since the run began.
    fn now(&mut self) -> Nanos;

    /// Begins one operation of an idle thread, as a client of `node`.
    fn invoke(&mut self, thread: usize, node: NodeId, request: Request);

    /// Begins one fault action; at most one is under way at a time.
    fn inject(&mut self, action: &Action);

    /// Waits for the next happening, until the given time at the latest.
    fn poll(&mut self, until: Nanos) -> Option<Happening>;

    /// What each node last told of itself; a node that does not answer is absent.
    fn statuses(&mut self) -> BTreeMap<NodeId, Status>;
}
