//! The events of a history in order, and its calls grouped into classes of equals.

use crate::linearizable::call::Call;
use crate::model::{Effect, Model};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// One end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Invoke,
    Return,
    /// From here on a call that crashed cannot take effect any more.
    Expire,
}

/// A history made ready for the search.
pub(super) struct Timeline {
    /// Ends in order; an invocation comes before a completion at the same position, and what
    /// expires there comes last.
    pub(super) events: Vec<(End, u32)>,
    /// The class of each call, by index. Calls of one class ask the same and were told the same:
    /// they are interchangeable while both are open.
    pub(super) class_of: Vec<u32>,
    /// What the calls of each class do.
    pub(super) effects: Vec<Effect>,
    /// For each class of crashed calls the one that can do whatever they can, if there is one and
    /// the model tells.
    pub(super) stand_ins: Vec<Option<u32>>,
    /// Until where each call may take effect; those that have no end need no slot.
    pub(super) last: Vec<Option<u64>>,
    /// How many calls that complete or expire are open at once, at most.
    pub(super) most_open: usize,
}

impl Timeline {
    /// `deadlines` are those of crashed calls that have one; there may be fewer than calls.
    pub(super) fn new<M: Model>(
        model: &M,
        calls: &[Call<M::Input, M::Output>],
        deadlines: &[Option<u64>],
    ) -> Timeline {
        let mut by_content = HashMap::with_hasher(FxBuildHasher);
        let mut effects: Vec<Effect> = Vec::new();
        let mut crashed: Vec<(u32, &M::Input)> = Vec::new();
        let mut class_of = Vec::with_capacity(calls.len());
        let mut ends: Vec<(u64, End, u32)> = Vec::with_capacity(calls.len() * 2);
        for (index, call) in calls.iter().enumerate() {
            let index = index as u32;
            let content = (&call.input, call.output.as_ref(), call.is_crashed());
            let class = *by_content.entry(content).or_insert_with(|| {
                let class = effects.len() as u32;
                effects.push(model.effect(&call.input, call.output.as_ref()));
                if call.is_crashed() && call.output.is_none() {
                    crashed.push((class, &call.input));
                }
                class
            });
            class_of.push(class);
            match call.complete {
                // It asserts nothing and changes nothing.
                None if effects[class as usize] == Effect::Observes => {}
                None => {
                    ends.push((call.invoke, End::Invoke, index));
                    let deadline = deadlines.get(index as usize).copied().flatten();
                    ends.extend(deadline.map(|last| (last, End::Expire, index)));
                }
                Some(complete) => {
                    ends.push((call.invoke, End::Invoke, index));
                    ends.push((complete, End::Return, index));
                }
            }
        }
        let mut stand_ins = vec![None; effects.len()];
        for (class, input) in crashed {
            let stand_in = model.stand_in(input);
            let found = stand_in.and_then(|input| by_content.get(&(&input, None, true)).copied());
            stand_ins[class as usize] = found.filter(|found| *found != class);
        }
        ends.sort_unstable_by_key(|(position, end, index)| (*position, *end as u8, *index));
        let events: Vec<(End, u32)> = ends.into_iter().map(|(_, end, call)| (end, call)).collect();
        let last: Vec<Option<u64>> = calls
            .iter()
            .enumerate()
            .map(|(index, call)| call.complete.or(deadlines.get(index).copied().flatten()))
            .collect();
        let most_open = most_open(&events, &last);
        Timeline { events, class_of, effects, stand_ins, last, most_open }
    }
}

fn most_open(events: &[(End, u32)], last: &[Option<u64>]) -> usize {
    let (mut open, mut most) = (0usize, 0usize);
    for (end, call) in events {
        match end {
            End::Invoke if last[*call as usize].is_none() => {}
            End::Invoke => {
                open += 1;
                most = most.max(open);
            }
            End::Return | End::Expire => open -= 1,
        }
    }
    most
}
