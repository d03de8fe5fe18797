//! How far the nodes' clocks were off, and how fast they drifted, where faults made them wrong:
//! reckoned from what the nemesis did to them.
//!
//! Offsets lie between milliseconds and minutes on either side, so that the scale is logarithmic
//! to both sides and linear below a millisecond.

use super::axis::{self, BOTTOM, Frame, n};
use super::faults::{self, HUES, Part, Window};
use super::{Sources, ops, text};
use crate::summary;
use maud::{Markup, html};
use quorate_checkers::history::{Event, Process};
use quorate_targets::clock_fault::ClockFault;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write;

/// At most so many pieces are drawn, the first ones.
const PIECES_MAX: usize = 2_000;
/// The offset at which the scale turns from linear to logarithmic, in nanoseconds.
const LINEAR: f64 = 1e6;
/// Points of a line that bends.
const POINTS: u64 = 32;
/// A strobing clock whose turns would lie nearer than this is a band.
const TURN_MIN: f64 = 3.0;
/// At most so many turns are drawn.
const TURNS_MAX: u64 = 400;

/// A stretch of time in which a clock was wrong in one way.
#[derive(Clone, Debug, PartialEq)]
struct Piece {
    node: String,
    begin: u64,
    end: u64,
    /// How far ahead it was in the beginning, in nanoseconds.
    offset: i64,
    /// How much too fast it went, in millionths.
    drift_ppm: i64,
    /// By how much it was off in every other period, and how long that was, in nanoseconds.
    strobe: Option<(i64, u64)>,
}

impl Piece {
    /// How far ahead it was at a moment; one that strobes, where it was not thrown off.
    fn at(&self, time: u64) -> i64 {
        let passed = i128::from(time.saturating_sub(self.begin));
        let drifted = passed * i128::from(self.drift_ppm) / 1_000_000;
        self.offset.saturating_add(i64::try_from(drifted).unwrap_or(0))
    }

    /// The offsets between which it was.
    fn extremes(&self) -> [i64; 3] {
        let thrown = self.strobe.map_or(0, |(by, _)| by);
        [self.offset, self.at(self.end), self.offset.saturating_add(thrown)]
    }

    fn words(&self) -> String {
        let mut words = format!("{}: {}", text::label(&self.node), offset_label(self.offset));
        if self.drift_ppm != 0 {
            let percent = self.drift_ppm as f64 / 10_000.0;
            let _ =
                write!(words, ", drifts by {percent:+} % to {}", offset_label(self.at(self.end)));
        }
        if let Some((by, period)) = self.strobe {
            let _ = write!(words, ", {} in every other {}", offset_label(by), text::span(period));
        }
        let (begin, end) = (text::moment(self.begin), text::moment(self.end));
        let _ = write!(words, ", {begin} to {end}");
        words
    }
}

/// The plot; nothing where no clock was made wrong.
pub(super) fn figure(sources: &Sources<'_>, windows: &[Window], end: u64) -> Markup {
    let pieces = pieces(sources, end);
    if pieces.is_empty() {
        return html! {};
    }
    let mut nodes: BTreeMap<&str, usize> = BTreeMap::new();
    for piece in &pieces {
        let next = nodes.len() % HUES;
        nodes.entry(&piece.node).or_insert(next);
    }
    html! {
        figure {
            figcaption {
                "Clocks: how far ahead of the right time"
                span.key {
                    @for (node, hue) in &nodes { span { i class={ "swatch kind" (hue) } {} (text::label(node)) } }
                }
                span.quiet { "logarithmic to both sides; clocks without a line were right" }
            }
            (plot(&pieces, &nodes, windows, end))
        }
    }
}

fn plot(pieces: &[Piece], nodes: &BTreeMap<&str, usize>, windows: &[Window], end: u64) -> Markup {
    let frame = Frame { top: 8.0, height: 170.0, begin: 0, end };
    let all = || pieces.iter().flat_map(Piece::extremes);
    let decades = |offset: Option<i64>| offset.map_or(0.0, |offset| scaled(offset).abs().ceil());
    let up = decades(all().max().filter(|most| *most > 0));
    let down = decades(all().min().filter(|least| *least < 0));
    let zero = frame.top + frame.height * up / (up + down).max(1.0);
    let unit = frame.height / (up + down).max(1.0);
    let y = move |offset: i64| zero - scaled(offset) * unit;
    let shades: Vec<Window> =
        windows.iter().filter(|window| window.kind == "clock").cloned().collect();
    html! {
        (axis::plot(frame.bottom() + BOTTOM, "How far each node's clock was ahead, over time", &html! {
            (frame.bands(&shades))
            g.grid aria-hidden="true" {
                @for decade in -(down as i32)..=(up as i32) {
                    (axis::level(zero - f64::from(decade) * unit, &decade_label(decade)))
                }
            }
            (frame.times())
            @for piece in pieces {
                @let hue = nodes.get(piece.node.as_str()).copied().unwrap_or(0);
                g class={ "clock kind" (hue) } {
                    title { (piece.words()) }
                    (drawn(&frame, piece, &y))
                }
            }
        }))
    }
}

fn drawn(frame: &Frame, piece: &Piece, y: &impl Fn(i64) -> f64) -> Markup {
    let (x, to) = (frame.x(piece.begin), frame.x(piece.end));
    let zero = y(0);
    let mut path = format!("M{} {}", n(x), n(zero));
    if let Some((by, period)) = piece.strobe {
        let period = period.max(1);
        let turns = (piece.end - piece.begin) / period;
        if (to - x) / (turns.max(1) as f64) < TURN_MIN || turns > TURNS_MAX {
            return swing((x, to), y(piece.offset), y(piece.offset.saturating_add(by)));
        }
        let _ = write!(path, "V{}", n(y(piece.offset)));
        for turn in 1..=turns {
            let thrown = if turn % 2 == 1 { by } else { 0 };
            let at = frame.x(piece.begin + turn * period);
            let _ = write!(path, "H{}V{}", n(at), n(y(piece.offset.saturating_add(thrown))));
        }
    } else {
        let points = if piece.drift_ppm == 0 { 1 } else { POINTS };
        for point in 0..=points {
            let time = piece.begin + (piece.end - piece.begin) / points * point;
            let _ = write!(path, "L{} {}", n(frame.x(time)), n(y(piece.at(time))));
        }
    }
    html! {
        path.line d={ (path) "L" (n(to)) " " (n(zero)) } {}
        @if piece.drift_ppm != 0 {
            @let above = if piece.drift_ppm > 0 { -5.0 } else { 12.0 };
            text.label x=(n(to + 4.0)) y=(n(y(piece.at(piece.end)) + above)) {
                (format!("{:+} %", piece.drift_ppm as f64 / 10_000.0))
            }
        }
    }
}

/// A clock that strobes faster than can be drawn, between two heights.
fn swing((x, to): (f64, f64), one: f64, other: f64) -> Markup {
    html! {
        rect.swing x=(n(x)) y=(n(one.min(other))) width=(n((to - x).max(1.0)))
            height=(n((one - other).abs().max(1.0))) {}
    }
}

/// An offset in decades above a millisecond, with its sign; below, a share of the first.
fn scaled(offset: i64) -> f64 {
    let size = offset.unsigned_abs() as f64 / LINEAR;
    let decades = if size <= 1.0 { size } else { 1.0 + size.log10() };
    if offset < 0 { -decades } else { decades }
}

fn decade_label(decade: i32) -> String {
    if decade == 0 {
        return "right".into();
    }
    let size = LINEAR * 10f64.powi(decade.abs() - 1);
    let sign = if decade < 0 { "−" } else { "+" };
    format!("{sign}{}", text::span(size as u64))
}

fn offset_label(offset: i64) -> String {
    let side = if offset < 0 { "behind" } else { "ahead" };
    match offset {
        0 => "right".to_owned(),
        _ => format!("{} {side}", text::span(offset.unsigned_abs())),
    }
}

/// What was wrong with which clock, in order of time. A clock is right again when that is said;
/// that of a process, also when the process ends.
fn pieces(sources: &Sources<'_>, end: u64) -> Vec<Piece> {
    let (mut done, mut open) = (Vec::new(), BTreeMap::<String, Piece>::new());
    let mut announced: Option<&Event> = None;
    for event in sources.history.events().iter().filter(|event| event.process == Process::Nemesis) {
        if done.len() >= PIECES_MAX {
            break;
        }
        let Some(outcome) = summary::outcome(event) else {
            announced = Some(event);
            continue;
        };
        let asked = announced.take().filter(|asked| asked.f == event.f);
        let time = event.time.0;
        let dies = event.f.as_str() == "kill" && !sources.simulated;
        let ends = matches!(faults::part(&event.f), Part::Ends(kind) if kind == "clock");
        let nodes = event.value.as_list().unwrap_or_default().iter().map(ops::plain);
        if outcome != "installed" {
            continue;
        }
        if ends || dies {
            let ended = nodes.filter_map(|node| open.remove(&node));
            done.extend(ended.map(|piece| Piece { end: time, ..piece }));
        } else if let Some(fault) = asked.and_then(fault_of) {
            for node in nodes {
                let before = open.remove(&node).map(|piece| Piece { end: time, ..piece });
                let offset = before.as_ref().map_or(0, |piece| piece.at(time));
                done.extend(before);
                let piece = wrong(fault, Piece { node, begin: time, end, ..at_offset(offset) });
                open.insert(piece.node.clone(), piece);
            }
        }
    }
    done.extend(open.into_values());
    done.sort_by(|a, b| (a.begin, &a.node).cmp(&(b.begin, &b.node)));
    done
}

/// A clock that is off by so much and otherwise right.
fn at_offset(offset: i64) -> Piece {
    Piece { node: String::new(), begin: 0, end: 0, offset, drift_ppm: 0, strobe: None }
}

/// What an announcement asks for, if it is about clocks.
fn fault_of(asked: &Event) -> Option<ClockFault> {
    serde_json::from_value(Json::from(asked.value.get("clock")?)).ok()
}

/// What a fault makes of a clock; what had drifted away so far stays.
fn wrong(fault: ClockFault, before: Piece) -> Piece {
    let ns = |ms: i64| ms.saturating_mul(1_000_000);
    match fault {
        ClockFault::Jump { by_ms } => {
            Piece { offset: before.offset.saturating_add(ns(by_ms)), ..before }
        }
        ClockFault::Drift { ppm } => Piece { drift_ppm: i64::from(ppm), ..before },
        ClockFault::Strobe { by_ms, period_ms } => {
            let period = period_ms.saturating_mul(1_000_000);
            Piece { strobe: Some((ns(by_ms), period)), ..before }
        }
        ClockFault::Reset => Piece { offset: 0, ..before },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_keeps_signs_and_order() {
        let offsets = [-300_000_000_000, -1_000_000, -1, 0, 500_000, 1_000_000, 12_000_000];
        let places: Vec<f64> = offsets.into_iter().map(scaled).collect();
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!((scaled(1_000_000), scaled(-10_000_000), scaled(0)), (1.0, -2.0, 0.0));
        assert_eq!(decade_label(3), "+100 ms");
        assert_eq!(decade_label(-4), "−1 s");
    }

    #[test]
    fn what_drifts_goes_on_from_where_it_was() {
        let piece = Piece { begin: 10, end: 1_000_000_010, ..at_offset(-5) };
        let piece = wrong(ClockFault::Drift { ppm: 100_000 }, piece);
        assert_eq!((piece.at(10), piece.at(1_000_000_010)), (-5, 99_999_995));
        let jumped = wrong(ClockFault::Jump { by_ms: -1 }, at_offset(7));
        assert_eq!(jumped.extremes(), [-999_993; 3]);
    }
}
