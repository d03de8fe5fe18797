//! From a history to its table of transactions.
//!
//! What a transaction did is taken from its completion where that is `ok`. One that failed, or
//! of which nobody knows, is taken from its completion too where that is a list of as many
//! micro-operations, else from its invocation; what it read is then unknown wherever it says
//! `null`. Operations that are no transactions are left out and counted.
//!
//! Values lie scattered in memory, and to fetch them is most of the work: so several threads make
//! tables of parts of the history, which are then put together in order.

use super::check::Workload;
use super::closed_predicate;
use super::table::{Action, Outcome, Session, Table};
use crate::history::{Event, EventType, History, OpIndex, OpView, Process};
use crate::value::Value;
use hashbrown::HashMap;
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;
use std::ops::Range;

/// A transaction that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {at}, field `{field}`: expected {expected}, found {found}")]
pub struct Malformed {
    /// The event.
    pub at: OpIndex,
    /// Where in the event: `value[2][1]` is the key of the third micro-operation.
    pub field: String,
    /// What should stand there.
    pub expected: &'static str,
    /// What stands there.
    pub found: String,
}

const TXN: &str = "a list of micro-operations, each [\"r\", key, value], [\"w\", key, value] or \
                   [\"append\", key, value]";
const NAME: &str = "the micro-operation \"r\", \"w\" or \"append\"";
const ELEMENT: &str = "a value to write; null is what an unwritten key holds";
const SPACE: &str = "fewer than 2^32 micro-operations and elements of lists in all";

/// Operations that one thread reads at a time.
const PART: usize = 1 << 14;
/// Parts that are there at a time, for each thread.
const PARTS_A_THREAD: usize = 2;

/// The sessions of a table, by process.
type Sessions = HashMap<u64, Session, FxBuildHasher>;

impl Table {
    /// The transactions of a history: all operations `txn`, and all others that are lists of
    /// micro-operations. Linear in the history.
    pub fn from_history(history: &History) -> Result<Table, Malformed> {
        let count = history.operations().len();
        if count <= PART {
            return part(history, 0..count);
        }
        let (mut table, mut sessions) = (Table::default(), Sessions::default());
        let wave = PART * PARTS_A_THREAD * rayon::current_num_threads();
        for begin in (0..count).step_by(wave) {
            let starts: Vec<usize> = (begin..count.min(begin + wave)).step_by(PART).collect();
            let part = |start: usize| part(history, start..count.min(start + PART));
            let parts: Vec<Result<Table, Malformed>> = starts.into_par_iter().map(part).collect();
            for part in parts {
                put(&mut table, &mut sessions, &part?)?;
            }
        }
        Ok(table)
    }

    /// How many operations of a history are no transactions.
    pub fn others(history: &History) -> usize {
        ops(history).filter(|op| !is_transaction(op)).count()
    }
}

/// All operations of a history, for several threads.
fn ops(history: &History) -> impl ParallelIterator<Item = OpView<'_>> {
    (0..history.operations().len()).into_par_iter().map(|position| history.op(position))
}

/// The transactions among some operations.
fn part(history: &History, positions: Range<usize>) -> Result<Table, Malformed> {
    let (mut table, mut sessions) = (Table::default(), Sessions::default());
    for op in positions.map(|position| history.op(position)).filter(is_transaction) {
        let Process::Client(number) = op.process() else { continue };
        let session = *sessions.entry(number).or_insert_with(|| table.add_session(number));
        add(&mut table, session, &op)?;
    }
    Ok(table)
}

/// Puts a part behind what a table holds.
fn put(table: &mut Table, sessions: &mut Sessions, part: &Table) -> Result<(), Malformed> {
    if !table.has_room_for(part) {
        let at = part.txns().iter().find_map(|txn| txn.invoke).unwrap_or_default();
        return Err(Malformed { at, field: "value".into(), expected: SPACE, found: "more".into() });
    }
    let processes = (0..part.sessions() as u32).map(|session| part.process(Session(session)));
    let session = |process| *sessions.entry(process).or_insert_with(|| table.add_session(process));
    let sessions: Vec<Session> = processes.map(session).collect();
    table.append(part, &sessions);
    Ok(())
}

/// Whether a history holds transactions of `r`, `w` and `append`, or of rows and predicates.
pub fn is_transactional(history: &History) -> bool {
    history.ops().any(|op| asks_micro_ops(&op))
}

/// Whether an operation is a transaction: by its name, or else by what it asked.
fn is_transaction(op: &OpView<'_>) -> bool {
    op.f().as_str() == "txn" || asks_micro_ops(op)
}

fn asks_micro_ops(op: &OpView<'_>) -> bool {
    let known = |name: &str| Name::of(name).is_some() || closed_predicate::is_own(name);
    let name = |item: &Value| item.as_list()?.first()?.as_str().map(known);
    let items = op.input().as_list().unwrap_or_default();
    !items.is_empty() && items.iter().all(|item| name(item) == Some(true))
}

/// Whether some micro-operation of a history is one of these workloads. Those that may be of any
/// say nothing, and those that make no sense are passed over.
pub(super) fn shows(history: &History, workloads: &[Workload]) -> bool {
    let is_one = |op: OpView<'_>| signs(told(&op)).any(|sign| workloads.contains(&sign));
    ops(history).filter(is_transaction).any(is_one)
}

/// What the micro-operations of an event say of their objects.
fn signs(event: &Event) -> impl Iterator<Item = Workload> {
    event.value.as_list().unwrap_or_default().iter().filter_map(|item| {
        let item = item.as_list()?;
        if closed_predicate::is_own(item.first()?.as_str()?) {
            return Some(Workload::ClosedPredicate);
        }
        match (item.first()?.as_str().and_then(Name::of)?, item.get(2)) {
            (Name::Append, _) | (Name::Read, Some(Value::List(_))) => Some(Workload::Append),
            (Name::Read, None | Some(Value::Null)) => None,
            (Name::Write | Name::Read, _) => Some(Workload::Register),
        }
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Read,
    Write,
    Append,
}

impl Name {
    fn of(text: &str) -> Option<Name> {
        match text {
            "r" => Some(Name::Read),
            "w" => Some(Name::Write),
            "append" => Some(Name::Append),
            _ => None,
        }
    }
}

fn add(table: &mut Table, session: Session, op: &OpView<'_>) -> Result<(), Malformed> {
    let outcome = outcome(op);
    let event = told(op);
    let at = event.index;
    let malformed = |field: String, expected, found: &Value| Malformed {
        at,
        field,
        expected,
        found: shown(found),
    };
    let complete = op.complete.map(|event| event.index);
    table.begin(session, outcome, Some(op.invoke.index), complete);
    let items =
        event.value.as_list().ok_or_else(|| malformed("value".into(), TXN, &event.value))?;
    for (position, item) in items.iter().enumerate() {
        let field = |inner: &str| format!("value[{position}]{inner}");
        let (name, key, value) = match item.as_list() {
            Some([name, key]) => (name, key, &Value::Null),
            Some([name, key, value]) => (name, key, value),
            _ => return Err(malformed(field(""), TXN, item)),
        };
        let name = name.as_str().and_then(Name::of);
        let name = name.ok_or_else(|| malformed(field("[0]"), NAME, &item_name(item)))?;
        if name != Name::Read && value.is_null() {
            return Err(malformed(field("[2]"), ELEMENT, value));
        }
        if table.is_full(value.as_list().map_or(1, <[Value]>::len)) {
            return Err(malformed(field(""), SPACE, item));
        }
        let key = match &event.key {
            None => table.key_id(key),
            Some(outer) => table.key_id(&Value::list([outer.clone(), key.clone()])),
        };
        let action = match (name, value) {
            (Name::Read, Value::Null) if outcome != Outcome::Ok => Action::ReadUnknown,
            (Name::Read, Value::List(list)) => Action::ReadList(table.add_list(list)),
            (Name::Read, value) => Action::Read(table.value_id(value)),
            (Name::Write, value) => Action::Write(table.value_id(value)),
            (Name::Append, value) => Action::Append(table.value_id(value)),
        };
        table.push(key, action);
    }
    Ok(())
}

/// How a transaction ended.
pub(super) fn outcome(op: &OpView<'_>) -> Outcome {
    match op.outcome {
        EventType::Ok => Outcome::Ok,
        EventType::Fail => Outcome::Fail,
        _ => Outcome::Info,
    }
}

/// The event that says best what an operation did.
pub(super) fn told<'a>(op: &OpView<'a>) -> &'a Event {
    let asked = op.input().as_list().map(<[Value]>::len);
    let same = |event: &&Event| {
        op.outcome == EventType::Ok
            || event.value.as_list().is_some_and(|items| {
                Some(items.len()) == asked && items.iter().all(|item| item.as_list().is_some())
            })
    };
    op.complete.filter(same).unwrap_or(op.invoke)
}

fn item_name(item: &Value) -> Value {
    item.as_list().and_then(<[Value]>::first).cloned().unwrap_or_default()
}

/// A value for a message, shortened if it is long.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= 60 { text } else { value.kind().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::jsonl;
    use crate::transactions::{MicroOp, TxnId};

    fn parse(lines: &[&str]) -> Result<Table, Malformed> {
        let lines: Vec<String> =
            lines.iter().map(|line| format!("{{\"time\":0,{line}}}\n")).collect();
        let text = lines.concat();
        Table::from_history(&jsonl::read(text.as_bytes(), "test").unwrap())
    }

    #[test]
    fn completions_tell_what_was_read() {
        let table = parse(&[
            r#""process":0,"type":"invoke","f":"txn","value":[["r","x",null],["append","x",3]]"#,
            r#""process":1,"type":"invoke","f":"txn","value":[["r","x",null],["w","y",3]]"#,
            r#""process":2,"type":"invoke","f":"txn","value":[["r","y",null]]"#,
            r#""process":2,"type":"info","f":"txn","value":null"#,
            r#""process":0,"type":"ok","f":"txn","value":[["r","x",[1,2]],["append","x",3]]"#,
            r#""process":1,"type":"ok","f":"txn","value":[["r","x"],["w","y",3]]"#,
        ])
        .unwrap();
        assert_eq!(table.len(), 3);
        let [MicroOp { key: x, action: Action::ReadList(list) }, second] = table.ops(TxnId(0))
        else {
            panic!("{:?}", table.ops(TxnId(0)))
        };
        assert_eq!(
            table.list(*list).iter().map(|id| table.value(*id).clone()).collect::<Vec<_>>(),
            [Value::Int(1), Value::Int(2)]
        );
        assert_eq!(second.key, *x);
        assert!(matches!(second.action, Action::Append(id) if table.value(id) == &Value::Int(3)));
        assert_eq!(table.ops(TxnId(1))[0].action, Action::Read(super::super::ValueId::NIL));
        assert_eq!(table.ops(TxnId(2))[0].action, Action::ReadUnknown);
        assert_eq!(table.txn(TxnId(2)).outcome, Outcome::Info);
    }

    fn check_error(value: &str, field: &str) {
        let line = |kind: &str| format!(r#""process":0,"type":"{kind}","f":"txn","value":{value}"#);
        let error = parse(&[&line("invoke"), &line("ok")]).unwrap_err();
        assert_eq!((error.at, error.field.as_str()), (OpIndex(1), field), "{error}");
    }

    #[test]
    fn nonsense_is_told_with_its_place() {
        check_error("7", "value");
        check_error(r#"[["r","x",null],5]"#, "value[1]");
        check_error(r#"[["r","x",null],["cas","x",1]]"#, "value[1][0]");
        check_error(r#"[["r","x",null,1]]"#, "value[0]");
        check_error(r#"[["w","x",null]]"#, "value[0][2]");
        check_error("[[],[]]", "value[0]");
    }

    #[test]
    fn what_is_no_transaction_is_left_out() {
        let lines = [
            r#""process":0,"type":"invoke","f":"read","value":null"#,
            r#""process":1,"type":"invoke","f":"append","value":[["append","x",1]]"#,
        ];
        assert_eq!(parse(&lines).unwrap().len(), 1);
    }
}
