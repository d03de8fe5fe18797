//! Histories with known verdicts that lie beside this repository, and readers for those of their
//! formats that nobody else needs.

use super::Recorded;
use quorate_checkers::format::{Format, Options as Reading, read};
use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::linearizable::{Call, ModelKind, Options, Outcome, check, verdict};
use quorate_checkers::model::{Model, PermitInput, Semaphore};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A history and whether it is linearizable.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) expected: bool,
    pub(crate) subject: Subject,
}

/// What a case is checked as.
pub(crate) enum Subject {
    History(History, ModelKind),
    Registers(Vec<Call<Vec<Access>, Vec<i64>>>),
    Semaphore(Vec<Call<PermitInput, bool>>),
}

/// The verdict on a case, and which algorithms gave it.
pub(crate) fn decide(case: &Case, options: &Options<'_>) -> (Valid, String) {
    let by_model = |outcome| match outcome {
        Outcome::Linearizable => (Valid::True, "search 1 (own model)".to_string()),
        Outcome::Violation => (Valid::False, "search 1 (own model)".to_string()),
        Outcome::Unknown(why) => (Valid::Unknown, why.to_string()),
    };
    match &case.subject {
        Subject::Registers(calls) => by_model(verdict(&Registers, calls, options)),
        Subject::Semaphore(calls) => by_model(verdict(&Semaphore, calls, options)),
        Subject::History(history, kind) => {
            let report = check(history, *kind, options);
            let algorithms = report.details["algorithms"].as_object().cloned().unwrap_or_default();
            let counts = algorithms.iter().map(|(name, count)| format!("{name} {count}"));
            (report.valid, counts.collect::<Vec<_>>().join(", "))
        }
    }
}

/// The folder of the cases, if it is there.
pub(crate) fn folder() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/linearizable");
    path.is_dir().then_some(path)
}

/// All cases in a folder.
pub(crate) fn all(folder: &Path) -> Vec<Case> {
    let mut cases = etcd(&folder.join("etcd-logs"));
    for path in files(&folder.join("append-kv")) {
        let (name, expected) = (name_of(&path), name_of(&path).contains("-ok"));
        let subject = Subject::History(pieces(&load(&path)), ModelKind::AppendList);
        cases.push(Case { name, expected, subject });
    }
    for path in files(&folder.join("knossos")) {
        cases.extend(knossos(&path));
    }
    for path in files(&folder.join("objects")) {
        cases.push(object(&path));
    }
    cases
}

/// The key-value traces. They are no cases of linearizability: see the test that reads them.
pub(crate) fn traces(folder: &Path) -> Vec<(String, History)> {
    let paths = files(&folder.join("turnpike-kv"));
    paths.iter().map(|path| (name_of(path), turnpike(&text(path)))).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().expect("a folder of cases") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn name_of(path: &Path) -> String {
    let parts: Vec<_> = path.iter().rev().take(4).map(|part| part.to_string_lossy()).collect();
    let from = parts.iter().position(|part| part == "linearizable").unwrap_or(parts.len());
    parts[..from].iter().rev().map(AsRef::as_ref).collect::<Vec<_>>().join("/")
}

#[expect(clippy::disallowed_methods, reason = "the test reads the files; the crate does not")]
fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a readable case")
}

fn load(path: &Path) -> History {
    let (text, name) = (text(path), path.display().to_string());
    let head = &text.as_bytes()[..text.len().min(200)];
    let format = Format::detect(&name, head).expect("a known format");
    read(text.as_bytes(), &name, format, Reading::default()).expect("a good case").history
}

pub(crate) fn etcd(folder: &Path) -> Vec<Case> {
    let verdicts = text(&folder.join("VERDICTS.tsv"));
    let verdicts: BTreeMap<&str, bool> = verdicts
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, valid)| (name, valid.trim() == "true"))
        .collect();
    let logs =
        files(folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "log"));
    logs.filter_map(|path| {
        let file = path.file_name()?.to_string_lossy().into_owned();
        let expected =
            *verdicts.get(file.as_str()).or_else(|| verdicts.get(path.file_stem()?.to_str()?))?;
        let subject = Subject::History(load(&path), ModelKind::Register);
        Some(Case { name: name_of(&path), expected, subject })
    })
    .collect()
}

fn knossos(path: &Path) -> Option<Case> {
    if path.extension().is_none_or(|extension| extension != "edn") {
        return None;
    }
    let name = name_of(path);
    let expected = name.contains("/good/");
    let history = load(path);
    let subject = if name.contains("multi-register") {
        Subject::Registers(registers(&history))
    } else if name.contains("mutex") {
        Subject::History(history, ModelKind::Mutex)
    } else {
        Subject::History(history, ModelKind::Register)
    };
    Some(Case { name, expected, subject })
}

/// Strings that are appended to, as lists of what was appended: `x 1 2 y` is one piece.
fn pieces(history: &History) -> History {
    let list = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let pieces = text.split_inclusive('y').map(Value::str);
        Value::from(pieces.collect::<Vec<_>>())
    };
    let events = history.events().iter().map(|event| {
        let mut event = event.clone();
        let (f, value) = match (event.f.as_str(), event.kind) {
            ("get", EventType::Invoke) => ("read", Value::Null),
            ("get", _) => ("read", list(&event.value)),
            ("put", _) => ("write", list(&event.value)),
            _ => ("append", event.value),
        };
        (event.f, event.value) = (f.into(), value);
        event
    });
    History::from_events(events.collect()).expect("still well-formed")
}

/// One line of an object's log: when it began and ended, the method, and its words.
struct Line {
    begin: u64,
    end: u64,
    method: String,
    words: Vec<i64>,
}

/// Reads `method value begin end` or `process begin end method words`, behind `# type`.
fn object(path: &Path) -> Case {
    let text = text(path);
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let kind = lines.next().unwrap_or_default().trim_start_matches("# ").trim().to_string();
    let lines: Vec<Line> = lines.map(line).collect();
    let name = name_of(path);
    let expected = name.contains("/lin_");
    let kind = match kind.as_str() {
        "semaphore" => {
            let subject = Subject::Semaphore(semaphore(&lines));
            return Case { name, expected, subject };
        }
        "queue" => ModelKind::Queue,
        "stack" => ModelKind::Stack,
        "priorityqueue" => ModelKind::PriorityQueue,
        "set" => ModelKind::Set,
        "rmw" => ModelKind::Register,
        other => panic!("{name}: no such object: {other}"),
    };
    Case { name, expected, subject: Subject::History(recorded(&lines), kind) }
}

fn line(line: &str) -> Line {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |word: &str| word.parse::<i64>().expect("a number");
    if words[0].parse::<i64>().is_ok() {
        Line {
            begin: number(words[1]) as u64,
            end: number(words[2]) as u64,
            method: words[3].to_lowercase(),
            words: words[4..].iter().map(|word| number(word)).collect(),
        }
    } else {
        Line {
            begin: number(words[2]) as u64,
            end: number(words[3]) as u64,
            method: words[0].to_lowercase(),
            words: vec![number(words[1])],
        }
    }
}

/// The history of an object's log. Where one call ends when another begins, it ends first.
fn recorded(lines: &[Line]) -> History {
    let mut ends: Vec<(u64, bool, usize)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        ends.push((line.begin, true, at));
        ends.push((line.end, false, at));
    }
    ends.sort_unstable();
    let events = ends.into_iter().enumerate().map(|(index, (time, begins, at))| {
        let call = spoken(&lines[at]);
        Event {
            index: OpIndex(index as u32),
            time: Nanos(time),
            process: Process::Client(at as u64),
            kind: if begins { EventType::Invoke } else { EventType::Ok },
            f: call.f.into(),
            key: None,
            value: if begins { call.input } else { call.output },
            error: None,
            node: None,
            extra: None,
        }
    });
    History::from_events(events.collect()).expect("a well-formed log")
}

fn spoken(line: &Line) -> Recorded {
    let word = Value::Int(line.words[0]);
    let found = if line.words[0] == -1 { Value::Null } else { word.clone() };
    let told = |yes: &i64| Value::from(vec![word.clone(), Value::Bool(*yes == 1)]);
    match (line.method.as_str(), line.words.get(1)) {
        ("insert", Some(yes)) => Recorded::ok("add", word.clone(), told(yes)),
        ("remove", Some(yes)) => Recorded::ok("remove", word.clone(), told(yes)),
        ("contains", Some(yes)) => Recorded::ok("contains", word.clone(), told(yes)),
        ("read_modify_write", Some(new)) => {
            let value = |n: i64| if n == 0 { Value::Null } else { Value::Int(n) };
            let pair = Value::from(vec![value(line.words[0]), value(*new)]);
            Recorded::ok("cas", pair.clone(), pair)
        }
        ("enq" | "push" | "insert", None) => Recorded::ok("enqueue", word.clone(), word),
        ("peek", None) => Recorded::ok("peek", Value::Null, found),
        ("deq" | "pop" | "poll", None) => Recorded::ok("dequeue", Value::Null, found),
        (other, _) => panic!("no such method: {other}"),
    }
}

/// Reads the key-value traces: commas, and JSON in quoted JSON in quotes.
fn turnpike(text: &str) -> History {
    let mut events = Vec::new();
    let mut keys: BTreeMap<String, Value> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let plain = line.replace(['"', '\\', ' '], "");
        let columns: Vec<&str> = plain.split(',').collect();
        let begins = columns[2] == "Invocation";
        let strings: Vec<Value> = plain
            .split("type:VString,value:")
            .skip(1)
            .map(|rest| Value::str(rest.split(['}', ',']).next().unwrap_or_default()))
            .collect();
        if begins {
            keys.insert(columns[0].to_string(), strings[0].clone());
        }
        let (f, value) = match (columns[3], begins) {
            ("ClientInterface.Read", true) => ("read", Value::Null),
            ("ClientInterface.Read", false) => {
                ("read", strings.first().cloned().unwrap_or_default())
            }
            ("ClientInterface.Write", true) => ("write", strings[1].clone()),
            ("ClientInterface.Write", false) | ("ClientInterface.Delete", _) => {
                ("write", Value::Null)
            }
            (other, _) => panic!("no such action: {other}"),
        };
        let index = events.len() as u32;
        events.push(Event {
            index: OpIndex(index),
            time: Nanos(u64::from(index)),
            process: Process::Client(columns[0].parse().expect("a number")),
            kind: if begins { EventType::Invoke } else { EventType::Ok },
            f: f.into(),
            key: keys.get(columns[0]).cloned(),
            value,
            error: None,
            node: None,
            extra: None,
        });
    }
    History::from_events(events).expect("a well-formed trace")
}

/// Several registers that one operation reads and writes at once; all are 0 at first.
struct Registers;

/// A read or a write of a register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Access {
    Read(String),
    Write(String, i64),
}

impl Model for Registers {
    type State = BTreeMap<String, i64>;
    type Input = Vec<Access>;
    /// What the reads saw, in order.
    type Output = Vec<i64>;
    type Next = Option<BTreeMap<String, i64>>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        input: &Vec<Access>,
        output: Option<&Vec<i64>>,
    ) -> Option<Self::State> {
        let mut state = state.clone();
        let mut seen = output.into_iter().flatten();
        for access in input {
            match access {
                Access::Read(register) => {
                    let value = state.get(register).copied().unwrap_or(0);
                    if output.is_some() && seen.next() != Some(&value) {
                        return None;
                    }
                }
                Access::Write(register, value) => drop(state.insert(register.clone(), *value)),
            }
        }
        Some(state)
    }
}

fn registers(history: &History) -> Vec<Call<Vec<Access>, Vec<i64>>> {
    let accesses = |value: &Value| -> Vec<(Access, Option<i64>)> {
        let access = |access: &Value| {
            let words = access.as_list().expect("an access");
            let register = words[1].as_str().expect("a register").to_string();
            match words[0].as_str() {
                Some("read" | "r") => (Access::Read(register), words[2].as_int()),
                _ => (Access::Write(register, words[2].as_int().expect("a number")), None),
            }
        };
        value.as_list().expect("a transaction").iter().map(access).collect()
    };
    let call = |op: quorate_checkers::history::OpView<'_>| {
        let input = accesses(op.input()).into_iter().map(|(access, _)| access).collect();
        let output =
            op.output().map(|seen| accesses(seen).into_iter().filter_map(|(_, n)| n).collect());
        Call {
            process: op.position as u64,
            input,
            output,
            invoke: u64::from(op.invoke.index.0),
            complete: op.output().and(op.complete).map(|event| u64::from(event.index.0)),
        }
    };
    history.ops().filter(|op| op.outcome != EventType::Fail).map(call).collect()
}

fn semaphore(lines: &[Line]) -> Vec<Call<PermitInput, bool>> {
    let call = |(at, line): (usize, &Line)| {
        let input =
            if line.method == "incr" { PermitInput::Release(1) } else { PermitInput::Acquire(1) };
        // A call ends before another begins at the same time.
        Call::new(at as u64, input, line.begin * 2 + 1, line.words[0] == 1, line.end * 2)
    };
    lines.iter().enumerate().map(call).collect()
}
