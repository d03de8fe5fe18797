//! Configurations, and sets of them in which none dominates another.

use super::bits::Bits;
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
    ids: HashMap<Box<[(u32, u32)]>, u32, FxBuildHasher>,
    bytes: usize,
}

impl Used {
    pub(super) const NONE: u32 = 0;

    pub(super) fn new() -> Used {
        let mut used = Used { lists: Vec::new(), ids: HashMap::default(), bytes: 0 };
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

    /// Whether `a` took no more of any class than `b`.
    pub(super) fn within(&self, a: u32, b: u32) -> bool {
        a == b
            || self.lists[a as usize].iter().all(|(class, count)| *count <= self.count(b, *class))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn intern(&mut self, list: Box<[(u32, u32)]>) -> u32 {
        if let Some(id) = self.ids.get(&list) {
            return *id;
        }
        let id = self.lists.len() as u32;
        self.bytes += 2 * (list.len() * 8 + 24);
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

    /// Adds one unless it is there or dominated. `observers` are the slots of calls that change
    /// nothing.
    pub(super) fn insert(&mut self, new: Reached<N>, observers: &Bits<N>, used: &Used) {
        if !self.known.insert(new.config) {
            return;
        }
        let bucket = self.by_state.entry(new.config.state).or_default();
        let from = bucket.len().saturating_sub(COMPARED_MAX);
        let mut dead = false;
        for at in &bucket[from..] {
            let slot = &mut self.reached[*at as usize];
            let Some(old) = slot else { continue };
            if dominates(&old.config, &new.config, observers, used) {
                return;
            }
            if dominates(&new.config, &old.config, observers, used) {
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
        self.known.clear();
        self.by_state.clear();
    }
}

/// Whether whatever can follow `b` can follow `a`.
fn dominates<const N: usize>(
    a: &Config<N>,
    b: &Config<N>,
    observers: &Bits<N>,
    used: &Used,
) -> bool {
    // A placed observer is pure gain: it was an obligation and no resource.
    let placed = |config: &Config<N>| config.done.or(&config.optional);
    placed(b).within(&placed(a))
        && a.done.minus(observers).within(&b.done)
        && used.within(a.used, b.used)
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
        let check =
            |a: &Config<1>, b: &Config<1>, observers: &Bits<1>| dominates(a, b, observers, &used);
        assert!(check(&optional, &due, &Bits::EMPTY) && check(&optional, &done, &Bits::EMPTY));
        assert!(!check(&done, &due, &Bits::EMPTY) && !check(&due, &done, &Bits::EMPTY));
        assert!(check(&done, &due, &bit(3)) && !check(&due, &done, &bit(3)));
    }

    #[test]
    fn fewer_crashed_calls_are_better() {
        let mut used = Used::new();
        let one = used.plus(Used::NONE, 7);
        let two = used.plus(one, 7);
        let other = used.plus(Used::NONE, 5);
        let both = used.plus(other, 7);
        assert!(used.within(Used::NONE, one) && used.within(one, two) && used.within(one, both));
        assert!(!used.within(two, both) && !used.within(other, two));
        assert_eq!(both, used.plus(one, 5));
    }
}
