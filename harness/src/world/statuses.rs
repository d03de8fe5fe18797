//! What the nodes tell of themselves: asked now and then.

use crate::world;
use futures_util::future::join_all;
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
/// How long a cluster may be without a leader that answers before there is none.
const LEADER_MAX: Duration = Duration::from_secs(1);
/// How long to wait before it is asked again.
const LEADER_AGAIN: Duration = Duration::from_millis(50);

/// What each node said last; shared by who asks and who wants to know.
#[derive(Clone, Debug, Default)]
pub(super) struct Statuses(Arc<Mutex<BTreeMap<NodeId, Status>>>);

impl Statuses {
    /// What each node said last, if it answered when it was asked last.
    pub(super) fn last(&self) -> BTreeMap<NodeId, Status> {
        self.lock().clone()
    }

    /// Asks all members again and again. Never returns.
    pub(super) async fn poll(self, client: Arc<Client>, members: Vec<NodeId>) {
        let mut ticks = interval(ASK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let answers = ask(&client, &members).await;
            *self.lock() = answers;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, Status>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        let leader = world::leader(&ask(client, members).await);
        if leader.is_some() || Instant::now() >= until {
            return leader;
        }
        tokio::time::sleep(LEADER_AGAIN).await;
    }
}
