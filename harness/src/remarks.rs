//! What a verdict should say beside itself: how the run came to its end, where that was not the end
//! that was planned, and that it had fewer faults than was asked for. All of it is read from the
//! history and the plan, so that whoever judges a run again says the same.

use crate::nemesis;
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
    remarks.extend(plan.and_then(rarer_faults));
    remarks
}

/// That the faults of a very long run are further apart than was asked for.
fn rarer_faults(plan: &Plan) -> Option<String> {
    let gap = nemesis::mean_gap(plan.nemesis_interval, plan.time_limit);
    (gap > plan.nemesis_interval && !plan.nemesis.is_empty()).then(|| {
        format!(
            "a fault of each kind every {:.1} s, not {:.1} s: the run is too long for more",
            gap.as_secs_f64(),
            plan.nemesis_interval.as_secs_f64()
        )
    })
}

/// When the load began.
fn begin(history: &History) -> Nanos {
    let mut events = history.events().iter();
    let first = events.find(|event| event.process != Process::Nemesis);
    first.map_or(Nanos(0), |event| event.time)
}
