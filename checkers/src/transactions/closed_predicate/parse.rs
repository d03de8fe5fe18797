//! From a history to its table.
//!
//! | operation | micro-operation | meaning |
//! |---|---|---|
//! | `init` | (a map of keys to values) | these rows were there before all else |
//! | `txn` | `["insert",k,v]` | makes a row where there is none |
//! | | `["w",k,v]` | gives the row another value, or makes it |
//! | | `["delete",k]` | takes the row away |
//! | | `["r",k,v]` | reads the row; `null` where there is none |
//! | | `["rp",PREDICATE,{k:v,...}]` | reads all rows that match |
//!
//! The keys of a map are strings in JSON, so a key there is the one whose text it is.

use super::predicate::Predicate;
use crate::history::{Event, History, OpIndex, OpView, Process};
use crate::transactions::parse::{Malformed, outcome, shown, told};
use crate::transactions::table::{Action, KeyId, Outcome, Session, Table};
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeMap;

const TXN: &str = "a list of micro-operations, each [\"insert\", key, value], [\"w\", key, value], \
                   [\"delete\", key], [\"r\", key, value] or [\"rp\", predicate, {key: value}]";
const NAME: &str = "the micro-operation \"insert\", \"w\", \"delete\", \"r\" or \"rp\"";
const PREDICATE: &str = "a predicate: true, [\"=\", value] or [\"mod\", divisor, rest]";
const ROWS: &str = "a map of keys to values, none of them null";
const VALUE: &str = "a value; null is what a row has that is not there";
const NO_KEY: &str = "no key beside the micro-operations";
const SPACE: &str = "fewer than 2^32 micro-operations and rows in all";

/// Whether a micro-operation of this name is only known here.
pub(in crate::transactions) fn is_own(name: &str) -> bool {
    matches!(name, "insert" | "delete" | "rp")
}

/// Whether a history says which rows were there before all else.
pub(in crate::transactions) fn has_initial_rows(history: &History) -> bool {
    history.ops().any(|op| is_init(&op))
}

/// The predicate as a history has it, out of the key that stands for it in a table.
pub(in crate::transactions) fn predicate_of(key: &Value) -> &Value {
    key.as_list().and_then(<[Value]>::last).unwrap_or(key)
}

/// All transactions of a history, and what was there before them. Linear.
pub(in crate::transactions) fn table(history: &History) -> Result<Table, Malformed> {
    let names = Names::of(history);
    let mut table = Table::default();
    let mut sessions = HashMap::<u64, Session, FxBuildHasher>::default();
    for op in history.ops() {
        let is_init = is_init(&op);
        if !is_init && !is_transaction(&op) {
            continue;
        }
        let Process::Client(number) = op.process() else { continue };
        let session = *sessions.entry(number).or_insert_with(|| table.add_session(number));
        let complete = op.complete.map(|event| event.index);
        table.begin(session, outcome(&op), Some(op.invoke.index), complete);
        let event = if is_init { op.complete.unwrap_or(op.invoke) } else { told(&op) };
        let mut row = Row { table: &mut table, names: &names, at: event.index };
        if is_init {
            let there = if event.value.as_map().is_some() { event } else { op.invoke };
            row.init(&there.value)?;
        } else {
            row.transaction(event, outcome(&op))?;
        }
    }
    Ok(table)
}

fn is_init(op: &OpView<'_>) -> bool {
    op.f().as_str() == "init" && op.input().as_map().is_some()
}

fn is_transaction(op: &OpView<'_>) -> bool {
    let name = |item: &Value| -> Option<bool> {
        let name = item.as_list()?.first()?.as_str()?;
        Some(is_own(name) || matches!(name, "r" | "w"))
    };
    let items = op.input().as_list().unwrap_or_default();
    op.f().as_str() == "txn"
        || !items.is_empty() && items.iter().all(|item| name(item) == Some(true))
}

/// The keys that micro-operations name, by their text.
struct Names(BTreeMap<String, Value>);

impl Names {
    fn of(history: &History) -> Names {
        let mut names = BTreeMap::new();
        for op in history.ops().filter(is_transaction) {
            for item in op.input().as_list().unwrap_or_default() {
                if let Some([name, key, ..]) = item.as_list()
                    && name.as_str() != Some("rp")
                {
                    names.entry(text(key)).or_insert_with(|| key.clone());
                }
            }
        }
        Names(names)
    }

    fn key(&self, of_map: &Value) -> Value {
        self.0.get(&text(of_map)).unwrap_or(of_map).clone()
    }
}

fn text(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

/// One transaction on its way into the table.
struct Row<'a> {
    table: &'a mut Table,
    names: &'a Names,
    at: OpIndex,
}

impl Row<'_> {
    fn malformed(
        &self,
        field: impl Into<String>,
        expected: &'static str,
        found: &Value,
    ) -> Malformed {
        Malformed { at: self.at, field: field.into(), expected, found: shown(found) }
    }

    fn init(&mut self, there: &Value) -> Result<(), Malformed> {
        for (key, value) in self.rows(there, "value")? {
            self.table.push(key, Action::Init(value));
        }
        Ok(())
    }

    /// The rows of a map.
    fn rows(
        &mut self,
        map: &Value,
        field: &str,
    ) -> Result<Vec<(KeyId, crate::transactions::ValueId)>, Malformed> {
        let rows = map.as_map().ok_or_else(|| self.malformed(field, ROWS, map))?;
        if self.table.is_full(rows.len()) {
            return Err(self.malformed(field, SPACE, map));
        }
        let names = self.names;
        rows.iter()
            .map(|(key, value)| {
                if value.is_null() {
                    return Err(self.malformed(field, ROWS, map));
                }
                Ok((self.table.key_id(&names.key(key)), self.table.value_id(value)))
            })
            .collect()
    }

    fn transaction(&mut self, event: &Event, outcome: Outcome) -> Result<(), Malformed> {
        if let Some(key) = &event.key {
            return Err(self.malformed("key", NO_KEY, key));
        }
        let items =
            event.value.as_list().ok_or_else(|| self.malformed("value", TXN, &event.value))?;
        for (position, item) in items.iter().enumerate() {
            let field = |inner: &str| format!("value[{position}]{inner}");
            let (name, second, third) = match item.as_list() {
                Some([name, second]) => (name, second, &Value::Null),
                Some([name, second, third]) => (name, second, third),
                _ => return Err(self.malformed(field(""), TXN, item)),
            };
            if self.table.is_full(1) {
                return Err(self.malformed(field(""), SPACE, item));
            }
            let known = outcome == Outcome::Ok || !third.is_null();
            match name.as_str() {
                Some("rp") => {
                    if Predicate::of(second).is_none() {
                        return Err(self.malformed(field("[1]"), PREDICATE, second));
                    }
                    let key = self.table.key_id(&Value::list([name.clone(), second.clone()]));
                    let action = if known {
                        let rows = self.rows(third, &field("[2]"))?;
                        Action::ReadWhere(self.table.add_rows(rows))
                    } else {
                        Action::ReadUnknown
                    };
                    self.table.push(key, action);
                }
                Some(name @ ("insert" | "w" | "delete" | "r")) => {
                    if third.is_null() && matches!(name, "insert" | "w") {
                        return Err(self.malformed(field("[2]"), VALUE, third));
                    }
                    let key = self.table.key_id(second);
                    let value = self.table.value_id(third);
                    let action = match name {
                        "insert" => Action::Insert(value),
                        "w" => Action::Write(value),
                        "delete" => Action::Delete,
                        _ if known => Action::Read(value),
                        _ => Action::ReadUnknown,
                    };
                    self.table.push(key, action);
                }
                _ => return Err(self.malformed(field("[0]"), NAME, name)),
            }
        }
        Ok(())
    }
}
