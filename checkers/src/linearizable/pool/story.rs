//! A fault of a container as an anomaly: the operations that contradict each other, in words.

use super::calls::{Action, PoolCalls};
use super::lives::{Fault, Life, NONE};
use super::{ModelKind, calls_of};
use crate::history::OpView;
use crate::linearizable::key::KeyContext;
use crate::linearizable::words::{CHECKER, as_json, describe, events, on_key};
use crate::verdict::Anomaly;
use serde_json::{Map, json};

/// Tells a fault of one container.
pub(super) fn tell(
    context: &KeyContext<'_, '_>,
    pool: &PoolCalls<'_>,
    kind: ModelKind,
    fault: &Fault,
) -> Anomaly {
    let op = |call: u32| context.op(pool.calls[call as usize].op as usize);
    let words = |call: u32| describe(&op(call));
    let item = |call: u32| match pool.calls[call as usize].action {
        Action::Add(item) | Action::Take(item) | Action::Peek(item) => {
            pool.items[item as usize].to_string()
        }
        Action::Empty | Action::TakeUnknown => "nothing".to_string(),
    };
    let (name, calls, text) = match *fault {
        Fault::Phantom(got) => {
            ("phantom", vec![got], format!("{} got an item that nobody ever added.", words(got)))
        }
        Fault::Duplicate(first, second) => (
            "duplicated",
            vec![first, second],
            format!(
                "{} and {} both took {}, which was added once.",
                words(first),
                words(second),
                item(first)
            ),
        ),
        Fault::Early { got, add } => (
            "phantom",
            vec![add, got],
            format!("{} had ended before {} began.", words(got), words(add)),
        ),
        Fault::FalseEmpty(empty, there) => (
            "false-empty",
            vec![there, empty],
            format!(
                "{} found the {kind} empty, yet at every moment of it some item was there; {} \
                 when it began.",
                words(empty),
                item(there),
            ),
        ),
        Fault::Order(first, second) => order(&first, &second, kind, &words, &item),
        Fault::NoBottom(first, last) => no_bottom(&first, &last, &words),
        Fault::Outranked(taken, greater) => outranked(&taken, &greater, &words, &item),
    };
    let mut calls: Vec<u32> = calls;
    calls.dedup();
    let ops: Vec<OpView<'_>> = calls.iter().map(|call| op(*call)).collect();
    let mut evidence = Map::new();
    if let Some(key) = context.group.key {
        evidence.insert("key".into(), key.into());
    }
    evidence.insert("operations".into(), json!(ops.iter().map(as_json).collect::<Vec<_>>()));
    Anomaly {
        kind: name.into(),
        checker: CHECKER.into(),
        explanation: format!("{text}{}", on_key(context.group.key)),
        ops: events(ops),
        evidence,
    }
}

/// The first was added before the second and must come out before it.
fn order(
    first: &Life,
    second: &Life,
    kind: ModelKind,
    words: &impl Fn(u32) -> String,
    item: &impl Fn(u32) -> String,
) -> (&'static str, Vec<u32>, String) {
    let calls = calls_of(first).chain(calls_of(second)).collect();
    let (one, other) = (item(first.add), item(second.add));
    if first.take == NONE {
        let text = format!(
            "{} had ended before {} began, yet {} took {other} and nobody ever took {one} from \
             the {kind}: it was lost.",
            words(first.add),
            words(second.add),
            words(second.take),
        );
        return ("lost", calls, text);
    }
    let text = format!(
        "{one} was in the {kind} before {other}, since {} had ended before {} began; yet {} had \
         ended before {} began.",
        words(first.add),
        words(second.add),
        words(second.take),
        words(first.take),
    );
    ("reordered", calls, text)
}

/// Between the two the stack was never empty, yet no item can have been at its bottom.
fn no_bottom(
    first: &Life,
    last: &Life,
    words: &impl Fn(u32) -> String,
) -> (&'static str, Vec<u32>, String) {
    let calls = calls_of(first).chain(calls_of(last)).collect();
    let until = match last.take {
        NONE => "the end".to_string(),
        take => format!("{} began", words(take)),
    };
    let text = format!(
        "From the end of {} on, until {until}, the stack always held some item, yet no item can \
         have been the lowest all that time: items came out in another order than last in, \
         first out.",
        words(first.add),
    );
    ("reordered", calls, text)
}

/// The first was taken although a greater one was there.
fn outranked(
    taken: &Life,
    greater: &Life,
    words: &impl Fn(u32) -> String,
    item: &impl Fn(u32) -> String,
) -> (&'static str, Vec<u32>, String) {
    let calls = calls_of(taken).chain(calls_of(greater)).collect();
    let text = format!(
        "{} took {}, yet at every moment of it a greater item was there; {} when it began.",
        words(taken.take),
        item(taken.take),
        item(greater.add),
    );
    (if greater.take == NONE { "lost" } else { "reordered" }, calls, text)
}
