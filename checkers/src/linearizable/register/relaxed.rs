//! How stale reads are: by how much their beginnings must be moved back to make a register
//! linearizable.
//!
//! A register is Δ-atomic if it is linearizable once every read may have begun Δ earlier (Golab,
//! Li and Shah, "Analyzing consistency properties for fun and profit", 2011). More Δ permits
//! more, so the smallest is found by bisection, each step decided by zones: O(n log n log T) for
//! T nanoseconds. Only the beginnings of reads move, those of refused compare-and-sets that say
//! what they saw among them; what is wrong for another reason stays wrong for every Δ.

use super::calls::{Action, RegisterCall, RegisterCalls};
use super::{ByZones, by_zones};
use crate::history::{History, KeyGroup, Nanos};

/// How stale the reads of a register are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::linearizable) enum Stale {
    /// By at most this; 0 if it is linearizable.
    By(Nanos),
    /// It is wrong whatever is allowed.
    Otherwise,
    /// Its values repeat, or it is not a register.
    Undecided,
}

/// The smallest Δ of one key.
pub(in crate::linearizable) fn staleness(history: &History, group: &KeyGroup<'_>) -> Stale {
    let Ok(register) = RegisterCalls::of(group) else { return Stale::Undecided };
    let fits = |delta: u64| match by_zones(&relaxed(history, &register, delta)) {
        ByZones::Linearizable => Some(true),
        ByZones::Violation(_) => Some(false),
        ByZones::Open => None,
    };
    let last = history.events().last().map_or(0, |event| event.time.0);
    match (fits(0), fits(last)) {
        (None, _) | (_, None) => return Stale::Undecided,
        (Some(true), _) => return Stale::By(Nanos(0)),
        (_, Some(false)) => return Stale::Otherwise,
        _ => {}
    }
    let (mut wrong, mut right) = (0, last);
    while right - wrong > 1 {
        let middle = u64::midpoint(wrong, right);
        match fits(middle) {
            Some(true) => right = middle,
            Some(false) => wrong = middle,
            None => return Stale::Undecided,
        }
    }
    Stale::By(Nanos(right))
}

/// The same with reads that begin earlier.
fn relaxed<'a>(history: &History, register: &RegisterCalls<'a>, delta: u64) -> RegisterCalls<'a> {
    let events = history.events();
    let earlier = |call: &RegisterCall| {
        if !matches!(call.action, Action::Read(_)) {
            return *call;
        }
        // Positions are those of events plus one.
        let begins = events[call.invoke as usize - 1].time.0.saturating_sub(delta);
        let after = events.partition_point(|event| event.time.0 < begins) as u32 + 1;
        RegisterCall { invoke: after.min(call.invoke), ..*call }
    };
    let calls = register.calls.iter().map(earlier).collect();
    RegisterCalls { calls, values: register.values.clone() }
}
