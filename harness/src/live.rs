//! The verdict while a run goes on: the recorder's events fed to the online checker.
//!
//! What it finds is never the last word: it may end the load early, and the batch checkers then
//! judge the history as after any other run.

use crate::plan::Plan;
use anyhow::Result;
use quorate_checkers::history::Event;
use quorate_checkers::linearizable::ModelKind;
use quorate_checkers::linearizable::online::Online;
use quorate_checkers::verdict::Valid;
use quorate_workloads::registry;
use quorate_workloads::workload::Check;
use std::cell::RefCell;
use std::rc::Rc;

/// Follows a run. Clones follow the same one.
#[derive(Clone, Debug)]
pub struct Live(Rc<RefCell<Online>>);

impl Live {
    /// For a run that is to end at its first violation, if its workload claims linearizability.
    pub fn of_plan(plan: &Plan) -> Result<Option<Live>> {
        if !plan.fail_fast {
            return Ok(None);
        }
        let entry = registry::find(&plan.workload).map_err(anyhow::Error::msg)?;
        let object = entry.checks.iter().find_map(|check| match check {
            Check::Linearizable { model } => Some(model.parse::<ModelKind>()),
            Check::Weak { .. }
            | Check::Transactions { .. }
            | Check::Invariant { .. }
            | Check::Stats => None,
        });
        let online = object.transpose()?.map(Online::new);
        Ok(online.map(|online| Live(Rc::new(RefCell::new(online)))))
    }

    /// Takes the next event.
    pub fn push(&self, event: &Event) {
        self.0.borrow_mut().push(event);
    }

    /// Whether what was seen so far can never become right.
    pub fn is_violated(&self) -> bool {
        self.0.borrow().violation().is_some()
    }

    /// How it stands, in a few words.
    pub fn words(&self) -> String {
        let online = self.0.borrow();
        match (online.valid(), online.violated_key()) {
            (Valid::True, _) => "linearizable so far".into(),
            (Valid::Unknown, _) => "no violation so far".into(),
            (Valid::False, Some(key)) => format!("VIOLATION on key {key}"),
            (Valid::False, None) => "VIOLATION".into(),
        }
    }
}
