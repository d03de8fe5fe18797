//! Registers: reads, writes and compare-and-set.
//!
//! Where every value is written once, [`zones`] decide in O(n log n). Else the search decides.

mod calls;
mod refused;
mod story;
mod zones;

use super::Outcome;
use super::dead_end;
use super::key::{Algorithm, KeyContext, KeyReport};
use super::search::{Found, search};
use crate::model::Register;
pub(super) use calls::{Action, INITIAL, OPEN, RegisterCall, RegisterCalls, ValueId};
use refused::Refusals;
use story::Story;
use zones::{Clusters, Conflict};

/// What zones say of a key.
enum ByZones {
    Linearizable,
    Violation(Conflict),
    /// Values repeat, or refused compare-and-sets leave it open.
    Open,
}

/// Decides one key.
pub(crate) fn check(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let register = match RegisterCalls::of(&context.group) {
        Ok(register) => register,
        Err(unknown) => return report(Outcome::Unknown(unknown), Algorithm::Zones),
    };
    unique(context, &register).unwrap_or_else(|| by_search(context, &register))
}

/// Decides one key if its values are unique, and refused compare-and-sets do not leave it open.
pub(super) fn unique(
    context: &KeyContext<'_, '_>,
    register: &RegisterCalls<'_>,
) -> Option<KeyReport> {
    match by_zones(register) {
        ByZones::Linearizable => Some(report(Outcome::Linearizable, Algorithm::Zones)),
        ByZones::Violation(conflict) => {
            let anomaly = Some(Story { context, register }.tell(&conflict));
            Some(KeyReport { anomaly, ..report(Outcome::Violation, Algorithm::Zones) })
        }
        ByZones::Open => None,
    }
}

fn by_zones(register: &RegisterCalls<'_>) -> ByZones {
    let Ok(mut clusters) = Clusters::new(&register.calls, register.values.len()) else {
        return ByZones::Open;
    };
    match clusters.decide() {
        Err(conflict) => ByZones::Violation(conflict),
        Ok(zones) => match refused::decide(&clusters, &register.calls, &zones) {
            Refusals::Fit => ByZones::Linearizable,
            Refusals::Impossible(call, before, after) => {
                ByZones::Violation(Conflict::Refusal(call, before, after))
            }
            Refusals::Open => ByZones::Open,
        },
    }
}

fn by_search(context: &mut KeyContext<'_, '_>, register: &RegisterCalls<'_>) -> KeyReport {
    let calls = register.for_model();
    match search(&Register { initial: INITIAL }, &calls, &mut context.meter, true) {
        Found::Linearizable => report(Outcome::Linearizable, Algorithm::Search),
        Found::Unknown(unknown) => report(Outcome::Unknown(unknown), Algorithm::Search),
        Found::Violation(failure) => {
            let anomaly = failure.map(|failure| {
                let op = |call: usize| context.op(register.calls[call].op as usize);
                let state = |value: &u32| register.values[*value as usize].into();
                dead_end::anomaly(&context.group, &failure, op, state)
            });
            KeyReport { anomaly, ..report(Outcome::Violation, Algorithm::Search) }
        }
    }
}

fn report(outcome: Outcome, algorithm: Algorithm) -> KeyReport {
    KeyReport { outcome, algorithm, anomaly: None }
}
