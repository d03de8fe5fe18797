//! Randomness by name: one seed, one stream for each role.
//!
//! Each draw of a run comes from a stream forked from the seed by the role's name
//! (`"generator"`, `"nemesis"`, `"node/n1"`, ...), so that one draw more in one role does not
//! shift another. `ChaCha8` gives the same stream on every machine and in every version.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What decides every draw of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of the role called `name`.
    pub fn stream(self, name: &str) -> ChaCha8Rng {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&self.0.to_le_bytes());
        key[8..16].copy_from_slice(&fnv1a(name.as_bytes()).to_le_bytes());
        key[16..24].copy_from_slice(&(name.len() as u64).to_le_bytes());
        ChaCha8Rng::from_seed(key)
    }

    /// A seed of its own for the role called `name`, to hand to another process.
    #[must_use]
    pub fn fork(self, name: &str) -> Seed {
        use rand::Rng;
        Seed(self.stream(name).next_u64())
    }
}

/// Fowler, Noll and Vo's hash, version 1a: short, stable, good enough to tell names apart.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
