//! What must hold over all nodes at any time, checked after every event of a simulation.
//!
//! * *Enough have it*: an update that is acknowledged is at that moment held by as many nodes as
//!   the write quorum says (`DeCandia` et al. 2007, section 4.5). Nodes that are down count: they
//!   said so, and had it on disk.
//! * *Restarts forget nothing*: a home that held an acknowledged update holds it after a restart.
//! * *Replicas only grow*: what a replica takes in never takes away what it had, so that all who
//!   have seen the same are the same (Shapiro et al. 2011, section 2.2).
//!
//! That replicas agree after healing, and that removed elements stay away, shows only in the end:
//! soaks and checkers look at that. Interesting states are counted ([`Invariants::sometimes`]).

use super::{Acknowledged, Cell, Eventual, Key, Message, Record};
use crate::node::{Effect, Input, NodeId};
use crate::sim::{Coverage, Happened, Observer, Sometimes, View, Violation};
use std::collections::BTreeMap;

/// States that should be reached now and then.
const STATES: &[&str] = &[
    "a comparison brought something new",
    "a hint was delivered",
    "a hint was kept",
    "a journal was rewritten",
    "a read repaired a replica",
    "a retry repeated its update",
    "a stand-in was asked",
    "a tombstone was forgotten",
    "replicas were behind a session",
    "siblings were returned",
    "trees differed",
    "trees were equal",
];

/// The observer of a simulated cluster.
#[derive(Debug)]
pub struct Invariants {
    /// What each home held of acknowledged updates.
    held: BTreeMap<NodeId, BTreeMap<Key, Cell>>,
    /// What the node had that is about to take something in.
    before: Vec<(Key, Cell)>,
    sometimes: Sometimes,
}

impl Default for Invariants {
    fn default() -> Invariants {
        let sometimes = Sometimes::declare(STATES);
        Invariants { held: BTreeMap::new(), before: Vec::new(), sometimes }
    }
}

impl Invariants {
    /// How often the interesting states were reached.
    pub fn sometimes(&self) -> &Sometimes {
        &self.sometimes
    }

    /// All updates that this step acknowledged are held by enough nodes.
    fn acknowledged(
        &mut self,
        view: &View<'_, Eventual>,
        id: NodeId,
        node: &Eventual,
    ) -> Result<(), String> {
        for Acknowledged { key, cell: update, quorum, by } in node.acknowledged() {
            // A delete may be forgotten by all as soon as all have it.
            if update.has_tombstones(u64::MAX) {
                continue;
            }
            let down = view.members() - view.nodes().count();
            let holds = |other: &Eventual| other.cell(key).is_some_and(|cell| cell.covers(update));
            let holders = view.nodes().filter(|(_, other)| holds(other)).count();
            if holders + down < *quorum {
                return Err(format!(
                    "an update of {key:?} was acknowledged, and {holders} of {quorum} hold it"
                ));
            }
            // The coordinator's own disk may still be at work; the answer waits for it.
            let homes = node.homes_of(key).into_iter();
            for home in homes.filter(|home| by.contains(home) && *home != id) {
                let held = self.held.entry(home).or_default();
                match held.get_mut(key) {
                    Some(known) => known.merge(update),
                    None => {
                        held.insert(key.clone(), update.clone());
                    }
                }
            }
        }
        Ok(())
    }

    fn restarted(&self, id: NodeId, node: &Eventual) -> Result<(), String> {
        let lost =
            |(key, held): &(&Key, &Cell)| !node.cell(key).is_some_and(|cell| cell.covers(held));
        match self.held.get(&id).into_iter().flatten().find(lost) {
            Some((key, _)) => Err(format!("{id} has lost an acknowledged update of {key:?}")),
            None => Ok(()),
        }
    }

    fn grown(&mut self, id: NodeId, node: &Eventual) -> Result<(), String> {
        for (key, before) in std::mem::take(&mut self.before) {
            if !node.cell(&key).is_some_and(|cell| cell.covers(&before)) {
                return Err(format!("{id} has lost something of {key:?} in a merge"));
            }
        }
        Ok(())
    }

    /// Forgotten tombstones no longer need to be held.
    fn forgive(&mut self, effects: &[Effect<Eventual>]) {
        for effect in effects {
            if let Effect::Append(Record::Purged { key, .. }) = effect {
                self.held.values_mut().for_each(|held| {
                    held.remove(key);
                });
            }
        }
    }
}

impl Observer<Eventual> for Invariants {
    fn before(&mut self, view: &View<'_, Eventual>, id: NodeId, input: &Input<Eventual>) {
        self.before.clear();
        let (Some(node), Input::Message { message, .. }) = (view.node(id), input) else { return };
        let keys: Vec<&Key> = match message {
            Message::Put { key, .. } => vec![key],
            Message::Cells { cells, .. } => cells.iter().map(|(key, _)| key).collect(),
            _ => return,
        };
        let had = |key: &Key| Some((key.clone(), node.cell(key)?));
        self.before.extend(keys.into_iter().filter_map(had));
    }

    fn after(
        &mut self,
        view: &View<'_, Eventual>,
        id: NodeId,
        happened: &Happened<'_, Eventual>,
    ) -> Result<(), Violation> {
        let Some(node) = view.node(id) else { return Ok(()) };
        let at = view.now();
        let broken = |property| move |detail| Violation { property, at, detail };
        match happened {
            Happened::Died => Ok(()),
            Happened::Booted => self.restarted(id, node).map_err(broken("restarts forget nothing")),
            Happened::Stepped(effects) => {
                node.sights().iter().for_each(|sight| self.sometimes.saw(sight));
                self.forgive(effects);
                self.grown(id, node).map_err(broken("replicas only grow"))?;
                self.acknowledged(view, id, node).map_err(broken("enough have it"))
            }
        }
    }
}

impl Coverage for Invariants {
    fn coverage(&self) -> Sometimes {
        self.sometimes.clone()
    }
}
