//! Configurations, and sets of them in which none dominates another.

use super::bits::Bits;
use super::slots::Slots;
use super::used::Used;
use hashbrown::{HashMap, HashSet};
use rustc_hash::FxBuildHasher;

/// One way in which the history so far can have gone.
///
/// Each open call that will complete is in one of three conditions: *due* (not yet placed),
/// *done* (placed), or *optional*: it may be taken as having been overwritten at once at some
/// moment that has passed, and may also still take effect. Optional is at least as good as
/// either of the others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Config<const N: usize> {
    /// The state now.
    pub(super) state: u32,
    /// Which crashed calls were taken, as a number of [`Used`].
    pub(super) used: u32,
    /// Slots of open calls that are done.
    pub(super) done: Bits<N>,
    /// Slots of open calls that are optional.
    pub(super) optional: Bits<N>,
}

/// A configuration with the step that led to it, where steps are recorded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reached<const N: usize> {
    pub(super) config: Config<N>,
    pub(super) node: u32,
}

/// How many configurations of one state a new one is compared with. More would find more that
/// are dominated, at a cost that is quadratic where few are.
const COMPARED_MAX: usize = 256;

/// What decides whether one configuration dominates another of the same state.
#[derive(Clone, Copy)]
struct Standing<const N: usize> {
    /// How many crashed calls were taken.
    total: u32,
    used: u32,
    /// What is no obligation any more.
    placed: Bits<N>,
    /// What cannot take effect any more. Not observers: a placed one is pure gain, since it was
    /// an obligation and no resource.
    spent: Bits<N>,
}

impl<const N: usize> Standing<N> {
    fn of(config: &Config<N>, slots: &Slots<N>, used: &Used) -> Self {
        Standing {
            total: used.total(config.used),
            used: config.used,
            placed: config.done.or(&config.optional),
            spent: config.done.minus(&slots.observers),
        }
    }

    /// Whether whatever can follow `other` can follow this one. The cheapest tests come first.
    fn dominates(&self, other: &Self, slots: &Slots<N>, used: &Used) -> bool {
        self.total <= other.total
            && other.placed.within(&self.placed)
            && self.spent.within(&other.spent)
            && used.within(self.used, other.used, &slots.stand_ins)
    }
}

/// The configurations after an event; those that another one dominates are left out.
pub(super) struct Frontier<const N: usize> {
    reached: Vec<Option<Reached<N>>>,
    known: HashSet<Config<N>, FxBuildHasher>,
    /// The bucket of each state.
    by_state: HashMap<u32, u32, FxBuildHasher>,
    /// What there is of each state, and where. Buckets beyond those in use are empty, and kept
    /// for their memory.
    buckets: Vec<Vec<(Standing<N>, u32)>>,
}

impl<const N: usize> Frontier<N> {
    pub(super) fn new() -> Self {
        Frontier {
            reached: Vec::new(),
            known: HashSet::default(),
            by_state: HashMap::default(),
            buckets: Vec::new(),
        }
    }

    /// Adds one unless it is there or dominated; where it was added.
    pub(super) fn insert(&mut self, new: Reached<N>, slots: &Slots<N>, used: &Used) -> Option<u32> {
        if !self.known.insert(new.config) {
            return None;
        }
        let fresh = self.by_state.len() as u32;
        let bucket = *self.by_state.entry(new.config.state).or_insert(fresh) as usize;
        if bucket == self.buckets.len() {
            self.buckets.push(Vec::new());
        }
        let bucket = &mut self.buckets[bucket];
        let standing = Standing::of(&new.config, slots, used);
        let from = bucket.len().saturating_sub(COMPARED_MAX);
        let mut dead = false;
        for (old, at) in &bucket[from..] {
            if old.dominates(&standing, slots, used) {
                return None;
            }
            if standing.dominates(old, slots, used) {
                self.reached[*at as usize] = None;
                dead = true;
            }
        }
        if dead {
            let reached = &self.reached;
            bucket.retain(|(_, at)| reached[*at as usize].is_some());
        }
        let at = self.reached.len() as u32;
        bucket.push((standing, at));
        self.reached.push(Some(new));
        Some(at)
    }

    /// The one that was added there, unless another one dominates it by now.
    pub(super) fn get(&self, at: u32) -> Option<Reached<N>> {
        self.reached[at as usize]
    }

    /// Whether this one is there, or one that dominates it.
    pub(super) fn covers(&self, config: &Config<N>, slots: &Slots<N>, used: &Used) -> bool {
        if self.known.contains(config) {
            return true;
        }
        let Some(bucket) = self.by_state.get(&config.state) else { return false };
        let bucket = &self.buckets[*bucket as usize];
        let from = bucket.len().saturating_sub(COMPARED_MAX);
        let standing = Standing::of(config, slots, used);
        bucket[from..].iter().any(|(old, _)| old.dominates(&standing, slots, used))
    }

    /// Bytes held, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.known.capacity() * size_of::<Config<N>>()
            + self.reached.capacity() * (size_of::<Reached<N>>() + size_of::<(Standing<N>, u32)>())
            + self.buckets.capacity() * 24
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Moves the configurations out and leaves this empty.
    pub(super) fn take_into(&mut self, out: &mut Vec<Reached<N>>) {
        out.clear();
        out.extend(self.reached.drain(..).flatten());
        self.clear();
    }

    pub(super) fn clear(&mut self) {
        if !self.known.is_empty() {
            self.reached.clear();
            self.known.clear();
            let in_use = self.by_state.len();
            self.buckets[..in_use].iter_mut().for_each(Vec::clear);
            self.by_state.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_ordered_as_they_should_be() {
        let used = Used::new();
        let bit = |at: usize| {
            let mut bits = Bits::<1>::EMPTY;
            bits.insert(at);
            bits
        };
        let config = |done, optional| Config { state: 0, used: Used::NONE, done, optional };
        let due = config(Bits::EMPTY, Bits::EMPTY);
        let done = config(bit(3), Bits::EMPTY);
        let optional = config(Bits::EMPTY, bit(3));
        let mut slots = Slots::new(0);
        let check = |a: &Config<1>, b: &Config<1>, slots: &_| {
            let standing = |config| Standing::of(config, slots, &used);
            standing(a).dominates(&standing(b), slots, &used)
        };
        assert!(check(&optional, &due, &slots) && check(&optional, &done, &slots));
        assert!(!check(&done, &due, &slots) && !check(&due, &done, &slots));
        slots.observers = bit(3);
        assert!(check(&done, &due, &slots) && !check(&due, &done, &slots));
    }
}
