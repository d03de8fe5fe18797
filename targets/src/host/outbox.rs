//! What waits to be sent to one peer: a bounded queue that forgets the oldest.
//!
//! Messages between peers may get lost, so a full queue is no error. While the peer is away
//! only a few are kept: enough that what was said while the connection was made arrives, and
//! not so many that a peer that comes back is flooded with what is long out of date.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How many frames wait for a peer that reads them too slowly.
const FRAMES_MAX: usize = 4096;
/// How many frames wait for a peer that is away.
const FRAMES_AWAY_MAX: usize = 64;

/// The queue; one side pushes, the other takes.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Bytes>,
    connected: bool,
}

impl Queue {
    fn trim(&mut self) {
        let limit = if self.connected { FRAMES_MAX } else { FRAMES_AWAY_MAX };
        let excess = self.frames.len().saturating_sub(limit);
        self.frames.drain(..excess);
    }
}

impl Outbox {
    pub(super) fn push(&self, frame: Bytes) {
        let mut queue = self.lock();
        queue.frames.push_back(frame);
        queue.trim();
        self.filled.notify_one();
    }

    /// All that waits; waits itself until there is something.
    pub(super) async fn take(&self) -> VecDeque<Bytes> {
        loop {
            let frames = std::mem::take(&mut self.lock().frames);
            if !frames.is_empty() {
                return frames;
            }
            self.filled.notified().await;
        }
    }

    pub(super) fn set_connected(&self, connected: bool) {
        let mut queue = self.lock();
        queue.connected = connected;
        queue.trim();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().frames.len()
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No code under the lock can panic half way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(outbox: &Outbox, count: usize) {
        for number in 0..count {
            outbox.push(Bytes::from(number.to_string()));
        }
    }

    #[tokio::test]
    async fn the_oldest_are_forgotten() {
        let outbox = Outbox::default();
        fill(&outbox, FRAMES_AWAY_MAX + 5);
        let frames = outbox.take().await;
        assert_eq!((frames.len(), &frames[0][..]), (FRAMES_AWAY_MAX, &b"5"[..]));
        outbox.set_connected(true);
        fill(&outbox, FRAMES_MAX + 7);
        outbox.set_connected(false);
        let frames = outbox.take().await;
        let first = (FRAMES_MAX + 7 - FRAMES_AWAY_MAX).to_string();
        assert_eq!((frames.len(), &frames[0][..]), (FRAMES_AWAY_MAX, first.as_bytes()));
    }
}
