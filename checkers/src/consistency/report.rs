//! The models of this module as a checker among others.

use super::{Judge, Model, Options};
use crate::history::History;
use crate::verdict::{CheckerReport, Valid};
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// The name of this checker in reports.
pub const CHECKER: &str = "consistency";

/// Judges a history of registers by models.
pub fn check(history: &History, models: &[Model], options: Options<'_>) -> CheckerReport {
    let mut report = CheckerReport {
        valid: Valid::True,
        why: None,
        details: Map::new(),
        anomalies: Vec::new(),
        models: BTreeMap::new(),
    };
    for judgement in Judge::new(history, options).all(models) {
        let name = judgement.model.name();
        report.models.insert(name.into(), judgement.valid);
        let by = judgement.implied_by.map(Model::name);
        let told = json!({"violations": judgement.violations, "by": by, "why": judgement.why});
        report.details.insert(name.into(), told);
        if judgement.valid < report.valid {
            report.valid = judgement.valid;
            report.why.clone_from(&judgement.why);
        }
        report.anomalies.extend(judgement.anomaly);
    }
    report
}
