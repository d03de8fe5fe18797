//! Values of keys, arguments and results: what JSON can say, and what Jepsen's EDN adds to it.
//!
//! A value is 24 bytes, so that millions of events fit in memory; numbers live in place.

use std::fmt;
use std::sync::Arc;

/// A short, often repeated string: an operation's name, a node's name. Clones share memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::ops::Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(text.into())
    }
}

impl From<String> for Name {
    fn from(text: String) -> Name {
        Name(text.into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One value of a history.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `null` in JSON, `nil` in EDN; also a field that is absent.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(Box<str>),
    /// A list; EDN's lists and vectors.
    List(Box<[Value]>),
    /// Pairs in the order in which they were read; keys are strings in JSON, anything in EDN.
    Map(Box<[(Value, Value)]>),
}

impl Value {
    /// A string value.
    pub fn str(text: impl Into<Box<str>>) -> Value {
        Value::Str(text.into())
    }

    /// A list value.
    pub fn list(items: impl Into<Box<[Value]>>) -> Value {
        Value::List(items.into())
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Int(n)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Str(text.into())
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(b),
            serde_json::Value::Number(n) => match n.as_i64() {
                Some(int) => Value::Int(int),
                None => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::Str(text.into()),
            serde_json::Value::Array(items) => {
                Value::List(items.into_iter().map(Value::from).collect())
            }
            serde_json::Value::Object(pairs) => Value::Map(
                pairs.into_iter().map(|(k, v)| (Value::Str(k.into()), Value::from(v))).collect(),
            ),
        }
    }
}

impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> serde_json::Value {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Int(n) => (*n).into(),
            Value::Float(n) => (*n).into(),
            Value::Str(text) => text.as_ref().into(),
            Value::List(items) => items.iter().map(serde_json::Value::from).collect(),
            Value::Map(pairs) => pairs
                .iter()
                .map(|(k, v)| {
                    let key = match k {
                        Value::Str(text) => text.to_string(),
                        other => other.to_string(),
                    };
                    (key, serde_json::Value::from(v))
                })
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }
}

/// As JSON, on one line.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", serde_json::Value::from(self))
    }
}
