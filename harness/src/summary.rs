//! A verdict as text, for people at a terminal: the conclusion first, then what shows it, then
//! where to look further.

use crate::out::Style;
use crate::outln;
use crate::plan::Plan;
use crate::report::faults::{self, Part};
use crate::results::file;
use crate::{text, timeline};
use quorate_checkers::history::{Event, History, OpIndex, Process};
use quorate_checkers::verdict::{Anomaly, CheckerReport, Valid, Verdict};
use std::collections::BTreeMap;
use std::path::Path;

/// At most this many anomalies are told in full.
pub const ANOMALIES_TOLD_MAX: usize = 3;
/// At most so many lines of an order's story are told.
const STORY_MAX: usize = 40;

/// Prints a verdict over a history; `run` names the plan and the folder where there is one.
pub fn print(verdict: &Verdict, history: &History, run: Option<(&Plan, &Path)>) {
    let style = Style::stdout();
    let word = match verdict.valid {
        Valid::True => style.good("VALID"),
        Valid::False => style.bad("INVALID"),
        Valid::Unknown => style.unsure("UNKNOWN"),
    };
    let what = run.map_or_else(String::new, |(plan, _)| {
        let bugs: Vec<&str> = plan.bugs.iter().map(|bug| bug.name()).collect();
        let bugs =
            if bugs.is_empty() { String::new() } else { format!(" with {}", bugs.join(", ")) };
        format!("  {}{bugs}, workload {}, seed {}", plan.target, plan.workload, plan.seed.0)
    });
    outln!("{word}{what}");
    if let Some(why) = &verdict.why {
        outln!("{}", wrap(why, 2));
    }
    for note in &verdict.notes {
        outln!("{}", wrap(note, 2));
    }
    outln!();
    print_counts(history, style);
    print_checkers(verdict, style);
    print_anomalies(verdict, history, style);
    if let Some((plan, folder)) = run {
        outln!();
        outln!("  {}  {}", style.dim("history"), folder.join(file::HISTORY).display());
        outln!("  {}  {}", style.dim("report "), folder.join(file::REPORT).display());
        outln!("  {}  {}", style.dim("again  "), plan.command);
    }
}

fn print_counts(history: &History, style: Style) {
    let mut by_outcome: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in history.operations() {
        *by_outcome.entry(operation.outcome.as_str()).or_default() += 1;
    }
    let total = history.operations().len();
    let seconds = history.events().last().map_or(0.0, |event| event.time.0 as f64 / 1e9);
    let share = |name: &str| {
        let count = by_outcome.get(name).copied().unwrap_or(0);
        format!("{count} {name} ({:.1} %)", 100.0 * count as f64 / total.max(1) as f64)
    };
    outln!(
        "  {}  {} in {seconds:.1} s: {}, {}, {}",
        style.dim("load   "),
        text::count_plain(total, "operation"),
        share("ok"),
        share("fail"),
        share("info")
    );
    let faults = fault_counts(history);
    if !faults.is_empty() {
        let told: Vec<String> = faults.iter().map(|(f, n)| format!("{f} ×{n}")).collect();
        outln!("  {}  {}", style.dim("faults "), told.join(", "));
    }
}

/// How often each fault was really installed, by the name of what began it.
pub fn fault_counts(history: &History) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in history.events().iter().filter(|event| event.process == Process::Nemesis) {
        if let Part::Begins(fault) = faults::part(&event.f)
            && outcome(event) == Some("installed")
        {
            *counts.entry(fault).or_default() += 1;
        }
    }
    counts
}

/// What became of a nemesis event's action; absent where it only announces it.
pub fn outcome(event: &Event) -> Option<&str> {
    let extra = event.extra.as_deref()?;
    extra.iter().find(|(name, _)| name.as_str() == "outcome").and_then(|(_, value)| value.as_str())
}

fn print_checkers(verdict: &Verdict, style: Style) {
    let width = verdict.checkers.keys().map(String::len).max().unwrap_or(0);
    for (name, report) in &verdict.checkers {
        let word = match report.valid {
            // Nothing was claimed, and nothing is known.
            Valid::True if report.why.is_some() => {
                style.dim(report.why.as_deref().unwrap_or_default())
            }
            Valid::True => style.good("valid  "),
            Valid::False => style.bad("invalid"),
            Valid::Unknown => style.unsure("unknown"),
        };
        let by = report.details.get("algorithms").map_or_else(String::new, algorithms);
        outln!("  {name:width$}  {word}{by}");
        print_clients(report, width, style);
        print_models(report, width, style);
        print_orders(report, width, style);
    }
}

/// How many clients were taken to be there, where the verdict rests on who went on after a crash.
fn print_clients(report: &CheckerReport, width: usize, style: Style) {
    let Some(by) = report.details.get("clients_by").and_then(serde_json::Value::as_str) else {
        return;
    };
    let count = report.details.get("clients").and_then(serde_json::Value::as_u64);
    let count = count.map_or_else(|| "unknown number".to_owned(), |count| count.to_string());
    outln!("{}{} {count} ({by})", " ".repeat(width + 4), style.dim("clients"));
}

/// How many orders came to which end, and what one saga saw of another.
fn print_orders(report: &CheckerReport, width: usize, style: Style) {
    let told = [("ended", ends(report)), ("not judged", interference(report))];
    let margin = " ".repeat(width + 4);
    for (name, words) in told.iter().filter_map(|(name, words)| Some((name, words.as_ref()?))) {
        outln!("{margin}{} {words}", style.dim(name));
    }
}

/// How many orders came to which end; absent where a verdict is not about orders.
pub fn ends(report: &CheckerReport) -> Option<String> {
    let ends = report.details.get("ended")?.as_object()?;
    let told: Vec<String> = ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
    let undone = report.details.get("compensated")?;
    Some(format!(
        "{}; {undone} {} compensated",
        told.join(", "),
        if undone == 1 { "was" } else { "were" }
    ))
}

/// How often one saga saw another's intermediate state, with an example of each kind.
pub fn interference(report: &CheckerReport) -> Option<String> {
    let isolation = report.details.get("isolation")?;
    let count = |name: &str, one: &str| text::count_json(&isolation[name], one);
    Some(format!(
        "{} of {}, {} refused on dirty grounds, {}",
        count("dirty_reads", "dirty read"),
        isolation.get("reads").and_then(serde_json::Value::as_u64).unwrap_or(0),
        count("refused_on_dirty_grounds", "order"),
        count("lost_updates", "lost update")
    ))
}

/// Which models a checker ruled out, and the strongest that are left.
fn print_models(report: &CheckerReport, width: usize, style: Style) {
    let names = |field: &str| -> Vec<&str> {
        let list = report.details.get(field).and_then(serde_json::Value::as_array);
        list.into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
    };
    let (not, also, strongest) = (names("not"), names("also_not"), names("strongest"));
    if not.is_empty() && strongest.is_empty() {
        return;
    }
    let margin = " ".repeat(width + 4);
    if !not.is_empty() {
        let more = match also.len() {
            0 => String::new(),
            more => format!(", nor {more} stronger"),
        };
        outln!("{margin}{} {}{more}", style.dim("not"), not.join(", "));
    }
    if !strongest.is_empty() {
        outln!("{margin}{} {}", style.dim("at most"), strongest.join(", "));
    }
}

/// How many keys were decided how: `  by trying orders (12 keys)`.
fn algorithms(details: &serde_json::Value) -> String {
    let told = algorithms_told(details);
    if told.is_empty() { told } else { format!("  by {told}") }
}

/// How many keys were decided how, for people: `trying orders (12 keys)`.
pub fn algorithms_told(details: &serde_json::Value) -> String {
    let told = details.as_object().into_iter().flatten().map(|(name, keys)| {
        let keys = keys.as_u64().unwrap_or(0) as usize;
        format!("{} ({})", in_words(name), text::count(keys, "key"))
    });
    told.collect::<Vec<String>>().join(", ")
}

/// What an algorithm does, in a few words.
fn in_words(algorithm: &str) -> &str {
    match algorithm {
        "zones" => "when each value was there",
        "renaming" => "telling equal values apart, and when each was there",
        "segments" => "cutting the history where its value is known",
        "levels" => "the order that reads tell",
        "intervals" => "when each item came and went",
        "segment search" => "trying orders, part by part",
        "search" => "trying orders",
        other => other,
    }
}

fn print_anomalies(verdict: &Verdict, history: &History, style: Style) {
    for anomaly in verdict.anomalies.iter().take(ANOMALIES_TOLD_MAX) {
        outln!();
        print_anomaly(anomaly, history, style);
    }
    if let Some(more) = verdict.anomalies.len().checked_sub(ANOMALIES_TOLD_MAX + 1) {
        outln!();
        outln!("  and {} more; `quorate show` lists them all", more + 1);
    }
}

/// Prints one anomaly with the operations that show it.
pub fn print_anomaly(anomaly: &Anomaly, history: &History, style: Style) {
    outln!("  {}", style.bold(&anomaly.kind));
    outln!("{}", wrap(&anomaly.explanation, 4));
    print_timeline(history, &anomaly.ops, style);
    for op in &anomaly.ops {
        if (op.0 as usize) < history.events().len() {
            outln!("    {}", operation_line(history, *op));
        }
    }
    print_story(anomaly);
}

/// What happened to the order that an anomaly is about, if it is about one.
fn print_story(anomaly: &Anomaly) {
    let Some(story) = anomaly.evidence.get("story").and_then(serde_json::Value::as_array) else {
        return;
    };
    let text = |line: &serde_json::Value, name: &str| {
        line.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    outln!("    its story:");
    for line in story.iter().take(STORY_MAX) {
        let at = line.get("at").and_then(serde_json::Value::as_i64).unwrap_or(0) as f64 / 1e6;
        let (who, what) = (text(line, "who"), text(line, "what"));
        let node = text(line, "node");
        let verb = match text(line, "how").as_str() {
            "asks" => format!("asks {node} to "),
            "hears" => format!("hears from {node}: "),
            _ => String::new(),
        };
        outln!("    {at:>12.3} ms  {who:<10} {verb}{what}");
    }
    if let Some(more @ 1..) = story.len().checked_sub(STORY_MAX) {
        outln!("    and {} more; verdict.json has all", text::count_plain(more, "line"));
    }
}

/// Prints a picture of some operations.
pub fn print_timeline(history: &History, events: &[OpIndex], style: Style) {
    for line in timeline::draw(history, events) {
        outln!("    {}", style.dim(&line));
    }
}

/// One operation on a line, by any of its events.
pub fn operation_line(history: &History, index: OpIndex) -> String {
    let event = history.event(index);
    let node = event.node.as_deref().map_or_else(String::new, |node| format!(" at {node}"));
    let key = event.key.as_ref().map_or_else(String::new, |key| format!(" {key}"));
    let error = event.error.as_ref().map_or_else(String::new, |error| format!("  {error}"));
    format!(
        "{:>7}  {:>9.3} ms  process {:<4} {:<6} {}{key} {}{node}{error}",
        event.index.0,
        event.time.0 as f64 / 1e6,
        event.process,
        event.kind,
        event.f,
        event.value,
    )
    .replace('\n', "\\n")
}

/// Breaks a text into lines of at most 100 columns, indented by `indent`.
pub fn wrap(text: &str, indent: usize) -> String {
    const COLUMNS: usize = 100;
    let margin = " ".repeat(indent);
    let mut lines = vec![margin.clone()];
    for word in text.split_whitespace() {
        let fits = lines.last().is_some_and(|line| {
            line.len() == indent || line.chars().count() + 1 + word.chars().count() <= COLUMNS
        });
        if !fits {
            lines.push(margin.clone());
        }
        if let Some(line) = lines.last_mut() {
            if line.len() > indent {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
