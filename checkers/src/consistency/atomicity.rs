//! By how many versions reads were late: k-atomicity.
//!
//! A history of a register is k-atomic if some order of its operations that agrees with real time
//! has every read see one of the k latest writes (Aiyer, Alvisi and Bazzi, "On the availability of
//! non-strict quorum systems", DISC 2005; Golab, Hurwitz and Li, ICDCS 2013). 1-atomic is
//! linearizable. A compare-and-set counts as a read and a write at one moment.
//!
//! To find the least k is easy in most histories and hard in some:
//!
//! * *from below*: writes that lie wholly between the end of a write and the beginning of a read
//!   that sees it come between the two in every order;
//! * *from above*: some orders of writes are tried: each gives a k that suffices;
//! * where the two do not meet, a search over configurations ([`crate::linearizable`]) decides k
//!   by k, within a budget. Past it, both bounds are told.
//!
//! The bounds take O(n log n).

mod bounds;

use super::operations::Operations;
use crate::history::{EventType, History, OpIndex};
use crate::linearizable::{self, Call, Outcome, linearizable_by_zones};
use crate::model::{Effect, Model};
use crate::transactions::{Action, Outcome as Ended, Table, TxnId, ValueId};
use crate::value::Value;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt;

/// The least k of one register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Exactly this; 1 if it is linearizable.
    Exactly(u32),
    /// No fewer than the first and no more than the second; the budget did not suffice.
    Between(u32, u32),
    /// No k makes it right: a value that nobody wrote, or that was read before it was written.
    Never,
    /// Values repeat, or it is not a register, or a refusal does not say what it found.
    Undecided(String),
}

/// By how many versions the reads of each register were late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atomicity {
    /// The keys, in the order of their first operation.
    pub keys: Vec<(Option<Value>, Versions)>,
}

/// Measures all registers of a history. `steps` bounds the search of each key and k.
pub fn atomicity(history: &History, steps: u64) -> Atomicity {
    let partition = history.by_key();
    let operations = match Operations::of(history) {
        Ok(operations) if operations.mute_refusals > 0 => {
            Err("a compare-and-set was refused and did not say what it had found".to_owned())
        }
        Ok(operations) if operations.table.keys() != partition.len() => {
            Err("some operations name null as their key, and others none".to_owned())
        }
        other => other,
    };
    let key = |number: usize| partition.group(number).key.cloned();
    let numbers = 0..partition.len();
    let keys = match operations {
        Err(why) => numbers.map(|at| (key(at), Versions::Undecided(why.clone()))).collect(),
        Ok(operations) => {
            let rows = rows_by_key(&operations.table);
            let of = |at: usize| {
                let versions = match linearizable_by_zones(&partition.group(at)) {
                    Some(true) => Versions::Exactly(1),
                    _ => of_key(history, &operations.table, &rows[at], steps),
                };
                (key(at), versions)
            };
            numbers.map(of).collect()
        }
    };
    Atomicity { keys }
}

impl Atomicity {
    /// All keys together: the greatest.
    pub fn worst(&self) -> Versions {
        let (mut low, mut high) = (1, 1);
        let mut open = None;
        for (_, versions) in &self.keys {
            match versions {
                Versions::Never => return Versions::Never,
                Versions::Undecided(why) => open = Some(why.clone()),
                Versions::Exactly(k) => (low, high) = (low.max(*k), high.max(*k)),
                Versions::Between(from, to) => (low, high) = (low.max(*from), high.max(*to)),
            }
        }
        match open {
            Some(why) => Versions::Undecided(why),
            None if low == high => Versions::Exactly(low),
            None => Versions::Between(low, high),
        }
    }

    /// For reports.
    pub fn to_json(&self) -> Json {
        let keys = self.keys.iter().map(|(key, versions)| {
            json!([key.as_ref().map_or(Json::Null, Json::from), versions.to_json()])
        });
        json!({"worst": self.worst().to_json(), "keys": keys.collect::<Vec<_>>()})
    }
}

impl Versions {
    fn to_json(&self) -> Json {
        match self {
            Versions::Exactly(k) => json!(k),
            Versions::Between(low, high) => json!([low, high]),
            Versions::Never => Json::Null,
            Versions::Undecided(_) => json!("unknown"),
        }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Versions::Exactly(k) => write!(f, "{k}"),
            Versions::Between(low, high) => write!(f, "{low} to {high}"),
            Versions::Never => f.write_str("none suffices"),
            Versions::Undecided(_) => f.write_str("unknown"),
        }
    }
}

/// One operation that counts, on a line of event positions; writes by number, the initial one
/// is 0.
#[derive(Clone, Copy, Debug)]
struct Touch {
    begin: u32,
    end: u32,
    read: Option<u32>,
    write: Option<u32>,
}

/// The end of an operation that may take effect at any later time.
const NEVER: u32 = u32::MAX;

fn rows_by_key(table: &Table) -> Vec<Vec<TxnId>> {
    let mut rows = vec![Vec::new(); table.keys()];
    for id in table.ids().filter(|id| table.txn(*id).outcome != Ended::Fail) {
        if let Some(op) = table.ops(id).first() {
            rows[op.key.0 as usize].push(id);
        }
    }
    rows
}

fn of_key(history: &History, table: &Table, rows: &[TxnId], steps: u64) -> Versions {
    let mut numbers: BTreeMap<ValueId, u32> = BTreeMap::from([(ValueId::NIL, 0)]);
    for id in rows {
        for op in table.ops(*id) {
            let Action::Write(value) = op.action else { continue };
            let next = numbers.len() as u32;
            if numbers.insert(value, next).is_some() {
                return Versions::Undecided("values repeat".into());
            }
        }
    }
    let mut touches = Vec::with_capacity(rows.len());
    for id in rows {
        let (mut read, mut write) = (None, None);
        for op in table.ops(*id) {
            match op.action {
                Action::Read(value) => match numbers.get(&value) {
                    Some(number) => read = Some(*number),
                    None => return Versions::Never,
                },
                Action::Write(value) => write = numbers.get(&value).copied(),
                _ => {}
            }
        }
        let (begin, end) = span(history, table.txn(*id).invoke);
        touches.push(Touch { begin, end, read, write });
    }
    let Some(line) = bounds::Line::of(&touches, numbers.len()) else { return Versions::Never };
    search(&touches, line.below(), line.above().ok_or(numbers.len() as u32), steps)
}

/// When an operation began and when it had ended, as positions of events.
fn span(history: &History, invoke: Option<OpIndex>) -> (u32, u32) {
    let Some(op) = invoke.and_then(|index| history.op_at(index)) else { return (0, NEVER) };
    let end = op.complete.filter(|_| op.outcome != EventType::Info);
    (op.invoke.index.0 + 1, end.map_or(NEVER, |event| event.index.0 + 1))
}

/// The least k between two bounds. The greater one suffices; or if it is all that there is and
/// is not known to, that is found out first.
fn search(touches: &[Touch], mut low: u32, high: Result<u32, u32>, steps: u64) -> Versions {
    let calls: Vec<Call<Touched, ()>> = touches
        .iter()
        .map(|touch| Call {
            process: 0,
            input: (touch.read, touch.write),
            output: Some(()),
            invoke: u64::from(touch.begin),
            complete: (touch.end != NEVER).then_some(u64::from(touch.end)),
        })
        .collect();
    let options = linearizable::Options { steps, threads: 1, ..linearizable::Options::default() };
    let decide = |k| linearizable::verdict(&Latest { k }, &calls, &options);
    let mut high = match high {
        Ok(high) => high,
        Err(all) => match decide(all) {
            Outcome::Linearizable => all,
            Outcome::Violation => return Versions::Never,
            Outcome::Unknown(why) => return Versions::Undecided(why.to_string()),
        },
    };
    while low < high {
        let k = u32::midpoint(low, high);
        match decide(k) {
            Outcome::Linearizable => high = k,
            Outcome::Violation => low = k + 1,
            Outcome::Unknown(_) => return Versions::Between(low, high),
        }
    }
    Versions::Exactly(low)
}

/// What is seen and what is written.
type Touched = (Option<u32>, Option<u32>);

/// A register whose reads see any of the k latest writes.
struct Latest {
    k: u32,
}

impl Model for Latest {
    type State = Vec<u32>;
    type Input = Touched;
    type Output = ();
    type Next = Option<Vec<u32>>;

    fn initial(&self) -> Vec<u32> {
        vec![0]
    }

    fn step(&self, state: &Vec<u32>, input: &Self::Input, _: Option<&()>) -> Option<Vec<u32>> {
        let (read, write) = *input;
        if read.is_some_and(|seen| !state.contains(&seen)) {
            return None;
        }
        let mut next = state.clone();
        next.extend(write);
        let old = next.len().saturating_sub(self.k as usize);
        next.drain(..old);
        Some(next)
    }

    fn effect(&self, input: &Self::Input, _: Option<&()>) -> Effect {
        if input.1.is_none() { Effect::Observes } else { Effect::Updates }
    }

    fn state_bytes(&self, state: &Vec<u32>) -> usize {
        size_of_val(state) + size_of_val(state.as_slice())
    }
}
