//! `jepsen.independent` puts the key into the value: `[key value]`.
//!
//! In a file the tuple looks like any vector of two: `[3 nil]` may be key 3 or a compare-and-set
//! from 3 to nothing. Unless the caller says which, a history is taken to have tuples when
//!
//! * no event has a field `key`,
//! * the value of each client's invocation is a vector of two, the first of which is no
//!   collection,
//! * the second is `nil` at least once: something is read, and reads have no argument,
//! * and each completion with a vector of two has the first of its invocation.
//!
//! So a register's history with one lone `:read nil` has none, and neither have transactions.

use super::{Draft, Fault, Notes};
use crate::format::Tuples;
use crate::history::fields;
use crate::history::{EventType, Process};
use crate::value::Value;
use std::collections::BTreeMap;

/// Makes key and value of the tuples, if there are any.
pub(super) fn split(
    drafts: &mut [Draft],
    tuples: Tuples,
    notes: &mut Notes,
) -> Result<(), (usize, Fault)> {
    let split = match tuples {
        Tuples::Never => false,
        Tuples::Always => true,
        Tuples::Detect => detected(drafts),
    };
    let clients = drafts.iter_mut().filter(|draft| draft.process != Some(Process::Nemesis));
    for draft in clients.filter(|_| split) {
        if draft.key.is_some() {
            continue;
        }
        match std::mem::take(&mut draft.value) {
            Value::List(items) if items.len() == 2 => {
                let mut items = items.into_iter();
                draft.key = items.next();
                draft.value = items.next().unwrap_or_default();
                notes.count("have a value that was taken as a tuple `[key value]`");
            }
            value if draft.kind == EventType::Invoke => {
                return Err((draft.at, fields::wrong("value", "a tuple `[key value]`", &value)));
            }
            value => draft.value = value,
        }
    }
    Ok(())
}

fn detected(drafts: &[Draft]) -> bool {
    let mut open: BTreeMap<Option<Process>, &Value> = BTreeMap::new();
    let mut reads = false;
    for draft in drafts.iter().filter(|draft| draft.process != Some(Process::Nemesis)) {
        if draft.key.is_some() {
            return false;
        }
        match (draft.kind, draft.value.as_list()) {
            (EventType::Invoke, Some([key, value]))
                if key.as_items().is_none() && key.as_map().is_none() =>
            {
                reads |= value.is_null();
                open.insert(draft.process, key);
            }
            (EventType::Invoke, _) => return false,
            (_, Some([key, _])) if open.get(&draft.process).is_some_and(|open| *open != key) => {
                return false;
            }
            _ => {}
        }
    }
    reads
}

#[cfg(test)]
mod tests {
    use crate::format::{Format, Options, Tuples, read};

    /// The keys of the operations, as JSON; a dash for none.
    #[track_caller]
    fn check(text: &str, tuples: Tuples, expected: &str) {
        let options = Options { tuples, ..Options::default() };
        let loaded = read(text.as_bytes(), "test", Format::Edn, options).unwrap();
        let keys = loaded.history.ops().map(|op| op.key().map_or("-".into(), ToString::to_string));
        assert_eq!(keys.collect::<Vec<_>>().join(" "), expected, "{text}");
        assert_eq!(!loaded.notes.is_empty(), expected.contains(|c| c != '-' && c != ' '));
    }

    /// Events `process type f value`, with as little else as can be.
    fn events(list: &[(u64, &str, &str, &str)]) -> String {
        let line = |(at, (process, kind, f, value)): (usize, &(u64, &str, &str, &str))| {
            format!("{{:type :{kind} :f :{f} :value {value} :process {process} :time {at}}}\n")
        };
        list.iter().enumerate().map(line).collect()
    }

    #[test]
    fn tuples_are_told_from_other_vectors() {
        let independent = events(&[
            (0, "invoke", "write", "[3 1]"),
            (1, "invoke", "cas", "[4 [1 2]]"),
            (0, "ok", "write", "[3 1]"),
            (1, "info", "cas", "nil"),
            (0, "invoke", "read", "[:x nil]"),
            (0, "ok", "read", "[:x 1]"),
        ]);
        check(&independent, Tuples::Detect, "3 4 \"x\"");
        check(&independent, Tuples::Never, "- - -");
        // Compare-and-set alone: nothing says that the first is a key.
        let cas = events(&[(0, "invoke", "cas", "[1 2]"), (0, "ok", "cas", "[1 2]")]);
        check(&cas, Tuples::Detect, "-");
        check(&cas, Tuples::Always, "1");
        // A register without keys.
        let register = events(&[(0, "invoke", "cas", "[1 2]"), (1, "invoke", "read", "nil")]);
        check(&register, Tuples::Detect, "- -");
        // Transactions of two micro-operations.
        let txn = events(&[
            (0, "invoke", "txn", "[[:r 1 nil] [:w 2 3]]"),
            (1, "invoke", "txn", "[[:r 1 nil] nil]"),
        ]);
        check(&txn, Tuples::Detect, "- -");
        // The completion is about something else.
        let other = events(&[(0, "invoke", "read", "[1 nil]"), (0, "ok", "read", "[2 3]")]);
        check(&other, Tuples::Detect, "-");
    }

    #[test]
    fn a_tuple_that_is_asked_for_must_be_there() {
        let options = Options { tuples: Tuples::Always, ..Options::default() };
        let text = events(&[(0, "invoke", "write", "[1 2]"), (1, "invoke", "write", "7")]);
        let error = read(text.as_bytes(), "h", Format::Edn, options).unwrap_err();
        assert_eq!(
            error.to_string(),
            "h:2: field `value`: expected a tuple `[key value]`, found 7"
        );
    }
}
