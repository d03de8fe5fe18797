//! The page as a whole: its sections, its data, its scripts.

use super::faults::{self, Window};
use super::saga::Sagas;
use super::{
    Sources, anomalies, columns, embed, facts, headline, lamport, ops, orders, plots, text,
};
use crate::document::{self, Document};
use maud::{Markup, html};
use quorate_checkers::history::History;
use quorate_checkers::verdict::Verdict;
use serde::Serialize;

/// How many events of the nemesis the scripts know.
const MARKS_MAX: usize = 20_000;

const STYLE: &str = concat!(
    include_str!("../../assets/report/colours.css"),
    include_str!("../../assets/report/report.css")
);

/// The scripts, in order; they share one scope.
const SCRIPTS: [&str; 15] = [
    include_str!("../../assets/report/text.js"),
    include_str!("../../assets/report/data.js"),
    include_str!("../../assets/report/filter.js"),
    include_str!("../../assets/report/lanes.js"),
    include_str!("../../assets/report/draw.js"),
    include_str!("../../assets/report/timeline.js"),
    include_str!("../../assets/report/details.js"),
    include_str!("../../assets/report/keys.js"),
    include_str!("../../assets/report/walk.js"),
    include_str!("../../assets/report/steps.js"),
    include_str!("../../assets/report/graphs.js"),
    include_str!("../../assets/report/sequence.js"),
    include_str!("../../assets/report/orders.js"),
    include_str!("../../assets/report/print.js"),
    include_str!("../../assets/report/main.js"),
];

/// What the scripts need beside the operations.
#[derive(Serialize)]
struct Data<'a> {
    names: columns::Names,
    /// The last moment, in nanoseconds.
    end: u64,
    faults: &'a [Window],
    nemesis: Vec<columns::Mark>,
    /// The events of each anomaly.
    anomalies: Vec<Vec<u32>>,
}

/// Everything.
pub(super) fn page(sources: &Sources<'_>) -> String {
    let windows = faults::windows(sources.history);
    let sagas = Sagas::of(sources);
    let script = format!("(()=>{{'use strict';\n{}\n}})();", SCRIPTS.concat());
    let title = format!("{} · {}", headline::sentence(sources), sources.plan.workload);
    let body = html! {
        (body(sources, &windows, sagas.as_ref()))
        (data(sources.history, sources.verdict, sources.plan.concurrency, &windows))
        @if let Some(sagas) = &sagas { (sagas.data(sources)) }
    };
    document::render(&Document {
        title: &title,
        version: &sources.plan.version,
        style: STYLE,
        script: Some(&script),
        body: &body,
    })
}

fn body(sources: &Sources<'_>, windows: &[Window], sagas: Option<&Sagas<'_>>) -> Markup {
    html! {
        a.skip href="#timeline" { "Skip to the timeline" }
        main {
            (headline::header(sources, windows))
            (anomalies::section(sources, windows, sagas))
            (orders::section(sources, sagas))
            (lamport::section(sources, windows))
            (timeline(windows, sagas.is_some()))
            (plots::section(sources, windows))
            (facts::section(sources))
        }
        footer {
            p { "Made by Quorate " (text::label(&sources.plan.version)) " from this run alone; the page opens no connection." }
        }
    }
}

fn data(history: &History, verdict: &Verdict, threads: usize, windows: &[Window]) -> Markup {
    let (names, bytes) = columns::encode(history, threads);
    let anomalies = verdict
        .anomalies
        .iter()
        .map(|anomaly| anomaly.ops.iter().map(|index| index.0).collect())
        .collect();
    let nemesis = columns::marks(history, MARKS_MAX);
    let data = Data { names, end: ops::end_of(history), faults: windows, nemesis, anomalies };
    html! {
        (embed::json("data", &data))
        (embed::bytes("columns", &bytes))
    }
}

/// The section that the scripts fill.
fn timeline(windows: &[Window], has_orders: bool) -> Markup {
    html! {
        section id="timeline" aria-labelledby="timeline-title" {
            h2 id="timeline-title" { "Timeline" span.of id="shown" aria-live="polite" {} }
            noscript { p.quiet { "The timeline needs scripts; everything else does not." } }
            form.filter id="filter" role="search" aria-label="Filter of operations" hidden {
                label { "Search" input type="search" name="text" placeholder="value, key, error, index" autocomplete="off"; }
                label { "Key" input name="key" list="keys" autocomplete="off" size="10"; }
                datalist id="keys" {}
                label { "Process" input name="process" inputmode="numeric" autocomplete="off" size="5"; }
                label { "Operation" select name="f" { option value="" { "all" } } }
                label { "Node" select name="node" { option value="" { "all" } } }
                div.outcomes role="group" aria-label="Outcome" {
                    @for outcome in ["ok", "fail", "info"] {
                        label.toggle { input type="checkbox" name=(outcome) checked; i class={ "swatch " (outcome) } {} (outcome) }
                    }
                }
                button type="reset" { "Clear" }
            }
            div.canvas id="stage" hidden {
                canvas id="overview" height="34" aria-hidden="true" {}
                canvas id="chart" tabindex="0" role="application" aria-label="Operations over time, one lane a client. Arrow keys pan, plus and minus zoom, 0 shows all, brackets select the operation before and after." aria-describedby="help" {}
                div id="tip" role="status" hidden {}
            }
            div.below {
                (plots::fault_key(windows))
                p.quiet id="help" hidden {
                    kbd { "n" } " next finding " kbd { "f" } " next fault " kbd { "/" } " search "
                    kbd { "+" } kbd { "−" } kbd { "0" } " zoom " kbd { "←" } kbd { "→" } " pan "
                    kbd { "[" } kbd { "]" } " operation before, after; wheel zooms, drag pans"
                    @if has_orders { " " kbd { "o" } " search orders" }
                }
            }
            div.panel id="details" aria-live="polite" hidden {}
        }
    }
}
