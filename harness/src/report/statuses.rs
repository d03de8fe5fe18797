//! What the nodes told of themselves over time, read back from `status.jsonl`.

use anyhow::{Context, Result};
use quorate_targets::node::Status;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One line of the file; it holds until the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusLine {
    /// Nanoseconds since the run began.
    pub time: u64,
    /// By node; a node that did not answer is absent.
    pub nodes: BTreeMap<String, Status>,
}

/// Reads the file; nothing where there is none. A torn last line, as a run that died leaves it,
/// is left out.
pub(super) fn read(path: &Path) -> Result<Vec<StatusLine>> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut statuses = Vec::with_capacity(lines.len());
    for (at, line) in lines.iter().enumerate() {
        match serde_json::from_str(line) {
            Ok(status) => statuses.push(status),
            Err(_) if at + 1 == lines.len() && !text.ends_with('\n') => {}
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("{}, line {}: not a status", path.display(), at + 1));
            }
        }
    }
    Ok(statuses)
}
