//! Writing a history: one event a line, fields in the format's order.

use crate::history::{Event, Process};
use crate::value::{Value, write_json, write_string};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Writes events as they come. It does not buffer across events: wrap slow outputs in a
/// [`BufWriter`](io::BufWriter).
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    line: String,
}

impl<W: Write> Writer<W> {
    /// A writer with nothing written yet.
    pub fn new(output: W) -> Writer<W> {
        Writer { output, line: String::new() }
    }

    /// Writes one event as one line, in one call to the output.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        self.line.clear();
        line(&mut self.line, event).map_err(io::Error::other)?;
        self.output.write_all(self.line.as_bytes())
    }

    /// Flushes and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }

    /// What is written to.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.output
    }
}

/// Writes a whole history, or any events.
pub fn write<'a>(
    output: impl Write,
    events: impl IntoIterator<Item = &'a Event>,
) -> io::Result<()> {
    let mut writer = Writer::new(io::BufWriter::new(output));
    for event in events {
        writer.event(event)?;
    }
    writer.finish().map(drop)
}

fn line(out: &mut String, event: &Event) -> std::fmt::Result {
    write!(out, "{{\"index\":{},\"time\":{},\"process\":", event.index.0, event.time.0)?;
    match event.process {
        Process::Client(number) => write!(out, "{number}")?,
        Process::Nemesis => out.push_str("\"nemesis\""),
    }
    write!(out, ",\"type\":\"{}\",\"f\":", event.kind)?;
    write_string(out, &event.f)?;
    let mut field = |name: &str, value: &Value| {
        out.push(',');
        write_string(out, name)?;
        out.push(':');
        write_json(out, value)
    };
    if let Some(key) = &event.key {
        field("key", key)?;
    }
    field("value", &event.value)?;
    if let Some(error) = &event.error {
        field("error", error)?;
    }
    if let Some(node) = &event.node {
        field("node", &Value::str(node.as_str()))?;
    }
    for (name, value) in event.extra.iter().flatten() {
        field(name, value)?;
    }
    out.push_str("}\n");
    Ok(())
}
