//! Operations at exact distances.

use super::{Context, Generator, Next, nanos};
use quorate_checkers::history::{Event, Nanos};
use std::time::Duration;

/// See [`Combine::delay`](super::Combine::delay).
#[derive(Clone, Debug)]
pub struct Delay<G> {
    generator: G,
    gap: u64,
    due: Option<Nanos>,
}

impl<G> Delay<G> {
    pub(super) fn new(generator: G, gap: Duration) -> Self {
        Delay { generator, gap: nanos(gap), due: None }
    }
}

impl<G: Generator> Generator for Delay<G> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        if let Some(due) = self.due
            && context.time < due
        {
            return Next::Pending(Some(due));
        }
        let answer = self.generator.next(context, allowed);
        if matches!(answer, Next::Op { .. }) {
            let due = self.due.unwrap_or(context.time);
            self.due = Some(Nanos(due.0.saturating_add(self.gap)));
        }
        answer
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.generator.update(context, thread, event);
    }
}
