//! Until it has worked once.

use super::in_flight::InFlight;
use super::{Context, Generator, Next};
use quorate_checkers::history::{Event, EventType};

/// See [`Combine::until_ok`](super::Combine::until_ok).
#[derive(Clone, Debug)]
pub struct UntilOk<G> {
    generator: G,
    in_flight: InFlight,
    done: bool,
}

impl<G> UntilOk<G> {
    pub(super) fn new(generator: G) -> Self {
        UntilOk { generator, in_flight: InFlight::default(), done: false }
    }
}

impl<G: Generator> Generator for UntilOk<G> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        if self.done {
            return Next::Done;
        }
        self.in_flight.offer(self.generator.next(context, allowed))
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        if self.in_flight.update(thread, event) == Some(EventType::Ok) {
            self.done = true;
        }
        self.generator.update(context, thread, event);
    }
}
