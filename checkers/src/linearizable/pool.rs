//! Containers that hand items out in an order of their own: queues, stacks, priority queues.
//!
//! Where items are unique, near-linear algorithms decide; an item's history is then no more than
//! two intervals, for its adding and its taking (see [`lives`]). Calls that found nothing are
//! decided on their own. An adding that crashed and whose item nobody got is left out; nothing
//! needs it. A take that crashed may have taken any item, or none: first it is left out, then
//! given to an item that nobody else is known to have taken, which can only help. If neither
//! gives a linearization the search decides, as it does where items repeat or are peeked at.

mod calls;
mod cover;
mod lives;
mod priority;
mod queue;
mod stack;
mod story;

use super::by_model::ModelCalls;
use super::key::{Algorithm, KeyContext, KeyReport, undecided};
use super::{ModelKind, Outcome};
use crate::model::{Model, PoolInput, PoolOutput, PriorityQueue, Queue, Stack};
use calls::{Item, OPEN, PoolCalls};
use lives::{Fault, Life, Lives, NONE};
use serde_json::Value as Json;

/// Decides one container.
pub(crate) fn check(context: &mut KeyContext<'_, '_>, kind: ModelKind) -> KeyReport {
    let pool = match PoolCalls::of(context) {
        Ok(pool) => pool,
        Err(unknown) => return undecided(unknown),
    };
    let algorithm = Algorithm::Intervals;
    // A take that crashed has a deadline there, which intervals know nothing of.
    let lives = if context.deadlines.is_some() { None } else { by_lives(&pool, kind) };
    match lives {
        Some(Ok(())) => KeyReport { outcome: Outcome::Linearizable, algorithm, anomaly: None },
        Some(Err(fault)) => {
            let anomaly = Some(story::tell(context, &pool, kind, &fault));
            KeyReport { outcome: Outcome::Violation, algorithm, anomaly }
        }
        None => by_search(context, &pool, kind),
    }
}

/// Decides one container by the search, whatever else could.
pub(super) fn search(context: &mut KeyContext<'_, '_>, kind: ModelKind) -> KeyReport {
    match PoolCalls::of(context) {
        Ok(pool) => by_search(context, &pool, kind),
        Err(unknown) => undecided(unknown),
    }
}

/// Decides by intervals, if that is possible.
fn by_lives(pool: &PoolCalls<'_>, kind: ModelKind) -> Option<Result<(), Fault>> {
    let mut lives = match Lives::of(pool).ok()? {
        Ok(lives) => lives,
        Err(fault) => return Some(Err(fault)),
    };
    let order = match kind {
        ModelKind::Stack => stack::order,
        ModelKind::PriorityQueue => priority::order,
        _ => queue::order,
    };
    let decide = |lives: &Lives| order(pool, lives).or_else(|| lives::false_empty(pool, lives));
    let Some(fault) = decide(&lives) else { return Some(Ok(())) };
    if lives.unknown.is_empty() {
        return Some(Err(fault));
    }
    match kind {
        ModelKind::Queue => queue::assign(pool, &mut lives),
        _ => oldest_first(pool, &mut lives),
    }
    if decide(&lives).is_none() {
        return Some(Ok(()));
    }
    // More than can be: the first unknown take takes all that is left. If that does not help,
    // nothing does.
    let waiting = (0..lives.all.len()).filter(|at| lives.all[*at].take_before == OPEN);
    for at in waiting.collect::<Vec<_>>() {
        let life = &mut lives.all[at];
        life.take = NONE;
        life.take_after = pool.calls[lives.unknown[0] as usize].invoke.max(life.add_after);
    }
    decide(&lives).map(Err)
}

/// Gives takes of unknown items to the items that were added first.
fn oldest_first(pool: &PoolCalls<'_>, lives: &mut Lives) {
    let mut waiting: Vec<usize> =
        (0..lives.all.len()).filter(|at| lives.all[*at].take == NONE).collect();
    waiting.sort_by_key(|at| lives.all[*at].add_before);
    give(pool, lives, &waiting);
}

/// Gives takes of unknown items, by their invocation, to items in the given order.
fn give(pool: &PoolCalls<'_>, lives: &mut Lives, waiting: &[usize]) {
    for (at, take) in waiting.iter().zip(&lives.unknown) {
        let life = &mut lives.all[*at];
        life.take = *take;
        life.take_after = pool.calls[*take as usize].invoke.max(life.add_after);
    }
}

fn by_search(context: &mut KeyContext<'_, '_>, pool: &PoolCalls<'_>, kind: ModelKind) -> KeyReport {
    match kind {
        ModelKind::Stack => searched(context, pool, &Stack::new(), list(pool)),
        ModelKind::PriorityQueue => {
            let state = |items: &std::collections::BTreeMap<Item, u32>| {
                items.keys().map(|item| Json::from(pool.items[*item as usize])).collect()
            };
            searched(context, pool, &PriorityQueue::new(), state)
        }
        _ => searched(context, pool, &Queue::new(), list(pool)),
    }
}

fn list(pool: &PoolCalls<'_>) -> impl Fn(&Vec<Item>) -> Json {
    |items| items.iter().map(|item| Json::from(pool.items[*item as usize])).collect()
}

fn searched<M>(
    context: &mut KeyContext<'_, '_>,
    pool: &PoolCalls<'_>,
    model: &M,
    state: impl Fn(&M::State) -> Json,
) -> KeyReport
where
    M: Model<Input = PoolInput<Item>, Output = PoolOutput<Item>>,
{
    let ops = pool.calls.iter().map(|call| call.op).collect();
    ModelCalls { calls: pool.for_model(), ops }.search(context, model, state)
}

/// The end of a certain presence that a report can show.
fn calls_of(life: &Life) -> impl Iterator<Item = u32> {
    [life.add, life.take].into_iter().filter(|call| *call != NONE)
}
