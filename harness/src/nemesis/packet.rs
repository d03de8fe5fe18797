//! What a `packet` fault does to single messages, as data. Parameters and defaults are those of
//! Jepsen (`jepsen.net`, after `tc netem`), but for this: messages that are correlated share their
//! luck, or their delay, wholly, where netem mixes two random numbers and so changes the rate and
//! the distribution. A message that is corrupted arrives and is thrown away, as one whose checksum
//! is wrong: the proxies change a bit of it, in the simulator it is lost.

use crate::proxy::Shaping;
use quorate_targets::sim::{Delay, Link, Nanos, Ppm};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// In the simulator messages have no size; each counts as so many bytes.
const SIMULATED_BYTES: u64 = 500;

/// How delays are spread around their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distribution {
    /// Normally; the jitter is the standard deviation.
    #[default]
    Normal,
    /// Evenly, within the jitter.
    Uniform,
    /// Most a jitter earlier, and some far later: as Pareto, of shape 2.
    Pareto,
}

impl Distribution {
    const ALL: [Distribution; 3] =
        [Distribution::Normal, Distribution::Uniform, Distribution::Pareto];
}

/// How the messages of some nodes are treated. Zero is: not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Packet {
    /// The mean delay, in milliseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub delay_ms: u64,
    /// How far delays are spread around that, in milliseconds.
    #[serde(skip_serializing_if = "is_default")]
    pub jitter_ms: u64,
    /// What becomes of the jitter.
    #[serde(skip_serializing_if = "is_default")]
    pub distribution: Distribution,
    /// The share that takes as long as the message before, in percent.
    #[serde(skip_serializing_if = "is_default")]
    pub delay_correlation_percent: u64,
    /// The share that is lost, in percent.
    #[serde(skip_serializing_if = "is_default")]
    pub loss_percent: u64,
    /// The share that arrives twice, in percent.
    #[serde(skip_serializing_if = "is_default")]
    pub duplicate_percent: u64,
    /// The share that may be overtaken, in percent.
    #[serde(skip_serializing_if = "is_default")]
    pub reorder_percent: u64,
    /// The share that arrives damaged, in percent.
    #[serde(skip_serializing_if = "is_default")]
    pub corrupt_percent: u64,
    /// The share that has the luck of the message before, in percent.
    #[serde(skip_serializing_if = "is_default")]
    pub correlation_percent: u64,
    /// What gets through, in kilobits a second.
    #[serde(skip_serializing_if = "is_default")]
    pub rate_kbit: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What is wrong with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Behaviour {
    /// 50 ms, normally distributed with 10 ms.
    Delay,
    /// A fifth is lost, in bursts.
    Loss,
    /// A fifth arrives twice.
    Duplicate,
    /// A fifth is overtaken, within the delay of [`Behaviour::Delay`].
    Reorder,
    /// A fifth is damaged.
    Corrupt,
    /// A megabit a second.
    Rate,
    /// Several of these at once, by chance, with delays of any distribution.
    Mixed,
}

impl Behaviour {
    /// All of them.
    pub(super) const ALL: [Behaviour; 7] = [
        Behaviour::Delay,
        Behaviour::Loss,
        Behaviour::Duplicate,
        Behaviour::Reorder,
        Behaviour::Corrupt,
        Behaviour::Rate,
        Behaviour::Mixed,
    ];

    /// What that is in numbers.
    pub(super) fn packet(self, rng: &mut impl Rng) -> Packet {
        let late = Packet {
            delay_ms: 50,
            jitter_ms: 10,
            delay_correlation_percent: 25,
            ..Packet::default()
        };
        let bursts = Packet { correlation_percent: 75, ..Packet::default() };
        match self {
            Behaviour::Delay => late,
            Behaviour::Loss => Packet { loss_percent: 20, ..bursts },
            Behaviour::Duplicate => Packet { duplicate_percent: 20, ..bursts },
            Behaviour::Reorder => Packet { reorder_percent: 20, correlation_percent: 75, ..late },
            Behaviour::Corrupt => Packet { corrupt_percent: 20, ..bursts },
            Behaviour::Rate => Packet { rate_kbit: 1_000, ..Packet::default() },
            Behaviour::Mixed => {
                let distribution = Distribution::ALL[rng.random_range(0..Distribution::ALL.len())];
                let mut sometimes = |number| if rng.random() { number } else { 0 };
                Packet {
                    distribution,
                    loss_percent: sometimes(20),
                    duplicate_percent: sometimes(20),
                    reorder_percent: sometimes(20),
                    corrupt_percent: sometimes(20),
                    rate_kbit: sometimes(1_000),
                    correlation_percent: 75,
                    ..late
                }
            }
        }
    }
}

impl Packet {
    /// How long messages take; `None` if that is left as it is.
    fn delay(self) -> Option<Delay> {
        let mean = Nanos::from_millis(self.delay_ms);
        let jitter = Nanos::from_millis(self.jitter_ms);
        if mean + jitter == Nanos::ZERO {
            return None;
        }
        let base = mean - jitter;
        Some(match self.distribution {
            _ if jitter == Nanos::ZERO => Delay::Fixed(mean),
            Distribution::Normal => Delay::Normal { mean, deviation: jitter },
            Distribution::Uniform => Delay::Uniform { base, jitter: mean + jitter - base },
            Distribution::Pareto => Delay::HeavyTail { base, scale: mean - base },
        })
    }

    /// For a proxy.
    pub fn shaping(self) -> Shaping {
        let share = |percent: u64| percent as f64 / 100.0;
        Shaping {
            delay: self.delay().unwrap_or(Delay::NONE),
            delay_correlation: share(self.delay_correlation_percent),
            loss: share(self.loss_percent),
            duplicate: share(self.duplicate_percent),
            reorder: share(self.reorder_percent),
            corrupt: share(self.corrupt_percent),
            correlation: share(self.correlation_percent),
            bytes_per_s: (self.rate_kbit > 0).then(|| self.rate_kbit * 1_000 / 8),
        }
    }

    /// For a simulated wire that is like this when all is well.
    pub fn link(self, well: Link) -> Link {
        let chance = |percent: u64, well: Ppm| well.max(Ppm::percent(percent.min(100) as u32));
        Link {
            delay: self.delay().unwrap_or(well.delay),
            delay_correlation: chance(self.delay_correlation_percent, well.delay_correlation),
            loss: chance(self.loss_percent, well.loss),
            duplicate: chance(self.duplicate_percent, well.duplicate),
            reorder: chance(self.reorder_percent, well.reorder),
            corrupt: chance(self.corrupt_percent, well.corrupt),
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
        let well = Link::delayed(Delay::NONE);
        for behaviour in Behaviour::ALL {
            let packet = behaviour.packet(rng);
            let (shaping, link) = (packet.shaping(), packet.link(well));
            assert_eq!(shaping.delay, link.delay, "{behaviour:?}");
            for (share, chance) in [
                (shaping.delay_correlation, link.delay_correlation),
                (shaping.loss, link.loss),
                (shaping.duplicate, link.duplicate),
                (shaping.reorder, link.reorder),
                (shaping.corrupt, link.corrupt),
                (shaping.correlation, link.correlation),
            ] {
                assert!((share * 1e6 - f64::from(chance.0)).abs() < 0.5, "{behaviour:?}");
            }
            assert_eq!(shaping.bytes_per_s.is_some(), link.occupies > Nanos::ZERO);
        }
        let late = Behaviour::Reorder.packet(rng).link(well);
        let (mean, deviation) = (Nanos::from_millis(50), Nanos::from_millis(10));
        assert_eq!(late.delay, Delay::Normal { mean, deviation });
        assert_eq!((late.reorder, late.delay_correlation), (Ppm::percent(20), Ppm::percent(25)));
        let narrow = Behaviour::Rate.packet(rng);
        assert_eq!(narrow.shaping().bytes_per_s, Some(125_000));
        assert_eq!(narrow.link(well).occupies, Nanos::from_millis(4));
        assert_eq!(Packet::default().link(well), well);
        assert_eq!(Packet::default().shaping(), Shaping::default());
    }

    #[test]
    fn every_distribution_has_its_mean_and_is_drawn() {
        let rng = &mut Seed(1).stream("test");
        let drawn: Vec<Packet> = (0..100).map(|_| Behaviour::Mixed.packet(rng)).collect();
        for distribution in Distribution::ALL {
            let found = drawn.iter().find(|packet| packet.distribution == distribution).unwrap();
            let delay = found.delay().unwrap();
            let step = u64::MAX / 10_000;
            let sum: u64 = (0..10_000).map(|word| delay.draw(word * step + step / 2).0).sum();
            let mean = sum / 10_000;
            assert!(mean.abs_diff(50_000_000) < 500_000, "{distribution:?}: {mean}");
        }
        let json = r#"{"delay_ms":9,"jitter_ms":3,"distribution":"pareto"}"#;
        let told: Packet = serde_json::from_str(json).unwrap();
        let (base, scale) = (Nanos::from_millis(6), Nanos::from_millis(3));
        assert_eq!(told.delay(), Some(Delay::HeavyTail { base, scale }));
        assert_eq!(serde_json::to_string(&told).unwrap(), json);
    }
}
