//! Many objects of one kind under keys.

use super::{Effect, Model};
use rustc_hash::FxHasher;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// A map of objects of the same kind, each under its key; an object that was never used is in
/// its initial state. Inputs are `(key, input)`. Keys are checked apart from each other.
#[derive(Clone, Debug)]
pub struct Map<K, M> {
    each: M,
    keys: PhantomData<fn(K)>,
}

impl<K, M> Map<K, M> {
    /// A map in which every key leads to an object like `each`.
    pub fn of(each: M) -> Map<K, M> {
        Map { each, keys: PhantomData }
    }
}

impl<K, M> Model for Map<K, M>
where
    K: Clone + Ord + Hash + Debug + Send + Sync,
    M: Model,
{
    type State = BTreeMap<K, M::State>;
    type Input = (K, M::Input);
    type Output = M::Output;
    type Next = Vec<Self::State>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        (key, input): &(K, M::Input),
        output: Option<&M::Output>,
    ) -> Vec<Self::State> {
        let initial = self.each.initial();
        let before = state.get(key).unwrap_or(&initial);
        self.each
            .step(before, input, output)
            .into_iter()
            .map(|after| {
                let mut map = state.clone();
                // Absent and initial are the same state, and must compare equal.
                if after == initial {
                    map.remove(key);
                } else {
                    map.insert(key.clone(), after);
                }
                map
            })
            .collect()
    }

    fn effect(&self, (_, input): &(K, M::Input), output: Option<&M::Output>) -> Effect {
        match self.each.effect(input, output) {
            // Overwriting one key leaves the others as they were.
            Effect::Overwrites => Effect::Updates,
            other => other,
        }
    }

    fn part(&self, (key, _): &(K, M::Input)) -> u64 {
        let mut hasher = FxHasher::default();
        key.hash(&mut hasher);
        hasher.finish()
    }
}
