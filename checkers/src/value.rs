//! Values of keys, arguments and results: what JSON can say, and what Jepsen's EDN adds to it.
//!
//! A value is 24 bytes, so that millions of events fit in memory. Numbers and strings of up to
//! 23 bytes live in place; longer strings are shared by their clones.
//!
//! Values are totally ordered, so that they can be keys of maps: see `compare` for what counts
//! as equal.

mod compare;
mod json;

pub(crate) use json::{write_json, write_string};

use smol_str::SmolStr;
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

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
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
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `null` in JSON, `nil` in EDN; also a field that is absent.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// A number that a double holds as well as its text does.
    Float(f64),
    /// Text.
    Str(SmolStr),
    /// A list; EDN's lists and vectors.
    List(Box<[Value]>),
    /// Pairs in the order in which they were read; keys are strings in JSON, anything in EDN.
    Map(Box<[(Value, Value)]>),
    /// An integer beyond 64 bits, by its decimal digits.
    BigInt(Box<str>),
    /// A number that a double would round, and EDN's `1.5M`: its text, without the `M`.
    Decimal(Box<str>),
    /// EDN's `2/3`, by its text.
    Ratio(Box<str>),
    /// EDN's `:name` or `:space/name`, without the colon; a plain string in JSON.
    Keyword(Name),
    /// EDN's bare `name`; a plain string in JSON.
    Symbol(Name),
    /// EDN's `\a`; a plain string in JSON.
    Char(char),
    /// EDN's `#{1 2}`, in the order in which it was read; a list in JSON.
    Set(Box<[Value]>),
    /// EDN's `#tag value`; the value alone in JSON.
    Tagged(Box<(Name, Value)>),
}

impl Value {
    /// A string value.
    pub fn str(text: impl Into<SmolStr>) -> Value {
        Value::Str(text.into())
    }

    /// A list value.
    pub fn list(items: impl Into<Box<[Value]>>) -> Value {
        Value::List(items.into())
    }

    /// An integer value of any size.
    pub fn integer(n: i128) -> Value {
        i64::try_from(n).map_or_else(|_| Value::BigInt(n.to_string().into()), Value::Int)
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The text, if it is text or EDN's stand-ins for it: `:append` reads as `append`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            Value::Keyword(name) | Value::Symbol(name) => Some(name),
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

    /// The items, if it is a list or a set.
    pub fn as_items(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) | Value::Set(items) => Some(items),
            _ => None,
        }
    }

    /// The pairs, if it is a map.
    pub fn as_map(&self) -> Option<&[(Value, Value)]> {
        match self {
            Value::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    /// What a map holds under the key that reads `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut pairs = self.as_map()?.iter();
        pairs.find(|(key, _)| key.as_str() == Some(name)).map(|(_, value)| value)
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// What kind of value this is, for messages: `an integer`, `a list`.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::BigInt(_) => "an integer",
            Value::Float(_) | Value::Decimal(_) | Value::Ratio(_) => "a number",
            Value::Str(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Keyword(_) => "a keyword",
            Value::Symbol(_) => "a symbol",
            Value::Char(_) => "a character",
            Value::Set(_) => "a set",
            Value::Tagged(_) => "a tagged value",
        }
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

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Str(text.into())
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::List(items.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_24_bytes_and_so_is_an_optional_one() {
        assert_eq!(size_of::<Value>(), 24);
        assert_eq!(size_of::<Option<Value>>(), 24);
    }

    #[test]
    fn keywords_read_as_text() {
        assert_eq!(Value::Keyword("append".into()).as_str(), Some("append"));
        assert_eq!(Value::str("append").as_str(), Some("append"));
        assert_eq!(Value::Int(1).as_str(), None);
    }
}
