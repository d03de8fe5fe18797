//! What the nodes told of themselves over time: `status.jsonl`, one line whenever something
//! changed, for plots of leadership.

use anyhow::{Context, Result};
use quorate_checkers::history::Nanos;
use quorate_targets::node::{NodeId, Status};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes the file.
pub struct StatusLog {
    path: PathBuf,
    out: BufWriter<File>,
    last: BTreeMap<NodeId, (String, u64)>,
}

impl StatusLog {
    /// Creates the file.
    pub fn create(path: &Path) -> Result<StatusLog> {
        let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(StatusLog { path: path.into(), out: BufWriter::new(file), last: BTreeMap::new() })
    }

    /// Writes a line if any role or term changed, or a node fell silent or spoke again.
    pub fn write(&mut self, time: Nanos, statuses: &BTreeMap<NodeId, Status>) -> Result<()> {
        let roles: BTreeMap<NodeId, (String, u64)> =
            statuses.iter().map(|(id, status)| (*id, (status.role.clone(), status.term))).collect();
        if roles == self.last {
            return Ok(());
        }
        self.last = roles;
        let nodes: BTreeMap<String, &Status> =
            statuses.iter().map(|(id, status)| (id.to_string(), status)).collect();
        let line = serde_json::json!({ "time": time.0, "nodes": nodes });
        writeln!(self.out, "{line}")
            .and_then(|()| self.out.flush())
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}
