//! Latency over time on a logarithmic scale: every operation, and the quantiles of those that
//! succeeded.

use super::axis::{self, BOTTOM, Frame, LEFT, n};
use super::faults::Window;
use super::{ops, text};
use maud::{Markup, html};
use quorate_checkers::history::{EventType, History};
use std::collections::BTreeMap;
use std::fmt::Write;

/// At most this many panels, one for each name of an operation; the rest share the last.
const PANELS_MAX: usize = 6;
/// Sides of a mark; operations within one mark are drawn once, the darker the more they are.
const CELL: f64 = 4.0;
const PANEL: f64 = 110.0;
const GAP: f64 = 22.0;
const QUANTILES: [f64; 4] = [0.5, 0.95, 0.99, 1.0];
/// Points of a quantile's line.
const SLICES: usize = 96;

/// The decades that hold all latencies, as powers of ten of a nanosecond.
#[derive(Clone, Copy)]
struct Scale {
    low: u32,
    high: u32,
}

impl Scale {
    fn of(spans: impl Iterator<Item = u64>) -> Scale {
        let (mut low, mut high) = (u64::MAX, 1);
        for span in spans {
            (low, high) = (low.min(span.max(1)), high.max(span));
        }
        let low = low.min(high).ilog10();
        Scale { low, high: (high.ilog10() + 1).max(low + 1) }
    }

    fn y(self, frame: &Frame, ns: u64) -> f64 {
        let decades = f64::from(self.high - self.low);
        let at = ((ns.max(1) as f64).log10() - f64::from(self.low)) / decades;
        frame.bottom() - at.clamp(0.0, 1.0) * frame.height
    }

    fn levels(self, frame: &Frame) -> Markup {
        html! {
            g class="grid" aria-hidden="true" {
                @for decade in self.low..=self.high {
                    @let ns = 10u64.pow(decade);
                    (axis::level(self.y(frame, ns), &text::span(ns)))
                }
            }
        }
    }
}

fn spans(history: &History) -> impl Iterator<Item = u64> {
    history.ops().filter_map(|op| Some(ops::end(&op)? - ops::start(&op)))
}

/// Every operation that ended, one panel for each name, coloured by outcome.
pub(super) fn raw(history: &History, windows: &[Window], end: u64) -> Markup {
    let scale = Scale::of(spans(history));
    let panels = panels(history);
    let last = panels.values().copied().max().unwrap_or(0);
    let frames: Vec<Frame> = (0..=last)
        .map(|at| Frame { top: 18.0 + at as f64 * (PANEL + GAP), height: PANEL, begin: 0, end })
        .collect();
    let mut cells: BTreeMap<(u8, u32, u32), (u32, usize)> = BTreeMap::new();
    for op in history.ops() {
        let (Some(done), Some(panel)) = (ops::end(&op), panels.get(op.f().as_str())) else {
            continue;
        };
        let frame = &frames[*panel];
        let x = (frame.x(ops::start(&op)) - LEFT) / CELL;
        let y = scale.y(frame, done - ops::start(&op)) / CELL;
        cells.entry((rank(op.outcome), x as u32, y as u32)).or_insert((0, *panel)).0 += 1;
    }
    let titles = titles(&panels, last);
    axis::plot(
        frames[last].bottom() + BOTTOM,
        "Latency of every operation over time, logarithmic, coloured by outcome",
        &html! {
            @for (frame, title) in frames.iter().zip(&titles) {
                (frame.bands(windows))
                (scale.levels(frame))
                text.heading x=(n(LEFT)) y=(n(frame.top - 6.0)) { (text::label(title)) }
            }
            (frames[last].times())
            (marks(&cells))
        },
    )
}

/// Which panel each name has, the most frequent first.
fn panels(history: &History) -> BTreeMap<&str, usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for op in history.ops() {
        *counts.entry(op.f().as_str()).or_default() += 1;
    }
    let mut names: Vec<(&str, usize)> = counts.into_iter().collect();
    names.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    names.iter().enumerate().map(|(at, (name, _))| (*name, at.min(PANELS_MAX - 1))).collect()
}

fn titles(panels: &BTreeMap<&str, usize>, last: usize) -> Vec<String> {
    let named = |at: usize| -> Vec<String> {
        panels.iter().filter(|(_, panel)| **panel == at).map(|(f, _)| (*f).to_owned()).collect()
    };
    (0..=last).map(|at| text::list(&named(at))).collect()
}

fn rank(outcome: EventType) -> u8 {
    match outcome {
        EventType::Ok | EventType::Invoke => 0,
        EventType::Fail => 1,
        EventType::Info => 2,
    }
}

/// One path for each outcome and darkness.
fn marks(cells: &BTreeMap<(u8, u32, u32), (u32, usize)>) -> Markup {
    let mut paths: BTreeMap<(u8, u32), String> = BTreeMap::new();
    for ((outcome, x, y), (count, _)) in cells {
        let dark = count.ilog(4).min(2);
        let path = paths.entry((*outcome, dark)).or_default();
        let (x, y) = (LEFT + f64::from(*x) * CELL, f64::from(*y) * CELL);
        let side = CELL - 1.0;
        // Writing to a string cannot fail.
        let _ = write!(path, "M{} {}h{side}v{side}h-{side}z", n(x), n(y));
    }
    let names = ["ok", "fail", "info"];
    html! {
        @for ((outcome, dark), path) in &paths {
            path class={ "mark " (names[usize::from(*outcome)]) " dark" (dark) } d=(path) {}
        }
    }
}

/// Quantiles of the operations that succeeded, over equal slices of time.
pub(super) fn quantiles(history: &History, windows: &[Window], end: u64) -> Markup {
    let frame = Frame { top: 8.0, height: 150.0, begin: 0, end };
    let mut slices: Vec<Vec<u64>> = vec![Vec::new(); SLICES];
    for op in history.ops().filter(|op| op.outcome == EventType::Ok) {
        if let Some(done) = ops::end(&op) {
            let slice = u128::from(done) * SLICES as u128 / (u128::from(end) + 1);
            slices[slice as usize].push(done - ops::start(&op));
        }
    }
    for slice in &mut slices {
        slice.sort_unstable();
    }
    let scale = Scale::of(slices.iter().flatten().copied());
    let line = |q: f64| -> String {
        let mut path = String::new();
        let mut pen_down = false;
        for (at, slice) in slices.iter().enumerate() {
            let Some(span) = quantile(slice, q) else {
                pen_down = false;
                continue;
            };
            let x = frame.x(((at as f64 + 0.5) / SLICES as f64 * end as f64) as u64);
            let command = if pen_down { 'L' } else { 'M' };
            let _ = write!(path, "{command}{} {}h.1", n(x), n(scale.y(&frame, span)));
            pen_down = true;
        }
        path
    };
    axis::plot(
        frame.bottom() + BOTTOM,
        "Quantiles of the latency of successful operations over time, logarithmic",
        &html! {
            (frame.bands(windows))
            (scale.levels(&frame))
            (frame.times())
            @for (at, q) in QUANTILES.iter().enumerate() {
                path class={ "line q" (at) } d=(line(*q)) {
                    title { "quantile " (q) }
                }
            }
        },
    )
}

/// The names of the quantiles with the classes of their lines.
pub(super) fn quantile_key() -> Vec<(String, String)> {
    QUANTILES.iter().enumerate().map(|(at, q)| (format!("q{at}"), q.to_string())).collect()
}

/// The smallest element that at least the share `q` does not exceed.
pub(super) fn quantile(sorted: &[u64], q: f64) -> Option<u64> {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_elements() {
        let sorted: Vec<u64> = (1..=100).collect();
        let found = QUANTILES.map(|q| quantile(&sorted, q));
        assert_eq!(found, [Some(50), Some(95), Some(99), Some(100)]);
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[7], 0.5), Some(7));
    }

    #[test]
    fn scales_span_whole_decades() {
        let scale = Scale::of([1_500_000, 80_000_000].into_iter());
        assert_eq!((scale.low, scale.high), (6, 8));
        let empty = Scale::of(std::iter::empty());
        assert!(empty.high > empty.low);
    }
}
