//! The story of an order as a sequence diagram: a line a service from top to bottom, and on it, in
//! order of time, what clients asked and heard, what each service did, the messages about the
//! order, and the faults of that time. Rows are in order, not to scale.
//!
//! The story is the checker's (`story` in its evidence): whatever it holds is text of strangers.

use super::axis::n;
use super::faults::Window;
use super::lives::{self, Gap};
use super::{Sources, arrows, text};
use crate::messages::{Fate, Message};
use maud::{Markup, html};
use quorate_checkers::verdict::Anomaly;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// At most so many rows are drawn, and at most so many of them messages.
const ROWS_MAX: usize = 160;
const MESSAGES_MAX: usize = 90;
/// Messages count if they were sent so long before the first line or after the last.
const MARGIN: u64 = 50_000_000;
/// The place of the first line, and from one to the next.
const LEFT: f64 = 150.0;
const COLUMN: f64 = 150.0;
/// Room for words on the right.
const RIGHT: f64 = 330.0;
const TOP: f64 = 44.0;
const ROW: f64 = 19.0;
/// Longer words are cut; all of them are in the title.
const WORDS_MAX: usize = 64;

/// The lines of the diagram, from the left.
struct Columns {
    names: Vec<String>,
    /// By node; `None` for clients.
    of_node: BTreeMap<String, usize>,
    /// Which of them are of the orders service.
    orders: Vec<usize>,
}

/// Something that happened.
struct Row {
    at: u64,
    what: What,
    words: String,
    title: String,
}

enum What {
    /// From one column to another.
    Arrow { from: usize, to: usize, arrived: bool, op: Option<u64> },
    /// In these columns.
    Deed { first: usize, last: usize },
    /// A fault begins or ends.
    Fault { hue: usize },
}

/// The diagram of an anomaly that is about an order; nothing for others.
pub(super) fn diagram(sources: &Sources<'_>, windows: &[Window], anomaly: &Anomaly) -> Markup {
    let order = anomaly.evidence.get("order").and_then(Json::as_str);
    let story = anomaly.evidence.get("story").and_then(Json::as_array);
    let (Some(order), Some(story)) = (order, story) else { return html! {} };
    if story.is_empty() {
        return html! {};
    }
    let columns = Columns::of(story);
    let mut rows: Vec<Row> = story.iter().filter_map(|line| told(&columns, line)).collect();
    let (Some(first), Some(last)) =
        (rows.iter().map(|row| row.at).min(), rows.iter().map(|row| row.at).max())
    else {
        return html! {};
    };
    let span = (first.saturating_sub(MARGIN), last + MARGIN);
    let about = sources
        .messages
        .iter()
        .filter(|message| (span.0..=span.1).contains(&message.sent) && names(&message.text, order));
    rows.extend(about.filter_map(|message| sent(&columns, message)).take(MESSAGES_MAX));
    rows.extend(faults(windows, first, last));
    rows.sort_by_key(|row| row.at);
    let more = rows.len().saturating_sub(ROWS_MAX);
    rows.truncate(ROWS_MAX);
    html! {
        h4 { "The story of " (text::label(order)) }
        figure {
            figcaption.quiet {
                "Time runs downwards, a row for each event; clocks of services are right to about a millisecond."
                @if more > 0 { " The first " (ROWS_MAX) " rows; the evidence has all." }
            }
            div.lamport tabindex="0" role="group"
                aria-label="The order across the services. The arrow keys step through it." {
                (drawing(sources, &columns, &rows))
            }
            p.told.code aria-live="polite" { "← → or a click: what happens in a row" }
        }
    }
}

/// Whether a message is about an order: it has its name as a word.
fn names(text: &str, order: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && !"-_".contains(c)).any(|word| word == order)
}

fn field<'a>(line: &'a Json, name: &str) -> &'a str {
    line.get(name).and_then(Json::as_str).unwrap_or_default()
}

impl Columns {
    /// Clients, the nodes that they asked, and the other services in the order in which they came
    /// to it.
    fn of(story: &[Json]) -> Columns {
        let mut names = vec!["clients".to_owned()];
        let (mut of_node, mut orders) = (BTreeMap::new(), Vec::new());
        let of_clients = |line: &&Json| field(line, "how") != "does" && field(line, "node") != "";
        let mut asked: Vec<&str> =
            story.iter().filter(of_clients).map(|line| field(line, "node")).collect();
        asked.sort_unstable();
        asked.dedup();
        for node in asked {
            orders.push(names.len());
            of_node.insert(node.to_owned(), names.len());
            names.push(format!("{} orders", text::label(node)));
        }
        if orders.is_empty() {
            orders.push(names.len());
            names.push("orders".to_owned());
        }
        for line in story.iter().filter(|line| field(line, "how") == "does") {
            let (who, node) = (field(line, "who"), field(line, "node"));
            let key = if node.is_empty() { who } else { node };
            if who != "orders" && !of_node.contains_key(key) {
                of_node.insert(key.to_owned(), names.len());
                names.push(text::label(&format!("{node} {who}")));
            }
        }
        Columns { names, of_node, orders }
    }

    fn x(&self, column: usize) -> f64 {
        LEFT + column as f64 * COLUMN
    }

    fn right(&self) -> f64 {
        self.x(self.names.len() - 1)
    }
}

/// A line of the story as a row.
fn told(columns: &Columns, line: &Json) -> Option<Row> {
    let at = line.get("at").and_then(Json::as_i64).unwrap_or_default();
    let at = u64::try_from(at).unwrap_or_default();
    let (who, what, node) = (field(line, "who"), field(line, "what"), field(line, "node"));
    let op = line.get("event").and_then(Json::as_u64);
    let service = columns.of_node.get(node).or_else(|| columns.of_node.get(who)).copied();
    let place = match field(line, "how") {
        "asks" => What::Arrow { from: 0, to: service?, arrived: true, op },
        "hears" => What::Arrow { from: service?, to: 0, arrived: true, op },
        _ => match service {
            Some(column) => What::Deed { first: column, last: column },
            None => What::Deed { first: *columns.orders.first()?, last: *columns.orders.last()? },
        },
    };
    let words = if who.starts_with("client") { format!("{who}: {what}") } else { what.to_owned() };
    let title = format!("{}  {who} {node}  {what}", arrows::moment(at));
    Some(Row { at, what: place, words, title })
}

/// A message as a row.
fn sent(columns: &Columns, message: &Message) -> Option<Row> {
    let from = *columns.of_node.get(&message.from)?;
    let to = *columns.of_node.get(&message.to)?;
    let arrived = message.fate == Fate::Delivered;
    let fate = if arrived { String::new() } else { format!(" ({})", message.fate.as_str()) };
    Some(Row {
        at: message.sent,
        what: What::Arrow { from, to, arrived, op: None },
        words: format!("{}{fate} {}", message.kind, message.text),
        title: arrows::told(message),
    })
}

/// Faults that begin or end while the order is under way, and those that were in force before.
fn faults(windows: &[Window], first: u64, last: u64) -> Vec<Row> {
    let during = windows.iter().filter(|window| window.begin <= last && window.end >= first);
    let rows = during.flat_map(|window| {
        let row = |at: u64, verb: &str| {
            let words = format!("{} {} {verb}", window.kind, window.label);
            let title = format!("{}  {words}", arrows::moment(at));
            Row { at, what: What::Fault { hue: window.hue }, words, title }
        };
        let verb = if window.begin < first { "is in force" } else { "begins" };
        let begins = row(window.begin.max(first), verb);
        let ends = (window.end <= last).then(|| row(window.end, "ends"));
        [Some(begins), ends].into_iter().flatten().collect::<Vec<Row>>()
    });
    rows.collect()
}

fn drawing(sources: &Sources<'_>, columns: &Columns, rows: &[Row]) -> Markup {
    let width = columns.right() + RIGHT;
    let height = TOP + rows.len() as f64 * ROW + 12.0;
    let lives = lives::of(sources.history);
    html! {
        svg.arrows viewBox={ "0 0 " (n(width)) " " (n(height)) } width=(n(width)) height=(n(height))
            role="img" aria-label="Lines of services with what happened on them" {
            @for (at, name) in columns.names.iter().enumerate() {
                text.label x=(n(columns.x(at))) y="18" text-anchor="middle" { (name) }
                line.life x1=(n(columns.x(at))) x2=(n(columns.x(at))) y1=(n(TOP - 16.0))
                    y2=(n(height - 4.0)) {}
            }
            @for (node, column) in &columns.of_node {
                @for gap in lives.get(node).into_iter().flatten() {
                    (absence(gap, columns.x(*column), rows))
                }
            }
            @for (at, row) in rows.iter().enumerate() {
                (drawn(columns, row, TOP + at as f64 * ROW))
            }
        }
    }
}

/// A node that is down or stands still has no line.
fn absence(gap: &Gap, x: f64, rows: &[Row]) -> Markup {
    let y = |time: u64| TOP - ROW / 2.0 + rows.partition_point(|row| row.at < time) as f64 * ROW;
    let (from, to) = (y(gap.begin), y(gap.end.unwrap_or(u64::MAX)));
    let class = if gap.what == lives::Absence::Paused { "still" } else { "gone" };
    html! {
        @if to > from {
            line class=(class) x1=(n(x)) x2=(n(x)) y1=(n(from)) y2=(n(to)) {
                title { (gap.what.words().0) }
            }
        }
    }
}

fn drawn(columns: &Columns, row: &Row, y: f64) -> Markup {
    let words = text::label(&text::cut(&row.words, WORDS_MAX));
    let (class, right) = match &row.what {
        What::Arrow { from, to, arrived, .. } => {
            let fate = if *arrived { "" } else { " lost" };
            (format!("msg{fate} kind{}", usize::from(*from != 0 && *to != 0)), *from.max(to))
        }
        What::Deed { last, .. } => ("msg kind2".to_owned(), *last),
        What::Fault { hue } => (format!("msg fault{hue}"), 0),
    };
    html! {
        g class=(class) {
            title { (text::visible(&row.title)) }
            text.label x="4" y=(n(y + 3.5)) { (text::moment(row.at)) }
            @match &row.what {
                What::Arrow { from, to, .. } => {
                    line.way x1=(n(columns.x(*from))) x2=(n(columns.x(*to))) y1=(n(y)) y2=(n(y)) {}
                    (arrows::head((columns.x(*from), y), (columns.x(*to), y)))
                }
                What::Deed { first, last } => {
                    rect.mark x=(n(columns.x(*first) - 5.0)) y=(n(y - 5.0)) height="10" rx="3"
                        width=(n(columns.x(*last) - columns.x(*first) + 10.0)) {}
                }
                What::Fault { .. } => {
                    line.way x1=(n(LEFT - 60.0)) x2=(n(columns.right() + RIGHT - 8.0)) y1=(n(y))
                        y2=(n(y)) {}
                }
            }
            @let (x, y) = match row.what {
                What::Fault { .. } => (LEFT - 56.0, y - 3.0),
                _ => (columns.x(right) + 9.0, y + 3.5),
            };
            @match op_of(row) {
                Some(op) => a href={ "#op=" (op) } { text.kind x=(n(x)) y=(n(y)) { (words) } },
                None => text.kind x=(n(x)) y=(n(y)) { (words) },
            }
        }
    }
}

fn op_of(row: &Row) -> Option<u64> {
    match &row.what {
        What::Arrow { op, .. } => *op,
        What::Deed { .. } | What::Fault { .. } => None,
    }
}
