//! What single reads of a register have wrong, and lost updates.

use super::Registers;
use super::key::Key;
use crate::transactions::access::Access;
use crate::transactions::finding::{Finding, Shown, evidence};
use crate::transactions::kind::AnomalyKind;
use crate::transactions::scratch::{NONE, Scratch};
use crate::transactions::table::{Action, Outcome, ValueId};

/// Judges the accesses of one transaction to one key, in their order.
pub(super) fn judge(
    key: &Key<'_>,
    run: &[Access],
    registers: &mut Registers,
    scratch: &mut Scratch,
) {
    // What the next read must return: what was read or written last.
    let mut expected: Option<(ValueId, bool)> = None;
    for access in run {
        match access.action {
            Action::Read(value) => {
                if let Some((before, own)) = expected.filter(|(before, _)| *before != value) {
                    tell_internal(key, *access, value, before, own, registers);
                }
                judge_read(key, *access, value, registers, scratch);
                expected = Some((value, false));
            }
            Action::Write(value) => expected = Some((value, true)),
            _ => {}
        }
    }
}

fn tell_internal(
    key: &Key<'_>,
    access: Access,
    value: ValueId,
    before: ValueId,
    own: bool,
    registers: &mut Registers,
) {
    let table = key.table;
    registers.findings.add(AnomalyKind::Internal, || Finding {
        kind: AnomalyKind::Internal,
        text: format!(
            "{} read {} from {}, but it had {} {} before.",
            table.who(access.txn),
            table.value_words(value),
            table.key_words(key.id),
            if own { "written" } else { "read" },
            table.value_words(before),
        ),
        txns: vec![access.txn],
        evidence: evidence(table, key.id, &[("expected", before), ("value", value)]),
    });
}

fn judge_read(
    key: &Key<'_>,
    access: Access,
    value: ValueId,
    registers: &mut Registers,
    scratch: &mut Scratch,
) {
    if value == ValueId::NIL {
        return;
    }
    let table = key.table;
    let shown = Shown { table, key: key.id, value, reader: access.txn };
    let findings = &mut registers.findings;
    let writer = scratch.entry(value).writer;
    if writer == NONE {
        let rest = || ", which nobody wrote to it".to_owned();
        return findings.add_read(AnomalyKind::GarbageRead, shown, None, rest);
    }
    let write = key.accesses[writer as usize];
    if write.txn == access.txn {
        if write.op > access.op {
            let rest = || " before it wrote it".to_owned();
            findings.add_read(AnomalyKind::FutureRead, shown, None, rest);
        }
        return;
    }
    let written_and =
        |but: &str| format!(", which {} wrote; but that transaction {but}", table.who(write.txn));
    if table.txns()[write.txn as usize].outcome == Outcome::Fail {
        let rest = || written_and("aborted");
        findings.add_read(AnomalyKind::G1a, shown, Some(write.txn), rest);
    }
    if key.intermediate[writer as usize] {
        let rest = || written_and("went on to overwrite it");
        findings.add_read(AnomalyKind::G1b, shown, Some(write.txn), rest);
    }
}

/// Transactions that found one version and all replaced it.
pub(super) fn lost_updates(key: &Key<'_>, registers: &mut Registers) {
    let mut updates: Vec<(u32, u32)> = key
        .visits
        .iter()
        .filter(|visit| visit.left.is_some())
        .filter_map(|visit| visit.found.map(|found| (found, visit.txn)))
        .collect();
    updates.sort_unstable();
    let table = key.table;
    for same in updates.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        let more = match same.len() {
            2 => String::new(),
            count => format!(" and {} more", count - 2),
        };
        registers.findings.add(AnomalyKind::LostUpdate, || Finding {
            kind: AnomalyKind::LostUpdate,
            text: format!(
                "{} and {}{more} all read {} from {} and overwrote it: of that version there can \
                 be one update.",
                table.who(same[0].1),
                table.who(same[1].1),
                key.value_words(same[0].0),
                table.key_words(key.id),
            ),
            txns: same.iter().take(8).map(|update| update.1).collect(),
            evidence: evidence(table, key.id, &[("value", key.versions[same[0].0 as usize].value)]),
        });
    }
}
