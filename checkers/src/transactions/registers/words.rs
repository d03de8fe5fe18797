//! Transactions and flaws in words.

use super::{Flaw, INITIAL, Node, Registers};
use crate::history::OpIndex;
use crate::transactions::{Action, MicroOp, TxnId};
use crate::verdict::Anomaly;
use serde_json::json;
use std::fmt::Write as _;

/// So many flaws are told one by one; the others are counted.
const TOLD_MAX: usize = 32;

/// A transaction with more micro-operations than this is shown in part.
const SHOWN_MAX: usize = 12;

/// The checker's name in anomalies.
pub const CHECKER: &str = "isolation";

/// Why a transaction of a cycle comes before the next.
pub struct CycleStep {
    /// The transaction.
    pub from: Node,
    /// `wr`, `ww`, `rw`, `process`, `realtime`, `initial`.
    pub kind: &'static str,
    /// In words.
    pub text: String,
}

impl Registers<'_> {
    /// A name of a transaction for sentences: `T12` is that of event 12.
    pub fn name(&self, node: Node) -> String {
        match node {
            INITIAL => "the initial state".to_owned(),
            _ => self.row_name(self.row(node)),
        }
    }

    fn row_name(&self, id: TxnId) -> String {
        match self.event(id) {
            Some(event) => format!("T{event}"),
            None => format!("T{}", id.0),
        }
    }

    /// The event that shows a transaction best: its completion.
    fn event(&self, id: TxnId) -> Option<OpIndex> {
        let txn = self.table.txn(id);
        txn.complete.or(txn.invoke)
    }

    /// The events of transactions, for an anomaly.
    pub fn events(&self, nodes: impl IntoIterator<Item = Node>) -> Vec<OpIndex> {
        let nodes = nodes.into_iter().filter(|node| *node != INITIAL);
        let mut events: Vec<OpIndex> =
            nodes.filter_map(|node| self.event(self.row(node))).collect();
        events.sort_unstable();
        events.dedup();
        events
    }

    /// A cycle as evidence: the events of its transactions, their names, and why each comes
    /// before the next, the last before the first.
    pub fn cycle_evidence(
        &self,
        steps: &[CycleStep],
    ) -> serde_json::Map<String, serde_json::Value> {
        let event = |step: &CycleStep| match step.from {
            INITIAL => None,
            node => self.event(self.row(node)).map(|event| event.0),
        };
        let events: Vec<Option<u32>> = steps.iter().chain(steps.first()).map(event).collect();
        let names: Vec<String> = steps.iter().map(|step| self.name(step.from)).collect();
        let told = steps.iter().map(|step| json!({ "type": step.kind, "text": step.text }));
        let mut evidence = serde_json::Map::new();
        evidence.insert("cycle".into(), json!(events));
        evidence.insert("names".into(), json!(names));
        evidence.insert("steps".into(), told.collect());
        evidence
    }

    /// What a transaction did: `T12 of process 3: w x 1, r y 2`.
    pub fn describe(&self, node: Node) -> String {
        if node == INITIAL {
            return self.name(node);
        }
        let id = self.row(node);
        let process = self.table.process(self.table.txn(id).session);
        let mut text = format!("{} of process {process}:", self.name(node));
        let ops = self.table.ops(id);
        for (position, op) in ops.iter().take(SHOWN_MAX).enumerate() {
            let comma = if position == 0 { "" } else { "," };
            let _ = write!(text, "{comma} {}", self.op_words(*op));
        }
        if ops.len() > SHOWN_MAX {
            let _ = write!(text, ", and {} more", ops.len() - SHOWN_MAX);
        }
        text
    }

    fn op_words(&self, op: MicroOp) -> String {
        let key = self.table.key(op.key);
        match op.action {
            Action::Read(value) => format!("r {key} {}", self.table.value(value)),
            Action::Write(value) => format!("w {key} {}", self.table.value(value)),
            Action::ReadUnknown => format!("r {key} ?"),
            Action::ReadList(_) => format!("r {key} (a list)"),
            Action::Append(value) => format!("append {key} {}", self.table.value(value)),
            _ => format!("(no operation of a register) {key}"),
        }
    }

    /// A key as it was written.
    pub fn key_text(&self, key: u32) -> String {
        self.table.key(Self::key_id(key)).to_string()
    }

    /// What `reader` saw of a key written by `writer`, as `x = 5`.
    pub fn saw(&self, reader: Node, writer: Node, key: u32) -> String {
        let read = self.reads(reader).iter().find(|read| read.key == key && read.source == writer);
        let value = read.map(|read| self.table.all_ops()[read.op as usize].action);
        match value {
            Some(Action::Read(value)) => {
                format!("{} = {}", self.key_text(key), self.table.value(value))
            }
            _ => self.key_text(key),
        }
    }

    fn flaw(&mut self, kind: &str, explanation: String, rows: &[TxnId], weak: bool) {
        self.flawed += 1;
        let room = self.flaws.len() < TOLD_MAX;
        let first_of_kind = || !self.flaws.iter().any(|flaw| flaw.anomaly.kind == kind);
        if !room && !first_of_kind() {
            return;
        }
        let ops = rows.iter().filter_map(|row| self.event(*row)).collect();
        let anomaly = Anomaly {
            kind: kind.to_owned(),
            checker: CHECKER.to_owned(),
            explanation,
            ops,
            evidence: serde_json::Map::new(),
        };
        self.flaws.push(Flaw { anomaly, read_committed_allows: weak });
    }

    /// A read that does not see what its transaction wrote before.
    pub(super) fn flaw_internal(
        &mut self,
        node: Node,
        op: usize,
        known: crate::transactions::ValueId,
    ) {
        let micro = self.table.all_ops()[op];
        let (name, known) = (self.name(node), self.table.value(known));
        let explanation = format!(
            "{name} writes {known} to {} and then reads something else: {}",
            self.table.key(micro.key),
            self.op_words(micro)
        );
        self.flaw("internal", explanation, &[self.row(node)], false);
    }

    /// Two reads of one key that differ.
    pub(super) fn flaw_not_repeatable(
        &mut self,
        node: Node,
        op: usize,
        known: crate::transactions::ValueId,
    ) {
        let micro = self.table.all_ops()[op];
        let explanation = format!(
            "{} reads {} = {} and later, without writing it, something else: {}",
            self.name(node),
            self.table.key(micro.key),
            self.table.value(known),
            self.op_words(micro)
        );
        self.flaw("non-repeatable-read", explanation, &[self.row(node)], true);
    }

    /// A read of a value that no transaction left behind. `versions` are the writes of that
    /// value: whether by one that can have committed, by which, and whether it stayed.
    pub(super) fn flaw_source(
        &mut self,
        node: Node,
        op: usize,
        versions: impl Iterator<Item = (bool, TxnId, bool)>,
    ) {
        let micro = self.table.all_ops()[op];
        let (id, name, saw) = (self.row(node), self.name(node), self.op_words(micro));
        let mut versions: Vec<(bool, TxnId, bool)> = versions.collect();
        versions.sort_by_key(|(committed, row, _)| (!committed, *row != id));
        let (kind, explanation, writer) = match versions[..] {
            [] => ("garbage-read", format!("{name} reads what nobody wrote: {saw}"), None),
            [(true, row, _), ..] if row == id => {
                ("future-read", format!("{name} reads what it writes only later: {saw}"), None)
            }
            [(true, row, _), ..] => {
                let writer = self.row_name(row);
                let text = format!(
                    "{name} reads what {writer} wrote and overwrote before it committed: {saw}"
                );
                ("G1b", text, Some(row))
            }
            [(false, row, _), ..] => {
                let writer = self.row_name(row);
                (
                    "G1a",
                    format!("{name} reads what {writer}, which failed, wrote: {saw}"),
                    Some(row),
                )
            }
        };
        let rows: Vec<TxnId> = writer.into_iter().chain([id]).collect();
        self.flaw(kind, explanation, &rows, false);
    }
}
