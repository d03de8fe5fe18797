//! The smallest part of a history that breaks a model by itself.
//!
//! If a history has a model, so has what is left when operations are taken out, as long as each
//! read keeps the write that it saw. So a part that breaks the model shows that the whole does.
//! Operations are taken out one by one, each write together with its reads, while the part still
//! breaks the model. Parts begin small: with the operations that a violation rests on.

use crate::transactions::registers::{INITIAL, Node, Registers};
use crate::transactions::{Action, Outcome, Session, Table, TxnId};
use std::collections::{BTreeMap, BTreeSet};

/// A part with more operations than this is not made smaller.
const OPERATIONS_MAX: usize = 400;

/// Operations that are kept.
#[derive(Clone)]
struct Part {
    nodes: BTreeSet<Node>,
    /// Those of them of which only the write counts.
    blind: BTreeSet<Node>,
}

/// The table of the smallest part found within `grounds` that is `broken`; `None` if not even all
/// of these are.
pub(super) fn smallest(
    registers: &Registers<'_>,
    grounds: &BTreeSet<Node>,
    broken: impl Fn(&Table) -> bool,
) -> Option<Table> {
    let mut part = Part { nodes: grounds.clone(), blind: BTreeSet::new() };
    // Each read keeps its writer. What that one saw itself does not matter, else it would be among
    // the grounds.
    for node in grounds {
        let writers = registers.reads(*node).iter().filter_map(|read| read.writer());
        for writer in writers.filter(|writer| *writer != INITIAL) {
            if part.nodes.insert(writer) {
                part.blind.insert(writer);
            }
        }
    }
    let mut smallest = part.table(registers);
    if !broken(&smallest) {
        return None;
    }
    if part.nodes.len() > OPERATIONS_MAX {
        return Some(smallest);
    }
    loop {
        let before = (part.nodes.len(), part.blind.len());
        for node in part.nodes.clone() {
            for fewer in [part.without(registers, node), part.unseeing(registers, node)] {
                let Some(fewer) = fewer else { continue };
                let table = fewer.table(registers);
                if broken(&table) {
                    (part, smallest) = (fewer, table);
                    break;
                }
            }
        }
        if (part.nodes.len(), part.blind.len()) == before {
            return Some(smallest);
        }
    }
}

impl Part {
    /// Without an operation, and without those that read from one that is gone.
    fn without(&self, registers: &Registers<'_>, node: Node) -> Option<Part> {
        let mut left = self.clone();
        let mut gone = vec![node];
        while let Some(node) = gone.pop() {
            if left.nodes.remove(&node) {
                left.blind.remove(&node);
                let reads = |other: &&Node| left.reads_from(registers, **other, node);
                gone.extend(left.nodes.iter().filter(reads).copied());
            }
        }
        (left.nodes.len() < self.nodes.len()).then_some(left)
    }

    /// The same where an operation that reads and writes only writes.
    fn unseeing(&self, registers: &Registers<'_>, node: Node) -> Option<Part> {
        let both = !registers.reads(node).is_empty() && !registers.writes(node).is_empty();
        let mut left = self.clone();
        (both && left.nodes.contains(&node) && left.blind.insert(node)).then_some(left)
    }

    fn reads_from(&self, registers: &Registers<'_>, node: Node, writer: Node) -> bool {
        !self.blind.contains(&node)
            && registers.reads(node).iter().any(|read| read.writer() == Some(writer))
    }

    /// These operations alone. Reads that several writes can explain are left out.
    fn table(&self, registers: &Registers<'_>) -> Table {
        let row = |node: &Node| {
            let known = registers.reads(*node).iter().all(|read| read.writer().is_some());
            (registers.row(*node), Outcome::Ok, known && !self.blind.contains(node))
        };
        some_rows(registers.table(), self.nodes.iter().map(row))
    }
}

/// Some rows of a table of single operations as a table of their own, each with how it ended and
/// whether what it read counts.
pub(super) fn some_rows(
    whole: &Table,
    rows: impl IntoIterator<Item = (TxnId, Outcome, bool)>,
) -> Table {
    let mut part = Table::default();
    let mut sessions: BTreeMap<Session, Session> = BTreeMap::new();
    for (id, outcome, sees) in rows {
        let row = whole.txn(id);
        let session = *sessions
            .entry(row.session)
            .or_insert_with(|| part.add_session(whole.process(row.session)));
        part.begin(session, outcome, row.invoke, row.complete);
        for op in whole.ops(id) {
            let key = part.key_id(whole.key(op.key));
            let action = match op.action {
                Action::Read(value) if sees => Action::Read(part.value_id(whole.value(value))),
                Action::Write(value) => Action::Write(part.value_id(whole.value(value))),
                _ => continue,
            };
            part.push(key, action);
        }
    }
    part
}
