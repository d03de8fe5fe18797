//! What decided the run, who judged it, and where the files are.

use super::{Sources, latency, ops, text};
use crate::duration;
use crate::results::file;
use crate::summary;
use maud::{Markup, html};
use quorate_checkers::history::EventType;
use quorate_checkers::verdict::{CheckerReport, Valid};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The section of facts.
pub(super) fn section(sources: &Sources<'_>) -> Markup {
    html! {
        section id="facts" aria-labelledby="facts-title" {
            h2 id="facts-title" { "Facts" }
            h3 { "Checkers" }
            (checkers(sources))
            (operations(sources))
            h3 { "Plan" }
            (command(&sources.plan.command))
            (plan(sources))
            h3 { "Files" }
            (files(sources))
        }
    }
}

fn word(valid: Valid) -> Markup {
    let (class, word) = match valid {
        Valid::True => ("valid", "valid"),
        Valid::False => ("invalid", "invalid"),
        Valid::Unknown => ("unknown", "unknown"),
    };
    html! { span class={ "tag " (class) } { (word) } }
}

fn checkers(sources: &Sources<'_>) -> Markup {
    html! {
        div.scroll {
            table.checkers {
                thead { tr { th scope="col" { "checker" } th scope="col" { "verdict" } th scope="col" { "decided by" } th scope="col" { "why" } th scope="col" { "details" } } }
                tbody {
                    @for (name, report) in &sources.verdict.checkers {
                        tr {
                            th scope="row" { (text::label(name)) }
                            td { (word(report.valid)) }
                            td { (algorithms(report)) }
                            td { (reason(report)) }
                            td.code { (details(report)) }
                        }
                    }
                }
            }
        }
        @if !sources.verdict.models.is_empty() {
            p.models {
                "Models: "
                @for (name, valid) in &sources.verdict.models { span { (text::label(name)) " " (word(*valid)) } }
            }
        }
    }
}

/// How many keys were decided how.
fn algorithms(report: &CheckerReport) -> String {
    let told = report.details.get("algorithms").map(summary::algorithms_told);
    text::visible(&told.unwrap_or_default())
}

/// The numbers and words among a checker's details; lists and maps are in `verdict.json`.
fn details(report: &CheckerReport) -> String {
    const MOST: usize = 200;
    let told: Vec<String> = report
        .details
        .iter()
        .filter_map(|(name, value)| match value {
            Json::Array(_) | Json::Object(_) | Json::Null => None,
            Json::String(text) => Some(format!("{name} {text}")),
            other => Some(format!("{name} {other}")),
        })
        .collect();
    text::cut(&text::visible(&told.join(", ")), MOST)
}

/// Operations by name: how many ended how, and how long those took that succeeded.
fn operations(sources: &Sources<'_>) -> Markup {
    let mut by_f: BTreeMap<&str, ([usize; 3], Vec<u64>)> = BTreeMap::new();
    for op in sources.history.ops() {
        let (counts, spans) = by_f.entry(op.f().as_str()).or_default();
        match (op.outcome, ops::end(&op)) {
            (EventType::Ok, Some(end)) => {
                counts[0] += 1;
                spans.push(end - ops::start(&op));
            }
            (EventType::Fail, _) => counts[1] += 1,
            _ => counts[2] += 1,
        }
    }
    for (_, spans) in by_f.values_mut() {
        spans.sort_unstable();
    }
    let quantile = |spans: &[u64], q| latency::quantile(spans, q).map_or("—".into(), text::span);
    html! {
        @if !by_f.is_empty() {
            h3 { "Operations" }
            div.scroll {
                table {
                    thead { tr { @for name in ["operation", "ok", "fail", "info", "median", "99 %", "longest"] { th scope="col" { (name) } } } }
                    tbody {
                        @for (f, (counts, spans)) in &by_f {
                            tr {
                                th scope="row" { (text::label(f)) }
                                @for n in counts { td { (text::thousands(*n as u64)) } }
                                @for q in [0.5, 0.99, 1.0] { td { (quantile(spans, q)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn command(command: &str) -> Markup {
    html! {
        div.command {
            code id="command" tabindex="0" { (text::visible(command)) }
            button type="button" data-copy="command" hidden { "Copy" }
        }
        p.quiet { "The command that does the same again." }
    }
}

fn plan(sources: &Sources<'_>) -> Markup {
    let plan = sources.plan;
    let rate =
        if plan.rate > 0.0 { format!("{}/s", plan.rate) } else { "as fast as they go".into() };
    let bugs: Vec<String> = plan.bugs.iter().map(name_of).collect();
    let options: Vec<String> = plan
        .target_options
        .iter()
        .chain(&plan.workload_options)
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let or_none = |list: Vec<String>| if list.is_empty() { "none".into() } else { list.join(", ") };
    let rows = [
        ("target", plan.target.clone()),
        ("workload", plan.workload.clone()),
        ("nodes", plan.nodes.to_string()),
        ("clients", plan.concurrency.to_string()),
        ("rate", rate),
        ("main phase", duration::format(plan.time_limit)),
        ("faults", or_none(plan.nemesis.clone())),
        ("fault interval", duration::format(plan.nemesis_interval)),
        ("seeded bugs", or_none(bugs)),
        ("options", or_none(options)),
        ("disk", name_of(&plan.disk)),
        ("seed", plan.seed.0.to_string()),
        ("version", plan.version.clone()),
    ];
    html! {
        dl.plan {
            @for (name, value) in &rows {
                div { dt { (name) } dd { (text::cut(&text::visible(value), 400)) } }
            }
        }
    }
}

/// A named value as it is written in `plan.json`.
fn name_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Json::String(name)) => name,
        Ok(other) => other.to_string(),
        Err(_) => "?".into(),
    }
}

fn files(sources: &Sources<'_>) -> Markup {
    html! {
        ul.files {
            li { a href=(file::HISTORY) { (file::HISTORY) } " every event, one a line" }
            li { a href=(file::VERDICT) { (file::VERDICT) } " what the checkers say" }
            li { a href=(file::PLAN) { (file::PLAN) } " everything that decides the run" }
            @if !sources.statuses.is_empty() {
                li { a href=(file::STATUS) { (file::STATUS) } " roles and terms over time" }
            }
            @for log in sources.logs {
                li { a href={ "./" (text::url(log)) } { (text::visible(log)) } }
            }
        }
    }
}

/// Why a checker concluded what it did, in one line.
fn reason(report: &CheckerReport) -> String {
    report.why.as_deref().map_or_else(String::new, |why| text::cut(&text::visible(why), 240))
}
