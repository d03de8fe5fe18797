//! Changing operations on their way out, and dropping some.

use super::{Context, Generator, Invocation, Next};
use quorate_checkers::history::{Event, Nanos};
use std::time::Duration;

/// See [`Combine::map`](super::Combine::map).
#[derive(Clone, Debug)]
pub struct Map<G, F> {
    generator: G,
    change: F,
}

impl<G, F> Map<G, F> {
    pub(super) fn new(generator: G, change: F) -> Self {
        Map { generator, change }
    }
}

impl<G: Generator, F: FnMut(Invocation) -> Invocation + Send> Generator for Map<G, F> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        match self.generator.next(context, allowed) {
            Next::Op { thread, invocation } => {
                Next::Op { thread, invocation: (self.change)(invocation) }
            }
            other => other,
        }
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.generator.update(context, thread, event);
    }
}

/// After how many dropped operations in a row a filter lets others have their turn.
pub const DROPPED_IN_A_ROW_MAX: usize = 1000;

/// When it is worth asking again a filter that has dropped that many.
const PAUSE: Duration = Duration::from_millis(1);

/// See [`Combine::filter`](super::Combine::filter).
#[derive(Clone, Debug)]
pub struct Filter<G, P> {
    generator: G,
    keep: P,
}

impl<G, P> Filter<G, P> {
    pub(super) fn new(generator: G, keep: P) -> Self {
        Filter { generator, keep }
    }
}

impl<G: Generator, P: FnMut(&Invocation) -> bool + Send> Generator for Filter<G, P> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        for _ in 0..DROPPED_IN_A_ROW_MAX {
            match self.generator.next(context, allowed) {
                Next::Op { invocation, .. } if !(self.keep)(&invocation) => {}
                answer => return answer,
            }
        }
        Next::Pending(Some(Nanos(context.time.0.saturating_add(super::nanos(PAUSE)))))
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.generator.update(context, thread, event);
    }
}
