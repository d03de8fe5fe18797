//! One interactive transaction at its node: what it sees, and what its commit asks for.

use super::Isolation;
use super::draft::{Draft, Sight};
use crate::api::txn::{Kind, MicroOp, Response};
use crate::bugs::Bug;
use crate::node::Config;
use crate::raft::command::{Transact, Work, Write};
use crate::raft::log::Index;
use crate::raft::store::{Past, Store};
use std::collections::BTreeMap;

/// A transaction.
#[derive(Debug)]
pub(super) struct Open {
    /// The place whose state it sees, where the level has it look at one state only.
    pub(super) snapshot: Option<Index>,
    pub(super) draft: Draft,
    /// The number of its last operation, with what was answered.
    last: (u32, Option<Response>),
    pub(super) state: State,
    /// How often it was found idle since it was last heard of.
    pub(super) idle: u32,
    /// Writes of others that it sees though the log has not ordered them (bug `long-fork`).
    early: Vec<Write>,
}

/// Where a transaction stands.
#[derive(Debug)]
pub(super) enum State {
    /// Operations come.
    Active,
    /// Its commit was asked for, and this is on its way.
    Committing(Transact),
    /// It is over.
    Ended(Response),
}

/// What there is at the node that the transaction is at.
pub(super) struct Surroundings<'a> {
    pub(super) config: &'a Config,
    pub(super) isolation: Isolation,
    pub(super) store: &'a Store,
    pub(super) past: &'a Past,
    /// How far `store` has come.
    pub(super) applied: Index,
    /// The drafts of others that are open here, the oldest first.
    pub(super) others: Vec<&'a Draft>,
}

impl Open {
    pub(super) fn new(snapshot: Option<Index>, early: Vec<Write>) -> Open {
        let (draft, state) = (Draft::default(), State::Active);
        Open { snapshot, draft, last: (0, None), state, idle: 0, early }
    }

    /// The writes that it waits to see committed.
    pub(super) fn committing(&self) -> Option<&Transact> {
        match &self.state {
            State::Committing(transact) => Some(transact),
            State::Active | State::Ended(_) => None,
        }
    }

    /// The answer to a repeated operation; an error if it is neither that nor the next one.
    pub(super) fn repeated(&self, number: u32) -> Result<Option<Response>, Response> {
        if let State::Ended(end) = &self.state {
            return Ok(Some(end.clone()));
        }
        match &self.last {
            (last, Some(answer)) if *last == number => Ok(Some(answer.clone())),
            (last, _) if last + 1 == number && matches!(self.state, State::Active) => Ok(None),
            (last, _) => {
                let reason = format!("operation {number} comes after {last}");
                Err(Response::Gone { reason })
            }
        }
    }

    /// Does its next operation.
    pub(super) fn step(
        &mut self,
        number: u32,
        op: &MicroOp,
        around: &Surroundings<'_>,
    ) -> Response {
        let bug = |bug| around.config.has(bug);
        let MicroOp(kind, key, _) = op;
        let reads_own = *kind == Kind::R && self.draft.has_written(key);
        if reads_own && self.draft.has_appended(key) && !around.isolation.has_snapshot() {
            self.draft.reread.entry(key.clone()).or_insert(around.applied);
        }
        let sight = see(self.snapshot, &self.early, &self.draft, key, around);
        let result = if reads_own && bug(Bug::InternalInconsistency) {
            // Its own writes are forgotten for this one read.
            Draft::default().perform(op, &sight)
        } else {
            self.draft.perform(op, &sight)
        };
        let answer = match result {
            Ok(step) => Response::Step { step },
            Err(reason) => {
                let end = Response::Aborted { reason };
                self.state = State::Ended(end.clone());
                end
            }
        };
        self.last = (number, Some(answer.clone()));
        answer
    }

    /// What its commit asks of the log.
    pub(super) fn commit(&self, isolation: Isolation, config: &Config) -> Work {
        let mut unchanged = BTreeMap::new();
        let mut unchanged_below = BTreeMap::new();
        let writes = self.draft.writes().to_vec();
        let written = writes.iter().map(|write| write.key().to_owned());
        let looked_at = self.draft.looked_at.iter().cloned();
        let scanned = self.draft.scanned.iter().cloned();
        let checks_reads =
            isolation >= Isolation::Serializable && !config.has(Bug::WriteSkewUnderSerializable);
        match self.snapshot {
            None => unchanged.clone_from(&self.draft.reread),
            Some(_) if config.has(Bug::LostUpdate) => {}
            Some(place) if checks_reads => {
                unchanged.extend(written.chain(looked_at).map(|key| (key, place)));
                unchanged_below.extend(scanned.map(|prefix| (prefix, place)));
            }
            Some(place) => unchanged.extend(written.map(|key| (key, place))),
        }
        Work::Commit { unchanged, unchanged_below, writes }
    }
}

/// What a transaction sees of `key`, its own writes apart.
fn see<'a>(
    snapshot: Option<Index>,
    early: &'a [Write],
    own: &Draft,
    key: &str,
    around: &'a Surroundings<'a>,
) -> Sight<'a> {
    let bug = |bug| around.config.has(bug);
    let again = own.looked_at.contains(key) && bug(Bug::NonRepeatableRead);
    let sight = match snapshot {
        Some(place) if !again && !bug(Bug::ReadSkew) => {
            Sight::then(around.store, place, around.past)
        }
        _ => Sight::now(around.store),
    };
    let dirty = around.isolation == Isolation::ReadUncommitted || bug(Bug::DirtyRead);
    if dirty && !own.has_written(key) {
        // Of several that write the same key the oldest is seen: they do not see each other.
        let writer = around.others.iter().find(|draft| draft.has_written(key));
        return sight.with(writer.map_or_else(Vec::new, |draft| draft.writes().iter().collect()));
    }
    sight.with(early.iter().collect())
}
