//! The anomalies, each as a card: its name and what that means, what happened, the operations
//! and the faults of that time, and the checker's evidence.

use super::faults::Window;
use super::saga::Sagas;
use super::{Sources, cycle, evidence, lamport, log_lines, ops, orders, picture, plots, text};
use maud::{Markup, html};
use quorate_checkers::history::{Event, History, OpView};
use quorate_checkers::verdict::{Anomaly, Verdict};
use serde_json::Value as Json;

/// At most this many are shown as cards; `verdict.json` has them all.
const CARDS_MAX: usize = 50;
/// At most this many cards show the messages of that time.
const DIAGRAMS_MAX: usize = 4;
/// What led to an anomaly is within this time before its operations, in nanoseconds.
const BEFORE: u64 = 1_000_000_000;
/// At most this many operations are listed on a card.
const LISTED_MAX: usize = 60;

/// All cards; nothing where nothing went wrong.
pub(super) fn section(
    sources: &Sources<'_>,
    windows: &[Window],
    sagas: Option<&Sagas<'_>>,
) -> Markup {
    let anomalies = &sources.verdict.anomalies;
    html! {
        @if !anomalies.is_empty() {
            section id="anomalies" aria-labelledby="anomalies-title" {
                h2 id="anomalies-title" {
                    "What went wrong"
                    span.of { (text::count(anomalies.len(), "finding")) }
                }
                @for (at, anomaly) in anomalies.iter().take(CARDS_MAX).enumerate() {
                    (card(sources, windows, sagas, (at, anomaly)))
                }
                @if let Some(more @ 1..) = anomalies.len().checked_sub(CARDS_MAX) {
                    p.quiet {
                        "and " (text::thousands(more as u64)) " more in "
                        a href=(crate::results::file::VERDICT) { (crate::results::file::VERDICT) }
                    }
                }
            }
        }
    }
}

fn card(
    sources: &Sources<'_>,
    windows: &[Window],
    sagas: Option<&Sagas<'_>>,
    (at, anomaly): (usize, &Anomaly),
) -> Markup {
    let order = anomaly.evidence.get("order").and_then(Json::as_str);
    let (shown, marks) = ops::around(sources.history, &anomaly.ops);
    let culprits = evidence::culprits(anomaly);
    let drawn = evidence::neighbours(sources.history, anomaly, &shown);
    let points = evidence::points(anomaly);
    html! {
        article.card id={ "anomaly-" (at + 1) } aria-labelledby={ "anomaly-" (at + 1) "-title" } {
            h3 id={ "anomaly-" (at + 1) "-title" } {
                a.number href={ "#anomaly-" (at + 1) } aria-label={ "link to finding " (at + 1) } {
                    (at + 1)
                }
                (text::label(&anomaly.kind))
                span.by { "found by " (text::label(&anomaly.checker)) }
            }
            @if let Some(meaning) = quorate_checkers::meaning(&anomaly.checker, &anomaly.kind) {
                p.definition { (text::sentence(meaning)) }
            }
            p.happened { (text::visible(&anomaly.explanation)) }
            (circumstances(&shown, &marks, windows))
            (cycle::view(sources.history, anomaly))
            (orders::place(sagas, order))
            @if !drawn.is_empty() || !marks.is_empty() {
                figure {
                    (picture::picture(&drawn, &culprits, &marks, windows, &points))
                    @if drawn.len() > picture::OPS_MAX {
                        figcaption.quiet {
                            "The first " (picture::OPS_MAX) " of " (drawn.len()) " operations."
                        }
                    }
                }
            }
            (evidence::order(anomaly))
            @if at < DIAGRAMS_MAX {
                (lamport::around(sources, windows, &drawn, ops::extent(&shown, &marks)))
                (log_lines::around(sources.log_lines, ops::extent(&shown, &marks)))
            }
            (evidence::whole(anomaly))
            (listing(&shown))
        }
    }
}

/// The spans of time around the first anomalies, with what went before.
pub(super) fn spans(history: &History, verdict: &Verdict) -> Vec<(u64, u64)> {
    let span = |anomaly: &Anomaly| {
        let (shown, marks) = ops::around(history, &anomaly.ops);
        let (begin, end) = ops::extent(&shown, &marks);
        (begin.saturating_sub(BEFORE), end)
    };
    verdict.anomalies.iter().take(DIAGRAMS_MAX).map(span).collect()
}

/// When, on which keys, at which nodes, under which faults.
fn circumstances(shown: &[OpView<'_>], marks: &[&Event], windows: &[Window]) -> Markup {
    let begin = shown.iter().map(ops::start).chain(marks.iter().map(|e| e.time.0)).min();
    let end = shown
        .iter()
        .map(|op| ops::end(op).unwrap_or(ops::start(op)))
        .chain(marks.iter().map(|e| e.time.0))
        .max();
    let (Some(begin), Some(end)) = (begin, end) else { return html! {} };
    let keys = distinct(shown.iter().filter_map(|op| op.key().map(ops::plain)));
    let nodes =
        distinct(shown.iter().filter_map(|op| op.invoke.node.as_ref().map(ToString::to_string)));
    let faults = plots::active(windows, begin, end);
    html! {
        dl.circumstances {
            div { dt { "when" } dd { (text::moment(begin)) ", within " (text::span(end - begin)) } }
            @if !keys.is_empty() { div { dt { "key" } dd { (keys) } } }
            @if !nodes.is_empty() { div { dt { "nodes" } dd { (nodes) } } }
            div {
                dt { "faults" }
                dd {
                    @if faults.is_empty() { "none in force" }
                    @for fault in &faults { span.fault { (fault) } }
                }
            }
        }
    }
}

fn distinct(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.dedup();
    let more = names.len().saturating_sub(8);
    names.truncate(8);
    let shown: Vec<String> = names.iter().map(|name| text::label(name)).collect();
    let told = shown.join(", ");
    if more > 0 { format!("{told} and {more} more") } else { told }
}

fn listing(shown: &[OpView<'_>]) -> Markup {
    html! {
        @if !shown.is_empty() {
            details.operations {
                summary { "The operations as a table" }
                div.scroll {
                    table {
                        thead {
                            tr {
                                @for name in ["index", "process", "operation", "key", "node", "outcome", "from", "took"] {
                                    th scope="col" { (name) }
                                }
                            }
                        }
                        tbody { @for op in shown.iter().take(LISTED_MAX) { (row(op)) } }
                    }
                }
                @if shown.len() > LISTED_MAX {
                    p.quiet { "The first " (LISTED_MAX) " of " (shown.len()) "." }
                }
            }
        }
    }
}

fn row(op: &OpView<'_>) -> Markup {
    let index = op.invoke.index;
    let took = ops::end(op).map_or_else(|| "—".into(), |end| text::span(end - ops::start(op)));
    html! {
        tr {
            td { a href={ "#op=" (index) } { (index) } }
            td { (op.process()) }
            td.code { (ops::label(op)) }
            td.code { (op.key().map_or_else(String::new, |key| text::label(&ops::plain(key)))) }
            td { (op.invoke.node.as_deref().map_or_else(String::new, text::label)) }
            td { i class={ "swatch " (op.outcome.as_str()) } {} (op.outcome.as_str()) }
            td { (text::moment(ops::start(op))) }
            td { (took) }
        }
    }
}
