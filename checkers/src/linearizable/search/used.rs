//! Which crashed calls were taken, as small numbers that compare fast.

use super::slots::StandIns;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// How many crashed calls of each class were taken: interned sorted lists of (class, count).
pub(super) struct Used {
    lists: Vec<Box<[(u32, u32)]>>,
    /// The sum of the counts of each list.
    totals: Vec<u32>,
    /// Each list once more, as bytes, where that is possible.
    packed: Vec<Option<Packed>>,
    ids: HashMap<Box<[(u32, u32)]>, u32, FxBuildHasher>,
    /// The list with one more of a class, as far as anybody asked.
    longer: HashMap<(u32, u32), u32, FxBuildHasher>,
    bytes: usize,
}

/// How many classes may stand in for others at a time; more are not seen to dominate.
const STANDING_MAX: usize = 8;

/// The counts of the first classes, a byte each, of which the highest bit is never set.
#[derive(Clone, Copy)]
struct Packed([u64; WORDS]);

const WORDS: usize = 4;
/// How many classes have a byte.
pub(super) const PACKED: usize = WORDS * 8;
/// The highest bit of each byte.
const HIGH: u64 = 0x8080_8080_8080_8080;

impl Packed {
    /// If every class has a byte and every count fits.
    fn of(list: &[(u32, u32)]) -> Option<Packed> {
        let mut words = [0; WORDS];
        for (class, count) in list {
            let (class, count) = (*class as usize, u64::from(*count));
            if class >= PACKED || count > 127 {
                return None;
            }
            words[class / 8] |= count << (class % 8 * 8);
        }
        Some(Packed(words))
    }

    /// The highest bits of the classes of which this has more.
    fn more_than(&self, other: &Packed) -> [u64; WORDS] {
        // With its highest bit set no byte borrows from the next; it keeps that bit if it was
        // large enough.
        std::array::from_fn(|at| !((other.0[at] | HIGH) - self.0[at]) & HIGH)
    }
}

impl Used {
    pub(super) const NONE: u32 = 0;

    pub(super) fn new() -> Used {
        let mut used = Used {
            lists: Vec::new(),
            totals: Vec::new(),
            packed: Vec::new(),
            ids: HashMap::default(),
            longer: HashMap::default(),
            bytes: 0,
        };
        used.intern(Box::new([]));
        used
    }

    pub(super) fn count(&self, id: u32, class: u32) -> u32 {
        let list = &self.lists[id as usize];
        list.binary_search_by_key(&class, |(class, _)| *class).map_or(0, |at| list[at].1)
    }

    /// The list of `id` with one more of `class`.
    pub(super) fn plus(&mut self, id: u32, class: u32) -> u32 {
        if let Some(longer) = self.longer.get(&(id, class)) {
            return *longer;
        }
        let mut list = self.lists[id as usize].to_vec();
        match list.binary_search_by_key(&class, |(class, _)| *class) {
            Ok(at) => list[at].1 += 1,
            Err(at) => list.insert(at, (class, 1)),
        }
        let longer = self.intern(list.into());
        self.longer.insert((id, class), longer);
        longer
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
        if let (Some(few), Some(many)) = (&self.packed[a as usize], &self.packed[b as usize]) {
            let more = few.more_than(many);
            if more == [0; WORDS] {
                return true;
            }
            if stand_ins.any_lacks(&more) {
                return false;
            }
        }
        self.within_by_standing(a, b, stand_ins)
    }

    /// The same, class by class.
    fn within_by_standing(&self, a: u32, b: u32, stand_ins: &StandIns) -> bool {
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
        self.bytes + self.longer.capacity() * 16
    }

    fn intern(&mut self, list: Box<[(u32, u32)]>) -> u32 {
        if let Some(id) = self.ids.get(&list) {
            return *id;
        }
        let id = self.lists.len() as u32;
        self.bytes += 2 * (list.len() * 8 + 24) + 4 + size_of::<Option<Packed>>();
        self.totals.push(list.iter().map(|(_, count)| count).sum());
        self.packed.push(Packed::of(&list));
        self.ids.insert(list.clone(), id);
        self.lists.push(list);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::super::slots::Slots;
    use super::*;

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

    #[test]
    fn bytes_say_what_lists_say() {
        let mut slots = Slots::<1>::new(0);
        // More places than have bytes; the first four even ones have a stand-in.
        for class in 0..PACKED as u32 + 2 {
            slots.crash(class, class, (class < 8 && class % 2 == 0).then_some(class + 1));
        }
        let mut used = Used::new();
        let mut ids = vec![Used::NONE];
        for class in [0, 1, 7, 8, PACKED as u32 - 1, PACKED as u32] {
            let more: Vec<u32> = ids.iter().map(|id| used.plus(*id, class)).collect();
            ids.extend(more);
        }
        let many = (0..200).fold(Used::NONE, |id, _| used.plus(id, 7));
        ids.extend([many, used.plus(many, 1), used.plus(ids[1], 0)]);
        let (mut within, mut not) = (0, 0);
        for a in &ids {
            for b in &ids {
                let slow = used.total(*a) <= used.total(*b)
                    && used.within_by_standing(*a, *b, &slots.stand_ins);
                assert_eq!(used.within(*a, *b, &slots.stand_ins), slow, "{a} {b}");
                *if slow { &mut within } else { &mut not } += 1;
            }
        }
        assert!(within > 700 && not > 1000, "{within} {not}");
    }
}
