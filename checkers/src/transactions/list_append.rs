//! Lists that only grow by appending: each read shows the order of all versions up to its own.
//!
//! The longest read of a key is its version order; each other read must be a prefix of it. So
//! the writer of every version and its successor are known, and with them all dependencies:
//!
//! * ww: from the writer of an element to the writer of the next one;
//! * wr: from the writer of a read's last element to the reader;
//! * rw: from a reader to the writer of the element after its last one.
//!
//! Elements that committed but were never read come after all that were. A transaction of
//! unknown outcome counts as committed once one of its elements is read by one that counts;
//! elements of aborted ones are passed over. (Kingsbury and Alvaro, *Elle*, VLDB 2020, §4.)
//!
//! Everything is done key by key, in time linear in the micro-operations and the elements read.

mod explain;
mod key;
mod within;

use super::access::{Accesses, Committed};
use super::finding::Findings;
use super::graph::Edges;
use super::table::{Action, KeyId, ListId, Outcome, Table, ValueId};

pub(super) use explain::explain;

/// What the lists of a history say.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) accesses: Accesses,
    pub(super) committed: Committed,
    pub(super) findings: Findings,
    pub(super) edges: Edges,
    /// For each key the longest list read; none if it was never seen with an element.
    pub(super) longest: Vec<Option<ListId>>,
}

/// Reads all keys.
pub(super) fn infer(table: &Table) -> Lists {
    let accesses = Accesses::of(table);
    let mut scratch = Scratch::new(table.values());
    let mut committed = Committed::known(table);
    let unsure = table.txns().iter().any(|txn| txn.outcome == Outcome::Info);
    while unsure && observe(table, &accesses, &mut committed, &mut scratch) {}
    let mut lists = Lists {
        accesses: Accesses::empty(),
        committed,
        findings: Findings::default(),
        edges: Edges::between(table.len()),
        longest: vec![None; table.keys()],
    };
    lists.edges.reserve(2 * table.all_ops().len());
    for at in 0..table.keys() as u32 {
        key::judge(table, KeyId(at), accesses.of_key(KeyId(at)), &mut lists, &mut scratch);
    }
    lists.accesses = accesses;
    lists
}

/// Counts transactions of unknown outcome of which an element was read as committed; whether
/// these have reads of their own that may show more.
fn observe(
    table: &Table,
    accesses: &Accesses,
    committed: &mut Committed,
    scratch: &mut Scratch,
) -> bool {
    let mut more = false;
    for at in 0..table.keys() as u32 {
        let accesses = accesses.of_key(KeyId(at));
        scratch.next_key();
        let mut unsure = false;
        for (place, access) in accesses.iter().enumerate() {
            if let Action::Append(element) = access.action
                && !committed.contains(access.txn)
                && table.txns()[access.txn as usize].outcome == Outcome::Info
            {
                scratch.entry(element).writer = place as u32;
                unsure = true;
            }
        }
        if !unsure {
            continue;
        }
        for access in accesses {
            let Action::ReadList(list) = access.action else { continue };
            if !committed.contains(access.txn) {
                continue;
            }
            // A read that holds an element has those before it: looking from the end is enough
            // to be right, and looking at all of it is linear.
            for element in table.list(list) {
                let writer = scratch.entry(*element).writer;
                if writer != NONE && committed.add(accesses[writer as usize].txn) {
                    more |= knows(table, accesses[writer as usize].txn);
                }
            }
        }
    }
    more
}

/// Whether a transaction tells what it read although its outcome is unknown.
fn knows(table: &Table, txn: u32) -> bool {
    let ops = table.ops(super::table::TxnId(txn));
    ops.iter().any(|op| matches!(op.action, Action::ReadList(_)))
}

const NONE: u32 = u32::MAX;

/// What is known of an element of the key at hand.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u32,
    /// Its append among the accesses of the key.
    writer: u32,
    /// Its place in the version order.
    place: u32,
}

/// An entry for each value, made anew for each key without being cleared.
#[derive(Debug)]
struct Scratch {
    key: u32,
    entries: Vec<Entry>,
}

impl Scratch {
    fn new(values: usize) -> Scratch {
        Scratch { key: 0, entries: vec![Entry { key: 0, writer: NONE, place: NONE }; values] }
    }

    fn next_key(&mut self) {
        self.key += 1;
    }

    fn entry(&mut self, value: ValueId) -> &mut Entry {
        let entry = &mut self.entries[value.0 as usize];
        if entry.key != self.key {
            *entry = Entry { key: self.key, writer: NONE, place: NONE };
        }
        entry
    }
}
