//! Virtual time, and how long things take.
//!
//! A [`Delay`] turns one random word into a duration with additions, multiplications, divisions
//! and square roots only. IEEE 754 fixes the result of these to the last bit, which it does not
//! for `ln` and `pow`: so a seed gives the same delays on every machine.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Nanoseconds of virtual time: since the world began, or a span.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The beginning of the world, and no span at all.
    pub const ZERO: Nanos = Nanos(0);
    /// After everything that can happen.
    pub const NEVER: Nanos = Nanos(u64::MAX);

    /// So many microseconds.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Nanos {
        Nanos(micros.saturating_mul(1_000))
    }

    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Nanos {
        Nanos(millis.saturating_mul(1_000_000))
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Nanos {
        Nanos(secs.saturating_mul(1_000_000_000))
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Nanos {
        Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl Add for Nanos {
    type Output = Nanos;
    fn add(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(other.0))
    }
}

impl Sub for Nanos {
    type Output = Nanos;
    fn sub(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Nanos {
    /// Seconds with all nine places, so that lines of a trace align and lose nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

/// The longest that a single draw may take: the tail of a heavy-tailed delay ends here.
pub const DELAY_MAX: Nanos = Nanos::from_secs(30);

/// A distribution of durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delay {
    /// Always the same.
    Fixed(Nanos),
    /// Anything from `base` to `base + jitter`, equally likely.
    Uniform {
        /// The least.
        base: Nanos,
        /// The width.
        jitter: Nanos,
    },
    /// `base` and an exponentially distributed rest: a memoryless queue.
    Exponential {
        /// The least.
        base: Nanos,
        /// The mean of the rest.
        mean: Nanos,
    },
    /// Normally distributed, but never less than nothing.
    Normal {
        /// The mean.
        mean: Nanos,
        /// The standard deviation.
        deviation: Nanos,
    },
    /// `base` and a Pareto-distributed rest of shape 2: the mean of the rest is `scale`, the
    /// variance is infinite; one draw in a hundred is above `9 scale`, one in a million above
    /// `999 scale`. This is what a network looks like whose switches sometimes fill up.
    HeavyTail {
        /// The least.
        base: Nanos,
        /// The mean of the rest.
        scale: Nanos,
    },
}

impl Delay {
    /// No time at all.
    pub const NONE: Delay = Delay::Fixed(Nanos::ZERO);

    /// The duration that the random word `word` stands for.
    #[must_use]
    pub fn draw(self, word: u64) -> Nanos {
        match self {
            Delay::Fixed(nanos) => nanos,
            Delay::Uniform { base, jitter } => {
                base + Nanos(below(jitter.0.saturating_add(1), word))
            }
            Delay::Exponential { base, mean } => base + tail(mean, -ln(unit(word))),
            Delay::Normal { mean, deviation } => {
                let nanos = mean.0 as f64 + deviation.0 as f64 * normal(word);
                Nanos(nanos.clamp(0.0, DELAY_MAX.0 as f64) as u64)
            }
            Delay::HeavyTail { base, scale } => base + tail(scale, 1.0 / unit(word).sqrt() - 1.0),
        }
    }
}

/// The number from 0 to `limit - 1` that the random word `word` stands for.
pub(super) fn below(limit: u64, word: u64) -> u64 {
    ((u128::from(limit) * u128::from(word)) >> 64) as u64
}

fn tail(mean: Nanos, factor: f64) -> Nanos {
    let nanos = mean.0 as f64 * factor;
    if nanos < DELAY_MAX.0 as f64 { Nanos(nanos as u64) } else { DELAY_MAX }
}

/// A number of mean 0 and variance 1: the polar method (Marsaglia and Bray 1964), which takes
/// words that follow from `word` until a point falls into the unit circle.
fn normal(word: u64) -> f64 {
    const HALF: f64 = (1u64 << 31) as f64;
    let mut word = word;
    loop {
        word = mix(word);
        let [x, y] = [word >> 32, word].map(|half| f64::from(half as u32) / HALF - 1.0);
        let square = x * x + y * y;
        if square > 0.0 && square < 1.0 {
            return x * (-2.0 * ln(square) / square).sqrt();
        }
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea, Flood 2014): more words out of one, where the number
/// of draws is fixed.
pub(super) fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A number in (0, 1].
fn unit(word: u64) -> f64 {
    ((word >> 11) + 1) as f64 / (1u64 << 53) as f64
}

/// The natural logarithm of a number in (0, 1], to eight digits. `x = m 2^e` with m in [1, 2),
/// and `ln m = 2 artanh((m - 1) / (m + 1))` by its series, which converges fast up to 1/3.
fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i32 - 1023;
    let mantissa = f64::from_bits((bits & MANTISSA) | (1023 << 52));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = (0..8).rev().fold(0.0, |sum, i| sum * square + 1.0 / f64::from(2 * i + 1));
    f64::from(exponent) * std::f64::consts::LN_2 + 2.0 * s * series
}

/// A chance, in millionths: an integer, so that comparing it with a random word is exact.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ppm(pub u32);

impl Ppm {
    /// Never.
    pub const NEVER: Ppm = Ppm(0);
    /// Always.
    pub const ALWAYS: Ppm = Ppm(1_000_000);

    /// So many in a hundred.
    #[must_use]
    pub const fn percent(percent: u32) -> Ppm {
        Ppm(percent * 10_000)
    }

    /// Whether it happens, decided by 32 random bits.
    #[must_use]
    pub fn happens(self, bits: u32) -> bool {
        u64::from(bits) * 1_000_000 < u64::from(self.0) << 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of a distribution over an even grid of words, in nanoseconds.
    fn mean(delay: Delay) -> f64 {
        let n = 1u64 << 16;
        let step = u64::MAX / n;
        (0..n).map(|i| delay.draw(i * step + step / 2).0 as f64).sum::<f64>() / n as f64
    }

    #[test]
    fn delays_have_their_means() {
        let (base, rest) = (Nanos(1_000), Nanos(100_000));
        for (delay, expected) in [
            (Delay::Fixed(rest), 100_000.0),
            (Delay::Uniform { base, jitter: rest }, 51_000.0),
            (Delay::Exponential { base, mean: rest }, 101_000.0),
            (Delay::HeavyTail { base, scale: rest }, 101_000.0),
            (Delay::Normal { mean: rest, deviation: Nanos(20_000) }, 100_000.0),
        ] {
            let found = mean(delay);
            assert!((found / expected - 1.0).abs() < 0.01, "{delay:?}: {found}");
        }
    }

    #[test]
    fn normal_delays_are_normal() {
        let (mean, deviation) = (Nanos(1_000_000), Nanos(100_000));
        let delay = Delay::Normal { mean, deviation };
        let count = 100_000;
        let drawn: Vec<f64> = (0..count).map(|word| delay.draw(word).0 as f64).collect();
        let within = |deviations: f64| {
            let near = |nanos: &&f64| (**nanos - 1e6).abs() < deviations * 1e5;
            drawn.iter().filter(near).count() as f64 / count as f64
        };
        for (deviations, expected) in [(0.5, 0.3829), (1.0, 0.6827), (2.0, 0.9545), (3.0, 0.9973)] {
            let found = within(deviations);
            assert!((found - expected).abs() < 0.005, "{deviations}: {found}");
        }
        let wide = Delay::Normal { mean: Nanos(10), deviation: Nanos(1_000) };
        let none = (0..1_000).filter(|word| wide.draw(*word) == Nanos::ZERO).count();
        assert!((400..600).contains(&none), "half would be negative: {none}");
    }

    #[test]
    fn delays_keep_their_bounds() {
        let (base, rest) = (Nanos(1_000), Nanos(100_000));
        let uniform = Delay::Uniform { base, jitter: rest };
        assert_eq!((uniform.draw(0), uniform.draw(u64::MAX)), (base, base + rest));
        let heavy = Delay::HeavyTail { base, scale: Nanos::from_secs(1) };
        assert_eq!(heavy.draw(0), base + DELAY_MAX);
        assert_eq!(heavy.draw(u64::MAX), base);
    }

    #[test]
    fn logarithm_agrees_with_the_library() {
        for i in 1..=1_000 {
            let x = f64::from(i) / 1_000.0;
            assert!((ln(x) - x.ln()).abs() < 1e-8, "{x}");
        }
        assert!((ln(1e-15) - 1e-15f64.ln()).abs() < 1e-7);
    }

    #[test]
    fn chances_are_exact_at_the_ends() {
        assert!(!Ppm::NEVER.happens(0));
        assert!(Ppm::ALWAYS.happens(u32::MAX));
        assert!(Ppm::percent(50).happens(u32::MAX / 2) && !Ppm::percent(50).happens(1 << 31));
    }
}
