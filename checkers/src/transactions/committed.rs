//! Which transactions count as committed: those that did, and those of unknown outcome of which
//! something was read by one that counts.
//!
//! What nobody saw of a transaction cannot be part of an anomaly, so one of unknown outcome that
//! nobody saw may be left out at every level. What such a transaction itself read counts as soon
//! as it counts.

use super::access::{Access, Accesses};
use super::scratch::{NONE, Scratch};
use super::table::{Action, KeyId, Outcome, Table, TxnId};

/// The transactions that count.
#[derive(Clone, Debug)]
pub(super) struct Committed(Vec<bool>);

impl Committed {
    /// Linear, unless transactions of unknown outcome tell what they read: then once more for
    /// each link of a chain of these.
    pub(super) fn of(table: &Table, accesses: &Accesses, scratch: &mut Scratch) -> Committed {
        let rows = table.txns().iter();
        let mut committed = Committed(rows.map(|txn| txn.outcome == Outcome::Ok).collect());
        let unsure = table.txns().iter().any(|txn| txn.outcome == Outcome::Info);
        let mut again = unsure;
        while again {
            again = false;
            for at in 0..table.keys() as u32 {
                scratch.next_key();
                again |= committed.observe(table, accesses.of_key(KeyId(at)), scratch);
            }
        }
        committed
    }

    /// These count.
    pub(super) fn these(counting: Vec<bool>) -> Committed {
        Committed(counting)
    }

    /// Counts one more; whether it did not count before.
    pub(super) fn add(&mut self, txn: u32) -> bool {
        !std::mem::replace(&mut self.0[txn as usize], true)
    }

    pub(super) fn contains(&self, txn: u32) -> bool {
        self.0[txn as usize]
    }

    /// Counts what the reads of one key show; whether more may follow from that.
    fn observe(&mut self, table: &Table, accesses: &[Access], scratch: &mut Scratch) -> bool {
        let mut unsure = false;
        for (place, access) in accesses.iter().enumerate() {
            if let Action::Append(value) | Action::Write(value) = access.action
                && !self.contains(access.txn)
                && table.txns()[access.txn as usize].outcome == Outcome::Info
            {
                scratch.entry(value).writer = place as u32;
                unsure = true;
            }
        }
        if !unsure {
            return false;
        }
        let mut more = false;
        for access in accesses {
            if !self.contains(access.txn) {
                continue;
            }
            let one;
            let seen = match access.action {
                Action::ReadList(list) => table.list(list),
                Action::Read(value) => {
                    one = [value];
                    &one
                }
                _ => continue,
            };
            for value in seen {
                let writer = scratch.entry(*value).writer;
                if writer == NONE {
                    continue;
                }
                let writer = accesses[writer as usize].txn;
                if !std::mem::replace(&mut self.0[writer as usize], true) {
                    more |= tells(table, writer);
                }
            }
        }
        more
    }
}

/// Whether a transaction tells what it read.
fn tells(table: &Table, txn: u32) -> bool {
    let told = |action| matches!(action, Action::ReadList(_) | Action::Read(_));
    table.ops(TxnId(txn)).iter().any(|op| told(op.action))
}
