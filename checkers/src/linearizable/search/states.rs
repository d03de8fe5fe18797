//! States as small numbers, and remembered steps between them.

use crate::linearizable::call::Call;
use crate::model::Model;
use hashbrown::{HashMap, HashTable};
use rustc_hash::{FxBuildHasher, FxHasher};
use std::hash::{Hash, Hasher};

/// The states after one step.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// The step is impossible.
    Nothing,
    One(u32),
    Many(Box<[u32]>),
}

impl Next {
    pub(super) fn as_slice(&self) -> &[u32] {
        match self {
            Next::Nothing => &[],
            Next::One(state) => std::slice::from_ref(state),
            Next::Many(states) => states,
        }
    }
}

/// Every state seen so far, each once, with the steps taken between them.
pub(super) struct States<S> {
    list: Vec<S>,
    index: HashTable<u32>,
    steps: HashMap<(u32, u32), Next, FxBuildHasher>,
    /// Bytes of the states themselves, as the model counts them.
    state_bytes: usize,
}

impl<S: Clone + Eq + Hash> States<S> {
    pub(super) fn new() -> Self {
        States {
            list: Vec::new(),
            index: HashTable::new(),
            steps: HashMap::default(),
            state_bytes: 0,
        }
    }

    pub(super) fn get(&self, id: u32) -> &S {
        &self.list[id as usize]
    }

    /// Bytes held, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.state_bytes + self.list.len() * 12 + self.steps.capacity() * 32
    }

    pub(super) fn intern<M: Model<State = S>>(&mut self, model: &M, state: S) -> u32 {
        let hash = hash(&state);
        let states = &self.list;
        if let Some(id) = self.index.find(hash, |id| states[*id as usize] == state) {
            return *id;
        }
        let id = self.list.len() as u32;
        self.state_bytes += model.state_bytes(&state);
        self.list.push(state);
        let states = &self.list;
        self.index.insert_unique(hash, id, |id| self::hash(&states[*id as usize]));
        id
    }

    /// The states after a call of `class`, of which `call` is one, in `state`.
    pub(super) fn step<M: Model<State = S>>(
        &mut self,
        model: &M,
        state: u32,
        class: u32,
        call: &Call<M::Input, M::Output>,
    ) -> Next {
        if let Some(next) = self.steps.get(&(state, class)) {
            return next.clone();
        }
        let after = model.step(self.get(state), &call.input, call.output.as_ref());
        let mut ids: Vec<u32> = after.into_iter().map(|after| self.intern(model, after)).collect();
        ids.sort_unstable();
        ids.dedup();
        let next = match ids.as_slice() {
            [] => Next::Nothing,
            [one] => Next::One(*one),
            _ => Next::Many(ids.into()),
        };
        self.steps.insert((state, class), next.clone());
        next
    }
}

fn hash(state: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    state.hash(&mut hasher);
    hasher.finish()
}
