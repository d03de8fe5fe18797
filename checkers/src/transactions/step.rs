//! One edge of a cycle with its evidence, for people and for programs.

use super::graph::Why;
use super::table::{KeyId, Table};
use serde_json::{Map, Value as Json, json};

/// Why a transaction `{a}` comes before a transaction `{b}`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) why: Why,
    key: Option<KeyId>,
    /// The version that the first one wrote or read, and the one that the second wrote.
    values: (Option<Json>, Option<Json>),
    /// The micro-operations of both that show it.
    ops: Option<(usize, usize)>,
    /// In words, with `{a}` and `{b}` for the transactions.
    text: String,
}

impl Step {
    pub(super) fn of(why: Why, key: KeyId, text: String) -> Step {
        Step { why, key: Some(key), values: (None, None), ops: None, text }
    }

    /// A step that no key is part of.
    pub(super) fn without_key(why: Why, text: String) -> Step {
        Step { why, key: None, values: (None, None), ops: None, text }
    }

    pub(super) fn values(mut self, before: Option<Json>, after: Option<Json>) -> Step {
        self.values = (before, after);
        self
    }

    pub(super) fn at(mut self, from: usize, to: usize) -> Step {
        self.ops = Some((from, to));
        self
    }

    /// In words.
    pub(super) fn words(&self, a: &str, b: &str) -> String {
        self.text.replace("{a}", a).replace("{b}", b)
    }

    /// For programs: the names are those that Elle's reports use, and `text` says it in words.
    pub(super) fn json(&self, table: &Table, a: &str, b: &str) -> Json {
        let mut map = Map::new();
        map.insert("type".into(), json!(self.why.name()));
        map.insert("text".into(), json!(self.words(a, b)));
        if let Some(key) = self.key {
            map.insert("key".into(), table.key_json(key));
        }
        let values = [("value", &self.values.0), ("value'", &self.values.1)];
        for (name, value) in values {
            if let Some(value) = value {
                map.insert(name.into(), value.clone());
            }
        }
        if let Some((from, to)) = self.ops {
            map.insert("a-mop-index".into(), json!(from));
            map.insert("b-mop-index".into(), json!(to));
        }
        Json::Object(map)
    }
}
