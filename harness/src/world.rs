//! The test's own seam: where operations and faults go, and where their outcomes come from.
//!
//! The interpreter drives a [`World`] and cannot tell which it is in: [`processes`] on this
//! machine, nodes in virtual time ([`sim`]), or a register inside the harness ([`null`]). A world
//! never records anything; it only acts and tells.

mod injector;
mod lanes;
pub mod null;
pub mod processes;
pub mod sim;
mod statuses;

use crate::cluster::Setup;
use crate::interrupt::{self, EXIT_INTERRUPTED};
use crate::messages::Message;
use crate::nemesis::{Action, FaultOutcome};
use crate::plan::{Disk, Plan};
use anyhow::{Context, Result};
use null::Null;
use processes::Processes;
use quorate_checkers::history::Nanos;
use quorate_targets::api::{Outcome, Request};
use quorate_targets::caller::Policy;
use quorate_targets::node::{NodeId, Status};
use quorate_targets::sim::{Cluster, Turn};
use sim::Simulated;
use std::collections::BTreeMap;
use std::path::Path;

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
    /// The simulation cannot go on: an invariant does not hold, or time stands still.
    Stopped {
        /// Which: a short name.
        what: String,
        /// What was seen, in a sentence.
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

    /// All that surrounds the nodes, but for faults, is at its best from now on: they have no
    /// excuse any more. Only a simulation knows bad weather.
    fn calm(&mut self) {}

    /// The simulated cluster behind it, if it is one: its trace and its counters.
    fn simulation(&self) -> Option<&dyn Cluster> {
        None
    }

    /// The messages between the nodes so far, as many as are remembered.
    fn messages(&mut self) -> Vec<Message> {
        Vec::new()
    }

    /// The changes of role or term since this was last asked, where they are known exactly: in a
    /// simulation.
    fn turns(&mut self) -> Vec<Turn> {
        Vec::new()
    }

    /// Ends the world in order. Nothing of it runs afterwards, also if it fails.
    fn stop(self: Box<Self>) -> Result<()>;
}

/// Who leads: of those that say so the one with the highest term.
pub fn leader(statuses: &BTreeMap<NodeId, Status>) -> Option<NodeId> {
    let leaders = statuses.iter().filter(|(_, status)| status.role == "leader");
    leaders.max_by_key(|(_, status)| status.term).map(|(node, _)| *node)
}

/// Opens the world that a plan asks for: starts its nodes, in `folder`, and its clients.
pub fn open(plan: &Plan, folder: &Path) -> Result<Box<dyn World>> {
    if let Some(weather) = plan.weather {
        let options = sim::Options::of_plan(plan, weather);
        let mut world = Simulated::new(&options)?;
        world.heed(interrupt::listen()?);
        return Ok(Box::new(world));
    }
    // The nodes die with us.
    let second_interrupt = Box::new(|| std::process::exit(EXIT_INTERRUPTED));
    if plan.nodes == 0 {
        let world = Null::new(plan.concurrency, second_interrupt)
            .context("cannot start the threads that drive the run")?;
        return Ok(Box::new(world));
    }
    let program = std::env::current_exe().context("cannot find our own binary")?;
    let setup = Setup {
        program,
        arguments: vec!["node".into(), plan.target.clone()],
        members: plan.members(),
        lazy_disk: plan.disk == Disk::Lazy,
        seed: plan.seed,
        bugs: plan.bugs.clone(),
        options: plan.target_options.clone(),
        folder: folder.to_path_buf(),
        ready_max: plan.limits.startup,
    };
    let options = processes::Options {
        setup,
        threads: plan.concurrency,
        policy: Policy::default(),
        second_interrupt,
    };
    Ok(Box::new(Processes::start(options)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leader_is_the_one_of_the_highest_term() {
        let statuses = |of: &[(u16, &str, u64)]| {
            of.iter()
                .map(|(id, role, term)| {
                    let status = Status { role: (*role).into(), term: *term, ..Status::default() };
                    (NodeId(*id), status)
                })
                .collect()
        };
        assert_eq!(leader(&statuses(&[])), None);
        assert_eq!(leader(&statuses(&[(1, "follower", 9), (2, "candidate", 9)])), None);
        let deposed = statuses(&[(1, "leader", 3), (2, "leader", 4), (3, "follower", 5)]);
        assert_eq!(leader(&deposed), Some(NodeId(2)));
    }
}
