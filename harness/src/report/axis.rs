//! The frame of a plot: where time and values lie on paper, grid lines, and the bands of faults.

use super::faults::Window;
use super::text;
use maud::{Markup, html};

/// Width of every plot in units of its own; the page scales it.
pub(super) const WIDTH: f64 = 960.0;
/// Room for the labels on the left.
pub(super) const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
/// Width of the rectangle of a plot.
pub(super) const INNER: f64 = WIDTH - LEFT - RIGHT;
/// Room for the labels of time below.
pub(super) const BOTTOM: f64 = 24.0;

/// A rectangle in which time runs from left to right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Upper edge.
    pub(super) top: f64,
    /// Height.
    pub(super) height: f64,
    /// The moments at its left and right edges, in nanoseconds.
    pub(super) begin: u64,
    pub(super) end: u64,
}

impl Frame {
    /// Where a moment lies; moments outside lie on the edges.
    pub(super) fn x(&self, ns: u64) -> f64 {
        let span = self.end.saturating_sub(self.begin).max(1) as f64;
        let at = ns.clamp(self.begin, self.end.max(self.begin)) - self.begin;
        LEFT + at as f64 / span * INNER
    }

    /// Lower edge.
    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The faults that were in force, as bands behind everything.
    pub(super) fn bands(&self, windows: &[Window]) -> Markup {
        html! {
            @for window in windows.iter().filter(|w| w.end >= self.begin && w.begin <= self.end) {
                rect class={ "band fault" (window.hue) } x=(n(self.x(window.begin))) y=(n(self.top))
                    width=(n((self.x(window.end) - self.x(window.begin)).max(1.0)))
                    height=(n(self.height)) {
                    title {
                        (window.kind) " " (window.label) ", " (text::moment(window.begin)) " to "
                        (text::moment(window.end))
                    }
                }
            }
        }
    }

    /// Labelled lines at round moments.
    pub(super) fn times(&self) -> Markup {
        let step = round_step(self.end.saturating_sub(self.begin), 8);
        let ticks = (self.begin.div_ceil(step)..).map(|k| k * step).take_while(|t| *t <= self.end);
        html! {
            g class="grid" aria-hidden="true" {
                @for tick in ticks {
                    line x1=(n(self.x(tick))) x2=(n(self.x(tick))) y1=(n(self.top))
                        y2=(n(self.bottom())) {}
                    text x=(n(self.x(tick))) y=(n(self.bottom() + 15.0)) text-anchor="middle" {
                        (tick_label(tick, step))
                    }
                }
            }
        }
    }
}

/// A labelled line at a height.
pub(super) fn level(y: f64, label: &str) -> Markup {
    html! {
        line x1=(n(LEFT)) x2=(n(LEFT + INNER)) y1=(n(y)) y2=(n(y)) {}
        text x=(n(LEFT - 6.0)) y=(n(y + 3.5)) text-anchor="end" { (label) }
    }
}

/// A whole plot.
pub(super) fn plot(height: f64, title: &str, body: &Markup) -> Markup {
    html! {
        svg.plot viewBox={ "0 0 " (WIDTH) " " (n(height)) } role="img" aria-label=(title) {
            (body)
        }
    }
}

/// A coordinate with one decimal, without a trailing zero.
pub(super) fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// The smallest of 1, 2, 5 times a power of ten of which at most `most` steps fit into `span`.
fn round_step(span: u64, most: u64) -> u64 {
    let mut power = 1u64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if span / step <= most {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A moment with as many decimals as its neighbours need to differ.
fn tick_label(ns: u64, step: u64) -> String {
    let decimals = match step {
        1_000_000_000.. => 0,
        100_000_000.. => 1,
        10_000_000.. => 2,
        1_000_000.. => 3,
        100_000.. => 4,
        10_000.. => 5,
        1_000.. => 6,
        _ => 9,
    };
    format!("{:.decimals$} s", ns as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(round_step(25_000_000_000, 8), 5_000_000_000);
        assert_eq!(round_step(8, 8), 1);
        assert_eq!(round_step(0, 8), 1);
        assert_eq!(tick_label(1_500_000_000, 500_000_000), "1.5 s");
    }
}
