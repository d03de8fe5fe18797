//! How many operations ended in each slice of time, by outcome.

use super::axis::{self, BOTTOM, Frame, n};
use super::faults::Window;
use super::{ops, text};
use maud::{Markup, html};
use quorate_checkers::history::{EventType, History};
use std::fmt::Write;

/// Slices of time.
const SLICES: usize = 192;
const OUTCOMES: [(EventType, &str); 3] =
    [(EventType::Ok, "ok"), (EventType::Fail, "fail"), (EventType::Info, "info")];

/// Operations a second, stacked: ok, fail, info from the bottom up.
pub(super) fn plot(history: &History, windows: &[Window], end: u64) -> Markup {
    let frame = Frame { top: 8.0, height: 130.0, begin: 0, end };
    let slices = count(history, end);
    let most = slices.iter().map(|slice| slice.iter().sum::<u32>()).max().unwrap_or(0);
    let per_second = SLICES as f64 / (end as f64 / 1e9);
    let top = round_up(f64::from(most) * per_second);
    let y = |count: u32| frame.bottom() - f64::from(count) * per_second / top * frame.height;
    axis::plot(
        frame.bottom() + BOTTOM,
        "Operations a second over time, stacked by outcome",
        &html! {
            (frame.bands(windows))
            g class="grid" aria-hidden="true" {
                @for part in 0..=2 {
                    @let rate = top * f64::from(part) / 2.0;
                    @let y = frame.bottom() - f64::from(part) / 2.0 * frame.height;
                    (axis::level(y, &rate_label(rate)))
                }
            }
            (frame.times())
            @for (at, (_, name)) in OUTCOMES.iter().enumerate() {
                path class={ "area " (name) } d=(area(&frame, &slices, at, &y)) {
                    title { (name) }
                }
            }
        },
    )
}

fn count(history: &History, end: u64) -> Vec<[u32; 3]> {
    let mut slices = vec![[0; 3]; SLICES];
    for op in history.ops() {
        // An operation without an end counts where it began.
        let at = ops::end(&op).unwrap_or(ops::start(&op));
        let slice = u128::from(at) * SLICES as u128 / (u128::from(end) + 1);
        let outcome = OUTCOMES.iter().position(|(kind, _)| *kind == op.outcome).unwrap_or(2);
        slices[slice as usize][outcome] += 1;
    }
    slices
}

/// The area between the sums below outcome `at` and with it, in steps.
fn area(frame: &Frame, slices: &[[u32; 3]], at: usize, y: &impl Fn(u32) -> f64) -> String {
    let x = |slice: usize| n(frame.x((frame.end as f64 * slice as f64 / SLICES as f64) as u64));
    let sum = |slice: &[u32; 3], to: usize| n(y(slice[..to].iter().sum()));
    let mut path = format!("M{} {}", x(0), sum(&slices[0], at));
    for (slice, counts) in slices.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(path, "V{}H{}", sum(counts, at + 1), x(slice + 1));
    }
    for (slice, counts) in slices.iter().enumerate().rev() {
        let _ = write!(path, "V{}H{}", sum(counts, at), x(slice));
    }
    path.push('z');
    path
}

/// The next of 1, 2, 4, 6, 8 times a power of ten.
fn round_up(rate: f64) -> f64 {
    let power = 10f64.powf(rate.max(1.0).log10().floor());
    [1.0, 2.0, 4.0, 6.0, 8.0]
        .into_iter()
        .map(|f| f * power)
        .find(|top| *top >= rate)
        .unwrap_or(10.0 * power)
}

fn rate_label(rate: f64) -> String {
    if rate == 0.0 {
        return "0".into();
    }
    if rate.fract() == 0.0 {
        format!("{}/s", text::thousands(rate as u64))
    } else {
        format!("{rate:.1}/s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tops_are_round() {
        for (rate, top) in [(0.0, 1.0), (1.0, 1.0), (7.0, 8.0), (9.0, 10.0), (530.0, 600.0)] {
            assert!((round_up(rate) - top).abs() < 1e-9, "{rate}");
        }
    }
}
