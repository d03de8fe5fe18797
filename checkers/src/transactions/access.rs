//! What was done to each key, transaction by transaction.
//!
//! One counting sort puts the micro-operations of a key next to each other, in the order of
//! their transactions, so that each key is judged in one go over memory that is at hand.

use super::table::{Action, KeyId, Table};

/// A micro-operation with its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    /// The transaction's row.
    pub(super) txn: u32,
    /// The micro-operation's place among all.
    pub(super) op: u32,
    /// What it did.
    pub(super) action: Action,
}

/// All accesses by key.
#[derive(Debug)]
pub(super) struct Accesses {
    starts: Vec<u32>,
    all: Vec<Access>,
}

impl Accesses {
    /// No accesses at all.
    pub(super) fn empty() -> Accesses {
        Accesses { starts: vec![0], all: Vec::new() }
    }

    /// O(micro-operations + keys).
    pub(super) fn of(table: &Table) -> Accesses {
        let ops = table.all_ops();
        let mut starts = vec![0_u32; table.keys() + 2];
        for op in ops {
            starts[op.key.0 as usize + 2] += 1;
        }
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let none = Access { txn: 0, op: 0, action: Action::ReadUnknown };
        let mut all = vec![none; ops.len()];
        for id in table.ids() {
            for at in table.op_range(id) {
                let next = &mut starts[ops[at].key.0 as usize + 1];
                all[*next as usize] = Access { txn: id.0, op: at as u32, action: ops[at].action };
                *next += 1;
            }
        }
        starts.pop();
        Accesses { starts, all }
    }

    /// Those of one key.
    pub(super) fn of_key(&self, key: KeyId) -> &[Access] {
        let key = key.0 as usize;
        &self.all[self.starts[key] as usize..self.starts[key + 1] as usize]
    }

    /// The accesses of each transaction to this key apart.
    pub(super) fn runs(accesses: &[Access]) -> impl Iterator<Item = &[Access]> {
        accesses.chunk_by(|a, b| a.txn == b.txn)
    }
}
