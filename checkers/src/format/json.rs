//! JSON text, read piece by piece.
//!
//! `serde_json` would do but for three things that a history needs: integers beyond 64 bits and
//! decimals that a double would round are kept, a key that stands twice in one object is an
//! error, and an error says where it is. The grammar is RFC 8259's, to the letter.
//!
//! Nesting is limited to [`DEPTH_MAX`], so that no input overflows the stack.

mod number;
mod text;

use crate::value::Value;
use std::borrow::Cow;

pub(crate) use number::number_value;

/// How deep lists and maps may nest. The deepest known histories need five.
pub(crate) const DEPTH_MAX: usize = 128;

/// Objects with more keys than this are checked for doubled keys by sorting.
const SMALL: usize = 16;

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct JsonError {
    /// Offset in the text.
    pub(crate) at: usize,
    pub(crate) problem: Problem,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The text ended too early.
    End,
    /// This was expected, and something else is there.
    Expected(&'static str),
    /// Some other rule is broken.
    Broken(&'static str),
    /// A key stands twice in one object.
    Twice(String),
}

/// A place in a text, moving forward.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Items of the lists that are open, so that each list is allocated once and at its size.
    open: Vec<Value>,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0, open: Vec::new() }
    }

    /// Goes to the beginning of another text.
    pub(crate) fn start(&mut self, text: &'a str) {
        self.open.clear();
        (self.text, self.at) = (text, 0);
    }

    /// Offset of the next byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is not white space, without taking it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                other => return Some(*other),
            }
        }
        None
    }

    /// Takes `byte` if it comes next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Takes `byte`, or fails with `expected`.
    pub(crate) fn need(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.eat(byte) { Ok(()) } else { Err(self.expected(expected)) }
    }

    /// Fails unless only white space is left.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("the end of the line")),
        }
    }

    /// What was expected is not here.
    pub(crate) fn expected(&self, what: &'static str) -> JsonError {
        let over = self.at >= self.text.len();
        let problem = if over { Problem::End } else { Problem::Expected(what) };
        JsonError { at: self.at, problem }
    }

    /// Takes a string if one without escapes comes next; else takes nothing.
    pub(crate) fn plain_string(&mut self) -> Option<&'a str> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let begin = self.at + 1;
        let rest = &self.text.as_bytes()[begin..];
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        (rest[length] == b'"').then(|| {
            self.at = begin + length + 1;
            &self.text[begin..begin + length]
        })
    }

    /// A key of an object with its colon.
    pub(crate) fn key(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.need(b'"', "a field's name in quotes")?;
        let key = text::string_tail(self)?;
        self.need(b':', "`:`")?;
        Ok(key)
    }

    /// Any value, inside `depth` others.
    pub(crate) fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(match text::string_tail(self)? {
                    Cow::Borrowed(text) => Value::str(text),
                    Cow::Owned(text) => Value::str(text),
                })
            }
            Some(b'-' | b'0'..=b'9') => number::number(self),
            Some(b'[') => self.list(depth),
            Some(b'{') => self.object(depth),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => Err(self.expected("a value")),
        }
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, JsonError> {
        let rest = &self.text.as_bytes()[self.at..];
        let same = rest.iter().zip(word.bytes()).take_while(|(a, b)| **a == *b).count();
        self.at += same;
        if same == word.len() { Ok(value) } else { Err(self.expected(word)) }
    }

    fn list(&mut self, depth: usize) -> Result<Value, JsonError> {
        self.nest(depth)?;
        if self.eat(b']') {
            return Ok(Value::List(Box::default()));
        }
        let begin = self.open.len();
        loop {
            let item = self.value(depth + 1)?;
            self.open.push(item);
            if self.eat(b']') {
                return Ok(Value::List(self.open.drain(begin..).collect()));
            }
            self.need(b',', "`,` or `]`")?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let begin = self.at;
        self.nest(depth)?;
        if self.eat(b'}') {
            return Ok(Value::Map(Box::default()));
        }
        let mut pairs = Vec::new();
        loop {
            self.peek();
            let key_at = self.at;
            let key = Value::str(self.key()?);
            if pairs.len() < SMALL && pairs.iter().any(|(other, _)| *other == key) {
                return Err(twice(key_at, &key));
            }
            let value = self.value(depth + 1)?;
            pairs.push((key, value));
            if self.eat(b'}') {
                break;
            }
            self.need(b',', "`,` or `}`")?;
        }
        if pairs.len() > SMALL
            && let Some(key) = doubled(&pairs)
        {
            return Err(twice(begin, key));
        }
        Ok(Value::Map(pairs.into()))
    }

    /// Takes the bracket that opens a list or an object inside `depth` others.
    fn nest(&mut self, depth: usize) -> Result<(), JsonError> {
        if depth >= DEPTH_MAX {
            let problem = Problem::Broken("nested too deeply");
            return Err(JsonError { at: self.at, problem });
        }
        self.at += 1;
        Ok(())
    }
}

fn twice(at: usize, key: &Value) -> JsonError {
    JsonError { at, problem: Problem::Twice(key.as_str().unwrap_or_default().to_string()) }
}

/// A key that stands there twice.
fn doubled(pairs: &[(Value, Value)]) -> Option<&Value> {
    let mut keys: Vec<&Value> = pairs.iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.windows(2).find(|two| two[0] == two[1]).map(|two| two[0])
}

#[cfg(test)]
mod tests;
