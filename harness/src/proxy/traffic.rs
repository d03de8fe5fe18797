//! What a link has carried: counters, and the newest messages.

use crate::proxy::LinkId;
use quorate_checkers::history::Nanos;
use quorate_targets::node::NodeId;
use serde::{Serialize, Serializer};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many messages a link remembers; older ones are forgotten.
pub(super) const MESSAGES_MAX: usize = 4096;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It was handed to the receiver's TCP.
    Forwarded,
    /// The link was cut.
    Cut,
    /// The link loses frames.
    Lost,
    /// More was on the way than the link holds.
    Overflow,
    /// The receiver did not accept connections.
    Unreachable,
}

/// A frame that a link was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// When the proxy had all of it.
    #[serde(serialize_with = "nanos")]
    pub time: Nanos,
    /// The sender.
    #[serde(serialize_with = "name")]
    pub from: NodeId,
    /// The receiver.
    #[serde(serialize_with = "name")]
    pub to: NodeId,
    /// Its length, without the head.
    pub bytes: u32,
    /// What became of it.
    pub fate: Fate,
    /// How long the link kept it.
    #[serde(serialize_with = "nanos")]
    pub kept: Nanos,
}

fn nanos<S: Serializer>(nanos: &Nanos, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(nanos.0)
}

fn name<S: Serializer>(node: &NodeId, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(node)
}

/// Sums over a link's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Frames that were handed on; one that is delivered twice counts twice.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames that were not handed on, whyever.
    pub dropped: u64,
}

/// Written by the link's task, read by whoever wants to know.
#[derive(Debug)]
pub(super) struct Traffic {
    link: LinkId,
    epoch: Instant,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    counters: Counters,
    messages: VecDeque<Message>,
}

impl Traffic {
    pub(super) fn new(link: LinkId, epoch: Instant) -> Self {
        Traffic { link, epoch, seen: Mutex::default() }
    }

    /// The time of messages.
    pub(super) fn now(&self) -> Nanos {
        Nanos(self.epoch.elapsed().as_nanos() as u64)
    }

    /// Notes frames of these whole lengths that arrived at `time` and met their fate now.
    pub(super) fn note(&self, lengths: impl Iterator<Item = usize>, time: Nanos, fate: Fate) {
        let kept = Nanos(self.now().0.saturating_sub(time.0));
        let (from, to) = self.link;
        let mut seen = self.lock();
        for length in lengths {
            if fate == Fate::Forwarded {
                seen.counters.frames += 1;
                seen.counters.bytes += length as u64;
            } else {
                seen.counters.dropped += 1;
            }
            if seen.messages.len() == MESSAGES_MAX {
                seen.messages.pop_front();
            }
            let bytes = length.saturating_sub(4) as u32;
            seen.messages.push_back(Message { time, from, to, bytes, fate, kept });
        }
    }

    pub(super) fn counters(&self) -> Counters {
        self.lock().counters
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        self.lock().messages.iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
