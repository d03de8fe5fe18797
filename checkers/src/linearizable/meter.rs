//! Counting what a check spends.

use super::options::{Options, Unknown};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many steps are taken between looks at the clock and the common budget.
const CHUNK: u64 = 1024;

/// The steps that all keys of one check may spend together.
pub(crate) struct Purse {
    left: AtomicU64,
    total: u64,
}

impl Purse {
    pub(crate) fn new(options: &Options<'_>) -> Purse {
        Purse { left: AtomicU64::new(options.steps), total: options.steps }
    }
}

/// What one key spends.
pub(crate) struct Meter<'a> {
    purse: &'a Purse,
    stop: Option<&'a (dyn Fn() -> bool + Sync)>,
    bytes_max: usize,
    /// Steps that this key may use, whatever is left in the purse.
    steps_max: u64,
    /// Steps drawn from the purse and not used yet.
    drawn: u64,
    /// Steps used.
    pub(crate) steps: u64,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(options: &Options<'a>, purse: &'a Purse, bytes_max: usize) -> Meter<'a> {
        Meter { purse, stop: options.stop, bytes_max, steps_max: u64::MAX, drawn: 0, steps: 0 }
    }

    /// The same with a bound on the steps of this key.
    pub(crate) fn at_most(self, steps_max: u64) -> Meter<'a> {
        Meter { steps_max, ..self }
    }

    /// Counts a step, at which `bytes` are held.
    pub(crate) fn step(&mut self, bytes: usize) -> Result<(), Unknown> {
        if self.drawn == 0 {
            self.draw()?;
        }
        self.drawn -= 1;
        self.steps += 1;
        if bytes > self.bytes_max {
            return Err(Unknown::Bytes(self.bytes_max));
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<(), Unknown> {
        if self.stop.is_some_and(|stop| stop()) {
            return Err(Unknown::Stopped);
        }
        if self.steps >= self.steps_max {
            return Err(Unknown::Steps(self.steps));
        }
        let before = self.purse.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some(left.saturating_sub(CHUNK))
        });
        // The closure always gives a value, so both arms hold what was left before.
        let (Ok(before) | Err(before)) = before;
        self.drawn = before.min(CHUNK);
        if self.drawn == 0 { Err(Unknown::Steps(self.purse.total)) } else { Ok(()) }
    }
}
