//! Priority queues with unique items in near-linear time.
//!
//! An item can be taken at a moment at which no greater item is there. Greatest first: an item
//! needs a moment of its taking that no greater item's certain presence covers. It is best taken
//! at the first such moment; until then greater items were there anyway, so that its own
//! presence adds to what is covered only between the end of its adding and the beginning of its
//! taking (Lee and Mathur, "Efficient decrease-and-conquer linearizability monitoring", 2025).

use super::calls::{OPEN, PoolCalls};
use super::lives::{Fault, Life, Lives, NONE};

/// The order of items.
pub(super) fn order(pool: &PoolCalls<'_>, lives: &Lives) -> Option<Fault> {
    let mut free = NextFree::new(pool.ranks as usize + 1);
    // Lives are in the order of items.
    for (at, life) in lives.all.iter().enumerate().rev() {
        if life.take != NONE && free.from(life.take_after) >= life.take_before {
            let greater = outranking(&lives.all[at + 1..], life).unwrap_or(*life);
            return Some(Fault::Outranked(*life, greater));
        }
        let (from, to) = life.certain();
        free.cover(from, to);
    }
    None
}

/// A greater item that is certainly there when the taking of `life` begins.
fn outranking(greater: &[Life], life: &Life) -> Option<Life> {
    let there = |other: &&Life| {
        let (from, to) = other.certain();
        from <= life.take_after && life.take_after < to
    };
    greater.iter().find(there).copied()
}

/// For each moment the next one that is not covered.
struct NextFree(Vec<u32>);

impl NextFree {
    fn new(moments: usize) -> NextFree {
        NextFree((0..=moments as u32).collect())
    }

    /// The first moment from `at` on that is free.
    fn from(&mut self, at: u32) -> u32 {
        let mut at = at as usize;
        loop {
            let Some(next) = self.0.get(at).copied() else { return OPEN };
            if next as usize == at {
                return next;
            }
            // Halve the way for whoever comes after.
            let beyond = self.0.get(next as usize).copied().unwrap_or(next);
            self.0[at] = beyond;
            at = next as usize;
        }
    }

    fn cover(&mut self, from: u32, to: u32) {
        let mut at = self.from(from);
        while at < to {
            self.0[at as usize] = at + 1;
            at = self.from(at);
        }
    }
}
