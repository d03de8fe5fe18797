//! Several registers of which one operation reads and writes any, at one moment.

use super::{Effect, Model};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

/// Registers under keys; each holds `initial` at first.
#[derive(Clone, Debug)]
pub struct Registers<K, V> {
    /// What every register holds before it is written.
    pub initial: V,
    keys: std::marker::PhantomData<fn(K)>,
}

impl<K, V> Registers<K, V> {
    /// Registers that all hold `initial`.
    pub fn of(initial: V) -> Registers<K, V> {
        Registers { initial, keys: std::marker::PhantomData }
    }
}

/// One step of an operation on several registers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Access<K, V> {
    /// Read this register.
    Read(K),
    /// Write this register.
    Write(K, V),
}

impl<K, V> Model for Registers<K, V>
where
    K: Clone + Ord + Hash + Debug + Send + Sync,
    V: Clone + Eq + Hash + Debug + Send + Sync,
{
    /// The registers that do not hold the initial value.
    type State = BTreeMap<K, V>;
    type Input = Vec<Access<K, V>>;
    /// What the reads saw, in order.
    type Output = Vec<V>;
    type Next = Option<BTreeMap<K, V>>;

    fn initial(&self) -> BTreeMap<K, V> {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &BTreeMap<K, V>,
        input: &Vec<Access<K, V>>,
        output: Option<&Vec<V>>,
    ) -> Option<BTreeMap<K, V>> {
        let mut state = state.clone();
        let mut seen = output.into_iter().flatten();
        for access in input {
            match access {
                Access::Read(key) => {
                    let value = state.get(key).unwrap_or(&self.initial);
                    if output.is_some() && seen.next() != Some(value) {
                        return None;
                    }
                }
                // Absent and initial are the same state, and must compare equal.
                Access::Write(key, value) if *value == self.initial => drop(state.remove(key)),
                Access::Write(key, value) => drop(state.insert(key.clone(), value.clone())),
            }
        }
        Some(state)
    }

    fn effect(&self, input: &Vec<Access<K, V>>, _: Option<&Vec<V>>) -> Effect {
        let reads = input.iter().all(|access| matches!(access, Access::Read(_)));
        if reads { Effect::Observes } else { Effect::Updates }
    }

    fn state_bytes(&self, state: &BTreeMap<K, V>) -> usize {
        size_of_val(state) + state.len() * (size_of::<K>() + size_of::<V>() + 16)
    }
}
