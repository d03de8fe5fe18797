//! Sets of small numbers, as a few machine words.

/// A set of numbers below `64 * N`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Bits<const N: usize>([u64; N]);

impl<const N: usize> Bits<N> {
    pub(super) const EMPTY: Self = Bits([0; N]);

    pub(super) fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    pub(super) fn insert(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    pub(super) fn remove(&mut self, at: usize) {
        self.0[at / 64] &= !(1 << (at % 64));
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a & !b)
    }

    pub(super) fn within(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + use<N> {
        let words = self.0;
        (0..N).flat_map(move |word| {
            let mut rest = words[word];
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    word * 64 + bit
                })
            })
        })
    }

    fn zip(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Bits(std::array::from_fn(|word| f(self.0[word], other.0[word])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_over_word_borders() {
        let mut a = Bits::<2>::EMPTY;
        for at in [0, 63, 64, 127] {
            a.insert(at);
        }
        assert_eq!(a.iter().collect::<Vec<_>>(), [0, 63, 64, 127]);
        let mut b = a;
        b.remove(64);
        assert!(b.within(&a) && !a.within(&b) && !b.has(64) && b.has(127));
        assert_eq!(a.minus(&b).iter().collect::<Vec<_>>(), [64]);
        assert_eq!(a.or(&b), a);
    }
}
