//! What must be true in the end, and of each answer.

use super::load::{End, Operation};
use quorate_targets::api::store::{Op, Response, SetKind};
use quorate_targets::eventual::Eventual;
use quorate_targets::sim::Nanos;
use serde_json::Value;
use std::collections::BTreeMap;

type Verdict = Result<(), String>;

/// All homes have the same of every key, and nobody keeps anything for another.
pub(crate) fn converged(nodes: &[&Eventual]) -> Verdict {
    for node in nodes {
        if node.hints() > 0 {
            return Err(format!("{} hints were never delivered", node.hints()));
        }
        for (key, cell) in node.cells() {
            for home in node.homes_of(key) {
                let other = nodes[usize::from(home.0) - 1];
                if other.cell(key).as_ref() != Some(cell) {
                    return Err(format!("diverged: {home} differs in {key:?}"));
                }
            }
        }
    }
    Ok(())
}

/// Sets and counters as the homes have them in the end.
pub(crate) struct Finals {
    pub(crate) sets: BTreeMap<(SetKind, String), Vec<Value>>,
    pub(crate) counts: BTreeMap<String, i64>,
}

fn attempts<'a>(
    operations: &'a [Operation],
    of: impl Fn(&Op) -> bool + 'a,
) -> impl Iterator<Item = &'a Operation> {
    operations.iter().filter(move |operation| of(&operation.op) && operation.end != End::Fail)
}

/// No acknowledged add is missing, and with quorums that meet no removed element is back.
pub(crate) fn sets(operations: &[Operation], finals: &Finals, strict: bool) -> Verdict {
    for operation in operations.iter().filter(|operation| matches!(operation.end, End::Ok(_))) {
        let Op::Add { key, set, element } = &operation.op else { continue };
        let there = finals.sets.get(&(*set, key.clone())).is_some_and(|all| all.contains(element));
        let mut removes = attempts(operations, |op| match op {
            Op::Remove { key: k, set: s, element: e } => (k, s, e) == (key, set, element),
            _ => false,
        });
        let removed_for_sure = |remove: &Operation| {
            strict && matches!(remove.end, End::Ok(_)) && operation.ended < remove.began
        };
        match removes.next() {
            None if !there => return Err(format!("lost: {operation:?}")),
            Some(remove) if there && removed_for_sure(remove) => {
                return Err(format!("resurrected: {operation:?}, {remove:?}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Each counter lies within what its increments allow.
pub(crate) fn counters(operations: &[Operation], finals: &Finals) -> Verdict {
    for (name, count) in &finals.counts {
        let (mut low, mut high) = (0, 0);
        for operation in operations {
            let Op::Increment { key, by } = &operation.op else { continue };
            match &operation.end {
                _ if key != name => {}
                End::Ok(_) => (low, high) = (low + by, high + by),
                End::Fail => {}
                End::Unknown => (low, high) = (low + by.min(&0), high + by.max(&0)),
            }
        }
        if !(low..=high).contains(count) {
            return Err(format!("out of bounds: {name} is {count}, not in {low}..={high}"));
        }
    }
    Ok(())
}

/// With quorums that meet, a read of a g-set has all that was acknowledged before it began.
pub(crate) fn reads(operations: &[Operation]) -> Verdict {
    for read in operations {
        let (Op::Elements { key, set: SetKind::GSet }, End::Ok(Response::Elements { elements })) =
            (&read.op, &read.end)
        else {
            continue;
        };
        for add in operations.iter().take_while(|add| add.began < read.began) {
            let Op::Add { key: k, set: SetKind::GSet, element } = &add.op else { continue };
            let before = matches!(add.end, End::Ok(_)) && add.ended < read.began;
            if k == key && before && !elements.contains(element) {
                return Err(format!("stale: {read:?} lacks {element} of {add:?}"));
            }
        }
    }
    Ok(())
}

/// What the homes have, as a client would be told.
pub(crate) fn finals(operations: &[Operation], after: Nanos) -> Finals {
    let mut finals = Finals { sets: BTreeMap::new(), counts: BTreeMap::new() };
    for read in operations.iter().filter(|operation| operation.began >= after) {
        match (&read.op, &read.end) {
            (Op::Elements { key, set }, End::Ok(Response::Elements { elements })) => {
                finals.sets.insert((*set, key.clone()), elements.clone());
            }
            (Op::Count { key }, End::Ok(Response::Count { count })) => {
                finals.counts.insert(key.clone(), *count);
            }
            _ => {}
        }
    }
    finals
}
