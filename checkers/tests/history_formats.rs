//! Each format says a history so that reading gives it back, and no input makes a reader panic.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod history_support;

use history_support::{assert_same, edn_values, histories, json_values, names};
use proptest::collection::vec;
use proptest::prelude::*;
use quorate_checkers::format::{Format, Options, Tuples, read, write};
use quorate_checkers::history::{Builder, Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::value::{Name, Value};

/// How a history that `writer` wrote must be read to be the same.
fn options(history: &History) -> Options {
    let keyed = history.ops().all(|op| op.key().is_some());
    let tuples = if keyed { Tuples::Always } else { Tuples::Never };
    Options { tuples, ..Options::default() }
}

fn again(history: &History, format: Format, options: Options) -> History {
    let mut text = Vec::new();
    write(&mut text, format, history).unwrap();
    let loaded = read(&text[..], "test", format, options);
    loaded.unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&text))).history
}

/// The history with each event as `change` makes it.
fn changed(history: &History, change: impl Fn(&Event, &History) -> Event) -> History {
    let events = history.events().iter().map(|event| change(event, history)).collect();
    History::from_events(events).unwrap()
}

/// Completions repeat the key of their invocation, as the formats with tuples have it.
fn with_keys_repeated(history: &History) -> History {
    changed(history, |event, history| {
        let op = history.op_at(event.index);
        Event { key: op.map_or(event.key.clone(), |op| op.key().cloned()), ..event.clone() }
    })
}

/// All operations have a key.
fn keyed(history: &History) -> History {
    with_keys_repeated(&changed(history, |event, _| match event.process {
        Process::Client(number) => {
            let key = event.key.clone().unwrap_or(Value::str(number.to_string()));
            Event { key: Some(key).filter(|_| event.kind == EventType::Invoke), ..event.clone() }
        }
        Process::Nemesis => event.clone(),
    }))
}

/// What Jepsen's log can say: no keys, times, nodes or extra fields.
fn logged(history: &History) -> History {
    changed(history, |event, _| {
        let (time, key, node, extra) = (Nanos(0), None, None, None);
        Event { time, key, node, extra, ..event.clone() }
    })
}

/// Histories of puts, appends and gets that all succeed.
fn kv_histories() -> impl Strategy<Value = History> {
    let text = "[ -!#-\\[\\]-~é😀]{0,12}";
    vec((0_u64..4, 0_usize..3, text, text), 0..30).prop_map(|steps| {
        let mut builder = Builder::default();
        let mut next = |process, kind, f: &Name, key: &Value, value| {
            let event = Event {
                index: builder.next_index(),
                time: Nanos(0),
                process: Process::Client(process),
                kind,
                f: f.clone(),
                key: Some(key.clone()),
                value,
                error: None,
                node: None,
                extra: None,
            };
            builder.push(event).unwrap();
        };
        let mut open: [Option<(Name, Value, Value)>; 4] = Default::default();
        for (process, f, key, value) in steps {
            if let Some((f, key, value)) = open[process as usize].take() {
                next(process, EventType::Ok, &f, &key, value);
            } else {
                let (f, key) = (Name::from(["get", "put", "append"][f]), Value::str(key));
                let value = Value::str(value);
                let asked = if &*f == "get" { Value::Null } else { value.clone() };
                next(process, EventType::Invoke, &f, &key, asked);
                open[process as usize] = Some((f, key, value));
            }
        }
        for (process, open) in open.into_iter().enumerate() {
            if let Some((f, key, value)) = open {
                next(process as u64, EventType::Ok, &f, &key, value);
            }
        }
        builder.finish()
    })
}

/// A valid file of some format, cut or with some bytes changed.
fn damaged() -> impl Strategy<Value = (Format, Vec<u8>)> {
    let written: Vec<Format> =
        Format::ALL.into_iter().filter(|format| format.is_written()).collect();
    let format = proptest::sample::select(written);
    let history = histories(edn_values(), names(), 12);
    let damage = vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 0..4);
    (format, history, kv_histories(), damage).prop_map(|(format, history, kv, damage)| {
        let mut text = Vec::new();
        let history = match format {
            Format::JepsenLog => logged(&history),
            Format::KvLog => kv,
            _ => history,
        };
        write(&mut text, format, &history).unwrap();
        for (place, byte, what) in damage {
            if text.is_empty() {
                break;
            }
            let at = place.index(text.len());
            match what {
                0 => text[at] = byte,
                1 => text.insert(at, b"{}[]()\":;,#\\ \n0-eN"[usize::from(byte) % 18]),
                _ => drop(text.remove(at)),
            }
        }
        (format, text)
    })
}

fn read_in_every_way(bytes: &[u8], formats: &[Format]) {
    for &format in formats {
        for tuples in [Tuples::Detect, Tuples::Always, Tuples::Never] {
            for flag in [false, true] {
                let options = Options { allow_torn_tail: flag, tuples, synthesise: flag };
                if let Ok(loaded) = read(bytes, "test", format, options) {
                    // What was read is well-formed and can be written down.
                    let history = loaded.history;
                    History::from_events(history.events().to_vec()).unwrap();
                    write(Vec::new(), Format::Jsonl, &history).unwrap();
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn edn_gives_back_what_was_written(history in histories(edn_values(), names(), 30)) {
        let history = with_keys_repeated(&history);
        assert_same(&history, &again(&history, Format::Edn, options(&history)));
        let history = keyed(&history);
        assert_same(&history, &again(&history, Format::Edn, options(&history)));
    }

    #[test]
    fn elle_json_gives_back_what_was_written(history in histories(json_values(), names(), 30)) {
        let history = with_keys_repeated(&history);
        assert_same(&history, &again(&history, Format::ElleJson, options(&history)));
        let history = keyed(&history);
        assert_same(&history, &again(&history, Format::ElleJson, options(&history)));
    }

    #[test]
    fn jepsens_log_gives_back_what_was_written(history in histories(edn_values(), names(), 30)) {
        let history = logged(&history);
        assert_same(&history, &again(&history, Format::JepsenLog, Options::default()));
    }

    #[test]
    fn kv_data_gives_back_what_was_written(history in kv_histories()) {
        assert_same(&history, &again(&history, Format::KvLog, Options::default()));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..120)) {
        read_in_every_way(&bytes, &Format::ALL);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "[\\[\\]{}()\"\\\\:;,#_ \\n0-9a-eiknortvxuNM/.+'^~é😀-]{0,60}") {
        read_in_every_way(text.as_bytes(), &Format::ALL);
    }

    #[test]
    fn no_damage_makes_a_reader_panic((format, text) in damaged()) {
        read_in_every_way(&text, &[format]);
        let detected = Format::detect("", &text[..text.len().min(100)]);
        read_in_every_way(&text, detected.as_slice());
    }
}

#[test]
fn a_history_that_says_nothing_is_the_same_in_every_format() {
    for format in Format::ALL.into_iter().filter(|format| format.is_written()) {
        let history = again(&History::default(), format, Options::default());
        assert_eq!((history.events().len(), history.operations().len()), (0, 0));
        assert_eq!(history.by_key().len(), 0);
        assert!(History::default().events().get(OpIndex(0).0 as usize).is_none());
    }
}
