//! Queues with unique items in O(n).
//!
//! Items leave in the order in which they come. So x must precede y if x's adding ended before
//! y's began, and also if x's taking ended before y's began. Both relations are interval orders;
//! in such, of two demands x<y and z<w one has x<w or z<y, so that a cycle of demands shrinks to
//! one of two: x was added before y, and y taken before x (Bouajjani, Emmi, Enea and Hamza,
//! "On reducing linearizability to state reachability", 2015, have the same pattern).

use super::calls::{OPEN, PoolCalls};
use super::lives::{Fault, Life, Lives, NONE};

/// The order of items.
pub(super) fn order(pool: &PoolCalls<'_>, lives: &Lives) -> Option<Fault> {
    // The item whose adding certainly ended at a rank; ranks are of that item's own calls.
    let mut added = vec![NONE; pool.ranks as usize + 1];
    for (at, life) in lives.all.iter().enumerate() {
        added[life.add_before as usize] = at as u32;
    }
    let mut begins = vec![NONE; pool.ranks as usize + 1];
    for (at, life) in lives.all.iter().enumerate() {
        begins[life.add_after as usize] = at as u32;
    }
    // Of all items added before this moment the one that is taken last.
    let mut last: Option<&Life> = None;
    for rank in 0..pool.ranks as usize {
        if let Some(life) = lives.all.get(begins[rank] as usize)
            && let Some(last) = last
            && life.take_before < last.take_after
        {
            return Some(Fault::Order(*last, *life));
        }
        if let Some(life) = lives.all.get(added[rank] as usize)
            && last.is_none_or(|last| life.take_after > last.take_after)
        {
            last = Some(life);
        }
    }
    None
}

/// Gives the takes of unknown items to items that nobody is known to have taken: each such item
/// has a deadline, the first end of a taking of an item that is behind it. The earliest take
/// goes to the earliest deadline.
pub(super) fn assign(pool: &PoolCalls<'_>, lives: &mut Lives) {
    let ranks = pool.ranks as usize;
    // The first end of a taking among items whose adding begins at a rank or later.
    let mut first_end = vec![OPEN; ranks + 2];
    for life in &lives.all {
        first_end[life.add_after as usize] = life.take_before;
    }
    for rank in (0..=ranks).rev() {
        first_end[rank] = first_end[rank].min(first_end[rank + 1]);
    }
    let deadline = |life: &Life| first_end[life.add_before as usize + 1];
    let mut waiting: Vec<usize> =
        (0..lives.all.len()).filter(|at| lives.all[*at].take == NONE).collect();
    waiting.sort_by_key(|at| (deadline(&lives.all[*at]), lives.all[*at].add_before));
    super::give(pool, lives, &waiting);
}
