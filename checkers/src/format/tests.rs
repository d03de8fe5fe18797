//! Other formats: what they mean in ours, and what is told of it.

use super::*;
use crate::history::Process;
use crate::value::Value;

fn load(text: &str, format: Format) -> Loaded {
    read(text.as_bytes(), "h", format, Options::default()).unwrap()
}

/// `text` must be refused with exactly this message.
#[track_caller]
fn refuse(format: Format, text: &str, message: &str) {
    let error = read(text.as_bytes(), "h", format, Options::default()).unwrap_err();
    assert_eq!(error.to_string(), message, "{text}");
}

fn written(history: &History, format: Format) -> String {
    let mut out = Vec::new();
    write(&mut out, format, history).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn edn_is_read_in_all_the_shapes_that_jepsen_writes() {
    let lines = "{:type :invoke, :f :read, :value [3 nil], :process 2, :time 5, :index 0}\n\
                 {:type :info, :f :start, :value {\"n1\" #{\"n2\"}}, :process :nemesis, :time 6, :index 1}\n\
                 {:type :ok, :f :read, :value [3 7], :process 2, :time 9, :index 2, :error nil, :a/b :c}\n";
    let expected = "{\"index\":0,\"time\":5,\"process\":2,\"type\":\"invoke\",\"f\":\"read\",\"key\":3,\"value\":null}\n\
                    {\"index\":1,\"time\":6,\"process\":\"nemesis\",\"type\":\"info\",\"f\":\"start\",\"value\":{\"n1\":[\"n2\"]}}\n\
                    {\"index\":2,\"time\":9,\"process\":2,\"type\":\"ok\",\"f\":\"read\",\"key\":3,\"value\":7,\"a/b\":\"c\"}\n";
    let records = lines.replace("{:type", "#jepsen.history.Op{:type");
    for text in [
        lines.to_string(),
        format!("[{lines}]"),
        format!("; a comment\n ({lines}) ; the end"),
        format!("\u{feff}[{}]\n", lines.replace("}\n", "},")),
        records.clone(),
        format!("[{records}]"),
    ] {
        let loaded = load(&text, Format::Edn);
        assert_eq!(written(&loaded.history, Format::Jsonl), expected, "{text}");
        assert_eq!(loaded.notes, ["2 events have a value that was taken as a tuple `[key value]`"]);
    }
    let again = written(&load(lines, Format::Edn).history, Format::Edn);
    assert_eq!(again, lines.replace(", :error nil", ""));
    for empty in ["", " ; nothing", "[]", "()"] {
        assert_eq!(load(empty, Format::Edn).history.events().len(), 0);
    }
}

#[test]
fn elle_json_is_a_list_or_lines() {
    let list = "[{\"type\":\"invoke\",\"f\":\"txn\",\"value\":[[\"r\",\"x\",null]],\"process\":0,\"time\":1,\"index\":0},\n\
                {\"type\":\"ok\",\"f\":\"txn\",\"value\":[[\"r\",\"x\",[1]]],\"process\":0,\"time\":2,\"index\":1}]\n";
    let history = load(list, Format::ElleJson).history;
    assert_eq!(written(&history, Format::ElleJson), list);
    let lines = list.trim().trim_matches(['[', ']']).replace("},\n", "}\n");
    assert_eq!(load(&lines, Format::ElleJson).history.events(), history.events());
    let edn = "{:type :invoke, :f :txn, :value [[:r \"x\" nil]], :process 0, :time 1, :index 0}\n\
               {:type :ok, :f :txn, :value [[:r \"x\" [1]]], :process 0, :time 2, :index 1}\n";
    assert_eq!(written(&history, Format::Edn), edn);
    assert_eq!(load(edn, Format::Edn).history.events(), history.events());
    for empty in ["", "[]", " [ ] "] {
        assert_eq!(load(empty, Format::ElleJson).history.events().len(), 0);
    }
}

#[test]
fn what_is_absent_is_filled_in_and_told() {
    let text = "{:type :invoke :value [[:append 1 1] [:r 2 nil]] :index 10 :time 7}\n\
                {:type :invoke :value [[:append 1 2]] :index 12 :time -1}\n\
                {:type :ok :value [[:append 1 1] [:r 2 [3]]] :index 13 :time 5}\n";
    let Loaded { history, notes } = load(text, Format::Edn);
    let processes: Vec<Process> = history.events().iter().map(|event| event.process).collect();
    assert_eq!(processes, [0, 1, 0].map(Process::Client));
    assert_eq!(history.events()[2].time.0, 7);
    assert_eq!(history.events()[2].extra, Some([("original-index".into(), Value::Int(13))].into()));
    assert_eq!(
        notes,
        [
            "1 event had a time before that of the event before and take that one",
            "3 events had another index, which is kept as `original-index`",
            "1 event had no time and take that of the event before",
            "3 events named no `f` and are taken as `txn`",
            "3 events named no process and got one",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_named() {
    let good = "{:type :invoke, :f :read, :process 0}\n";
    let edn = |line: &str, message: &str| refuse(Format::Edn, &format!("{good}{line}"), message);
    edn("{:type :ok :f :read", "h:2: the last line is cut off at column 20");
    edn("{:type :ok :f :read\n", "h:3: column 1: the text ends before `{` is closed");
    edn("{:type :ok :f :read]\n", "h:2: column 20: `]` closes nothing");
    edn("17\n", "h:2: column 1: expected a map, found an integer");
    edn("{1 2}\n", "h:2: column 1: expected a field's name, found 1");
    edn("\n\n{:f :read}\n", "h:4: field `type` is missing: expected invoke, ok, fail or info");
    edn("{:type :ok}\n", "h:2: field `f` is missing: expected the operation's name, a string");
    edn("{:type :done}\n", "h:2: field `type`: expected invoke, ok, fail or info, found \"done\"");
    edn(
        "{:type :ok :f :read :process 5}\n",
        "h:2: field `type`: `ok` of process 5 (event 1) completes nothing: no operation is under way",
    );
    refuse(
        Format::Edn,
        &format!("[{good}"),
        "h:2: column 1: the text ends before the list is closed",
    );
    refuse(Format::Edn, &format!("[{good}] 1"), "h:2: column 3: expected the end behind the list");
    refuse(Format::ElleJson, "[{\"a\":1,\"a\":2}]", "h:1: field `a` stands there twice");
    refuse(Format::ElleJson, "[1", "h:1: column 2: expected a map, found an integer");
    refuse(Format::ElleJson, "[", "h:1: column 2: the text ends too early");
    refuse(
        Format::JepsenLog,
        "0 :invoke :read nil\nhello",
        "h:2: column 1: expected `INFO  jepsen.util - ` or a process",
    );
    refuse(
        Format::JepsenLog,
        "0 :invoke :read",
        "h:1: field `value` is missing: expected a line `process type f value`",
    );
    refuse(
        Format::JepsenLog,
        "0 :invoke :read nil nil 5",
        "h:1: column 26: expected the end of the line, found 5",
    );
    let error = read(&b"{}\n\xff"[..], "h", Format::Edn, Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "h:2: column 1: not UTF-8");
}

#[test]
fn a_torn_tail_is_left_out_on_request() {
    let options = Options { allow_torn_tail: true, ..Options::default() };
    for (format, good, torn) in [
        (Format::Edn, "{:type :invoke, :f :read, :process 0}\n", "{:type :ok, :f"),
        (Format::ElleJson, "{\"type\":\"invoke\",\"f\":\"r\",\"process\":0}\n", "{\"type\":\"o"),
        (
            Format::JepsenLog,
            "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n",
            "INFO  jepsen.util - 0\t:o",
        ),
        (
            Format::Jsonl,
            "{\"type\":\"invoke\",\"f\":\"r\",\"process\":0,\"time\":0}\n",
            "{\"type\":\"o",
        ),
    ] {
        let text = format!("{good}{torn}");
        read(text.as_bytes(), "h", format, Options::default()).unwrap_err();
        let loaded = read(text.as_bytes(), "h", format, options).unwrap();
        assert_eq!(loaded.history.events().len(), 1, "{format}");
        assert!(loaded.notes.iter().any(|note| note.contains("cut off")), "{:?}", loaded.notes);
        let broken = format!("{good}{torn}\n{good}");
        read(broken.as_bytes(), "h", format, options).unwrap_err();
    }
}

#[test]
fn the_log_of_jepsen_gets_its_meaning() {
    let text = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n\
                INFO  jepsen.core - Run complete, writing\n\
                INFO  jepsen.util - 1   :invoke :cas [1 2]\n\
                INFO  jepsen.util - 0\t:fail\t:read\t:timed-out\n\
                INFO  jepsen.util - :nemesis\t:info\t:start\t\"Cut off\"\n\
                INFO  jepsen.util - 1\t:fail\t:cas\t[1 2]\n\
                INFO  jepsen.util - 1\t:invoke\t:write\t4\n\
                INFO  jepsen.util - 1\t:info\t:write\t:timed-out\n";
    let Loaded { history, notes } = load(text, Format::JepsenLog);
    let expected = "{\"index\":2,\"time\":0,\"process\":0,\"type\":\"fail\",\"f\":\"read\",\"value\":null,\"error\":\"timed-out\"}\n\
                    {\"index\":3,\"time\":0,\"process\":\"nemesis\",\"type\":\"info\",\"f\":\"start\",\"value\":\"Cut off\"}\n\
                    {\"index\":4,\"time\":0,\"process\":1,\"type\":\"fail\",\"f\":\"cas\",\"value\":[1,2],\"error\":[\"precondition-failed\"]}\n\
                    {\"index\":5,\"time\":0,\"process\":1,\"type\":\"invoke\",\"f\":\"write\",\"value\":4}\n\
                    {\"index\":6,\"time\":0,\"process\":1,\"type\":\"info\",\"f\":\"write\",\"value\":4,\"error\":\"timed-out\"}\n";
    assert!(written(&history, Format::Jsonl).ends_with(expected));
    assert!(notes.iter().any(|note| note == "1 event of other parts of the log were passed over"));
    let core = "INFO  jepsen.core - Run complete, writing\n";
    let plain = text
        .replace(core, "")
        .replace("1   :invoke :cas", "1\t:invoke\t:cas\t")
        .replace("\t ", "\t");
    assert_eq!(written(&history, Format::JepsenLog), plain);
    // history.txt is the same without the prefix.
    let bare = plain.replace("INFO  jepsen.util - ", "");
    assert_eq!(load(&bare, Format::JepsenLog).history.events(), history.events());
}

#[test]
fn what_a_format_cannot_say_is_an_error() {
    let history = load("{:type :invoke :f :get :key \"0\" :process 0}", Format::KvLog).history;
    let refuse = |history: &History, format, message: &str| {
        let error = write(Vec::new(), format, history).unwrap_err();
        assert_eq!(error.to_string(), message);
    };
    refuse(
        &history,
        Format::JepsenLog,
        "event 0 cannot be said in the format jepsen-log: it has no keys",
    );
    refuse(
        &history,
        Format::KvLog,
        "event 0 cannot be said in the format kv-log: each operation must have a completion `ok`",
    );
    let kv = "{:process 0, :type :invoke, :f :append, :key \"0\", :value \"x 0 0 y\"}\n\
              {:process 0, :type :ok, :f :append, :key \"0\", :value \"x 0 0 y\"}\n";
    let history = load(kv, Format::KvLog).history;
    assert_eq!(written(&history, Format::KvLog), kv);
    let quotes = kv.replace("x 0", "x\\\"0");
    refuse(
        &load(&quotes, Format::KvLog).history,
        Format::KvLog,
        "event 0 cannot be said in the format kv-log: values are strings without quotes",
    );
}

#[test]
fn formats_are_told_by_name_and_by_looks() {
    let check = |file: &str, head: &str, expected: Option<Format>| {
        assert_eq!(Format::detect(file, head.as_bytes()), expected, "{file} {head}");
    };
    check("a/history.jsonl", "{\"index\":0", Some(Format::Jsonl));
    check("history.jsonl", "", Some(Format::Jsonl));
    check("h.json", "\u{feff} [ {\"type\"", Some(Format::ElleJson));
    check("h.json", "{\"type\"", Some(Format::ElleJson));
    check("h.edn", "{:type", Some(Format::Edn));
    check("h.edn", "[{:type", Some(Format::Edn));
    check("h.edn", "; hi", Some(Format::Edn));
    check("h.edn", "#jepsen", Some(Format::Edn));
    check("h.log", "INFO  jepsen.util - 0", Some(Format::JepsenLog));
    check("history.txt", "0\t:invoke", Some(Format::JepsenLog));
    check("c01.txt", "{:process 0", Some(Format::KvLog));
    check("h.log", "{\"index\":0", Some(Format::Jsonl));
    check("h", "[{\"type\"", Some(Format::ElleJson));
    check("h", "({:type", Some(Format::Edn));
    check("h", "", Some(Format::Jsonl));
    check("h", "what is this", None);
    check("h", "[1,2]", None);
    check("h.jsonl", "[1,2]", Some(Format::Jsonl));
    for format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
    }
}
