//! The table of runs.

use super::runs::{self, Conclusion, Row};
use super::{State, failed, page as whole_page};
use crate::text;
use anyhow::{Context, Result};
use axum::response::Response;
use maud::{Markup, html};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The columns: heading, and whether the largest comes first when it is sorted by them.
const COLUMNS: [(&str, bool); 10] = [
    ("began", true),
    ("target", false),
    ("workload", false),
    ("faults", false),
    ("seed", false),
    ("bugs", false),
    ("verdict", false),
    ("anomalies", false),
    ("duration", true),
    ("operations", true),
];

/// The page.
pub(super) async fn page(state: State) -> Response {
    let rows = tokio::task::spawn_blocking(move || -> Result<Vec<Arc<Row>>> {
        state.index.rows(state.root.path()).context("the results folder cannot be read")
    });
    match rows.await.context("listing broke off").flatten() {
        Ok(rows) => whole_page("Runs", Some("list.js"), &body(&rows)),
        Err(error) => failed(&error),
    }
}

fn body(rows: &[Arc<Row>]) -> Markup {
    html! {
        header.bar {
            h1 { "Runs" span.of id="shown" aria-live="polite" { (text::count(rows.len(), "run")) } }
            nav {
                @if rows.len() > 1 {
                    form id="compare" method="get" action="/compare" {
                        button type="submit" { "Compare the ticked" }
                    }
                }
                a href="/live" { "The run that is going on" }
            }
        }
        @if rows.is_empty() {
            p.empty { "There is no run yet. Start one with " code { "quorate run raft-kv" } "." }
        } @else {
            (filter(rows))
            div.scroll {
                table id="runs" {
                    thead {
                        tr {
                            @for (at, (name, down)) in COLUMNS.iter().enumerate() {
                                th scope="col" aria-sort=[(at == 0).then_some("descending")] {
                                    button type="button" data-column=(at) data-down=[down.then_some("")] { (name) }
                                }
                            }
                            th scope="col" { "do" }
                        }
                    }
                    tbody { @for row in rows { (line(row)) } }
                }
            }
            p.quiet { kbd { "/" } " search; the headings sort; a row's first cell opens its report" }
        }
    }
}

/// What the list can be narrowed down by; scripts show it.
fn filter(rows: &[Arc<Row>]) -> Markup {
    let distinct = |field: fn(&Row) -> &str| -> BTreeSet<String> {
        rows.iter().map(|row| text::label(field(row))).collect()
    };
    let choices = [
        ("target", distinct(|row| &row.target)),
        ("workload", distinct(|row| &row.workload)),
        ("verdict", distinct(|row| row.verdict.as_str())),
    ];
    html! {
        form id="filter" role="search" aria-label="Filter of runs" hidden {
            label { "Search" input type="search" name="text" placeholder="words of a row" autocomplete="off"; }
            @for (name, values) in &choices {
                label { (name)
                    select name=(name) {
                        option value="" { "all" }
                        @for value in values { option { (value) } }
                    }
                }
            }
            button type="reset" { "Clear" }
        }
    }
}

fn line(row: &Row) -> Markup {
    let url = text::url(&row.path);
    let began = moment(runs::start(&row.path));
    let joined = |names: &[String]| text::cut(&text::visible(&names.join(" ")), 120);
    let number = |n: Option<u64>| n.map_or_else(|| "–".to_owned(), text::thousands);
    let class = match row.verdict {
        Conclusion::Valid => "valid",
        Conclusion::Invalid => "invalid",
        Conclusion::Unknown => "unknown",
        Conclusion::None => "none",
    };
    html! {
        tr id=(url) {
            th scope="row" data-key=(text::visible(runs::start(&row.path))) {
                @if row.report { a href={ "/runs/" (url) "/report.html" } { (began) } }
                @else { (began) }
                @if row.path.ends_with("/minimal") { span.note { "shrunk" } }
                @if row.broken { span.note title="plan.json cannot be read" { "broken" } }
                @if row.simulated { span.note title="in virtual time" { "simulated" } }
            }
            td { (text::label(&row.target)) }
            td { (text::label(&row.workload)) }
            td { (joined(&row.faults)) }
            td.number data-key=[row.seed] { (row.seed.map_or_else(|| "–".to_owned(), |seed| seed.to_string())) }
            td { (joined(&row.bugs)) }
            td { span class={ "tag " (class) } { (row.verdict.as_str()) } }
            td { (joined(&row.anomalies)) }
            td.number data-key=[row.duration] { (row.duration.map_or_else(|| "–".to_owned(), text::span)) }
            td.number data-key=[row.operations] { (number(row.operations)) }
            td.actions {
                input type="checkbox" form="compare" name="run" value=(row.path) aria-label={ "compare " (text::visible(&row.path)) };
                a href={ "/zip/" (url) } download aria-label={ "download " (text::visible(&row.path)) " as a zip" } { "zip" }
                form method="post" action={ "/check/" (url) } {
                    button type="submit" aria-label={ "judge " (text::visible(&row.path)) " again" } { "re-check" }
                }
            }
        }
    }
}

/// `20261122T131502.114Z` as people write it; another name as it is.
fn moment(start: &str) -> String {
    match chrono::NaiveDateTime::parse_from_str(start, "%Y%m%dT%H%M%S%.3fZ") {
        Ok(at) => at.format("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => text::label(start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_are_escaped() {
        let path = "<img src=x onerror=alert(1)>/\u{202e}\"x".to_owned();
        let row = Row { path: path.clone(), target: path, report: true, ..Row::default() };
        let page = body(&[Arc::new(row)]).into_string();
        assert!(!page.contains("<img") && !page.contains("\"x/report"));
        // What a form sends back is the path itself; nobody sees it.
        assert_eq!(page.matches('\u{202e}').count(), 1);
        assert!(page.contains("%3Cimg%20src%3Dx"));
    }

    #[test]
    fn starts_are_moments() {
        assert_eq!(moment("20261122T131502.114Z"), "2026-11-22 13:15:02");
        assert_eq!(moment("mine"), "mine");
    }
}
