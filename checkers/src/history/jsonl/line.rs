//! One line: an object with the fields of an event.

use super::Names;
use crate::format::json::{JsonError, Problem, Scanner};
use crate::history::fields::{self, F, NODE, PROCESS, TIME, TYPE};
use crate::history::{Event, EventType, Fault, Nanos, OpIndex, Process};
use crate::value::{Name, Value};

/// The index of an event whose line does not say one.
pub(super) const ABSENT: OpIndex = OpIndex(u32::MAX);

/// Parses a line with or without its newline; nothing if it is blank.
pub(super) fn parse<'a>(
    line: &'a str,
    scanner: &mut Scanner<'a>,
    names: &mut Names,
) -> Result<Option<Event>, Fault> {
    let whole = line.strip_suffix('\n');
    scanner.start(whole.unwrap_or(line));
    if scanner.peek().is_none() {
        return Ok(None);
    }
    let mut fields = Fields { torn_ends: whole.is_none(), ..Fields::default() };
    fields.object(scanner, names)?;
    let missing = |field, expected| Fault::Missing { field, expected };
    Ok(Some(Event {
        index: fields.index.map_or(ABSENT, OpIndex),
        time: fields.time.ok_or_else(|| missing("time", TIME))?,
        process: fields.process.ok_or_else(|| missing("process", PROCESS))?,
        kind: fields.kind.ok_or_else(|| missing("type", TYPE))?,
        f: fields.f.ok_or_else(|| missing("f", F))?,
        key: fields.key,
        value: fields.value.unwrap_or_default(),
        error: fields.error.filter(|error| !error.is_null()),
        node: fields.node,
        extra: (!fields.extra.is_empty()).then(|| fields.extra.into()),
    }))
}

/// The fields of an event as an object has them, each there or not.
#[derive(Debug, Default)]
struct Fields {
    /// Whether an early end means that the file was cut off.
    torn_ends: bool,
    index: Option<u32>,
    time: Option<Nanos>,
    process: Option<Process>,
    kind: Option<EventType>,
    f: Option<Name>,
    key: Option<Value>,
    value: Option<Value>,
    error: Option<Value>,
    /// Whether there was a field `node`, which may be null.
    node_seen: bool,
    node: Option<Name>,
    extra: Vec<(Name, Value)>,
}

impl Fields {
    /// Reads the whole line.
    fn object(&mut self, scanner: &mut Scanner<'_>, names: &mut Names) -> Result<(), Fault> {
        let torn_ends = self.torn_ends;
        let plain = |error| json_fault(error, None, torn_ends);
        scanner.need(b'{', "an object").map_err(plain)?;
        if !scanner.eat(b'}') {
            loop {
                let field = scanner.key().map_err(plain)?;
                self.field(&field, scanner, names)?;
                if scanner.eat(b'}') {
                    break;
                }
                scanner.need(b',', "`,` or `}`").map_err(plain)?;
            }
        }
        scanner.end().map_err(plain)
    }

    fn field(
        &mut self,
        field: &str,
        scanner: &mut Scanner<'_>,
        names: &mut Names,
    ) -> Result<(), Fault> {
        // Most names are strings without escapes: those need no value of their own.
        let word = match field {
            "type" | "f" | "node" => scanner.plain_string(),
            _ => None,
        };
        let fresh = match (field, word) {
            ("type", Some(word)) => put(&mut self.kind, fields::kind_of(word)?),
            ("f", Some(word)) => put(&mut self.f, names.get(word)),
            ("node", Some(word)) => self.put_node(Some(names.get(word))),
            _ => {
                let value = scanner.value(1);
                let value =
                    value.map_err(|error| json_fault(error, Some(field), self.torn_ends))?;
                self.put(field, value, names)?
            }
        };
        if fresh { Ok(()) } else { Err(Fault::Twice { field: field.to_string() }) }
    }

    /// Sets a field, and says whether it was there for the first time.
    fn put(&mut self, field: &str, value: Value, names: &mut Names) -> Result<bool, Fault> {
        Ok(match field {
            "index" => put(&mut self.index, fields::index(&value)?),
            "time" => put(&mut self.time, fields::time(&value)?),
            "process" => put(&mut self.process, fields::process(&value)?),
            "type" => put(&mut self.kind, fields::kind(&value)?),
            "f" => {
                let f = value.as_str().ok_or_else(|| fields::wrong("f", F, &value))?;
                put(&mut self.f, names.get(f))
            }
            "node" => match &value {
                Value::Null => self.put_node(None),
                Value::Str(node) => self.put_node(Some(names.get(node))),
                _ => return Err(fields::wrong("node", NODE, &value)),
            },
            "key" => put(&mut self.key, value),
            "value" => put(&mut self.value, value),
            "error" => put(&mut self.error, value),
            _ => {
                let fresh = self.extra.iter().all(|(name, _)| name.as_str() != field);
                self.extra.push((names.get(field), value));
                fresh
            }
        })
    }

    fn put_node(&mut self, node: Option<Name>) -> bool {
        self.node = node;
        !std::mem::replace(&mut self.node_seen, true)
    }
}

/// Whether the place was empty.
fn put<T>(place: &mut Option<T>, value: T) -> bool {
    place.replace(value).is_none()
}

/// The fault that a syntax error is. Input that ends too early is torn where `torn_ends`.
fn json_fault(error: JsonError, field: Option<&str>, torn_ends: bool) -> Fault {
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
