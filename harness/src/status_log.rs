//! What the nodes told of themselves over time: `status.jsonl`, one line whenever something
//! changed, for plots of leadership.

use anyhow::{Context, Result};
use quorate_checkers::history::Nanos;
use quorate_targets::node::{NodeId, Status};
use quorate_targets::sim::Turn;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes the file.
pub struct StatusLog {
    path: PathBuf,
    out: BufWriter<File>,
    /// As the last line has it.
    last: BTreeMap<NodeId, Status>,
}

impl StatusLog {
    /// Creates the file.
    pub fn create(path: &Path) -> Result<StatusLog> {
        let file =
            File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(StatusLog { path: path.into(), out: BufWriter::new(file), last: BTreeMap::new() })
    }

    /// Writes a line if any role or term changed, or a node fell silent or spoke again.
    pub fn write(&mut self, time: Nanos, statuses: &BTreeMap<NodeId, Status>) -> Result<()> {
        let same = statuses.len() == self.last.len()
            && statuses.iter().zip(&self.last).all(|((one, now), (other, then))| {
                (one, &now.role, now.term) == (other, &then.role, then.term)
            });
        if same {
            return Ok(());
        }
        self.last.clone_from(statuses);
        self.line(time)
    }

    /// Writes a line for a change of role or term that is known exactly. It goes before what is
    /// seen at a later time.
    pub fn turn(&mut self, turn: &Turn) -> Result<()> {
        self.last.insert(turn.node, turn.status.clone());
        self.line(Nanos(turn.time.0))
    }

    fn line(&mut self, time: Nanos) -> Result<()> {
        let nodes: BTreeMap<String, &Status> =
            self.last.iter().map(|(id, status)| (id.to_string(), status)).collect();
        let line = serde_json::json!({ "time": time.0, "nodes": nodes });
        writeln!(self.out, "{line}")
            .and_then(|()| self.out.flush())
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}
