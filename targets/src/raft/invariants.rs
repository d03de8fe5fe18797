//! What must hold over all nodes at any time (paper, figure 3), checked after every event of a
//! simulation; one property a file. Each check costs O(what the event changed), but for the one
//! at an election, which walks the new leader's log.
//!
//! An invariant that was never put to the test proves nothing, so the interesting states are
//! counted as well ([`Invariants::sometimes`]).

mod commitment;
mod coverage;
mod election_safety;
mod leader_append_only;
mod leader_completeness;
mod log_matching;
mod monotonic;
mod state_machine_safety;

use super::{Entry, Index, RaftKv, Record, Term};
use crate::node::{Effect, Input, NodeId};
use crate::sim::{Coverage, Happened, Nanos, Observer, Sometimes, View, Violation};
use commitment::Commitment;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The observer of a simulated cluster.
#[derive(Debug)]
pub struct Invariants {
    election_safety: election_safety::Votes,
    log_matching: log_matching::Entries,
    commitment: Commitment,
    before: BTreeMap<NodeId, Before>,
    /// What each running node's log has, compacted entries included as far as they were seen.
    mirrors: BTreeMap<NodeId, Mirror>,
    sometimes: Sometimes,
}

/// A node as it was before its step.
#[derive(Clone, Debug)]
struct Before {
    term: Term,
    commit: Index,
    applied: Index,
    last: Index,
    leads: bool,
    knows_leader: bool,
}

/// One step of one node.
struct Step<'a> {
    id: NodeId,
    node: &'a RaftKv,
    before: Before,
    effects: &'a [Effect<RaftKv>],
}

/// A log with its compacted prefix, by place.
type Mirror = BTreeMap<Index, Arc<Entry>>;

impl Default for Invariants {
    fn default() -> Invariants {
        Invariants {
            election_safety: election_safety::Votes::default(),
            log_matching: log_matching::Entries::default(),
            commitment: Commitment::default(),
            before: BTreeMap::new(),
            mirrors: BTreeMap::new(),
            sometimes: Sometimes::declare(coverage::STATES),
        }
    }
}

impl Invariants {
    /// How often the interesting states were reached.
    pub fn sometimes(&self) -> &Sometimes {
        &self.sometimes
    }

    /// The entries that were committed, in order from place 1.
    pub fn committed(&self) -> &[Arc<Entry>] {
        self.commitment.entries()
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), (&'static str, String)> {
        let named = |name| move |detail| (name, detail);
        monotonic::check(step).map_err(named("monotonic terms and commits"))?;
        self.election_safety.check(step).map_err(named("election safety"))?;
        leader_append_only::check(step).map_err(named("leader append-only"))?;
        self.log_matching.check(step).map_err(named("log matching"))?;
        let mirror = self.mirrors.entry(step.id).or_default();
        update(mirror, step);
        state_machine_safety::check(step, mirror, &mut self.commitment)
            .map_err(named("state machine safety"))?;
        leader_completeness::check(step, &self.commitment).map_err(named("leader completeness"))?;
        coverage::count(step, &self.commitment, &mut self.sometimes);
        Ok(())
    }
}

impl Coverage for Invariants {
    fn coverage(&self) -> Sometimes {
        self.sometimes.clone()
    }
}

impl Observer<RaftKv> for Invariants {
    fn before(&mut self, view: &View<'_, RaftKv>, id: NodeId, input: &Input<RaftKv>) {
        let Some(node) = view.node(id) else { return };
        if let Input::Message { from, message } = input {
            self.election_safety.receive(*from, id, message);
        }
        coverage::count_input(node, input, &mut self.sometimes);
        self.before.insert(id, Before::of(node));
    }

    fn after(
        &mut self,
        view: &View<'_, RaftKv>,
        id: NodeId,
        happened: &Happened<'_, RaftKv>,
    ) -> Result<(), Violation> {
        let unsafe_machine = |detail| violation("state machine safety", view.now(), detail);
        self.commitment.release(view).map_err(unsafe_machine)?;
        let Some(node) = view.node(id) else { return Ok(()) };
        match happened {
            Happened::Died => {}
            Happened::Booted => {
                let log = node.log().iter().map(|(index, entry)| (index, Arc::clone(entry)));
                self.mirrors.insert(id, log.collect());
            }
            Happened::Stepped(effects) => {
                let Some(before) = self.before.remove(&id) else { return Ok(()) };
                let step = Step { id, node, before, effects };
                let violation = |(property, detail)| violation(property, view.now(), detail);
                self.check(&step).map_err(violation)?;
            }
        }
        Ok(())
    }
}

impl Before {
    fn of(node: &RaftKv) -> Before {
        Before {
            term: node.term(),
            commit: node.commit(),
            applied: node.applied(),
            last: node.log().last(),
            leads: node.is_leader(),
            knows_leader: node.leader.is_some(),
        }
    }
}

impl Step<'_> {
    /// The entries that were appended, with their places.
    fn appended(&self) -> impl Iterator<Item = (Index, &Arc<Entry>)> {
        self.effects.iter().filter_map(|effect| match effect {
            Effect::Append(Record::Entry { index, entry }) => Some((*index, entry)),
            _ => None,
        })
    }

    /// Whether the node began to lead in this step.
    fn elected(&self) -> bool {
        self.node.is_leader() && (!self.before.leads || self.before.term < self.node.term())
    }
}

/// Follows a node's log. (What is applied is taken off elsewhere: nothing asks for it again.)
fn update(mirror: &mut Mirror, step: &Step<'_>) {
    for effect in step.effects {
        match effect {
            Effect::Append(Record::Entry { index, entry }) => {
                mirror.split_off(index);
                mirror.insert(*index, Arc::clone(entry));
            }
            Effect::Rewrite(records) => {
                // A leader's state that does not fit the log has taken its place.
                let Some(Record::Snapshot(snapshot)) = records.first() else { continue };
                let here = mirror.get(&snapshot.index).map(|entry| entry.term);
                if here != Some(snapshot.term) {
                    mirror.clear();
                }
            }
            _ => {}
        }
    }
}

fn violation(property: &'static str, at: Nanos, detail: String) -> Violation {
    Violation { property, at, detail }
}
