//! One history judged by all models that mean something for it.

use super::lattice::{self, Family, Row};
use super::service::Service;
use super::transactions;
use crate::checking;
use crate::plan::Plan;
use crate::summary;
use anyhow::Result;
use quorate_checkers::consistency::{self, Atomicity, Judge, Judgement, Model, Versions};
use quorate_checkers::history::History;
use quorate_checkers::linearizable::{self, ModelKind, Staleness};
use quorate_checkers::session;
use quorate_checkers::transactions::Table;
use quorate_checkers::verdict::{Anomaly, Valid};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The search for the least k takes so many steps for each key and k.
const VERSIONS_STEPS: u64 = 200_000;

/// What is thought of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Whether the history keeps it.
    pub valid: Valid,
    /// How many violations were found; 0 where it follows from another model.
    pub violations: u64,
    /// What these are counted by.
    pub unit: &'static str,
    /// Why, in one sentence, where it is not kept.
    pub why: Option<String>,
    /// The model from whose cell this one follows.
    pub implied_by: Option<&'static str>,
}

/// What breaks a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The model.
    pub model: &'static str,
    /// What happened.
    pub anomaly: Anomaly,
    /// The operations that show it, a line each.
    pub operations: Vec<String>,
}

/// A history and all that is thought of it.
#[derive(Debug)]
pub struct Column {
    /// Its name in the table.
    pub name: String,
    /// Where it came from.
    pub source: String,
    /// What it holds.
    pub family: Family,
    /// How many operations it has.
    pub operations: usize,
    /// By the name of the model.
    pub cells: BTreeMap<&'static str, Cell>,
    /// The strongest models that it keeps.
    pub strongest: Vec<&'static str>,
    /// The smallest evidence for each of the weakest models that it breaks.
    pub evidence: Vec<Evidence>,
    /// By how many versions reads were late, and by how much time; of registers alone.
    pub lateness: Option<(Atomicity, Staleness)>,
    /// How well it served; of runs alone.
    pub service: Option<Service>,
}

/// What may be spent on one column.
#[derive(Clone, Copy)]
pub struct Limits<'a> {
    /// Threads; 0 is one a core.
    pub threads: usize,
    /// Asked now and then whether to give up.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// All cells, and what shows each that says no.
pub(super) type Judged = (BTreeMap<&'static str, Cell>, BTreeMap<&'static str, Anomaly>);

impl Column {
    /// Judges a history.
    pub fn of(
        name: String,
        source: String,
        history: &History,
        plan: Option<&Plan>,
        limits: Limits<'_>,
    ) -> Result<Column> {
        let family = family(history);
        let (cells, anomalies) = match family {
            Family::Registers if history.operations().is_empty() => nothing(),
            Family::Registers => registers(history, limits),
            Family::Transactions => transactions::judge(history, plan, limits)?,
            Family::Object => object(history, limits),
        };
        let rows = lattice::of(family);
        let lateness = (family == Family::Registers).then(|| {
            (consistency::atomicity(history, VERSIONS_STEPS), linearizable::staleness(history))
        });
        Ok(Column {
            name,
            source,
            family,
            operations: history.operations().len(),
            strongest: strongest(&rows, &cells),
            evidence: evidence(&rows, &cells, &anomalies, history),
            cells,
            lateness,
            service: None,
        })
    }

    /// Whether the strongest model of single operations, or of transactions, holds.
    pub fn keeps_the_strongest(&self) -> Valid {
        let rows = lattice::of(self.family);
        let cell = rows.first().and_then(|row| self.cells.get(row.name));
        cell.map_or(Valid::Unknown, |cell| cell.valid)
    }

    /// By how many versions and how much time reads were late, in words.
    pub fn lateness_words(&self) -> Option<(String, String)> {
        let (versions, time) = self.lateness.as_ref()?;
        let behind = match versions.worst() {
            _ if self.operations == 0 => "unknown".to_owned(),
            Versions::Exactly(1) => "1 (none)".to_owned(),
            other => other.to_string(),
        };
        let keys = |count: usize| crate::text::count(count, "key");
        let mut late: Vec<String> = Vec::new();
        if let Some((_, delta)) = time.stale.first() {
            let (ms, keys) = (delta.0 as f64 / 1e6, keys(time.stale.len()));
            late.push(format!("{ms:.3} ms on {keys}"));
        }
        if time.otherwise > 0 {
            late.push(format!("no time explains {}", keys(time.otherwise)));
        }
        if time.undecided > 0 {
            late.push(format!("unknown ({})", keys(time.undecided)));
        }
        if late.is_empty() {
            late.push(if self.operations == 0 { "unknown" } else { "none" }.to_owned());
        }
        Some((behind, late.join(", ")))
    }

    pub(super) fn to_json(&self) -> Value {
        let evidence: Vec<Value> = self
            .evidence
            .iter()
            .map(|evidence| json!({"model": evidence.model, "anomaly": evidence.anomaly}))
            .collect();
        json!({
            "name": self.name,
            "source": self.source,
            "operations": self.operations,
            "strongest": self.strongest,
            "evidence": evidence,
            "k_atomicity": self.lateness.as_ref().map(|(versions, _)| versions.to_json()),
            "staleness": self.lateness.as_ref().map(|(_, time)| time.to_json()),
            "service": self.service,
        })
    }
}

impl Cell {
    pub(super) fn new(valid: Valid, why: Option<String>) -> Cell {
        Cell { valid, violations: 0, unit: "", why, implied_by: None }
    }

    fn of(judgement: &Judgement) -> Cell {
        Cell {
            valid: judgement.valid,
            violations: judgement.violations,
            unit: judgement.model.unit(),
            why: judgement.why.clone(),
            implied_by: judgement.implied_by.map(Model::name),
        }
    }

    /// `yes`, `yes (by sequential)`, `no (3 reads)`, `no (by causal)`, `unknown`. That all is kept
    /// where the history is linearizable goes without saying.
    pub fn words(&self) -> String {
        match (self.valid, self.implied_by) {
            (Valid::True, Some(by)) if Model::from_name(by).is_some_and(is_weak) => {
                format!("yes (by {by})")
            }
            (Valid::True, _) => "yes".into(),
            (Valid::Unknown, _) => "unknown".into(),
            (Valid::False, Some(by)) => format!("no (by {by})"),
            (Valid::False, None) => match (self.violations, self.unit) {
                (0, _) | (_, "") => "no".into(),
                (1, unit) => format!("no (1 {unit})"),
                (many, "process") => format!("no ({many} processes)"),
                (many, "anomaly") => format!("no ({many} anomalies)"),
                (many, unit) => format!("no ({many} {unit}s)"),
            },
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "valid": self.valid,
            "violations": self.violations,
            "unit": self.unit,
            "why": self.why,
            "implied_by": self.implied_by,
        })
    }
}

fn is_weak(model: Model) -> bool {
    model != Model::Linearizable
}

/// The cells of a history without operations: no model is kept or broken.
fn nothing() -> Judged {
    let cell = || Cell::new(Valid::Unknown, Some(checking::NO_OPERATIONS.to_owned()));
    let rows = lattice::of(Family::Registers);
    (rows.iter().map(|row| (row.name, cell())).collect(), BTreeMap::new())
}

fn family(history: &History) -> Family {
    if Table::others(history) < history.operations().len() {
        return Family::Transactions;
    }
    match linearizable::guess(history) {
        Some(ModelKind::Register) | None => Family::Registers,
        Some(_) => Family::Object,
    }
}

fn registers(history: &History, limits: Limits<'_>) -> Judged {
    let Limits { threads, stop } = limits;
    let options = consistency::Options { threads, stop: Some(stop), ..Default::default() };
    let judged = Judge::new(history, options).all(&Model::ALL);
    let anomaly = |j: &Judgement| Some((j.model.name(), j.anomaly.clone()?));
    let mut anomalies = judged.iter().filter_map(anomaly).collect();
    let mut cells = judged.iter().map(|j| (j.model.name(), Cell::of(j))).collect();
    guarantees(history, &mut cells, &mut anomalies);
    (cells, anomalies)
}

/// The session guarantees, which causal convergence implies, and with it all that implies it: its
/// one order of writes, or theirs of all operations, is an order of the writes of each key in which
/// no session goes back.
fn guarantees(
    history: &History,
    cells: &mut BTreeMap<&'static str, Cell>,
    anomalies: &mut BTreeMap<&'static str, Anomaly>,
) {
    let stronger = Model::CausalConvergence.name();
    let kept = cells.get(stronger).filter(|cell| cell.valid == Valid::True);
    let implied = kept.map(|cell| cell.implied_by.unwrap_or(stronger));
    let report = if implied.is_some() { None } else { Some(session::check(history)) };
    let rows = lattice::of(Family::Registers);
    let models: Vec<&'static str> = rows.iter().map(|row| row.name).collect();
    for name in models.into_iter().filter(|name| Model::from_name(name).is_none()) {
        let cell = match &report {
            None => Cell { implied_by: implied, ..Cell::new(Valid::True, None) },
            Some(report) => {
                let valid = report.models.get(name).copied().unwrap_or(Valid::Unknown);
                let own: Vec<&Anomaly> =
                    report.anomalies.iter().filter(|anomaly| anomaly.kind == name).collect();
                let why = match (valid, own.first()) {
                    (Valid::True, _) => None,
                    (Valid::False, Some(first)) => Some(first.explanation.clone()),
                    _ => report.why.clone(),
                };
                anomalies.extend(own.first().map(|first| (name, (*first).clone())));
                let circles = report.details.get(name).and_then(serde_json::Value::as_u64);
                let violations = circles.unwrap_or(own.len() as u64);
                Cell { violations, unit: "key", ..Cell::new(valid, why) }
            }
        };
        cells.insert(name, cell);
    }
}

fn object(history: &History, limits: Limits<'_>) -> Judged {
    let Limits { threads, stop } = limits;
    let kind = linearizable::guess(history).unwrap_or(ModelKind::Register);
    let options = linearizable::Options { threads, stop: Some(stop), ..Default::default() };
    let report = linearizable::check(history, kind, &options);
    let (name, unit) = (Model::Linearizable.name(), Model::Linearizable.unit());
    let violations = report.anomalies.len() as u64;
    let cell = Cell { valid: report.valid, violations, unit, why: report.why, implied_by: None };
    let anomalies = report.anomalies.into_iter().take(1).map(|anomaly| (name, anomaly)).collect();
    (BTreeMap::from([(name, cell)]), anomalies)
}

/// The models that hold and are not weaker than another one that does.
fn strongest(rows: &[Row], cells: &BTreeMap<&'static str, Cell>) -> Vec<&'static str> {
    let holds = |row: &&Row| cells.get(row.name).is_some_and(|cell| cell.valid == Valid::True);
    let holding: Vec<&Row> = rows.iter().filter(holds).collect();
    let top = |row: &&&Row| !holding.iter().any(|other| lattice::is_weaker(rows, other, row));
    holding.iter().filter(top).map(|row| row.name).collect()
}

/// What breaks each model that fails though nothing weaker does.
fn evidence(
    rows: &[Row],
    cells: &BTreeMap<&'static str, Cell>,
    anomalies: &BTreeMap<&'static str, Anomaly>,
    history: &History,
) -> Vec<Evidence> {
    let fails = |row: &&Row| cells.get(row.name).is_some_and(|cell| cell.valid == Valid::False);
    let failing: Vec<&Row> = rows.iter().filter(fails).collect();
    let first = |row: &&&Row| !failing.iter().any(|other| lattice::is_weaker(rows, row, other));
    let mut told: Vec<Evidence> = Vec::new();
    for row in failing.iter().filter(first) {
        let Some(anomaly) = anomalies.get(row.name) else { continue };
        let operations = anomaly.ops.iter().map(|index| summary::operation_line(history, *index));
        let operations = operations.collect();
        told.push(Evidence { model: row.name, anomaly: anomaly.clone(), operations });
    }
    told
}
