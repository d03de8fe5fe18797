//! Which keys transactions touch, after the generators of Elle (`elle.list-append/gen`).
//!
//! A few keys are in use at a time. Each is written a bounded number of times, every time with
//! the next number; then a fresh key takes its place. So lists stay short, each value is unique
//! for its key, and late readers still meet a key that is no longer written.

use crate::options::{OptionError, OptionSpec, Options};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub(super) const KEY_DIST: OptionSpec = OptionSpec {
    name: "key-dist",
    default: "exponential",
    about: "how often each key in use is touched: exponential (the later ones more often) or uniform",
};
pub(super) const KEY_DIST_BASE: OptionSpec = OptionSpec {
    name: "key-dist-base",
    default: "2",
    about: "exponential: how many times as often as the key before it a key is touched",
};
pub(super) const KEY_COUNT: OptionSpec = OptionSpec {
    name: "key-count",
    default: "auto",
    about: "keys in use at a time; auto = 10 exponential, 3 uniform",
};
pub(super) const MAX_WRITES_PER_KEY: OptionSpec = OptionSpec {
    name: "max-writes-per-key",
    default: "32",
    about: "writes of a key before a fresh one takes its place",
};

/// How keys are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KeyOptions {
    /// How many times as often as the one before it a key is touched; 1 is uniform.
    base: f64,
    count: usize,
    writes_max: i64,
}

impl KeyOptions {
    pub(super) fn from_options(options: &Options) -> Result<KeyOptions, OptionError> {
        let base = match options.text(&KEY_DIST) {
            "uniform" => 1.0,
            "exponential" => options.number(&KEY_DIST_BASE, 2, 100)? as f64,
            other => {
                return Err(OptionError::Invalid {
                    name: KEY_DIST.name.to_owned(),
                    value: other.to_owned(),
                    expected: "exponential or uniform".to_owned(),
                });
            }
        };
        let count = match options.text(&KEY_COUNT) {
            "auto" if base > 1.0 => 10,
            "auto" => 3,
            _ => options.number(&KEY_COUNT, 1, 100)? as usize,
        };
        let writes_max = options.number(&MAX_WRITES_PER_KEY, 1, 1_000_000)? as i64;
        Ok(KeyOptions { base, count, writes_max })
    }
}

/// The keys in use.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    options: KeyOptions,
    /// Each key in use with how often it was written.
    active: Vec<(i64, i64)>,
    /// The first key that was never used.
    fresh: i64,
}

impl Keys {
    pub(super) fn new(options: KeyOptions) -> Keys {
        let fresh = options.count as i64;
        Keys { options, active: (0..fresh).map(|key| (key, 0)).collect(), fresh }
    }

    /// How many keys were ever in use: those below this number.
    pub(super) fn ever(&self) -> i64 {
        self.fresh
    }

    /// A place among the keys in use, at random.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> usize {
        let (base, count) = (self.options.base, self.options.count);
        if base <= 1.0 {
            return rng.random_range(0..count);
        }
        // Place i has the room from base^i - 1 to base^(i+1) - 1.
        let room = base.powi(count as i32) - 1.0;
        let drawn: f64 = rng.random_range(0.0..room);
        ((drawn + 1.0).log(base) as usize).min(count - 1)
    }

    /// The key at a place.
    pub(super) fn at(&self, place: usize) -> i64 {
        self.active[place].0
    }

    /// The key at a place with the next value to write to it.
    pub(super) fn write(&mut self, place: usize) -> (i64, i64) {
        let (key, writes) = &mut self.active[place];
        *writes += 1;
        let written = (*key, *writes);
        if *writes >= self.options.writes_max {
            (*key, *writes) = (self.fresh, 0);
            self.fresh += 1;
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_targets::seed::Seed;

    fn keys(options: &[&str]) -> Keys {
        let options = Options::parse(options).unwrap();
        Keys::new(KeyOptions::from_options(&options).unwrap())
    }

    fn counts(keys: &Keys) -> Vec<u32> {
        let mut rng = Seed(1).stream("draw");
        let mut counts = vec![0; keys.active.len()];
        (0..10_000).for_each(|_| counts[keys.draw(&mut rng)] += 1);
        counts
    }

    #[test]
    fn later_keys_are_touched_more_often_or_all_alike() {
        let doubling = counts(&keys(&["key-count=4"]));
        let shares: Vec<f64> = doubling.iter().map(|n| f64::from(*n) * 15.0 / 10_000.0).collect();
        for (share, expected) in shares.iter().zip([1.0, 2.0, 4.0, 8.0]) {
            assert!((share - expected).abs() < 0.4, "{shares:?}");
        }
        let alike = counts(&keys(&["key-dist=uniform"]));
        assert_eq!(alike.len(), 3);
        assert!(alike.iter().all(|n| (3_000..3_700).contains(n)), "{alike:?}");
    }

    #[test]
    fn a_key_that_is_written_out_makes_room() {
        let mut keys = keys(&["key-dist=uniform", "max-writes-per-key=2"]);
        assert_eq!([keys.write(1), keys.write(1), keys.write(1)], [(1, 1), (1, 2), (3, 1)]);
        assert_eq!((keys.at(0), keys.at(1), keys.ever()), (0, 3, 4));
    }
}
