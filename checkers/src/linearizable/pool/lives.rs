//! The life of each item: when it can have been added, and when taken.
//!
//! Where items are unique this is all that a container's history says. Intervals shrink to what
//! an item's own calls allow: it was added before anybody saw it, and taken after it was added.

use super::calls::{Action, Item, OPEN, PoolCalls};

/// No call.
pub(super) const NONE: u32 = u32::MAX;

/// An item's two calls. Each takes effect strictly between its two ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) item: Item,
    pub(super) add: u32,
    /// [`NONE`] if nobody took it: then it is taken after all else.
    pub(super) take: u32,
    pub(super) add_after: u32,
    pub(super) add_before: u32,
    pub(super) take_after: u32,
    pub(super) take_before: u32,
}

impl Life {
    /// The moments at which the item is certainly there, as ranks that they lie between; from
    /// is not less than to if there are none.
    pub(super) fn certain(&self) -> (u32, u32) {
        (self.add_before, self.take_after)
    }
}

/// Why items or calls contradict each other, whatever the kind of container; calls by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The call got an item that nobody can have added.
    Phantom(u32),
    /// Both took the same item, which was added once.
    Duplicate(u32, u32),
    /// The call got an item, by the other, and had ended before that began.
    Early { got: u32, add: u32 },
    /// The call found nothing, although at every moment of it some item was there; with one.
    FalseEmpty(u32, u32),
    /// The items came out in the wrong order: the first was added before the second, and the
    /// second taken before the first, if that was taken at all. As lives.
    Order(Life, Life),
    /// There was always some item between two moments, yet none that can have been the lowest
    /// all the time; the two items at the ends.
    NoBottom(Life, Life),
    /// The item was taken, although at every moment of that a greater one was there; with one.
    Outranked(Life, Life),
}

/// What the items of a history went through.
pub(super) struct Lives {
    pub(super) all: Vec<Life>,
    /// Calls that found nothing.
    pub(super) empties: Vec<u32>,
    /// Takes of which nobody knows what they took, by their invocation.
    pub(super) unknown: Vec<u32>,
}

/// Why the lives do not tell all: the search must decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclear {
    /// An item was added twice.
    Repeats,
    /// Somebody looked without taking.
    Peeks,
}

impl Lives {
    /// Works out the lives of all items.
    pub(super) fn of(pool: &PoolCalls<'_>) -> Result<Result<Lives, Fault>, Unclear> {
        let mut adds = vec![NONE; pool.items.len()];
        let mut takes = vec![NONE; pool.items.len()];
        let (mut empties, mut unknown) = (Vec::new(), Vec::new());
        let mut duplicate = None;
        for (index, call) in pool.calls.iter().enumerate() {
            let index = index as u32;
            match call.action {
                Action::Add(item) => {
                    if adds[item as usize] != NONE {
                        return Err(Unclear::Repeats);
                    }
                    adds[item as usize] = index;
                }
                Action::Take(item) => {
                    let known = &mut takes[item as usize];
                    if *known != NONE {
                        duplicate = duplicate.or(Some(Fault::Duplicate(*known, index)));
                    }
                    *known = index;
                }
                Action::Peek(_) => return Err(Unclear::Peeks),
                Action::Empty => empties.push(index),
                Action::TakeUnknown => unknown.push(index),
            }
        }
        if let Some(fault) = duplicate {
            return Ok(Err(fault));
        }
        let mut lives = Vec::with_capacity(pool.items.len());
        for (item, (add, take)) in adds.into_iter().zip(takes).enumerate() {
            match live(pool, item as Item, add, take) {
                Ok(Some(life)) => lives.push(life),
                Ok(None) => {}
                Err(fault) => return Ok(Err(fault)),
            }
        }
        Ok(Ok(Lives { all: lives, empties, unknown }))
    }
}

/// The life of one item; none if it may never have been added.
fn live(pool: &PoolCalls<'_>, item: Item, add: u32, take: u32) -> Result<Option<Life>, Fault> {
    let call = |index: u32| &pool.calls[index as usize];
    if add == NONE {
        return if take == NONE { Ok(None) } else { Err(Fault::Phantom(take)) };
    }
    let (add_after, add_before) = (call(add).invoke, call(add).complete);
    if take == NONE {
        let never = OPEN;
        let life = Life {
            item,
            add,
            take,
            add_after,
            add_before,
            take_after: pool.ranks,
            take_before: never,
        };
        return Ok((add_before != OPEN).then_some(life));
    }
    let (take_after, take_before) = (call(take).invoke, call(take).complete);
    if take_before < add_after {
        return Err(Fault::Early { got: take, add });
    }
    Ok(Some(Life {
        item,
        add,
        take,
        add_after,
        add_before: add_before.min(take_before),
        take_after: take_after.max(add_after),
        take_before,
    }))
}

/// Looks for a call that found nothing although something was there all the time: at each of its
/// moments some item's certain presence covers it. Where every such call has a moment that none
/// covers, the container can be empty at all these moments at once: whatever is there then can
/// be added later or taken earlier.
pub(super) fn false_empty(pool: &PoolCalls<'_>, lives: &Lives) -> Option<Fault> {
    if lives.empties.is_empty() {
        return None;
    }
    let ranks = pool.ranks as usize;
    // Moment r lies between ranks r and r + 1.
    let mut change = vec![0i32; ranks + 2];
    for (from, to) in lives.all.iter().map(Life::certain).filter(|(from, to)| from < to) {
        change[from as usize] += 1;
        change[to as usize] -= 1;
    }
    // For each moment the next one, itself included, at which nothing need be there.
    let mut free = vec![0u32; ranks + 1];
    let mut items = 0;
    for (moment, free) in free.iter_mut().enumerate() {
        items += change[moment];
        *free = u32::from(items == 0);
    }
    let mut next = OPEN;
    for moment in (0..=ranks).rev() {
        if free[moment] == 1 {
            next = moment as u32;
        }
        free[moment] = next;
    }
    let is_false = |index: &&u32| {
        let call = &pool.calls[**index as usize];
        free[call.invoke as usize] >= call.complete
    };
    let empty = *lives.empties.iter().find(is_false)?;
    let at = pool.calls[empty as usize].invoke;
    let there = lives.all.iter().find(|life| {
        let (from, to) = life.certain();
        from <= at && at < to
    });
    Some(Fault::FalseEmpty(empty, there.map_or(empty, |life| life.add)))
}
