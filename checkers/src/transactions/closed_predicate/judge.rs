//! What single reads have wrong, and lost updates.

use super::{Seen, Universe, looks, predicate_of};
use crate::transactions::finding::{Finding, Findings, Shown, evidence};
use crate::transactions::kind::AnomalyKind;
use crate::transactions::table::{Action, KeyId, Outcome, Table, TxnId, ValueId};
use crate::transactions::words;
use serde_json::{Map, json};
use std::collections::BTreeMap;

impl Universe {
    /// Judges the reads of a transaction.
    pub(super) fn judge(&mut self, table: &Table, txn: u32) {
        self.judge_inside(table, txn);
        for look in looks(table, txn) {
            match look.seen {
                Seen::Value(key, value) => self.judge_value(table, txn, key, value),
                Seen::Nothing(_) => {}
                Seen::NoOther { .. } => self.judge_predicate(table, txn, &look.seen),
            }
        }
    }

    /// What a transaction sees of its own writes, and whether it reads the same row twice the same.
    fn judge_inside(&mut self, table: &Table, txn: u32) {
        // What each row must hold, and whether by a write of its own.
        let mut holds: BTreeMap<KeyId, (ValueId, bool)> = BTreeMap::new();
        for op in table.ops(TxnId(txn)) {
            match op.action {
                Action::Init(value) | Action::Insert(value) | Action::Write(value) => {
                    holds.insert(op.key, (value, true));
                }
                Action::Delete => {
                    holds.insert(op.key, (ValueId::NIL, true));
                }
                Action::Read(value) => self.expect(table, txn, (op.key, value), &mut holds),
                Action::ReadWhere(rows) => {
                    let rows = table.rows(rows);
                    for row in rows {
                        self.expect(table, txn, *row, &mut holds);
                    }
                    let Some(predicate) = &self.predicates[op.key.0 as usize] else { continue };
                    let own = holds.iter().filter(|(_, (_, own))| *own);
                    let missed = own
                        .filter(|(_, (value, _))| *value != ValueId::NIL)
                        .filter(|(_, (value, _))| predicate.matches(table.value(*value)))
                        .find(|(key, _)| rows.iter().all(|row| row.0 != **key));
                    if let Some((key, (value, _))) = missed {
                        tell_internal(&mut self.findings, table, txn, *key, (*value, ValueId::NIL));
                    }
                }
                _ => {}
            }
        }
    }

    fn expect(
        &mut self,
        table: &Table,
        txn: u32,
        (key, value): (KeyId, ValueId),
        holds: &mut BTreeMap<KeyId, (ValueId, bool)>,
    ) {
        match holds.get(&key) {
            Some((expected, _)) if *expected != value => {
                tell_internal(&mut self.findings, table, txn, key, (*expected, value));
            }
            Some(_) => {}
            None => {
                holds.insert(key, (value, false));
            }
        }
    }

    fn judge_value(&mut self, table: &Table, txn: u32, key: KeyId, value: ValueId) {
        if self.key(key).is_none() {
            return;
        }
        let shown = Shown { table, key, value, reader: txn };
        let Some(write) = self.writes.get(&(key, value)).copied() else {
            let rest = || ", which nobody wrote to it".to_owned();
            return self.findings.add_read(AnomalyKind::GarbageRead, shown, None, rest);
        };
        if write.txn == txn {
            let rest = || " before it wrote it".to_owned();
            return self.findings.add_read(AnomalyKind::FutureRead, shown, None, rest);
        }
        let wrote = |but: &str| {
            format!(", which {} wrote; but that transaction {but}", table.who(write.txn))
        };
        if table.txns()[write.txn as usize].outcome == Outcome::Fail {
            let rest = || wrote("aborted");
            self.findings.add_read(AnomalyKind::G1a, shown, Some(write.txn), rest);
        } else if write.version.is_none() {
            let rest = || wrote("went on to overwrite it");
            self.findings.add_read(AnomalyKind::G1b, shown, Some(write.txn), rest);
        }
    }

    /// Rows that a read by predicate returned though they do not match, or left out though they
    /// matched all the time.
    fn judge_predicate(&mut self, table: &Table, txn: u32, seen: &Seen) {
        let Seen::NoOther { predicate: id, rows, own } = seen else { return };
        let Some(predicate) = &self.predicates[id.0 as usize] else { return };
        let matches = |value: ValueId| predicate.matches(table.value(value));
        let asked = words::value(predicate_of(table.key(*id)));
        let mut wrong: Vec<(KeyId, String)> = Vec::new();
        for (key, value) in table.rows(*rows).iter().filter(|row| !matches(row.1)) {
            let (key_words, value) = (table.key_words(*key), table.value_words(*value));
            wrong.push((*key, format!("found {key_words} = {value}, which does not match")));
        }
        for key in self.left_out(table, *rows, own) {
            if key.absence(txn, matches).count == 0 {
                let text = format!(
                    "did not find {}, of which every version matches",
                    table.key_words(key.id)
                );
                wrong.push((key.id, text));
            }
        }
        for (key, text) in wrong {
            self.findings.add(AnomalyKind::PredicateReadMiss, || {
                let mut evidence = Map::new();
                evidence.insert("key".into(), table.key_json(key));
                evidence.insert("predicate".into(), json!(asked));
                Finding {
                    kind: AnomalyKind::PredicateReadMiss,
                    text: format!("{} read by predicate {asked} and {text}.", table.who(txn)),
                    txns: vec![txn],
                    evidence,
                }
            });
        }
    }

    /// Transactions that found one version of a row and all replaced it.
    pub(super) fn lost_updates(&mut self, table: &Table) {
        let mut updates: BTreeMap<(KeyId, usize), Vec<u32>> = BTreeMap::new();
        for txn in (0..table.len() as u32).filter(|txn| self.committed.contains(*txn)) {
            for (key, found, _) in self.updates(table, txn) {
                updates.entry((key, found)).or_default().push(txn);
            }
        }
        for ((key, _), txns) in updates.into_iter().filter(|(_, txns)| txns.len() > 1) {
            self.findings.add(AnomalyKind::LostUpdate, || Finding {
                kind: AnomalyKind::LostUpdate,
                text: format!(
                    "{} and {} both read one version of {} and replaced it: of that version there \
                     can be one update.",
                    table.who(txns[0]),
                    table.who(txns[1]),
                    table.key_words(key),
                ),
                txns: txns.iter().copied().take(8).collect(),
                evidence: evidence(table, key, &[]),
            });
        }
    }
}

fn tell_internal(
    findings: &mut Findings,
    table: &Table,
    txn: u32,
    key: KeyId,
    (expected, value): (ValueId, ValueId),
) {
    findings.add(AnomalyKind::Internal, || Finding {
        kind: AnomalyKind::Internal,
        text: format!(
            "{} found {} at {}, but by its own earlier reads and writes it must hold {}.",
            table.who(txn),
            table.value_words(value),
            table.key_words(key),
            table.value_words(expected),
        ),
        txns: vec![txn],
        evidence: evidence(table, key, &[("expected", expected), ("value", value)]),
    });
}
