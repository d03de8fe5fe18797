//! Configurations, and sets of them in which none dominates another.

use super::bits::Bits;
use super::slots::{Slots, StandIns};
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

/// How many crashed calls of each class were taken: interned sorted lists of (class, count).
pub(super) struct Used {
    lists: Vec<Box<[(u32, u32)]>>,
    /// The sum of the counts of each list.
    totals: Vec<u32>,
    ids: HashMap<Box<[(u32, u32)]>, u32, FxBuildHasher>,
    bytes: usize,
}

/// How many classes may stand in for others at a time; more are not seen to dominate.
const STANDING_MAX: usize = 8;

impl Used {
    pub(super) const NONE: u32 = 0;

    pub(super) fn new() -> Used {
        let mut used =
            Used { lists: Vec::new(), totals: Vec::new(), ids: HashMap::default(), bytes: 0 };
        used.intern(Box::new([]));
        used
    }

    pub(super) fn count(&self, id: u32, class: u32) -> u32 {
        let list = &self.lists[id as usize];
        list.binary_search_by_key(&class, |(class, _)| *class).map_or(0, |at| list[at].1)
    }

    /// The list of `id` with one more of `class`.
    pub(super) fn plus(&mut self, id: u32, class: u32) -> u32 {
        let mut list = self.lists[id as usize].to_vec();
        match list.binary_search_by_key(&class, |(class, _)| *class) {
            Ok(at) => list[at].1 += 1,
            Err(at) => list.insert(at, (class, 1)),
        }
        self.intern(list.into())
    }

    /// How many calls of `id` were taken in all.
    pub(super) fn total(&self, id: u32) -> u32 {
        self.totals[id as usize]
    }

    /// Whether what `a` left can do whatever that can which `b` left: `a` took no more of any
    /// class, or left enough of one that can stand in for it.
    pub(super) fn within(&self, a: u32, b: u32, stand_ins: &StandIns) -> bool {
        if a == b {
            return true;
        }
        // Whoever stands in was taken by `b`: so `a` cannot have taken more in all.
        if self.total(a) > self.total(b) {
            return false;
        }
        let (mut standing, mut rest) = ([(0, 0); STANDING_MAX], &self.lists[b as usize][..]);
        let mut kinds = 0;
        for (class, count) in &self.lists[a as usize] {
            let before = rest.iter().take_while(|(other, _)| other < class).count();
            rest = &rest[before..];
            let taken = rest.first().filter(|(other, _)| other == class).map_or(0, |(_, n)| *n);
            let more = count.saturating_sub(taken);
            if more == 0 {
                continue;
            }
            let Some(other) = stand_ins.of(*class) else { return false };
            match standing[..kinds].iter_mut().find(|(class, _)| *class == other) {
                Some((_, needed)) => *needed += more,
                None if kinds == STANDING_MAX => return false,
                None => {
                    standing[kinds] = (other, more);
                    kinds += 1;
                }
            }
        }
        let left = |class| self.count(b, class).saturating_sub(self.count(a, class));
        standing[..kinds].iter().all(|(class, needed)| *needed <= left(*class))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn intern(&mut self, list: Box<[(u32, u32)]>) -> u32 {
        if let Some(id) = self.ids.get(&list) {
            return *id;
        }
        let id = self.lists.len() as u32;
        self.bytes += 2 * (list.len() * 8 + 24) + 4;
        self.totals.push(list.iter().map(|(_, count)| count).sum());
        self.ids.insert(list.clone(), id);
        self.lists.push(list);
        id
    }
}

/// How many configurations of one state a new one is compared with. More would find more that
/// are dominated, at a cost that is quadratic where few are.
const COMPARED_MAX: usize = 256;

/// The configurations after an event; those that another one dominates are left out.
pub(super) struct Frontier<const N: usize> {
    reached: Vec<Option<Reached<N>>>,
    known: HashSet<Config<N>, FxBuildHasher>,
    by_state: HashMap<u32, Vec<u32>, FxBuildHasher>,
}

impl<const N: usize> Frontier<N> {
    pub(super) fn new() -> Self {
        Frontier { reached: Vec::new(), known: HashSet::default(), by_state: HashMap::default() }
    }

    /// Adds one unless it is there or dominated; whether it was added.
    pub(super) fn insert(&mut self, new: Reached<N>, slots: &Slots<N>, used: &Used) -> bool {
        if !self.known.insert(new.config) {
            return false;
        }
        let bucket = self.by_state.entry(new.config.state).or_default();
        let from = bucket.len().saturating_sub(COMPARED_MAX);
        let mut dead = false;
        for at in &bucket[from..] {
            let slot = &mut self.reached[*at as usize];
            let Some(old) = slot else { continue };
            if dominates(&old.config, &new.config, slots, used) {
                return false;
            }
            if dominates(&new.config, &old.config, slots, used) {
                *slot = None;
                dead = true;
            }
        }
        if dead {
            let reached = &self.reached;
            bucket.retain(|at| reached[*at as usize].is_some());
        }
        bucket.push(self.reached.len() as u32);
        self.reached.push(Some(new));
        true
    }

    /// Whether this one is there, or one that dominates it.
    pub(super) fn covers(&self, config: &Config<N>, slots: &Slots<N>, used: &Used) -> bool {
        if self.known.contains(config) {
            return true;
        }
        let bucket = self.by_state.get(&config.state).map(Vec::as_slice).unwrap_or_default();
        let from = bucket.len().saturating_sub(COMPARED_MAX);
        let known = bucket[from..].iter().filter_map(|at| self.reached[*at as usize]);
        known.into_iter().any(|old| dominates(&old.config, config, slots, used))
    }

    /// Bytes held, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.known.capacity() * size_of::<Config<N>>()
            + self.reached.capacity() * (size_of::<Reached<N>>() + 12)
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
            self.by_state.clear();
        }
    }
}

/// Whether whatever can follow `b` can follow `a`.
fn dominates<const N: usize>(a: &Config<N>, b: &Config<N>, slots: &Slots<N>, used: &Used) -> bool {
    // A placed observer is pure gain: it was an obligation and no resource.
    let placed = |config: &Config<N>| config.done.or(&config.optional);
    placed(b).within(&placed(a))
        && a.done.minus(&slots.observers).within(&b.done)
        && used.within(a.used, b.used, &slots.stand_ins)
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
        let check = |a: &Config<1>, b: &Config<1>, slots: &_| dominates(a, b, slots, &used);
        assert!(check(&optional, &due, &slots) && check(&optional, &done, &slots));
        assert!(!check(&done, &due, &slots) && !check(&due, &done, &slots));
        slots.observers = bit(3);
        assert!(check(&done, &due, &slots) && !check(&due, &done, &slots));
    }

    #[test]
    fn fewer_crashed_calls_are_better() {
        let mut used = Used::new();
        let one = used.plus(Used::NONE, 7);
        let two = used.plus(one, 7);
        let other = used.plus(Used::NONE, 5);
        let both = used.plus(other, 7);
        let within = |a, b| used.within(a, b, &StandIns::default());
        assert!(within(Used::NONE, one) && within(one, two) && within(one, both));
        assert!(!within(two, both) && !within(other, two));
        assert_eq!(both, used.plus(one, 5));
        assert_eq!([used.total(Used::NONE), used.total(two), used.total(both)], [0, 2, 2]);
    }

    #[test]
    fn what_can_stand_in_for_another_is_better_kept() {
        let mut slots = Slots::<1>::new(0);
        slots.crash(0, 40, Some(41)); // Place 0: 41 can do whatever it can.
        slots.crash(1, 41, None); // Place 1.
        let mut used = Used::new();
        let (weak, strong) = (used.plus(Used::NONE, 0), used.plus(Used::NONE, 1));
        assert!(used.within(weak, strong, &slots.stand_ins));
        assert!(!used.within(strong, weak, &slots.stand_ins));
        let weak_twice = used.plus(weak, 0);
        assert!(!used.within(weak_twice, strong, &slots.stand_ins));
    }
}
