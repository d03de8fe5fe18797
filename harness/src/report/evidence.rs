//! What a checker shows beside its words: a linearization step by step, or plain JSON.

use super::{Sources, text};
use maud::{Markup, html};
use quorate_checkers::history::{History, OpIndex, OpView};
use quorate_checkers::linearizable::{self, ModelKind};
use quorate_checkers::verdict::{Anomaly, Verdict};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// At most this many steps of a linearization are shown, its last ones.
const STEPS_MAX: usize = 200;
/// At most this many of the operations that led to the failure join its picture.
const NEIGHBOURS_MAX: usize = 14;
/// At most this many of them are operations that were still open.
const OPEN_MAX: usize = 6;
/// So many items of a state are shown at each of its ends.
const ENDS: usize = 4;
/// Longer JSON is cut.
const JSON_MAX: usize = 64 << 10;

/// For so many anomalies the search is asked how far an order exists, where the checker did not
/// say so.
const DEEPENED_MAX: usize = 6;
/// The steps that it may take for each: about a second.
const STEPS: u64 = 1 << 20;

/// The verdict with more evidence: how far an order exists.
pub(super) fn deepened(sources: &Sources<'_>) -> Verdict {
    let mut verdict = sources.verdict.clone();
    let checker = verdict.checkers.get(linearizable::CHECKER);
    let model = checker.and_then(|report| report.details.get("model")).and_then(Json::as_str);
    let Some(Ok(kind)) = model.map(str::parse::<ModelKind>) else { return verdict };
    let by_checker =
        |anomaly: &&mut Anomaly| anomaly.checker == linearizable::CHECKER && !has_order(anomaly);
    for anomaly in verdict.anomalies.iter_mut().filter(by_checker).take(DEEPENED_MAX) {
        let first = anomaly.ops.first().and_then(|op| sources.history.op_at(*op));
        let Some(first) = first else { continue };
        let found = linearizable::dead_end(sources.history, kind, first.key(), STEPS);
        anomaly.evidence.extend(found.into_iter().flatten());
    }
    verdict
}

fn has_order(anomaly: &Anomaly) -> bool {
    anomaly.evidence.contains_key("linearized")
}

/// When each operation of the longest order took effect, by its invocation: in the middle of what
/// its neighbours in the order leave of its time.
pub(super) fn points(anomaly: &Anomaly) -> Vec<(u32, u64)> {
    let steps = list(anomaly, "linearized");
    let moment = |step: &Json, name: &str| step.get(name).and_then(Json::as_u64);
    let mut latest: Vec<u64> = steps
        .iter()
        .rev()
        .scan(u64::MAX, |latest, step| {
            *latest = (*latest).min(moment(step, "end").unwrap_or(u64::MAX));
            Some(*latest)
        })
        .collect();
    latest.reverse();
    let mut earliest = 0;
    let mut points = Vec::new();
    for (step, latest) in steps.iter().zip(latest) {
        earliest = earliest.max(moment(step, "start").unwrap_or(0));
        let middle = if latest == u64::MAX { earliest } else { earliest.midpoint(latest) };
        points.extend(index_of(Some(step)).map(|index| (index, middle)));
    }
    points
}

/// The invocations that the checker blames.
pub(super) fn culprits(anomaly: &Anomaly) -> Vec<u32> {
    index_of(anomaly.evidence.get("operation")).into_iter().collect()
}

fn index_of(operation: Option<&Json>) -> Option<u32> {
    operation?.get("index")?.as_u64().and_then(|index| u32::try_from(index).ok())
}

/// The operations of an anomaly's picture: its own, and where there are few of them, the last
/// that could be ordered and those that were still open.
pub(super) fn neighbours<'a>(
    history: &'a History,
    anomaly: &Anomaly,
    own: &[OpView<'a>],
) -> Vec<OpView<'a>> {
    let mut drawn: BTreeMap<usize, OpView<'a>> = own.iter().map(|op| (op.position, *op)).collect();
    let open = list(anomaly, "alternatives").iter().flat_map(|alternative| {
        ["possible", "impossible"].into_iter().flat_map(move |name| items(alternative, name))
    });
    let open: BTreeSet<u32> = open.filter_map(|operation| index_of(Some(operation))).collect();
    let last = list(anomaly, "linearized").iter().rev();
    let last = last.filter_map(|operation| index_of(Some(operation)));
    // The youngest of those still open tell most.
    for index in open.into_iter().rev().take(OPEN_MAX).chain(last) {
        if drawn.len() >= NEIGHBOURS_MAX {
            break;
        }
        if (index as usize) < history.events().len()
            && let Some(op) = history.op_at(OpIndex(index))
        {
            drawn.insert(op.position, op);
        }
    }
    drawn.into_values().collect()
}

fn list<'a>(anomaly: &'a Anomaly, name: &str) -> &'a [Json] {
    anomaly.evidence.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

fn items<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    json.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// How far an order exists and why no further, step by step, where the evidence says so.
pub(super) fn order(anomaly: &Anomaly) -> Markup {
    html! {
        @if has_order(anomaly) && anomaly.evidence.contains_key("alternatives") {
            (linearization(anomaly, list(anomaly, "linearized")))
        }
    }
}

/// Everything that the checker has to show.
pub(super) fn whole(anomaly: &Anomaly) -> Markup {
    html! {
        @if !anomaly.evidence.is_empty() {
            details {
                summary { "The checker's evidence as JSON" }
                pre.json tabindex="0" { (pretty(anomaly)) }
            }
        }
    }
}

fn pretty(anomaly: &Anomaly) -> String {
    let text = serde_json::to_string_pretty(&anomaly.evidence).unwrap_or_default();
    let text = text::visible(&text);
    if text.len() <= JSON_MAX {
        return text;
    }
    let kept: String = text.chars().take(JSON_MAX / 4).collect();
    format!("{kept}\n… {} bytes in all; verdict.json has the rest", text.len())
}

fn linearization(anomaly: &Anomaly, steps: &[Json]) -> Markup {
    let earlier = anomaly.evidence.get("linearized_earlier").and_then(Json::as_u64).unwrap_or(0);
    let skipped = steps.len().saturating_sub(STEPS_MAX);
    let total = earlier + steps.len() as u64;
    html! {
        div.linearization data-steps="" {
            h4 { "As far as an order exists" }
            p.quiet {
                "The longest prefix that can be ordered has " (text::count(total as usize, "operation"))
                "; each line is one that takes effect, with the state that it leaves. Walk it with ↑ and ↓."
                @if let Some(left_out) = anomaly.evidence.get("left_out").and_then(Json::as_u64) {
                    " These are the operations that fail without the others; "
                    (text::thousands(left_out)) " are left out."
                }
            }
            div.scroll.steps tabindex="0" role="group" aria-label="the linearization, step by step" {
                table {
                    thead { tr { th scope="col" { "step" } th scope="col" { "operation" } th scope="col" { "process" } th scope="col" { "began" } th scope="col" { "ended" } th scope="col" { "state after it" } } }
                    tbody {
                        @for (at, step) in steps.iter().enumerate().skip(skipped) {
                            (step_row(step, &(earlier as usize + at + 1).to_string(), step.get("state"), ""))
                        }
                        @if let Some(culprit) = anomaly.evidence.get("operation") {
                            (step_row(culprit, "✗", None, "wrong"))
                        }
                    }
                }
            }
            (alternatives(list(anomaly, "alternatives")))
        }
    }
}

fn step_row(operation: &Json, number: &str, state: Option<&Json>, class: &str) -> Markup {
    let time = |name: &str| operation.get(name).and_then(Json::as_u64).map(text::moment);
    let index = index_of(Some(operation));
    html! {
        tr class=(class) data-op=[index] {
            td { (number) }
            td.code {
                @if let Some(index) = index { a href={ "#op=" (index) } { (told(operation)) } }
                @else { (told(operation)) }
            }
            td { (plain(operation.get("process"))) }
            td { (time("start").unwrap_or_default()) }
            td { (time("end").unwrap_or_else(|| "never".into())) }
            td.code { (state.map_or_else(|| "no state allows it".into(), shown_state)) }
        }
    }
}

/// A state; of one with many items both ends, for it is there that things happen.
fn shown_state(state: &Json) -> String {
    let Json::Array(items) = state else { return text::label(&state.to_string()) };
    if items.len() <= 2 * ENDS {
        return text::label(&state.to_string());
    }
    let told = |items: &[Json]| {
        let told: Vec<String> = items.iter().map(|item| text::cut(&item.to_string(), 12)).collect();
        told.join(",")
    };
    let (first, last) = (&items[..ENDS], &items[items.len() - ENDS..]);
    let between = items.len() - 2 * ENDS;
    text::visible(&format!("[{}, {between} more, {}]", told(first), told(last)))
}

/// `read 7`.
fn told(operation: &Json) -> String {
    let value = operation.get("value").map_or_else(String::new, ToString::to_string);
    let mark = match operation.get("outcome").and_then(Json::as_str) {
        Some("fail") => " ✗",
        Some("info") => " ?",
        _ => "",
    };
    text::label(&format!("{} {value}", plain(operation.get("f")))) + mark
}

fn plain(json: Option<&Json>) -> String {
    match json {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text::label(text),
        Some(other) => text::label(&other.to_string()),
    }
}

fn alternatives(alternatives: &[Json]) -> Markup {
    html! {
        @if !alternatives.is_empty() {
            h4 { "Why it cannot go on" }
            ul.alternatives {
                @for alternative in alternatives {
                    li {
                        (text::visible(&plain_long(alternative.get("why"))))
                        (open_operations("still open and possible there", items(alternative, "possible")))
                        (open_operations("still open, but impossible there", items(alternative, "impossible")))
                    }
                }
            }
        }
    }
}

fn open_operations(title: &str, operations: &[Json]) -> Markup {
    const MOST: usize = 12;
    html! {
        @if !operations.is_empty() {
            p.open {
                (title) ": "
                @for operation in operations.iter().take(MOST) {
                    @match index_of(Some(operation)) {
                        Some(index) => a.chip href={ "#op=" (index) } { (told(operation)) },
                        None => span.chip { (told(operation)) },
                    }
                }
                @if operations.len() > MOST { "and " (operations.len() - MOST) " more" }
            }
        }
    }
}

fn plain_long(json: Option<&Json>) -> String {
    const MOST: usize = 600;
    text::cut(json.and_then(Json::as_str).unwrap_or_default(), MOST)
}
