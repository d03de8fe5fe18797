//! One generator after the other, without waiting in between.

use super::{Context, Generator, Next};
use quorate_checkers::history::Event;
use std::collections::VecDeque;

/// See [`chain`].
pub struct Chain {
    rest: VecDeque<Box<dyn Generator>>,
}

/// Each generator until it is done, then the next. Operations of one may still be in flight when
/// the next begins; for a barrier see [`phases`](super::phases).
pub fn chain(generators: Vec<Box<dyn Generator>>) -> Chain {
    Chain { rest: generators.into() }
}

impl Generator for Chain {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        while let Some(generator) = self.rest.front_mut() {
            match generator.next(context, allowed) {
                Next::Done => {
                    self.rest.pop_front();
                }
                answer => return answer,
            }
        }
        Next::Done
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        if let Some(generator) = self.rest.front_mut() {
            generator.update(context, thread, event);
        }
    }
}

/// See [`cycle`].
#[derive(Debug)]
pub struct Cycle<G, F> {
    make: F,
    rounds_begun: u64,
    rounds_max: Option<u64>,
    round: Option<G>,
    /// Whether the current round has given an operation.
    used: bool,
}

/// A fresh generator whenever the one before is done: `rounds` times, or for ever. `make` is
/// told the number of the round, from 0; it can fork a seed by it. A round without a single
/// operation ends the cycle.
pub fn cycle<G, F>(rounds: Option<u64>, make: F) -> Cycle<G, F>
where
    G: Generator,
    F: FnMut(u64) -> G + Send,
{
    Cycle { make, rounds_begun: 0, rounds_max: rounds, round: None, used: true }
}

impl<G: Generator, F: FnMut(u64) -> G + Send> Generator for Cycle<G, F> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        loop {
            if let Some(round) = &mut self.round {
                match round.next(context, allowed) {
                    Next::Done => self.round = None,
                    op @ Next::Op { .. } => {
                        self.used = true;
                        return op;
                    }
                    pending @ Next::Pending(_) => return pending,
                }
            }
            if !self.used || self.rounds_max.is_some_and(|max| self.rounds_begun >= max) {
                return Next::Done;
            }
            self.round = Some((self.make)(self.rounds_begun));
            self.rounds_begun += 1;
            self.used = false;
        }
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        if let Some(round) = &mut self.round {
            round.update(context, thread, event);
        }
    }
}
