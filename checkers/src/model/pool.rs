//! Containers that hand items out in an order of their own: queues, stacks, priority queues.

use super::Model;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

/// What is asked of a container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PoolInput<V> {
    /// Put an item in.
    Add(V),
    /// Take the next item out.
    Take,
    /// Look at the next item and leave it there.
    Peek,
}

/// What a container answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PoolOutput<V> {
    /// The item was added.
    Added,
    /// This is the next item; `None` if it is empty.
    Item(Option<V>),
}

/// First in, first out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Queue<V>(std::marker::PhantomData<fn(V)>);

/// Last in, first out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stack<V>(std::marker::PhantomData<fn(V)>);

/// Greatest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct PriorityQueue<V>(std::marker::PhantomData<fn(V)>);

impl<V> Queue<V> {
    /// An empty queue.
    pub fn new() -> Queue<V> {
        Queue(std::marker::PhantomData)
    }
}

impl<V> Stack<V> {
    /// An empty stack.
    pub fn new() -> Stack<V> {
        Stack(std::marker::PhantomData)
    }
}

impl<V> PriorityQueue<V> {
    /// An empty priority queue.
    pub fn new() -> PriorityQueue<V> {
        PriorityQueue(std::marker::PhantomData)
    }
}

/// The state after taking or peeking where `next` is the next item and `rest` what stays when it
/// is taken; without an output both may have happened to anything.
fn give<V: PartialEq, S>(
    next: Option<&V>,
    output: Option<&PoolOutput<V>>,
    after: impl FnOnce() -> S,
) -> Option<S> {
    let possible = match output {
        Some(PoolOutput::Item(item)) => item.as_ref() == next,
        Some(PoolOutput::Added) => false,
        None => true,
    };
    possible.then(after)
}

macro_rules! listed {
    ($pool:ident, $next:ident, $at:expr) => {
        impl<V: Clone + Eq + Hash + Debug + Send + Sync> Model for $pool<V> {
            type State = Vec<V>;
            type Input = PoolInput<V>;
            type Output = PoolOutput<V>;
            type Next = Option<Vec<V>>;

            fn initial(&self) -> Vec<V> {
                Vec::new()
            }

            fn step(
                &self,
                state: &Vec<V>,
                input: &PoolInput<V>,
                output: Option<&PoolOutput<V>>,
            ) -> Option<Vec<V>> {
                match (input, output) {
                    (PoolInput::Add(item), Some(PoolOutput::Added) | None) => {
                        let mut items = state.clone();
                        items.push(item.clone());
                        Some(items)
                    }
                    (PoolInput::Add(_), Some(PoolOutput::Item(_))) => None,
                    (PoolInput::Take, _) => give(state.$next(), output, || {
                        let mut items = state.clone();
                        if !items.is_empty() {
                            items.remove($at(&items));
                        }
                        items
                    }),
                    (PoolInput::Peek, _) => give(state.$next(), output, || state.clone()),
                }
            }

            fn effect(
                &self,
                input: &PoolInput<V>,
                output: Option<&PoolOutput<V>>,
            ) -> super::Effect {
                observes(input, output)
            }

            fn state_bytes(&self, state: &Vec<V>) -> usize {
                size_of::<Vec<V>>() + state.len() * size_of::<V>()
            }
        }
    };
}

listed!(Queue, first, |_: &Vec<V>| 0);
listed!(Stack, last, |items: &Vec<V>| items.len() - 1);

/// Peeks change nothing, and neither does finding it empty.
fn observes<V>(input: &PoolInput<V>, output: Option<&PoolOutput<V>>) -> super::Effect {
    match (input, output) {
        (PoolInput::Peek, _) | (PoolInput::Take, Some(PoolOutput::Item(None))) => {
            super::Effect::Observes
        }
        _ => super::Effect::Updates,
    }
}

impl<V: Clone + Ord + Hash + Debug + Send + Sync> Model for PriorityQueue<V> {
    /// How many there are of each item.
    type State = BTreeMap<V, u32>;
    type Input = PoolInput<V>;
    type Output = PoolOutput<V>;
    type Next = Option<BTreeMap<V, u32>>;

    fn initial(&self) -> BTreeMap<V, u32> {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &BTreeMap<V, u32>,
        input: &PoolInput<V>,
        output: Option<&PoolOutput<V>>,
    ) -> Option<BTreeMap<V, u32>> {
        let greatest = state.last_key_value().map(|(item, _)| item);
        match (input, output) {
            (PoolInput::Add(item), Some(PoolOutput::Added) | None) => {
                let mut items = state.clone();
                *items.entry(item.clone()).or_default() += 1;
                Some(items)
            }
            (PoolInput::Add(_), Some(PoolOutput::Item(_))) => None,
            (PoolInput::Take, _) => give(greatest, output, || {
                let mut items = state.clone();
                if let Some(mut entry) = items.last_entry() {
                    *entry.get_mut() -= 1;
                    if *entry.get() == 0 {
                        entry.remove();
                    }
                }
                items
            }),
            (PoolInput::Peek, _) => give(greatest, output, || state.clone()),
        }
    }

    fn effect(&self, input: &PoolInput<V>, output: Option<&PoolOutput<V>>) -> super::Effect {
        observes(input, output)
    }

    fn state_bytes(&self, state: &BTreeMap<V, u32>) -> usize {
        size_of_val(state) + state.len() * (size_of::<V>() + 8)
    }
}
