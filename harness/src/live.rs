//! How a run stands while it goes on: the recorder's events fed to the online checker, and the
//! faults in force.
//!
//! What it finds is never the last word: it may end the load early, and the batch checkers then
//! judge the history as after any other run.

use crate::plan::Plan;
use crate::report::faults::InForce;
use anyhow::Result;
use quorate_checkers::history::{Event, Process};
use quorate_checkers::linearizable::ModelKind;
use quorate_checkers::linearizable::online::Online;
use quorate_checkers::verdict::Valid;
use quorate_workloads::registry;
use quorate_workloads::workload::Check;
use std::cell::RefCell;
use std::rc::Rc;

/// Follows a run. Clones follow the same one.
#[derive(Clone, Debug)]
pub struct Live(Rc<RefCell<Standing>>);

#[derive(Debug)]
struct Standing {
    /// Absent where the workload does not claim linearizability.
    online: Option<Online>,
    /// Whether the first violation ends the load.
    fail_fast: bool,
    faults: InForce,
}

impl Live {
    /// For a run that somebody watches, or that is to end at its first violation.
    pub fn of_plan(plan: &Plan, watched: bool) -> Result<Option<Live>> {
        if !plan.fail_fast && !watched {
            return Ok(None);
        }
        let online = object_of(plan)?.map(Online::new);
        let standing = Standing { online, fail_fast: plan.fail_fast, faults: InForce::default() };
        Ok(Some(Live(Rc::new(RefCell::new(standing)))))
    }

    /// Takes the next event.
    pub fn push(&self, event: &Event) {
        let mut standing = self.0.borrow_mut();
        if event.process == Process::Nemesis {
            standing.faults.turn(event);
        }
        if let Some(online) = &mut standing.online {
            online.push(event);
        }
    }

    /// Whether what was seen so far can never become right, and nothing more is to be seen.
    pub fn is_over(&self) -> bool {
        let standing = self.0.borrow();
        let violated = |online: &Online| online.violation().is_some();
        standing.fail_fast && standing.online.as_ref().is_some_and(violated)
    }

    /// How it stands, in a few words: the faults in force, and the verdict so far.
    pub fn words(&self) -> Vec<String> {
        let standing = self.0.borrow();
        let faults = standing.faults.kinds();
        let faults = (!faults.is_empty()).then(|| format!("[{}]", faults.join(", ")));
        faults.into_iter().chain(standing.online.as_ref().map(words)).collect()
    }
}

/// The object that a plan's workload claims to be linearizable, if it does.
pub fn object_of(plan: &Plan) -> Result<Option<ModelKind>> {
    let entry = registry::find(&plan.workload).map_err(anyhow::Error::msg)?;
    let object = entry.checks.iter().find_map(|check| match check {
        Check::Linearizable { model } => Some(model.parse::<ModelKind>()),
        _ => None,
    });
    Ok(object.transpose()?)
}

/// The verdict so far, in a few words.
pub fn words(online: &Online) -> String {
    match (online.valid(), online.violated_key()) {
        (Valid::True, _) => "linearizable so far".into(),
        (Valid::Unknown, _) => "no violation so far".into(),
        (Valid::False, Some(key)) => format!("VIOLATION on key {key}"),
        (Valid::False, None) => "VIOLATION".into(),
    }
}
