//! Consistent hashing with virtual nodes (`DeCandia` et al. 2007, sections 4.2 and 4.3).
//!
//! Each node stands at several places of a ring of hashes. A key belongs to the first N
//! *different* nodes behind its own place: its homes. Whoever comes after them stands in for one
//! that does not answer. All nodes compute the same ring from the list of members.

use super::message::Key;
use crate::node::NodeId;

/// Fowler, Noll and Vo's hash 1a, its bits mixed once more so that near names lie far apart.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    mix(fnv)
}

/// The finaliser of `SplitMix64` (Steele et al., 2014).
pub(super) fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Where the nodes stand.
#[derive(Clone, Debug)]
pub struct Ring {
    places: Vec<(u64, NodeId)>,
    members: usize,
}

impl Ring {
    /// Each member at so many places.
    pub fn new(members: &[NodeId], places: u64) -> Ring {
        let place = |node: NodeId| {
            (0..places).map(move |number| (hash(format!("{node}/{number}").as_bytes()), node))
        };
        let mut places: Vec<(u64, NodeId)> = members.iter().copied().flat_map(place).collect();
        places.sort_unstable();
        Ring { places, members: members.len() }
    }

    /// All nodes in the order in which they are responsible for a key; its homes are the first.
    pub fn walk(&self, key: &Key) -> Vec<NodeId> {
        let at = key.place();
        let start = self.places.partition_point(|(place, _)| *place < at);
        let mut walk = Vec::with_capacity(self.members);
        for (_, node) in self.places[start..].iter().chain(&self.places[..start]) {
            if !walk.contains(node) {
                walk.push(*node);
            }
            if walk.len() == self.members {
                break;
            }
        }
        walk
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Kind;
    use super::*;

    fn keys() -> impl Iterator<Item = Key> {
        (0..1_000).map(|number| Key { kind: Kind::Register, name: format!("k{number}") })
    }

    #[test]
    fn all_nodes_have_their_share() {
        let members: Vec<NodeId> = (1..=5).map(NodeId).collect();
        let ring = Ring::new(&members, 32);
        for node in &members {
            let homes = keys().filter(|key| ring.walk(key)[..3].contains(node)).count();
            assert!((400..800).contains(&homes), "{node} is home of {homes} of 1000 keys");
        }
    }

    #[test]
    fn a_node_that_leaves_moves_only_its_own_keys() {
        let members: Vec<NodeId> = (1..=5).map(NodeId).collect();
        let (all, without) = (Ring::new(&members, 32), Ring::new(&members[..4], 32));
        for key in keys() {
            let mut left = all.walk(&key);
            left.retain(|node| *node != NodeId(5));
            assert_eq!(left, without.walk(&key));
        }
    }
}
