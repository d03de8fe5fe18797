//! Independent keys: the same work on many small objects instead of one big one.
//!
//! Checking a history costs more than linearly in what happens at one key, and each crashed
//! operation stays concurrent with all that follows. So a key serves for a bounded number of
//! operations and of crashes, and then a fresh one takes its place. A few keys are in use at a
//! time, in rotation; unlike Jepsen's, a key has no threads of its own: any thread may work on
//! any key, so that each key is asked for at every node.

use super::{Context, Generator, Next, earlier};
use quorate_checkers::history::{Event, EventType};
use quorate_checkers::value::Value;
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// When a key is replaced, and how many are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyBounds {
    /// How many keys are in use at a time; at least one.
    pub keys_at_once: usize,
    /// After how many operations a key is replaced; 0 is no bound.
    pub operations_per_key: u64,
    /// After how many crashed (`info`) operations a key is replaced; 0 is no bound. Those that
    /// are in flight at that moment may crash on top of it.
    pub crashes_per_key: u64,
}

/// A key in use.
#[derive(Debug)]
struct Slot<G> {
    /// Grows with each key.
    serial: u64,
    key: Value,
    generator: G,
    operations: u64,
    crashes: u64,
}

impl<G> Slot<G> {
    fn is_spent(&self, bounds: &KeyBounds) -> bool {
        let reached = |count: u64, bound: u64| bound > 0 && count >= bound;
        reached(self.operations, bounds.operations_per_key)
            || reached(self.crashes, bounds.crashes_per_key)
    }
}

/// See [`independent`].
#[derive(Debug)]
pub struct Independent<G, F> {
    make: F,
    bounds: KeyBounds,
    slots: Vec<Slot<G>>,
    serials: u64,
    /// By thread: the serial of the key whose operation it carries.
    carried: Vec<Option<u64>>,
    /// The slot whose operation comes next; drawn ahead.
    chosen: usize,
    rng: ChaCha8Rng,
}

/// Runs a generator for each key in use; `make` gives a fresh key with its generator, whose
/// operations get the key. Each operation is of a key drawn uniformly; a key that is pending
/// passes its turn on. Endless, unless a fresh key has nothing to do.
pub fn independent<G, F>(bounds: KeyBounds, seed: Seed, make: F) -> Independent<G, F>
where
    G: Generator,
    F: FnMut() -> (Value, G) + Send,
{
    Independent {
        make,
        bounds,
        slots: Vec::new(),
        serials: 0,
        carried: Vec::new(),
        chosen: 0,
        rng: seed.stream("independent"),
    }
}

impl<G: Generator, F: FnMut() -> (Value, G) + Send> Independent<G, F> {
    fn fresh(&mut self) -> Slot<G> {
        let (key, generator) = (self.make)();
        let serial = self.serials;
        self.serials += 1;
        Slot { serial, key, generator, operations: 0, crashes: 0 }
    }

    /// Asks the key in one slot; one that is done is replaced, once.
    fn ask(&mut self, index: usize, context: &Context<'_>, allowed: &[usize]) -> Next {
        match self.slots[index].generator.next(context, allowed) {
            Next::Done => {
                self.slots[index] = self.fresh();
                self.slots[index].generator.next(context, allowed)
            }
            answer => answer,
        }
    }

    /// Books an operation on the key that gave it.
    fn book(&mut self, index: usize, thread: usize) -> Value {
        if self.carried.len() <= thread {
            self.carried.resize(thread + 1, None);
        }
        let slot = &mut self.slots[index];
        slot.operations += 1;
        self.carried[thread] = Some(slot.serial);
        let key = slot.key.clone();
        if slot.is_spent(&self.bounds) {
            self.slots[index] = self.fresh();
        }
        self.chosen = self.rng.random_range(0..self.slots.len());
        key
    }
}

impl<G: Generator, F: FnMut() -> (Value, G) + Send> Generator for Independent<G, F> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        while self.slots.len() < self.bounds.keys_at_once.max(1) {
            let slot = self.fresh();
            self.slots.push(slot);
        }
        let (mut at, mut all_done) = (None, true);
        for step in 0..self.slots.len() {
            let index = (self.chosen + step) % self.slots.len();
            match self.ask(index, context, allowed) {
                Next::Op { thread, mut invocation } => {
                    invocation.key = Some(self.book(index, thread));
                    return Next::Op { thread, invocation };
                }
                Next::Pending(time) => {
                    all_done = false;
                    at = earlier(at, time);
                }
                Next::Done => {}
            }
        }
        if all_done { Next::Done } else { Next::Pending(at) }
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        let Some(Some(serial)) = self.carried.get(thread).copied() else { return };
        if event.kind != EventType::Invoke {
            self.carried[thread] = None;
        }
        let Some(index) = self.slots.iter().position(|slot| slot.serial == serial) else { return };
        let slot = &mut self.slots[index];
        slot.generator.update(context, thread, event);
        if event.kind == EventType::Info {
            slot.crashes += 1;
            if slot.is_spent(&self.bounds) {
                self.slots[index] = self.fresh();
            }
        }
    }
}
