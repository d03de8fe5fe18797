//! Histories as short texts, one event a line: `PROCESS TYPE F KEY VALUE [@NODE]`; `heal` is the
//! beginning of the final phase.

use quorate_checkers::aftermath::FINAL_PHASE;
use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::value::Value;

/// The history that a text tells; one millisecond an event.
pub(crate) fn history(text: &str) -> History {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    History::from_events(lines.enumerate().map(|(index, line)| event(index, line)).collect())
        .unwrap()
}

fn event(index: usize, line: &str) -> Event {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words == ["heal"] {
        return make(
            index,
            Process::Nemesis,
            EventType::Info,
            FINAL_PHASE,
            None,
            Value::Null,
            None,
        );
    }
    let process = Process::Client(words[0].parse().unwrap());
    let kind = EventType::ALL.into_iter().find(|kind| kind.as_str() == words[1]).unwrap();
    let value: serde_json::Value = serde_json::from_str(words[4]).unwrap();
    let node = words.get(5).map(|node| node.trim_start_matches('@'));
    make(index, process, kind, words[2], Some(Value::str(words[3])), value.into(), node)
}

pub(crate) fn make(
    index: usize,
    process: Process,
    kind: EventType,
    f: &str,
    key: Option<Value>,
    value: Value,
    node: Option<&str>,
) -> Event {
    Event {
        index: OpIndex(index as u32),
        time: Nanos(index as u64 * 1_000_000),
        process,
        kind,
        f: f.into(),
        key,
        value,
        error: None,
        node: node.map(Into::into),
        extra: None,
    }
}

/// A history of operations that do not overlap: what each was, and how it ended.
#[derive(Default)]
pub(crate) struct Sequence {
    events: Vec<Event>,
}

impl Sequence {
    /// One operation; `output` is the value of its completion.
    pub(crate) fn op(
        &mut self,
        process: u64,
        what: (&str, &str),
        input: Value,
        outcome: EventType,
        output: Value,
        node: &str,
    ) {
        let (f, key) = what;
        for (kind, value) in [(EventType::Invoke, input), (outcome, output)] {
            let (index, process) = (self.events.len(), Process::Client(process));
            let key = Some(Value::str(key));
            self.events.push(make(index, process, kind, f, key, value, Some(node)));
        }
    }

    pub(crate) fn heal(&mut self) {
        let index = self.events.len();
        let (kind, value) = (EventType::Info, Value::Null);
        self.events.push(make(index, Process::Nemesis, kind, FINAL_PHASE, None, value, None));
    }

    pub(crate) fn history(self) -> History {
        History::from_events(self.events).unwrap()
    }
}
