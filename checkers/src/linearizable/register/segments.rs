//! Cuts of a register's history at moments when nothing is open and the value is forced.
//!
//! Where no call that completes is open, everything before precedes everything after. If the
//! last thing that surely happened tells the value, both sides can be decided alone: the later
//! one begins with that value. What tells it is a *pivot*: a call that completed, that read or
//! installed the value, and that began after every other completed installation had ended.
//!
//! Calls that crashed reach across cuts. One matters only where something may need it: where
//! what it installs is observed, or a compare-and-set was refused and does not say what it
//! found. If that is in one segment, the call belongs to it; if in several, no cut stays between
//! them. While any crashed call is about, a pivot counts only if nothing that may come after it
//! saw another value; then a crashed call between the pivot and the cut was for nothing.
//!
//! Cost: O(n log n).

use super::calls::{Action, OPEN, RegisterCall, RegisterCalls, ValueId};
use super::rename::{installs, observes};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// A part of a history that can be decided alone.
pub(super) struct Segment {
    /// The value that it begins with.
    pub(super) start: ValueId,
    /// The call that forces that value, by index; none at the beginning of the history.
    pub(super) pivot: Option<u32>,
    /// Its calls, by index, in order. Those that crashed may have begun earlier.
    pub(super) calls: Vec<u32>,
}

/// A stretch of calls between moments at which none is open.
struct Stretch {
    /// Its first call that completes.
    first: u32,
    /// The last completion.
    end: u32,
    /// The call that forces the value at its end.
    pivot: Option<u32>,
}

/// How often relevance is passed on from what a crashed compare-and-set installs to what it
/// compares with.
const ROUNDS_MAX: usize = 32;

/// Cuts where that is possible. The one segment of an uncut history holds all calls.
pub(super) fn cut(register: &RegisterCalls<'_>) -> Vec<Segment> {
    let calls = &register.calls;
    let crashed = useful(calls, register.values.len());
    let stretches = stretches(calls, crashed.first().map(|index| calls[*index as usize].invoke));
    let mut cuts: Vec<usize> = (0..stretches.len())
        .filter(|at| at + 1 < stretches.len() && stretches[*at].pivot.is_some())
        .collect();
    let Some(home) = crashed_homes(calls, &crashed, &stretches, &mut cuts) else {
        return vec![whole(calls)];
    };
    if cuts.is_empty() {
        return vec![whole(calls)];
    }
    let mut segments = vec![Segment { start: super::INITIAL, pivot: None, calls: Vec::new() }];
    for cut in &cuts {
        let pivot = stretches[*cut].pivot;
        let start = pivot.and_then(|index| leaves(calls[index as usize].action));
        let start = start.unwrap_or(super::INITIAL);
        segments.push(Segment { start, pivot, calls: Vec::new() });
    }
    let ends: Vec<u32> = cuts.iter().map(|cut| stretches[*cut].end).collect();
    let mut homes = home.into_iter().peekable();
    for (index, call) in calls.iter().enumerate() {
        let index = index as u32;
        let at = if call.complete != OPEN {
            ends.partition_point(|end| *end < call.invoke)
        } else if let Some((_, stretch)) = homes.next_if(|(crashed, _)| *crashed == index) {
            cuts.partition_point(|cut| *cut < stretch)
        } else {
            continue;
        };
        segments[at].calls.push(index);
    }
    segments
}

fn whole(calls: &[RegisterCall]) -> Segment {
    let calls = (0..calls.len() as u32).collect();
    Segment { start: super::INITIAL, pivot: None, calls }
}

/// The value after a call that completed.
fn leaves(action: Action) -> Option<ValueId> {
    installs(action).or(observes(action))
}

/// Whether a call was refused for a value that is not known.
fn refused(call: &RegisterCall) -> bool {
    matches!(call.action, Action::Refused(_))
}

/// The crashed calls that anything may need, in order.
fn useful(calls: &[RegisterCall], values: usize) -> Vec<u32> {
    let any = calls.iter().any(refused);
    let mut observed = vec![any; values];
    for call in calls.iter().filter(|call| call.complete != OPEN) {
        if let Some(value) = observes(call.action) {
            observed[value as usize] = true;
        }
    }
    let mut changed = true;
    while changed {
        changed = false;
        // What one compares with was mostly installed earlier.
        for call in calls.iter().rev().filter(|call| call.complete == OPEN) {
            if let Action::Cas(old, new) = call.action
                && observed[new as usize]
            {
                changed |= !std::mem::replace(&mut observed[old as usize], true);
            }
        }
    }
    let needed = |index: &u32| {
        let call = &calls[*index as usize];
        call.complete == OPEN && installs(call.action).is_some_and(|new| observed[new as usize])
    };
    (0..calls.len() as u32).filter(needed).collect()
}

/// The stretches, given when the first useful call that crashed began.
fn stretches(calls: &[RegisterCall], crashed_from: Option<u32>) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut members: Vec<u32> = Vec::new();
    let close = |stretch: &mut Stretch, members: &mut Vec<u32>| {
        let crashed = crashed_from.is_some_and(|from| from < stretch.end);
        stretch.pivot = pivot(calls, members, crashed);
        members.clear();
    };
    for (index, call) in calls.iter().enumerate().filter(|(_, call)| call.complete != OPEN) {
        let index = index as u32;
        match stretches.last_mut() {
            Some(last) if call.invoke < last.end => last.end = last.end.max(call.complete),
            last => {
                if let Some(last) = last {
                    close(last, &mut members);
                }
                stretches.push(Stretch { first: index, end: call.complete, pivot: None });
            }
        }
        members.push(index);
    }
    if let Some(last) = stretches.last_mut() {
        close(last, &mut members);
    }
    stretches
}

/// The call that forces the value at the end of a stretch.
fn pivot(calls: &[RegisterCall], members: &[u32], crashed: bool) -> Option<u32> {
    let call = |index: &u32| &calls[*index as usize];
    let mut ends: Vec<(u32, u32)> = members
        .iter()
        .filter(|index| installs(call(index).action).is_some())
        .map(|index| (call(index).complete, *index))
        .collect();
    ends.sort_unstable();
    let last_install = |but: u32| ends.iter().rev().find(|(_, index)| *index != but);
    let pivot = *members.iter().rev().find(|index| {
        let begun = call(index).invoke;
        leaves(call(index).action).is_some()
            && last_install(**index).is_none_or(|(end, _)| *end < begun)
    })?;
    let (begun, value) = (call(&pivot).invoke, leaves(call(&pivot).action));
    let disturbs = |index: &u32| {
        *index != pivot
            && call(index).complete > begun
            && (refused(call(index)) || leaves(call(index).action) != value)
    };
    (!crashed || !members.iter().any(disturbs)).then_some(pivot)
}

/// Gives each crashed call that matters the stretch that it belongs to, and takes back cuts that
/// it reaches across. Nothing if that is not worked out.
fn crashed_homes(
    calls: &[RegisterCall],
    crashed: &[u32],
    stretches: &[Stretch],
    cuts: &mut Vec<usize>,
) -> Option<Vec<(u32, usize)>> {
    let needs = Needs::new(calls, crashed, stretches)?;
    let mut spans: Vec<(u32, usize, usize)> = Vec::new();
    for index in crashed {
        let call = &calls[*index as usize];
        let from = stretches.partition_point(|stretch| stretch.end < call.invoke);
        let Some(new) = installs(call.action) else { continue };
        if let Some((first, last)) = needs.span(new, from) {
            spans.push((*index, first, last));
        }
    }
    let mut reached = vec![0i32; stretches.len() + 1];
    for (_, first, last) in &spans {
        reached[*first] += 1;
        reached[*last] -= 1;
    }
    let mut across = 0;
    for count in &mut reached {
        across += *count;
        *count = across;
    }
    cuts.retain(|cut| reached[*cut] == 0);
    Some(spans.into_iter().map(|(index, first, _)| (index, first)).collect())
}

/// Where calls that completed may need a crashed one.
struct Needs {
    /// For each value the stretches in which it is observed, ascending.
    observed: HashMap<ValueId, Vec<usize>, FxBuildHasher>,
    /// Stretches with a compare-and-set that was refused without saying why.
    refused: Vec<usize>,
    /// For each value that crashed compare-and-sets compare with, the last stretch that may need
    /// what they install.
    chained: HashMap<ValueId, usize, FxBuildHasher>,
}

impl Needs {
    fn new(calls: &[RegisterCall], crashed: &[u32], stretches: &[Stretch]) -> Option<Needs> {
        let mut observed: HashMap<ValueId, Vec<usize>, FxBuildHasher> = HashMap::default();
        let mut refusals = Vec::new();
        let mut at = 0;
        for (index, call) in calls.iter().enumerate().filter(|(_, call)| call.complete != OPEN) {
            while stretches.get(at + 1).is_some_and(|next| next.first <= index as u32) {
                at += 1;
            }
            if refused(call) && refusals.last() != Some(&at) {
                refusals.push(at);
            }
            if let Some(value) = observes(call.action) {
                let list = observed.entry(value).or_default();
                if list.last() != Some(&at) {
                    list.push(at);
                }
            }
        }
        let mut needs = Needs { observed, refused: refusals, chained: HashMap::default() };
        let pairs: Vec<(ValueId, ValueId)> = crashed
            .iter()
            .filter_map(|index| match calls[*index as usize].action {
                Action::Cas(old, new) => Some((old, new)),
                _ => None,
            })
            .collect();
        for _ in 0..ROUNDS_MAX {
            let mut changed = false;
            for (old, new) in &pairs {
                let Some(last) = needs.last(*new) else { continue };
                let known = needs.chained.get(old).copied();
                if known.is_none_or(|known| known < last) {
                    needs.chained.insert(*old, last);
                    changed = true;
                }
            }
            if !changed {
                return Some(needs);
            }
        }
        None
    }

    /// The last stretch that may need a crashed call that installs this.
    fn last(&self, value: ValueId) -> Option<usize> {
        let observed = self.observed.get(&value).and_then(|list| list.last().copied());
        let chained = self.chained.get(&value).copied();
        observed.max(chained).max(self.refused.last().copied())
    }

    /// The first and the last stretch, not before `from`, that may need a crashed call that
    /// installs this value.
    fn span(&self, value: ValueId, from: usize) -> Option<(usize, usize)> {
        let last = self.last(value).filter(|last| *last >= from)?;
        if self.chained.contains_key(&value) {
            return Some((from, last)); // Where a crashed call needs it first is not known.
        }
        let next = |list: &[usize]| list.get(list.partition_point(|at| *at < from)).copied();
        let observed = self.observed.get(&value).and_then(|list| next(list));
        let first = [observed, next(&self.refused)].into_iter().flatten().min()?;
        Some((first, last))
    }
}
