//! Snapshot isolation against the database's own timestamps.
//!
//! A database that tells when each transaction took its snapshot and when it committed (fields
//! `start-ts` and `commit-ts` of the completion) leaves nothing to infer: going through all
//! timestamps in order, a transaction must read what is there at its start, and nobody else may
//! have committed to what it writes since then (Chronos: "Online timestamp-based transactional
//! isolation checking", ICDE 2025). A transaction without `commit-ts` wrote nothing.
//!
//! Timestamps that say `start-ts = commit-ts` for all claim more: that transactions happened one
//! after another in this order. Then they are serializable as well.
//!
//! Cost: sorting the timestamps, and one step a read and write.

use super::registers::CHECKER;
use super::{Action, KeyId, Outcome, Table, TxnId, ValueId};
use crate::history::{History, OpIndex};
use crate::value::Value;
use crate::verdict::{Anomaly, CheckerReport, Valid};
use serde_json::{Map, json};
use std::collections::{BTreeMap, BTreeSet};

/// The field with the time of a transaction's snapshot.
pub const START: &str = "start-ts";
/// The field with the time of its commit.
pub const COMMIT: &str = "commit-ts";

/// Anomalies beyond so many are counted, not told.
const TOLD_MAX: usize = 32;

/// A moment of a transaction: the time, whether it ends there, and which it is. At one time,
/// commits come before snapshots, except that a transaction with one time for both is one step.
type Moment = (i64, u8, TxnId);

const COMMITS: u8 = 0;
const STEP: u8 = 1;
const STARTS: u8 = 2;

/// The timestamps of a history's transactions.
struct Times {
    of: Vec<Option<(i64, Option<i64>)>>,
    /// How many that committed have none.
    missing: usize,
    /// What those wrote that perhaps committed and have none: reading it is no anomaly.
    doubtful: BTreeSet<(KeyId, ValueId)>,
}

/// Judges a history by its timestamps; `None` where no transaction has any.
pub fn check(history: &History) -> Option<CheckerReport> {
    let table = Table::from_history(history).ok()?;
    let times = times(history, &table);
    if times.of.iter().all(Option::is_none) {
        return None;
    }
    let mut replay = Replay::new(&table);
    for moment in moments(&table, &times) {
        replay.step(moment, &times);
    }
    replay.sessions(&times);
    Some(replay.report(&times))
}

fn times(history: &History, table: &Table) -> Times {
    let mut times = Times { of: vec![None; table.len()], missing: 0, doubtful: BTreeSet::new() };
    for id in table.ids().filter(|id| table.txn(*id).outcome != Outcome::Fail) {
        let event = table.txn(id).complete.map(|at| history.event(at));
        let field = |name: &str| {
            let mut extra =
                event.and_then(|event| event.extra.as_deref()).unwrap_or_default().iter();
            extra.find(|(field, _)| field.as_str() == name).and_then(|(_, value)| stamp(value))
        };
        let found = field(START).map(|start| (start, field(COMMIT)));
        if table.txn(id).outcome == Outcome::Ok {
            times.of[id.0 as usize] = found;
            times.missing += usize::from(found.is_none());
        } else if let Some((_, Some(_))) = found {
            times.of[id.0 as usize] = found;
        }
        if times.of[id.0 as usize].is_none() {
            times.doubtful.extend(table.ops(id).iter().filter_map(|op| match op.action {
                Action::Write(value) => Some((op.key, value)),
                _ => None,
            }));
        }
    }
    times
}

fn stamp(value: &Value) -> Option<i64> {
    value.as_int()
}

fn moments(table: &Table, times: &Times) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::with_capacity(2 * table.len());
    for id in table.ids() {
        match times.of[id.0 as usize] {
            Some((start, Some(commit))) if start == commit => moments.push((start, STEP, id)),
            Some((start, commit)) => {
                moments.push((start, STARTS, id));
                moments.extend(commit.map(|commit| (commit, COMMITS, id)));
            }
            None => {}
        }
    }
    moments.sort_unstable();
    moments
}

/// What each key holds as time goes on.
struct Replay<'t> {
    table: &'t Table,
    /// The value of each key, when it was written, and by whom.
    state: Vec<(ValueId, i64, Option<TxnId>)>,
    /// For each key who touched it last in its own transaction, and what it saw there.
    own: Vec<(Option<TxnId>, ValueId)>,
    anomalies: Vec<Anomaly>,
    count: usize,
    /// Reads of what was perhaps committed, nobody knows when.
    unsure: usize,
}

impl<'t> Replay<'t> {
    fn new(table: &'t Table) -> Replay<'t> {
        Replay {
            table,
            state: vec![(ValueId::NIL, i64::MIN, None); table.keys()],
            own: vec![(None, ValueId::NIL); table.keys()],
            anomalies: Vec::new(),
            count: 0,
            unsure: 0,
        }
    }

    fn step(&mut self, (_, kind, id): Moment, times: &Times) {
        if kind != COMMITS {
            self.read(id, times);
        }
        if kind != STARTS {
            self.commit(id, times);
        }
    }

    /// All reads of a transaction are from its snapshot, or of what it wrote itself.
    fn read(&mut self, id: TxnId, times: &Times) {
        for op in self.table.ops(id) {
            let key = op.key.0 as usize;
            let mine = self.own[key].0 == Some(id);
            match op.action {
                Action::Write(value) => self.own[key] = (Some(id), value),
                Action::Read(value) => {
                    let there = if mine { self.own[key].1 } else { self.state[key].0 };
                    if value != there && times.doubtful.contains(&(op.key, value)) {
                        self.unsure += 1;
                    } else if value != there {
                        self.wrong_read(id, op.key.0, value, there, mine);
                    }
                    self.own[key] = (Some(id), value);
                }
                _ => {}
            }
        }
    }

    /// What a transaction writes was written by nobody since its snapshot.
    fn commit(&mut self, id: TxnId, times: &Times) {
        let Some((start, Some(commit))) = times.of[id.0 as usize] else { return };
        if commit < start {
            let text =
                format!("{} committed at {commit}, before its snapshot of {start}", self.name(id));
            self.anomaly("time-goes-back", text, &[id]);
        }
        for op in self.table.ops(id) {
            let Action::Write(value) = op.action else { continue };
            let key = op.key.0 as usize;
            let (_, changed, by) = self.state[key];
            if let Some(other) = by.filter(|other| *other != id && changed > start) {
                let text = format!(
                    "{} (snapshot of {start}, committed at {commit}) overwrites {}, which {} \
                     changed at {changed}, in between",
                    self.name(id),
                    self.table.key(op.key),
                    self.name(other)
                );
                self.anomaly("write-conflict", text, &[other, id]);
            }
            self.state[key] = (value, commit, Some(id));
        }
    }

    /// A session's next snapshot holds what it committed before.
    fn sessions(&mut self, times: &Times) {
        let mut last: Vec<Option<(TxnId, i64)>> = vec![None; self.table.sessions()];
        for id in self.table.ids() {
            let Some((start, commit)) = times.of[id.0 as usize] else { continue };
            let session = self.table.txn(id).session.0 as usize;
            if let Some((other, before)) = last[session].filter(|(_, before)| *before > start) {
                let text = format!(
                    "{} has a snapshot of {start}, before {before}, when {} of the same process \
                     ended",
                    self.name(id),
                    self.name(other)
                );
                self.anomaly("stale-snapshot", text, &[other, id]);
            }
            last[session] = Some((id, commit.unwrap_or(start)));
        }
    }

    fn wrong_read(&mut self, id: TxnId, key: u32, value: ValueId, there: ValueId, mine: bool) {
        let key = self.table.key(KeyId(key));
        let (value, there) = (self.table.value(value), self.table.value(there));
        let (kind, place) = if mine {
            ("internal", "the transaction itself has")
        } else {
            ("stale-snapshot-read", "its snapshot has")
        };
        let text = format!("{} reads {key} = {value}, where {place} {there}", self.name(id));
        self.anomaly(kind, text, &[id]);
    }

    fn name(&self, id: TxnId) -> String {
        self.event(id).map_or_else(|| format!("T{}", id.0), |event| format!("T{event}"))
    }

    fn event(&self, id: TxnId) -> Option<OpIndex> {
        self.table.txn(id).complete
    }

    fn anomaly(&mut self, kind: &str, explanation: String, ids: &[TxnId]) {
        self.count += 1;
        if self.anomalies.len() < TOLD_MAX {
            self.anomalies.push(Anomaly {
                kind: kind.to_owned(),
                checker: CHECKER.to_owned(),
                explanation,
                ops: ids.iter().filter_map(|id| self.event(*id)).collect(),
                evidence: Map::new(),
            });
        }
    }

    fn report(self, times: &Times) -> CheckerReport {
        let serial = times
            .of
            .iter()
            .flatten()
            .all(|(start, commit)| commit.is_none_or(|commit| commit == *start));
        let stamped = times.of.iter().flatten().count();
        let valid = match (self.count, times.missing + self.unsure) {
            (0, 0) => Valid::True,
            (0, _) => Valid::Unknown,
            _ => Valid::False,
        };
        let why = match valid {
            Valid::True => None,
            Valid::Unknown => Some(format!(
                "{} transactions that committed have no field `{START}`, and {} reads saw writes \
                 of which nobody knows when they were committed",
                times.missing, self.unsure
            )),
            Valid::False => self.anomalies.first().map(|anomaly| anomaly.explanation.clone()),
        };
        let mut details = Map::new();
        details.insert("transactions".into(), json!(stamped));
        details.insert("anomalies".into(), json!(self.count));
        let mut models = BTreeMap::new();
        if valid == Valid::True {
            models.insert("strong-session-snapshot-isolation".to_owned(), Valid::True);
            if serial {
                models.insert("strong-session-serializable".to_owned(), Valid::True);
            }
        }
        CheckerReport { valid, why, details, anomalies: self.anomalies, models }
    }
}
