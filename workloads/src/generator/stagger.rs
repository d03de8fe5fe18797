//! Operations at a mean rate, at random times.
//!
//! The gaps between operations are uniform from 0 to twice the mean, over all threads together.
//! Due times follow from each other and not from when somebody came to ask, so that the grain of
//! timers does not slow the load; but who could not keep up for longer than
//! [`LATENESS_MADE_UP`] does not make up for it with a burst (Jepsen makes up for nothing).

use super::{Context, Generator, Next, nanos};
use quorate_checkers::history::{Event, Nanos};
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// How far operations may be behind their due times and still be caught up with.
pub const LATENESS_MADE_UP: Duration = Duration::from_millis(10);

/// See [`Combine::stagger`](super::Combine::stagger).
#[derive(Debug)]
pub struct Stagger<G> {
    generator: G,
    gap_mean: u64,
    due: Option<Nanos>,
    rng: ChaCha8Rng,
}

impl<G> Stagger<G> {
    pub(super) fn new(generator: G, gap_mean: Duration, seed: Seed) -> Self {
        // Below 1/4 of the clock's range, so that sums of times cannot overflow in practice.
        let gap_mean = nanos(gap_mean).min(u64::MAX / 4);
        Stagger { generator, gap_mean, due: None, rng: seed.stream("stagger") }
    }
}

/// The mean gap at a rate of operations a second. A rate of 0 (or less, or not a number) means
/// as fast as they go: no gap.
pub fn gap_at_rate(per_second: f64) -> Duration {
    if per_second > 0.0 {
        Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::MAX)
    } else {
        Duration::ZERO
    }
}

impl<G: Generator> Generator for Stagger<G> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        if let Some(due) = self.due
            && context.time < due
        {
            return Next::Pending(Some(due));
        }
        let answer = self.generator.next(context, allowed);
        if self.gap_mean > 0 && matches!(answer, Next::Op { .. }) {
            let oldest = context.time.0.saturating_sub(nanos(LATENESS_MADE_UP));
            let base = self.due.map_or(context.time.0, |due| due.0.max(oldest));
            let gap = self.rng.random_range(0..=2 * self.gap_mean);
            self.due = Some(Nanos(base.saturating_add(gap)));
        }
        answer
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.generator.update(context, thread, event);
    }
}
