//! The verdict in one sentence, and the counts below it.

use super::faults::Window;
use super::{Sources, ops, text};
use maud::{Markup, html};
use quorate_checkers::history::EventType;
use quorate_checkers::verdict::Valid;
use std::collections::BTreeMap;

/// The top of the page.
pub(super) fn header(sources: &Sources<'_>, windows: &[Window]) -> Markup {
    let plan = sources.plan;
    let (class, word) = match sources.verdict.valid {
        Valid::True => ("valid", "Valid"),
        Valid::False => ("invalid", "Invalid"),
        Valid::Unknown => ("unknown", "Unknown"),
    };
    html! {
        header class={ "top " (class) } {
            p.eyebrow {
                span.verdict { (word) }
                span { (text::label(&plan.target)) " · " (text::label(&plan.workload)) " · seed " (plan.seed.0) }
            }
            h1 { (sentence(sources)) }
            (why(sources))
            @for note in &sources.verdict.notes {
                p.why { (text::cut(&text::visible(note), 600)) }
            }
            (counts(sources, windows))
        }
    }
}

/// `raft-kv kept its promise: it was linearizable in 9,812 operations under 4 kills.`
pub(super) fn sentence(sources: &Sources<'_>) -> String {
    let target = text::label(&sources.plan.target);
    let verdict = sources.verdict;
    match verdict.valid {
        Valid::True => {
            let models = models(sources, Valid::True);
            let kept = if models.is_empty() {
                "every check passed".into()
            } else {
                format!("this history is {}", text::list(&models))
            };
            format!("{target} kept its promise: {kept}.")
        }
        Valid::False => {
            let broken = models(sources, Valid::False);
            let kinds = kinds(sources);
            let not = || format!("this history is not {}", weakest(sources, &broken));
            match (broken.is_empty(), kinds.is_empty()) {
                (true, true) => format!("{target} broke its promise."),
                (false, true) => format!("{target} broke its promise: {}.", not()),
                (true, false) => format!("{target} broke its promise: {}.", text::list(&kinds)),
                (false, false) => {
                    format!("{target} broke its promise: {}; {}.", not(), text::list(&kinds))
                }
            }
        }
        Valid::Unknown => format!("Whether {target} kept its promise is undecided."),
    }
}

/// The consistency models of which this was found.
fn models(sources: &Sources<'_>, found: Valid) -> Vec<String> {
    let those = sources.verdict.models.iter().filter(|(_, valid)| **valid == found);
    those.map(|(name, _)| text::label(name)).collect()
}

/// The models that were ruled out, in words; of those that a checker knows to imply each other,
/// the weakest only, and how many more there are.
fn weakest(sources: &Sources<'_>, broken: &[String]) -> String {
    let reports = sources.verdict.checkers.values();
    let named = |field: &str| -> Vec<String> {
        let lists = reports.clone().filter_map(|report| report.details.get(field)?.as_array());
        lists.flatten().filter_map(|name| name.as_str()).map(text::label).collect()
    };
    let implied = named("also_not");
    let (stronger, shown): (Vec<String>, Vec<String>) =
        broken.iter().cloned().partition(|model| implied.contains(model));
    match (shown.is_empty(), stronger.len()) {
        (true, _) => text::list(broken),
        (false, 0) => text::list(&shown),
        (false, more) => format!("{}, nor {more} stronger", text::list(&shown)),
    }
}

/// The kinds of anomaly, with how many there are; without the one that only repeats the model.
fn kinds(sources: &Sources<'_>) -> Vec<String> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for anomaly in sources.verdict.anomalies.iter().filter(|a| a.kind != "nonlinearizable") {
        *kinds.entry(anomaly.kind.as_str()).or_default() += 1;
    }
    let told = |(kind, n): (&str, usize)| match n {
        1 => text::label(kind),
        n => format!("{} ({})", text::label(kind), text::thousands(n as u64)),
    };
    kinds.into_iter().map(told).collect()
}

/// Why, unless a finding below says the same.
fn why(sources: &Sources<'_>) -> Markup {
    let verdict = sources.verdict;
    let told = |why: &String| verdict.anomalies.iter().any(|anomaly| anomaly.explanation == *why);
    html! {
        @if let Some(why) = verdict.why.as_ref().filter(|why| !told(why))
            && verdict.valid != Valid::True {
            p.why { (text::cut(&text::visible(why), 600)) }
        }
    }
}

/// Operations by outcome, faults by kind, how long.
fn counts(sources: &Sources<'_>, windows: &[Window]) -> Markup {
    let operations = sources.history.operations();
    let of = |outcome: EventType| operations.iter().filter(|op| op.outcome == outcome).count();
    let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
    for window in windows {
        *faults.entry(window.kind.as_str()).or_default() += 1;
    }
    let share = |n: usize| format!("{:.1} %", 100.0 * n as f64 / operations.len().max(1) as f64);
    html! {
        dl.counts {
            div { dt { "operations" } dd { (text::thousands(operations.len() as u64)) } }
            @for outcome in [EventType::Ok, EventType::Fail, EventType::Info] {
                @let n = of(outcome);
                div {
                    dt { i class={ "swatch " (outcome.as_str()) } {} (outcome.as_str()) }
                    dd { (text::thousands(n as u64)) small { (share(n)) } }
                }
            }
            div { dt { "lasted" } dd { (text::span(ops::end_of(sources.history))) } }
            @if faults.is_empty() { div { dt { "faults" } dd { "none" } } }
            @for (kind, n) in &faults {
                @let hue = windows.iter().find(|w| w.kind == **kind).map_or(0, |w| w.hue);
                div { dt { i class={ "swatch fault" (hue) } {} (text::label(kind)) } dd { (n) } }
            }
        }
    }
}
