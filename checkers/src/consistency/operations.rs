//! From a history of single operations to a table with one row an operation.
//!
//! What certainly did not happen stays as a failed row, so that a read of it can be told. What
//! crashed and whose value nobody saw is left out: it may have come last, or never. A crashed
//! compare-and-set whose value somebody saw took effect, so it saw what it compared with, which
//! may show another crashed one to have taken effect. A compare-and-set that was refused and said
//! what it found is a read of that.

use crate::history::{EventType, History, OpView, Process};
use crate::linearizable::{no_other_value, refusal};
use crate::transactions::{Action, KeyId, Outcome, Session, Table, ValueId};
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

type FxMap<K, V> = HashMap<K, V, FxBuildHasher>;

/// The operations of a history on registers.
#[derive(Debug)]
pub struct Operations {
    /// One row an operation, in the order of invocations.
    pub table: Table,
    /// Compare-and-sets that were refused and did not say what they had found: all that is known
    /// is one value that the register did not hold.
    pub mute_refusals: usize,
    /// The first compare-and-set that says it was refused although it found what it compared
    /// with, by its place among the operations.
    pub contradiction: Option<usize>,
}

/// An operation before it is known whether it counts.
#[derive(Clone, Copy)]
struct Row {
    position: u32,
    key: KeyId,
    read: Option<ValueId>,
    write: Option<ValueId>,
    outcome: Outcome,
    /// Whether somebody may have read what it wrote.
    seen: bool,
}

impl Operations {
    /// Reads `read`, `write` and `cas`; an error says what else there is. Linear in the history.
    pub fn of(history: &History) -> Result<Operations, String> {
        let mut operations =
            Operations { table: Table::default(), mute_refusals: 0, contradiction: None };
        let mut rows: Vec<Row> = Vec::with_capacity(history.operations().len());
        for op in history.ops() {
            operations.read(&op, &mut rows)?;
        }
        promote(&mut rows);
        operations.fill(history, &rows);
        Ok(operations)
    }

    fn read(&mut self, op: &OpView<'_>, rows: &mut Vec<Row>) -> Result<(), String> {
        let key = self.table.key_id(op.key().unwrap_or(&Value::Null));
        let outcome = match op.outcome {
            EventType::Ok => Outcome::Ok,
            EventType::Fail => Outcome::Fail,
            _ => Outcome::Info,
        };
        let position = op.position as u32;
        let row = Row { position, key, read: None, write: None, outcome, seen: false };
        match op.f().as_str() {
            "read" | "r" => {
                if let Some(seen) = op.output() {
                    rows.push(Row { read: Some(self.table.value_id(seen)), ..row });
                }
            }
            "write" | "w" => {
                no_other_value(op)?;
                rows.push(Row { write: Some(self.written(op, op.input())?), ..row });
            }
            "cas" => {
                let Some([old, new]) = op.input().as_list() else {
                    return Err(format!(
                        "the cas at index {} has the value {}, not [old, new]",
                        op.invoke.index,
                        op.input()
                    ));
                };
                no_other_value(op)?;
                let (old, new) = (self.table.value_id(old), self.written(op, new)?);
                if outcome == Outcome::Fail {
                    self.refused(op, old, &row, rows);
                }
                rows.push(Row { read: Some(old), write: Some(new), ..row });
            }
            f => {
                let index = op.invoke.index;
                return Err(format!("operation {f} (index {index}) means nothing to a register"));
            }
        }
        Ok(())
    }

    fn written(&mut self, op: &OpView<'_>, value: &Value) -> Result<ValueId, String> {
        if value.is_null() {
            let index = op.invoke.index;
            return Err(format!(
                "event {index} writes null, which no read can tell from a register that was \
                 never written"
            ));
        }
        Ok(self.table.value_id(value))
    }

    /// What a refusal says of the register.
    fn refused(&mut self, op: &OpView<'_>, old: ValueId, row: &Row, rows: &mut Vec<Row>) {
        match op.complete.and_then(refusal) {
            None => {}
            Some(None) => self.mute_refusals += 1,
            Some(Some(seen)) => {
                let seen = self.table.value_id(seen);
                if seen == old {
                    self.contradiction.get_or_insert(op.position);
                }
                rows.push(Row { read: Some(seen), outcome: Outcome::Ok, ..*row });
            }
        }
    }

    fn fill(&mut self, history: &History, rows: &[Row]) {
        let mut sessions: FxMap<u64, Session> = FxMap::default();
        for row in rows {
            let op = history.op(row.position as usize);
            let Process::Client(process) = op.process() else { continue };
            if row.outcome == Outcome::Info && !row.seen {
                continue;
            }
            let table = &mut self.table;
            let session = *sessions.entry(process).or_insert_with(|| table.add_session(process));
            let complete = op.complete.map(|event| event.index);
            table.begin(session, row.outcome, Some(op.invoke.index), complete);
            let (read, write) = (row.read.map(Action::Read), row.write.map(Action::Write));
            // What an operation that failed saw is said by a row of its own, if at all.
            let read = read.filter(|_| row.outcome == Outcome::Ok);
            for action in read.into_iter().chain(write) {
                table.push(row.key, action);
            }
        }
    }
}

/// Makes of each crashed operation whose value was seen one that succeeded. Where others may have
/// written the same value it is not known to have taken effect: it stays in doubt, as somebody
/// who may have been read from.
fn promote(rows: &mut [Row]) {
    let mut writers: FxMap<(KeyId, ValueId), Vec<u32>> = FxMap::default();
    let mut crashed = false;
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.outcome != Outcome::Fail) {
        if let Some(value) = row.write {
            writers.entry((row.key, value)).or_default().push(at as u32);
            crashed |= row.outcome == Outcome::Info;
        }
    }
    if !crashed {
        return;
    }
    let mut open: Vec<(KeyId, ValueId)> = rows
        .iter()
        .filter(|row| row.outcome == Outcome::Ok)
        .filter_map(|row| Some((row.key, row.read?)))
        .collect();
    while let Some(seen) = open.pop() {
        let writers = writers.remove(&seen).unwrap_or_default();
        for at in &writers {
            let row = &mut rows[*at as usize];
            row.seen = true;
            if row.outcome == Outcome::Info && writers.len() == 1 {
                row.outcome = Outcome::Ok;
                open.extend(row.read.map(|old| (row.key, old)));
            }
        }
    }
}
