//! Which of the models a history keeps, each with its evidence.
//!
//! What one model says of another is used: a history that is linearizable has all the others, and
//! one that breaks a weak model breaks the stronger ones, so that the long search for a sequential
//! order begins only where everything weaker holds.

use super::operations::Operations;
use super::past::Pasts;
use super::views::Views;
use super::{Broken, Model, causal, core, sequential, words};
use crate::history::History;
use crate::linearizable::{self, ModelKind, Options};
use crate::transactions::Table;
use crate::transactions::registers::{Node, Registers};
use crate::transactions::weak::Graph;
use crate::verdict::{Anomaly, Valid};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::Map;

/// What is thought of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The model.
    pub model: Model,
    /// Whether the history keeps it.
    pub valid: Valid,
    /// One sentence; always there when `valid` is not true.
    pub why: Option<String>,
    /// How many violations were found, by the model's unit; 0 where it follows from another one.
    pub violations: u64,
    /// The smallest evidence found.
    pub anomaly: Option<Anomaly>,
    /// The model from whose judgement this one follows.
    pub implied_by: Option<Model>,
}

/// The history as the checks see it.
#[derive(Debug)]
pub struct Judge<'h, 'o> {
    history: &'h History,
    operations: Result<Operations, String>,
    options: Options<'o>,
}

/// The cheapest first, those that say most of others before these.
const ORDER: [Model; 6] = [
    Model::Linearizable,
    Model::Causal,
    Model::CausalMemory,
    Model::Pram,
    Model::CausalConvergence,
    Model::Sequential,
];

impl<'h, 'o> Judge<'h, 'o> {
    /// Reads a history. Linear in it.
    pub fn new(history: &'h History, options: Options<'o>) -> Judge<'h, 'o> {
        Judge { history, operations: Operations::of(history), options }
    }

    /// Judges by these models, in their order.
    pub fn all(&self, models: &[Model]) -> Vec<Judgement> {
        let registers = self.operations.as_ref().map(|ops| Registers::new(&ops.table));
        let mut judged: Vec<Judgement> = Vec::new();
        for model in ORDER.into_iter().filter(|model| models.contains(model)) {
            let judgement = match implied(model, &judged) {
                Some(judgement) => judgement,
                None => match &registers {
                    _ if model == Model::Linearizable => self.linearizable(),
                    Err(why) => undecided(model, format!("{model} is undecided: {why}.")),
                    Ok(registers) => self.one(registers, model),
                },
            };
            judged.push(judgement);
        }
        // What was undecided may follow from what was decided later.
        for at in 0..judged.len() {
            if judged[at].valid == Valid::Unknown
                && let Some(judgement) = implied(judged[at].model, &judged)
            {
                judged[at] = judgement;
            }
        }
        let found = models.iter().filter_map(|model| judged.iter().find(|j| j.model == *model));
        found.cloned().collect()
    }

    fn linearizable(&self) -> Judgement {
        let mut report = linearizable::check(self.history, ModelKind::Register, &self.options);
        Judgement {
            model: Model::Linearizable,
            valid: report.valid,
            why: report.why,
            violations: report.anomalies.len() as u64,
            anomaly: (!report.anomalies.is_empty()).then(|| report.anomalies.swap_remove(0)),
            implied_by: None,
        }
    }

    fn one(&self, registers: &Registers<'_>, model: Model) -> Judgement {
        if let Some(judgement) = self.impossible(registers, model) {
            return judgement;
        }
        if model == Model::Sequential {
            return self.sequential(registers);
        }
        match find(registers, model, &self.options) {
            Err(why) => undecided(model, why),
            Ok(None) => match self.assumption(registers) {
                Some(why) => undecided(model, format!("{model} is undecided: {why}.")),
                None => holds(model),
            },
            Ok(Some(broken)) => told(registers, model, &broken),
        }
    }

    /// What no model allows.
    fn impossible(&self, registers: &Registers<'_>, model: Model) -> Option<Judgement> {
        let contradiction = self.operations.as_ref().ok().and_then(|ops| ops.contradiction);
        let (violations, anomaly) = match (registers.flaws().first(), contradiction) {
            (Some(flaw), _) => (registers.flawed() as u64, flaw.anomaly.clone()),
            (None, Some(position)) => {
                let op = self.history.op(position);
                let explanation = format!(
                    "{} was refused because it found the value that it compares with",
                    linearizable::words::describe(&op)
                );
                let ops = linearizable::words::events([op]);
                (1, anomaly("contradictory-cas", explanation, ops))
            }
            (None, None) => return None,
        };
        let why = Some(anomaly.explanation.clone());
        let anomaly = Some(anomaly);
        Some(Judgement { model, valid: Valid::False, why, violations, anomaly, implied_by: None })
    }

    /// Which assumption does not hold, so that "yes" would be too much.
    fn assumption(&self, registers: &Registers<'_>) -> Option<String> {
        let mute = self.operations.as_ref().map_or(0, |ops| ops.mute_refusals);
        match (registers.candidates().len(), mute) {
            (0, 0) => None,
            (0, 1) => {
                Some("one compare-and-set was refused and did not say what it had found".to_owned())
            }
            (0, mute) => Some(format!(
                "{mute} compare-and-sets were refused and did not say what they had found"
            )),
            (1, _) => Some(
                "one read returns a value that was written several times, and which write it saw \
                 cannot be told"
                    .to_owned(),
            ),
            (reads, _) => Some(format!(
                "{reads} reads return a value that was written several times, and which write \
                 they saw cannot be told"
            )),
        }
    }

    /// Sequential consistency: what breaks causal convergence breaks it, and is told better.
    fn sequential(&self, registers: &Registers<'_>) -> Judgement {
        if let Ok(Some(broken)) = find(registers, Model::CausalConvergence, &self.options) {
            let weaker = told(registers, Model::CausalConvergence, &broken);
            return Judgement { model: Model::Sequential, ..weaker };
        }
        let mut found = sequential::check(registers, &self.options);
        if found.anomalies.is_empty() {
            let mute = self.operations.as_ref().map_or(0, |ops| ops.mute_refusals);
            let mute = (mute > 0).then(|| self.assumption(registers)).flatten();
            return match found.undecided.or(mute) {
                Some(why) => {
                    undecided(Model::Sequential, format!("sequential is undecided: {why}."))
                }
                None => holds(Model::Sequential),
            };
        }
        let violations = sequential::keys_broken(registers, &found.anomalies, &self.options);
        let anomaly = found.anomalies.swap_remove(0);
        let why = Some(anomaly.explanation.clone());
        let model = Model::Sequential;
        let anomaly = Some(anomaly);
        Judgement { model, valid: Valid::False, why, violations, anomaly, implied_by: None }
    }
}

/// A violation with the smallest part that shows it, in words.
fn told(registers: &Registers<'_>, model: Model, broken: &Broken) -> Judgement {
    let part = core::smallest(registers, &broken.grounds, |part| breaks(part, model));
    let part = part.as_ref().map(Registers::new);
    let explanation = part.as_ref().and_then(|part| {
        let session = first_broken(part, model);
        words::tell(part, model, session)
    });
    let ops = match &part {
        Some(part) => part.events(1..part.len() as Node),
        None => registers.events(broken.grounds.iter().copied()),
    };
    let explanation = explanation.unwrap_or_else(|| {
        format!("No order that {model} asks for explains what these operations saw.")
    });
    let kind = format!("not-{}", model.name());
    let anomaly = anomaly(&kind, explanation, ops);
    Judgement {
        model,
        valid: Valid::False,
        why: Some(anomaly.explanation.clone()),
        violations: broken.violations,
        anomaly: Some(anomaly),
        implied_by: None,
    }
}

/// What the judgements so far say of a model.
fn implied(model: Model, judged: &[Judgement]) -> Option<Judgement> {
    let by = judged.iter().find(|other| match other.valid {
        Valid::True => other.model.implies(model),
        Valid::False => model.implies(other.model),
        Valid::Unknown => false,
    })?;
    let why = (by.valid == Valid::False)
        .then(|| format!("{model} implies {}, which does not hold", by.model));
    Some(Judgement { why, implied_by: Some(by.model), valid: by.valid, ..holds(model) })
}

fn holds(model: Model) -> Judgement {
    let valid = Valid::True;
    Judgement { model, valid, why: None, violations: 0, anomaly: None, implied_by: None }
}

fn undecided(model: Model, why: String) -> Judgement {
    Judgement { valid: Valid::Unknown, why: Some(why), ..holds(model) }
}

fn anomaly(kind: &str, explanation: String, ops: Vec<crate::history::OpIndex>) -> Anomaly {
    Anomaly {
        kind: kind.to_owned(),
        checker: super::CHECKER.to_owned(),
        explanation,
        ops,
        evidence: Map::new(),
    }
}

/// Whether a small table breaks a model.
fn breaks(part: &Table, model: Model) -> bool {
    let registers = Registers::new(part);
    let options = Options { threads: 1, ..Options::default() };
    registers.flaws().is_empty() && matches!(find(&registers, model, &options), Ok(Some(_)))
}

/// What breaks one of the models between sequential consistency and nothing; an error says why
/// that is not known.
fn find(
    registers: &Registers<'_>,
    model: Model,
    options: &Options<'_>,
) -> Result<Option<Broken>, String> {
    if model == Model::Pram {
        // Causal memory implies it, and its views are quicker to find: most orders are known.
        if matches!(find(registers, Model::CausalMemory, options), Ok(None)) {
            return Ok(None);
        }
        return views(registers, &Views::new(registers, None), options);
    }
    let order = match Graph::new(registers, &[]).order() {
        Ok(order) => order,
        Err(circle) => return Ok(Some(causal::circular(registers, circle, model))),
    };
    match model {
        Model::Causal => Ok(causal::consistent(registers, &order).0),
        Model::CausalMemory => {
            let pasts = Pasts::new(registers, &order, options.bytes).ok_or_else(|| {
                format!(
                    "{model} is undecided: what is causally before each of {} operations of {} \
                     processes takes more than {} MiB.",
                    registers.len() - 1,
                    registers.sessions() - 1,
                    options.bytes >> 20
                )
            })?;
            views(registers, &Views::new(registers, Some(pasts)), options)
        }
        _ => Ok(causal::convergent(registers, &order).0),
    }
}

/// The views of all processes, several at a time.
fn views(
    registers: &Registers<'_>,
    views: &Views<'_, '_>,
    options: &Options<'_>,
) -> Result<Option<Broken>, String> {
    let stop = || options.stop.is_some_and(|stop| stop());
    let longest = (1..registers.sessions() as u32).map(|session| registers.session_nodes(session));
    let longest = longest.map(|nodes| nodes.len()).max().unwrap_or(0);
    if longest * registers.sessions() * size_of::<u32>() > options.bytes {
        return Err(format!(
            "what comes before each of the {longest} operations of a process, of {} other ones, \
             takes more than {} MiB.",
            registers.sessions() - 2,
            options.bytes >> 20
        ));
    }
    let judge = |session: u32| {
        if stop() {
            return None;
        }
        views.of(session, false, &stop).ok().map(|found| found.is_some())
    };
    let sessions = 1..registers.sessions() as u32;
    let judged: Vec<Option<bool>> = if options.threads == 1 {
        sessions.map(judge).collect()
    } else {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
        match pool {
            Ok(pool) => pool.install(|| sessions.into_par_iter().map(judge).collect()),
            Err(_) => sessions.map(judge).collect(),
        }
    };
    let violations = judged.iter().filter(|broken| **broken == Some(true)).count() as u64;
    let Some(first) = judged.iter().position(|broken| *broken == Some(true)) else {
        let open = judged.iter().any(Option::is_none);
        return if open { Err("the time limit ended the check".into()) } else { Ok(None) };
    };
    let told = views.of(first as u32 + 1, true, &|| false).ok().flatten();
    Ok(told.map(|broken| Broken { violations, ..broken }))
}

/// The first session that has no view, for the models that ask for views.
fn first_broken(registers: &Registers<'_>, model: Model) -> Option<u32> {
    let pasts = match model {
        Model::Pram => None,
        Model::CausalMemory => {
            let order = Graph::new(registers, &[]).order().ok()?;
            Some(Pasts::new(registers, &order, usize::MAX)?)
        }
        _ => return None,
    };
    let views = Views::new(registers, pasts);
    let mut sessions = 1..registers.sessions() as u32;
    sessions.find(|session| views.of(*session, false, &|| false).is_ok_and(|found| found.is_some()))
}
