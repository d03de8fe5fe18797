//! Messages, operations and answers in a few words.

use quorate_targets::api::store::{Op, Response};
use quorate_targets::eventual::cell::Cell;
use quorate_targets::eventual::{Key, Message};
use serde_json::Value;

/// A message; nothing for gossip, of which there is too much.
pub(crate) fn message(message: &Message) -> Option<String> {
    Some(match message {
        Message::Get { key, .. } => format!("get {}", name(key)),
        Message::Got { cell, .. } => format!("got {}", maybe(cell.as_ref())),
        Message::Put { key, cell, hint: None, .. } => format!("put {}={}", name(key), show(cell)),
        Message::Put { key, cell, hint: Some(home), .. } => {
            format!("put {}={} for {home}", name(key), show(cell))
        }
        Message::Ack { .. } => "ack".to_owned(),
        Message::Gossip { .. } => return None,
        Message::Compare { branch: None, .. } => "compare roots".to_owned(),
        Message::Compare { branch: Some(branch), .. } => format!("compare branch {branch}"),
        Message::Leaf { entries, .. } => {
            format!("leaf with {}", keys(entries.iter().map(|(key, _)| key)))
        }
        Message::Cells { cells, wanted } => format!(
            "cells of {}, wants {}",
            keys(cells.iter().map(|(key, _)| key)),
            keys(wanted.iter())
        ),
        Message::Collect { key, .. } => format!("same tombstones of {}?", name(key)),
        Message::Same { key, .. } => format!("same tombstones of {}", name(key)),
        Message::Purge { key, .. } => format!("forget tombstones of {}", name(key)),
    })
}

fn keys<'a>(keys: impl Iterator<Item = &'a Key>) -> String {
    let names: Vec<String> = keys.map(name).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(" ") }
}

fn name(key: &Key) -> String {
    key.name.clone()
}

fn maybe(cell: Option<&Cell>) -> String {
    cell.map_or_else(|| "nothing".to_owned(), show)
}

fn value(value: Option<&Value>) -> String {
    value.map_or_else(|| "deleted".to_owned(), Value::to_string)
}

/// What a cell says, without stamps.
pub(crate) fn show(cell: &Cell) -> String {
    match cell {
        Cell::Lww(lww) => value(lww.value.as_ref()),
        Cell::Siblings(siblings) => {
            let all: Vec<String> =
                siblings.all().iter().map(|sibling| value(sibling.value.as_ref())).collect();
            all.join("|")
        }
        Cell::GSet(elements) => {
            format!("{{{}}}", elements.iter().cloned().collect::<Vec<String>>().join(","))
        }
        Cell::OrSet(set) => {
            format!("{{{}}}", set.elements().cloned().collect::<Vec<_>>().join(","))
        }
        Cell::Counter(counter) => counter.value().to_string(),
    }
}

pub(crate) fn op(op: &Op) -> String {
    match op {
        Op::Read { key } => format!("read {key}"),
        Op::Write { key, value, context } => {
            format!("write {key}={value}{}", if context.is_some() { " in context" } else { "" })
        }
        Op::Cas { key, .. } => format!("cas {key}"),
        Op::Delete { key, .. } => format!("delete {key}"),
        Op::Add { key, element, .. } => format!("add {element} to {key}"),
        Op::Remove { key, element, .. } => format!("remove {element} from {key}"),
        Op::Elements { key, .. } => format!("elements of {key}"),
        Op::Increment { key, by } => format!("increment {key} by {by}"),
        Op::Count { key } => format!("count {key}"),
    }
}

pub(crate) fn response(response: &Response) -> String {
    match response {
        Response::Value { value, siblings, .. } if siblings.is_empty() => value.to_string(),
        Response::Value { siblings, .. } => {
            let all: Vec<String> = siblings.iter().map(Value::to_string).collect();
            format!("siblings {}", all.join(" "))
        }
        Response::Done { .. } => "done".to_owned(),
        Response::Elements { elements } => Value::Array(elements.clone()).to_string(),
        Response::Count { count } => count.to_string(),
        Response::Error { definite, reason } => {
            format!("{}: {reason}", if *definite { "refused" } else { "in doubt" })
        }
    }
}
