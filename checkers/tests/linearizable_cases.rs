//! Histories with known verdicts, where they lie beside this repository.

mod linearizable_support;

use linearizable_support::cases::{all, decide, folder};
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
