//! Registers: reads, writes and compare-and-set.
//!
//! Where every value is written once, [`zones`] decide in O(n log n). Else the [`ladder`] does.

mod calls;
mod deadlines;
mod ladder;
mod refused;
mod relaxed;
mod rename;
mod segments;
mod story;
mod zones;

use super::Outcome;
use super::key::{Algorithm, KeyContext, KeyReport};
use crate::history::KeyGroup;
pub(super) use calls::{Action, INITIAL, OPEN, RegisterCall, RegisterCalls, ValueId};
pub(crate) use calls::{no_other_value, refusal};
use refused::Refusals;
pub(super) use relaxed::{Stale, staleness};
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
    unique(context, &register).unwrap_or_else(|| ladder::check(context, &register))
}

/// Decides one key if its values are unique, and refused compare-and-sets do not leave it open.
pub(super) fn unique(
    context: &KeyContext<'_, '_>,
    register: &RegisterCalls<'_>,
) -> Option<KeyReport> {
    let settled = context.deadlines.map(|_| deadlines::settle(context, register));
    let register = match &settled {
        None => register,
        Some(Some(settled)) => settled,
        Some(None) => return None,
    };
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

/// Decides one key by the search, whatever else could.
pub(super) fn search(context: &mut KeyContext<'_, '_>) -> KeyReport {
    match RegisterCalls::of(&context.group) {
        Ok(register) => ladder::whole(context, &register),
        Err(unknown) => report(Outcome::Unknown(unknown), Algorithm::Search),
    }
}

/// Whether a key is linearizable, where zones alone decide it.
pub(crate) fn linearizable_by_zones(group: &KeyGroup<'_>) -> Option<bool> {
    match by_zones(&RegisterCalls::of(group).ok()?) {
        ByZones::Linearizable => Some(true),
        ByZones::Violation(_) => Some(false),
        ByZones::Open => None,
    }
}

fn report(outcome: Outcome, algorithm: Algorithm) -> KeyReport {
    KeyReport { outcome, algorithm, anomaly: None }
}
