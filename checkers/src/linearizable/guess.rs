//! Which object a history is about, by the names of its operations.

use super::ModelKind;
use crate::history::{EventType, History};
use crate::value::Value;
use std::collections::BTreeSet;

/// Objects with all the operations that they have.
const OPERATIONS: [(ModelKind, &[&str]); 8] = [
    (ModelKind::Register, &["read", "write", "cas"]),
    (ModelKind::AppendList, &["append", "read", "write"]),
    (ModelKind::AppendText, &["append", "get", "put"]),
    (ModelKind::Queue, &["enqueue", "dequeue", "peek"]),
    (ModelKind::Stack, &["push", "pop", "peek"]),
    (ModelKind::PriorityQueue, &["insert", "poll", "peek"]),
    (ModelKind::Set, &["add", "remove", "contains"]),
    (ModelKind::Mutex, &["acquire", "release"]),
];

/// The object that has all operations of `history`; `None` where none has, or where it holds no
/// operation. `add` and `read` are a counter where reads return numbers, else a grow-only set.
pub fn guess(history: &History) -> Option<ModelKind> {
    let names: BTreeSet<&str> = history.ops().map(|op| op.f().as_str()).collect();
    if names.is_empty() {
        return None;
    }
    let within = |known: &[&str]| names.iter().all(|name| known.contains(name));
    let known = OPERATIONS.iter().find(|(_, known)| within(known)).map(|(kind, _)| *kind);
    let known = match known {
        // Only a semaphore says whether there was a permit to be had; a lock is waited for.
        Some(ModelKind::Mutex) if says_whether(history) => Some(ModelKind::Semaphore),
        None if within(&["txn"]) && spells_out(history) => Some(ModelKind::MultiRegister),
        other => other,
    };
    known.or_else(|| {
        let number = history.ops().any(|op| {
            op.f().as_str() == "read"
                && op.outcome == EventType::Ok
                && op.output().is_some_and(|value| value.as_int().is_some())
        });
        let kind = if number { ModelKind::Counter } else { ModelKind::GrowOnlySet };
        within(&["add", "read"]).then_some(kind)
    })
}

/// Whether some operation was answered by yes or no.
fn says_whether(history: &History) -> bool {
    history.ops().any(|op| matches!(op.output(), Some(Value::Bool(_))))
}

/// Whether transactions are of `read` and `write`, as those of Knossos's multi-register are.
/// Those of `r`, `w` and `append` are transactions in their own right.
fn spells_out(history: &History) -> bool {
    let mut names = history
        .ops()
        .flat_map(|op| op.input().as_list().unwrap_or_default())
        .map(|access| access.as_list().and_then(|access| access.first()).and_then(Value::as_str));
    let first = names.next();
    let spelt = |name: Option<&str>| matches!(name, Some("read" | "write"));
    first.is_some_and(spelt) && names.all(spelt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::jsonl;

    fn check(fs: &[(&str, &str)], expected: Option<ModelKind>) {
        let lines: String = fs
            .iter()
            .map(|(f, result)| {
                let event = |kind: &str, value: &str| {
                    format!(
                        "{{\"time\":0,\"process\":0,\"type\":\"{kind}\",\"f\":\"{f}\",\
                         \"value\":{value}}}\n"
                    )
                };
                event("invoke", "null") + &event("ok", result)
            })
            .collect();
        assert_eq!(guess(&jsonl::read(lines.as_bytes(), "test").unwrap()), expected, "{fs:?}");
    }

    #[test]
    fn objects_are_told_by_their_operations() {
        check(&[], None);
        check(&[("read", "1")], Some(ModelKind::Register));
        check(&[("write", "1"), ("cas", "[1,2]")], Some(ModelKind::Register));
        check(&[("append", "1"), ("read", "[1]")], Some(ModelKind::AppendList));
        check(&[("dequeue", "1")], Some(ModelKind::Queue));
        check(&[("add", "1"), ("read", "[1]")], Some(ModelKind::GrowOnlySet));
        check(&[("add", "1"), ("read", "1")], Some(ModelKind::Counter));
        check(&[("acquire", "null")], Some(ModelKind::Mutex));
        check(&[("acquire", "true"), ("acquire", "true")], Some(ModelKind::Semaphore));
        check(&[("append", "\"x\""), ("get", "\"x\"")], Some(ModelKind::AppendText));
        check(&[("txn", "[]")], None);
    }
}
