//! Transactions over registers judged without any knowledge of the order of versions.
//!
//! Where keys have no order that could be inferred, [`super::check`] finds what is certain and
//! leaves open what is not. These checkers decide: the weak levels in near-linear time, the
//! strong ones by a search under a budget. They need registers; for lists there is nothing left
//! to decide.

use super::registers::Registers;
use super::serial::{self, Effort, single_operations};
use super::weak::{self, Findings, Level};
use super::{Action, Table, ValueId, Workload, closed_predicate, parse, timestamps};
use crate::history::History;
use crate::verdict::{CheckerReport, Valid};
use serde_json::{Map, json};
use std::collections::BTreeMap;

pub use super::registers::CHECKER;

/// A model that these checkers decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Model {
    /// In near-linear time.
    Weak(Level),
    /// By reduction and search.
    Strong(serial::Model),
    /// Serializability of single operations.
    Sequential,
}

impl Model {
    /// All of them, weakest first.
    pub fn all() -> impl Iterator<Item = Model> {
        let weak = Level::ALL.into_iter().map(Model::Weak);
        weak.chain([Model::Sequential]).chain(serial::Model::ALL.into_iter().map(Model::Strong))
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Model::Weak(level) => level.name(),
            Model::Strong(model) => model.name(),
            Model::Sequential => "sequential",
        }
    }

    /// The model of this name.
    pub fn from_name(name: &str) -> Option<Model> {
        Model::all().find(|model| model.name() == name)
    }

    /// One line for lists.
    pub fn describe(self) -> &'static str {
        match self {
            Model::Weak(Level::ReadCommitted) => {
                "transactions see committed values and never go \
                                                  back behind what they saw"
            }
            Model::Weak(Level::ReadAtomic) => "who sees one write of a transaction sees them all",
            Model::Weak(Level::Causal) => "who sees a transaction sees all that it saw",
            Model::Sequential => "one order of all operations that keeps that of each process",
            Model::Strong(serial::Model::SnapshotIsolation) => {
                "reads come from one snapshot; of two that write one key at a time, one commits"
            }
            Model::Strong(serial::Model::SessionSnapshotIsolation) => {
                "snapshots that hold all that their own session has committed"
            }
            Model::Strong(serial::Model::Serializable) => {
                "all transactions as if one after the other"
            }
            Model::Strong(serial::Model::SessionSerializable) => {
                "all transactions as if one after the other, those of a session in its order"
            }
            Model::Strong(serial::Model::StrictSerializable) => {
                "all transactions as if one after the other, in an order that agrees with real time"
            }
        }
    }
}

impl std::fmt::Display for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a history is one that these checkers judge: transactions over registers, or single
/// operations on them.
pub fn is_registers(history: &History) -> bool {
    // Lists are told by their first operations, without a table of them all.
    let others = [Workload::Append, Workload::ClosedPredicate];
    if parse::shows(history, &others) || closed_predicate::has_initial_rows(history) {
        return false;
    }
    let table = table(history);
    table.is_some_and(|table| {
        let register = |action: &Action| match action {
            Action::Write(_) | Action::ReadUnknown => true,
            Action::Read(value) => *value == ValueId::NIL || true_register(&table, *value),
            _ => false,
        };
        !table.is_empty() && table.all_ops().iter().all(|op| register(&op.action))
    })
}

fn true_register(table: &Table, value: ValueId) -> bool {
    table.value(value).as_items().is_none()
}

/// The transactions of a history; single operations if there are none.
fn table(history: &History) -> Option<Table> {
    if Table::others(history) == 0 {
        return Table::from_history(history).ok();
    }
    single_operations(history)
}

/// Judges a history by some models. The weak levels and `causal` count the order of each
/// session, as their definitions do; `serializable` and `snapshot-isolation` do not, their
/// `strong-session` forms do.
pub fn check(history: &History, models: &[Model], options: &serial::Options<'_>) -> CheckerReport {
    let Some(table) = table(history) else {
        return CheckerReport::unknown(
            "not all operations are transactions, reads or writes of registers".into(),
        );
    };
    let registers = Registers::new(&table);
    let mut report = CheckerReport {
        valid: Valid::True,
        why: None,
        details: Map::new(),
        anomalies: Vec::new(),
        models: BTreeMap::new(),
    };
    report.details.insert("transactions".into(), json!(registers.len() - 1));
    report.details.insert("sessions".into(), json!(registers.sessions() - 1));
    report.details.insert("flaws".into(), json!(registers.flawed()));
    for model in models {
        let (findings, effort) = one(history, &registers, *model, options);
        add(&mut report, *model, findings, effort);
    }
    report
}

fn one(
    history: &History,
    registers: &Registers<'_>,
    model: Model,
    options: &serial::Options<'_>,
) -> (Findings, Option<Effort>) {
    let strong = match model {
        Model::Weak(level) => return (weak::check(registers, level), None),
        Model::Sequential => serial::Model::SessionSerializable,
        Model::Strong(serial::Model::StrictSerializable) if !history.has_real_time() => {
            let why = "the history has no real time: its order of events tells nothing about \
                       transactions of different sessions";
            return (Findings { anomalies: Vec::new(), undecided: Some(why.into()) }, None);
        }
        Model::Strong(strong) => strong,
    };
    let (findings, effort) = serial::check_with_effort(registers, strong, options);
    (findings, Some(effort))
}

fn add(report: &mut CheckerReport, model: Model, findings: Findings, effort: Option<Effort>) {
    let valid = findings.valid();
    let why = match (valid, &findings.undecided) {
        (Valid::True, _) => None,
        (Valid::Unknown, why) => why.clone(),
        (Valid::False, _) => findings.anomalies.first().map(|anomaly| anomaly.explanation.clone()),
    };
    let why = why.map(|why| format!("{}: {why}", model.name()));
    if valid < report.valid {
        report.why = why;
    }
    report.valid = report.valid.and(valid);
    report.models.insert(model.name().into(), valid);
    if let Some(effort) = effort {
        let told = json!({
            "links": effort.links,
            "choices": effort.decisions,
            "conflicts": effort.conflicts,
        });
        report.details.insert(model.name().into(), told);
    }
    for anomaly in findings.anomalies {
        if !report.anomalies.contains(&anomaly) {
            report.anomalies.push(anomaly);
        }
    }
}

/// Judges a history by the timestamps that its database gave, if it has any.
pub fn check_timestamps(history: &History) -> Option<CheckerReport> {
    timestamps::check(history)
}
