//! The picture of a few operations, to scale: a lane for each process, a bar for each operation,
//! its label above it, the faults behind.

use super::axis::{self, BOTTOM, Frame, LEFT, WIDTH, n};
use super::faults::Window;
use super::{ops, text};
use maud::{Markup, html};
use quorate_checkers::history::{Event, EventType, OpView, Process};
use std::collections::BTreeMap;

/// At most this many operations are drawn.
pub(super) const OPS_MAX: usize = 40;

const BAR: f64 = 12.0;
const LABEL: f64 = 15.0;
const GAP: f64 = 10.0;
/// Width of a character of a label, generously.
const CHARACTER: f64 = 6.6;
/// A bar is never narrower, so that it can be seen.
const BAR_MIN: f64 = 3.0;

/// An operation with its place.
struct Placed<'a> {
    op: OpView<'a>,
    label: String,
    x: f64,
    to: f64,
    label_x: f64,
    /// Row of its label within its lane, from the bar upwards.
    level: usize,
}

struct Lane<'a> {
    process: Process,
    placed: Vec<Placed<'a>>,
    levels: usize,
}

/// Draws operations; `culprits` are invocations that are drawn in the colour of what is wrong,
/// `marks` events of the nemesis, `points` the moments at which operations took effect, in order.
pub(super) fn picture(
    shown: &[OpView<'_>],
    culprits: &[u32],
    marks: &[&Event],
    windows: &[Window],
    points: &[(u32, u64)],
) -> Markup {
    let (begin, end) = extent(shown, marks);
    let mut frame = Frame { top: 6.0, height: 0.0, begin, end };
    let lanes = lay_out(&frame, &shown[..shown.len().min(OPS_MAX)]);
    let height = |lane: &Lane<'_>| lane.levels as f64 * LABEL + BAR + GAP;
    frame.height = lanes.iter().map(height).sum::<f64>().max(24.0);
    let mut top = frame.top;
    let mut bars = BTreeMap::new();
    axis::plot(
        frame.bottom() + BOTTOM,
        "The operations concerned, to scale in time",
        &html! {
            (frame.bands(windows))
            (frame.times())
            @for lane in &lanes {
                @let bar = top + lane.levels as f64 * LABEL + GAP / 2.0;
                text.lane x=(n(LEFT - 8.0)) y=(n(bar + BAR - 2.0)) text-anchor="end" {
                    "p" (lane.process)
                }
                @for placed in &lane.placed {
                    (operation(&frame, placed, bar, culprits))
                    @let _ = bars.insert(placed.op.invoke.index.0, bar);
                }
                @let () = top += height(lane);
            }
            (effects(&frame, &bars, points))
            @for event in marks {
                line.mark-line x1=(n(frame.x(event.time.0))) x2=(n(frame.x(event.time.0)))
                    y1=(n(frame.top)) y2=(n(frame.bottom())) {
                    title { (text::label(&event.f)) }
                }
                text.label x=(n(frame.x(event.time.0) + 4.0)) y=(n(frame.top + 11.0)) {
                    (text::label(&event.f))
                }
            }
        },
    )
}

/// The moments at which operations took effect, with a line through them in their order.
fn effects(frame: &Frame, bars: &BTreeMap<u32, f64>, points: &[(u32, u64)]) -> Markup {
    let place = |(index, at): &(u32, u64)| {
        bars.get(index).map(|bar| (*index, frame.x(*at), bar + BAR / 2.0))
    };
    let drawn: Vec<(u32, f64, f64)> = points.iter().filter_map(place).collect();
    let line: Vec<String> = drawn.iter().map(|(_, x, y)| format!("{},{}", n(*x), n(*y))).collect();
    html! {
        @if !drawn.is_empty() {
            polyline.order points=(line.join(" ")) {}
            @for (index, x, y) in &drawn {
                circle.effect data-op=(index) cx=(n(*x)) cy=(n(*y)) r="3.2" {}
            }
        }
    }
}

/// From a little before the first to a little after the last of them.
fn extent(shown: &[OpView<'_>], marks: &[&Event]) -> (u64, u64) {
    let (begin, end) = ops::extent(shown, marks);
    let margin = ((end - begin) / 20).max(50_000);
    (begin.saturating_sub(margin), end + 2 * margin)
}

fn lay_out<'a>(frame: &Frame, shown: &[OpView<'a>]) -> Vec<Lane<'a>> {
    let mut lanes: BTreeMap<Process, Lane<'a>> = BTreeMap::new();
    for op in shown {
        let process = op.process();
        let lane = lanes.entry(process).or_insert(Lane { process, placed: Vec::new(), levels: 1 });
        let label = ops::label(op);
        let x = frame.x(ops::start(op));
        // What has no known end may take effect at any later time.
        let to = match (op.outcome, ops::end(op)) {
            (EventType::Info, _) | (_, None) => LEFT + axis::INNER,
            (_, Some(end)) => frame.x(end),
        };
        let wide = label.chars().count() as f64 * CHARACTER;
        let label_x = x.min(WIDTH - 4.0 - wide).max(LEFT);
        let clash = |level: usize| {
            lane.placed.iter().any(|other: &Placed<'_>| {
                let other_to = other.label_x + other.label.chars().count() as f64 * CHARACTER + 8.0;
                other.level == level && other.label_x < label_x + wide + 8.0 && label_x < other_to
            })
        };
        // One level more than there are is free for sure.
        let level = (0..=lane.levels).find(|level| !clash(*level)).unwrap_or(lane.levels);
        lane.levels = lane.levels.max(level + 1);
        lane.placed.push(Placed { op: *op, label, x, to: to.max(x + BAR_MIN), label_x, level });
    }
    lanes.into_values().collect()
}

fn operation(frame: &Frame, placed: &Placed<'_>, bar: f64, culprits: &[u32]) -> Markup {
    let index = placed.op.invoke.index.0;
    let wrong = if culprits.contains(&index) { " wrong" } else { "" };
    let class = format!("bar {}{wrong}", placed.op.outcome.as_str());
    let label_y = bar - 4.0 - placed.level as f64 * LABEL;
    html! {
        a href={ "#op=" (index) } aria-label={ "operation " (index) ": " (placed.label) } {
            title { (title(&placed.op)) }
            @if placed.level > 0 {
                line.leader x1=(n(placed.x)) x2=(n(placed.x)) y1=(n(label_y + 2.0)) y2=(n(bar)) {}
            }
            rect class=(class) data-op=(index) x=(n(placed.x)) y=(n(bar)) width=(n(placed.to - placed.x))
                height=(n(BAR)) rx="2" {}
            @if ops::start(&placed.op) < frame.begin {
                // It began before what the picture shows.
                path.open-end d={ "M" (n(LEFT - 2.0)) " " (n(bar)) "l-4 6l4 6" } {}
            }
            text class={ "label" (wrong) } x=(n(placed.label_x)) y=(n(label_y)) { (placed.label) }
        }
    }
}

/// Everything about an operation on one line.
pub(super) fn title(op: &OpView<'_>) -> String {
    let key = op.key().map_or_else(String::new, |key| format!(" on {key}"));
    let node = op.invoke.node.as_deref().map_or_else(String::new, |node| format!(" at {node}"));
    let end = match ops::end(op) {
        Some(end) => format!("to {} ({})", text::moment(end), text::span(end - ops::start(op))),
        None => "and never completed".into(),
    };
    text::visible(&format!(
        "{}{key}{node}, process {}, {} {end}, {}",
        ops::label(op),
        op.process(),
        text::moment(ops::start(op)),
        op.outcome
    ))
}
