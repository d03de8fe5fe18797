//! One line: an object with the fields of an event.

use super::Names;
use crate::format::json::{JsonError, Problem, Scanner};
use crate::history::{Event, EventType, Fault, Nanos, OpIndex, Process};
use crate::value::{Name, Value};

/// One line of the file.
#[derive(Debug)]
pub(super) struct Line {
    /// Its index, if it says one. The event's own is filled in later.
    pub(super) index: Option<u32>,
    pub(super) event: Event,
    /// Which line of its piece it is.
    pub(super) number: u64,
}

/// Parses a line with or without its newline; nothing if it is blank.
pub(super) fn parse(line: &str, names: &mut Names) -> Result<Option<Line>, Fault> {
    let whole = line.strip_suffix('\n');
    let torn_ends = whole.is_none();
    let mut scanner = Scanner::new(whole.unwrap_or(line));
    if scanner.peek().is_none() {
        return Ok(None);
    }
    let mut fields = EventFields::default();
    scanner.need(b'{', "an object").map_err(|error| json_fault(error, None, torn_ends))?;
    fields.read(&mut scanner, names, torn_ends)?;
    scanner.end().map_err(|error| json_fault(error, None, torn_ends))?;
    let missing = |field, expected| Fault::Missing { field, expected };
    let event = Event {
        index: OpIndex::default(),
        time: fields.time.ok_or_else(|| missing("time", TIME))?,
        process: fields.process.ok_or_else(|| missing("process", PROCESS))?,
        kind: fields.kind.ok_or_else(|| missing("type", TYPE))?,
        f: fields.f.ok_or_else(|| missing("f", F))?,
        key: fields.key,
        value: fields.value.unwrap_or_default(),
        error: fields.error.filter(|error| !error.is_null()),
        node: fields.node.as_ref().and_then(Value::as_str).map(|node| names.get(node)),
        extra: (!fields.extra.is_empty()).then(|| fields.extra.into()),
    };
    Ok(Some(Line { index: fields.index, event, number: 0 }))
}

const INDEX: &str = "an integer from 0 to 4294967294";
const TIME: &str = "nanoseconds since the run began, an integer from 0";
const PROCESS: &str = "an integer from 0, or \"nemesis\"";
const TYPE: &str = "invoke, ok, fail or info";
const F: &str = "the operation's name, a string";
const NODE: &str = "a node's name, a string";

/// The fields of an event as an object has them, each there or not.
#[derive(Debug, Default)]
pub(super) struct EventFields {
    pub(super) index: Option<u32>,
    pub(super) time: Option<Nanos>,
    pub(super) process: Option<Process>,
    pub(super) kind: Option<EventType>,
    pub(super) f: Option<Name>,
    pub(super) key: Option<Value>,
    pub(super) value: Option<Value>,
    pub(super) error: Option<Value>,
    pub(super) node: Option<Value>,
    pub(super) extra: Vec<(Name, Value)>,
}

impl EventFields {
    /// Reads an object whose opening brace has been taken, with its closing brace.
    pub(super) fn read(
        &mut self,
        scanner: &mut Scanner<'_>,
        names: &mut Names,
        torn_ends: bool,
    ) -> Result<(), Fault> {
        let plain = |error| json_fault(error, None, torn_ends);
        if scanner.eat(b'}') {
            return Ok(());
        }
        loop {
            let field = scanner.key().map_err(plain)?;
            self.field(&field, scanner, names, torn_ends)?;
            if scanner.eat(b'}') {
                return Ok(());
            }
            scanner.need(b',', "`,` or `}`").map_err(plain)?;
        }
    }

    fn field(
        &mut self,
        field: &str,
        scanner: &mut Scanner<'_>,
        names: &mut Names,
        torn_ends: bool,
    ) -> Result<(), Fault> {
        let value = scanner.value(1).map_err(|error| json_fault(error, Some(field), torn_ends))?;
        let wrong = |expected, value: &Value| Fault::Kind {
            field: field.to_string(),
            expected,
            found: shown(value),
        };
        let fresh = match field {
            "index" => put(&mut self.index, index_of(&value).ok_or_else(|| wrong(INDEX, &value))?),
            "time" => put(&mut self.time, time_of(&value).ok_or_else(|| wrong(TIME, &value))?),
            "process" => {
                put(&mut self.process, process_of(&value).ok_or_else(|| wrong(PROCESS, &value))?)
            }
            "type" => put(&mut self.kind, kind_of(&value).ok_or_else(|| wrong(TYPE, &value))?),
            "f" => {
                let f = value.as_str().ok_or_else(|| wrong(F, &value))?;
                put(&mut self.f, names.get(f))
            }
            "node" if matches!(value, Value::Str(_) | Value::Null) => put(&mut self.node, value),
            "node" => return Err(wrong(NODE, &value)),
            "key" => put(&mut self.key, value),
            "value" => put(&mut self.value, value),
            "error" => put(&mut self.error, value),
            _ => {
                let fresh = self.extra.iter().all(|(name, _)| name.as_str() != field);
                self.extra.push((names.get(field), value));
                fresh
            }
        };
        if fresh { Ok(()) } else { Err(Fault::Twice { field: field.to_string() }) }
    }
}

/// Whether the place was empty.
fn put<T>(place: &mut Option<T>, value: T) -> bool {
    place.replace(value).is_none()
}

fn index_of(value: &Value) -> Option<u32> {
    value.as_int().and_then(|n| u32::try_from(n).ok()).filter(|n| *n < u32::MAX)
}

fn time_of(value: &Value) -> Option<Nanos> {
    match value {
        Value::Int(n) => u64::try_from(*n).ok().map(Nanos),
        Value::BigInt(text) => text.parse().ok().map(Nanos),
        _ => None,
    }
}

fn process_of(value: &Value) -> Option<Process> {
    match value {
        Value::Int(n) => u64::try_from(*n).ok().map(Process::Client),
        Value::BigInt(text) => text.parse().ok().map(Process::Client),
        _ => (value.as_str() == Some("nemesis")).then_some(Process::Nemesis),
    }
}

fn kind_of(value: &Value) -> Option<EventType> {
    let text = value.as_str()?;
    EventType::ALL.into_iter().find(|kind| kind.as_str() == text)
}

/// A value as a message shows it: its text if that is short, else what kind it is.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= 40 { text } else { value.kind().to_string() }
}

/// The fault that a syntax error is. Input that ends too early is torn where `torn_ends`.
pub(super) fn json_fault(error: JsonError, field: Option<&str>, torn_ends: bool) -> Fault {
    let column = error.at + 1;
    let named = field.map(str::to_string);
    let syntax = |problem: String, field| Fault::Syntax { column, field, problem };
    match error.problem {
        Problem::End if torn_ends => Fault::Torn { column, field: named },
        Problem::End => syntax("the line ends too early".into(), named),
        Problem::Expected(what) => syntax(format!("expected {what}"), named),
        Problem::Broken(what) => syntax(what.into(), named),
        Problem::Twice(key) => match named {
            Some(field) => Fault::Twice { field: format!("{field}.{key}") },
            None => Fault::Twice { field: key },
        },
    }
}
