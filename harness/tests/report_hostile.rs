//! Whatever is in a history, a verdict or a log's name, the page stays what it is.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

mod report_support;

use quorate::messages::{Fate, Message};
use quorate::report::{LogLine, Sources, StatusLine, render};
use quorate::script::Script;
use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process, jsonl};
use quorate_checkers::orders;
use quorate_checkers::value::{Name, Value};
use quorate_checkers::verdict::{Anomaly, CheckerReport, Valid, Verdict};
use quorate_targets::node::Status;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const HOSTILE: &[&str] = &[
    "</script><script>window.hacked=1</script>",
    "<!--<script>",
    "<img src=x onerror=window.hacked=1>",
    "\"' onmouseover=window.hacked=1 x='",
    "]]></svg><script>window.hacked=1</script>",
    "javascript:window.hacked=1",
    "\u{202e}gnirts\u{202c} \u{200b}\u{feff}",
    "\0\u{1}\u{1b}[31m\r\n\t\u{7f}\u{85}\u{2028}",
    "&lt;script&gt; &amp; &#x3c;",
    "{{constructor.constructor('window.hacked=1')()}}",
    "a\u{10ffff}\u{e0041}値",
];

fn history() -> History {
    let mut events: Vec<Event> = Vec::new();
    for (at, text) in HOSTILE.iter().enumerate() {
        let process = Process::Client(at as u64);
        for kind in [EventType::Invoke, [EventType::Ok, EventType::Fail, EventType::Info][at % 3]] {
            events.push(Event {
                index: OpIndex(events.len() as u32),
                time: Nanos(events.len() as u64 * 1_000_000),
                process,
                kind,
                f: (*text).into(),
                key: Some(Value::str(*text)),
                value: Value::Map([(Value::str(*text), Value::str(*text))].into()),
                error: (kind != EventType::Invoke).then(|| Value::str(*text)),
                node: Some((*text).into()),
                extra: Some([(Name::from(*text), Value::str(*text))].into()),
            });
        }
        for outcome in [None, Some("installed")] {
            events.push(Event {
                index: OpIndex(events.len() as u32),
                time: Nanos(events.len() as u64 * 1_000_000),
                process: Process::Nemesis,
                kind: EventType::Info,
                f: format!("start-{text}").into(),
                key: None,
                value: Value::list([Value::str(*text)]),
                error: None,
                node: None,
                extra: outcome.map(|word| [(Name::from("outcome"), Value::from(word))].into()),
            });
        }
    }
    History::from_events(events).unwrap()
}

fn verdict(history: &History) -> Verdict {
    let reports = HOSTILE.iter().enumerate().map(|(at, text)| {
        let json = serde_json::json!({
            "index": at * 4, "f": text, "value": text, "process": text, "outcome": "ok", "state": text,
        });
        let evidence = serde_json::json!({
            "linearized": [json], "operation": json, "why": text, (*text): text,
            "order": text,
            "story": [
                { "at": at, "who": text, "how": "does", "node": text, "what": text },
                { "at": at, "who": text, "how": "asks", "node": text, "what": text, "event": at },
                { "at": at, "who": "orders", "how": "does", "what": text },
            ],
            "ended": { (*text): 1 }, "compensated": 1,
            "isolation": { "dirty_read_example": { "op": 1, "what": text } },
            "alternatives": [{ "state": text, "why": text, "possible": [json], "impossible": [json] }],
        });
        let anomaly = Anomaly {
            kind: (*text).into(),
            checker: (*text).into(),
            explanation: (*text).into(),
            ops: history.events().iter().map(|event| event.index).collect(),
            evidence: evidence.as_object().unwrap().clone(),
        };
        let report = CheckerReport {
            valid: Valid::False,
            why: Some((*text).into()),
            details: evidence.as_object().unwrap().clone(),
            anomalies: vec![anomaly],
            models: BTreeMap::from([((*text).to_owned(), Valid::Unknown)]),
        };
        ((*text).to_owned(), report)
    });
    Verdict::merge(reports)
}

fn page() -> String {
    let history = history();
    let all = HOSTILE.concat();
    let mut plan = report_support::plan();
    plan.command.clone_from(&all);
    plan.target.clone_from(&all);
    plan.workload.clone_from(&all);
    plan.version.clone_from(&all);
    plan.target_options.insert(all.clone(), all.clone());
    plan.nemesis.push(all.clone());
    let status = Status { role: all.clone(), ..Status::default() };
    let statuses = [StatusLine { time: 0, nodes: BTreeMap::from([(all.clone(), status)]) }];
    let logs = [format!("nodes/{all}/stderr.log")];
    let verdict = verdict(&history);
    let lost = Message {
        number: 0,
        from: "n1".into(),
        to: "n2".into(),
        sent: 0,
        fate: Fate::Lost,
        ended: None,
        again: Some(u64::MAX),
        kind: all.clone(),
        text: all.clone(),
    };
    let messages = [lost.clone(), Message { number: 1, from: all.clone(), ..lost }];
    plan.script = Some(Script::default());
    let sources = Sources {
        plan: &plan,
        history: &history,
        verdict: &verdict,
        statuses: &statuses,
        messages: &messages,
        logs: &logs,
        log_lines: &[LogLine { time: 0, node: all.clone(), text: all.clone() }],
        simulated: false,
    };
    render(&sources)
}

/// A shop in which every name is hostile, and one order breaks its promise.
fn orders_page() -> String {
    let mut lines = Vec::new();
    let mut line = |process: usize, kind: &str, f: &str, key: &str, value: Json| {
        let time = 1_000_000 * (lines.len() as u64 + 1);
        let event = json!({ "time": time, "process": process, "type": kind, "f": f, "key": key,
            "value": value, "node": HOSTILE[process % HOSTILE.len()] });
        lines.push(event.to_string());
    };
    let details = |text: &str| {
        json!({ "order": text, "customer": text, "item": text, "address": text,
            "quantity": -1, "amount": i64::MAX })
    };
    for (at, text) in HOSTILE.iter().enumerate() {
        line(at, "invoke", "place", text, details(text));
        line(at, "ok", "place", text, json!("charging"));
        line(at, "invoke", "read", text, Json::Null);
        line(at, "ok", "read", text, json!("confirmed"));
    }
    let orders: Vec<Json> = HOSTILE.iter().map(|text| json!([details(text), "refused"])).collect();
    let moves: Vec<Json> = HOSTILE
        .iter()
        .map(|text| json!({ "at": i64::MIN, "order": text, "to": text, "why": text }))
        .collect();
    line(0, "invoke", "book", "orders", Json::Null);
    line(0, "ok", "book", "orders", json!({ "now": 0, "orders": orders, "moves": moves }));
    for service in HOSTILE {
        let effects: Vec<Json> = HOSTILE
            .iter()
            .map(|text| {
                json!({ "at": 3, "order": text, "step": text, "account": text, "change": 1,
                    "after": i64::MIN, "refused": text })
            })
            .collect();
        let audit = json!({ "service": service, "now": 1, "initial": 5, "effects": effects,
            "accounts": { (*service): 1 }, "repeats": [[service, service, 3]] });
        line(1, "invoke", "audit", service, Json::Null);
        line(1, "ok", "audit", service, audit);
    }
    let text = lines.join("\n");
    let history = jsonl::read(text.as_bytes(), "hostile orders").unwrap();
    let report = orders::check(&history, &orders::Options::default());
    let verdict = Verdict::merge([(orders::CHECKER.to_owned(), report)]);
    assert_eq!(verdict.valid, Valid::False);
    let message = |number: usize| Message {
        number: number as u64,
        from: HOSTILE[number].into(),
        to: HOSTILE[(number + 1) % HOSTILE.len()].into(),
        sent: 5_000_000,
        fate: [Fate::Lost, Fate::Delivered][number % 2],
        ended: Some(4),
        again: Some(3),
        kind: HOSTILE[number].into(),
        text: format!("order:{}", HOSTILE[number]),
    };
    let messages: Vec<Message> = (0..HOSTILE.len()).map(message).collect();
    render(&Sources {
        plan: &report_support::plan(),
        history: &history,
        verdict: &verdict,
        statuses: &[],
        messages: &messages,
        logs: &[],
        log_lines: &[],
        simulated: true,
    })
}

#[test]
fn hostile_orders_add_nothing_either() {
    let page = orders_page();
    let tags = tags(&page);
    let scripts = tags.iter().filter(|tag| name(tag) == "script" && !tag.starts_with("</")).count();
    assert_eq!(scripts, 6, "five blocks of data and the page's own script");
    assert!(tags.iter().any(|tag| tag.contains("data-story=")), "a finding tells of its order");
    for tag in &tags {
        assert!(!["img", "iframe", "object", "base"].contains(&name(tag)), "{tag}");
    }
    report_support::keep("hostile-orders.html", &page);
}

/// The tags of a page, cut by what HTML says: a script ends at the first `</script`, a style at
/// `</style`, a tag at the first `>` outside of quotes.
fn tags(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(open) = rest.find('<') {
        rest = &rest[open..];
        let mut quoted = false;
        let close = rest
            .char_indices()
            .find(|(_, c)| {
                quoted ^= *c == '"';
                *c == '>' && !quoted
            })
            .map(|(at, _)| at)
            .expect("every tag ends");
        let tag = rest[..=close].to_owned();
        rest = &rest[close + 1..];
        for raw in ["script", "style"] {
            if tag.starts_with(&format!("<{raw}")) {
                let end = rest.find(&format!("</{raw}")).expect("every script ends");
                rest = &rest[end..];
            }
        }
        tags.push(tag);
    }
    tags
}

fn name(tag: &str) -> &str {
    tag.trim_start_matches(['<', '/']).split([' ', '>', '/']).next().unwrap_or_default()
}

#[test]
fn hostile_texts_add_no_element_and_no_handler() {
    let page = page();
    let tags = tags(&page);
    let scripts = tags.iter().filter(|tag| name(tag) == "script" && !tag.starts_with("</")).count();
    assert_eq!(scripts, 3, "two blocks of data and the page's own script");
    for tag in &tags {
        assert!(
            !["img", "iframe", "object", "base", "foreignObject"].contains(&name(tag)),
            "{tag}"
        );
        let quoted: Vec<&str> = tag.split('"').collect();
        for attributes in quoted.iter().step_by(2) {
            let handler = attributes.split_whitespace().any(|word| word.starts_with("on"));
            assert!(!handler, "{tag}");
            assert!(!attributes.contains("style="), "{tag}");
        }
        if let Some(at) = quoted.iter().position(|part| part.ends_with(" href=")) {
            let link = quoted[at + 1];
            let ours = [
                "#",
                "./nodes/",
                "history.jsonl",
                "verdict.json",
                "plan.json",
                "status.jsonl",
                "data:,",
            ];
            assert!(ours.iter().any(|start| link.starts_with(start)), "{tag}");
        }
    }
    report_support::keep("hostile.html", &page);
}

#[test]
fn elements_are_closed_in_order() {
    let mut open: Vec<String> = Vec::new();
    for tag in tags(&page()) {
        let void = ["!DOCTYPE", "meta", "link", "input", "br"].contains(&name(&tag));
        if tag.starts_with("</") {
            assert_eq!(open.pop().as_deref(), Some(name(&tag)), "{tag}");
        } else if !void {
            open.push(name(&tag).to_owned());
        }
    }
    assert_eq!(open, Vec::<String>::new());
}

#[test]
fn nothing_in_the_text_is_invisible_or_turns_it_around() {
    let page = page() + &orders_page();
    for c in ['\0', '\u{1b}', '\u{202e}', '\u{200b}', '\u{feff}', '\u{2028}', '\u{e0041}'] {
        assert!(!page.contains(c), "{c:?}");
    }
}

#[test]
fn the_policy_allows_the_page_and_nothing_else() {
    let page = page();
    let start = page.find("Content-Security-Policy\" content=\"").unwrap();
    let policy = page[start..].split('"').nth(2).unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(page.find("<style>").unwrap() > start, "the policy comes before what it governs");
}
