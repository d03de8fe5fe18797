//! The section of plots: latency, quantiles, rate, and what the nodes told of themselves.

use super::axis::{self, BOTTOM, Frame, LEFT, n};
use super::faults::{self, Window};
use super::{Sources, StatusLine, availability, clocks, latency, ops, rate, text};
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// Height of a node's lane.
const LANE: f64 = 20.0;
/// At most this many pieces of lanes are drawn; then the shortest are left out.
const PIECES_MAX: usize = 4000;

/// All plots of a run.
pub(super) fn section(sources: &Sources<'_>, windows: &[Window]) -> Markup {
    let end = ops::end_of(sources.history);
    let outcomes = || ["ok", "fail", "info"].map(|name| (name.to_owned(), name.to_owned()));
    html! {
        section id="plots" aria-labelledby="plots-title" {
            h2 id="plots-title" { "Plots" }
            @if sources.history.operations().is_empty() {
                p.quiet { "There are no operations to plot." }
            } @else {
                figure {
                    figcaption { "Rate" (key(&outcomes())) (fault_key(windows)) }
                    (rate::plot(sources.history, windows, end))
                }
                (availability::figure(sources.history, windows, end))
                figure {
                    figcaption {
                        "Latency of every operation"
                        (key(&outcomes()))
                    }
                    (latency::raw(sources.history, windows, end))
                }
                figure {
                    figcaption {
                        "Latency of successful operations, quantiles"
                        (key(&latency::quantile_key()))
                    }
                    (latency::quantiles(sources.history, windows, end))
                }
            }
            @if !sources.statuses.is_empty() {
                figure {
                    figcaption {
                        "What the nodes told of themselves: role and term"
                        (key(&["leader", "candidate", "follower"].map(|r| (format!("role-{r}"), r.to_owned()))))
                    }
                    (nodes(sources.statuses, windows, end))
                }
            }
            (clocks::figure(sources, windows, end))
        }
    }
}

/// A legend: classes with names.
fn key(entries: &[(String, String)]) -> Markup {
    html! {
        span.key {
            @for (class, name) in entries { span { i class={ "swatch " (class) } {} (name) } }
        }
    }
}

/// A legend of the kinds of faults that there were.
pub(super) fn fault_key(windows: &[Window]) -> Markup {
    let kinds: BTreeSet<(usize, &str)> = windows.iter().map(|w| (w.hue, w.kind.as_str())).collect();
    let entries: Vec<(String, String)> =
        kinds.into_iter().map(|(hue, kind)| (format!("fault{hue}"), text::label(kind))).collect();
    key(&entries)
}

/// A stretch of time in which a node told the same of itself.
struct Piece<'a> {
    node: &'a str,
    begin: u64,
    end: u64,
    role: &'a str,
    term: u64,
}

fn pieces(statuses: &[StatusLine], end: u64) -> Vec<Piece<'_>> {
    let mut open: BTreeMap<&str, Piece<'_>> = BTreeMap::new();
    let mut done = Vec::new();
    for line in statuses {
        let time = line.time.min(end);
        let silent: Vec<&str> =
            open.keys().copied().filter(|node| !line.nodes.contains_key(*node)).collect();
        for node in silent {
            done.extend(open.remove(node).map(|piece| Piece { end: time, ..piece }));
        }
        for (node, status) in &line.nodes {
            let (role, term) = (status.role.as_str(), status.term);
            if open.get(node.as_str()).is_some_and(|p| p.role == role && p.term == term) {
                continue;
            }
            let piece = Piece { node, begin: time, end, role, term };
            done.extend(open.insert(node, piece).map(|old| Piece { end: time, ..old }));
        }
    }
    done.extend(open.into_values());
    if done.len() > PIECES_MAX {
        done.sort_by_key(|piece| std::cmp::Reverse(piece.end - piece.begin));
        done.truncate(PIECES_MAX);
    }
    done
}

fn nodes(statuses: &[StatusLine], windows: &[Window], end: u64) -> Markup {
    let names: BTreeSet<&str> =
        statuses.iter().flat_map(|line| line.nodes.keys().map(String::as_str)).collect();
    let lanes: BTreeMap<&str, usize> =
        names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
    let frame = Frame { top: 4.0, height: lanes.len() as f64 * LANE, begin: 0, end };
    let y = |node: &str| frame.top + lanes.get(node).map_or(0.0, |at| *at as f64 * LANE);
    axis::plot(
        frame.bottom() + BOTTOM,
        "Role and term of each node over time",
        &html! {
            (frame.bands(windows))
            (frame.times())
            @for name in &names {
                text.lane x=(n(LEFT - 8.0)) y=(n(y(name) + 14.0)) text-anchor="end" {
                    (text::cut(&text::visible(name), 8))
                }
            }
            @for piece in pieces(statuses, end) { (lane_piece(&frame, &piece, y(piece.node))) }
        },
    )
}

fn lane_piece(frame: &Frame, piece: &Piece<'_>, y: f64) -> Markup {
    let (from, to) = (frame.x(piece.begin), frame.x(piece.end));
    let term = piece.term.to_string();
    let fits = to - from > 7.0 * term.len() as f64 + 4.0;
    html! {
        rect class={ "role role-" (role_class(piece.role)) } x=(n(from)) y=(n(y + 3.0))
            width=(n((to - from).max(1.0))) height=(n(LANE - 6.0)) {
            title {
                (text::label(piece.node)) ": " (text::label(piece.role)) " of term " (term) ", "
                (text::moment(piece.begin)) " to " (text::moment(piece.end))
            }
        }
        @if fits {
            text class={ "term on-" (role_class(piece.role)) } x=(n(from + 3.0)) y=(n(y + 14.0)) {
                (term)
            }
        }
    }
}

fn role_class(role: &str) -> &'static str {
    match role {
        "leader" | "primary" => "leader",
        "candidate" | "pre-candidate" => "candidate",
        _ => "follower",
    }
}

/// The kinds of faults that were in force between two moments, in words.
pub(super) fn active(windows: &[Window], begin: u64, end: u64) -> Vec<String> {
    faults::during(windows, begin, end)
        .into_iter()
        .map(|w| {
            let doubt = if w.certain { "" } else { ", perhaps" };
            format!(
                "{} {} ({} to {}{doubt})",
                w.kind,
                w.label,
                text::moment(w.begin),
                text::moment(w.end)
            )
        })
        .collect()
}
