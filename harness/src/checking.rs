//! Which checkers judge a history, and their verdicts merged.
//!
//! A checker that fails or runs out of its budget gives "unknown" with its reason, and never
//! hides what the others found.

use crate::cli::{wrong, wrong_name};
use crate::plan::Plan;
use crate::stopped;
use anyhow::Result;
use quorate_checkers::history::History;
use quorate_checkers::verdict::{CheckerReport, Verdict};
use quorate_checkers::{aftermath, linearizable, stats};
use quorate_targets::names::UnknownName;
use quorate_workloads::registry;
use quorate_workloads::workload::Check;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

/// Consistency models that can be asked for, strongest first.
pub const MODELS: &[(&str, &str)] = &[(
    "linearizable",
    "each operation takes effect at one moment between its invocation and its completion",
)];

/// Checkers, with what each decides.
pub const CHECKERS: &[(&str, &str)] = &[
    ("linearizable", "is the history linearizable, key by key"),
    ("stats", "did operations of each kind succeed at all"),
    ("aftermath", "did the cluster serve again after healing, and did no node die by itself"),
    (stopped::CHECKER, "in a simulation: did the protocol's invariants hold after every event"),
];

/// What is to be judged, and how long that may take.
#[derive(Clone, Debug)]
pub struct Request {
    /// The checks.
    pub checks: Vec<Check>,
    /// How these were chosen, where nobody named them.
    pub source: Option<String>,
    /// When to give up.
    pub timeout: Duration,
    /// Threads; one a core where absent.
    pub threads: Option<usize>,
}

impl Request {
    /// What a run's own workload asks for.
    pub fn of_plan(plan: &Plan) -> Result<Request> {
        let mut request = Request::of_workload(&plan.workload)?;
        request.timeout = plan.limits.check;
        Ok(request)
    }

    /// By what a person named, else by the plan, else by the operations.
    pub fn choose(
        history: &History,
        plan: Option<&Plan>,
        workload: Option<&str>,
        model: Option<&str>,
    ) -> Result<Request> {
        if let Some(name) = workload {
            return Request::of_workload(name);
        }
        let mut request = match plan {
            Some(plan) => Request::of_plan(plan)?,
            None => Request::guess(history)?,
        };
        if let Some(name) = model {
            if !MODELS.iter().any(|(known, _)| *known == name) {
                let names = MODELS.iter().map(|(known, _)| *known);
                return Err(wrong_name(UnknownName::new("model", name, names)));
            }
            request.checks.retain(|check| matches!(check, Check::Linearizable { .. }));
        }
        Ok(request)
    }

    fn of_workload(name: &str) -> Result<Request> {
        let entry = registry::find(name).map_err(wrong_name)?;
        Ok(Request {
            checks: entry.checks.to_vec(),
            source: None,
            timeout: Duration::from_mins(10),
            threads: None,
        })
    }

    /// By the names of the operations.
    fn guess(history: &History) -> Result<Request> {
        let names: BTreeSet<&str> = history
            .operations()
            .iter()
            .map(|operation| history.event(operation.invoke).f.as_str())
            .collect();
        let register = ["read", "write", "cas"];
        if !names.iter().all(|name| register.contains(name)) {
            let names: Vec<&str> = names.into_iter().collect();
            return Err(wrong(format!(
                "cannot tell from the operations ({}) which workload this is; name it with \
                 --workload (`quorate list workloads`)",
                names.join(", ")
            )));
        }
        let mut request = Request::of_workload("register")?;
        request.source =
            Some("judged as workload register, by its operations; --workload names another".into());
        Ok(request)
    }
}

/// Judges a history.
pub fn check(history: &History, request: &Request) -> Verdict {
    let stop = AtomicBool::new(false);
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
        reports.push(("aftermath".into(), aftermath::check(history)));
        reports.extend(stopped::check(history).map(|report| (stopped::CHECKER.into(), report)));
        drop(done);
        Verdict::merge(reports)
    })
}

fn run_one(
    history: &History,
    request: &Request,
    check: Check,
    stop: &AtomicBool,
) -> (String, CheckerReport) {
    match check {
        Check::Stats => ("stats".into(), stats::check(history)),
        Check::Linearizable { model } => {
            let stopped = || stop.load(Ordering::Relaxed);
            let options = linearizable::Options {
                threads: request.threads.unwrap_or(0),
                stop: Some(&stopped),
                ..linearizable::Options::default()
            };
            let report = match model.parse() {
                Ok(kind) => linearizable::check(history, kind, &options),
                Err(error) => CheckerReport::unknown(error.to_string()),
            };
            ("linearizable".into(), report)
        }
    }
}
