//! `report.html`: one file that shows what happened in a run and why the verdict is what it is.
//!
//! The page needs nothing but itself: styles and scripts are part of it, its content security
//! policy allows these and nothing else, and it opens no connection. Whatever comes from
//! histories, nodes and checkers is hostile until shown: maud escapes what becomes markup,
//! [`embed`] what becomes data, and [`text`] makes invisible characters visible.
//!
//! Pictures whose content is settled (anomalies, plots) are SVG made here. The timeline, which
//! people move through, is drawn by the scripts of `assets/report` from [`columns`]: the
//! operations as compressed columns, about a tenth of the history's size. The same inputs give
//! the same bytes.

mod anomalies;
mod arrows;
mod availability;
mod axis;
mod clocks;
mod columns;
mod cycle;
pub(crate) mod embed;
mod evidence;
mod facts;
pub(crate) mod faults;
mod headline;
mod lamport;
mod lanes;
mod latency;
mod lives;
mod log_lines;
mod ops;
mod orders;
mod page;
mod passages;
mod picture;
mod plots;
mod rate;
mod saga;
mod statuses;

pub use log_lines::LogLine;
pub use statuses::StatusLine;

use crate::messages::{self, Message};
use crate::plan::Plan;
use crate::results::{self, Began, file};
use crate::text;
use anyhow::{Context, Result};
use quorate_checkers::history::History;
use quorate_checkers::verdict::Verdict;
use std::fs;
use std::path::Path;

/// What a report is made of.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// What decided the run.
    pub plan: &'a Plan,
    /// What happened.
    pub history: &'a History,
    /// What the checkers say of it.
    pub verdict: &'a Verdict,
    /// What the nodes told of themselves, in order of time.
    pub statuses: &'a [StatusLine],
    /// The messages between the nodes that are known, in the order of sending.
    pub messages: &'a [Message],
    /// The nodes' logs, relative to the run folder, with `/` between the parts.
    pub logs: &'a [String],
    /// What the nodes logged around the anomalies, in order of time.
    pub log_lines: &'a [LogLine],
    /// Whether nodes were simulated: the clock of such a one outlives its crash.
    pub simulated: bool,
}

/// Writes `report.html` into a run's folder.
pub fn write(folder: &Path, plan: &Plan, history: &History, verdict: &Verdict) -> Result<()> {
    let statuses = statuses::read(&folder.join(file::STATUS))?;
    let logs = node_logs(folder)?;
    let messages = messages::read(&folder.join(file::MESSAGES))?;
    let log_lines = log_lines::read(folder, &logs, &spans(history, verdict))?;
    let page = render(&Sources {
        plan,
        history,
        verdict,
        statuses: &statuses,
        messages: &messages,
        logs: &logs,
        log_lines: &log_lines,
        simulated: Began::read(folder)?.is_none(),
    });
    results::write_text(&folder.join(file::REPORT), &page)
}

/// The spans of time around the anomalies that are told in full.
fn spans(history: &History, verdict: &Verdict) -> Vec<(u64, u64)> {
    anomalies::spans(history, verdict)
}

/// The messages that are worth keeping, at most so many: those around the anomalies first, then
/// those that tell of orders, where the history is of such, then the newest.
pub fn worth_keeping(
    messages: Vec<Message>,
    history: &History,
    verdict: &Verdict,
    most: usize,
) -> Vec<Message> {
    let spans = spans(history, verdict);
    let is_near = |message: &Message| {
        spans.iter().any(|(begin, end)| message.sent <= *end && message.end() >= *begin)
    };
    let orders = saga::ids(history);
    messages::choose(messages, most, |message| {
        if is_near(message) { 0 } else { 1 + saga::rank(message, &orders) }
    })
}

/// The page. Linear in the history; takes about a second for a million operations.
pub fn render(sources: &Sources<'_>) -> String {
    let verdict = evidence::deepened(sources);
    page::page(&Sources { verdict: &verdict, ..*sources })
}

/// The logs below `nodes/`, by node and name; none where there is no such folder.
fn node_logs(folder: &Path) -> Result<Vec<String>> {
    let nodes = folder.join(file::NODES);
    let mut logs = Vec::new();
    for node in names(&nodes)? {
        let files = names(&nodes.join(&node))?.into_iter();
        for log in files.filter(|name| Path::new(name).extension() == Some("log".as_ref())) {
            logs.push(format!("{}/{node}/{log}", file::NODES));
        }
    }
    Ok(logs)
}

/// The names in a folder, sorted; those that are not UTF-8 are left out.
fn names(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        names.extend(entry.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}
