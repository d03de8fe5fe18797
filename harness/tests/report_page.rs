//! The report as a page: same inputs, same bytes; small; whole.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

mod report_support;

use quorate_checkers::history::{History, jsonl};
use quorate_checkers::verdict::{Valid, Verdict};
use quorate_checkers::{linearizable, transactions};
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
fn how_far_an_order_exists_is_shown_though_zones_decided() {
    let history = history(Shape { stale_after: 2000, ..SMALL });
    let verdict = verdict(&history);
    assert!(!verdict.anomalies[0].evidence.contains_key("linearized"));
    let page = page(&history, &verdict);
    for part in ["As far as an order exists", "Why it cannot go on", "class=\"effect\""] {
        assert!(page.contains(part), "{part}");
    }
}

/// Three transactions that form a cycle, each a second after the one before, and a fourth.
const CYCLE: &str = r#"
{"time":1000000,"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["r","y",null]]}
{"time":1200000,"process":1,"type":"invoke","f":"txn","value":[["append","y",1],["r","z",null]]}
{"time":1300000,"process":2,"type":"invoke","f":"txn","value":[["append","z",1],["r","x",null]]}
{"time":2200000,"process":0,"type":"ok","f":"txn","value":[["append","x",1],["r","y",[]]]}
{"time":2500000,"process":1,"type":"ok","f":"txn","value":[["append","y",1],["r","z",[]]]}
{"time":2900000,"process":2,"type":"ok","f":"txn","value":[["append","z",1],["r","x",[]]]}
{"time":3000000,"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["r","y",null],["r","z",null]]}
{"time":3400000,"process":0,"type":"ok","f":"txn","value":[["r","x",[1]],["r","y",[1]],["r","z",[1]]]}
"#;

#[test]
fn a_cycle_is_drawn_with_its_reasons() {
    let history = jsonl::read(CYCLE.as_bytes(), "cycle").unwrap();
    let report = transactions::check(&history, &transactions::Options::default());
    let verdict = Verdict::merge([("transactions".to_string(), report)]);
    assert_eq!(verdict.anomaly_types, ["G2-item"]);
    let page = page(&history, &verdict);
    let meaning = "A cycle with two or more reads of what others overwrote";
    for part in [meaning, "T1 did not see T2's append of 1 to y", "rw, read before it was"] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(page.matches("class=\"edge why-rw\"").count(), 3);
    assert_eq!(page.matches("label concerned").count(), 6, "what the edges are about");
    keep("cycle.html", &page);
}

/// A queue of which the intervals of its items decide, and that hands one out too early.
const QUEUE: &str = r#"
{"time":1000000,"process":0,"type":"invoke","f":"enqueue","value":1}
{"time":1200000,"process":0,"type":"ok","f":"enqueue","value":1}
{"time":1300000,"process":1,"type":"invoke","f":"enqueue","value":2}
{"time":2200000,"process":1,"type":"ok","f":"enqueue","value":2}
{"time":2210000,"process":1,"type":"invoke","f":"enqueue","value":3}
{"time":2300000,"process":1,"type":"ok","f":"enqueue","value":3}
{"time":2400000,"process":1,"type":"invoke","f":"enqueue","value":4}
{"time":2450000,"process":1,"type":"ok","f":"enqueue","value":4}
{"time":2500000,"process":2,"type":"invoke","f":"dequeue","value":null}
{"time":2900000,"process":2,"type":"ok","f":"dequeue","value":2}
{"time":3000000,"process":2,"type":"invoke","f":"dequeue","value":null}
{"time":3100000,"process":2,"type":"ok","f":"dequeue","value":1}
"#;

#[test]
fn a_queue_is_stepped_through_like_a_register() {
    let history = jsonl::read(QUEUE.as_bytes(), "queue").unwrap();
    let options = linearizable::Options::default();
    let report = linearizable::check(&history, linearizable::ModelKind::Queue, &options);
    assert_eq!(report.details["algorithms"], serde_json::json!({ "intervals": 1 }));
    let verdict = Verdict::merge([(linearizable::CHECKER.to_string(), report)]);
    let page = page(&history, &verdict);
    for part in ["As far as an order exists", "[1,2]", "no state allows it"] {
        assert!(page.contains(part), "{part}");
    }
    keep("queue.html", &page);
}

/// A clock that jumps, one that drifts and one that strobes.
const CLOCKS: &str = r#"
{"time":1000000,"process":0,"type":"invoke","f":"read","key":"k","value":null}
{"time":1200000,"process":0,"type":"ok","f":"read","key":"k","value":null}
{"time":2000000000,"process":"nemesis","type":"info","f":"start-clock","value":{"aim":{"nodes":["n1"]},"clock":{"jump":{"by_ms":-5000}}}}
{"time":2001000000,"process":"nemesis","type":"info","f":"start-clock","value":["n1"],"outcome":"installed"}
{"time":4000000000,"process":"nemesis","type":"info","f":"stop-clock","value":null}
{"time":4001000000,"process":"nemesis","type":"info","f":"stop-clock","value":["n1","n2","n3"],"outcome":"installed"}
{"time":5000000000,"process":"nemesis","type":"info","f":"start-clock","value":{"aim":{"nodes":["n2","n3"]},"clock":{"drift":{"ppm":500000}}}}
{"time":5001000000,"process":"nemesis","type":"info","f":"start-clock","value":["n2","n3"],"outcome":"installed"}
{"time":7000000000,"process":"nemesis","type":"info","f":"kill","value":{"aim":{"nodes":["n3"]}}}
{"time":7001000000,"process":"nemesis","type":"info","f":"kill","value":["n3"],"outcome":"installed"}
{"time":9000000000,"process":"nemesis","type":"info","f":"stop-clock","value":null}
{"time":9001000000,"process":"nemesis","type":"info","f":"stop-clock","value":["n2","n3"],"outcome":"installed"}
{"time":9500000000,"process":"nemesis","type":"info","f":"start-clock","value":{"aim":"leader","clock":{"strobe":{"by_ms":128,"period_ms":64}}}}
{"time":9501000000,"process":"nemesis","type":"info","f":"start-clock","value":["n4"],"outcome":"installed"}
{"time":12000000000,"process":0,"type":"invoke","f":"read","key":"k","value":null}
{"time":12000100000,"process":0,"type":"ok","f":"read","key":"k","value":null}
"#;

#[test]
fn clocks_are_plotted_where_they_were_wrong() {
    let history = jsonl::read(CLOCKS.as_bytes(), "clocks").unwrap();
    let page = page(&history, &verdict(&history));
    for words in [
        "n1: 5 s behind, 2.001 s to 4.001 s",
        "n2: right, drifts by +50 % to 2 s ahead, 5.001 s to 9.001 s",
        // In a simulation a clock goes on without its node.
        "n3: right, drifts by +50 % to 2 s ahead, 5.001 s to 9.001 s",
        "n4: right, 128 ms ahead in every other 64 ms, 9.501 s to 12.000 s",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!self::page(&self::history(SMALL), &Verdict::merge([])).contains("Clocks:"));
    keep("clocks.html", &page);
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
