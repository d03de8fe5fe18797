//! The history against the committed log.
//!
//! The log gives the order of all writes, so linearizability needs no search: each operation
//! has a range of places where it can have taken effect (a write its own; a read from the write
//! that it saw up to the next one of the key), and going through time, nothing may come before
//! what had ended when it began.

use super::clients::{End, Operation};
use quorate_targets::api::kv::{Op, Request, Response, Session};
use quorate_targets::raft::{self, Command, Entry, Index, Machine, Past, Rules};
use quorate_targets::sim::Nanos;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the log says, each request counted once, and not at all if its session had expired.
#[derive(Default)]
struct Truth {
    /// Where each request took effect, and what it was answered.
    effects: BTreeMap<Session, (u64, Response)>,
    /// By key, where it was written and what.
    versions: BTreeMap<String, Vec<(u64, Value)>>,
}

/// `sessions` is how many the nodes keep.
pub(crate) fn judge(
    operations: &[Operation],
    committed: &[Arc<Entry>],
    sessions: usize,
) -> Result<(), String> {
    let truth = Truth::of(committed, sessions);
    let mut moments: Vec<(Nanos, bool, usize)> = Vec::new();
    for (number, operation) in operations.iter().enumerate() {
        moments.push((operation.began, false, number));
        match &operation.end {
            Some(End::Ok(at, _)) => moments.push((*at, true, number)),
            Some(End::Fail) if truth.effects.contains_key(&operation.session) => {
                return Err(format!("failed, but committed: {operation:?}"));
            }
            Some(End::Fail | End::Unknown) | None => {}
        }
    }
    moments.sort_unstable();
    let mut floor = 0;
    let mut floors = vec![0; operations.len()];
    for (_, ended, number) in moments {
        if !ended {
            floors[number] = floor;
            continue;
        }
        let (first, last) = truth.range(&operations[number])?;
        let place = first.max(floors[number]);
        if place > last {
            return Err(format!(
                "{:?} took effect in {first}..={last}, but {} had ended before",
                operations[number], floors[number]
            ));
        }
        floor = floor.max(place);
    }
    Ok(())
}

impl Truth {
    fn of(committed: &[Arc<Entry>], sessions: usize) -> Truth {
        let mut truth = Truth::default();
        let mut machine = Machine::default();
        for (place, entry) in (1..).zip(committed) {
            let Some(command @ Command::Kv(request)) = &entry.request else { continue };
            let Request { session: Some(session), .. } = *request else { continue };
            let before = machine.clone();
            let (rules, past) = (Rules::correct(sessions), &mut Past::default());
            let response = machine.apply(command, Index(place), rules, past);
            if truth.effects.contains_key(&session) {
                // No matter how late the retry: nothing changes.
                let (values, now) = (before.values(), machine.values());
                assert_eq!(values, now, "{request:?} was applied twice");
                continue;
            }
            let raft::Response::Kv(response) = response else { continue };
            if matches!(response, Response::Error { .. }) {
                continue;
            }
            if let (Response::Done, Op::Write { key, value } | Op::Cas { key, new: value, .. }) =
                (&response, &request.op)
            {
                truth.versions.entry(key.clone()).or_default().push((place, value.clone()));
            }
            truth.effects.insert(session, (place, response));
        }
        truth
    }

    /// Where an operation that was answered can have taken effect.
    fn range(&self, operation: &Operation) -> Result<(u64, u64), String> {
        let Some(End::Ok(_, response)) = &operation.end else { return Ok((0, u64::MAX)) };
        if let (Op::Read { key }, Response::Value { value }) = (&operation.op, response) {
            return self.version(key, value).ok_or(format!("read from nowhere: {operation:?}"));
        }
        match self.effects.get(&operation.session) {
            Some((place, truth)) if truth == response => Ok((*place, *place)),
            Some((place, truth)) => {
                Err(format!("{operation:?}, but the log says {truth:?} at {place}"))
            }
            None => Err(format!("answered, but not committed: {operation:?}")),
        }
    }

    /// From where to where a key had this value. Each is written at most once.
    fn version(&self, key: &str, value: &Value) -> Option<(u64, u64)> {
        let versions = self.versions.get(key).map_or(&[][..], Vec::as_slice);
        let found = versions.iter().position(|(_, written)| written == value);
        let (first, next) = match found {
            Some(at) => (versions[at].0, at + 1),
            None if value.is_null() => (0, 0),
            None => return None,
        };
        Some((first, versions.get(next).map_or(u64::MAX, |(place, _)| place - 1)))
    }
}
