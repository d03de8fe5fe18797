//! Histories that others wrote: from maps with Jepsen's fields to a well-formed history.
//!
//! Jepsen's files are looser than ours, so this is done to them, and each kind of change is
//! told in a note:
//!
//! * Indices are given anew where they are not dense from 0; the field `original-index` keeps
//!   the old one.
//! * A time that is absent, negative, or earlier than the one before it becomes the one before
//!   it: the order of the file counts, as it does for Jepsen.
//! * `[key value]` tuples of `jepsen.independent` become key and value (see `tuples`).
//! * In transactions `:r`, `:w`, `:append` become strings, as in our own files.
//! * An event without `f` is a `txn` if its value is one. An invocation without process gets one
//!   of its own, and a completion that of the one operation that it can complete.
//! * On request, an operation of which only the completion is there gets an invocation (see
//!   `synthesis`).

mod synthesis;
mod tuples;

use super::Options;
use crate::history::fields::{self, F, NODE, PROCESS, TYPE};
use crate::history::{Builder, Event, EventType, Fault, Loaded, Names, Nanos, OpIndex, Process};
use crate::value::{Name, Value};
use std::collections::BTreeMap;

/// An event on its way into a history. What is absent may be filled in.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// Where it stands in the text.
    pub(super) at: usize,
    pub(super) index: Option<u32>,
    pub(super) time: Option<Nanos>,
    pub(super) process: Option<Process>,
    pub(super) kind: EventType,
    pub(super) f: Name,
    pub(super) key: Option<Value>,
    pub(super) value: Value,
    pub(super) error: Option<Value>,
    pub(super) node: Option<Name>,
    pub(super) extra: Vec<(Name, Value)>,
}

/// The notes of a reading, each with how many events it is about.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<&'static str, u64>);

impl Notes {
    pub(super) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    fn sentences(self) -> Vec<String> {
        let sentence = |(what, count): (&str, u64)| match count {
            1 => format!("1 event {what}"),
            count => format!("{count} events {what}"),
        };
        self.0.into_iter().map(sentence).collect()
    }
}

/// A draft of the map `value`, which stands `at` some place of the text.
pub(super) fn draft(
    at: usize,
    value: Value,
    names: &mut Names,
    notes: &mut Notes,
) -> Result<Draft, Fault> {
    let problem = |problem: String| Fault::Syntax { column: 0, field: None, problem };
    let pairs = match value {
        Value::Map(pairs) => pairs,
        Value::Tagged(tagged) if tagged.1.as_map().is_some() => {
            return draft(at, tagged.1, names, notes);
        }
        other => return Err(problem(format!("expected a map, found {}", other.kind()))),
    };
    let (mut kind, mut f, mut extra) = (None, None, Vec::new());
    let mut draft = Draft {
        at,
        index: None,
        time: None,
        process: None,
        kind: EventType::Invoke,
        f: names.get("txn"),
        key: None,
        value: Value::Null,
        error: None,
        node: None,
        extra: Vec::new(),
    };
    for (field, value) in pairs {
        let Some(field) = field.as_str() else {
            return Err(problem(format!("expected a field's name, found {field}")));
        };
        match field {
            "index" if !value.is_null() => draft.index = Some(fields::index(&value)?),
            "time" => draft.time = time(&value)?,
            "process" if !value.is_null() => draft.process = Some(fields::process(&value)?),
            "type" => kind = Some(fields::kind(&value)?),
            "f" if !value.is_null() => {
                let text = value.as_str().ok_or_else(|| fields::wrong("f", F, &value))?;
                f = Some(names.get(text));
            }
            "index" | "process" | "f" => {}
            "key" => draft.key = Some(value),
            "value" => draft.value = plain_txn(value),
            "error" => draft.error = Some(value).filter(|error| !error.is_null()),
            "node" => match value.as_str() {
                Some(node) => draft.node = Some(names.get(node)),
                None if value.is_null() => {}
                None => return Err(fields::wrong("node", NODE, &value)),
            },
            other => extra.push((names.get(other), value)),
        }
    }
    draft.kind = kind.ok_or(Fault::Missing { field: "type", expected: TYPE })?;
    match f {
        Some(f) => draft.f = f,
        None if micro_ops(&draft.value).is_some() => {
            notes.count("named no `f` and are taken as `txn`");
        }
        None => return Err(Fault::Missing { field: "f", expected: F }),
    }
    draft.extra = extra;
    Ok(draft)
}

/// Jepsen writes -1 where it does not know the time.
fn time(value: &Value) -> Result<Option<Nanos>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::Int(n) if *n < 0 => Ok(None),
        other => fields::time(other).map(Some),
    }
}

/// The history of `drafts`, changed as this module says. An error has its place in the text.
pub(super) fn assemble(
    mut drafts: Vec<Draft>,
    options: Options,
    mut notes: Notes,
) -> Result<Loaded, (usize, Fault)> {
    name_processes(&mut drafts, &mut notes)?;
    tuples::split(&mut drafts, options.tuples, &mut notes)?;
    if options.synthesise {
        drafts = synthesis::complete(drafts, &mut notes);
    }
    let mut builder = Builder::default();
    let mut last = Nanos::default();
    for draft in drafts {
        let index = builder.next_index();
        let mut extra = draft.extra;
        if let Some(original) = draft.index.filter(|original| *original != index.0)
            && extra.iter().all(|(name, _)| name.as_str() != ORIGINAL_INDEX)
        {
            notes.count("had another index, which is kept as `original-index`");
            extra.push((ORIGINAL_INDEX.into(), Value::Int(original.into())));
        }
        match draft.time {
            None => notes.count("had no time and take that of the event before"),
            Some(time) if time < last => {
                notes.count("had a time before that of the event before and take that one");
            }
            Some(time) => last = time,
        }
        let event = Event {
            index: OpIndex(index.0),
            time: last,
            process: draft.process.unwrap_or(Process::Nemesis),
            kind: draft.kind,
            f: draft.f,
            key: draft.key,
            value: draft.value,
            error: draft.error,
            node: draft.node,
            extra: (!extra.is_empty()).then(|| extra.into()),
        };
        builder.push(event).map_err(|error| (draft.at, Fault::History(error)))?;
    }
    Ok(Loaded { history: builder.finish(), notes: notes.sentences() })
}

const ORIGINAL_INDEX: &str = "original-index";

/// Gives a process to each event without one.
fn name_processes(drafts: &mut [Draft], notes: &mut Notes) -> Result<(), (usize, Fault)> {
    let known = drafts.iter().filter_map(|draft| match draft.process {
        Some(Process::Client(number)) => Some(number),
        _ => None,
    });
    let Some(mut fresh) = known.max().map_or(Some(0), |max| max.checked_add(1)) else {
        return Ok(()); // The largest number there is is taken; what lacks one stays an error.
    };
    let mut open: Vec<(u64, Name, Value)> = Vec::new();
    for draft in drafts.iter_mut().filter(|draft| draft.process.is_none()) {
        notes.count("named no process and got one");
        let fits =
            |(_, f, input): &(u64, Name, Value)| *f == draft.f && answers(input, &draft.value);
        let found = match draft.kind {
            EventType::Invoke => None,
            _ => open.iter().position(fits),
        };
        let number = match found {
            Some(found) if open[found + 1..].iter().any(fits) => {
                let missing = Fault::Missing { field: "process", expected: PROCESS };
                return Err((draft.at, missing));
            }
            Some(found) => open.swap_remove(found).0,
            None => {
                fresh += 1;
                fresh - 1
            }
        };
        draft.process = Some(Process::Client(number));
        if draft.kind == EventType::Invoke {
            open.push((number, draft.f.clone(), draft.value.clone()));
        }
    }
    Ok(())
}

/// Whether a completion with `output` can be that of an invocation with `input`.
fn answers(input: &Value, output: &Value) -> bool {
    match (micro_ops(input), micro_ops(output)) {
        (Some(asked), Some(told)) => {
            let same = |(a, b): (&[Value], &[Value])| {
                a[..2] == b[..2] && (a.get(2) == b.get(2) || a.get(2).is_none_or(Value::is_null))
            };
            asked.len() == told.len() && asked.zip(told).all(same)
        }
        _ => input.is_null() || output.is_null() || input == output,
    }
}

/// The names that the first item of a micro-operation can have.
const MICRO_OPS: [&str; 6] = ["r", "w", "append", "rp", "insert", "delete"];

/// The micro-operations `[f k v]` of a transaction, if the value is one.
fn micro_ops(value: &Value) -> Option<impl ExactSizeIterator<Item = &[Value]>> {
    let items = value.as_list().filter(|items| !items.is_empty())?;
    let micro = |item: &Value| {
        item.as_list().is_some_and(|parts| {
            let name = parts.first().and_then(Value::as_str);
            (2..=3).contains(&parts.len()) && name.is_some_and(|name| MICRO_OPS.contains(&name))
        })
    };
    items.iter().all(micro).then(|| items.iter().map(|item| item.as_list().unwrap_or_default()))
}

/// A transaction whose micro-operations are named by strings, where EDN has keywords.
fn plain_txn(value: Value) -> Value {
    rename_micro_ops(value, |name| match name {
        Value::Keyword(name) => Value::str(name.as_str()),
        other => other,
    })
}

/// The other way round, for writing EDN.
pub(super) fn keyword_txn(value: Value) -> Value {
    rename_micro_ops(value, |name| match name {
        Value::Str(name) => Value::Keyword(name.as_str().into()),
        other => other,
    })
}

fn rename_micro_ops(value: Value, rename: impl Fn(Value) -> Value) -> Value {
    if micro_ops(&value).is_none() {
        return value;
    }
    let Value::List(mut items) = value else { return value };
    for item in &mut items {
        if let Value::List(parts) = item
            && let Some(name) = parts.first_mut()
        {
            *name = rename(std::mem::take(name));
        }
    }
    Value::List(items)
}
