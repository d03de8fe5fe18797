//! The clock that a node believes: the machine's, moved by a skew that a fault may set.

use crate::node::Time;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A node's clock. Copies share their skew.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    skew_ns: Arc<AtomicI64>,
}

impl Clock {
    /// What the node believes the time is.
    pub fn now(&self) -> Time {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        Time((unix as u64).saturating_add_signed(self.skew_ns.load(Ordering::Relaxed)))
    }

    /// Sets how far the clock is ahead of the machine's, in nanoseconds.
    pub fn set_skew_ns(&self, skew_ns: i64) {
        self.skew_ns.store(skew_ns, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_the_skew() {
        const HOUR_NS: i64 = 3_600_000_000_000;
        let clock = Clock::default();
        let copy = clock.clone();
        copy.set_skew_ns(-HOUR_NS);
        assert!(Clock::default().now().0 - clock.now().0 > HOUR_NS as u64 / 2);
    }
}
