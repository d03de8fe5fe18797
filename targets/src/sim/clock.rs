//! A node's clock, and how it goes wrong.
//!
//! Each node has one oscillator, whose rate is off by the drift: both what the node reads as
//! [`Cx::now`](crate::node::Cx::now) and how long its timers run follow it. What it reads is
//! moreover set wrong by the offset, which jumps; timers never notice that, as no timer of a
//! decent operating system does.

use super::time::Nanos;
use crate::clock_fault::strobed;
use crate::node::Time;

/// What a right clock reads when the world begins: 2026-01-01T00:00:00Z.
pub const EPOCH: Time = Time(1_767_225_600_000_000_000);

/// The most that a clock may drift, in millionths: at that it stands still or runs double.
pub const DRIFT_MAX_PPM: i32 = 999_999;

/// A clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// When the drift last changed, and what the oscillator had counted by then.
    changed: Nanos,
    counted: u64,
    /// How much too fast the oscillator is, in millionths.
    drift_ppm: i32,
    /// How far ahead the reading is set, in nanoseconds.
    offset: i64,
    strobe: Option<Strobe>,
}

/// The reading is wrong for every other period.
#[derive(Clone, Copy, Debug)]
struct Strobe {
    since: Nanos,
    by: i64,
    period: Nanos,
}

impl Clock {
    /// What the oscillator has counted: the time that timers go by.
    pub(super) fn count(&self, now: Nanos) -> Nanos {
        Nanos(self.counted + stretch((now - self.changed).0, self.drift_ppm))
    }

    /// What the node reads.
    pub(super) fn read(&self, now: Nanos) -> Time {
        let strobe = |strobe: Strobe| strobed(strobe.by, strobe.period.0, (now - strobe.since).0);
        let off = self.offset.saturating_add(self.strobe.map_or(0, strobe));
        Time(EPOCH.0.saturating_add(self.count(now).0).saturating_add_signed(off))
    }

    /// The first time at which the oscillator will have counted `deadline`, at the present drift.
    pub(super) fn when(&self, deadline: Nanos) -> Nanos {
        let left = deadline.0.saturating_sub(self.counted);
        if self.drift_ppm == 0 {
            return self.changed + Nanos(left);
        }
        let rate = 1_000_000 + i128::from(self.drift_ppm);
        let real = (i128::from(left) * 1_000_000 + rate - 1) / rate;
        self.changed + Nanos(u64::try_from(real).unwrap_or(u64::MAX))
    }

    /// The reading jumps.
    pub(super) fn jump(&mut self, by: i64) {
        self.offset = self.offset.saturating_add(by);
    }

    /// The reading is off by so much for every other period from now on.
    pub(super) fn strobe(&mut self, now: Nanos, by: i64, period: Nanos) {
        self.strobe = Some(Strobe { since: now, by, period });
    }

    /// The rate changes; what was counted stays.
    pub(super) fn set_drift(&mut self, now: Nanos, ppm: i32) {
        self.counted = self.count(now).0;
        self.changed = now;
        self.drift_ppm = ppm.clamp(-DRIFT_MAX_PPM, DRIFT_MAX_PPM);
    }

    /// The reading and the rate are right again.
    pub(super) fn reset(&mut self, now: Nanos) {
        self.set_drift(now, 0);
        self.strobe = None;
        self.offset = i64::try_from(i128::from(now.0) - i128::from(self.counted)).unwrap_or(0);
    }
}

/// `nanos` as an oscillator counts them that is `ppm` too fast.
fn stretch(nanos: u64, ppm: i32) -> u64 {
    if ppm == 0 {
        return nanos;
    }
    let counted = i128::from(nanos) * (1_000_000 + i128::from(ppm)) / 1_000_000;
    u64::try_from(counted).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_bends_readings_and_timers_and_jumps_only_readings() {
        let mut clock = Clock::default();
        let second = Nanos::from_secs(1);
        clock.set_drift(second, 100_000);
        let two = Nanos::from_secs(2);
        assert_eq!(clock.count(two), Nanos(2_100_000_000));
        assert_eq!(clock.when(Nanos(2_100_000_000)), two);
        clock.jump(-5);
        clock.strobe(two, 1_000, Nanos(10));
        assert_eq!(clock.read(two + Nanos(5)).0, EPOCH.0 + 2_100_000_000);
        assert_eq!(clock.read(two + Nanos(15)).0, EPOCH.0 + 2_100_000_000 + 11 + 1_000);
        clock.strobe = None;
        assert_eq!(clock.count(two), Nanos(2_100_000_000));
        assert_eq!(clock.read(two), Time(EPOCH.0 + 2_099_999_995));
        clock.reset(two);
        assert_eq!(clock.read(two), Time(EPOCH.0 + two.0));
        assert_eq!(clock.count(two), Nanos(2_100_000_000));
    }

    #[test]
    fn the_time_of_a_deadline_is_the_first_at_which_it_is_reached() {
        for ppm in [-999_999, -500_000, -7, 0, 13, 250_000, 999_999] {
            let mut clock = Clock::default();
            clock.set_drift(Nanos(17), ppm);
            for deadline in [18, 1_000, 999_999_937] {
                let when = clock.when(Nanos(deadline));
                assert!(clock.count(when) >= Nanos(deadline), "{ppm} {deadline}");
                assert!(clock.count(Nanos(when.0 - 1)) < Nanos(deadline), "{ppm} {deadline}");
            }
        }
    }
}
