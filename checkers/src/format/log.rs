//! Histories as lines of text: Jepsen's own log, and Porcupine's key-value data.
//!
//! A line of Jepsen's log has the process, the type, `f`, the value and perhaps an error, each
//! as EDN, behind `INFO  jepsen.util - ` or, in `history.txt`, behind nothing. It has no times:
//! the order is all. Two of its habits are given their meaning here, as Porcupine's reader of
//! the etcd data has it:
//!
//! * A completion with the value `:timed-out` has the error `timed-out`, and its value is that of
//!   its invocation.
//! * A `cas` that failed without an error was refused because the value differed: its error is
//!   `["precondition-failed"]`, without the value that was seen.

use super::edn::{EdnError, Scanner, write_keyword, write_value};
use super::foreign::{self, Draft, Notes};
use super::{Format, Options, WriteError};
use crate::history::fields::{self, F};
use crate::history::{Event, EventType, Fault, History, Loaded, Names, Process};
use crate::value::Value;
use std::collections::BTreeMap;
use std::io::Write;

const MARK: &str = "jepsen.util - ";
const TIMED_OUT: &str = "timed-out";
const REFUSED: &str = "precondition-failed";

/// Reads the lines of a log. Lines of other parts of Jepsen are passed over.
pub(super) fn read(text: &str, options: Options) -> Result<Loaded, (usize, Fault)> {
    let mut names = Names::default();
    let mut notes = Notes::default();
    let mut drafts = Vec::new();
    let mut open: BTreeMap<Process, Value> = BTreeMap::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let (at, whole) = (begin, line.ends_with('\n'));
        begin += line.len();
        let line = line.trim_end();
        let skip = match line.find(MARK) {
            Some(mark) => mark + MARK.len(),
            None if line.starts_with(|c: char| c.is_ascii_digit() || c == ':') => 0,
            None if line.is_empty() => continue,
            None if ["INFO", "WARN", "ERROR", "DEBUG"].iter().any(|l| line.starts_with(l)) => {
                notes.count("of other parts of the log were passed over");
                continue;
            }
            None => {
                let problem = format!("expected `INFO  {MARK}` or a process");
                return Err((at, Fault::Syntax { column: 0, field: None, problem }));
            }
        };
        let error = |(offset, fault): (usize, Fault)| (at + offset, fault);
        match line_draft(at, line, skip, &mut names) {
            Ok(mut draft) => {
                explain(&mut draft, &mut open);
                drafts.push(draft);
            }
            Err(_) if !whole && options.allow_torn_tail => {
                notes.count("at the end are cut off and were left out");
            }
            Err(fault) => return Err(error(fault)),
        }
    }
    foreign::assemble(drafts, options, notes)
}

/// The event of a line whose first `skip` bytes are not about it.
fn line_draft(
    at: usize,
    line: &str,
    skip: usize,
    names: &mut Names,
) -> Result<Draft, (usize, Fault)> {
    let mut scanner = Scanner::new(line);
    scanner.go(skip);
    let mut form = |field: &'static str| -> Result<Value, (usize, Fault)> {
        let fault = |error: EdnError| {
            let field = Some(field.to_string());
            (error.at, Fault::Syntax { column: 0, field, problem: error.problem })
        };
        let missing = Fault::Missing { field, expected: "a line `process type f value`" };
        let next = scanner.next().map_err(fault)?;
        next.ok_or((0, missing))
    };
    let fault = |fault| (0, fault);
    let process = fields::process(&form("process")?).map_err(fault)?;
    let kind = fields::kind(&form("type")?).map_err(fault)?;
    let f = form("f")?;
    let f = f.as_str().map(|text| names.get(text)).ok_or_else(|| fields::wrong("f", F, &f));
    let f = f.map_err(fault)?;
    let value = form("value")?;
    let error = match form("error") {
        Ok(error) => Some(error),
        Err((_, Fault::Missing { .. })) => None,
        Err(error) => return Err(error),
    };
    if let Ok(more) = form("error") {
        let problem = format!("expected the end of the line, found {more}");
        return Err((line.len(), Fault::Syntax { column: 0, field: None, problem }));
    }
    Ok(Draft {
        at,
        index: None,
        time: None,
        process: Some(process),
        kind,
        f,
        key: None,
        value,
        error,
        node: None,
        extra: Vec::new(),
    })
}

/// Gives the two habits of the log their meaning.
fn explain(draft: &mut Draft, open: &mut BTreeMap<Process, Value>) {
    let Some(process @ Process::Client(_)) = draft.process else { return };
    if draft.kind == EventType::Invoke {
        open.insert(process, draft.value.clone());
        return;
    }
    let asked = open.remove(&process).unwrap_or_default();
    if draft.value.as_str() == Some(TIMED_OUT) && draft.error.is_none() {
        draft.value = asked;
        draft.error = Some(Value::str(TIMED_OUT));
    } else if draft.kind == EventType::Fail && draft.f.as_str() == "cas" && draft.error.is_none() {
        draft.error = Some(Value::list([Value::str(REFUSED)]));
    }
    draft.error.take_if(|error| error.is_null());
}

/// Writes the lines of a log. Times, nodes and extra fields are left out.
pub(super) fn write(output: &mut impl Write, history: &History) -> Result<(), WriteError> {
    let mut line = String::new();
    for event in history.events() {
        if event.key.is_some() {
            let why = "it has no keys";
            return Err(WriteError::Unsayable { format: Format::JepsenLog, at: event.index, why });
        }
        line.clear();
        log_line(&mut line, history, event).map_err(std::io::Error::other)?;
        output.write_all(line.as_bytes())?;
    }
    Ok(())
}

fn log_line(out: &mut String, history: &History, event: &Event) -> std::fmt::Result {
    use std::fmt::Write;
    write!(out, "INFO  {MARK}")?;
    match event.process {
        Process::Client(number) => write!(out, "{number}")?,
        Process::Nemesis => out.push_str(":nemesis"),
    }
    write!(out, "\t:{}\t", event.kind)?;
    write_keyword(out, &event.f)?;
    out.push('\t');
    let completes = event.kind != EventType::Invoke && event.process != Process::Nemesis;
    let asked = history.op_at(event.index).map(|op| op.input());
    let refused = Value::list([Value::str(REFUSED)]);
    let cas_failed = event.kind == EventType::Fail && event.f.as_str() == "cas";
    match &event.error {
        Some(Value::Str(error))
            if completes && error == TIMED_OUT && asked == Some(&event.value) =>
        {
            write!(out, ":{TIMED_OUT}")?;
        }
        error => {
            write_value(out, &event.value)?;
            match error {
                Some(error) if cas_failed && *error == refused => {}
                Some(error) => {
                    out.push('\t');
                    write_value(out, error)?;
                }
                // Without an error, these two would be read as something else.
                None if cas_failed || event.value.as_str() == Some(TIMED_OUT) => {
                    out.push_str("\tnil");
                }
                None => {}
            }
        }
    }
    out.push('\n');
    Ok(())
}

/// Writes Porcupine's key-value data. Times, nodes, extra fields and the nemesis are left out.
pub(super) fn write_kv(output: &mut impl Write, history: &History) -> Result<(), WriteError> {
    for event in history.events() {
        if event.process == Process::Nemesis {
            continue;
        }
        let fields = kv_fields(history, event).map_err(|why| WriteError::Unsayable {
            format: Format::KvLog,
            at: event.index,
            why,
        })?;
        let (process, kind, f, key, value) = fields;
        writeln!(
            output,
            "{{:process {process}, :type :{kind}, :f :{f}, :key {key}, :value {value}}}"
        )?;
    }
    Ok(())
}

type KvFields<'a> = (Process, EventType, &'a str, String, String);

fn kv_fields<'a>(history: &History, event: &'a Event) -> Result<KvFields<'a>, &'static str> {
    // Porcupine's readers end a string at the first quote.
    let quoted = |text: &str| {
        let plain = |c: char| c != '"' && c != '\\' && !c.is_control();
        text.chars().all(plain).then(|| format!("\"{text}\""))
    };
    let op = history.op_at(event.index);
    if op.is_none_or(|op| op.outcome != EventType::Ok) {
        return Err("each operation must have a completion `ok`");
    }
    if !matches!(event.f.as_str(), "get" | "put" | "append") {
        return Err("operations are `get`, `put` and `append`");
    }
    let key = op.and_then(|op| op.key()).and_then(Value::as_str).and_then(quoted);
    let key = key.ok_or("keys are strings without quotes")?;
    let value = match &event.value {
        Value::Null => Some("nil".to_string()),
        Value::Str(text) => quoted(text),
        _ => None,
    };
    let value = value.ok_or("values are strings without quotes")?;
    Ok((event.process, event.kind, event.f.as_str(), key, value))
}
