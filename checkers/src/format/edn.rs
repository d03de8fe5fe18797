//! EDN text, the notation of Clojure's data and so of Jepsen's histories, read form by form.
//!
//! The grammar is that of the EDN specification (edn-format) with what Clojure itself prints
//! beyond it: ratios, `##NaN` and `##Inf`, octal escapes and maps with a namespace (`#:a{:b 1}`).
//! Not read, because they are not data: `::auto` keywords, metadata, quotes, functions.
//!
//! Nesting is limited to [`DEPTH_MAX`], so that no input overflows the stack.

mod number;
mod text;
mod write;

pub(crate) use write::{write_keyword, write_value};

use crate::history::Names;
use crate::value::Value;

/// How deep collections may nest. The deepest known histories need six.
pub(crate) const DEPTH_MAX: usize = 128;

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EdnError {
    /// Offset in the text.
    pub(crate) at: usize,
    pub(crate) problem: String,
}

/// A place in a text, moving forward from form to form.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    names: Names,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0, names: Names::default() }
    }

    /// Offset of the next byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Moves to `at`, which must be where a character begins.
    pub(crate) fn go(&mut self, at: usize) {
        self.at = at;
    }

    /// The next character that is neither white space nor a comment nor part of a discarded
    /// form, without taking it.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, EdnError> {
        self.peek_at(0)
    }

    /// The next form, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Value>, EdnError> {
        match self.peek()? {
            Some(_) => self.value(0).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn error<T>(&self, problem: impl Into<String>) -> Result<T, EdnError> {
        Err(EdnError { at: self.at, problem: problem.into() })
    }

    fn peek_at(&mut self, depth: usize) -> Result<Option<u8>, EdnError> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' | 0x0b | 0x0c => self.at += 1,
                b';' => {
                    let rest = &self.text[self.at..];
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                b'#' if bytes.get(self.at + 1) == Some(&b'_') => {
                    self.deeper(depth)?;
                    self.at += 2;
                    self.value(depth + 1)?;
                }
                other => return Ok(Some(*other)),
            }
        }
        Ok(None)
    }

    /// The form that comes next, inside `depth` others.
    fn value(&mut self, depth: usize) -> Result<Value, EdnError> {
        let Some(byte) = self.peek_at(depth)? else {
            return self.error("the text ends where a form was expected");
        };
        match byte {
            b'"' => text::string(self).map(Value::Str),
            b':' => self.keyword(),
            b'\\' => text::character(self).map(Value::Char),
            b'[' => Ok(Value::List(self.items(b']', depth)?.into())),
            b'(' => Ok(Value::List(self.items(b')', depth)?.into())),
            b'{' => self.map(depth, None),
            b'#' => self.dispatch(depth),
            b'0'..=b'9' => number::number(self),
            b'-' | b'+' if self.digit_follows() => number::number(self),
            b']' | b')' | b'}' => self.error(format!("`{}` closes nothing", char::from(byte))),
            _ => self.symbol(),
        }
    }

    fn digit_follows(&self) -> bool {
        self.text.as_bytes().get(self.at + 1).is_some_and(u8::is_ascii_digit)
    }

    /// What stands up to the next delimiter.
    fn token(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let delimits = |c: char| c.is_whitespace() || ",;\"()[]{}\\^`~@".contains(c);
        let token = &rest[..rest.find(delimits).unwrap_or(rest.len())];
        self.at += token.len();
        token
    }

    fn keyword(&mut self) -> Result<Value, EdnError> {
        let begin = self.at;
        self.at += 1;
        let token = self.token();
        if !is_name(token) {
            return Err(EdnError { at: begin, problem: format!("`:{token}` is no keyword") });
        }
        Ok(Value::Keyword(self.names.get(token)))
    }

    fn symbol(&mut self) -> Result<Value, EdnError> {
        let begin = self.at;
        Ok(match self.token() {
            "nil" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            token if is_symbol(token) => Value::Symbol(self.names.get(token)),
            token => {
                let shown = token.chars().next().or(self.text[begin..].chars().next());
                let problem = format!("no form begins with `{}`", shown.unwrap_or_default());
                return Err(EdnError { at: begin, problem });
            }
        })
    }

    /// What begins with `#` and is not a discarded form.
    fn dispatch(&mut self, depth: usize) -> Result<Value, EdnError> {
        let begin = self.at;
        self.at += 1;
        match self.text.as_bytes().get(self.at) {
            Some(b'{') => {
                let items = self.items(b'}', depth)?;
                at_most_once(begin, items.iter())?;
                Ok(Value::Set(items.into()))
            }
            Some(b'#') => {
                self.at += 1;
                match self.token() {
                    "NaN" => Ok(Value::Float(f64::NAN)),
                    "Inf" => Ok(Value::Float(f64::INFINITY)),
                    "-Inf" => Ok(Value::Float(f64::NEG_INFINITY)),
                    other => {
                        Err(EdnError { at: begin, problem: format!("`##{other}` is no number") })
                    }
                }
            }
            Some(b':') => {
                self.at += 1;
                let space = self.token();
                if !is_symbol(space) || self.text.as_bytes().get(self.at) != Some(&b'{') {
                    return self.error("expected a map behind its namespace");
                }
                self.map(depth, Some(space))
            }
            _ => {
                let tag = self.token();
                if !is_symbol(tag) {
                    return Err(EdnError { at: begin, problem: format!("`#{tag}` is no tag") });
                }
                let tag = self.names.get(tag);
                self.deeper(depth)?;
                let value = self.value(depth + 1)?;
                Ok(Value::Tagged(Box::new((tag, value))))
            }
        }
    }

    /// The items of a collection, with its brackets.
    fn items(&mut self, close: u8, depth: usize) -> Result<Vec<Value>, EdnError> {
        self.deeper(depth)?;
        let begin = self.at;
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.peek_at(depth + 1)? {
                Some(byte) if byte == close => {
                    self.at += 1;
                    return Ok(items);
                }
                Some(_) => items.push(self.value(depth + 1)?),
                None => {
                    let open = char::from(self.text.as_bytes()[begin]);
                    return self.error(format!("the text ends before `{open}` is closed"));
                }
            }
        }
    }

    fn map(&mut self, depth: usize, space: Option<&str>) -> Result<Value, EdnError> {
        let begin = self.at;
        let items = self.items(b'}', depth)?;
        if items.len() % 2 == 1 {
            return Err(EdnError { at: begin, problem: "a map with a key and no value".into() });
        }
        let mut items = items.into_iter();
        let mut pairs = Vec::with_capacity(items.len() / 2);
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            pairs.push((self.qualified(key, space), value));
        }
        at_most_once(begin, pairs.iter().map(|(key, _)| key))?;
        Ok(Value::Map(pairs.into()))
    }

    /// A key of a map with a namespace; `_` as its namespace means none.
    fn qualified(&mut self, key: Value, space: Option<&str>) -> Value {
        match (space, &key) {
            (Some(space), Value::Keyword(name)) => match name.split_once('/') {
                None => Value::Keyword(self.names.get(&format!("{space}/{name}"))),
                Some(("_", bare)) => Value::Keyword(self.names.get(bare)),
                Some(_) => key,
            },
            _ => key,
        }
    }

    fn deeper(&self, depth: usize) -> Result<(), EdnError> {
        if depth >= DEPTH_MAX { self.error("nested too deeply") } else { Ok(()) }
    }
}

/// Fails if two of the values of the collection at `begin` are equal.
fn at_most_once<'v>(begin: usize, values: impl Iterator<Item = &'v Value>) -> Result<(), EdnError> {
    let mut sorted: Vec<&Value> = values.collect();
    sorted.sort_unstable();
    let doubled = sorted.windows(2).find(|two| two[0] == two[1]).map(|two| two[0]);
    match doubled {
        Some(value) => {
            let mut problem = String::new();
            let _ = write_value(&mut problem, value);
            Err(EdnError { at: begin, problem: problem + " stands there twice" })
        }
        None => Ok(()),
    }
}

/// Whether `text` can follow the colon of a keyword.
pub(crate) fn is_name(text: &str) -> bool {
    let shaped = match text.split_once('/') {
        None => !text.is_empty(),
        Some((space, name)) => !space.is_empty() && !name.is_empty() && !name.contains('/'),
    };
    let plain = |c: char| c.is_alphanumeric() || ".*+!-_?$%&=<>#:'|/".contains(c);
    (shaped || text == "/") && !text.starts_with([':', '#']) && text.chars().all(plain)
}

/// Whether `text` reads as a symbol or as a tag.
pub(crate) fn is_symbol(text: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let mut chars = text.chars();
    let first = chars.next();
    let number = digit(first) || matches!(first, Some('+' | '-')) && digit(chars.next());
    is_name(text) && !number && !text.starts_with('\'') && !matches!(text, "nil" | "true" | "false")
}

#[cfg(test)]
mod tests;
