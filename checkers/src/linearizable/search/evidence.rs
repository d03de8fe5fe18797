//! What the search shows when a history cannot be linearized.

use super::timeline::End;
use super::{Reached, Search};
use crate::model::{Effect, Model};
use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

/// Why there is no linearization: the first completion that none survives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<S> {
    /// The call that could not be placed, by index. The prefix that ends with its completion is
    /// the shortest that fails, given what the calls that are still open will be told.
    pub call: usize,
    /// A linearization of everything that completed before, as far as it goes.
    pub order: Vec<Placed<S>>,
    /// The ways in which the history could have gone until then, and why each is a dead end; one
    /// for each state, and at most 16.
    pub alternatives: Vec<Alternative<S>>,
    /// How many such ways there were in all, after pruning.
    pub configurations: usize,
}

impl<S> Failure<S> {
    /// Replaces each call's index by what `names` has there.
    pub(crate) fn rename(&mut self, names: &[usize]) {
        self.call = names[self.call];
        for placed in &mut self.order {
            placed.call = names[placed.call];
        }
        for alternative in &mut self.alternatives {
            for call in alternative.possible.iter_mut().chain(&mut alternative.impossible) {
                *call = names[*call];
            }
        }
    }
}

/// A call in a linearization, with the state that it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<S> {
    /// The call, by index.
    pub call: usize,
    /// The state after it.
    pub state: S,
}

/// One state that was possible just before the failing completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternative<S> {
    /// The state. The failing call is impossible in it.
    pub state: S,
    /// Open calls that could have taken effect in it; none of them leads to a state in which the
    /// failing call is possible, alone or in any order with others.
    pub possible: Vec<usize>,
    /// Open calls that could not.
    pub impossible: Vec<usize>,
}

/// How many alternatives are shown.
pub(super) const ALTERNATIVES_MAX: usize = 16;

/// A step on the way to a configuration.
#[derive(Clone, Copy)]
struct Node {
    parent: u32,
    call: u32,
    /// The event at which the call was placed.
    at: u32,
    state: u32,
}

/// The steps to every configuration, as a tree with its trunk cut off.
pub(super) struct Trail {
    nodes: Vec<Node>,
    /// The steps that all configurations have in common.
    trunk: Vec<Node>,
}

impl Trail {
    /// Where all configurations start.
    pub(super) const START: u32 = u32::MAX;

    pub(super) fn new() -> Trail {
        Trail { nodes: Vec::new(), trunk: Vec::new() }
    }

    pub(super) fn push(&mut self, parent: u32, call: u32, at: u32, state: u32) -> u32 {
        self.nodes.push(Node { parent, call, at, state });
        self.nodes.len() as u32 - 1
    }

    /// Makes the way to `node` the trunk and drops all others.
    pub(super) fn commit(&mut self, node: u32) {
        let path = self.path(node);
        self.trunk.extend(path);
        self.nodes.clear();
    }

    pub(super) fn bytes(&self) -> usize {
        (self.nodes.capacity() + self.trunk.capacity()) * size_of::<Node>()
    }

    fn path(&self, mut node: u32) -> Vec<Node> {
        let mut path = Vec::new();
        while node != Trail::START {
            let step = self.nodes[node as usize];
            path.push(step);
            node = step.parent;
        }
        path.reverse();
        path
    }
}

impl<M: Model, const N: usize> Search<'_, '_, M, N> {
    /// The evidence, once no configuration survived the event `at`.
    pub(super) fn explain(&mut self, at: usize) -> Failure<M::State> {
        let call = self.timeline.events[at].1 as usize;
        let frontier = std::mem::take(&mut self.frontier);
        let order = match (&self.trail, frontier.first()) {
            (Some(trail), Some(reached)) => {
                let mut path = trail.trunk.clone();
                path.extend(trail.path(reached.node));
                self.with_hidden(path, at)
            }
            _ => Vec::new(),
        };
        let mut shown = HashSet::with_hasher(FxBuildHasher);
        let mut alternatives = Vec::new();
        for reached in &frontier {
            if alternatives.len() < ALTERNATIVES_MAX && shown.insert(reached.config.state) {
                alternatives.push(self.alternative(reached));
            }
        }
        Failure { call, order, alternatives, configurations: frontier.len() }
    }

    fn alternative(&mut self, reached: &Reached<N>) -> Alternative<M::State> {
        let config = reached.config;
        let mut open: Vec<u32> = self
            .slots
            .all
            .minus(&config.done)
            .iter()
            .map(|slot| self.slots.call_in(slot))
            .collect();
        for at in 0..self.slots.crashed.len() {
            let taken = self.used.count(config.used, at as u32) as usize;
            open.extend(self.slots.crashed[at].calls.get(taken));
        }
        open.sort_unstable();
        let (possible, impossible) = open
            .into_iter()
            .partition::<Vec<u32>, _>(|call| !self.step(config.state, *call).as_slice().is_empty());
        let indices = |calls: Vec<u32>| calls.into_iter().map(|call| call as usize).collect();
        Alternative {
            state: self.states.get(config.state).clone(),
            possible: indices(possible),
            impossible: indices(impossible),
        }
    }

    /// The steps of `path`, and before each overwriting one the calls that it hid: those that
    /// completed while they were optional.
    fn with_hidden(&self, path: Vec<Node>, end: usize) -> Vec<Placed<M::State>> {
        let mut placed = vec![false; self.calls.len()];
        for node in &path {
            placed[node.call as usize] = true;
        }
        let mut invoked = vec![0u32; self.calls.len()];
        let mut hidden: Vec<(u32, u32)> = Vec::new();
        for (at, (kind, call)) in self.timeline.events[..end].iter().enumerate() {
            match kind {
                End::Invoke => invoked[*call as usize] = at as u32,
                End::Return if !placed[*call as usize] => {
                    hidden.push((invoked[*call as usize], *call));
                }
                End::Return | End::Expire => {}
            }
        }
        hidden.sort_unstable();
        let mut hidden = hidden.into_iter().peekable();
        let mut order = Vec::with_capacity(path.len());
        let mut before = self.model.initial();
        for node in path {
            let class = self.timeline.class_of[node.call as usize];
            if self.timeline.effects[class as usize] == Effect::Overwrites {
                while let Some((_, call)) = hidden.next_if(|(invoked, _)| *invoked < node.at) {
                    let this = &self.calls[call as usize];
                    let after = self.model.step(&before, &this.input, this.output.as_ref());
                    if let Some(after) = after.into_iter().next() {
                        before = after;
                    }
                    order.push(Placed { call: call as usize, state: before.clone() });
                }
            }
            before = self.states.get(node.state).clone();
            order.push(Placed { call: node.call as usize, state: before.clone() });
        }
        order
    }
}
