//! What a verdict should say beside itself: how the run came to its end, where that was not the end
//! that was planned. All of it is read from the history, so that whoever judges a run again says
//! the same.

use crate::plan::Plan;
use quorate_checkers::aftermath;
use quorate_checkers::history::{History, Nanos, Process};

/// The remarks on a history, and on the run that it is of.
pub fn of(history: &History, plan: Option<&Plan>) -> Vec<String> {
    let at = |f: &str| history.nemesis().find(|event| event.f.as_str() == f);
    let mut remarks = Vec::new();
    if let Some(event) = at(aftermath::INTERRUPTED) {
        let seconds = event.time.0.saturating_sub(begin(history).0) as f64 / 1e9;
        let of = plan
            .map_or_else(String::new, |plan| format!(" of {} s", plan.time_limit.as_secs_f64()));
        let finale = at(aftermath::FINAL_PHASE).map(|event| event.index);
        remarks.push(if finale.is_some_and(|finale| finale < event.index) {
            "interrupted in the final phase".to_owned()
        } else {
            format!("interrupted after {seconds:.1} s{of}")
        });
    }
    remarks
}

/// When the load began.
fn begin(history: &History) -> Nanos {
    let mut events = history.events().iter();
    let first = events.find(|event| event.process != Process::Nemesis);
    first.map_or(Nanos(0), |event| event.time)
}
