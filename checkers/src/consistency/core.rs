//! The smallest part of a history that breaks a model by itself.
//!
//! If a history has a model, so has what is left when operations are taken out, as long as each
//! read keeps the write that it saw. So a part that breaks the model shows that the whole does.
//! Operations are taken out one by one, each write together with its reads, while the part still
//! breaks the model. Parts begin small: with the operations that a violation rests on.

use crate::transactions::registers::{INITIAL, Node, Registers};
use crate::transactions::{Action, Outcome, Session, Table};
use std::collections::{BTreeMap, BTreeSet};

/// A part with more operations than this is not made smaller.
const OPERATIONS_MAX: usize = 400;

/// The table of the smallest part found within `grounds` that is `broken`; `None` if not even all
/// of these are.
pub(super) fn smallest(
    registers: &Registers<'_>,
    grounds: &BTreeSet<Node>,
    broken: impl Fn(&Table) -> bool,
) -> Option<Table> {
    let mut kept = grounds.clone();
    // Each read keeps its writer.
    for node in grounds {
        let writers = registers.reads(*node).iter().filter_map(|read| read.writer());
        kept.extend(writers.filter(|writer| *writer != INITIAL));
    }
    let mut part = table(registers, &kept);
    if !broken(&part) {
        return None;
    }
    if kept.len() > OPERATIONS_MAX {
        return Some(part);
    }
    loop {
        let before = kept.len();
        for node in kept.clone() {
            if !kept.contains(&node) {
                continue;
            }
            let fewer = without(registers, &kept, node);
            let smaller = table(registers, &fewer);
            if broken(&smaller) {
                (kept, part) = (fewer, smaller);
            }
        }
        if kept.len() == before {
            return Some(part);
        }
    }
}

/// Without an operation, and without those that read from one that is gone.
fn without(registers: &Registers<'_>, kept: &BTreeSet<Node>, node: Node) -> BTreeSet<Node> {
    let mut left = kept.clone();
    let mut gone = vec![node];
    while let Some(node) = gone.pop() {
        if left.remove(&node) {
            let reads = |other: &&Node| {
                registers.reads(**other).iter().any(|read| read.writer() == Some(node))
            };
            gone.extend(left.iter().filter(reads).copied());
        }
    }
    left
}

/// These operations alone. Reads that several writes can explain are left out.
fn table(registers: &Registers<'_>, kept: &BTreeSet<Node>) -> Table {
    let whole = registers.table();
    let mut part = Table::default();
    let mut sessions: BTreeMap<Session, Session> = BTreeMap::new();
    for node in kept {
        let row = whole.txn(registers.row(*node));
        let session = *sessions
            .entry(row.session)
            .or_insert_with(|| part.add_session(whole.process(row.session)));
        part.begin(session, Outcome::Ok, row.invoke, row.complete);
        let sure = registers.reads(*node).iter().all(|read| read.writer().is_some());
        for op in whole.ops(registers.row(*node)) {
            let key = part.key_id(whole.key(op.key));
            let action = match op.action {
                Action::Read(value) if sure => Action::Read(part.value_id(whole.value(value))),
                Action::Write(value) => Action::Write(part.value_id(whole.value(value))),
                _ => continue,
            };
            part.push(key, action);
        }
    }
    part
}
