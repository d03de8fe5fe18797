//! The operations of a container, small: items as numbers, times as ranks of events.

use crate::history::{EventType, OpView};
use crate::linearizable::by_model::meaningless;
use crate::linearizable::call::Call;
use crate::linearizable::key::KeyContext;
use crate::linearizable::options::Unknown;
use crate::model::{PoolInput, PoolOutput};
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// An item, by number; greater items have greater numbers.
pub(super) type Item = u32;

/// The completion of an operation that never completed: after all others.
pub(super) const OPEN: u32 = u32::MAX;

/// What an operation did, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Add(Item),
    Take(Item),
    Peek(Item),
    /// It found nothing to take or to look at.
    Empty,
    /// It took some item, or found none, or never happened.
    TakeUnknown,
}

/// One operation. Times are ranks from 0: different events have different ranks.
#[derive(Clone, Copy, Debug)]
pub(super) struct PoolCall {
    /// Its place among the key's operations.
    pub(super) op: u32,
    pub(super) invoke: u32,
    /// [`OPEN`] if the outcome is unknown.
    pub(super) complete: u32,
    pub(super) action: Action,
}

/// All that matters of one container's history.
pub(super) struct PoolCalls<'a> {
    pub(super) calls: Vec<PoolCall>,
    /// The items by number, ascending.
    pub(super) items: Vec<&'a Value>,
    /// How many ranks there are.
    pub(super) ranks: u32,
}

impl<'a> PoolCalls<'a> {
    /// Reads the operations of a key.
    pub(super) fn of(context: &KeyContext<'a, '_>) -> Result<PoolCalls<'a>, Unknown> {
        let mut names = Names::default();
        let mut calls = Vec::with_capacity(context.group.positions.len());
        for (at, op) in context.group.ops().enumerate() {
            if let Some(action) = names.action(&op)? {
                let operation = context.group.operation(at);
                let complete = match (op.outcome, operation.complete) {
                    (EventType::Info, _) | (_, None) => OPEN,
                    (_, Some(index)) => index.0,
                };
                let (op, invoke) = (at as u32, operation.invoke.0);
                calls.push(PoolCall { op, invoke, complete, action });
            }
        }
        let items = names.sort(&mut calls);
        let ranks = rank(&mut calls);
        Ok(PoolCalls { calls, items, ranks })
    }

    /// As calls of a container's model.
    pub(super) fn for_model(&self) -> Vec<Call<PoolInput<Item>, PoolOutput<Item>>> {
        let call = |call: &PoolCall| {
            let (input, output) = match call.action {
                Action::Add(item) => (PoolInput::Add(item), Some(PoolOutput::Added)),
                Action::Take(item) => (PoolInput::Take, Some(PoolOutput::Item(Some(item)))),
                Action::Peek(item) => (PoolInput::Peek, Some(PoolOutput::Item(Some(item)))),
                Action::Empty => (PoolInput::Peek, Some(PoolOutput::Item(None))),
                Action::TakeUnknown => (PoolInput::Take, None),
            };
            let open = call.complete == OPEN;
            Call {
                process: 0,
                input,
                output: output.filter(|_| !open),
                invoke: u64::from(call.invoke),
                complete: (!open).then_some(u64::from(call.complete)),
            }
        };
        self.calls.iter().map(call).collect()
    }
}

/// Numbers for items.
#[derive(Default)]
struct Names<'a> {
    items: Vec<&'a Value>,
    integers: HashMap<i64, Item, FxBuildHasher>,
    others: HashMap<&'a Value, Item, FxBuildHasher>,
}

impl<'a> Names<'a> {
    fn id(&mut self, item: &'a Value) -> Item {
        let next = self.items.len() as Item;
        let id = match item {
            Value::Int(n) => *self.integers.entry(*n).or_insert(next),
            other => *self.others.entry(other).or_insert(next),
        };
        if id == next {
            self.items.push(item);
        }
        id
    }

    /// What the operation did; nothing if it cannot matter.
    fn action(&mut self, op: &OpView<'a>) -> Result<Option<Action>, Unknown> {
        let takes = match op.f().as_str() {
            "enqueue" | "enq" | "push" | "insert" | "add" | "offer" => {
                let failed = op.outcome == EventType::Fail;
                return Ok((!failed).then(|| Action::Add(self.id(op.input()))));
            }
            "dequeue" | "deq" | "pop" | "poll" | "take" => true,
            "peek" => false,
            _ => return Err(meaningless(op, "a container")),
        };
        Ok(match (op.outcome, op.output()) {
            (EventType::Ok, Some(item)) if !item.is_null() => {
                let item = self.id(item);
                Some(if takes { Action::Take(item) } else { Action::Peek(item) })
            }
            (EventType::Ok, _) => Some(Action::Empty),
            (EventType::Fail, _) => says_empty(op).then_some(Action::Empty),
            _ => takes.then_some(Action::TakeUnknown),
        })
    }

    /// Gives the items numbers in their own order.
    fn sort(self, calls: &mut [PoolCall]) -> Vec<&'a Value> {
        let mut order: Vec<Item> = (0..self.items.len() as Item).collect();
        order.sort_by_key(|item| self.items[*item as usize]);
        let mut renamed = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            renamed[*old as usize] = new as Item;
        }
        for call in calls {
            match &mut call.action {
                Action::Add(item) | Action::Take(item) | Action::Peek(item) => {
                    *item = renamed[*item as usize];
                }
                Action::Empty | Action::TakeUnknown => {}
            }
        }
        order.into_iter().map(|item| self.items[item as usize]).collect()
    }
}

/// A take that failed because there was nothing is an observation.
fn says_empty(op: &OpView<'_>) -> bool {
    let error = op.complete.and_then(|event| event.error.as_ref());
    let first = error.and_then(Value::as_list).and_then(<[Value]>::first).or(error);
    first.and_then(Value::as_str) == Some("empty")
}

/// Replaces event indices by their ranks.
fn rank(calls: &mut [PoolCall]) -> u32 {
    let ends = |call: &PoolCall| {
        [Some(call.invoke), (call.complete != OPEN).then_some(call.complete)].into_iter().flatten()
    };
    let (Some(first), Some(last)) =
        (calls.first().map(|call| call.invoke), calls.iter().flat_map(ends).max())
    else {
        return 0;
    };
    let span = (last - first) as usize + 1;
    if span <= calls.len() * 8 {
        // Dense: count instead of sorting.
        let mut ranks = vec![0u32; span + 1];
        for end in calls.iter().flat_map(ends) {
            ranks[(end - first) as usize + 1] = 1;
        }
        for at in 1..ranks.len() {
            ranks[at] += ranks[at - 1];
        }
        return rename(calls, |end| ranks[(end - first) as usize], ranks[span]);
    }
    let mut sorted: Vec<u32> = calls.iter().flat_map(ends).collect();
    sorted.sort_unstable();
    rename(calls, |end| sorted.partition_point(|other| *other < end) as u32, sorted.len() as u32)
}

fn rename(calls: &mut [PoolCall], rank: impl Fn(u32) -> u32, ranks: u32) -> u32 {
    for call in calls {
        call.invoke = rank(call.invoke);
        if call.complete != OPEN {
            call.complete = rank(call.complete);
        }
    }
    ranks
}
