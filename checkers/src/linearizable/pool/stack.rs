//! Stacks with unique items in O(n log n).
//!
//! An item whose adding and taking overlap can be added and taken at once, which disturbs
//! nobody: it is left out. Each other item is certainly there between the end of its adding and
//! the beginning of its taking. Where at some moment no item is certainly there, the stack may
//! be taken as empty: whatever is there can be added later or was taken before. Such moments cut
//! the history into stretches that do not touch each other. Over a whole stretch some item is at
//! the bottom, one and the same: it was added before any other had to be there, and is taken
//! after any other need be. If no item can do that, there is no linearization; if some can, any
//! of them may: without it the rest of the stretch is as linearizable as before, and falls into
//! stretches again. Each round takes out one item. (The idea of taking out what cannot matter is
//! Lee and Mathur's, "Efficient decrease-and-conquer linearizability monitoring", 2025.)

use super::calls::PoolCalls;
use super::cover::Cover;
use super::lives::{Fault, Life, Lives, NONE};

/// The order of items.
pub(super) fn order(pool: &PoolCalls<'_>, lives: &Lives) -> Option<Fault> {
    let ranks = pool.ranks as usize + 1;
    let mut here = Stretches::new(ranks, lives);
    let mut todo: Vec<(u32, u32)> = vec![(0, pool.ranks)];
    while let Some((from, to)) = todo.pop() {
        let mut at = from;
        while let Some((start, end)) = here.next(at, to) {
            let Some(bottom) = here.bottom(start, end) else {
                let at_start = here.lives[here.starts[start as usize] as usize];
                let at_end = here.ending(start, end).unwrap_or(at_start);
                return Some(Fault::NoBottom(at_start, at_end));
            };
            here.remove(bottom);
            todo.push((start, end));
            at = end;
        }
    }
    None
}

struct Stretches<'a> {
    lives: &'a [Life],
    /// For each rank the item whose adding certainly ended there, while it is in.
    starts: Vec<u32>,
    /// How many items certainly are there at each moment.
    cover: Cover,
    /// The earliest beginning of an adding, by the rank of its end; for finding those that
    /// were going on at a moment.
    began: Earliest,
}

impl<'a> Stretches<'a> {
    fn new(ranks: usize, lives: &'a Lives) -> Stretches<'a> {
        let mut starts = vec![NONE; ranks];
        let mut began = vec![u32::MAX; ranks];
        let mut counts = vec![0i32; ranks + 1];
        for (at, life) in lives.all.iter().enumerate() {
            let (from, to) = life.certain();
            if from < to {
                starts[from as usize] = at as u32;
                began[from as usize] = life.add_after;
                counts[from as usize] += 1;
                counts[to as usize] -= 1;
            }
        }
        let mut now = 0;
        for count in &mut counts {
            now += *count;
            *count = now;
        }
        counts.pop();
        Stretches {
            lives: &lives.all,
            starts,
            cover: Cover::new(&counts),
            began: Earliest::new(began),
        }
    }

    /// The next stretch in which at each moment some item certainly is there.
    fn next(&self, from: u32, to: u32) -> Option<(u32, u32)> {
        let start = self.began.first_in(from)?;
        if start >= to {
            return None;
        }
        Some((start, self.cover.first_free(start).unwrap_or(to)))
    }

    /// An item that can be the lowest from the start to the end of a stretch.
    fn bottom(&self, start: u32, end: u32) -> Option<u32> {
        let mut at = start;
        loop {
            at = self.began.first_below(at, start)?;
            if at >= end {
                return None;
            }
            let index = self.starts[at as usize];
            if self.lives[index as usize].take_before > end {
                return Some(index);
            }
            at += 1;
        }
    }

    fn remove(&mut self, index: u32) {
        let (from, to) = self.lives[index as usize].certain();
        self.starts[from as usize] = NONE;
        self.began.remove(from);
        self.cover.remove(from, to);
    }

    /// The item that is there at the end of a stretch.
    fn ending(&self, start: u32, end: u32) -> Option<Life> {
        let alive = self.starts[start as usize..end as usize].iter().filter(|at| **at != NONE);
        alive.map(|at| self.lives[*at as usize]).find(|life| life.take_after == end)
    }
}

/// The least of numbers over ranges, as a tree over ranks.
struct Earliest {
    tree: Vec<u32>,
    leaves: usize,
}

impl Earliest {
    fn new(numbers: Vec<u32>) -> Earliest {
        let leaves = numbers.len().next_power_of_two();
        let mut tree = vec![u32::MAX; leaves];
        tree.extend(numbers);
        tree.resize(2 * leaves, u32::MAX);
        for at in (1..leaves).rev() {
            tree[at] = tree[2 * at].min(tree[2 * at + 1]);
        }
        Earliest { tree, leaves }
    }

    fn remove(&mut self, at: u32) {
        let mut node = self.leaves + at as usize;
        self.tree[node] = u32::MAX;
        while node > 1 {
            node /= 2;
            self.tree[node] = self.tree[2 * node].min(self.tree[2 * node + 1]);
        }
    }

    /// The first rank from `from` on that has a number.
    fn first_in(&self, from: u32) -> Option<u32> {
        self.first_below(from, u32::MAX)
    }

    /// The first rank from `from` on whose number is below `limit`.
    fn first_below(&self, from: u32, limit: u32) -> Option<u32> {
        let mut node = self.leaves + from as usize;
        if node >= self.tree.len() {
            return None;
        }
        // Up until a subtree to the right holds one, then down to its first.
        while self.tree[node] >= limit {
            while node & 1 == 1 {
                if node.is_power_of_two() || (node + 1).is_power_of_two() {
                    return None;
                }
                node /= 2;
            }
            node += 1;
        }
        while node < self.leaves {
            node *= 2;
            if self.tree[node] >= limit {
                node += 1;
            }
        }
        Some((node - self.leaves) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earliest_finds_what_a_scan_finds() {
        let numbers = [9, 3, u32::MAX, 7, 1, u32::MAX, 5];
        let mut tree = Earliest::new(numbers.to_vec());
        let mut list = numbers.to_vec();
        for removed in [6u32, 4, 1] {
            for from in 0..8u32 {
                for limit in [0, 2, 4, 6, 8, u32::MAX] {
                    let scan = (from..7).find(|at| list[*at as usize] < limit);
                    assert_eq!(tree.first_below(from, limit), scan, "{from} {limit} {list:?}");
                }
            }
            tree.remove(removed);
            list[removed as usize] = u32::MAX;
        }
    }
}
