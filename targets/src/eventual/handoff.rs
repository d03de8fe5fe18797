//! Hints are delivered (`DeCandia` et al. 2007, section 4.6): what was kept for a home that was
//! away is offered to it again and again, and forgotten once it has it on disk.

use super::Eventual;
use super::message::{Key, Message, Record, Tag, Timer};
use crate::node::{Cx, NodeId};

/// The most hints that are offered at once.
const OFFERS_MAX: usize = 64;

/// A hint that was offered.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    home: NodeId,
    key: Key,
    /// The digest of what was sent: a hint that has grown since is offered again.
    digest: u64,
}

impl Eventual {
    pub(super) fn on_handoff_due(&mut self, cx: &mut Cx<'_, Eventual>) {
        // What was not acknowledged by now is offered anew.
        self.offered.clear();
        let alive = self.hints.iter().filter(|(home, _)| self.detector.alive(**home));
        let offers: Vec<_> = alive
            .flat_map(|(home, hints)| hints.iter().map(|(key, cell)| (*home, key, cell)))
            .take(OFFERS_MAX)
            .map(|(home, key, cell)| (home, key.clone(), cell.clone()))
            .collect();
        for (home, key, cell) in offers {
            let tag = self.next_tag();
            let offer = Offer { home, key: key.clone(), digest: cell.digest() };
            self.offered.insert(tag.number, offer);
            self.send(home, Message::Put { tag: Some(tag), key, cell, hint: None }, cx);
        }
        self.rearm(Timer::Handoff, cx);
    }

    /// Whether the acknowledgement was for an offer.
    pub(super) fn on_handed_off(
        &mut self,
        from: NodeId,
        tag: Tag,
        cx: &mut Cx<'_, Eventual>,
    ) -> bool {
        let Some(Offer { home, key, digest }) = self.offered.remove(&tag.number) else {
            return false;
        };
        let kept = self.hints.get(&home).and_then(|hints| hints.get(&key));
        if from == home && kept.is_some_and(|cell| cell.digest() == digest) {
            self.forget_hint(home, &key);
            self.persist(Record::Delivered { home, key }, cx);
            self.saw("a hint was delivered");
        }
        true
    }
}
