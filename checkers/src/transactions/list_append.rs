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

use super::access::Accesses;
use super::committed::Committed;
use super::finding::Findings;
use super::graph::Edges;
use super::scratch::Scratch;
use super::stop::Stop;
use super::table::{KeyId, ListId, Table};

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

/// Reads all keys, until `stop`.
pub(super) fn infer(table: &Table, stop: &Stop<'_>) -> Lists {
    let accesses = Accesses::of(table);
    let mut scratch = Scratch::new(table.values());
    let committed = Committed::of(table, &accesses, &mut scratch);
    let mut lists = Lists {
        accesses: Accesses::empty(),
        committed,
        findings: Findings::default(),
        edges: Edges::between(table.len()),
        longest: vec![None; table.keys()],
    };
    lists.edges.reserve(2 * table.all_ops().len());
    for at in (0..table.keys() as u32).take_while(|_| !stop.now()) {
        key::judge(table, KeyId(at), accesses.of_key(KeyId(at)), &mut lists, &mut scratch);
    }
    lists.accesses = accesses;
    lists
}
