//! What the nodes tell of themselves: asked now and then, remembered when it changes.

use futures_util::future::join_all;
use quorate_checkers::history::Nanos;
use quorate_targets::client::Client;
use quorate_targets::node::{NodeId, Status};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often nodes are asked.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// A node that takes longer does not answer.
const ANSWER_MAX: Duration = Duration::from_millis(150);
/// How many changes are remembered.
const CHANGES_MAX: usize = 100_000;
/// How long a cluster may be without a leader that answers before there is none.
const LEADER_MAX: Duration = Duration::from_secs(1);
/// How long to wait before it is asked again.
const LEADER_AGAIN: Duration = Duration::from_millis(50);

/// A change of a node's role, term or readiness, as a poll noticed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusChange {
    /// When it was noticed; up to the polling interval late.
    pub time: Nanos,
    /// Whose.
    pub node: NodeId,
    /// How it is since; `None`: it does not answer.
    pub status: Option<Status>,
}

/// Shared by who asks and who wants to know.
#[derive(Clone, Debug, Default)]
pub(super) struct Statuses(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    last: BTreeMap<NodeId, Status>,
    changes: Vec<StatusChange>,
}

impl Statuses {
    /// What each node said last, if it answered when it was asked last.
    pub(super) fn last(&self) -> BTreeMap<NodeId, Status> {
        self.lock().last.clone()
    }

    /// All changes so far.
    pub(super) fn changes(&self) -> Vec<StatusChange> {
        self.lock().changes.clone()
    }

    /// Asks all members again and again. Never returns.
    pub(super) async fn poll(self, client: Arc<Client>, members: Vec<NodeId>, epoch: Instant) {
        let mut ticks = interval(ASK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let answers = ask(&client, &members).await;
            self.update(&members, answers, Nanos(epoch.elapsed().as_nanos() as u64));
        }
    }

    fn update(&self, members: &[NodeId], answers: BTreeMap<NodeId, Status>, time: Nanos) {
        let mut known = self.lock();
        for node in members {
            let (before, status) = (known.last.get(node), answers.get(node));
            if before.map(essence) != status.map(essence) && known.changes.len() < CHANGES_MAX {
                known.changes.push(StatusChange { time, node: *node, status: status.cloned() });
            }
        }
        known.last = answers;
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What makes a change: not how far a log has grown.
fn essence(status: &Status) -> (&str, Option<NodeId>, u64, bool) {
    (&status.role, status.leader, status.term, status.ready)
}

/// Asks all members at once; those that do not answer in time are absent.
async fn ask(client: &Client, members: &[NodeId]) -> BTreeMap<NodeId, Status> {
    let answers = members.iter().map(|node| async {
        let status = timeout(ANSWER_MAX, client.status(*node)).await.ok().flatten()?;
        Some((*node, status))
    });
    join_all(answers).await.into_iter().flatten().collect()
}

/// Who leads now: of those that say so the one with the highest term. Waits a moment for an
/// election to end.
pub(super) async fn leader(client: &Client, members: &[NodeId]) -> Option<NodeId> {
    let until = Instant::now() + LEADER_MAX;
    loop {
        let leader = leader_of(&ask(client, members).await);
        if leader.is_some() || Instant::now() >= until {
            return leader;
        }
        tokio::time::sleep(LEADER_AGAIN).await;
    }
}

fn leader_of(statuses: &BTreeMap<NodeId, Status>) -> Option<NodeId> {
    let leaders = statuses.iter().filter(|(_, status)| status.role == "leader");
    leaders.max_by_key(|(_, status)| status.term).map(|(node, _)| *node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(role: &str, term: u64, commit: u64) -> Status {
        Status { role: role.into(), term, commit, ..Status::default() }
    }

    #[test]
    fn the_leader_is_the_one_of_the_highest_term() {
        let statuses = |of: &[(u16, &str, u64)]| {
            of.iter().map(|(id, role, term)| (NodeId(*id), status(role, *term, 0))).collect()
        };
        assert_eq!(leader_of(&statuses(&[])), None);
        assert_eq!(leader_of(&statuses(&[(1, "follower", 9), (2, "candidate", 9)])), None);
        let deposed = statuses(&[(1, "leader", 3), (2, "leader", 4), (3, "follower", 5)]);
        assert_eq!(leader_of(&deposed), Some(NodeId(2)));
    }

    #[test]
    fn only_changes_are_remembered() {
        let statuses = Statuses::default();
        let members = [NodeId(1), NodeId(2)];
        let told = |commit| BTreeMap::from([(NodeId(1), status("leader", 1, commit))]);
        statuses.update(&members, told(1), Nanos(10));
        statuses.update(&members, told(2), Nanos(20));
        statuses.update(&members, BTreeMap::new(), Nanos(30));
        let changes: Vec<_> = statuses
            .changes()
            .into_iter()
            .map(|c| (c.time.0, c.node.0, c.status.is_some()))
            .collect();
        assert_eq!(changes, [(10, 1, true), (30, 1, false)]);
        assert!(statuses.last().is_empty());
    }
}
