//! The clock that a node believes: the machine's, made wrong by faults. Its timers are not
//! touched, as they go by the machine's monotonic clock.
//!
//! The error lives as long as the process: whoever is restarted reads the right time.

use crate::clock_fault::{ClockFault, strobed};
use crate::node::Time;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// A node's clock. Copies share their error.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Wrong>>);

/// How wrong it is; all in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Wrong {
    offset: i64,
    drift_ppm: i32,
    /// From when on, by the machine's clock, it drifts or strobes.
    since: u64,
    /// By how much it is off in every other period, and how long that is.
    strobe: Option<(i64, u64)>,
}

impl Wrong {
    fn read(&self, machine: u64) -> u64 {
        let passed = machine.saturating_sub(self.since);
        let drift = i128::from(passed) * i128::from(self.drift_ppm) / 1_000_000;
        let drift = i64::try_from(drift).unwrap_or(0);
        let strobe = self.strobe.map_or(0, |(by, period)| strobed(by, period, passed));
        machine.saturating_add_signed(self.offset.saturating_add(drift).saturating_add(strobe))
    }

    /// What it is after this fault.
    fn after(self, fault: ClockFault, machine: u64) -> Wrong {
        let ns = |ms: i64| ms.saturating_mul(1_000_000);
        // What has drifted away so far stays.
        let steady = Wrong { strobe: None, ..self };
        let drifted = i128::from(steady.read(machine)) - i128::from(machine);
        let now = Wrong {
            offset: i64::try_from(drifted).unwrap_or(self.offset),
            since: machine,
            ..Wrong::default()
        };
        match fault {
            ClockFault::Jump { by_ms } => {
                Wrong { offset: now.offset.saturating_add(ns(by_ms)), ..now }
            }
            ClockFault::Drift { ppm } => Wrong { drift_ppm: ppm, ..now },
            ClockFault::Strobe { by_ms, period_ms } => {
                Wrong { strobe: Some((ns(by_ms), period_ms.saturating_mul(1_000_000))), ..now }
            }
            ClockFault::Reset => Wrong::default(),
        }
    }
}

fn machine() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}

impl Clock {
    /// What the node believes the time is.
    pub fn now(&self) -> Time {
        Time(self.wrong().read(machine()))
    }

    /// Makes it wrong, or right again.
    pub fn apply(&self, fault: ClockFault) {
        let mut wrong = self.wrong();
        *wrong = wrong.after(fault, machine());
    }

    fn wrong(&self) -> std::sync::MutexGuard<'_, Wrong> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn each_fault_shows_in_the_reading_and_is_reset() {
        let at = 1_000 * SECOND;
        let jumped = Wrong::default().after(ClockFault::Jump { by_ms: -250 }, at);
        assert_eq!(jumped.read(at + SECOND), at + SECOND - SECOND / 4);
        let drifting = jumped.after(ClockFault::Drift { ppm: 100_000 }, at);
        assert_eq!(drifting.read(at + 10 * SECOND), at + 11 * SECOND - SECOND / 4);
        let strobing =
            drifting.after(ClockFault::Strobe { by_ms: 5_000, period_ms: 100 }, at + 10 * SECOND);
        let later = at + 10 * SECOND;
        assert_eq!(strobing.read(later), at + 11 * SECOND - SECOND / 4);
        assert_eq!(strobing.read(later + SECOND / 10), at + 16 * SECOND - SECOND / 4 + SECOND / 10);
        assert_eq!(strobing.after(ClockFault::Reset, later).read(later), later);
    }

    #[test]
    fn copies_share_the_error() {
        const HOUR_MS: i64 = 3_600_000;
        let clock = Clock::default();
        let copy = clock.clone();
        copy.apply(ClockFault::Jump { by_ms: -HOUR_MS });
        assert!(Clock::default().now().0 - clock.now().0 > HOUR_MS as u64 * 500_000);
    }
}
