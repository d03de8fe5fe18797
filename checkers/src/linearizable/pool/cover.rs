//! How many intervals cover each moment, as intervals are taken away.

/// Counts over moments as a tree: each node holds the least count below it, relative to what
/// its ancestors add.
pub(super) struct Cover {
    /// The least count in the subtree, without what the ancestors add.
    least: Vec<i32>,
    /// What is added to the whole subtree.
    added: Vec<i32>,
    leaves: usize,
}

impl Cover {
    pub(super) fn new(counts: &[i32]) -> Cover {
        let leaves = counts.len().next_power_of_two();
        let mut least = vec![0; leaves];
        least.extend(counts);
        least.resize(2 * leaves, 0); // Beyond the last moment nothing is there.
        for at in (1..leaves).rev() {
            least[at] = least[2 * at].min(least[2 * at + 1]);
        }
        Cover { least, added: vec![0; leaves], leaves }
    }

    /// Takes away one interval, from a moment up to before another.
    pub(super) fn remove(&mut self, from: u32, to: u32) {
        let (mut low, mut high) = (self.leaves + from as usize, self.leaves + to as usize);
        let (first, last) = (low, high - 1);
        while low < high {
            if low & 1 == 1 {
                self.add(low, -1);
                low += 1;
            }
            if high & 1 == 1 {
                high -= 1;
                self.add(high, -1);
            }
            low /= 2;
            high /= 2;
        }
        self.update(first);
        self.update(last);
    }

    fn add(&mut self, node: usize, delta: i32) {
        self.least[node] += delta;
        if node < self.leaves {
            self.added[node] += delta;
        }
    }

    fn update(&mut self, leaf: usize) {
        let mut node = leaf / 2;
        while node > 0 {
            let least = self.least[2 * node].min(self.least[2 * node + 1]);
            self.least[node] = least + self.added[node];
            node /= 2;
        }
    }

    /// The first moment from `from` on that nothing covers.
    pub(super) fn first_free(&self, from: u32) -> Option<u32> {
        let found = self.search(1, 0, self.leaves as u32, from, 0)?;
        Some(found)
    }

    /// Looks in a node for moments `low..high` whose ancestors add `above`.
    fn search(&self, node: usize, low: u32, high: u32, from: u32, above: i32) -> Option<u32> {
        if high <= from || self.least[node] + above > 0 {
            return None;
        }
        if node >= self.leaves {
            return Some(low);
        }
        let above = above + self.added[node];
        let middle = u32::midpoint(low, high);
        self.search(2 * node, low, middle, from, above)
            .or_else(|| self.search(2 * node + 1, middle, high, from, above))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cover_finds_what_a_scan_finds() {
        let intervals = [(0, 3), (1, 6), (2, 9), (5, 11), (10, 11)];
        let mut counts = vec![0; 11];
        for (from, to) in intervals {
            counts[from..to].iter_mut().for_each(|count| *count += 1);
        }
        let mut cover = Cover::new(&counts);
        for (from, to) in intervals {
            for at in 0..11 {
                let scan = (at..16).find(|at| counts.get(*at).is_none_or(|count| *count == 0));
                assert_eq!(cover.first_free(at as u32), scan.map(|at| at as u32), "{counts:?}");
            }
            cover.remove(from as u32, to as u32);
            counts[from..to].iter_mut().for_each(|count| *count -= 1);
        }
        assert_eq!(cover.first_free(0), Some(0));
    }
}
