//! Phases with a barrier: nothing of a phase is invoked while something of the one before it is
//! still in flight.
//!
//! The barrier looks at all threads of its context, not only at those that carried the phase
//! before: inside a routing combinator these are the threads of the route.

use super::sequence::{Chain, chain};
use super::{Combine, Context, Generator, Next};
use quorate_checkers::history::Event;

/// See [`Combine::synchronize`](super::Combine::synchronize).
#[derive(Clone, Debug)]
pub struct Synchronize<G> {
    generator: G,
    open: bool,
}

impl<G> Synchronize<G> {
    pub(super) fn new(generator: G) -> Self {
        Synchronize { generator, open: false }
    }
}

impl<G: Generator> Generator for Synchronize<G> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        if !self.open && context.threads.iter().any(|thread| !thread.free) {
            return Next::Pending(None);
        }
        self.open = true;
        self.generator.next(context, allowed)
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.generator.update(context, thread, event);
    }
}

/// Each generator in turn; before each, the first too, all threads must be free.
pub fn phases(generators: Vec<Box<dyn Generator>>) -> Chain {
    chain(generators.into_iter().map(|generator| generator.synchronize().boxed()).collect())
}
