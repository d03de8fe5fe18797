//! The section of orders: how many ended how, what one saga saw of another, and a list in which
//! each can be found. The scripts fill the list and draw the order that is chosen.

use super::saga::Sagas;
use super::{Sources, text};
use crate::summary;
use maud::{Markup, html};
use quorate_checkers::verdict::CheckerReport;
use serde_json::Value as Json;

/// The section; nothing where a verdict is not about orders and there are none.
pub(super) fn section(sources: &Sources<'_>, sagas: Option<&Sagas<'_>>) -> Markup {
    let mut reports = sources.verdict.checkers.values();
    let report = reports.find(|report| summary::ends(report).is_some());
    if report.is_none() && sagas.is_none() {
        return html! {};
    }
    html! {
        section id="orders" aria-labelledby="orders-title" {
            h2 id="orders-title" { "Orders" span.of id="orders-shown" aria-live="polite" {} }
            @if let Some(report) = report {
                (ends(report))
                (interference(report))
            }
            @if let Some(sagas) = sagas { (list(sagas)) }
        }
    }
}

/// How many orders came to which end, and how many were compensated.
fn ends(report: &CheckerReport) -> Markup {
    let ends = report.details.get("ended").and_then(Json::as_object);
    let counts =
        ends.into_iter().flatten().filter_map(|(end, n)| Some((end.as_str(), n.as_u64()?)));
    let compensated = report.details.get("compensated").and_then(Json::as_u64);
    let counts: Vec<(&str, u64)> =
        counts.chain(compensated.map(|count| ("compensated", count))).collect();
    html! {
        dl.counts {
            @for (end, count) in counts {
                div { dt { (text::label(end)) } dd { (text::thousands(count)) } }
            }
        }
    }
}

/// What one saga saw of another, with an example of each kind.
fn interference(report: &CheckerReport) -> Markup {
    let example = |name: &str| {
        let example = report.details.get("isolation")?.get(name)?;
        let words = example.as_str().or_else(|| example.get("what")?.as_str())?;
        Some(words.to_owned())
    };
    let names = ["dirty_read_example", "refused_on_dirty_grounds_example", "lost_update_example"];
    html! {
        @if let Some(interference) = summary::interference(report) {
            p { "Sagas are not isolated from each other; counted: " (interference) "." }
        }
        ul {
            @for words in names.into_iter().filter_map(example) { li { (text::visible(&words)) } }
        }
    }
}

/// The list that the scripts fill.
fn list(sagas: &Sagas<'_>) -> Markup {
    html! {
        noscript { p.quiet { "The list of orders needs scripts." } }
        form.filter id="order-filter" role="search" aria-label="Filter of orders" hidden {
            label { "Search" input type="search" name="text" placeholder="order, customer, item" autocomplete="off"; }
            label { "Customer" input name="customer" autocomplete="off" size="8"; }
            label {
                "Ended"
                select name="end" {
                    option value="" { "all" }
                    @for end in sagas.ends() { option value=(end) { (end) } }
                }
            }
            label {
                "Compensated"
                select name="compensated" {
                    option value="" { "all" }
                    option value="1" { "with compensation" }
                    option value="0" { "without" }
                }
            }
            button type="reset" { "Clear" }
        }
        div.scroll.listing id="order-list" role="group" aria-label="Orders. The arrow keys walk through them, Enter opens one." tabindex="0" hidden {
            table {
                thead {
                    tr {
                        @for name in ["order", "customer", "item", "amount", "ended", "compensated", "began", "took"] {
                            th scope="col" { (name) }
                        }
                    }
                }
                tbody {}
            }
        }
        p.quiet id="order-more" hidden {}
        div.panel id="saga" hidden {}
    }
}

/// Where the story of an order is drawn, on the card of a finding about it.
pub(super) fn place(sagas: Option<&Sagas<'_>>, order: Option<&str>) -> Markup {
    let number = order.and_then(|order| sagas?.number(order));
    html! {
        @if let (Some(number), Some(order)) = (number, order) {
            h4 { "The story of " (text::label(order)) }
            div data-story=(number) {}
        }
    }
}
