//! Weather: what network, disks and clients are like, drawn anew for each run of a hunt.
//!
//! Swarm testing (Groce et al., ISSTA 2012): a run with few of the possible features, each at an
//! intensity of its own, finds more than many runs with all of them at their middle. So most
//! draws leave most things quiet. Weather is data and belongs into the plan of the run.

use super::disk::{DiskBehaviour, Survival};
use super::network::Link;
use super::setup::Setup;
use super::time::{Delay, Nanos, Ppm};
use crate::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// What everything is like when a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weather {
    /// Every wire between two nodes.
    pub link: Link,
    /// The way between clients and nodes, each way.
    pub client: Delay,
    /// Every disk.
    pub disk: DiskBehaviour,
    /// How long a node takes from its start to its first input.
    pub boot: Delay,
}

impl Weather {
    /// The weather of the run with this seed, from the stream `weather`.
    #[must_use]
    pub fn draw(seed: Seed) -> Weather {
        let rng = &mut seed.stream("weather");
        let link = Link::delayed(delay(rng, &[100, 100, 1_000, 10_000, 50_000]));
        let link = Link {
            loss: chance(rng, &[0, 0, 1_000, 20_000, 100_000]),
            duplicate: chance(rng, &[0, 0, 1_000, 20_000, 200_000]),
            reorder: chance(rng, &[0, 0, 10_000, 200_000, 1_000_000]),
            ..link
        };
        let survival = match rng.random_range(0..4) {
            0 | 1 => Survival::Nothing,
            2 => Survival::Prefix,
            _ => Survival::Everything,
        };
        let sync = delay(rng, &[10, 500, 500, 5_000, 50_000]);
        Weather {
            link,
            client: delay(rng, &[50, 50, 500, 5_000]),
            disk: DiskBehaviour { survival, ..DiskBehaviour::healthy(sync) },
            boot: delay(rng, &[1_000, 10_000, 200_000]),
        }
    }
}

impl Setup {
    /// A setup in this weather.
    #[must_use]
    pub fn in_weather(self, weather: Weather) -> Setup {
        let Weather { link, client, disk, boot } = weather;
        Setup { link, client, disk, boot, ..self }
    }
}

/// A delay of some shape whose scale, in microseconds, is one of these.
fn delay(rng: &mut ChaCha8Rng, scales: &[u64]) -> Delay {
    let scale = Nanos::from_micros(scales[rng.random_range(0..scales.len())]);
    let base = Nanos(scale.0 / 2);
    match rng.random_range(0..4) {
        0 => Delay::Fixed(scale),
        1 => Delay::Uniform { base, jitter: scale },
        2 => Delay::Exponential { base, mean: scale },
        _ => Delay::HeavyTail { base, scale },
    }
}

fn chance(rng: &mut ChaCha8Rng, ppm: &[u32]) -> Ppm {
    Ppm(ppm[rng.random_range(0..ppm.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_and_quiet_is_common() {
        let drawn: Vec<Weather> = (0..1_000).map(|seed| Weather::draw(Seed(seed))).collect();
        let count = |kind: fn(&Weather) -> bool| drawn.iter().filter(|w| kind(w)).count();
        for (kind, least, most) in [
            (count(|w| w.link.loss == Ppm::NEVER), 300, 500),
            (count(|w| w.link.reorder == Ppm::ALWAYS), 100, 300),
            (count(|w| matches!(w.link.delay, Delay::HeavyTail { .. })), 150, 350),
            (count(|w| matches!(w.disk.sync, Delay::Fixed(_))), 150, 350),
            (count(|w| w.disk.survival == Survival::Prefix), 150, 350),
        ] {
            assert!((least..most).contains(&kind), "{kind} is not in {least}..{most}");
        }
    }

    #[test]
    fn weather_is_data() {
        let weather = Weather::draw(Seed(7));
        assert_eq!(weather, Weather::draw(Seed(7)));
        let json = serde_json::to_string(&weather).unwrap();
        assert_eq!(serde_json::from_str::<Weather>(&json).unwrap(), weather, "{json}");
    }
}
