//! Histories as maps with Jepsen's fields: in EDN, and in the JSON that elle-cli reads.

use super::Options;
use super::edn::{self, write_keyword, write_value};
use super::foreign::{self, Draft, Notes};
use super::json::{self, Problem};
use crate::history::{Event, Fault, History, Loaded, Names, Process};
use crate::value::{Value, write_json as write_json_value, write_string};
use std::fmt::Write as _;
use std::io::{self, Write};

type Placed<T> = Result<T, (usize, Fault)>;

/// What has been read of a text so far.
struct Reading<'a> {
    text: &'a str,
    drafts: Vec<Draft>,
    names: Names,
    notes: Notes,
    /// Whether the maps stand in one list.
    listed: bool,
    /// Where the map begins that is being read.
    begin: usize,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str) -> Reading<'a> {
        let (names, notes) = (Names::default(), Notes::default());
        Reading { text, drafts: Vec::new(), names, notes, listed: false, begin: 0 }
    }

    fn add(&mut self, value: Value) -> Placed<()> {
        let draft = foreign::draft(self.begin, value, &mut self.names, &mut self.notes);
        self.drafts.push(draft.map_err(|fault| (self.begin, fault))?);
        Ok(())
    }

    /// The history of what was read until the end, or until an error.
    fn finish(mut self, result: Placed<()>, options: Options) -> Placed<Loaded> {
        // A last line without its end, where each line is a map.
        let unended = !self.text.ends_with('\n') && !self.text[self.begin..].contains('\n');
        let tail = unended && !self.listed;
        match result {
            Err(_) if tail && options.allow_torn_tail => {
                self.notes.count("at the end are cut off and were left out");
            }
            Err((at, _)) if tail && at >= self.text.len() => {
                return Err((at, Fault::Torn { column: 0, field: None }));
            }
            other => other?,
        }
        foreign::assemble(self.drafts, options, self.notes)
    }
}

fn syntax(problem: impl Into<String>) -> Fault {
    Fault::Syntax { column: 0, field: None, problem: problem.into() }
}

/// Reads maps in EDN, one after the other or in one vector or list.
pub(super) fn read_edn(text: &str, options: Options) -> Placed<Loaded> {
    let mut reading = Reading::new(text);
    let result = edn_maps(&mut edn::Scanner::new(text), &mut reading);
    reading.finish(result, options)
}

fn edn_maps(scanner: &mut edn::Scanner<'_>, reading: &mut Reading<'_>) -> Placed<()> {
    let fault = |error: edn::EdnError| (error.at, syntax(error.problem));
    let close = match scanner.peek().map_err(fault)? {
        Some(b'[') => Some(b']'),
        Some(b'(') => Some(b')'),
        _ => None,
    };
    reading.listed = close.is_some();
    scanner.go(scanner.at() + usize::from(reading.listed));
    loop {
        let next = scanner.peek().map_err(fault)?;
        reading.begin = scanner.at();
        if next.is_none() && reading.listed {
            return Err((reading.begin, syntax("the text ends before the list is closed")));
        } else if next == close {
            break;
        }
        if let Some(value) = scanner.next().map_err(fault)? {
            reading.add(value)?;
        }
    }
    scanner.go(reading.begin + usize::from(reading.listed));
    match scanner.peek().map_err(fault)? {
        None => Ok(()),
        Some(_) => Err((scanner.at(), syntax("expected the end behind the list"))),
    }
}

/// Reads objects in JSON, one after the other or in one list.
pub(super) fn read_json(text: &str, options: Options) -> Placed<Loaded> {
    let mut reading = Reading::new(text);
    let result = json_maps(&mut json::Scanner::new(text), &mut reading);
    reading.finish(result, options)
}

fn json_maps(scanner: &mut json::Scanner<'_>, reading: &mut Reading<'_>) -> Placed<()> {
    reading.listed = scanner.eat(b'[');
    loop {
        let next = scanner.peek();
        reading.begin = scanner.at();
        if next.is_none() && !reading.listed {
            return Ok(());
        }
        if next == Some(b']') && reading.listed && reading.drafts.is_empty() {
            break;
        }
        let value = scanner.value(0).map_err(json_fault)?;
        reading.add(value)?;
        if reading.listed && !scanner.eat(b',') {
            break;
        }
    }
    scanner.need(b']', "`,` or `]`").and_then(|()| scanner.end()).map_err(json_fault)
}

fn json_fault(error: json::JsonError) -> (usize, Fault) {
    let fault = match error.problem {
        Problem::End => syntax("the text ends too early"),
        Problem::Expected(what) => syntax(format!("expected {what}")),
        Problem::Broken(what) => syntax(what),
        Problem::Twice(key) => Fault::Twice { field: key },
    };
    (error.at, fault)
}

/// Writes one map a line.
pub(super) fn write_edn(output: &mut impl Write, history: &History) -> io::Result<()> {
    let keys = KeyPlace::of(history);
    let mut line = String::new();
    for event in history.events() {
        line.clear();
        edn_line(&mut line, event, &keys.fields(history, event)).map_err(io::Error::other)?;
        output.write_all(line.as_bytes())?;
    }
    Ok(())
}

fn edn_line(out: &mut String, event: &Event, fields: &[(&str, Value)]) -> std::fmt::Result {
    write!(out, "{{:type :{}, :f ", event.kind)?;
    write_keyword(out, &event.f)?;
    for (name, value) in fields {
        out.push_str(", ");
        write_keyword(out, name)?;
        out.push(' ');
        match (*name, value) {
            ("value", value) => write_value(out, &foreign::keyword_txn(value.clone()))?,
            ("process", Value::Str(nemesis)) => write_keyword(out, nemesis)?,
            (_, value) => write_value(out, value)?,
        }
    }
    out.push_str("}\n");
    Ok(())
}

/// Writes one list, an object a line.
pub(super) fn write_json(output: &mut impl Write, history: &History) -> io::Result<()> {
    let keys = KeyPlace::of(history);
    let mut line = String::new();
    output.write_all(b"[")?;
    for event in history.events() {
        line.clear();
        line.push_str(if event.index.0 > 0 { ",\n" } else { "" });
        json_line(&mut line, event, &keys.fields(history, event)).map_err(io::Error::other)?;
        output.write_all(line.as_bytes())?;
    }
    output.write_all(b"]\n")
}

fn json_line(out: &mut String, event: &Event, fields: &[(&str, Value)]) -> std::fmt::Result {
    write!(out, "{{\"type\":\"{}\",\"f\":", event.kind)?;
    write_string(out, &event.f)?;
    for (name, value) in fields {
        out.push(',');
        write_string(out, name)?;
        out.push(':');
        write_json_value(out, value)?;
    }
    out.push('}');
    Ok(())
}

/// Where keys are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyPlace {
    /// In the value, as `jepsen.independent` has it: all operations have a key.
    Tuple,
    /// In a field of their own.
    Field,
}

impl KeyPlace {
    fn of(history: &History) -> KeyPlace {
        let all = history.ops().all(|op| op.key().is_some());
        if all { KeyPlace::Tuple } else { KeyPlace::Field }
    }

    /// The fields of an event behind its type and name, in Jepsen's order.
    fn fields<'a>(self, history: &History, event: &'a Event) -> Vec<(&'a str, Value)> {
        let mut fields = Vec::with_capacity(8);
        let tuple = self == KeyPlace::Tuple && event.process != Process::Nemesis;
        let op = history.op_at(event.index).filter(|_| tuple);
        match op.and_then(|op| op.key()) {
            Some(key) => fields.push(("value", Value::list([key.clone(), event.value.clone()]))),
            None => fields.push(("value", event.value.clone())),
        }
        if let (Some(key), false) = (&event.key, tuple) {
            fields.push(("key", key.clone()));
        }
        fields.push((
            "process",
            match event.process {
                Process::Client(number) => unsigned(number),
                Process::Nemesis => Value::str("nemesis"),
            },
        ));
        fields.push(("time", unsigned(event.time.0)));
        fields.push(("index", Value::Int(event.index.0.into())));
        if let Some(error) = &event.error {
            fields.push(("error", error.clone()));
        }
        if let Some(node) = &event.node {
            fields.push(("node", Value::str(node.as_str())));
        }
        let extra = event.extra.iter().flatten();
        fields.extend(extra.map(|(name, value)| (name.as_str(), value.clone())));
        fields
    }
}

fn unsigned(n: u64) -> Value {
    i64::try_from(n).map_or_else(|_| Value::BigInt(n.to_string().into()), Value::Int)
}
