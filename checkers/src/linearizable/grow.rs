//! Sets that only grow, read as a whole, in time linear in what was read.
//!
//! What reads saw must be a chain of sets, each within the next. The chain fixes an order of
//! levels: the elements that the first set has, the reads of it, the elements that the second
//! has more, the reads of that, and so on; at last what was added and never seen. Calls of one
//! level are free among each other. A linearization exists exactly if no call ends before one of
//! an earlier level begins. An adding that crashed counts if its element was seen.
//!
//! An element that is added more than once comes with one of its addings, best the one that
//! began first; the others change nothing if they come at the same level or later. So none of
//! them may end before a call of an earlier level begins, but only one need begin early.

use super::Outcome;
use super::by_model::{ModelCalls, Said, malformed_output, meaningless};
use super::key::{Algorithm, KeyContext, KeyReport, undecided};
use super::options::Unknown;
use super::words::{CHECKER, as_json, describe, events, on_key};
use crate::history::{EventType, OpView};
use crate::model::{GrowingInput, GrowingSet};
use crate::value::Value;
use crate::verdict::Anomaly;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde_json::{Map, Value as Json, json};

/// An element that was never seen.
const UNSEEN: u32 = u32::MAX;

/// No operation.
const NONE: u32 = u32::MAX;

struct Element {
    /// The operation that adds it and begins first.
    begins: u32,
    /// The operation that adds it and ends first; [`NONE`] if none is known to have happened.
    ends: u32,
    /// The first set of the chain that has it.
    level: u32,
    /// The last read that has it, by place.
    read: usize,
}

/// Decides one set.
pub(crate) fn check(context: &mut KeyContext<'_, '_>) -> KeyReport {
    match decide(context) {
        Err(unknown) => undecided(unknown),
        Ok(None) => report(Outcome::Linearizable, None),
        Ok(Some((kind, ops, text))) => {
            let ops: Vec<OpView<'_>> = ops.iter().map(|op| context.op(*op as usize)).collect();
            let mut evidence = Map::new();
            let shown: Vec<_> = ops.iter().map(as_json).collect();
            evidence.insert("operations".into(), json!(shown));
            if let Some(key) = context.group.key {
                evidence.insert("key".into(), key.into());
            }
            let anomaly = Anomaly {
                kind: kind.into(),
                checker: CHECKER.into(),
                explanation: format!("{text}{}", on_key(context.group.key)),
                ops: events(ops),
                evidence,
            };
            report(Outcome::Violation, Some(anomaly))
        }
    }
}

/// Decides one set by the search.
pub(super) fn search(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let (mut elements, mut numbers) =
        (Vec::new(), HashMap::<&Value, u32, FxBuildHasher>::default());
    for op in context.group.ops() {
        let seen = op.output().and_then(Value::as_items).unwrap_or_default();
        let brought = (op.f().as_str() == "add").then(|| op.input());
        for element in brought.into_iter().chain(seen) {
            numbers.entry(element).or_insert_with(|| {
                elements.push(element);
                elements.len() as u32 - 1
            });
        }
    }
    let number = |element: &Value| numbers.get(element).copied();
    let read = |op: &OpView<'_>| -> Result<Option<Said<GrowingSet>>, Unknown> {
        Ok(match (op.f().as_str(), op.outcome) {
            (_, EventType::Fail) | ("read", EventType::Info | EventType::Invoke) => None,
            ("add", _) => number(op.input())
                .map(|element| (GrowingInput::Add(element), op.output().map(|_| None))),
            ("read", EventType::Ok) => {
                let seen = op.output().and_then(Value::as_items);
                let seen = seen.ok_or_else(|| malformed_output(op, "a list"))?;
                let mut seen: Vec<u32> = seen.iter().filter_map(number).collect();
                seen.sort_unstable();
                Some((GrowingInput::Read, Some(Some(seen))))
            }
            _ => return Err(meaningless(op, "a set that only grows")),
        })
    };
    match ModelCalls::<GrowingSet>::of(context, read) {
        Ok(calls) => calls.search(context, &GrowingSet, |set| {
            set.iter().map(|element| Json::from(elements[*element as usize])).collect()
        }),
        Err(unknown) => undecided(unknown),
    }
}

fn report(outcome: Outcome, anomaly: Option<Anomaly>) -> KeyReport {
    KeyReport { outcome, algorithm: Algorithm::Levels, anomaly }
}

/// A kind of anomaly, the operations that show it, and a sentence.
type Wrong = (&'static str, Vec<u32>, String);

fn decide(context: &KeyContext<'_, '_>) -> Result<Option<Wrong>, Unknown> {
    let mut elements: HashMap<&Value, Element, FxBuildHasher> = HashMap::default();
    let mut reads: Vec<(&[Value], u32)> = Vec::new();
    for (at, op) in context.group.ops().enumerate() {
        match (op.f().as_str(), op.outcome) {
            ("add", EventType::Ok | EventType::Info) => {
                let at = at as u32;
                let new = || Element { begins: at, ends: NONE, level: UNSEEN, read: usize::MAX };
                let known = elements.entry(op.input()).or_insert_with(new);
                if op.outcome == EventType::Ok
                    && (known.ends == NONE || end(context, at) < end(context, known.ends))
                {
                    known.ends = at;
                }
            }
            ("read", EventType::Ok) => {
                let set = op.output().and_then(Value::as_items);
                let set = set.ok_or_else(|| malformed_output(&op, "a list"))?;
                reads.push((set, at as u32));
            }
            ("add" | "read", _) => {}
            _ => return Err(meaningless(&op, "a set that only grows")),
        }
    }
    reads.sort_by_key(|(set, _)| set.len());
    match levels(context, &mut elements, &reads) {
        Err(wrong) => Ok(Some(wrong)),
        Ok(level_of_read) => Ok(in_order(context, &elements, &reads, &level_of_read)),
    }
}

/// Gives each element and each read its level, or says why reads are no chain.
fn levels(
    context: &KeyContext<'_, '_>,
    elements: &mut HashMap<&Value, Element, FxBuildHasher>,
    reads: &[(&[Value], u32)],
) -> Result<Vec<u32>, Wrong> {
    let words = |op: u32| describe(&context.op(op as usize));
    let mut level_of_read = Vec::with_capacity(reads.len());
    let (mut level, mut size) = (0u32, 0usize);
    for (at, (set, read)) in reads.iter().enumerate() {
        // The empty set has level 0, and each larger one a level more.
        if set.len() > size {
            level += 1;
        }
        let mut known = 0;
        for element in *set {
            let Some(entry) = elements.get_mut(element) else {
                let text = format!("{} has {element}, which nobody added.", words(*read));
                return Err(("phantom", vec![*read], text));
            };
            if std::mem::replace(&mut entry.read, at) == at {
                let text = format!("{} has {element} twice.", words(*read));
                return Err(("duplicated", vec![*read], text));
            }
            if entry.level != UNSEEN {
                known += 1;
            } else if set.len() > size {
                entry.level = level;
            }
        }
        if known != size {
            let other = reads[at - 1].1;
            let text = format!(
                "{} and {} each have elements that the other lacks, so neither came first.",
                words(other),
                words(*read)
            );
            return Err(("incompatible-order", vec![other, *read], text));
        }
        size = set.len();
        level_of_read.push(level);
    }
    Ok(level_of_read)
}

/// Whether calls can be ordered level by level.
fn in_order(
    context: &KeyContext<'_, '_>,
    elements: &HashMap<&Value, Element, FxBuildHasher>,
    reads: &[(&[Value], u32)],
    level_of_read: &[u32],
) -> Option<Wrong> {
    // Elements of level l come at place 2l, reads of that level at 2l + 1.
    let last = level_of_read.last().copied().unwrap_or(0) * 2 + 2;
    let mut first_end: Vec<Option<(u32, u32)>> = vec![None; last as usize + 1];
    let mut last_begin: Vec<Option<(u32, u32)>> = vec![None; last as usize + 1];
    let mut add = |place: u32, begins: u32, ends: u32| {
        let begin = (context.op(begins as usize).invoke.index.0, begins);
        let known = &mut last_begin[place as usize];
        *known = Some(known.map_or(begin, |known| known.max(begin)));
        if ends != NONE {
            let end = (end(context, ends), ends);
            let known = &mut first_end[place as usize];
            *known = Some(known.map_or(end, |known| known.min(end)));
        }
    };
    for element in elements.values() {
        match element.level {
            UNSEEN if element.ends == NONE => {}
            UNSEEN => add(last, element.begins, element.ends),
            level => add(level * 2, element.begins, element.ends),
        }
    }
    for ((_, op), level) in reads.iter().zip(level_of_read) {
        add(level * 2 + 1, *op, *op);
    }
    let mut earlier: Option<(u32, u32)> = None;
    for place in 0..=last {
        if let (Some((end, early)), Some((begin, late))) = (first_end[place as usize], earlier)
            && end < begin
        {
            return Some(disorder(context, early, late, place == last));
        }
        earlier = earlier.max(last_begin[place as usize]);
    }
    None
}

/// When an operation ended, by event.
fn end(context: &KeyContext<'_, '_>, op: u32) -> u32 {
    context.op(op as usize).complete.map_or(u32::MAX, |event| event.index.0)
}

/// `early` had ended before `late` began, but comes after it by what reads saw.
fn disorder(context: &KeyContext<'_, '_>, early: u32, late: u32, unseen: bool) -> Wrong {
    let (early_op, late_op) = (context.op(early as usize), context.op(late as usize));
    let kind = match (early_op.f().as_str(), late_op.f().as_str(), unseen) {
        ("add", _, true) => "lost",
        (_, "read", _) => "stale-read",
        ("read", _, _) => "future-read",
        _ => "reordered",
    };
    let text = format!(
        "{} had ended before {} began, yet by what was read it comes after it.",
        describe(&early_op),
        describe(&late_op),
    );
    (kind, vec![early, late], text)
}
