//! What can be done to a node's clock, as data: for the host, the simulator and whoever plans it.
//!
//! The kinds are Jepsen's (`jepsen.nemesis.time`, `jepsen.faketime`): the reading jumps, runs at
//! another rate, or strobes between right and wrong.

use serde::{Deserialize, Serialize};

/// What is done to a clock. Each takes the place of what was done before, but jumps add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockFault {
    /// The reading jumps.
    Jump {
        /// How far, in milliseconds; back if negative.
        by_ms: i64,
    },
    /// The clock runs too fast, or too slowly.
    Drift {
        /// By how many millionths; too slowly if negative.
        ppm: i32,
    },
    /// The reading is wrong for every other period.
    Strobe {
        /// By how much, in milliseconds; behind if negative.
        by_ms: i64,
        /// How long it is right, and how long it is then wrong.
        period_ms: u64,
    },
    /// It is right again, in reading and rate.
    Reset,
}

/// How far a strobing clock is off, `since` so long; all in one unit.
pub(crate) fn strobed(by: i64, period: u64, since: u64) -> i64 {
    if (since / period.max(1)) % 2 == 1 { by } else { 0 }
}
