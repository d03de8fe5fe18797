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
use quorate_checkers::transactions::TxnModel;
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

/// Why a history is neither right nor wrong that asks for nothing.
pub const NO_OPERATIONS: &str = "the history has no operations";

/// The checker that says so, in verdicts.
const HISTORY: &str = "history";

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
    let sessions = session::MODELS.into_iter();
    let sessions = sessions.map(|(name, about)| (name, format!("registers: {about}")));
    let single = own.into_iter().chain(weaker).chain(sessions);
    let mut all: Vec<_> = single.chain(transactions::models()).collect();
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
    /// Session guarantees that reads and writes of registers are judged by.
    pub guarantees: Vec<&'static str>,
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
    /// How many clients there were, where a plan tells.
    pub clients: Option<u64>,
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
        request.clients = Some(plan.concurrency as u64);
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
        request.clients = plan.map(|plan| plan.concurrency as u64);
        Ok(request)
    }

    fn chosen(
        history: &History,
        plan: Option<&Plan>,
        workload: Option<&str>,
        asked: &Asked,
    ) -> Result<Request> {
        if history.operations().is_empty() {
            return Request::of_nothing(workload, asked);
        }
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
        if let Some(name) = workload {
            return Request::of_workload_or_object(name);
        }
        if let Some(object) = named_object(history, &asked.models)? {
            return Ok(Request::of_object(object));
        }
        let mut request = match plan {
            Some(plan) => Request::of_plan(plan)?,
            None => Request::guess(history)?,
        };
        if !asked.models.is_empty() {
            request.checks.retain(|check| matches!(check, Check::Linearizable { .. }));
        }
        Ok(request)
    }

    /// What is asked of no operations; a name that nobody knows is an error as ever.
    fn of_nothing(workload: Option<&str>, asked: &Asked) -> Result<Request> {
        if let Some(name) = workload {
            return Request::of_workload_or_object(name);
        }
        if let Some(odd) = asked.models.iter().find(|name| !is_model(name)) {
            return Err(unknown_model(odd));
        }
        let object = |name: &String| name.parse::<ModelKind>().ok();
        let objects =
            asked.models.iter().all(|name| name == LINEARIZABLE || object(name).is_some());
        if !objects || !asked.anomalies.is_empty() {
            return Ok(Request::new(Vec::new()));
        }
        let named = asked.models.iter().find_map(object);
        Ok(Request::of_object(named.unwrap_or(ModelKind::Register)))
    }

    fn of_workload_or_object(name: &str) -> Result<Request> {
        match name.parse::<ModelKind>() {
            Ok(object) if registry::find(name).is_err() => Ok(Request::of_object(object)),
            _ => Request::of_workload(name),
        }
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
        let known = |name: &String| {
            session::model(name).is_some() || Consistency::from_name(name).is_some()
        };
        let weak = names.iter().any(|name| is_of_registers(name));
        let registers = linearizable::guess(history) == Some(ModelKind::Register);
        (weak && registers && names.iter().all(known)).then(|| Request {
            consistency: names.iter().filter_map(|name| Consistency::from_name(name)).collect(),
            guarantees: names.iter().filter_map(|name| session::model(name)).collect(),
            ..Request::new(Vec::new())
        })
    }

    /// Whether a history has nothing to be judged by. Objects of which somebody else's recorder
    /// saw nothing but faults were linearizable, as Knossos has it; an empty file shows only that
    /// nothing was recorded.
    fn lacks_operations(&self, history: &History) -> bool {
        let is_object = |check: &Check| matches!(check, Check::Linearizable { .. });
        let objects = !self.checks.is_empty() && self.checks.iter().all(is_object);
        history.operations().is_empty() && (history.events().is_empty() || !objects)
    }

    /// By models of isolation alone.
    pub fn of_isolation(models: Vec<Model>) -> Request {
        Request { isolation: models, ..Request::new(Vec::new()) }
    }

    fn new(checks: Vec<Check>) -> Request {
        Request {
            checks,
            consistency: Vec::new(),
            guarantees: Vec::new(),
            isolation: Vec::new(),
            source: None,
            orders: orders::Options::default(),
            transactions: Asked::default(),
            timeout: TIMEOUT,
            threads: None,
            variant: Variant::Plain,
            clients: None,
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
        let Some(object) = linearizable::guess(history) else {
            return Err(wrong(format!(
                "cannot tell from the operations ({}) which object this is; name it with --model \
                 (`quorate list models`)",
                operation_names(history)
            )));
        };
        let mut request = Request::of_object(object);
        request.source =
            Some(format!("judged as {object}, by its operations; --model names another object"));
        Ok(request)
    }
}

/// The names of a history's operations, for messages.
fn operation_names(history: &History) -> String {
    let names: BTreeSet<&str> = history.ops().map(|op| op.f().as_str()).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The object among these models, each judged for linearizability; none where only that is named.
/// Two objects contradict each other, whichever comes first.
fn named_object(history: &History, names: &[String]) -> Result<Option<ModelKind>> {
    let mut object: Option<ModelKind> = None;
    for name in names.iter().filter(|name| name.as_str() != LINEARIZABLE) {
        let Ok(kind) = name.parse::<ModelKind>() else {
            return Err(inapplicable(history, name, names));
        };
        if let Some(other) = object.filter(|other| *other != kind) {
            return Err(wrong(format!(
                "--model names two objects, {other} and {kind}: a history is of one"
            )));
        }
        object = Some(kind);
    }
    Ok(object)
}

/// Why a model that is no object cannot be judged here.
fn inapplicable(history: &History, name: &str, names: &[String]) -> anyhow::Error {
    if !is_model(name) {
        return unknown_model(name);
    }
    let of = if is_of_registers(name) { "single operations on registers" } else { "transactions" };
    if let Some(other) = names.iter().find(|other| other.parse::<ModelKind>().is_ok()) {
        return wrong(format!(
            "`{name}` is a model of {of}, and `{other}` an object: name one of the two"
        ));
    }
    wrong(format!(
        "`{name}` is a model of {of}, which this history does not consist of (its operations: {})",
        operation_names(history)
    ))
}

/// Whether it is a model of single operations on registers, weaker than linearizability.
fn is_of_registers(name: &str) -> bool {
    session::model(name).is_some()
        || Consistency::from_name(name).is_some_and(|model| model != Consistency::Linearizable)
}

/// Whether some checker knows this model.
fn is_model(name: &str) -> bool {
    is_of_registers(name)
        || name.parse::<TxnModel>().is_ok()
        || Model::from_name(name).is_some()
        || name.parse::<ModelKind>().is_ok()
        || models().iter().any(|(known, _)| *known == name)
}

fn unknown_model(name: &str) -> anyhow::Error {
    let names = models().into_iter().map(|(known, _)| known);
    wrong_name(UnknownName::new("model", name, names))
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
    let (variant, clients) = (request.variant, request.clients);
    let options =
        linearizable::Options { threads, variant, clients, ..linearizable::Options::default() };
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
        let mut reports: Vec<(String, CheckerReport)> = if request.lacks_operations(history) {
            vec![(HISTORY.into(), CheckerReport::unknown(NO_OPERATIONS.into()))]
        } else {
            judge(history, request, stop)
        };
        reports.push(("aftermath".into(), aftermath::check(history)));
        reports.extend(stopped::check(history).map(|report| (stopped::CHECKER.into(), report)));
        drop(done);
        Verdict::merge(reports)
    })
}

/// What was asked for, of a history with operations.
fn judge(history: &History, request: &Request, stop: &AtomicBool) -> Vec<(String, CheckerReport)> {
    let checks = request.checks.iter();
    let mut reports: Vec<(String, CheckerReport)> =
        checks.map(|check| run_one(history, request, *check, stop)).collect();
    let stopped = || stop.load(Ordering::Relaxed);
    if !request.consistency.is_empty() {
        let threads = request.threads.unwrap_or(0);
        let options = consistency::Options { threads, stop: Some(&stopped), ..Default::default() };
        let report = consistency::check(history, &request.consistency, options);
        reports.push((consistency::CHECKER.into(), report));
    }
    if !request.guarantees.is_empty() {
        reports.push(("session".into(), session::check_only(history, &request.guarantees)));
    }
    reports.extend(isolation::check(history, &request.isolation, &stopped));
    reports
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
                Some(invariant) => invariant.judge(history),
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
                clients: request.clients,
                ..linearizable::Options::default()
            };
            let mut report = match model.parse() {
                Ok(kind) => linearizable::check(history, kind, &options),
                Err(error) => CheckerReport::unknown(error.to_string()),
            };
            if request.staleness {
                let measured = if model.parse() == Ok(ModelKind::Register) {
                    linearizable::staleness(history).to_json()
                } else {
                    let why =
                        format!("not measured: it is that of registers, and this is a {model}");
                    serde_json::json!({ "why": why })
                };
                report.details.insert("staleness".into(), measured);
            }
            ("linearizable".into(), report)
        }
    }
}
