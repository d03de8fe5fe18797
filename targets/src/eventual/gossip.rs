//! Who is alive (`DeCandia` et al. 2007, section 4.8.3; van Renesse et al., *A Gossip-Style Failure
//! Detection Service*, 1998).
//!
//! Each node counts its own signs of life and tells a random other what it has heard of all. Who
//! has not been heard of for a while is suspected: others stand in for it. A suspicion is local,
//! may be wrong, and costs nothing but a detour. Time is counted in own gossips, not by the clock,
//! which may jump.

use super::Eventual;
use super::message::{Beat, Message, Timer};
use crate::node::{Config, Cx, NodeId};
use rand::RngExt;
use std::collections::BTreeMap;

/// What was heard of whom.
#[derive(Clone, Debug)]
pub(super) struct Detector {
    id: NodeId,
    suspect_after: u64,
    /// How many gossips this node has sent.
    ticks: u64,
    heard: BTreeMap<NodeId, (Beat, u64)>,
}

impl Detector {
    pub(super) fn new(config: &Config, suspect_after: u64) -> Detector {
        let heard = config.members.iter().map(|id| (*id, (Beat::default(), 0))).collect();
        Detector { id: config.id, suspect_after, ticks: 0, heard }
    }

    /// This node lives its n-th life.
    pub(super) fn born(&mut self, boot: u64) {
        self.heard.insert(self.id, (Beat { boot, count: 0 }, 0));
    }

    /// Whether a node may be counted on. Nobody is suspected by one that has just begun.
    pub(super) fn alive(&self, node: NodeId) -> bool {
        let since = self.heard.get(&node).map_or(0, |(_, tick)| *tick);
        node == self.id || self.ticks - since <= self.suspect_after
    }

    /// A message came from it.
    pub(super) fn hear(&mut self, node: NodeId) {
        let ticks = self.ticks;
        if let Some((_, tick)) = self.heard.get_mut(&node) {
            *tick = ticks;
        }
    }

    fn beat(&mut self) {
        self.ticks += 1;
        if let Some((beat, tick)) = self.heard.get_mut(&self.id) {
            beat.count += 1;
            *tick = self.ticks;
        }
    }

    fn learn(&mut self, node: NodeId, beat: Beat) {
        let ticks = self.ticks;
        if let Some((known, tick)) = self.heard.get_mut(&node)
            && beat > *known
        {
            (*known, *tick) = (beat, ticks);
        }
    }

    fn beats(&self) -> Vec<(NodeId, Beat)> {
        self.heard.iter().map(|(node, (beat, _))| (*node, *beat)).collect()
    }
}

impl Eventual {
    /// The other members.
    fn peers(&self) -> Vec<NodeId> {
        self.config.peers().collect()
    }

    /// Another node, drawn; nothing where this one is alone.
    pub(super) fn random_peer(&self, cx: &mut Cx<'_, Eventual>) -> Option<NodeId> {
        let peers = self.peers();
        (!peers.is_empty()).then(|| peers[cx.rng().random_range(0..peers.len())])
    }

    pub(super) fn on_gossip_due(&mut self, cx: &mut Cx<'_, Eventual>) {
        self.detector.beat();
        if let Some(peer) = self.random_peer(cx) {
            let (beats, time) = (self.detector.beats(), self.clock.latest());
            self.send(peer, Message::Gossip { beats, time }, cx);
        }
        self.rearm(Timer::Gossip, cx);
    }

    pub(super) fn on_gossip(&mut self, beats: &[(NodeId, Beat)], time: u64) {
        self.clock.hear(time);
        for (node, beat) in beats {
            if *node != self.config.id {
                self.detector.learn(*node, *beat);
            }
        }
    }
}
