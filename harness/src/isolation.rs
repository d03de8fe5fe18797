//! Which models of isolation a history of registers is judged by, where no order of versions is
//! to be had: by name, or by default.

use crate::checking::Request;
use quorate_checkers::history::History;
use quorate_checkers::transactions::isolation::{self, Model};
use quorate_checkers::transactions::serial::{self, Options};
use quorate_checkers::verdict::CheckerReport;

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

/// The request for a model of this name, if it is one of isolation and the history one of
/// registers.
pub fn named(history: &History, name: &str) -> Option<Request> {
    let model = Model::from_name(name).filter(|_| isolation::is_registers(history))?;
    let how = match model {
        Model::Weak(_) => "decided by what was read from whom",
        Model::Strong(_) | Model::Sequential => "decided by a search for an order",
    };
    let mut request = Request::of_isolation(vec![model]);
    request.source = Some(format!("registers without a known order of versions: {model} is {how}"));
    Some(request)
}

/// The request where nothing was named: serializability, as far as the history can tell.
pub fn guessed(history: &History) -> Option<Request> {
    let transactions = history.ops().next().is_some_and(|op| op.f().as_str() == "txn");
    if !transactions || !isolation::is_registers(history) {
        return None;
    }
    let model = if history.has_real_time() {
        serial::Model::StrictSerializable
    } else {
        serial::Model::SessionSerializable
    };
    let model = Model::Strong(model);
    let mut request = Request::of_isolation(vec![model]);
    request.source = Some(format!(
        "judged as transactions over registers, by {model}; --model names another model"
    ));
    Some(request)
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
