//! Monotonic: counters only go up, so nobody may see one going down, and no two increments of
//! one can give the same value.
//!
//! One pass over the events: for each counter the highest value that any ended operation has
//! shown, for each client its own. Both are noted when an operation begins; what it shows in the
//! end must not be below (an increment: must be above).

use super::Findings;
use crate::history::{EventType, History, OpView, Process};
use crate::linearizable::words::describe;
use crate::value::Value;
use crate::verdict::CheckerReport;
use std::collections::BTreeMap;

/// A value with the operation that showed it.
type Shown<'a> = Option<(i64, OpView<'a>)>;

/// What was known when an operation began.
#[derive(Clone, Copy)]
struct Floor<'a> {
    own: Shown<'a>,
    all: Shown<'a>,
}

/// Judges a history.
pub(super) fn check(history: &History) -> CheckerReport {
    let mut findings = Findings::new("monotonic");
    let mut highest: BTreeMap<Option<&Value>, Shown<'_>> = BTreeMap::new();
    let mut own: BTreeMap<(Process, Option<&Value>), Shown<'_>> = BTreeMap::new();
    let mut floors: BTreeMap<usize, Floor<'_>> = BTreeMap::new();
    let mut given: BTreeMap<(Option<&Value>, i64), OpView<'_>> = BTreeMap::new();
    let mut looked_at = 0;
    for event in history.events() {
        let Some(op) = history.op_at(event.index) else { continue };
        let (process, counter) = (op.process(), op.key());
        if event.kind == EventType::Invoke {
            let own = own.get(&(process, counter)).copied().flatten();
            let all = highest.get(&counter).copied().flatten();
            floors.insert(op.position, Floor { own, all });
            continue;
        }
        let floor = floors.remove(&op.position);
        let value = match op.output() {
            Some(Value::Int(value)) => *value,
            None | Some(Value::Null) => continue,
            Some(other) => {
                let index = event.index;
                findings
                    .undecided(|| format!("event {index} shows {other}, no integer of 64 bits"));
                continue;
            }
        };
        looked_at += 1;
        let increment = op.f().as_str() == "inc";
        if increment {
            match given.get(&(counter, value)) {
                Some(first) => findings.add("duplicate-increment", [*first, op], || {
                    format!(
                        "Both {} and {} brought the counter to {value}: one increment is lost.",
                        describe(first),
                        describe(&op)
                    )
                }),
                None => drop(given.insert((counter, value), op)),
            }
        }
        if let Some(floor) = floor {
            look(&floor, op, value, increment, &mut findings);
        }
        for known in
            [highest.entry(counter).or_default(), own.entry((process, counter)).or_default()]
        {
            if known.is_none_or(|(most, _)| most < value) {
                *known = Some((value, op));
            }
        }
    }
    findings.report(looked_at, "no operation succeeded")
}

/// Compares what an operation has shown with what was known when it began.
fn look(floor: &Floor<'_>, op: OpView<'_>, value: i64, increment: bool, findings: &mut Findings) {
    let below = |shown: Shown<'_>| {
        shown.is_some_and(|(most, _)| value < most || (increment && value == most))
    };
    let (kind, shown) = match (below(floor.own), below(floor.all)) {
        (true, _) => ("non-monotonic", floor.own),
        (false, true) => ("stale-read", floor.all),
        (false, false) => return,
    };
    let Some((most, before)) = shown else { return };
    findings.add(kind, [before, op], || {
        format!(
            "{} shows {value}, though {} had shown {most} before it began.",
            describe(&op),
            describe(&before)
        )
    });
}

#[cfg(test)]
mod tests {
    use super::super::support::{history, kinds};
    use super::*;
    use crate::verdict::Valid;

    fn op(process: u8, f: &str, value: i64) -> [String; 2] {
        [format!("{process} invoke {f} 7 null"), format!("{process} ok {f} 7 {value}")]
    }

    fn judge(ops: &[[String; 2]]) -> CheckerReport {
        let lines = ops.concat();
        check(&history(&lines.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    #[test]
    fn each_way_down_has_its_name() {
        let good = [op(0, "inc", 1), op(1, "read", 1), op(0, "inc", 2), op(1, "read", 2)];
        assert_eq!(judge(&good).valid, Valid::True);
        assert_eq!(kinds(&judge(&[op(0, "inc", 2), op(0, "read", 1)])), ["non-monotonic"]);
        assert_eq!(kinds(&judge(&[op(0, "inc", 2), op(1, "read", 1)])), ["stale-read"]);
        let lost = [op(0, "inc", 1), op(1, "inc", 1)];
        assert_eq!(kinds(&judge(&lost)), ["duplicate-increment", "stale-read"]);
        assert_eq!(judge(&[]).valid, Valid::Unknown);
    }

    #[test]
    fn what_overlaps_may_see_either() {
        let report = check(&history(&[
            "0 invoke read 7 null",
            "1 invoke inc 7 null",
            "1 ok inc 7 1",
            "0 ok read 7 0",
            "1 invoke read 8 null",
            "1 ok read 8 0",
        ]));
        assert_eq!(report.valid, Valid::True);
    }
}
