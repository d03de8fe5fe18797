//! Registers: each write replaces the version before, and no value is written to a key twice.
//!
//! A value tells who wrote it, so wr edges are certain. Which version replaced which is not
//! told; it is inferred by rules that the database is said to keep ([`KeyRules`]), always by
//! this one: the initial version comes before all others. Where `u` comes before `v`, the writer
//! of `u` precedes that of `v` (ww), and so do all readers of `u` (rw).
//!
//! The rules are added one by one. One that orders versions in a circle with those before it is
//! reported as `cyclic-versions` and left out for that key. (Kingsbury and Alvaro, *Elle*, VLDB
//! 2020, §5.)
//!
//! All rules are near-linear: the versions that follow one in real time are a stretch of all
//! versions by when they were last seen to begin, and edges to a stretch take O(log n) (see
//! `versions`).

mod explain;
mod key;
mod link;
mod reads;
mod versions;

use super::access::Accesses;
use super::check::KeyRules;
use super::committed::Committed;
use super::finding::Findings;
use super::graph::Edges;
use super::order::Intervals;
use super::scratch::Scratch;
use super::stop::Stop;
use super::table::{KeyId, Table};

pub(super) use explain::explain;

/// What the registers of a history say.
#[derive(Debug)]
pub(super) struct Registers {
    pub(super) accesses: Accesses,
    pub(super) committed: Committed,
    pub(super) findings: Findings,
    pub(super) edges: Edges,
    pub(super) intervals: Intervals,
    pub(super) rules: KeyRules,
    /// Places in an order that is known otherwise.
    pub(super) ranks: Vec<Option<i64>>,
}

/// Reads all keys, until `stop`. `ranks` is empty or says for each transaction where it stands in
/// an order that is known otherwise.
pub(super) fn infer(
    table: &Table,
    rules: KeyRules,
    ranks: Vec<Option<i64>>,
    stop: &Stop<'_>,
) -> Registers {
    let accesses = Accesses::of(table);
    let mut scratch = Scratch::new(table.values());
    let committed = Committed::of(table, &accesses, &mut scratch);
    let intervals = Intervals::of(table, |txn| committed.contains(txn as u32));
    let mut registers = Registers {
        accesses: Accesses::empty(),
        committed,
        findings: Findings::default(),
        edges: Edges::between(table.len()),
        intervals,
        rules,
        ranks,
    };
    registers.edges.reserve(2 * table.all_ops().len());
    let mut sessions = versions::Sessions::new(table.sessions());
    for at in (0..table.keys() as u32).take_while(|_| !stop.now()) {
        let accesses = accesses.of_key(KeyId(at));
        scratch.next_key();
        key::judge(table, KeyId(at), accesses, &mut registers, &mut scratch, &mut sessions);
    }
    registers.accesses = accesses;
    registers
}
