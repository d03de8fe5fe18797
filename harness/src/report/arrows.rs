//! The drawing of a diagram of messages: lines of nodes with what they were and whether they were
//! there, arrows of messages, and the faults behind.

use super::axis::n;
use super::faults::HUES;
use super::lamport::Scene;
use super::lives::Absence;
use super::passages::Stretch;
use super::{lanes, text};
use crate::messages::{Fate, Message};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Room for names on the left.
pub(super) const LEFT: f64 = 46.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 20.0;
/// From one node's line to the next.
const NODE: f64 = 62.0;
/// From the last line to the lower edge.
const BELOW: f64 = 40.0;
/// Width of a character of a label, generously.
const CHARACTER: f64 = 6.0;
/// Length of an arrow's head.
const HEAD: f64 = 7.0;

/// The kinds of messages, each with a colour; an answer has that of its question.
pub(super) struct Kinds(BTreeMap<String, usize>);

impl Kinds {
    /// In the order in which they are first sent.
    pub(super) fn of(messages: &[&Message]) -> Kinds {
        let mut kinds = BTreeMap::new();
        for message in messages {
            let next = kinds.len() % HUES;
            kinds.entry(question(&message.kind).to_owned()).or_insert(next);
        }
        Kinds(kinds)
    }

    fn hue(&self, kind: &str) -> usize {
        self.0.get(question(kind)).copied().unwrap_or(0)
    }

    /// The legend.
    pub(super) fn key(&self) -> Markup {
        html! {
            span.key {
                @for (kind, hue) in &self.0 {
                    span { i class={ "swatch kind" (hue) } {} (text::label(kind)) }
                }
            }
        }
    }
}

/// The kind of message that this kind answers, or itself.
fn question(kind: &str) -> &str {
    ["-reply", "-response", "-ack", "-ok"]
        .iter()
        .find_map(|ending| kind.strip_suffix(ending))
        .unwrap_or(kind)
}

/// A moment as finely as messages need it: `1.234567 s`.
pub(super) fn moment(ns: u64) -> String {
    format!("{:.6} s", ns as f64 / 1e9)
}

/// The whole drawing.
pub(super) fn drawing(scene: &Scene<'_>) -> Markup {
    let nodes_top = TOP + lanes::clients(&scene.ops).len() as f64 * lanes::LANE + 26.0;
    let y = |node: &str| {
        let place = scene.nodes.iter().position(|name| name == node)?;
        Some(nodes_top + place as f64 * NODE)
    };
    let bottom = nodes_top + (scene.nodes.len().max(1) - 1) as f64 * NODE;
    let (width, height) = (scene.time.right() + RIGHT, bottom + BELOW);
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    html! {
        svg.arrows viewBox={ "0 0 " (n(width)) " " (n(height)) } width=(n(width)) height=(n(height))
            role="img" aria-label="Lines of nodes with arrows of messages" {
            (bands(scene, bottom + 16.0))
            @for stretch in scene.time.stretches() { (ticks(stretch, bottom + 16.0)) }
            (lanes::drawing(scene, TOP))
            @for (at, node) in scene.nodes.iter().enumerate() {
                (line(scene, node, nodes_top + at as f64 * NODE))
            }
            @for message in &scene.messages {
                @if let (Some(from), Some(to)) = (y(&message.from), y(&message.to)) {
                    (arrow(scene, message, (from, to), &mut taken))
                }
            }
        }
    }
}

/// The faults that cut links, behind everything.
fn bands(scene: &Scene<'_>, bottom: f64) -> Markup {
    let (first, last) = scene.time.extent();
    let shown = scene.windows.iter().filter(|w| w.begin <= last && w.end >= first);
    html! {
        @for window in shown.filter(|w| !["kill", "pause"].contains(&w.kind.as_str())) {
            @let (x, to) = (scene.time.x(window.begin), scene.time.x(window.end));
            rect class={ "band fault" (window.hue) } x=(n(x)) y="4" width=(n((to - x).max(1.0))) height=(n(bottom - 4.0)) {
                title { (window.kind) " " (window.label) }
            }
            text.label.band-label x=(n(x + 4.0)) y="14" { (window.kind) " " (window.label) }
        }
    }
}

/// The moments at the edges of a stretch.
fn ticks(stretch: &Stretch, bottom: f64) -> Markup {
    let wide = stretch.to - stretch.x > 190.0;
    let length = text::span(stretch.end - stretch.begin);
    html! {
        g.grid aria-hidden="true" {
            line x1=(n(stretch.x)) x2=(n(stretch.x)) y1=(n(bottom - 4.0)) y2=(n(bottom + 4.0)) {}
            line x1=(n(stretch.x)) x2=(n(stretch.to)) y1=(n(bottom)) y2=(n(bottom)) {}
            line x1=(n(stretch.to)) x2=(n(stretch.to)) y1=(n(bottom - 4.0)) y2=(n(bottom + 4.0)) {}
            text x=(n(stretch.x)) y=(n(bottom + 16.0)) { (text::moment(stretch.begin)) }
            @if wide {
                text x=(n(stretch.to)) y=(n(bottom + 16.0)) text-anchor="end" { "+ " (length) }
            }
        }
    }
}

/// A node's line: thick and coloured by its role, absent while it is down or paused.
fn line(scene: &Scene<'_>, node: &str, y: f64) -> Markup {
    let gaps = scene.lives.get(node).map_or(&[][..], Vec::as_slice);
    let (first, last) = scene.time.extent();
    let absent = |at: u64| gaps.iter().find(|g| g.begin <= at && g.end.is_none_or(|end| end > at));
    html! {
        text.lane x=(n(LEFT - 10.0)) y=(n(y + 4.0)) text-anchor="end" { (text::label(node)) }
        @for stretch in scene.time.stretches().iter().skip(1) {
            text.again x=(n(stretch.x - 6.0)) y=(n(y + 4.0)) text-anchor="end" aria-hidden="true" { (text::label(node)) }
        }
        @for stretch in scene.time.stretches() {
            line.life x1=(n(stretch.x)) x2=(n(stretch.to)) y1=(n(y)) y2=(n(y)) {}
        }
        @for (begin, end, role, term) in roles(scene, node) {
            @if role == "leader" || role == "candidate" {
                @let meets = |s: &&Stretch| s.begin < end && s.end > begin;
                @for stretch in scene.time.stretches().iter().filter(meets) {
                    @let x = scene.time.x(begin.max(stretch.begin));
                    @let to = scene.time.x(end.min(stretch.end));
                    line class={ "rule role-" (role) } x1=(n(x)) x2=(n(to)) y1=(n(y)) y2=(n(y)) {
                        title { (text::label(node)) " is " (role) " in term " (term) }
                    }
                }
            }
            @if (first..=last).contains(&begin) && absent(begin).is_none() {
                text.label.role-label x=(n(scene.time.x(begin) + 2.0)) y=(n(y - 6.0)) { (text::label(role)) " " (term) }
            }
        }
        @for gap in gaps.iter().filter(|g| g.begin <= last && g.end.is_none_or(|end| end >= first))
        {
            @let x = scene.time.x(gap.begin);
            @let to = gap.end.map_or(scene.time.right(), |end| scene.time.x(end));
            @let (began, ended) = gap.what.words();
            @let class = if gap.what == Absence::Down { "gone" } else { "still" };
            line class=(class) x1=(n(x)) x2=(n(to)) y1=(n(y)) y2=(n(y)) {}
            @if gap.begin >= first {
                (cross(x, y))
                text.label.fate x=(n(x + 7.0)) y=(n(y + 16.0)) { (began) }
            }
            @if let Some(end) = gap.end.filter(|end| (first..=last).contains(end)) {
                circle.up cx=(n(scene.time.x(end))) cy=(n(y)) r="4.5" {}
                text.label.fate x=(n(scene.time.x(end) + 7.0)) y=(n(y + 16.0)) { (ended) }
            }
        }
    }
}

/// What a node was over time: from, to, role, term.
fn roles<'a>(scene: &Scene<'a>, node: &str) -> Vec<(u64, u64, &'a str, u64)> {
    let mut roles: Vec<(u64, u64, &str, u64)> = Vec::new();
    let (_, last) = scene.time.extent();
    for status in scene.statuses {
        let now = status.nodes.get(node).map(|status| (status.role.as_str(), status.term));
        let open = roles.last_mut().filter(|(_, end, ..)| *end == u64::MAX);
        let same = open.as_ref().map(|(_, _, role, term)| (*role, *term)) == now;
        if !same {
            if let Some((_, end, ..)) = open {
                *end = status.time;
            }
            roles.extend(now.map(|(role, term)| (status.time, u64::MAX, role, term)));
        }
    }
    for (_, end, ..) in &mut roles {
        *end = (*end).min(last.saturating_add(1));
    }
    roles
}

fn cross(x: f64, y: f64) -> Markup {
    let (a, b) = (4.5, -4.5);
    html! {
        path.cross d={ "M" (n(x + a)) " " (n(y + a)) "L" (n(x + b)) " " (n(y + b)) "M" (n(x + a)) " " (n(y + b)) "L" (n(x + b)) " " (n(y + a)) } {}
    }
}

/// One message. One that got lost ends on half the way.
fn arrow(
    scene: &Scene<'_>,
    message: &Message,
    (from, to): (f64, f64),
    taken: &mut Vec<(f64, f64, f64)>,
) -> Markup {
    let arrives = message.fate == Fate::Delivered;
    let x = scene.time.x(message.sent);
    let end = (scene.time.x(message.end()), to);
    // What is lost at the moment of sending needs some room to be seen.
    let lost = (end.0.max(x + 14.0).min(x + 34.0), from + (to - from) * 0.42);
    let (x2, y2) = if arrives { end } else { lost };
    let class = format!("msg kind{} {}", scene.kinds.hue(&message.kind), message.fate.as_str());
    let label = label_place(&message.kind, (x + (x2 - x) * 0.5, from + (y2 - from) * 0.5), taken);
    html! {
        g class=(class) {
            title { (told(message)) }
            line.hit x1=(n(x)) y1=(n(from)) x2=(n(x2)) y2=(n(y2)) {}
            line.way x1=(n(x)) y1=(n(from)) x2=(n(x2)) y2=(n(y2)) {}
            @if arrives { (head((x, from), (x2, y2))) } @else { (cross(x2, y2)) }
            @if let Some(again) = message.again {
                @let twice = (scene.time.x(again), to);
                line.way.twice x1=(n(x)) y1=(n(from)) x2=(n(twice.0)) y2=(n(twice.1)) {}
                (head((x, from), twice))
            }
            @if let Some((x, y)) = label {
                text.label.kind x=(n(x)) y=(n(y)) text-anchor="middle" { (text::label(&message.kind)) }
            }
        }
    }
}

/// Where there is room for a label near a place, if there is.
fn label_place(
    kind: &str,
    (x, y): (f64, f64),
    taken: &mut Vec<(f64, f64, f64)>,
) -> Option<(f64, f64)> {
    let half = kind.chars().count() as f64 * CHARACTER / 2.0 + 2.0;
    let free = |y: f64, taken: &[(f64, f64, f64)]| {
        !taken
            .iter()
            .any(|(other, at, wide)| (other - x).abs() < half + wide && (at - y).abs() < 11.0)
    };
    let place = [y, y - 12.0, y + 12.0].into_iter().find(|y| free(*y, taken))?;
    taken.push((x, place, half));
    Some((x, place))
}

/// The head of an arrow that comes from one place and ends at another.
pub(super) fn head((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Markup {
    let length = (x2 - x1).hypot(y2 - y1).max(1e-6);
    let (dx, dy) = ((x2 - x1) / length * HEAD, (y2 - y1) / length * HEAD);
    let (back_x, back_y) = (x2 - dx, y2 - dy);
    let (side_x, side_y) = (-dy * 0.42, dx * 0.42);
    html! {
        polygon points={ (n(x2)) "," (n(y2)) " " (n(back_x + side_x)) "," (n(back_y + side_y)) " " (n(back_x - side_x)) "," (n(back_y - side_y)) } {}
    }
}

/// A message in words.
pub(super) fn told(message: &Message) -> String {
    let fate = match (message.fate, message.ended) {
        (Fate::Delivered, Some(at)) => {
            format!("arrives after {}", text::span(at.max(message.sent) - message.sent))
        }
        (Fate::Open, _) => "has not arrived".to_owned(),
        (fate, _) => fate.as_str().to_owned(),
    };
    let twice = if message.again.is_some() { ", twice" } else { "" };
    let (from, to) = (text::label(&message.from), text::label(&message.to));
    let (kind, says) = (text::label(&message.kind), text::visible(&message.text));
    format!("{}  {from} → {to}  {kind}, {fate}{twice}: {says}", moment(message.sent))
}
