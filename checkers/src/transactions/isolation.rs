//! Transactions over registers judged without any knowledge of the order of versions.
//!
//! Where keys have no order that could be inferred, [`super::check`] finds what is certain and
//! leaves open what is not. These checkers decide: the weak levels in near-linear time, the
//! strong ones by a search under a budget. They need registers; for lists there is nothing left
//! to decide.

use super::registers::Registers;
use super::serial::{self, Effort, single_operations};
use super::weak::{self, Findings, Level};
use super::{
    Action, AnomalyKind, KindSet, Table, TxnModel, ValueId, Workload, closed_predicate, parse,
    timestamps,
};
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

    /// Whether it asks for the order in which transactions ended and began.
    pub(super) fn needs_real_time(self) -> bool {
        self == Model::Strong(serial::Model::StrictSerializable)
    }

    /// Whether what breaks it breaks its row of the lattice: the weak levels count the order of
    /// sessions, and those rows do not.
    pub fn decides_its_row(self) -> bool {
        matches!(self, Model::Strong(_))
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

/// The models of the lattice that these checkers decide, strongest first. Each that holds makes
/// its row hold.
pub fn in_lattice() -> impl Iterator<Item = (Model, TxnModel)> {
    use serial::Model::{
        Serializable, SessionSerializable, SessionSnapshotIsolation, SnapshotIsolation,
        StrictSerializable,
    };
    let strong = [
        StrictSerializable,
        SessionSerializable,
        Serializable,
        SessionSnapshotIsolation,
        SnapshotIsolation,
    ];
    let strong = strong.map(|model| (Model::Strong(model), model.name()));
    let weak = [
        (Model::Weak(Level::Causal), "causal-cerone"),
        (Model::Weak(Level::ReadAtomic), "read-atomic"),
        (Model::Weak(Level::ReadCommitted), "read-committed"),
    ];
    let named = strong.into_iter().chain(weak);
    named.filter_map(|(model, name)| Some((model, name.parse().ok()?)))
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
        let (findings, effort) = if model.needs_real_time() && !history.has_real_time() {
            let why = "the history has no real time: its order of events tells nothing about \
                       transactions of different sessions";
            (Findings { anomalies: Vec::new(), undecided: Some(why.into()) }, None)
        } else {
            one(&registers, *model, options)
        };
        add(&mut report, *model, findings, effort);
    }
    report
}

/// What breaks a model, and what it took to find that.
pub(super) fn one(
    registers: &Registers<'_>,
    model: Model,
    options: &serial::Options<'_>,
) -> (Findings, Option<Effort>) {
    let strong = match model {
        Model::Weak(level) => return (weak::check(registers, level), None),
        Model::Sequential => serial::Model::SessionSerializable,
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
    spread(&mut report.models, model, valid, &findings);
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

/// Whether over registers one model breaks wherever another one, of the lattice too, does: if it
/// implies that. What is read by key alone makes repeatable read serializability.
pub(super) fn breaks_with(broken: TxnModel, model: TxnModel) -> bool {
    let both = [(broken.name(), "serializable"), (model.name(), "repeatable-read")];
    model.implies(broken) || both.iter().all(|(name, wanted)| name == wanted)
}

/// Notes what a model's verdict says of others: what it implies holds with it, what implies it
/// breaks with it, and so does what forbids something that does not depend on any order.
fn spread(models: &mut BTreeMap<String, Valid>, model: Model, valid: Valid, findings: &Findings) {
    let row = |model: Model| in_lattice().find(|(known, _)| *known == model).map(|(_, row)| row);
    let Some(asked) = row(model) else { return };
    let broken: Vec<TxnModel> = match model {
        Model::Strong(strong) if valid == Valid::False => {
            let kinds = findings.anomalies.iter().map(|anomaly| anomaly.kind.as_str());
            let weakest = kinds.map(|kind| strong.broken_by(kind).unwrap_or(strong));
            weakest.filter_map(|weakest| row(Model::Strong(weakest))).chain([asked]).collect()
        }
        _ => Vec::new(),
    };
    let plain = |kind: &AnomalyKind| serial::suffix(kind.name()).is_none();
    let kinds: KindSet =
        findings.anomalies.iter().filter_map(AnomalyKind::of).filter(plain).collect();
    for other in TxnModel::all().filter(|other| other.is_decided_by_anomalies()) {
        let follows = match valid {
            Valid::True => asked.implies(other),
            Valid::False => {
                broken.iter().any(|broken| breaks_with(*broken, other))
                    || !other.contradicted_by().and(kinds).is_empty()
            }
            Valid::Unknown => false,
        };
        if follows {
            models.entry(other.name().to_owned()).or_insert(valid);
        }
    }
}

/// Judges a history by the timestamps that its database gave, if it has any.
pub fn check_timestamps(history: &History) -> Option<CheckerReport> {
    timestamps::check(history)
}
