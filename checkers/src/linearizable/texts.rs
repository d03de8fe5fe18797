//! Strings that are appended to, read as a whole, and replaced.
//!
//! If none of the pieces that are appended or put is the beginning of another (a prefix code),
//! every string that can be read splits into pieces in one way only. Then the string is the list
//! of its pieces, and lists are decided by zones. A read that does not split is a list of one
//! element that nobody brought. Cost: linear in what was read, times the logarithm of the number
//! of pieces. Else the search decides over strings.

use super::by_model::{ModelCalls, Said, meaningless};
use super::key::{KeyContext, KeyReport, undecided};
use super::options::Unknown;
use crate::history::{Event, EventType, History, KeyGroup, OpView};
use crate::model::{AppendText, TextInput};
use crate::value::{Name, Value};
use serde_json::json;
use std::collections::BTreeSet;

/// The same history with lists of pieces for strings: event by event, with the same indices.
/// Nothing if the pieces of some key are not a prefix code, or if something is no string.
pub(super) fn as_lists(history: &History) -> Option<History> {
    let mut events: Vec<Event> = history.events().to_vec();
    let partition = history.by_key();
    let names: [Name; 3] = ["append", "read", "write"].map(Name::from);
    for group in partition.groups() {
        let pieces = Pieces::of(&group)?;
        for op in group.ops() {
            let name = match op.f().as_str() {
                "append" => &names[0],
                "get" | "read" => &names[1],
                "put" | "write" => &names[2],
                _ => return None,
            };
            let split = |value: &Value| pieces.split(value);
            for event in [Some(op.invoke), op.complete].into_iter().flatten() {
                let copy = &mut events[event.index.0 as usize];
                copy.f = name.clone();
                copy.value = match (name.as_str(), event.kind) {
                    ("append", _) => continue,
                    ("read", EventType::Ok) | ("write", EventType::Invoke) => split(&event.value)?,
                    _ => Value::Null,
                };
            }
        }
    }
    History::from_events(events).ok()
}

/// What strings are made of.
struct Pieces<'a>(Vec<&'a str>);

impl<'a> Pieces<'a> {
    fn of(group: &KeyGroup<'a>) -> Option<Pieces<'a>> {
        let mut pieces = BTreeSet::new();
        for op in group.ops() {
            if matches!(op.f().as_str(), "append" | "put" | "write") {
                let piece = text(op.input())?;
                let nothing = piece.is_empty();
                if nothing && op.f().as_str() == "append" {
                    return None;
                }
                pieces.extend((!nothing).then_some(piece));
            }
        }
        let pieces: Vec<&str> = pieces.into_iter().collect();
        // What begins with a piece follows it in order.
        let clash = pieces.windows(2).any(|pair| pair[1].starts_with(pair[0]));
        (!clash).then_some(Pieces(pieces))
    }

    fn split(&self, value: &Value) -> Option<Value> {
        let whole = text(value)?;
        let (mut list, mut rest) = (Vec::new(), whole);
        while !rest.is_empty() {
            // The only piece that can be its beginning is the last that is not greater.
            let at = self.0.partition_point(|piece| *piece <= rest);
            let piece = at.checked_sub(1).map(|at| self.0[at]);
            let Some(piece) = piece.filter(|piece| rest.starts_with(*piece)) else {
                return Some(Value::from(vec![Value::str(whole)]));
            };
            list.push(Value::str(piece));
            rest = &rest[piece.len()..];
        }
        Some(Value::from(list))
    }
}

fn text(value: &Value) -> Option<&str> {
    if value.is_null() { Some("") } else { value.as_str() }
}

/// Decides one string by the search.
pub(super) fn check(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let read = |op: &OpView<'_>| -> Result<Option<Said<AppendText>>, Unknown> {
        let no = || meaningless(op, "a string");
        let owned = |value| text(value).map(str::to_owned);
        Ok(match (op.f().as_str(), op.outcome) {
            (_, EventType::Fail) | ("get" | "read", EventType::Info | EventType::Invoke) => None,
            ("get" | "read", EventType::Ok) => {
                let seen = op.output().and_then(owned).ok_or_else(no)?;
                Some((TextInput::Get, Some(Some(seen))))
            }
            ("append", _) => {
                let piece = owned(op.input()).ok_or_else(no)?;
                Some((TextInput::Append(piece), op.output().map(|_| None)))
            }
            ("put" | "write", _) => {
                let text = owned(op.input()).ok_or_else(no)?;
                Some((TextInput::Put(text), op.output().map(|_| None)))
            }
            _ => return Err(no()),
        })
    };
    match ModelCalls::<AppendText>::of(context, read) {
        Ok(calls) => calls.search(context, &AppendText, |text| json!(text)),
        Err(unknown) => undecided(unknown),
    }
}
