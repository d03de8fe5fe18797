//! Histories written by hand.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use quorate_checkers::format::{Format, Options as Reading, read};
use quorate_checkers::history::History;
use std::fmt::Write;

/// The history of transactions, one a line: `PROCESS OUTCOME MICRO-OPERATIONS`. They follow
/// each other; those between lines `(` and `)` are concurrent. `PROCESS init MAP` says what rows
/// there are at the beginning.
pub(crate) fn history(text: &str) -> History {
    let mut events = String::new();
    let mut open: Option<Vec<(&str, &str, &str)>> = None;
    let event = |events: &mut String, kind: &str, process: &str, ops: &str| {
        let ops = if kind == "invoke" { asked(ops) } else { ops.to_owned() };
        writeln!(events, r#"{{"type":"{kind}","process":{process},"f":"txn","value":[{ops}]}}"#)
            .unwrap();
    };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match line {
            "(" => open = Some(Vec::new()),
            ")" => {
                for (process, outcome, ops) in open.take().unwrap() {
                    event(&mut events, outcome, process, ops);
                }
            }
            line => {
                let mut parts = line.splitn(3, ' ');
                let txn = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
                if txn.1 == "init" {
                    for kind in ["invoke", "ok"] {
                        let (process, rows) = (txn.0, txn.2);
                        writeln!(
                            events,
                            r#"{{"type":"{kind}","process":{process},"f":"init","value":{rows}}}"#
                        )
                        .unwrap();
                    }
                    continue;
                }
                event(&mut events, "invoke", txn.0, txn.2);
                match &mut open {
                    Some(open) => open.push(txn),
                    None => event(&mut events, txn.1, txn.0, txn.2),
                }
            }
        }
    }
    let loaded = read(events.as_bytes(), "test", Format::ElleJson, Reading::default());
    loaded.unwrap_or_else(|error| panic!("{error}\n{events}")).history
}

/// The micro-operations without what only an answer tells.
fn asked(ops: &str) -> String {
    let list: serde_json::Value = serde_json::from_str(&format!("[{ops}]")).unwrap();
    let mut list = list.as_array().unwrap().clone();
    for op in list.iter_mut().filter(|op| op[0] == "r" || op[0] == "rp") {
        op[2] = serde_json::Value::Null;
    }
    let text = serde_json::Value::Array(list).to_string();
    text[1..text.len() - 1].to_owned()
}
