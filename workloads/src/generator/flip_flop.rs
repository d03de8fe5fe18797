//! Two generators in alternation: start a fault, stop it, start it, ...

use super::{Context, Generator, Next};
use quorate_checkers::history::Event;

/// See [`flip_flop`].
#[derive(Clone, Debug)]
pub struct FlipFlop<A, B> {
    first: A,
    second: B,
    seconds_turn: bool,
}

/// One operation of `first`, one of `second`, and so on; ends when the one whose turn it is ends.
pub fn flip_flop<A: Generator, B: Generator>(first: A, second: B) -> FlipFlop<A, B> {
    FlipFlop { first, second, seconds_turn: false }
}

impl<A: Generator, B: Generator> Generator for FlipFlop<A, B> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        let answer = if self.seconds_turn {
            self.second.next(context, allowed)
        } else {
            self.first.next(context, allowed)
        };
        if matches!(answer, Next::Op { .. }) {
            self.seconds_turn = !self.seconds_turn;
        }
        answer
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.first.update(context, thread, event);
        self.second.update(context, thread, event);
    }
}
