//! Frames on the way: those that a slow, lossy, limited or held link has taken and not yet
//! delivered. Pure: time comes in as numbers, randomness as a stream.

use crate::proxy::frames::HEAD;
use crate::proxy::{Fate, Shaping};
use bytes::{Bytes, BytesMut};
use quorate_checkers::history::Nanos;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, binary_heap::PeekMut};
use std::time::Duration;

/// What a link can have on the way; frames beyond it are dropped, as a router does.
pub(super) const BYTES_MAX: usize = 16 << 20;

/// A frame that may be overtaken comes up to so much later.
const OVERTAKEN_MAX: Duration = Duration::from_millis(20);

/// A frame that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    due: Nanos,
    /// Frames that are due together leave in the order in which they came.
    order: u64,
    /// When it came.
    pub(super) arrived: Nanos,
    /// Head and body.
    pub(super) frame: Bytes,
    /// Whether the frame is another one than came.
    pub(super) corrupted: bool,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

/// The frames on one link's way.
#[derive(Debug)]
pub(super) struct DelayLine {
    waiting: BinaryHeap<Reverse<Waiting>>,
    bytes: usize,
    next_order: u64,
    /// When the last frame in order is due: none behind it is due earlier.
    last_due: Nanos,
    /// When the limited link has sent all that it was given.
    sent_at: Nanos,
    luck: Luck,
    /// What decided how long the last frame took.
    pace: Option<u64>,
    rng: ChaCha8Rng,
}

/// What befell the last frame.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each of them may befall any frame")]
struct Luck {
    lost: bool,
    twice: bool,
    overtaken: bool,
    corrupted: bool,
}

impl DelayLine {
    pub(super) fn new(rng: ChaCha8Rng) -> Self {
        DelayLine {
            waiting: BinaryHeap::new(),
            bytes: 0,
            next_order: 0,
            last_due: Nanos(0),
            sent_at: Nanos(0),
            luck: Luck::default(),
            pace: None,
            rng,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a frame under way as `shaping` says, or says why not.
    pub(super) fn admit(
        &mut self,
        frame: &Bytes,
        now: Nanos,
        shaping: &Shaping,
    ) -> Result<(), Fate> {
        if self.rng.random::<f64>() >= shaping.correlation {
            let mut happens = |share| self.rng.random::<f64>() < share;
            self.luck = Luck {
                lost: happens(shaping.loss),
                twice: happens(shaping.duplicate),
                overtaken: happens(shaping.reorder),
                corrupted: happens(shaping.corrupt),
            };
        }
        if self.luck.lost {
            return Err(Fate::Lost);
        }
        let damaged = self.luck.corrupted.then(|| self.damaged(frame)).flatten();
        let (frame, corrupted) = (damaged.as_ref().unwrap_or(frame), damaged.is_some());
        for _ in 0..=usize::from(self.luck.twice) {
            let due = self.due(frame.len(), now, shaping);
            self.push(due, now, frame.clone(), corrupted)?;
        }
        Ok(())
    }

    /// The frame with one bit of its body changed; an empty one has none.
    fn damaged(&mut self, frame: &Bytes) -> Option<Bytes> {
        let bits = frame.len().checked_sub(HEAD).filter(|body| *body > 0)? * 8;
        let bit = self.rng.random_range(0..bits);
        let mut damaged = BytesMut::from(&frame[..]);
        damaged[HEAD + bit / 8] ^= 1 << (bit % 8);
        Some(damaged.freeze())
    }

    /// Keeps a frame until [`DelayLine::release`].
    pub(super) fn hold(&mut self, frame: Bytes, now: Nanos) -> Result<(), Fate> {
        self.push(Nanos(u64::MAX), now, frame, false)
    }

    /// Makes everything due now, in order of arrival.
    pub(super) fn release(&mut self, now: Nanos) {
        let released = self.waiting.drain().map(|Reverse(w)| Reverse(Waiting { due: now, ..w }));
        self.waiting = released.collect();
        self.last_due = now;
        self.sent_at = now;
    }

    /// Gives up everything on the way.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Waiting> + '_ {
        self.bytes = 0;
        self.waiting.drain().map(|Reverse(waiting)| waiting)
    }

    /// When the next frame is due; `None` if none ever is.
    pub(super) fn next_due(&self) -> Option<Nanos> {
        self.waiting.peek().map(|Reverse(w)| w.due).filter(|due| *due != Nanos(u64::MAX))
    }

    /// The next frame that is due at `now`.
    pub(super) fn pop_due(&mut self, now: Nanos) -> Option<Waiting> {
        let first = self.waiting.peek_mut().filter(|first| first.0.due <= now)?;
        let Reverse(waiting) = PeekMut::pop(first);
        self.bytes -= waiting.frame.len();
        Some(waiting)
    }

    fn push(
        &mut self,
        due: Nanos,
        arrived: Nanos,
        frame: Bytes,
        corrupted: bool,
    ) -> Result<(), Fate> {
        if self.bytes + frame.len() > BYTES_MAX {
            return Err(Fate::Overflow);
        }
        self.bytes += frame.len();
        let order = self.next_order;
        self.next_order += 1;
        self.waiting.push(Reverse(Waiting { due, order, arrived, frame, corrupted }));
        Ok(())
    }

    /// When a frame that comes now is due.
    fn due(&mut self, length: usize, now: Nanos, shaping: &Shaping) -> Nanos {
        let mut due = now.0;
        if let Some(bytes_per_s) = shaping.bytes_per_s {
            let takes = length as u64 * 1_000_000_000 / bytes_per_s.max(1);
            self.sent_at = Nanos(self.sent_at.0.max(now.0).saturating_add(takes));
            due = self.sent_at.0;
        }
        let alike = self.rng.random::<f64>() < shaping.delay_correlation;
        let next = self.rng.next_u64();
        let pace = self.pace.filter(|_| alike).unwrap_or(next);
        self.pace = Some(pace);
        due = due.saturating_add(shaping.delay.draw(pace).0);
        if self.luck.overtaken {
            let later = self.rng.random_range(0..=OVERTAKEN_MAX.as_nanos() as u64);
            return Nanos(due.saturating_add(later));
        }
        self.last_due = Nanos(due.max(self.last_due.0));
        self.last_due
    }
}

#[cfg(test)]
mod tests;
