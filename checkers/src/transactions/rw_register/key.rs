//! One key: who wrote and read which version.

use super::Registers;
use super::versions::{self, Sessions};
use super::{link, reads};
use crate::transactions::access::{Access, Accesses};
use crate::transactions::scratch::{NONE, Scratch};
use crate::transactions::table::{Action, KeyId, Table, ValueId};

/// What one transaction did to a key, as others can see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit {
    pub(super) txn: u32,
    /// The version that it found: what it read before any write of its own.
    pub(super) found: Option<u32>,
    /// The version that it left: its last write.
    pub(super) left: Option<u32>,
}

/// A version of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) value: ValueId,
    /// The committed transaction that left it; `NONE` for the initial version, for what an
    /// aborted transaction wrote and for what its own writer replaced.
    pub(super) writer: u32,
}

/// A key while it is judged.
pub(super) struct Key<'a> {
    pub(super) table: &'a Table,
    pub(super) id: KeyId,
    pub(super) accesses: &'a [Access],
    /// All versions that counting transactions found or left; the first is the initial one.
    pub(super) versions: Vec<Version>,
    /// The visits of counting transactions, in the order of these.
    pub(super) visits: Vec<Visit>,
    /// Writes that their own transaction followed by another, among the accesses.
    pub(super) intermediate: Vec<bool>,
}

/// Judges a key.
pub(super) fn judge(
    table: &Table,
    id: KeyId,
    accesses: &[Access],
    registers: &mut Registers,
    scratch: &mut Scratch,
    sessions: &mut Sessions,
) {
    let mut key = Key {
        table,
        id,
        accesses,
        versions: vec![Version { value: ValueId::NIL, writer: NONE }],
        visits: Vec::new(),
        intermediate: vec![false; accesses.len()],
    };
    if let Err(twice) = key.index(scratch) {
        registers.findings.give_up(|| {
            format!(
                "{} was written to {} twice, so its reads cannot be told apart",
                table.value_words(twice),
                table.key_words(id)
            )
        });
        return;
    }
    for run in Accesses::runs(accesses) {
        if registers.committed.contains(run[0].txn) {
            key.visit(run, registers, scratch);
            reads::judge(&key, run, registers, scratch);
        }
    }
    reads::lost_updates(&key, registers);
    let order = versions::order(&key, registers, sessions);
    link::connect(&key, &order, registers);
}

impl Key<'_> {
    /// Where each value was written. A value that was written twice is an error.
    fn index(&mut self, scratch: &mut Scratch) -> Result<(), ValueId> {
        scratch.entry(ValueId::NIL).place = 0;
        let mut last: Option<usize> = None;
        for (at, access) in self.accesses.iter().enumerate() {
            let Action::Write(value) = access.action else { continue };
            let entry = scratch.entry(value);
            if entry.writer != NONE {
                return Err(value);
            }
            entry.writer = at as u32;
            if let Some(last) = last.replace(at)
                && self.accesses[last].txn == access.txn
            {
                self.intermediate[last] = true;
            }
        }
        Ok(())
    }

    fn visit(&mut self, run: &[Access], registers: &mut Registers, scratch: &mut Scratch) {
        let txn = run[0].txn;
        let found = match run[0].action {
            Action::Read(value) => Some(self.version(value, scratch)),
            _ => None,
        };
        let left = run.iter().rev().find_map(|access| match access.action {
            Action::Write(value) => Some(value),
            _ => None,
        });
        let left = left.map(|value| {
            let version = self.version(value, scratch);
            self.versions[version as usize].writer = txn;
            version
        });
        if let Action::Read(value) = run[0].action {
            let writer = self.accesses.get(scratch.entry(value).writer as usize);
            if let Some(writer) = writer.filter(|w| registers.committed.contains(w.txn)) {
                let why = crate::transactions::graph::Why::Wr;
                registers.edges.push(writer.txn, txn, why);
            }
        }
        self.visits.push(Visit { txn, found, left });
    }

    /// The number of a version, a new one if it was not seen before.
    fn version(&mut self, value: ValueId, scratch: &mut Scratch) -> u32 {
        let entry = scratch.entry(value);
        if entry.place == NONE {
            entry.place = self.versions.len() as u32;
            self.versions.push(Version { value, writer: NONE });
        }
        entry.place
    }

    pub(super) fn value_words(&self, version: u32) -> String {
        self.table.value_words(self.versions[version as usize].value)
    }
}
