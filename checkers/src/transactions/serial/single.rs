//! Single operations on registers as transactions of one operation each.

use crate::history::{EventType, History, OpView, Process};
use crate::transactions::{Action, Outcome, Session, Table};
use crate::value::Value;
use std::collections::BTreeMap;

/// The operations `read`, `write` and `cas` of a history as a table of transactions, so that
/// sequential consistency is serializability of it. `None` where there are other operations, or
/// a write of `null`, which no read could tell from the initial value.
pub fn single_operations(history: &History) -> Option<Table> {
    let mut table = Table::default();
    let mut sessions: BTreeMap<u64, Session> = BTreeMap::new();
    for op in history.ops() {
        let Process::Client(process) = op.process() else { continue };
        let session = *sessions.entry(process).or_insert_with(|| table.add_session(process));
        let outcome = match op.outcome {
            EventType::Ok => Outcome::Ok,
            EventType::Fail => Outcome::Fail,
            _ => Outcome::Info,
        };
        let complete = op.complete.map(|event| event.index);
        let key = table.key_id(op.key().unwrap_or(&Value::Null));
        table.begin(session, outcome, Some(op.invoke.index), complete);
        for (write, value) in steps(&op)? {
            let value = table.value_id(value);
            table.push(key, if write { Action::Write(value) } else { Action::Read(value) });
        }
    }
    Some(table)
}

/// The reads and writes of an operation, as far as they are known.
fn steps<'a>(op: &OpView<'a>) -> Option<Vec<(bool, &'a Value)>> {
    match op.f().as_str() {
        "read" | "r" => Some(op.output().map(|value| (false, value)).into_iter().collect()),
        "write" | "w" if !op.input().is_null() => Some(vec![(true, op.input())]),
        "cas" => match op.input().as_list() {
            Some([old, new]) if !new.is_null() => Some(vec![(false, old), (true, new)]),
            _ => None,
        },
        _ => None,
    }
}
