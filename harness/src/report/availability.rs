//! Windows of unavailability: stretches of time in which operations were asked and none was
//! answered, at any node and at each.
//!
//! An answer is a success, or a refusal that says what the database holds. A window lies between
//! two answers, or between one and an end of the run; it counts where several operations ended in
//! it without an answer, and where it is long against the usual time between two answers.

use super::axis::{self, BOTTOM, Frame, LEFT, n};
use super::faults::Window;
use super::{ops, text};
use maud::{Markup, html};
use quorate_checkers::history::{EventType, History, OpView};
use quorate_checkers::value::Value;
use std::collections::BTreeMap;

/// At least so many operations ended within a window.
const TRIES_MIN: usize = 3;
/// A window is at least so many times as long as the usual time between two answers.
const USUAL: u64 = 10;
/// A window is never shorter, in nanoseconds.
const SHORTEST: u64 = 50_000_000;
/// Height of a lane.
const LANE: f64 = 18.0;
/// More nodes than this share no plot.
const NODES_MAX: usize = 24;

/// What a lane shows: whose it is, and from when to when nothing was answered.
#[derive(Clone, Debug, PartialEq)]
struct Lane {
    name: String,
    gaps: Vec<(u64, u64)>,
}

impl Lane {
    fn lost(&self) -> u64 {
        self.gaps.iter().map(|(begin, end)| end - begin).sum()
    }
}

/// The plot, with a sentence.
pub(super) fn figure(history: &History, windows: &[Window], end: u64) -> Markup {
    let lanes = lanes(history, end);
    let frame = Frame { top: 4.0, height: lanes.len() as f64 * LANE, begin: 0, end };
    html! {
        figure {
            figcaption {
                "Availability"
                span.key {
                    span { i.swatch.served {} "answers" } span { i.swatch.unserved {} "asked, and nothing answered" }
                }
            }
            p.quiet { (sentence(&lanes)) }
            (axis::plot(
                frame.bottom() + BOTTOM,
                "When operations were answered, at any node and at each",
                &html! {
                    (frame.bands(windows))
                    (frame.times())
                    @for (at, lane) in lanes.iter().enumerate() {
                        (drawing(&frame, lane, frame.top + at as f64 * LANE))
                    }
                },
            ))
        }
    }
}

fn sentence(lanes: &[Lane]) -> String {
    let Some(all) = lanes.first() else { return String::new() };
    let longest = all.gaps.iter().map(|(begin, end)| end - begin).max().unwrap_or(0);
    match all.gaps.len() {
        0 => "There was no stretch of time in which no node answered.".to_owned(),
        many => format!(
            "No node answered in {}, {} together, the longest {}.",
            text::count(many, "window"),
            text::span(all.lost()),
            text::span(longest)
        ),
    }
}

fn drawing(frame: &Frame, lane: &Lane, y: f64) -> Markup {
    html! {
        text.lane x=(n(LEFT - 8.0)) y=(n(y + 13.0)) text-anchor="end" { (text::cut(&text::visible(&lane.name), 8)) }
        rect.served x=(n(frame.x(0))) y=(n(y + 7.0)) width=(n(axis::INNER)) height="4" {}
        @for (begin, end) in &lane.gaps {
            rect.unserved x=(n(frame.x(*begin))) y=(n(y + 3.0)) height=(n(LANE - 6.0))
                width=(n((frame.x(*end) - frame.x(*begin)).max(1.5))) {
                title { (lane.name) ": " (text::moment(*begin)) " to " (text::moment(*end)) ", " (text::span(end - begin)) }
            }
        }
    }
}

/// Ends of operations, each with whether it was an answer.
type Ends = Vec<(u64, bool)>;

fn lanes(history: &History, end: u64) -> Vec<Lane> {
    let mut all: Ends = Vec::with_capacity(history.operations().len());
    let mut nodes: BTreeMap<&str, Ends> = BTreeMap::new();
    for op in history.ops() {
        let ended = (ops::end(&op).unwrap_or(end), is_answer(&op));
        all.push(ended);
        if let Some(node) = op.invoke.node.as_deref() {
            nodes.entry(node).or_default().push(ended);
        }
    }
    let mut nodes: Vec<(&str, Ends)> = nodes.into_iter().take(NODES_MAX).collect();
    // n10 comes after n9.
    nodes.sort_by_key(|(name, _)| (name.len(), *name));
    let nodes = nodes.into_iter().map(|(name, ends)| (name.to_owned(), ends));
    std::iter::once(("any node".to_owned(), all))
        .chain(nodes)
        .map(|(name, ends)| Lane { name, gaps: gaps(ends, end) })
        .collect()
}

fn is_answer(op: &OpView<'_>) -> bool {
    let error = op.complete.and_then(|event| event.error.as_ref());
    let reason = error.and_then(|error| match error {
        Value::List(parts) => parts.first().and_then(Value::as_str),
        other => other.as_str(),
    });
    op.outcome == EventType::Ok || reason == Some("precondition-failed")
}

fn gaps(mut ends: Ends, end: u64) -> Vec<(u64, u64)> {
    ends.sort_unstable();
    let answers = ends.iter().filter(|(_, answer)| *answer).map(|(at, _)| *at);
    let mut between: Vec<u64> =
        answers.clone().zip(answers.skip(1)).map(|(one, next)| next - one).collect();
    between.sort_unstable();
    let usual = between.get(between.len() / 2).copied().unwrap_or(0);
    let least = SHORTEST.max(usual.saturating_mul(USUAL));
    let (mut gaps, mut last, mut tries) = (Vec::new(), 0, 0);
    for (at, answer) in ends.into_iter().chain([(end, true)]) {
        if !answer {
            tries += 1;
            continue;
        }
        if tries >= TRIES_MIN && at - last >= least {
            gaps.push((last, at));
        }
        (last, tries) = (at, 0);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_window_lies_between_answers_and_has_tries_in_it() {
        let mut ends: Ends = (1..=100).map(|at| (at * MS, true)).collect();
        ends.extend((1..=5).map(|at| ((100 + 20 * at) * MS, false)));
        ends.push((400 * MS, true));
        assert_eq!(gaps(ends.clone(), 401 * MS), [(100 * MS, 400 * MS)]);
        // Nothing was asked: nobody knows.
        let quiet: Ends = ends.into_iter().filter(|(_, answer)| *answer).collect();
        assert_eq!(gaps(quiet, 401 * MS), []);
    }

    #[test]
    fn what_never_answers_is_one_window() {
        let ends: Ends = (1..=10).map(|at| (at * 100 * MS, false)).collect();
        assert_eq!(gaps(ends, 1100 * MS), [(0, 1100 * MS)]);
        assert_eq!(gaps(Vec::new(), MS), []);
    }
}
