//! What the reader takes, what it refuses, and in which words.

use super::*;
use crate::history::{EventType, Nanos, OpIndex, Process};
use crate::value::Value;

const HEAD: &str = r#"{"index":0,"time":5,"process":3,"type":"invoke","f":"write","value":17}"#;

/// `text` must be refused with exactly this message.
#[track_caller]
fn refuse(text: &str, message: &str) {
    let error = read(text.as_bytes(), "h.jsonl").unwrap_err();
    assert_eq!(error.to_string(), message, "{text}");
}

/// `line`, put after a good first line, must be refused with this message about line 2.
#[track_caller]
fn refuse_second(line: &str, message: &str) {
    refuse(&format!("{HEAD}\n{line}\n"), &format!("h.jsonl:2: {message}"));
}

#[test]
fn reads_every_field() {
    let text = r#"
{"index":0,"time":12,"process":3,"type":"invoke","f":"cas","key":"k1","value":[1,2],"node":"n1"}
{"index":1,"time":12,"process":"nemesis","type":"info","f":"start-partition","value":{"n1":["n2"]}}
{"index":2,"time":99,"process":3,"type":"fail","f":"cas","key":"k1","value":[1,2],"error":["precondition-failed",7],"node":"n1","took":1.5,"tags":null}
"#;
    let history = read(text.as_bytes(), "h").unwrap();
    let expected = Event {
        index: OpIndex(2),
        time: Nanos(99),
        process: Process::Client(3),
        kind: EventType::Fail,
        f: "cas".into(),
        key: Some("k1".into()),
        value: Value::list([Value::Int(1), Value::Int(2)]),
        error: Some(Value::list([Value::str("precondition-failed"), Value::Int(7)])),
        node: Some("n1".into()),
        extra: Some([("took".into(), Value::Float(1.5)), ("tags".into(), Value::Null)].into()),
    };
    assert_eq!(history.events()[2], expected);
    assert_eq!(history.nemesis().count(), 1);
    let mut written = Vec::new();
    write(&mut written, history.events()).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), text[1..]);
}

#[test]
fn passes_over_what_editors_leave() {
    let tail = HEAD.replace("\"index\":0", "\"index\":1").replace("invoke", "ok");
    let blank = "\n \t\r\n";
    for text in [
        format!("{HEAD}\n{tail}\n"),
        format!("{HEAD}\n{tail}"),
        format!("\u{feff}{HEAD}\r\n{tail}\r\n"),
        format!("{blank}{HEAD}\n{blank}{tail}{blank}{blank}"),
        format!("  {HEAD}  \n  {tail}  "),
    ] {
        let history = read(text.as_bytes(), "h").unwrap();
        assert_eq!((history.events().len(), history.operations().len()), (2, 1), "{text:?}");
    }
    for empty in ["", "\n", "\u{feff}", " \r\n\n"] {
        assert_eq!(read(empty.as_bytes(), "h").unwrap().events().len(), 0, "{empty:?}");
    }
}

#[test]
fn fills_in_absent_indices() {
    let text = HEAD.replace("\"index\":0,", "")
        + "\n"
        + &HEAD.replace("\"index\":0,", "").replace("invoke", "ok");
    let history = read(text.as_bytes(), "h").unwrap();
    let indices: Vec<u32> = history.events().iter().map(|event| event.index.0).collect();
    assert_eq!(indices, [0, 1]);
}

#[test]
fn refuses_what_is_no_event() {
    refuse_second("{\"index\":1,", "column 12: the line ends too early");
    refuse_second("[]", "column 1: expected an object");
    refuse_second("{} {}", "column 4: expected the end of the line");
    refuse_second(
        "{}",
        "field `time` is missing: expected nanoseconds since the run began, an integer from 0",
    );
    refuse_second(
        r#"{"time":6,"type":"ok","f":"write"}"#,
        "field `process` is missing: expected an integer from 0, or \"nemesis\"",
    );
    refuse_second(
        r#"{"time":6,"process":3,"f":"write"}"#,
        "field `type` is missing: expected invoke, ok, fail or info",
    );
    refuse_second(
        r#"{"time":6,"process":3,"type":"ok"}"#,
        "field `f` is missing: expected the operation's name, a string",
    );
    refuse_second(
        r#"{"time":6,"process":3,"type":"okay","f":"write"}"#,
        "field `type`: expected invoke, ok, fail or info, found \"okay\"",
    );
    refuse_second(
        r#"{"time":6.5,"process":3,"type":"ok","f":"write"}"#,
        "field `time`: expected nanoseconds since the run began, an integer from 0, found 6.5",
    );
    refuse_second(
        r#"{"time":6,"process":-3,"type":"ok","f":"write"}"#,
        "field `process`: expected an integer from 0, or \"nemesis\", found -3",
    );
    refuse_second(
        r#"{"time":6,"process":3,"type":"ok","f":["write",1,2,3,4,5,6,7,8,9,10,11,12,13,14]}"#,
        "field `f`: expected the operation's name, a string, found a list",
    );
    refuse_second(
        r#"{"time":6,"process":3,"type":"ok","f":"write","node":5}"#,
        "field `node`: expected a node's name, a string, found 5",
    );
    refuse_second(
        r#"{"time":6,"process":3,"type":"ok","f":"write","value":[1,}"#,
        "column 58, field `value`: expected a value",
    );
    refuse_second(r#"{"time":6,"time":6}"#, "field `time` stands there twice");
    refuse_second(r#"{"x":6,"x":null}"#, "field `x` stands there twice");
    refuse_second(r#"{"value":{"a":1,"a":1}}"#, "field `value.a` stands there twice");
}

#[test]
fn refuses_what_no_history_can_be() {
    let ok = |more: &str| format!(r#"{{{more}"time":6,"process":3,"type":"ok","f":"write"}}"#);
    refuse_second(
        &ok("\"index\":0,"),
        "field `index`: index 0 where 1 should stand: indices are dense from 0",
    );
    refuse_second(
        &ok("\"index\":2,"),
        "field `index`: index 2 where 1 should stand: indices are dense from 0",
    );
    refuse_second(
        &ok("").replace('6', "4"),
        "field `time`: time 4 comes after 5: time may not go back (event 1)",
    );
    refuse_second(
        &ok("").replace("ok", "invoke"),
        "field `process`: process 3 invokes (event 1) while its operation of event 0 is under way",
    );
    refuse_second(
        &ok("").replace('3', "4"),
        "field `type`: `ok` of process 4 (event 1) completes nothing: no operation is under way",
    );
}

#[test]
fn tells_a_torn_tail_from_a_broken_line() {
    let tail =
        r#"{"index":1,"time":6,"process":3,"type":"ok","f":"wri\u00e9te","value":"é\n","x":[tr"#;
    for cut in (1..tail.len()).filter(|cut| *cut != 0) {
        let mut bytes = format!("{HEAD}\n\n").into_bytes();
        bytes.extend(&tail.as_bytes()[..cut]);
        let error = read(&bytes[..], "h.jsonl").unwrap_err();
        assert!(matches!(error.fault, Fault::Torn { .. }), "{cut}: {error}");
        assert_eq!(error.line, 3);
        let loaded = read_with(&bytes[..], "h", Options { allow_torn_tail: true }).unwrap();
        assert_eq!(loaded.history.events().len(), 1);
        assert_eq!(loaded.notes, ["line 3, the last, is cut off and was left out"]);
        bytes.push(b'\n');
        let error = read_with(&bytes[..], "h", Options { allow_torn_tail: true }).unwrap_err();
        assert!(!matches!(error.fault, Fault::Torn { .. }), "{cut}: {error}");
    }
    refuse(
        &format!("{HEAD}\n{{\"index\":1,\"value\":[1"),
        "h.jsonl:2: the last line is cut off at column 22, field `value`",
    );
    // All there but the newline: an event as good as any.
    let loaded = read_with(HEAD.as_bytes(), "h", Options { allow_torn_tail: true }).unwrap();
    assert_eq!((loaded.history.events().len(), loaded.notes.len()), (1, 0));
}

#[test]
fn names_the_line_whatever_the_size() {
    let line = |n: usize| {
        let (process, kind) = (n / 2 % 7, if n.is_multiple_of(2) { "invoke" } else { "ok" });
        format!(
            "{{\"index\":{n},\"time\":{n},\"process\":{process},\"type\":\"{kind}\",\"f\":\"read\",\"key\":\"k{}\",\"value\":{n}}}",
            n / 2 % 50
        )
    };
    let mut lines: Vec<String> = (0..40_000).map(line).collect();
    let text = lines.join("\n");
    assert!(text.len() > 4 * PIECE);
    let history = read(text.as_bytes(), "h").unwrap();
    assert_eq!(history.operations().len(), 20_000);
    assert_eq!(history.events()[39_999].value, Value::Int(39_999));
    for wrong in [0, 1, 12_345, 39_999] {
        let good = std::mem::replace(&mut lines[wrong], "{\"a\":\"\u{1}\"}".into());
        let error = read(lines.join("\n").as_bytes(), "h").unwrap_err();
        assert_eq!(error.line, wrong as u64 + 1);
        // Bytes that are no text.
        let mut bytes = lines.join("\n").replace('\u{1}', "\u{2}x").into_bytes();
        let at = bytes.iter().position(|byte| *byte == 2).unwrap();
        bytes[at] = 0xff;
        let error = read(&bytes[..], "h").unwrap_err();
        assert_eq!(error.to_string(), format!("h:{}: column 7: not UTF-8", wrong + 1));
        lines[wrong] = good;
    }
}

#[test]
fn a_line_without_end_is_refused_and_not_hoarded() {
    let endless = std::io::repeat(b' ');
    let error = read(endless, "h").unwrap_err();
    assert_eq!(error.to_string(), "h:1: longer than 67108864 bytes");
}

#[test]
fn a_failing_input_is_named() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    let error = read(HEAD.as_bytes().chain(Broken), "h").unwrap_err();
    assert_eq!(error.to_string(), "h:1: cannot be read: the disk is gone");
}
