//! A Merkle tree over the keys that two nodes are both home to (`DeCandia` et al. 2007, section
//! 4.7): 256 leaves under 16 branches. Equal roots mean equal replicas; where they differ, only
//! the branches and leaves that differ are looked at.
//!
//! A leaf's hash is the sum of the hashes of what is in it, so the order of keys does not matter.

use super::message::Key;
use super::ring::mix;

/// Branches of the root, and leaves of a branch.
pub(super) const WIDTH: usize = 16;

/// The hashes of the leaves.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    leaves: Vec<u64>,
}

/// The leaf in which a key is.
pub(super) fn leaf_of(key: &Key) -> u8 {
    // The top bits decide the place on the ring.
    key.place().to_le_bytes()[0]
}

impl Tree {
    pub(super) fn new<'a>(entries: impl Iterator<Item = (&'a Key, u64)>) -> Tree {
        let mut leaves = vec![0_u64; WIDTH * WIDTH];
        for (key, digest) in entries {
            let leaf = &mut leaves[usize::from(leaf_of(key))];
            let entry = mix(key.place() ^ mix(digest ^ key.kind as u64));
            *leaf = leaf.wrapping_add(entry);
        }
        Tree { leaves }
    }

    /// The hashes below the root, or below a branch.
    pub(super) fn below(&self, branch: Option<u8>) -> Vec<u64> {
        let branches = self.leaves.chunks(WIDTH);
        match branch {
            Some(branch) => branches.skip(branch.into()).take(1).flatten().copied().collect(),
            None => {
                branches.map(|leaves| leaves.iter().fold(0, |sum, leaf| mix(sum ^ *leaf))).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Kind;
    use super::*;

    #[test]
    fn one_difference_shows_in_one_branch_and_one_leaf() {
        let keys: Vec<Key> = (0..1_000)
            .map(|number| Key { kind: Kind::Register, name: format!("k{number}") })
            .collect();
        let tree = |odd: usize| {
            let digest = |n: usize| if n == odd { 9 } else { 7 };
            Tree::new(keys.iter().enumerate().map(move |(n, key)| (key, digest(n))))
        };
        let (left, right) = (tree(usize::MAX), tree(500));
        let different = |a: Vec<u64>, b: Vec<u64>| -> Vec<usize> {
            a.iter().zip(&b).enumerate().filter(|(_, (a, b))| a != b).map(|(n, _)| n).collect()
        };
        let branches = different(left.below(None), right.below(None));
        let leaf = usize::from(leaf_of(&keys[500]));
        assert_eq!(branches, [leaf / WIDTH]);
        let branch = Some(branches[0] as u8);
        assert_eq!(different(left.below(branch), right.below(branch)), [leaf % WIDTH]);
    }
}
