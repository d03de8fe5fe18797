//! A random mixture of generators.

use super::{Context, Generator, Next};
use quorate_checkers::history::Event;
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// See [`mix`] and [`weighted`].
pub struct Mix {
    choices: Vec<(u32, Box<dyn Generator>)>,
    /// The one whose operation comes next: drawn ahead, so that asking twice is asking once.
    chosen: usize,
    rng: ChaCha8Rng,
}

/// Each operation comes from one of the generators, drawn uniformly. One that is done drops out;
/// while the one drawn is pending, so is the mixture.
pub fn mix(seed: Seed, generators: Vec<Box<dyn Generator>>) -> Mix {
    weighted(seed, generators.into_iter().map(|generator| (1, generator)).collect())
}

/// As [`mix`], each generator with its weight; weight 0 is never drawn.
pub fn weighted(seed: Seed, generators: Vec<(u32, Box<dyn Generator>)>) -> Mix {
    let choices = generators.into_iter().filter(|(weight, _)| *weight > 0).collect();
    let mut mix = Mix { choices, chosen: 0, rng: seed.stream("mix") };
    mix.draw();
    mix
}

impl Mix {
    fn draw(&mut self) {
        let total: u64 = self.choices.iter().map(|(weight, _)| u64::from(*weight)).sum();
        if total == 0 {
            return;
        }
        let mut left = self.rng.random_range(0..total);
        self.chosen = 0;
        for (index, (weight, _)) in self.choices.iter().enumerate() {
            if left < u64::from(*weight) {
                self.chosen = index;
                return;
            }
            left -= u64::from(*weight);
        }
    }
}

impl Generator for Mix {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        while let Some((_, generator)) = self.choices.get_mut(self.chosen) {
            match generator.next(context, allowed) {
                Next::Done => {
                    self.choices.remove(self.chosen);
                }
                pending @ Next::Pending(_) => return pending,
                op @ Next::Op { .. } => {
                    self.draw();
                    return op;
                }
            }
            self.draw();
        }
        Next::Done
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        for (_, generator) in &mut self.choices {
            generator.update(context, thread, event);
        }
    }
}
