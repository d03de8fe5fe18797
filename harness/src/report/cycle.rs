//! The transactions of a cycle as a graph: boxes with what each did, and arrows that say why one
//! must have come before the next.
//!
//! A checker tells of a cycle by three lists in its evidence: `cycle`, the events of the
//! transactions with the first once more at the end; `steps`, why each comes before the next; and
//! `names`, what the words call them, where that is not T1, T2 and so on.

use super::axis::n;
use super::{arrows, text};
use maud::{Markup, html};
use quorate_checkers::history::{History, OpIndex, OpView};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Anomaly;
use serde_json::Value as Json;
use std::f64::consts::TAU;

/// Larger cycles are told in words only.
const DRAWN_MAX: usize = 12;
/// At most so many of a transaction's micro-operations are drawn.
const LINES_MAX: usize = 7;
/// Longer lines are cut.
const LINE_CHARACTERS: usize = 26;

const WIDTH: f64 = 960.0;
const BOX: f64 = 214.0;
const LINE: f64 = 15.0;

/// A transaction of the cycle.
struct Member<'a> {
    name: String,
    event: Option<u32>,
    op: Option<OpView<'a>>,
    lines: Vec<Line>,
    /// The middle of its box.
    x: f64,
    y: f64,
}

struct Line {
    text: String,
    /// Whether an edge of the cycle is about it.
    concerned: bool,
}

impl Member<'_> {
    fn height(&self) -> f64 {
        30.0 + self.lines.len() as f64 * LINE
    }
}

/// Why one transaction comes before the next.
struct Edge {
    kind: String,
    text: String,
    key: Option<String>,
}

/// The view; nothing where the anomaly is no cycle.
pub(super) fn view(history: &History, anomaly: &Anomaly) -> Markup {
    let Some((mut members, edges)) = read(history, anomaly) else { return html! {} };
    let height = place(&mut members);
    html! {
        div.cycle-view {
            h4 { "The cycle" }
            @if members.len() <= DRAWN_MAX {
                div.cycle tabindex="0" role="group"
                    aria-label="The cycle as a graph. The arrow keys walk along its edges; the list below says the same in words." {
                    (drawing(&members, &edges, height))
                }
            }
            ol.cycle-steps {
                @for (at, edge) in edges.iter().enumerate() {
                    @let next = &members[(at + 1) % members.len()];
                    li {
                        (link(&members[at])) " → " (link(next)) " "
                        span.edge-kind { (kind_words(&edge.kind)) } ": "
                        (text::visible(&text::cut(&edge.text, 600)))
                    }
                }
            }
        }
    }
}

fn link(member: &Member<'_>) -> Markup {
    html! {
        @match member.event {
            Some(event) => a href={ "#op=" (event) } { (member.name) },
            None => b { (member.name) },
        }
    }
}

/// What the kind of an edge stands for.
fn kind_words(kind: &str) -> String {
    let told = match kind {
        "ww" => "ww, overwrites",
        "wr" => "wr, is read",
        "rw" => "rw, read before it was overwritten",
        "wrp" => "wrp, explains what a predicate did not find",
        "rwp" => "rwp, read by predicate and not seen",
        "process" => "process, the same session",
        "realtime" => "realtime, ended before",
        other => return text::label(other),
    };
    told.to_owned()
}

fn read<'a>(history: &'a History, anomaly: &Anomaly) -> Option<(Vec<Member<'a>>, Vec<Edge>)> {
    let list = |name: &str| anomaly.evidence.get(name).and_then(Json::as_array);
    let (events, steps) = (list("cycle")?, list("steps")?);
    if steps.is_empty() || events.len() != steps.len() + 1 {
        return None;
    }
    let names = list("names").map_or(&[][..], Vec::as_slice);
    let members = (0..steps.len()).map(|at| {
        let event = events[at].as_u64().and_then(|event| u32::try_from(event).ok());
        let event = event.filter(|event| (*event as usize) < history.events().len());
        let op = event.and_then(|event| history.op_at(OpIndex(event)));
        let name = names.get(at).and_then(Json::as_str);
        let name = name.map_or_else(|| format!("T{}", at + 1), text::label);
        let mine = steps[at].get("a-mop-index");
        let before = steps[(at + steps.len() - 1) % steps.len()].get("b-mop-index");
        let concerned: Vec<u64> =
            [mine, before].into_iter().flatten().filter_map(Json::as_u64).collect();
        let lines = op.map_or_else(Vec::new, |op| lines(&op, &concerned));
        Member { name, event, op, lines, x: 0.0, y: 0.0 }
    });
    let field = |step: &Json, name: &str| step.get(name).and_then(Json::as_str).map(str::to_owned);
    let edges = steps.iter().map(|step| Edge {
        kind: field(step, "type").unwrap_or_default(),
        text: field(step, "text").unwrap_or_default(),
        key: step.get("key").map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned)),
    });
    Some((members.collect(), edges.collect()))
}

/// What a transaction did, a line a micro-operation; the ones of the cycle are always there.
fn lines(op: &OpView<'_>, concerned: &[u64]) -> Vec<Line> {
    let value = op.output().filter(|value| !value.is_null()).unwrap_or(op.input());
    let mops: Vec<&Value> = match value {
        Value::List(mops) => mops.iter().collect(),
        other => vec![other],
    };
    let all = mops.len();
    let near =
        |at: usize| all <= LINES_MAX || concerned.contains(&(at as u64)) || at + 1 < LINES_MAX;
    let kept = (0..all).filter(|at| near(*at)).take(2 * LINES_MAX);
    let mut lines: Vec<Line> = kept
        .map(|at| Line { text: mop(mops[at]), concerned: concerned.contains(&(at as u64)) })
        .collect();
    if let Some(more @ 1..) = all.checked_sub(lines.len()) {
        lines.push(Line { text: format!("and {more} more"), concerned: false });
    }
    lines
}

/// `append x 3`, `r y [1,2]`.
fn mop(value: &Value) -> String {
    let told = match value.as_list() {
        Some([f, key, argument]) => {
            let value = if argument.is_null() { "nil".to_owned() } else { argument.to_string() };
            format!("{} {} {value}", super::ops::plain(f), super::ops::plain(key))
        }
        _ => value.to_string(),
    };
    text::cut(&text::visible(&told), LINE_CHARACTERS)
}

/// Places the boxes on an ellipse, the first at the left; two stand side by side. Returns the
/// height of the whole.
fn place(members: &mut [Member<'_>]) -> f64 {
    let tallest = members.iter().map(Member::height).fold(0.0, f64::max);
    let count = members.len();
    let radius_x = (WIDTH - BOX) / 2.0 - 60.0;
    let radius_y = match count {
        0..=2 => 0.0,
        3..=4 => tallest * 0.8 + 40.0,
        _ => count as f64 * (tallest + 34.0) / 5.2,
    };
    let height = 2.0 * radius_y + tallest + 60.0;
    for (at, member) in members.iter_mut().enumerate() {
        let angle = TAU / 2.0 + TAU * at as f64 / count as f64;
        member.x = WIDTH / 2.0 + radius_x * angle.cos();
        member.y = height / 2.0 + radius_y * angle.sin();
    }
    height
}

fn drawing(members: &[Member<'_>], edges: &[Edge], height: f64) -> Markup {
    html! {
        svg.plot.graph viewBox={ "0 0 " (WIDTH) " " (n(height)) } role="group" aria-label="Transactions and the edges between them" {
            @for (at, edge) in edges.iter().enumerate() {
                @let next = &members[(at + 1) % members.len()];
                (arrow(&members[at], next, edge, members.len(), height))
            }
            @for member in members { (node(member)) }
        }
    }
}

fn node(member: &Member<'_>) -> Markup {
    let (x, y) = (member.x - BOX / 2.0, member.y - member.height() / 2.0);
    let whose = member.op.map_or_else(String::new, |op| format!("process {}", op.process()));
    let inner = html! {
        rect.txn x=(n(x)) y=(n(y)) width=(BOX) height=(n(member.height())) rx="4" {}
        text.txn-name x=(n(x + 10.0)) y=(n(y + 18.0)) { (member.name) }
        text x=(n(x + BOX - 10.0)) y=(n(y + 18.0)) text-anchor="end" { (whose) }
        @for (at, line) in member.lines.iter().enumerate() {
            text class={ "label" @if line.concerned { " concerned" } }
                x=(n(x + 10.0)) y=(n(y + 35.0 + at as f64 * LINE)) { (line.text) }
        }
    };
    html! {
        @match member.event {
            Some(event) => a href={ "#op=" (event) } aria-label={ "transaction " (member.name) } { (inner) },
            None => g { (inner) },
        }
    }
}

/// An arrow from one box to another, bowed outwards, with its kind and key; hovering or focus
/// says it in words.
fn arrow(from: &Member<'_>, to: &Member<'_>, edge: &Edge, count: usize, height: f64) -> Markup {
    let (mx, my) = (f64::midpoint(from.x, to.x), f64::midpoint(from.y, to.y));
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy).max(1.0);
    // Two boxes have an arrow above and one below; in a larger circle all bow outwards.
    let bow = if count <= 2 { height * 0.36 } else { 26.0 };
    let (sx, sy) = (dy / length, -dx / length);
    let control = (mx + sx * bow, my + sy * bow);
    let begin = edge_of_box(from, control);
    let end = edge_of_box(to, control);
    let class = format!("edge why-{}", class_of(&edge.kind));
    let on = edge
        .key
        .as_ref()
        .map_or_else(String::new, |key| format!(" {}", text::cut(&text::visible(key), 12)));
    let label = (mx + sx * bow * 0.62, my + sy * bow * 0.62 + 4.0);
    html! {
        g class=(class) {
            title { (from.name) " → " (to.name) ": " (text::visible(&text::cut(&edge.text, 600))) }
            path.hit d={ "M" (n(begin.0)) " " (n(begin.1)) "Q" (n(control.0)) " " (n(control.1)) " " (n(end.0)) " " (n(end.1)) } {}
            path.way d={ "M" (n(begin.0)) " " (n(begin.1)) "Q" (n(control.0)) " " (n(control.1)) " " (n(end.0)) " " (n(end.1)) } {}
            (arrows::head(control, end))
            text.edge-label x=(n(label.0)) y=(n(label.1)) text-anchor="middle" { (text::label(&edge.kind)) (on) }
        }
    }
}

/// Where the way from a box's middle to a point leaves the box.
fn edge_of_box(member: &Member<'_>, (x, y): (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (x - member.x, y - member.y);
    let (half_x, half_y) = (BOX / 2.0 + 3.0, member.height() / 2.0 + 3.0);
    let share = (half_x / dx.abs().max(1e-6)).min(half_y / dy.abs().max(1e-6));
    (member.x + dx * share, member.y + dy * share)
}

fn class_of(kind: &str) -> &'static str {
    match kind {
        "ww" => "ww",
        "wr" | "wrp" => "wr",
        "rw" | "rwp" => "rw",
        _ => "order",
    }
}
