//! Histories of which only the completions were kept.
//!
//! Transactions can be checked without their invocations, but a history needs them. Each missing
//! one is put where its process last did something, or at the very beginning: the earliest
//! moment that it can have been. So the operation's interval holds the true one, and an order in
//! real time that was never observed is never claimed. The field `synthetic` marks the event.

use super::{Draft, Notes, micro_ops};
use crate::history::{EventType, Process};
use crate::value::Value;
use std::collections::BTreeMap;

/// `drafts` with an invocation for each completion that lacks one.
pub(super) fn complete(drafts: Vec<Draft>, notes: &mut Notes) -> Vec<Draft> {
    // For each process where its next event can be at the earliest, and whether it is busy.
    let mut processes: BTreeMap<Process, (usize, bool)> = BTreeMap::new();
    let mut missing: Vec<(usize, Draft)> = Vec::new();
    for (position, draft) in drafts.iter().enumerate() {
        let Some(process @ Process::Client(_)) = draft.process else { continue };
        let (earliest, busy) = processes.entry(process).or_insert((0, false));
        if draft.kind != EventType::Invoke && !*busy {
            notes.count("had no invocation and got one, marked `synthetic`");
            missing.push((*earliest, invocation(draft)));
        }
        (*earliest, *busy) = (position + 1, draft.kind == EventType::Invoke);
    }
    missing.sort_by_key(|(position, _)| *position);
    let mut missing = missing.into_iter().peekable();
    let mut all = Vec::with_capacity(drafts.len() + missing.len());
    for (position, draft) in drafts.into_iter().enumerate() {
        while let Some((_, invocation)) = missing.next_if(|(before, _)| *before <= position) {
            all.push(invocation);
        }
        all.push(draft);
    }
    all
}

/// What must have been asked for `completion` to be the answer.
fn invocation(completion: &Draft) -> Draft {
    Draft {
        index: None,
        time: None,
        kind: EventType::Invoke,
        value: asked(&completion.f, &completion.value),
        error: None,
        extra: vec![("synthetic".into(), Value::Bool(true))],
        ..completion.clone()
    }
}

/// The value without what only the answer can have told.
fn asked(f: &str, value: &Value) -> Value {
    if let Some(micro_ops) = micro_ops(value) {
        let asked = micro_ops.map(|parts| match parts {
            [name, key, _] if name.as_str() == Some("r") => {
                Value::list([name.clone(), key.clone(), Value::Null])
            }
            other => Value::list(other),
        });
        return Value::List(asked.collect());
    }
    match f {
        "read" | "get" | "dequeue" | "pop" | "poll" | "generate" => Value::Null,
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::format::{Format, Options, read};
    use crate::history::jsonl;

    #[test]
    fn invocations_are_put_at_the_earliest_moment() {
        let text = r#"
{"type":"ok","process":0,"f":"txn","value":[["append","x",1],["r","y",[2]]]}
{"type":"ok","process":1,"f":"read","value":5}
{"type":"ok","process":0,"f":"add","value":2}
{"type":"invoke","process":1,"f":"add","value":3}
{"type":"fail","process":1,"f":"add","value":3}"#;
        let options = Options { synthesise: true, ..Options::default() };
        let loaded = read(text.as_bytes(), "test", Format::ElleJson, options).unwrap();
        let mut out = Vec::new();
        jsonl::write(&mut out, loaded.history.events()).unwrap();
        let expected = r#"
{"index":0,"time":0,"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["r","y",null]],"synthetic":true}
{"index":1,"time":0,"process":1,"type":"invoke","f":"read","value":null,"synthetic":true}
{"index":2,"time":0,"process":0,"type":"ok","f":"txn","value":[["append","x",1],["r","y",[2]]]}
{"index":3,"time":0,"process":0,"type":"invoke","f":"add","value":2,"synthetic":true}
{"index":4,"time":0,"process":1,"type":"ok","f":"read","value":5}
{"index":5,"time":0,"process":0,"type":"ok","f":"add","value":2}
{"index":6,"time":0,"process":1,"type":"invoke","f":"add","value":3}
{"index":7,"time":0,"process":1,"type":"fail","f":"add","value":3}
"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected[1..]);
        let expected = "3 events had no invocation and got one, marked `synthetic`";
        assert!(loaded.notes.iter().any(|note| note == expected), "{:?}", loaded.notes);
        let strict = read(text.as_bytes(), "test", Format::ElleJson, Options::default());
        assert_eq!(strict.unwrap_err().line, 2);
    }
}
