//! Histories with known verdicts, where they lie beside this repository.

mod linearizable_support;

use linearizable_support::cases::{all, decide, folder, traces};
use quorate_checkers::linearizable::Options;
use quorate_checkers::verdict::Valid;

#[test]
fn every_case_agrees_with_its_verdict() {
    let Some(folder) = folder() else { return };
    let cases = all(&folder);
    assert!(cases.len() > 200, "only {} cases were found", cases.len());
    let options = Options { steps: 20_000_000, ..Options::default() };
    let mut wrong = Vec::new();
    for case in &cases {
        let (valid, how) = decide(case, &options);
        if valid != if case.expected { Valid::True } else { Valid::False } {
            wrong.push(format!("{}: {valid:?} by {how}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// The key-value traces list each call next to its answer, by number. So their rows do not tell
/// which calls were concurrent, and in the order of rows some that are called linearizable read
/// what was overwritten before. Real time is not in them, and nothing can be concluded from it.
#[test]
fn traces_without_real_time_are_no_cases() {
    let Some(folder) = folder() else { return };
    let traces = traces(&folder);
    assert_eq!(traces.len(), 11);
    for (name, history) in traces {
        let adjacent = |op: &quorate_checkers::history::Operation| {
            op.complete.is_some_and(|complete| complete.0 == op.invoke.0 + 1)
        };
        assert!(history.operations().iter().all(adjacent), "{name} has calls that overlap");
    }
}
