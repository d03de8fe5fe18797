//! The report as a page: same inputs, same bytes; small; whole.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

mod report_support;

use quorate_checkers::history::{History, jsonl};
use quorate_checkers::verdict::{Valid, Verdict};
use report_support::{Shape, history, keep, page, verdict};

const SMALL: Shape = Shape { seed: 1, operations: 4000, keys: 12, stale_after: usize::MAX };

fn size_of(history: &History) -> usize {
    let mut bytes = Vec::new();
    jsonl::write(&mut bytes, history.events()).unwrap();
    bytes.len()
}

#[test]
fn a_valid_run() {
    let history = history(SMALL);
    let verdict = verdict(&history);
    assert_eq!(verdict.valid, Valid::True, "{verdict:?}");
    let page = page(&history, &verdict);
    assert!(page.contains("kept its promise"));
    assert!(!page.contains("id=\"anomalies\""));
    keep("valid.html", &page);
}

#[test]
fn a_stale_read() {
    let history = history(Shape { stale_after: 2000, ..SMALL });
    let verdict = verdict(&history);
    assert_eq!(verdict.valid, Valid::False);
    let page = page(&history, &verdict);
    assert!(page.contains("broke its promise"));
    let card = page.find("id=\"anomaly-1\"").unwrap();
    assert!(card < page.find("id=\"timeline\"").unwrap(), "findings come before the timeline");
    let culprit = verdict.anomalies[0].ops[0];
    assert!(page[card..].contains(&format!("href=\"#op={culprit}\"")));
    keep("stale-read.html", &page);
}

#[test]
fn nothing_happened() {
    let history = History::from_events(Vec::new()).unwrap();
    let page = page(&history, &Verdict::merge([]));
    assert!(page.contains("There are no operations to plot."));
    keep("empty.html", &page);
}

#[test]
fn same_inputs_same_bytes() {
    let history = history(Shape { stale_after: 2000, ..SMALL });
    let verdict = verdict(&history);
    assert!(page(&history, &verdict) == page(&history, &verdict));
}

#[test]
fn a_million_operations_fit_a_fifth_of_their_history() {
    let history = history(Shape { operations: 1_000_000, keys: 500, ..SMALL });
    let page = page(&history, &Verdict::merge([]));
    let (report, whole) = (page.len(), size_of(&history));
    assert!(report * 5 <= whole, "{report} bytes for a history of {whole}");
    keep("million.html", &page);
}
