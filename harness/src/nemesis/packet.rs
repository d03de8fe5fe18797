//! What a `packet` fault does to single messages, as data. Parameters and defaults are those of
//! Jepsen (`jepsen.net`, after `tc netem`), but for two: delays are uniform and not normal, and
//! messages that share their luck share it wholly, where netem mixes two random numbers and so
//! changes the rate. Nothing is corrupted: both ends would take it for a broken connection.

use crate::proxy::Shaping;
use quorate_targets::sim::{Delay, Link, Nanos, Ppm};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// In the simulator messages have no size; each counts as so many bytes.
const SIMULATED_BYTES: u64 = 500;

/// How the messages of some nodes are treated. Zero is: not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Packet {
    /// The mean delay, in milliseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub delay_ms: u64,
    /// How much less or more it may be, in milliseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub jitter_ms: u64,
    /// The share that is lost, in percent.
    #[serde(skip_serializing_if = "is_zero")]
    pub loss_percent: u64,
    /// The share that arrives twice, in percent.
    #[serde(skip_serializing_if = "is_zero")]
    pub duplicate_percent: u64,
    /// The share that may be overtaken, in percent.
    #[serde(skip_serializing_if = "is_zero")]
    pub reorder_percent: u64,
    /// The share that has the luck of the message before, in percent.
    #[serde(skip_serializing_if = "is_zero")]
    pub correlation_percent: u64,
    /// What gets through, in kilobits a second.
    #[serde(skip_serializing_if = "is_zero")]
    pub rate_kbit: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What is wrong with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Behaviour {
    /// 50 ms, 10 ms less or more.
    Delay,
    /// A fifth is lost, in bursts.
    Loss,
    /// A fifth arrives twice.
    Duplicate,
    /// A fifth is overtaken, within the delay of [`Behaviour::Delay`].
    Reorder,
    /// A megabit a second.
    Rate,
    /// Several of these at once, by chance.
    Mixed,
}

impl Behaviour {
    /// All of them.
    pub(super) const ALL: [Behaviour; 6] = [
        Behaviour::Delay,
        Behaviour::Loss,
        Behaviour::Duplicate,
        Behaviour::Reorder,
        Behaviour::Rate,
        Behaviour::Mixed,
    ];

    /// What that is in numbers.
    pub(super) fn packet(self, rng: &mut impl Rng) -> Packet {
        let late = Packet { delay_ms: 50, jitter_ms: 10, ..Packet::default() };
        let bursts = Packet { correlation_percent: 75, ..Packet::default() };
        match self {
            Behaviour::Delay => late,
            Behaviour::Loss => Packet { loss_percent: 20, ..bursts },
            Behaviour::Duplicate => Packet { duplicate_percent: 20, ..bursts },
            Behaviour::Reorder => Packet { reorder_percent: 20, correlation_percent: 75, ..late },
            Behaviour::Rate => Packet { rate_kbit: 1_000, ..Packet::default() },
            Behaviour::Mixed => {
                let mut sometimes = |number| if rng.random() { number } else { 0 };
                Packet {
                    loss_percent: sometimes(20),
                    duplicate_percent: sometimes(20),
                    reorder_percent: sometimes(20),
                    rate_kbit: sometimes(1_000),
                    correlation_percent: 75,
                    ..late
                }
            }
        }
    }
}

impl Packet {
    fn least_ms(self) -> u64 {
        self.delay_ms.saturating_sub(self.jitter_ms)
    }

    fn width_ms(self) -> u64 {
        self.delay_ms + self.jitter_ms - self.least_ms()
    }

    /// For a proxy.
    pub fn shaping(self) -> Shaping {
        let share = |percent: u64| percent as f64 / 100.0;
        Shaping {
            delay: Duration::from_millis(self.least_ms()),
            jitter: Duration::from_millis(self.width_ms()),
            loss: share(self.loss_percent),
            duplicate: share(self.duplicate_percent),
            reorder: share(self.reorder_percent),
            correlation: share(self.correlation_percent),
            bytes_per_s: (self.rate_kbit > 0).then(|| self.rate_kbit * 1_000 / 8),
        }
    }

    /// For a simulated wire that is like this when all is well.
    pub fn link(self, well: Link) -> Link {
        let chance = |percent: u64, well: Ppm| well.max(Ppm::percent(percent.min(100) as u32));
        let millis = Nanos::from_millis;
        Link {
            delay: match self.delay_ms {
                0 => well.delay,
                _ => Delay::Uniform {
                    base: millis(self.least_ms()),
                    jitter: millis(self.width_ms()),
                },
            },
            loss: chance(self.loss_percent, well.loss),
            duplicate: chance(self.duplicate_percent, well.duplicate),
            reorder: chance(self.reorder_percent, well.reorder),
            correlation: chance(self.correlation_percent, well.correlation),
            occupies: match self.rate_kbit {
                0 => well.occupies,
                rate => Nanos(SIMULATED_BYTES * 8 * 1_000_000 / rate),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_targets::seed::Seed;

    #[test]
    fn both_worlds_take_it_alike() {
        let rng = &mut Seed(1).stream("test");
        let late = Behaviour::Reorder.packet(rng);
        let shaping = late.shaping();
        assert_eq!((shaping.delay.as_millis(), shaping.jitter.as_millis()), (40, 20));
        let well = Link::delayed(Delay::NONE);
        let jitter = Nanos::from_millis(20);
        assert_eq!(late.link(well).delay, Delay::Uniform { base: Nanos::from_millis(40), jitter });
        assert_eq!(late.link(well).reorder, Ppm::percent(20));
        let narrow = Behaviour::Rate.packet(rng);
        assert_eq!(narrow.shaping().bytes_per_s, Some(125_000));
        assert_eq!(narrow.link(well).occupies, Nanos::from_millis(4));
        assert_eq!(Packet::default().link(well), well);
        assert_eq!(Packet::default().shaping(), Shaping::default());
    }
}
