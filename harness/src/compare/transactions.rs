//! Transactions judged by every model of their lattice.
//!
//! Anomalies rule models out. Where the values of lists tell the order of versions, a model
//! without an anomaly holds. Registers tell less: there a model holds only if a checker that needs
//! no order of versions finds an order of transactions, or if a stronger model holds.

use super::column::{Cell, Judged, Limits};
use crate::checking::Asked;
use crate::plan::Plan;
use crate::usage::wrong;
use anyhow::Result;
use quorate_checkers::history::History;
use quorate_checkers::transactions::{self, AnomalyKind, KeyRules, Options, TxnModel};
use quorate_checkers::transactions::{isolation, serial};
use quorate_checkers::verdict::{Anomaly, CheckerReport, Valid};
use std::collections::BTreeMap;

/// All cells of a history of transactions.
pub(super) fn judge(history: &History, plan: Option<&Plan>, limits: Limits<'_>) -> Result<Judged> {
    let asked = plan.map(Asked::of_plan).unwrap_or_default();
    let keys = KeyRules {
        sequential: asked.sequential_keys,
        linearizable: asked.linearizable_keys,
        reads_before_writes: asked.wfr_keys,
    };
    let report = {
        let options = Options { keys, ..Options::default() };
        transactions::check_until(history, &options, limits.stop)
    };
    if report.models.is_empty() {
        let why = report.why.unwrap_or_default();
        return Err(wrong(format!("the transactions cannot be judged: {why}")));
    }
    let mut cells: BTreeMap<&'static str, Cell> =
        decided().map(|m| (m.name(), cell(&report, m))).collect();
    let mut anomalies = BTreeMap::new();
    for model in decided().filter(|model| cells[model.name()].valid == Valid::False) {
        let forbidden = model.forbids();
        let is_one = |anomaly: &&Anomaly| {
            AnomalyKind::from_name(&anomaly.kind).is_some_and(|kind| forbidden.contains(kind))
        };
        // The one with the fewest operations is read most easily.
        let smallest = report.anomalies.iter().filter(is_one).min_by_key(|a| a.ops.len());
        anomalies.extend(smallest.map(|anomaly| (model.name(), anomaly.clone())));
    }
    if report.details.get("workload").and_then(|workload| workload.as_str()) == Some("wr") {
        black_box(history, limits, &mut cells, &mut anomalies);
    }
    Ok((cells, anomalies))
}

fn decided() -> impl Iterator<Item = TxnModel> {
    TxnModel::all().filter(|model| model.is_decided_by_anomalies())
}

fn cell(report: &CheckerReport, model: TxnModel) -> Cell {
    let valid = report.models.get(model.name()).copied().unwrap_or(Valid::Unknown);
    let counts = report.details.get("found").and_then(|found| found.as_object());
    let found: Vec<(&String, u64)> = counts
        .into_iter()
        .flatten()
        .filter(|(kind, _)| {
            AnomalyKind::from_name(kind).is_some_and(|kind| model.forbids().contains(kind))
        })
        .map(|(kind, count)| (kind, count.as_u64().unwrap_or(0)))
        .collect();
    let why = match valid {
        Valid::True => None,
        Valid::Unknown => Some(report.why.clone().unwrap_or_else(|| {
            "no anomaly rules it out, and no stronger model is known to hold".into()
        })),
        Valid::False => {
            let kinds: Vec<&str> = found.iter().map(|(kind, _)| kind.as_str()).collect();
            Some(format!("it forbids {}", kinds.join(", ")))
        }
    };
    let violations = found.iter().map(|(_, count)| count).sum();
    Cell { violations, unit: "anomaly", ..Cell::new(valid, why) }
}

/// What can be said of registers: no anomaly is not enough for a model to hold.
fn black_box(
    history: &History,
    limits: Limits<'_>,
    cells: &mut BTreeMap<&'static str, Cell>,
    anomalies: &mut BTreeMap<&'static str, Anomaly>,
) {
    let open = "no anomaly was found, but the order of versions is not known";
    for cell in cells.values_mut().filter(|cell| cell.valid == Valid::True) {
        *cell = Cell::new(Valid::Unknown, Some(open.into()));
    }
    let options = serial::Options { stop: Some(&|| (limits.stop)()), ..Default::default() };
    for (model, row) in isolation::in_lattice() {
        let name = row.name();
        if cells.get(name).is_none_or(|cell| cell.valid != Valid::Unknown) {
            continue;
        }
        let report = isolation::check(history, &[model], &options);
        match report.valid {
            Valid::True => {
                for weaker in decided().filter(|weaker| row.implies(*weaker)) {
                    let by = (weaker != row).then_some(name);
                    if let Some(cell) = cells.get_mut(weaker.name()) {
                        *cell = Cell { implied_by: by, ..Cell::new(Valid::True, None) };
                    }
                }
            }
            Valid::False if model.decides_its_row() => {
                for stronger in decided().filter(|stronger| stronger.implies(row)) {
                    let by = (stronger != row).then_some(name);
                    let violations = if by.is_some() { 0 } else { report.anomalies.len() as u64 };
                    let why = report.why.clone();
                    let new = Cell {
                        violations,
                        unit: "anomaly",
                        implied_by: by,
                        ..Cell::new(Valid::False, why)
                    };
                    if let Some(cell) = cells.get_mut(stronger.name())
                        && cell.valid == Valid::Unknown
                    {
                        *cell = new;
                    }
                }
                if let Some(anomaly) = report.anomalies.into_iter().next() {
                    anomalies.entry(row.name()).or_insert(anomaly);
                }
            }
            _ => {}
        }
    }
}
