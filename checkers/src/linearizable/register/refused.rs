//! Compare-and-sets that were refused and do not say what they found instead.
//!
//! Such a call needs a moment at which the value is *not* the one that it compares with: that
//! value must begin after the call was invoked, or end before it completed. Once the zones fit,
//! two quick tests answer almost always. If the value certainly began too early and certainly
//! ended too late, the history is wrong. Otherwise fix an order of the chains and take the
//! earliest possible time for everything: a call still dissatisfied can only be helped by making
//! its value begin later, which is monotone, so that the loop ends with the least solution of
//! that order or without any. Where no order that is tried works, the question is left open.

use super::calls::{Action, INITIAL, OPEN, RegisterCall, ValueId};
use super::zones::{Clusters, NONE, Zone};

/// What the refused calls of a key mean for it.
pub(super) enum Refusals {
    /// They fit, or there are none.
    Fit,
    /// The first one cannot have been refused: the second had used its value before it began,
    /// and the third used it, or replaced it, after it had ended.
    Impossible(u32, u32, u32),
    /// Neither is shown.
    Open,
}

/// How often the times are worked out again before giving up.
const PASSES_MAX: usize = 64;

/// Decides about the refused calls, given the zones of all chains by their head.
pub(super) fn decide(
    clusters: &Clusters<'_>,
    calls: &[RegisterCall],
    zones: &[(ValueId, Zone)],
) -> Refusals {
    let mut refused: Vec<(ValueId, u32)> = calls
        .iter()
        .enumerate()
        .filter_map(|(index, call)| match call.action {
            Action::Refused(old) => Some((old, index as u32)),
            _ => None,
        })
        .filter(|(old, _)| *old == INITIAL || clusters.clusters[*old as usize].taken)
        .collect();
    if refused.is_empty() {
        return Refusals::Fit;
    }
    refused.sort_unstable();
    for (head, _) in zones {
        if let Some((call, before, after)) = impossible(clusters, calls, *head, &refused) {
            return Refusals::Impossible(call, before, after);
        }
    }
    for order in ORDERS {
        let heads = heads(zones, order).into_iter();
        if Times::new(clusters, calls, heads).satisfy(calls, &refused) {
            return Refusals::Fit;
        }
    }
    Refusals::Open
}

/// By what chains are ordered, one after the other.
const ORDERS: [fn(&Zone) -> u64; 3] = [
    |zone| u64::from(zone.first_end.min(zone.last_begin)),
    |zone| u64::from(zone.first_end.max(zone.last_begin)),
    |zone| u64::from(zone.first_end) + u64::from(zone.last_begin),
];

/// The heads of chains in an order; that of the initial value is first, whatever its zone.
fn heads(zones: &[(ValueId, Zone)], order: fn(&Zone) -> u64) -> Vec<ValueId> {
    let mut zones = zones.to_vec();
    zones[1..].sort_by_key(|(_, zone)| order(zone));
    zones.into_iter().map(|(head, _)| head).collect()
}

/// Whether some order of the chains gives each of these refused calls a moment at which the
/// value is not the one that it compares with. Values may have several versions here:
/// `value_of` says which value each is one of. If not, nothing is shown.
pub(super) fn fits(
    clusters: &Clusters<'_>,
    calls: &[RegisterCall],
    zones: &[(ValueId, Zone)],
    value_of: &[ValueId],
    refused: &[(RegisterCall, ValueId)],
) -> bool {
    ORDERS.iter().any(|order| {
        let mut times = Times::new(clusters, calls, heads(zones, *order).into_iter());
        times.earliest()
            && refused.iter().all(|(call, old)| times.shows_other(call, *old, value_of))
    })
}

/// The refused calls of one value, in a list sorted by value.
fn of_value(refused: &[(ValueId, u32)], value: ValueId) -> &[(ValueId, u32)] {
    let from = refused.partition_point(|(old, _)| *old < value);
    let to = refused.partition_point(|(old, _)| *old <= value);
    &refused[from..to]
}

/// A refused call in a chain whose value was certainly there all the time, with the two calls
/// that show it.
fn impossible(
    clusters: &Clusters<'_>,
    calls: &[RegisterCall],
    head: ValueId,
    refused: &[(ValueId, u32)],
) -> Option<(u32, u32, u32)> {
    let values = chain(clusters, calls, head);
    // For each value: who, of it and of all later ones, ends first.
    let mut ends = vec![NONE; values.len()];
    let mut first = NONE;
    for (at, value) in values.iter().enumerate().rev() {
        let cluster = &clusters.clusters[*value as usize];
        for call in [cluster.installer, cluster.first_end] {
            if call != NONE
                && (first == NONE || calls[call as usize].complete < calls[first as usize].complete)
            {
                first = call;
            }
        }
        ends[at] = first;
    }
    // And who, of it and all earlier ones and the call that replaces it, begins last.
    let mut last = NONE;
    for (at, value) in values.iter().enumerate() {
        let cluster = &clusters.clusters[*value as usize];
        for call in [cluster.installer, cluster.last_begin, cluster.next] {
            if call != NONE
                && (last == NONE || calls[call as usize].invoke > calls[last as usize].invoke)
            {
                last = call;
            }
        }
        for (_, index) in of_value(refused, *value) {
            let call = &calls[*index as usize];
            let begun = *value == INITIAL
                || ends[at] != NONE && calls[ends[at] as usize].complete < call.invoke;
            let stays = last != NONE && calls[last as usize].invoke > call.complete;
            if begun && stays {
                return Some((*index, ends[at], last));
            }
        }
    }
    None
}

/// The values of a chain in order.
fn chain(clusters: &Clusters<'_>, calls: &[RegisterCall], head: ValueId) -> Vec<ValueId> {
    let mut values = vec![head];
    let mut value = head;
    while clusters.clusters[value as usize].next != NONE {
        let next = clusters.clusters[value as usize].next;
        if let Action::Cas(_, new) = calls[next as usize].action {
            value = new;
            values.push(value);
        }
    }
    values
}

/// The lifetime of one value in a fixed order of all values.
struct Life {
    value: ValueId,
    /// It cannot begin before: its installer's invocation, or what a refused call needs.
    not_before: u32,
    /// It must begin before: the first end of its calls.
    before: u32,
    /// It cannot end before: the last beginning of its reads.
    used_until: u32,
    /// When it begins: just after this event.
    begins: u32,
}

/// The earliest times of all values in a fixed order.
struct Times {
    lives: Vec<Life>,
}

impl Times {
    fn new(
        clusters: &Clusters<'_>,
        calls: &[RegisterCall],
        heads: impl Iterator<Item = ValueId>,
    ) -> Times {
        let call = |index: u32| calls.get(index as usize);
        let lives = heads
            .flat_map(|head| chain(clusters, calls, head))
            .map(|value| {
                let cluster = &clusters.clusters[value as usize];
                let installer = call(cluster.installer);
                let written = installer.map_or(OPEN, |call| call.complete);
                let read = call(cluster.first_end).map_or(OPEN, |call| call.complete);
                Life {
                    value,
                    not_before: installer.map_or(0, |call| call.invoke),
                    before: written.min(read),
                    used_until: call(cluster.last_begin).map_or(0, |call| call.invoke),
                    begins: 0,
                }
            })
            .collect();
        Times { lives }
    }

    /// Whether all refused calls fit into this order.
    fn satisfy(&mut self, calls: &[RegisterCall], refused: &[(ValueId, u32)]) -> bool {
        for _ in 0..PASSES_MAX {
            if !self.earliest() {
                return false;
            }
            let mut raised = false;
            for at in 0..self.lives.len() {
                // Just after this event it ends; a value that nothing replaces never does.
                let ends = self.lives.get(at + 1).map_or(OPEN, |next| next.begins);
                let life = &mut self.lives[at];
                for (_, index) in of_value(refused, life.value) {
                    let call = &calls[*index as usize];
                    if life.begins >= call.invoke && life.value != INITIAL || ends < call.complete {
                        continue;
                    }
                    if life.value == INITIAL {
                        return false; // It begins when time does.
                    }
                    life.not_before = life.not_before.max(call.invoke);
                    raised = true;
                }
            }
            if !raised {
                return true;
            }
        }
        false
    }

    /// Whether another value than `old` is there at some moment of a call.
    fn shows_other(&self, call: &RegisterCall, old: ValueId, value_of: &[ValueId]) -> bool {
        let from = self.lives.partition_point(|life| life.begins < call.invoke);
        // The one before is there when the call begins.
        self.lives[from.saturating_sub(1)..]
            .iter()
            .take_while(|life| life.begins < call.complete)
            .any(|life| value_of[life.value as usize] != old)
    }

    /// Works out the earliest times; false if some call would be too late.
    fn earliest(&mut self) -> bool {
        let mut now = 0;
        for life in &mut self.lives {
            now = life.not_before.max(now);
            life.begins = now;
            if now >= life.before {
                return false;
            }
            now = now.max(life.used_until);
        }
        true
    }
}
