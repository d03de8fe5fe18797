//! Which checkers judge a history, and their verdicts merged.
//!
//! A checker that fails or runs out of its budget gives "unknown" with its reason, and never
//! hides what the others found.

mod transactions;

pub use transactions::Asked;

use crate::isolation;
use crate::plan::Plan;
use crate::stopped;
use crate::usage::{wrong, wrong_name};
use anyhow::Result;
use quorate_checkers::consistency::{self, Model as Consistency};
use quorate_checkers::history::History;
use quorate_checkers::linearizable::{ModelKind, Variant};
use quorate_checkers::transactions::isolation::Model;
use quorate_checkers::verdict::{CheckerReport, Valid, Verdict};
use quorate_checkers::{
    aftermath, convergence, counter, invariants, linearizable, minimal, orders, session, set_full,
    stats,
};
use quorate_targets::names::UnknownName;
use quorate_workloads::registry;
use quorate_workloads::workload::Check;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The consistency model that is decided.
const LINEARIZABLE: &str = "linearizable";

/// How long a check may take unless something else is asked for.
const TIMEOUT: Duration = Duration::from_mins(10);

/// Models that can be asked for, with what each means: consistency models, then objects, each
/// judged for linearizability.
pub fn models() -> Vec<(&'static str, String)> {
    let meaning = "each operation takes effect at one moment between invocation and completion";
    let objects = ModelKind::ALL.into_iter().map(|kind| (kind.name(), kind.describe().to_owned()));
    let own = [(LINEARIZABLE, meaning.to_owned())];
    let weaker = Consistency::ALL.into_iter().filter(|model| *model != Consistency::Linearizable);
    let weaker = weaker.map(|model| {
        let short = model.short().map_or_else(String::new, |short| format!(" (also {short})"));
        (model.name(), format!("registers: {}{short}", model.about()))
    });
    let mut all: Vec<_> = own.into_iter().chain(weaker).chain(transactions::models()).collect();
    for model in isolation::models().chain(objects) {
        if all.iter().all(|(known, _)| *known != model.0) {
            all.push(model);
        }
    }
    all
}

/// Checkers, with what each decides.
pub fn checkers() -> Vec<(&'static str, &'static str)> {
    let invariants = invariants::ALL.iter().map(|invariant| (invariant.name, invariant.about));
    let weaker = (consistency::CHECKER, "which weaker models do the reads of registers keep");
    let judges =
        [("linearizable", "is the history linearizable, key by key"), weaker, transactions::ABOUT];
    let others = [
        (
            orders::CHECKER,
            "did each order end with all of its effects or none, and is nothing lost",
        ),
        ("set", "is each element where it was added and gone where it was removed, node by node"),
        ("counter", "can what was read be the sum of what was added; exactly, after healing"),
        ("convergence", "do all replicas agree after healing, and after how long"),
        ("session", "does each client read its writes, and never go back in time"),
        ("stats", "did operations of each kind succeed at all"),
        ("aftermath", "did the cluster serve again after healing, and did no node die by itself"),
        (stopped::CHECKER, "in a simulation: did the protocol's invariants hold after every event"),
    ];
    judges.into_iter().chain(isolation::CHECKERS).chain(invariants).chain(others).collect()
}

/// What is to be judged, and how long that may take.
#[derive(Clone, Debug)]
pub struct Request {
    /// The checks.
    pub checks: Vec<Check>,
    /// Models that reads and writes of registers are judged by.
    pub consistency: Vec<Consistency>,
    /// Models of isolation that transactions over registers are judged by.
    pub isolation: Vec<Model>,
    /// How these were chosen, where nobody named them.
    pub source: Option<String>,
    /// What is claimed of orders.
    pub orders: orders::Options,
    /// What is asked of transactions.
    pub transactions: Asked,
    /// When to give up.
    pub timeout: Duration,
    /// Threads; one a core where absent.
    pub threads: Option<usize>,
    /// Until when an operation that crashed may take effect.
    pub variant: Variant,
    /// Whether to measure how stale the reads of registers are.
    pub staleness: bool,
}

impl Request {
    /// What a run's own workload asks for.
    pub fn of_plan(plan: &Plan) -> Result<Request> {
        let mut request = Request::of_workload(&plan.workload)?;
        request.timeout = plan.limits.check;
        request.transactions = Asked::of_plan(plan);
        request.orders = of_orders(plan);
        Ok(request)
    }

    /// By what a person named, else by the plan, else by the operations.
    pub fn choose(
        history: &History,
        plan: Option<&Plan>,
        workload: Option<&str>,
        asked: &Asked,
    ) -> Result<Request> {
        let mut request = Request::chosen(history, plan, workload, asked)?;
        request.orders = plan.map_or_else(orders::Options::default, of_orders);
        Ok(request)
    }

    fn chosen(
        history: &History,
        plan: Option<&Plan>,
        workload: Option<&str>,
        asked: &Asked,
    ) -> Result<Request> {
        if workload.is_none()
            && asked.is_models_alone()
            && let Some(request) = Request::of_consistency(history, &asked.models)
        {
            return Ok(request);
        }
        if workload.is_none()
            && asked.is_models_alone()
            && let Some(request) = isolation::named(history, &asked.models)
        {
            return Ok(request);
        }
        if let Some(request) = Request::of_transactions(history, plan, workload, asked)? {
            return Ok(request);
        }
        let model = asked.models.first().map(String::as_str);
        if let Some(name) = workload {
            return match name.parse::<ModelKind>() {
                Ok(object) if registry::find(name).is_err() => Ok(Request::of_object(object)),
                _ => Request::of_workload(name),
            };
        }
        if let Some(name) = model
            && name != LINEARIZABLE
        {
            return name.parse().map(Request::of_object).map_err(|_| {
                let names = models().into_iter().map(|(known, _)| known);
                wrong_name(UnknownName::new("model", name, names))
            });
        }
        let mut request = match plan {
            Some(plan) => Request::of_plan(plan)?,
            None => Request::guess(history)?,
        };
        if model.is_some() {
            request.checks.retain(|check| matches!(check, Check::Linearizable { .. }));
        }
        Ok(request)
    }

    fn of_workload(name: &str) -> Result<Request> {
        let entry = registry::find(name).map_err(wrong_name)?;
        Ok(Request::new(entry.checks.to_vec()))
    }

    fn of_object(object: ModelKind) -> Request {
        Request::new(vec![Check::Linearizable { model: object.name() }])
    }

    /// By models of single operations, if all of these names are, and the history is one of
    /// registers. Linearizability alone has a checker that knows other objects too.
    fn of_consistency(history: &History, names: &[String]) -> Option<Request> {
        let models: Vec<Consistency> =
            names.iter().map(|name| Consistency::from_name(name)).collect::<Option<_>>()?;
        let weak = models.iter().any(|model| *model != Consistency::Linearizable);
        let registers = linearizable::guess(history) == Some(ModelKind::Register);
        (weak && registers).then(|| Request { consistency: models, ..Request::new(Vec::new()) })
    }

    /// By models of isolation alone.
    pub fn of_isolation(models: Vec<Model>) -> Request {
        Request { isolation: models, ..Request::new(Vec::new()) }
    }

    fn new(checks: Vec<Check>) -> Request {
        Request {
            checks,
            consistency: Vec::new(),
            isolation: Vec::new(),
            source: None,
            orders: orders::Options::default(),
            transactions: Asked::default(),
            timeout: TIMEOUT,
            threads: None,
            variant: Variant::Plain,
            staleness: false,
        }
    }

    /// By the names of the operations. Whether each kind of operation ever succeeded is a
    /// question to a run, not to a history that somebody brings.
    fn guess(history: &History) -> Result<Request> {
        if orders::fits(history) {
            let source = "judged as orders, by its operations; --model names something else";
            return Ok(Request {
                source: Some(source.into()),
                ..Request::new(vec![Check::Orders])
            });
        }
        let object = linearizable::guess(history);
        if object.is_none() && !history.operations().is_empty() {
            let names: BTreeSet<&str> = history.ops().map(|op| op.f().as_str()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            return Err(wrong(format!(
                "cannot tell from the operations ({}) which object this is; name it with --model \
                 (`quorate list models`)",
                names.join(", ")
            )));
        }
        let mut request = Request::of_object(object.unwrap_or(ModelKind::Register));
        request.source = Some(match object {
            Some(object) => {
                format!("judged as {object}, by its operations; --model names another object")
            }
            None => "the history holds no operation: there is nothing to object to".into(),
        });
        Ok(request)
    }
}

/// What a run's target claims of its orders.
fn of_orders(plan: &Plan) -> orders::Options {
    let isolation = plan.target_options.get("isolation").map(String::as_str);
    orders::Options { isolated: isolation == Some("semantic-lock") }
}

/// Making a history smaller may take so long.
const MINIMIZING: Duration = Duration::from_secs(20);

/// The smallest history found that still fails in the same way; `None` where the history is not
/// known to fail, which `verdict` says.
pub fn minimize(history: &History, request: &Request, verdict: &Verdict) -> Option<History> {
    if verdict.valid != Valid::False {
        return None;
    }
    let model = request.checks.iter().find_map(|check| match check {
        Check::Linearizable { model } => model.parse::<ModelKind>().ok(),
        _ => None,
    });
    let threads = request.threads.unwrap_or(0);
    let variant = request.variant;
    let options = linearizable::Options { threads, variant, ..linearizable::Options::default() };
    let linearizable = model.and_then(|model| linearizable::minimize(history, model, &options));
    if linearizable.is_some() {
        return linearizable;
    }
    let begun = Instant::now();
    // A part without the write of what it reads is wrong too, in a way that the whole is not.
    let fails = |part: &History| {
        begun.elapsed() < MINIMIZING && {
            let found = check(part, request);
            let known = |kind: &String| verdict.anomaly_types.contains(kind);
            found.valid == Valid::False && found.anomaly_types.iter().all(known)
        }
    };
    let evidence = verdict.anomalies.first().map(|anomaly| anomaly.ops.clone());
    Some(minimal::minimal(history, &evidence.unwrap_or_default(), fails))
}

/// Judges a history.
pub fn check(history: &History, request: &Request) -> Verdict {
    let stop = AtomicBool::new(request.timeout.is_zero());
    std::thread::scope(|scope| {
        let (done, waiting) = mpsc::channel::<()>();
        let stop = &stop;
        scope.spawn(move || {
            if waiting.recv_timeout(request.timeout) == Err(mpsc::RecvTimeoutError::Timeout) {
                stop.store(true, Ordering::Relaxed);
            }
        });
        let mut reports: Vec<(String, CheckerReport)> =
            request.checks.iter().map(|check| run_one(history, request, *check, stop)).collect();
        let stopped = || stop.load(Ordering::Relaxed);
        if !request.consistency.is_empty() {
            let threads = request.threads.unwrap_or(0);
            let options =
                consistency::Options { threads, stop: Some(&stopped), ..Default::default() };
            let report = consistency::check(history, &request.consistency, options);
            reports.push((consistency::CHECKER.into(), report));
        }
        reports.extend(isolation::check(history, &request.isolation, &stopped));
        reports.push(("aftermath".into(), aftermath::check(history)));
        reports.extend(stopped::check(history).map(|report| (stopped::CHECKER.into(), report)));
        drop(done);
        Verdict::merge(reports)
    })
}

/// A promise of eventually consistent stores, by the name of its checker.
fn weak(name: &str, history: &History) -> CheckerReport {
    match name {
        "set" => set_full::check(history),
        "counter" => counter::check(history),
        "convergence" => convergence::check(history),
        "session" => session::check(history),
        other => CheckerReport::unknown(format!("there is no checker `{other}`")),
    }
}

fn run_one(
    history: &History,
    request: &Request,
    check: Check,
    stop: &AtomicBool,
) -> (String, CheckerReport) {
    match check {
        Check::Stats => ("stats".into(), stats::check(history)),
        Check::Orders => (orders::CHECKER.into(), orders::check(history, &request.orders)),
        Check::Transactions { kind } => {
            let stopped = || stop.load(Ordering::Relaxed);
            transactions::run(history, kind, &request.transactions, &stopped)
        }
        Check::Invariant { name } => {
            let report = match invariants::find(name) {
                Some(invariant) => (invariant.check)(history),
                None => CheckerReport::unknown(format!("there is no invariant `{name}`")),
            };
            (name.into(), report)
        }
        Check::Weak { name } => (name.into(), weak(name, history)),
        Check::Linearizable { model } => {
            let stopped = || stop.load(Ordering::Relaxed);
            let options = linearizable::Options {
                threads: request.threads.unwrap_or(0),
                stop: Some(&stopped),
                variant: request.variant,
                ..linearizable::Options::default()
            };
            let mut report = match model.parse() {
                Ok(kind) => linearizable::check(history, kind, &options),
                Err(error) => CheckerReport::unknown(error.to_string()),
            };
            if request.staleness {
                let measured = linearizable::staleness(history);
                report.details.insert("staleness".into(), measured.to_json());
            }
            ("linearizable".into(), report)
        }
    }
}
