//! What the nodes logged around an anomaly, merged by time.
//!
//! Logs tell the time of day and histories the time since the run began; `began.json` says when
//! that was. Nodes log by the machine's clock, also where a fault skews the one that they read.
//! A line that does not begin with a time belongs to the one before.

use super::text;
use crate::results::{Began, file};
use anyhow::{Context, Result};
use chrono::DateTime;
use maud::{Markup, html};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Of one log no more than this is read.
const BYTES_MAX: u64 = 256 << 20;
/// At most this many lines are kept of a log.
const KEPT_MAX: usize = 4_000;
/// Longer lines are cut.
const LINE_MAX: usize = 400;
/// At most this many lines are shown around an anomaly, the last ones.
const SHOWN_MAX: usize = 150;
/// What led to an anomaly is within this time before its operations, in nanoseconds.
const BEFORE: u64 = 1_000_000_000;
/// What is shown after it.
const AFTER: u64 = 100_000_000;

/// A line of a node's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Nanoseconds since the run began.
    pub time: u64,
    /// Whose log it is.
    pub node: String,
    /// Without its time.
    pub text: String,
}

/// The lines of the logs within the spans of time; none where nobody knows when the run began.
pub(super) fn read(folder: &Path, logs: &[String], spans: &[(u64, u64)]) -> Result<Vec<LogLine>> {
    let Some(began) = Began::read(folder)? else { return Ok(Vec::new()) };
    let wanted = |time: u64| {
        spans
            .iter()
            .any(|(begin, end)| (begin.saturating_sub(BEFORE)..=end + AFTER).contains(&time))
    };
    let mut lines = Vec::new();
    for log in logs {
        let path = folder.join(log);
        let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let node = log.trim_start_matches(file::NODES).trim_start_matches('/');
        let node = node.split('/').next().unwrap_or_default();
        let mut kept = parse(file.take(BYTES_MAX), node, &began, &wanted);
        lines.append(&mut kept);
    }
    lines.sort_by_key(|line| line.time);
    Ok(lines)
}

/// The wanted lines of one log.
fn parse(log: impl Read, node: &str, began: &Began, wanted: &impl Fn(u64) -> bool) -> Vec<LogLine> {
    let mut lines = Vec::new();
    let mut time = None;
    let mut input = BufReader::new(log);
    let mut bytes = Vec::new();
    // What cannot be read any more is not shown.
    while lines.len() < KEPT_MAX && input.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
        let whole = String::from_utf8_lossy(&bytes);
        let mut said = whole.trim_end();
        if let Some((stamp, rest)) = said.trim_start().split_once(char::is_whitespace)
            && let Ok(at) = DateTime::parse_from_rfc3339(stamp)
        {
            time = began.since(at.to_utc());
            said = rest.trim_start();
        }
        if let Some(time) = time.filter(|time| wanted(*time))
            && !said.is_empty()
        {
            let text = text::cut(said, LINE_MAX);
            lines.push(LogLine { time, node: node.to_owned(), text });
        }
        bytes.clear();
    }
    lines
}

/// The lines around an anomaly; nothing where there are none.
pub(super) fn around(lines: &[LogLine], (begin, end): (u64, u64)) -> Markup {
    let from = lines.partition_point(|line| line.time < begin.saturating_sub(BEFORE));
    let to = lines.partition_point(|line| line.time <= end.saturating_add(AFTER));
    let near = &lines[from..to.max(from)];
    let shown = &near[near.len().saturating_sub(SHOWN_MAX)..];
    html! {
        @if !shown.is_empty() {
            details {
                summary { "What the nodes logged at that time (" (text::count(near.len(), "line")) ")" }
                div.scroll.logs tabindex="0" role="group" aria-label="the nodes' logs, merged by time" {
                    table {
                        thead { tr { th scope="col" { "time" } th scope="col" { "node" } th scope="col" { "line" } } }
                        tbody {
                            @for line in shown {
                                tr class={ @if (begin..=end).contains(&line.time) { "during" } } {
                                    td { (format!("{:.6} s", line.time as f64 / 1e9)) }
                                    td { (text::label(&line.node)) }
                                    td.code { (text::visible(&line.text)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_time_of_the_run() {
        let began = Began { wall: "2026-01-01T00:00:10Z".parse().unwrap() };
        let log = "2026-01-01T00:00:09.5Z before\n2026-01-01T00:00:10.25Z  INFO a\n  and more\n\
                   2026-01-01T00:00:12Z late\n";
        let found = parse(log.as_bytes(), "n1", &began, &|time| time < 1_000_000_000);
        let told: Vec<(u64, &str)> = found.iter().map(|l| (l.time, l.text.as_str())).collect();
        assert_eq!(told, [(250_000_000, "INFO a"), (250_000_000, "  and more")]);
    }
}
