//! What a link has carried: counters, and the newest messages.

use crate::proxy::LinkId;
use quorate_checkers::history::Nanos;
use quorate_targets::node::NodeId;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many messages all links of a network remember together; older ones are forgotten.
const MESSAGES_MAX: usize = 300_000;
/// How many one link remembers at most.
const LINK_MESSAGES_MAX: usize = 16_384;
/// So much of what a message says is remembered, in bytes.
pub(super) const HEAD_MAX: usize = 240;

/// How many messages each of so many links remembers.
pub(super) fn messages_a_link(links: usize) -> usize {
    (MESSAGES_MAX / links.max(1)).min(LINK_MESSAGES_MAX)
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was handed to the receiver's TCP.
    Forwarded,
    /// It was handed on with a bit changed.
    Corrupted,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When the proxy had all of it.
    pub time: Nanos,
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// Its length, without the head.
    pub bytes: u32,
    /// What became of it.
    pub fate: Fate,
    /// How long the link kept it.
    pub kept: Nanos,
    /// The beginning of what it says.
    pub head: Box<[u8]>,
}

/// Sums over a link's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Frames that were handed on; one that is delivered twice counts twice.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames that were not handed on as they came, whyever.
    pub dropped: u64,
}

/// Written by the link's task, read by whoever wants to know.
#[derive(Debug)]
pub(super) struct Traffic {
    link: LinkId,
    epoch: Instant,
    /// How many messages are remembered.
    limit: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    counters: Counters,
    messages: VecDeque<Message>,
}

impl Traffic {
    /// Of a link that remembers so many messages.
    pub(super) fn new(link: LinkId, epoch: Instant, limit: usize) -> Self {
        Traffic { link, epoch, limit, seen: Mutex::default() }
    }

    /// The time of messages.
    pub(super) fn now(&self) -> Nanos {
        Nanos(self.epoch.elapsed().as_nanos() as u64)
    }

    /// Notes whole frames that arrived at `time` and met their fate now.
    pub(super) fn note<'a>(&self, frames: impl Iterator<Item = &'a [u8]>, time: Nanos, fate: Fate) {
        let kept = Nanos(self.now().0.saturating_sub(time.0));
        let (from, to) = self.link;
        let mut seen = self.lock();
        for frame in frames {
            let length = frame.len();
            if fate == Fate::Forwarded {
                seen.counters.frames += 1;
                seen.counters.bytes += length as u64;
            } else {
                seen.counters.dropped += 1;
            }
            if seen.messages.len() >= self.limit {
                seen.messages.pop_front();
            }
            let body = frame.get(4..).unwrap_or_default();
            let head = body[..body.len().min(HEAD_MAX)].into();
            let bytes = body.len() as u32;
            seen.messages.push_back(Message { time, from, to, bytes, fate, kept, head });
        }
    }

    pub(super) fn counters(&self) -> Counters {
        self.lock().counters
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        self.lock().messages.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
