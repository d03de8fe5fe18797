//! What a transaction has done so far, and what it sees: its own writes over what others show.
//!
//! The draft keeps writes, not values, so that the same draft can be laid over whatever the
//! level lets the transaction see at that moment. It also keeps what it has looked at: the
//! levels differ in what of that must still be true at the commit.

use crate::api::txn::{Kind, MicroOp};
use crate::raft::command::Write;
use crate::raft::log::Index;
use crate::raft::store::{Past, Store, appended};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a transaction looks at, its own writes apart.
#[derive(Debug)]
pub(in crate::raft) struct Sight<'a> {
    store: &'a Store,
    /// The place whose state it sees; that of now where absent.
    at: Option<(Index, &'a Past)>,
    /// Writes of others that it sees on top of that.
    over: Vec<&'a Write>,
}

/// A transaction's writes and what it has looked at.
#[derive(Clone, Debug, Default)]
pub(in crate::raft) struct Draft {
    writes: Vec<Write>,
    /// Keys whose value others gave it.
    pub(super) looked_at: BTreeSet<String>,
    /// Beginnings of keys of which it has seen all.
    pub(super) scanned: BTreeSet<String>,
    /// Keys that it has appended to and then read, with the place of the state that it read.
    pub(super) reread: BTreeMap<String, Index>,
}

impl<'a> Sight<'a> {
    /// The state as it is now.
    pub(in crate::raft) fn now(store: &'a Store) -> Sight<'a> {
        Sight { store, at: None, over: Vec::new() }
    }

    /// The state as it was at `at`.
    pub(super) fn then(store: &'a Store, at: Index, past: &'a Past) -> Sight<'a> {
        Sight { store, at: Some((at, past)), over: Vec::new() }
    }

    /// The same with writes on top.
    pub(super) fn with(self, over: Vec<&'a Write>) -> Sight<'a> {
        Sight { over, ..self }
    }

    fn get(&self, key: &str) -> Value {
        let value = match self.at {
            Some((at, past)) => self.store.get_at(key, at, past),
            None => self.store.get(key),
        };
        laid_over(value, key, self.over.iter().copied())
    }

    /// The keys below a prefix that may have a value.
    fn keys_below(&self, prefix: &str) -> BTreeSet<String> {
        let over = self.over.iter().map(|write| write.key());
        let over = over.filter(|key| key.starts_with(prefix)).map(str::to_owned);
        self.store.keys_below(prefix).cloned().chain(over).collect()
    }
}

/// The value of a key after these writes, those to other keys passed over.
fn laid_over<'a>(value: Value, key: &str, writes: impl Iterator<Item = &'a Write>) -> Value {
    writes.filter(|write| write.key() == key).fold(value, |value, write| match write {
        Write::Set(_, new) => new.clone(),
        Write::Append(_, last) => {
            Value::Array(appended(value, last).unwrap_or_else(|| vec![last.clone()]))
        }
    })
}

impl Draft {
    /// Its writes, in their order.
    pub(in crate::raft) fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Whether it has written `key`.
    pub(super) fn has_written(&self, key: &str) -> bool {
        self.writes.iter().any(|write| write.key() == key)
    }

    /// Whether what it has made of `key` depends on what others make of it.
    pub(super) fn has_appended(&self, key: &str) -> bool {
        let set = |write: &Write| matches!(write, Write::Set(set, _) if set == key);
        self.has_written(key) && !self.writes.iter().any(set)
    }

    /// Forgets its writes.
    pub(super) fn clear(&mut self) {
        self.writes.clear();
    }

    /// The value of a key as the transaction sees it.
    fn get(&mut self, key: &str, sight: &Sight<'_>) -> Value {
        // What stands before a write of its own is nothing that it learns.
        let hidden =
            self.writes.iter().any(|write| matches!(write, Write::Set(set, _) if set == key));
        if !hidden {
            self.looked_at.insert(key.to_owned());
        }
        laid_over(sight.get(key), key, self.writes.iter())
    }

    /// Does one operation; returns it with its result. An error aborts the transaction.
    pub(in crate::raft) fn perform(
        &mut self,
        op: &MicroOp,
        sight: &Sight<'_>,
    ) -> Result<MicroOp, String> {
        let MicroOp(kind, key, value) = op;
        let result = match kind {
            Kind::R => self.get(key, sight),
            Kind::W => {
                self.writes.push(Write::Set(key.clone(), value.clone()));
                value.clone()
            }
            Kind::Append => {
                let list = laid_over(sight.get(key), key, self.writes.iter());
                if appended(list, value).is_none() {
                    return Err(format!("{key} is no list"));
                }
                self.writes.push(Write::Append(key.clone(), value.clone()));
                value.clone()
            }
            Kind::Add | Kind::Take => self.count(*kind, key, value, sight)?,
            Kind::Init => match self.get(key, sight) {
                Value::Null => {
                    self.writes.push(Write::Set(key.clone(), value.clone()));
                    value.clone()
                }
                there => there,
            },
            Kind::Scan => Value::Array(self.scan(key, sight)),
            Kind::None if self.scan(key, sight).is_empty() => Value::Null,
            Kind::None => return Err(format!("there is a key that begins with {key}")),
        };
        Ok(MicroOp(*kind, key.clone(), result))
    }

    /// The values below a prefix, in the order of their keys.
    fn scan(&mut self, prefix: &str, sight: &Sight<'_>) -> Vec<Value> {
        let mut keys = sight.keys_below(prefix);
        let own = self.writes.iter().map(Write::key);
        keys.extend(own.filter(|key| key.starts_with(prefix)).map(str::to_owned));
        self.scanned.insert(prefix.to_owned());
        let value = |key: &String| laid_over(sight.get(key), key, self.writes.iter());
        keys.iter().map(value).filter(|value| !value.is_null()).collect()
    }

    fn count(
        &mut self,
        kind: Kind,
        key: &str,
        value: &Value,
        sight: &Sight<'_>,
    ) -> Result<Value, String> {
        let there = match self.get(key, sight) {
            Value::Null => 0,
            other => other.as_i64().ok_or_else(|| format!("{key} is no whole number"))?,
        };
        let amount = value.as_i64().ok_or_else(|| format!("{value} is no whole number"))?;
        let sum = match kind {
            Kind::Take if there < amount => {
                return Err(format!("{key} has {there}, which is less than {amount}"));
            }
            Kind::Take => there.checked_sub(amount),
            _ => there.checked_add(amount),
        };
        let sum = Value::from(sum.ok_or_else(|| format!("{key} would be out of range"))?);
        self.writes.push(Write::Set(key.to_owned(), sum.clone()));
        Ok(sum)
    }
}
