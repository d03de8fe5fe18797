//! Crashed calls that must take effect by a deadline, or never, where values are unique.
//!
//! Whoever observed a value tells that its installer took effect; so an observed installer that
//! crashed ends at its deadline, as if it had completed there. One that nobody observed can be
//! left out. Then zones decide as ever.

use super::calls::{Action, INITIAL, OPEN, RegisterCall, RegisterCalls, ValueId};
use super::rename::{installs, observes};
use super::zones::NONE;
use crate::linearizable::key::KeyContext;

/// The register with its crashed calls settled; nothing if values repeat, or if a refused
/// compare-and-set may need a call that nobody observed.
pub(super) fn settle<'a>(
    context: &KeyContext<'_, '_>,
    register: &RegisterCalls<'a>,
) -> Option<RegisterCalls<'a>> {
    let calls = &register.calls;
    let mut installer = vec![NONE; register.values.len()];
    let mut observed: Vec<ValueId> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        if matches!(call.action, Action::Refused(_)) {
            return None;
        }
        if let Some(value) = installs(call.action) {
            let known = std::mem::replace(&mut installer[value as usize], index as u32);
            if known != NONE || value == INITIAL {
                return None;
            }
        }
        observed.extend(observes(call.action).filter(|_| call.complete != OPEN));
    }
    let mut took_effect = vec![false; calls.len()];
    while let Some(value) = observed.pop() {
        let Some(call) = calls.get(installer[value as usize] as usize) else { continue };
        let known = &mut took_effect[installer[value as usize] as usize];
        if !std::mem::replace(known, true) && call.complete == OPEN {
            observed.extend(observes(call.action));
        }
    }
    let settled = |(index, call): (usize, &RegisterCall)| {
        if call.complete != OPEN {
            return Some(*call);
        }
        // Positions here are those of events plus one.
        let complete = context.deadline(call.op as usize).map_or(OPEN, |last| last + 1);
        took_effect[index].then_some(RegisterCall { complete, ..*call })
    };
    let calls = calls.iter().enumerate().filter_map(settled).collect();
    Some(RegisterCalls { calls, values: register.values.clone() })
}
