//! What a `clock` fault does, drawn from the seed in Jepsen's ranges (`jepsen.nemesis.time`).

use quorate_targets::clock_fault::ClockFault;
use rand::{Rng, RngExt};

/// How a clock goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    /// It jumps by 1.5^6 to 1.5^31 ms, 11 ms to 288 s, forwards or back.
    Jump,
    /// Its rate is off by a thousandth to a half.
    Drift,
    /// It is off by 4 ms to 262 s in every other period of 1 to 1024 ms.
    Strobe,
}

impl Wrong {
    /// All of them.
    pub(super) const ALL: [Wrong; 3] = [Wrong::Jump, Wrong::Drift, Wrong::Strobe];

    /// What that is in numbers; small and large alike likely.
    pub(super) fn fault(self, rng: &mut impl Rng) -> ClockFault {
        let sign = if rng.random() { 1 } else { -1 };
        match self {
            Wrong::Jump => {
                let by_ms = 1.5_f64.powi(rng.random_range(6..=31)) as i64;
                ClockFault::Jump { by_ms: sign * by_ms }
            }
            Wrong::Drift => {
                let ppm = [1_000, 10_000, 100_000, 500_000][rng.random_range(0..4)];
                ClockFault::Drift { ppm: sign as i32 * ppm }
            }
            Wrong::Strobe => ClockFault::Strobe {
                by_ms: sign * (1 << rng.random_range(2..=18)),
                period_ms: 1 << rng.random_range(0..=10),
            },
        }
    }
}
