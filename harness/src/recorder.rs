//! Records events: numbers them, stamps them, streams them to `history.jsonl`, keeps them for
//! the checkers.

use crate::live::Live;
use anyhow::{Context, Result};
use quorate_checkers::history::{Event, EventType, Nanos, OpIndex, Process, jsonl};
use quorate_checkers::value::{Name, Value};
use quorate_targets::node::NodeId;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// An event of the nemesis.
pub fn nemesis(time: Nanos, f: &str, value: Value) -> Event {
    Event {
        index: OpIndex(0),
        time,
        process: Process::Nemesis,
        kind: EventType::Info,
        f: f.into(),
        key: None,
        value,
        error: None,
        node: None,
        extra: None,
    }
}

/// The recorder of one run.
pub struct Recorder {
    path: PathBuf,
    /// Absent where the history is only kept in memory.
    out: Option<jsonl::Writer<BufWriter<File>>>,
    events: Vec<Event>,
    names: BTreeMap<NodeId, Name>,
    live: Option<Live>,
}

impl Recorder {
    /// One that writes no file.
    pub fn in_memory() -> Recorder {
        Recorder {
            path: PathBuf::new(),
            out: None,
            events: Vec::new(),
            names: BTreeMap::new(),
            live: None,
        }
    }

    /// Creates the history file.
    pub fn create(path: &Path) -> Result<Recorder> {
        let file =
            File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Recorder {
            path: path.to_path_buf(),
            out: Some(jsonl::Writer::new(BufWriter::with_capacity(1 << 16, file))),
            events: Vec::new(),
            names: BTreeMap::new(),
            live: None,
        })
    }

    /// Shows each event from now on to who follows the run.
    pub fn follow(&mut self, live: Option<Live>) {
        self.live = live;
    }

    /// Whether a live check has seen enough.
    pub fn is_over(&self) -> bool {
        self.live.as_ref().is_some_and(Live::is_over)
    }

    /// Records one event. It gets its number here, whatever it had; and time never goes back in a
    /// history, whatever clocks do.
    pub fn record(&mut self, mut event: Event) -> Result<&Event> {
        let index = u32::try_from(self.events.len()).context("a history holds 2^32 events")?;
        event.index = OpIndex(index);
        event.time = self.events.last().map_or(event.time, |last| last.time.max(event.time));
        if let Some(out) = &mut self.out {
            out.event(&event).with_context(|| format!("cannot write {}", self.path.display()))?;
        }
        if let Some(live) = &self.live {
            live.push(&event);
        }
        self.events.push(event);
        Ok(&self.events[index as usize])
    }

    /// A node's name, made once.
    pub fn node_name(&mut self, node: NodeId) -> Name {
        self.names.entry(node).or_insert_with(|| node.to_string().into()).clone()
    }

    /// Hands everything recorded so far to the file, so that it is there if the run dies.
    pub fn flush(&mut self) -> Result<()> {
        use std::io::Write;
        let Some(out) = &mut self.out else { return Ok(()) };
        out.get_mut().flush().with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// All events, and the file complete.
    pub fn finish(mut self) -> Result<Vec<Event>> {
        self.flush()?;
        Ok(self.events)
    }
}
