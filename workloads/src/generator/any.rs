//! Whichever of several generators is ready.

use super::{Context, Generator, Next, earlier};
use quorate_checkers::history::Event;
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// See [`any`].
pub struct Any {
    generators: Vec<Box<dyn Generator>>,
    rng: ChaCha8Rng,
}

/// The operations of all generators, each as soon as it is ready; where several are ready, one
/// is drawn uniformly. Done when all are. Costs O(generators) an operation.
pub fn any(seed: Seed, generators: Vec<Box<dyn Generator>>) -> Any {
    let mut any = Any { generators, rng: seed.stream("any") };
    any.shuffle();
    any
}

impl Any {
    /// Orders the generators for the next operation; the first that is ready gives it.
    fn shuffle(&mut self) {
        for last in (1..self.generators.len()).rev() {
            let other = self.rng.random_range(0..=last);
            self.generators.swap(last, other);
        }
    }
}

impl Generator for Any {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        let mut at = None;
        let mut index = 0;
        while let Some(generator) = self.generators.get_mut(index) {
            match generator.next(context, allowed) {
                op @ Next::Op { .. } => {
                    self.shuffle();
                    return op;
                }
                Next::Pending(time) => {
                    at = earlier(at, time);
                    index += 1;
                }
                Next::Done => {
                    self.generators.remove(index);
                }
            }
        }
        if self.generators.is_empty() { Next::Done } else { Next::Pending(at) }
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        for generator in &mut self.generators {
            generator.update(context, thread, event);
        }
    }
}
