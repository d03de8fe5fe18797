//! Which models of isolation a history of registers is judged by, where no order of versions is
//! to be had: by name, or by default.

use crate::checking::Request;
use quorate_checkers::history::History;
use quorate_checkers::transactions::TxnModel;
use quorate_checkers::transactions::isolation::{self, Model};
use quorate_checkers::transactions::serial::{self, Options};
use quorate_checkers::verdict::CheckerReport;
use std::collections::BTreeSet;

/// The checker of timestamps, in verdicts.
const TIMESTAMPS: &str = "timestamps";

/// The checkers here, with what each decides.
pub const CHECKERS: [(&str, &str); 2] = [
    (
        isolation::CHECKER,
        "are transactions over registers isolated, whatever the order of versions",
    ),
    (TIMESTAMPS, "do transactions agree with the timestamps that their database gave them"),
];

/// The models here, with what each means.
pub fn models() -> impl Iterator<Item = (&'static str, String)> {
    Model::all().map(|model| (model.name(), model.describe().to_owned()))
}

/// The request for models of these names, if all are of isolation and the history is one of
/// registers.
pub fn named(history: &History, names: &[String]) -> Option<Request> {
    let models: Vec<Model> = names.iter().map(|name| model(name)).collect::<Option<_>>()?;
    if models.is_empty() || !isolation::is_registers(history) {
        return None;
    }
    let how: BTreeSet<&str> = models
        .iter()
        .map(|model| match model {
            Model::Weak(_) => "what was read from whom",
            Model::Strong(_) | Model::Sequential => "a search for an order",
        })
        .collect();
    let how: Vec<&str> = how.into_iter().collect();
    let mut request = Request::of_isolation(models);
    request.source = Some(format!(
        "registers without a known order of versions: decided by {}",
        how.join(" and ")
    ));
    Some(request)
}

/// The model of this name, or of this other name that the lattice knows.
fn model(name: &str) -> Option<Model> {
    let known = name.parse::<TxnModel>().map_or(name, |model| model.name());
    Model::from_name(known)
}

/// The models of transactions over registers where nobody named any: the strongest that the
/// history can tell of. None where it holds no such transactions.
pub fn default_models(history: &History) -> Vec<Model> {
    let transactions = history.ops().next().is_some_and(|op| op.f().as_str() == "txn");
    if !transactions || !isolation::is_registers(history) {
        return Vec::new();
    }
    let model = if history.has_real_time() {
        serial::Model::StrictSerializable
    } else {
        serial::Model::SessionSerializable
    };
    vec![Model::Strong(model)]
}

/// The request for a history of sessions that tells no times.
pub fn of_sessions(models: Vec<Model>) -> Request {
    let names: Vec<String> = models.iter().map(ToString::to_string).collect();
    let mut request = Request::of_isolation(models);
    request.source = Some(format!(
        "judged as transactions over registers, by {}; --model names another model",
        names.join(", ")
    ));
    request
}

/// Judges a history by models of isolation, and by its timestamps if it has any.
pub fn check(
    history: &History,
    models: &[Model],
    stop: &dyn Fn() -> bool,
) -> Vec<(String, CheckerReport)> {
    if models.is_empty() {
        return Vec::new();
    }
    let options = Options { stop: Some(stop), ..Options::default() };
    let mut reports =
        vec![(isolation::CHECKER.to_owned(), isolation::check(history, models, &options))];
    let timestamps = isolation::check_timestamps(history);
    reports.extend(timestamps.map(|report| (TIMESTAMPS.to_owned(), report)));
    reports
}
