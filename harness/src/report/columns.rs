//! The operations of a history as compressed columns, for the timeline.
//!
//! A column holds one number an operation, as a base-128 varint; times and indices are
//! differences from the operation before. Alike numbers stand together, so deflate finds their
//! repetitions. The layout, in bytes: the lengths of all columns and of the texts (varints,
//! their count first), then the columns, then the texts, each with its length.
//!
//! A value is one number: 0 is null, 1 is "as at the invocation", an even number is an integer
//! (zigzag), an odd one refers to a text of JSON. What fits no column (a completion that names
//! another node, say) is kept as the text of the whole event. Texts that are longer than
//! [`TEXT_MAX`] are cut, and say so: the history file has them.

use quorate_checkers::history::{Event, EventType, History, OpIndex, OpView, Process};
use quorate_checkers::value::Value;
use serde::Serialize;
use std::collections::BTreeMap;

/// Longer values are cut in the report.
const TEXT_MAX: usize = 4096;

/// Integers beyond this are texts: a script's numbers are exact to 2^53, and a zigzag and a
/// tag take two bits.
const INT_MAX: u64 = 1 << 50;

/// The columns, in their order in the file; the scripts know them by these names.
pub(super) const COLUMNS: [&str; 13] = [
    "index", "time", "thread", "round", "f", "key", "node", "flags", "span", "gap", "input",
    "output", "error",
];

/// Bits of the column `flags`; the lowest two are the outcome.
mod flag {
    pub(super) const OK: u64 = 0;
    pub(super) const FAIL: u64 = 1;
    pub(super) const INFO: u64 = 2;
    pub(super) const OPEN: u64 = 3;
    /// The completion repeats the key.
    pub(super) const KEY: u64 = 4;
    /// The completion repeats the node.
    pub(super) const NODE: u64 = 8;
    /// `output` refers to the text of the completion as a whole.
    pub(super) const WHOLE: u64 = 16;
    /// The invocation has further fields; `error` refers to their text if it is open, and to a
    /// list of the error and them otherwise.
    pub(super) const EXTRA: u64 = 32;
}

/// What the scripts must know beside the columns.
#[derive(Debug, Serialize)]
pub(super) struct Names {
    /// How many operations there are.
    pub(super) count: usize,
    /// The columns' names.
    columns: [&'static str; 13],
    /// Lanes: a process belongs to the lane `process % threads`.
    threads: u64,
    /// Names of operations.
    f: Vec<String>,
    /// Keys as JSON.
    keys: Vec<String>,
    /// Names of nodes.
    nodes: Vec<String>,
}

/// A list of distinct texts, numbered in the order in which they came.
#[derive(Default)]
pub(super) struct Table {
    numbers: BTreeMap<String, u64>,
    pub(super) texts: Vec<String>,
}

impl Table {
    pub(super) fn number(&mut self, text: &str) -> u64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u64;
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }
}

/// Encodes all operations. `threads` is how many clients there were.
pub(super) fn encode(history: &History, threads: usize) -> (Names, Vec<u8>) {
    let mut encoder = Encoder {
        threads: threads.max(1) as u64,
        columns: Default::default(),
        f: Table::default(),
        keys: Table::default(),
        nodes: Table::default(),
        texts: Table::default(),
        last: (0, 0),
    };
    for op in history.ops() {
        encoder.push(&op);
    }
    encoder.finish(history.operations().len())
}

struct Encoder {
    threads: u64,
    columns: [Vec<u8>; 13],
    f: Table,
    keys: Table,
    nodes: Table,
    texts: Table,
    /// Index and time of the last invocation.
    last: (u64, u64),
}

impl Encoder {
    fn push(&mut self, op: &OpView<'_>) {
        let invoke = op.invoke;
        let Process::Client(process) = invoke.process else { return };
        let (index, time) = (u64::from(invoke.index.0), invoke.time.0);
        let key = invoke.key.as_ref().map_or(0, |key| 1 + self.keys.number(&key.to_string()));
        let node = invoke.node.as_ref().map_or(0, |node| 1 + self.nodes.number(node));
        let (flags, span, gap, output, error) = self.completion(op);
        let row = [
            index - self.last.0,
            time - self.last.1,
            process % self.threads,
            process / self.threads,
            self.f.number(&invoke.f),
            key,
            node,
            flags,
            span,
            gap,
            self.value(&invoke.value),
            output,
            error,
        ];
        for (column, number) in self.columns.iter_mut().zip(row) {
            varint(column, number);
        }
        self.last = (index, time);
    }

    /// Flags, length in time, distance in events, result, error.
    fn completion(&mut self, op: &OpView<'_>) -> (u64, u64, u64, u64, u64) {
        let extra = op.invoke.extra.as_deref().map(pairs_text);
        let extra_flag = if extra.is_some() { flag::EXTRA } else { 0 };
        let Some(event) = op.complete else {
            let error = extra.map_or(0, |text| self.text(&text));
            return (flag::OPEN | extra_flag, 0, 0, 0, error);
        };
        let mut flags = extra_flag
            | match event.kind {
                EventType::Ok => flag::OK,
                EventType::Fail => flag::FAIL,
                EventType::Info | EventType::Invoke => flag::INFO,
            };
        let span = event.time.0 - op.invoke.time.0;
        let gap = u64::from(event.index.0 - op.invoke.index.0);
        let error = match (&event.error, extra) {
            (None, None) => 0,
            (Some(error), None) => self.value(error),
            (error, Some(extra)) => {
                let error = error.as_ref().map_or_else(|| "null".into(), Value::to_string);
                self.text(&format!("[{error},{extra}]"))
            }
        };
        if !fits(op.invoke, event) {
            let whole = self.text(&whole(event));
            return (flags | flag::WHOLE, span, gap, whole, error);
        }
        flags |= if event.key.is_some() { flag::KEY } else { 0 };
        flags |= if event.node.is_some() { flag::NODE } else { 0 };
        let output = if event.value == op.invoke.value && !event.value.is_null() {
            1
        } else {
            self.value(&event.value)
        };
        (flags, span, gap, output, error)
    }

    fn value(&mut self, value: &Value) -> u64 {
        match value {
            Value::Null => 0,
            Value::Int(n) if n.unsigned_abs() < INT_MAX => 2 + 2 * zigzag(*n),
            other => self.text(&other.to_string()),
        }
    }

    fn text(&mut self, text: &str) -> u64 {
        if text.len() <= TEXT_MAX {
            return 3 + 2 * self.texts.number(text);
        }
        let kept: String = text.chars().take(TEXT_MAX / 4).collect();
        let note = format!("{kept}… ({} bytes; history.jsonl has all)", text.len());
        3 + 2 * self.texts.number(&serde_json::Value::from(note).to_string())
    }

    fn finish(self, count: usize) -> (Names, Vec<u8>) {
        let out = packed(&self.columns, &self.texts.texts);
        let names = Names {
            count,
            columns: COLUMNS,
            threads: self.threads,
            f: self.f.texts,
            keys: self.keys.texts,
            nodes: self.nodes.texts,
        };
        (names, out)
    }
}

/// Columns and texts with their lengths before them.
pub(super) fn packed(columns: &[Vec<u8>], texts: &[String]) -> Vec<u8> {
    let mut said = Vec::new();
    for text in texts {
        varint(&mut said, text.len() as u64);
        said.extend_from_slice(text.as_bytes());
    }
    let mut out = Vec::new();
    varint(&mut out, columns.len() as u64);
    for part in columns.iter().chain([&said]) {
        varint(&mut out, part.len() as u64);
    }
    for part in columns.iter().chain([&said]) {
        out.extend_from_slice(part);
    }
    out
}

/// Whether the completion says nothing of key and node that its invocation did not say.
fn fits(invoke: &Event, event: &Event) -> bool {
    event.extra.is_none()
        && event.f == invoke.f
        && (event.key.is_none() || event.key == invoke.key)
        && (event.node.is_none() || event.node == invoke.node)
}

/// An event as one line of JSON.
pub(super) fn whole(event: &Event) -> String {
    use serde_json::Value as Json;
    let mut map = serde_json::Map::new();
    map.insert("index".into(), event.index.0.into());
    map.insert("time".into(), event.time.0.into());
    let process = match event.process {
        Process::Client(number) => Json::from(number),
        Process::Nemesis => Json::from("nemesis"),
    };
    map.insert("process".into(), process);
    map.insert("type".into(), event.kind.as_str().into());
    map.insert("f".into(), event.f.as_str().into());
    map.extend(event.key.as_ref().map(|key| ("key".into(), Json::from(key))));
    map.insert("value".into(), Json::from(&event.value));
    map.extend(event.error.as_ref().map(|error| ("error".into(), Json::from(error))));
    map.extend(event.node.as_ref().map(|node| ("node".into(), node.as_str().into())));
    for (name, value) in event.extra.as_deref().unwrap_or_default() {
        map.insert(name.to_string(), Json::from(value));
    }
    Json::Object(map).to_string()
}

fn pairs_text(pairs: &[(quorate_checkers::value::Name, Value)]) -> String {
    let map: serde_json::Map<String, serde_json::Value> =
        pairs.iter().map(|(name, value)| (name.to_string(), value.into())).collect();
    serde_json::Value::Object(map).to_string()
}

pub(super) fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

pub(super) fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// An event of the nemesis as the scripts show it.
#[derive(Debug, Serialize)]
pub(super) struct Mark {
    index: u32,
    time: u64,
    text: String,
}

/// All events of the nemesis, at most `max` of them.
pub(super) fn marks(history: &History, max: usize) -> Vec<Mark> {
    let mark = |event: &Event| {
        let OpIndex(index) = event.index;
        Mark { index, time: event.time.0, text: whole(event) }
    };
    history.nemesis().take(max).map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_small_where_values_are() {
        assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
        assert_eq!(zigzag(i64::MIN), u64::MAX);
        let mut out = Vec::new();
        for n in [0, 127, 128, 300, u64::MAX] {
            varint(&mut out, n);
        }
        assert_eq!(out[..6], [0, 127, 0x80, 1, 0xac, 2]);
        assert_eq!(out.len(), 6 + 10);
    }
}
