//! Registers whose values repeat: a ladder, cheapest step first.
//!
//! 1. *Rename* ([`rename`](super::rename)): where each observation has only one write that it
//!    can have seen, values are made unique and zones decide.
//! 2. *Cut* ([`segments`](super::segments)) where the value is forced; each segment is then
//!    decided alone: by zones if its values are unique, or can be made so.
//! 3. *Search* the segments that are left, short ones first. A segment that is wrong makes the
//!    history wrong, whatever the others are; one that the budget does not suffice for is named.
//!
//! A compare-and-set that was refused and does not say why needs a moment at which the value was
//! another one. If something that shows another value happened entirely within it, it has one,
//! and is left out from the beginning.

use super::calls::{Action, INITIAL, OPEN, RegisterCall, RegisterCalls, ValueId};
use super::rename::{Overwritten, Renamed, Versions, installs, observes, rename};
use super::segments::{Segment, cut};
use super::story::Story;
use super::zones::{Clusters, Conflict, NONE};
use super::{ByZones, by_zones, refused, report};
use crate::linearizable::Outcome;
use crate::linearizable::by_model::ModelCalls;
use crate::linearizable::dead_end;
use crate::linearizable::key::{Algorithm, KeyContext, KeyReport};
use crate::linearizable::options::Span;
use crate::linearizable::search::{Failure, Found, search};
use crate::linearizable::words::describe;
use crate::model::Register;
use crate::verdict::Anomaly;
use serde_json::json;

/// Decides a register of which zones did not decide the whole.
pub(super) fn check(context: &mut KeyContext<'_, '_>, register: &RegisterCalls<'_>) -> KeyReport {
    let register = &without_easy_refusals(register);
    if context.deadlines.is_some() {
        return whole(context, register);
    }
    if let Some(found) = near_linear(context, register) {
        return conclude(found, Algorithm::Renaming);
    }
    let segments = cut(register);
    let cut = segments.len() > 1;
    let mut open: Vec<(Segment, RegisterCalls<'_>)> = Vec::new();
    for segment in segments {
        let part = part(register, &segment);
        let found = if cut { near_linear(context, &part) } else { None };
        match found {
            Some(Err(mut anomaly)) => {
                mark(context, register, &segment, &mut anomaly);
                return conclude(Err(anomaly), Algorithm::Segments);
            }
            Some(Ok(())) => {}
            None => open.push((segment, part)),
        }
    }
    open.sort_by_key(|(segment, _)| segment.calls.len());
    let algorithm = match (cut, open.is_empty()) {
        (_, true) => Algorithm::Segments,
        (true, false) => Algorithm::SegmentSearch,
        (false, false) => Algorithm::Search,
    };
    let mut undecided = None;
    for (segment, part) in &open {
        match by_search(context, part) {
            Found::Linearizable => {}
            Found::Unknown(unknown) => {
                let span = span(context, register, segment);
                undecided = undecided.or(Some(if cut { unknown.within(span) } else { unknown }));
            }
            Found::Violation(failure) => {
                let mut anomaly = failure.map(|failure| told(context, part, &failure));
                if let (true, Some(anomaly)) = (cut, &mut anomaly) {
                    mark(context, register, segment, anomaly);
                }
                return KeyReport { anomaly, ..report(Outcome::Violation, algorithm) };
            }
        }
    }
    match undecided {
        Some(unknown) => report(Outcome::Unknown(unknown), algorithm),
        None => report(Outcome::Linearizable, algorithm),
    }
}

/// Decides a register by the search over the whole; with deadlines there is no other way.
pub(super) fn whole(context: &mut KeyContext<'_, '_>, register: &RegisterCalls<'_>) -> KeyReport {
    let ops = register.calls.iter().map(|call| call.op).collect();
    let state = |value: &ValueId| register.values[*value as usize].into();
    let model = Register { initial: INITIAL };
    ModelCalls { calls: register.for_model(), ops }.search(context, &model, state)
}

fn conclude(found: Result<(), Box<Anomaly>>, algorithm: Algorithm) -> KeyReport {
    match found {
        Ok(()) => report(Outcome::Linearizable, algorithm),
        Err(anomaly) => {
            KeyReport { anomaly: Some(*anomaly), ..report(Outcome::Violation, algorithm) }
        }
    }
}

fn told(
    context: &KeyContext<'_, '_>,
    register: &RegisterCalls<'_>,
    failure: &Failure<ValueId>,
) -> Anomaly {
    let op = |call: usize| context.op(register.calls[call].op as usize);
    let state = |value: &ValueId| register.values[*value as usize].into();
    dead_end::anomaly(&context.group, failure, op, state)
}

fn by_search(context: &mut KeyContext<'_, '_>, part: &RegisterCalls<'_>) -> Found<ValueId> {
    let model = Register { initial: INITIAL };
    search(&model, &part.for_model(), &mut context.meter, true)
}

/// The same without refusals that something within them explains.
fn without_easy_refusals<'a>(register: &RegisterCalls<'a>) -> RegisterCalls<'a> {
    let calls = &register.calls;
    let is_refused = |call: &RegisterCall| matches!(call.action, Action::Refused(_));
    let all = || calls.iter().enumerate();
    if !calls.iter().any(is_refused) {
        return RegisterCalls { calls: calls.clone(), values: register.values.clone() };
    }
    // For each call that shows a value: where a shorter one behind it begins.
    let mut shows: Vec<(u32, u32, ValueId)> = all()
        .filter(|(_, call)| call.complete != OPEN)
        .filter_map(|(_, call)| {
            let old = observes(call.action);
            let new = installs(call.action);
            // A compare-and-set shows two values, so whatever is compared with, it shows another.
            let value = if old.is_some() && new.is_some() { NONE } else { old.or(new)? };
            Some((call.invoke, call.complete, value))
        })
        .collect();
    shows.sort_unstable();
    let easy = |call: &RegisterCall, old: ValueId| {
        let from = shows.partition_point(|(begin, _, _)| *begin < call.invoke);
        shows[from..]
            .iter()
            .take(WITNESSES_MAX)
            .take_while(|(begin, _, _)| *begin < call.complete)
            .any(|(_, end, value)| *end < call.complete && *value != old)
    };
    let keep = |call: &&RegisterCall| match call.action {
        Action::Refused(old) => !easy(call, old),
        _ => true,
    };
    let calls = calls.iter().filter(keep).copied().collect();
    RegisterCalls { calls, values: register.values.clone() }
}

/// How many calls are looked at to find one that explains a refusal.
const WITNESSES_MAX: usize = 64;

/// Decides by zones, after renaming if values repeat. Nothing if that does not decide.
fn near_linear(
    context: &KeyContext<'_, '_>,
    register: &RegisterCalls<'_>,
) -> Option<Result<(), Box<Anomaly>>> {
    let tell = |register: &RegisterCalls<'_>, conflict: &Conflict| {
        Some(Err(Box::new(Story { context, register }.tell(conflict))))
    };
    match by_zones(register) {
        ByZones::Linearizable => return Some(Ok(())),
        ByZones::Violation(conflict) => return tell(register, &conflict),
        ByZones::Open => {}
    }
    if let Some(call) = thin_air(register) {
        return tell(register, &Conflict::ThinAir(call));
    }
    let versions = match rename(register) {
        Renamed::Ambiguous => return None,
        Renamed::Overwritten(why) => return tell(register, &overwritten(&why)),
        Renamed::Unique(versions) => versions,
    };
    if versions.refused.is_empty() {
        return match by_zones(&versions.register) {
            ByZones::Linearizable => Some(Ok(())),
            ByZones::Violation(conflict) => tell(&versions.register, &conflict),
            ByZones::Open => None,
        };
    }
    let Versions { register: unique, value_of, refused: left } = versions;
    let mut clusters = Clusters::new(&unique.calls, unique.values.len()).ok()?;
    match clusters.decide() {
        Err(conflict) => tell(&unique, &conflict),
        Ok(zones) => {
            let single = unique.calls.iter().filter_map(|call| match call.action {
                Action::Refused(version) => Some((*call, value_of[version as usize])),
                _ => None,
            });
            let several = left.iter().map(|(call, value)| (register.calls[*call as usize], *value));
            let all: Vec<(RegisterCall, ValueId)> = single.chain(several).collect();
            refused::fits(&clusters, &unique.calls, &zones, &value_of, &all).then_some(Ok(()))
        }
    }
}

/// A call that observed a value that nobody can have written.
fn thin_air(register: &RegisterCalls<'_>) -> Option<u32> {
    let mut written = vec![false; register.values.len()];
    written[INITIAL as usize] = true;
    for call in &register.calls {
        if let Some(value) = installs(call.action) {
            written[value as usize] = true;
        }
    }
    let thin = |call: &RegisterCall| {
        call.complete != OPEN && observes(call.action).is_some_and(|value| !written[value as usize])
    };
    register.calls.iter().position(thin).map(|at| at as u32)
}

/// The calls of a segment, with its first value as the initial one.
fn part<'a>(register: &RegisterCalls<'a>, segment: &Segment) -> RegisterCalls<'a> {
    let mut names = vec![NONE; register.values.len()];
    let mut values = vec![register.values[segment.start as usize]];
    names[segment.start as usize] = INITIAL;
    let mut name = |value: ValueId| {
        let known = &mut names[value as usize];
        if *known == NONE {
            *known = values.len() as ValueId;
            values.push(register.values[value as usize]);
        }
        *known
    };
    let calls = segment
        .calls
        .iter()
        .map(|index| {
            let call = register.calls[*index as usize];
            let action = match call.action {
                Action::Read(value) => Action::Read(name(value)),
                Action::Write(value) => Action::Write(name(value)),
                Action::Cas(old, new) => Action::Cas(name(old), name(new)),
                Action::Refused(value) => Action::Refused(name(value)),
                Action::Contradiction(value) => Action::Contradiction(name(value)),
            };
            RegisterCall { action, ..call }
        })
        .collect();
    RegisterCalls { calls, values }
}

/// Where a segment is in the history.
fn span(context: &KeyContext<'_, '_>, register: &RegisterCalls<'_>, segment: &Segment) -> Span {
    let done = segment.calls.iter().map(|index| &register.calls[*index as usize]);
    let done = || done.clone().filter(|call| call.complete != OPEN);
    let first = done().map(|call| call.invoke).min().unwrap_or(1) - 1;
    let last = done().map(|call| call.complete).max().unwrap_or(1) - 1;
    let time = |index: u32| context.history.events().get(index as usize).map(|event| event.time);
    Span {
        first: u64::from(first),
        last: u64::from(last),
        calls: segment.calls.len(),
        times: time(first).zip(time(last)),
    }
}

/// Adds to an anomaly which segment it is in, and why that begins with the value it has.
fn mark(
    context: &KeyContext<'_, '_>,
    register: &RegisterCalls<'_>,
    segment: &Segment,
    anomaly: &mut Anomaly,
) {
    let span = span(context, register, segment);
    let value = register.values[segment.start as usize];
    let pivot = segment.pivot.map(|index| register.calls[index as usize].op as usize);
    let pivot = pivot.map(|op| context.op(op));
    if let Some(pivot) = &pivot {
        let words = describe(pivot);
        let text = format!(" Before that the value was {value}, for nothing came after {words}.");
        anomaly.explanation.push_str(&text);
    }
    let segment = json!({
        "first": span.first,
        "last": span.last,
        "operations": span.calls,
        "starts_with": serde_json::Value::from(value),
        "forced_by": pivot.map(|pivot| pivot.invoke.index.0),
    });
    anomaly.evidence.insert("segment".into(), segment);
}

/// An observation that came too late, or too early, for each write of its value.
fn overwritten(why: &Overwritten) -> Conflict {
    match *why {
        Overwritten { observer, installer, between: Some(between), .. } => {
            Conflict::Overwritten { observer, installer, between }
        }
        Overwritten { observer, after, .. } => {
            Conflict::Inside { before: after.unwrap_or(observer), after: observer }
        }
    }
}
