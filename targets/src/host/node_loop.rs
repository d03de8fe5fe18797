//! The one task that owns the node: takes inputs, steps the node, carries out its effects.
//!
//! Inputs are taken in batches: all that wait, up to a limit, are stepped one after the other,
//! then their effects are carried out together with one sync (see [`group_commit`]). While the
//! device syncs, nothing is stepped, and the next batch gathers. Timers are armed when their
//! step is over, not behind its sync: they order nothing.

use super::HostError;
use super::batch::group_commit;
use super::clock::Clock;
use super::http::REQUESTS_MAX;
use super::journal::{Journal, Storage};
use super::outbox::Outbox;
use super::peers;
use super::timers::Timers;
use crate::node::{Cx, Effect, Input, Node, NodeId, RequestId, Status};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

#[cfg(test)]
mod tests;

/// How many inputs one batch takes from the inbox; as many timers may fire in it.
const BATCH_MAX: usize = 256;
/// How many inputs may wait; who brings one more waits himself.
pub(super) const INBOX_MAX: usize = 1024;

/// What comes from outside.
pub(super) enum Mail<N: Node> {
    /// From a peer.
    Message { from: NodeId, message: N::Message },
    /// From a client.
    Request { request: N::Request, reply: oneshot::Sender<N::Response> },
    /// Somebody asks how the node stands.
    Status(oneshot::Sender<Status>),
}

/// The node and what it acts on.
pub(super) struct NodeLoop<N: Node, S> {
    pub(super) id: NodeId,
    pub(super) node: N,
    pub(super) journal: Journal<S>,
    pub(super) clock: Clock,
    pub(super) rng: ChaCha8Rng,
    pub(super) outboxes: BTreeMap<NodeId, Arc<Outbox>>,
    timers: Timers<N::Timer>,
    waiting: BTreeMap<RequestId, oneshot::Sender<N::Response>>,
    requests: u64,
    /// Of the batch so far, timers taken out.
    effects: Vec<Effect<N>>,
    /// The role and the term that the log told last.
    told: (String, u64),
}

impl<N: Node, S: Storage> NodeLoop<N, S> {
    pub(super) fn new(
        id: NodeId,
        node: N,
        journal: Journal<S>,
        clock: Clock,
        rng: ChaCha8Rng,
        outboxes: BTreeMap<NodeId, Arc<Outbox>>,
    ) -> Self {
        let timers = Timers::new();
        let (waiting, effects) = (BTreeMap::new(), Vec::new());
        let told = (String::new(), 0);
        NodeLoop {
            id,
            node,
            journal,
            clock,
            rng,
            outboxes,
            timers,
            waiting,
            requests: 0,
            effects,
            told,
        }
    }

    /// Runs the node until nobody can send to its inbox any more, or its journal fails: then
    /// nothing that was not synced has been said to anyone.
    pub(super) async fn run(
        &mut self,
        mut inbox: mpsc::Receiver<Mail<N>>,
    ) -> Result<(), HostError> {
        self.step(Input::Start);
        loop {
            self.carry_out().await?;
            let first = tokio::select! {
                biased;
                mail = inbox.recv() => match mail {
                    Some(mail) => Some(mail),
                    None => return Ok(()),
                },
                () = alarm(self.timers.next()) => None,
            };
            let rest = std::iter::from_fn(|| inbox.try_recv().ok());
            for mail in first.into_iter().chain(rest).take(BATCH_MAX) {
                self.take(mail);
            }
            self.fire();
            self.tell_turn();
        }
    }

    /// Logs a change of role or term: whoever reads the logs after a run looks for these first.
    fn tell_turn(&mut self) {
        let Status { role, term, .. } = self.node.status();
        if (&role, term) != (&self.told.0, self.told.1) {
            tracing::info!("{role} of term {term}");
            self.told = (role, term);
        }
    }

    fn take(&mut self, mail: Mail<N>) {
        match mail {
            Mail::Message { from, message } => self.step(Input::Message { from, message }),
            Mail::Request { request, reply } => {
                self.requests += 1;
                let id = RequestId(self.requests);
                self.waiting.insert(id, reply);
                if self.waiting.len() > 2 * REQUESTS_MAX {
                    self.waiting.retain(|_, reply| !reply.is_closed());
                }
                self.step(Input::Request { id, request });
            }
            // Who asked may be gone.
            Mail::Status(reply) => drop(reply.send(self.node.status())),
        }
    }

    fn fire(&mut self) {
        let now = Instant::now();
        for _ in 0..BATCH_MAX {
            let Some(timer) = self.timers.pop(now) else { return };
            self.step(Input::Timer(timer));
        }
    }

    fn step(&mut self, input: Input<N>) {
        let done = self.effects.len();
        let mut cx = Cx::new(self.clock.now(), &mut self.rng, &mut self.effects);
        self.node.step(input, &mut cx);
        let now = Instant::now();
        for effect in self.effects.split_off(done) {
            match effect {
                Effect::SetTimer { timer, after } => self.timers.set(timer, now + after),
                Effect::CancelTimer(timer) => self.timers.cancel(&timer),
                other => self.effects.push(other),
            }
        }
    }

    /// Carries out the effects of the batch, in an order that keeps the contract of
    /// [`crate::node`].
    async fn carry_out(&mut self) -> Result<(), HostError> {
        for effect in group_commit(std::mem::take(&mut self.effects)) {
            match effect {
                Effect::Append(record) => self.journal.append(&record)?,
                Effect::Sync => self.journal.sync().await?,
                Effect::Rewrite(records) => self.journal.rewrite(&records).await?,
                Effect::Send { to, message } => self.send(to, &message)?,
                Effect::Reply { id, response } => {
                    if let Some(reply) = self.waiting.remove(&id) {
                        // The client may be gone.
                        drop(reply.send(response));
                    }
                }
                Effect::SetTimer { .. } | Effect::CancelTimer(_) => {}
            }
        }
        Ok(self.journal.settle()?)
    }

    fn send(&self, to: NodeId, message: &N::Message) -> Result<(), HostError> {
        let Some(outbox) = self.outboxes.get(&to) else {
            tracing::warn!("a message to {to}, which is no peer, is dropped");
            return Ok(());
        };
        let frame = peers::encode(self.id, message).map_err(HostError::Encode)?;
        if frame.len() > peers::FRAME_BYTES_MAX {
            tracing::warn!("a message to {to} of {} bytes is dropped: too large", frame.len());
        } else {
            outbox.push(frame);
        }
        Ok(())
    }
}

async fn alarm(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
