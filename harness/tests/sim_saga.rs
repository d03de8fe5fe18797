//! The order service under hunts: the correct one in both styles, and each of its bugs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use quorate::catalog;
use quorate::hunt::knobs::Fixed;
use quorate::hunt::{self, Options, Strategy, Tally};
use std::sync::atomic::AtomicBool;

/// Hunts with these bugs and target options; nothing else is fixed.
fn hunt_for(bugs: &[&str], target_options: &[(&str, &str)], runs: u64) -> Tally {
    let target = catalog::target("saga-orders").unwrap();
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let fixed = Fixed {
        bugs: bugs.iter().map(|bug| target.bug(bug).unwrap()).collect(),
        target_options: target_options.iter().map(pair).collect(),
        clients_only: !bugs.is_empty(),
        ..Fixed::of(&target)
    };
    let options = Options {
        fixed,
        from: 1,
        runs: Some(runs),
        time: None,
        first: !bugs.is_empty(),
        threads: 2,
        strategy: Strategy::Random,
    };
    hunt::hunt(&options, &AtomicBool::new(false), &mut |_| {}).unwrap()
}

#[test]
fn nothing_is_found_in_the_correct_service() {
    let nightly = std::env::var_os("QUORATE_NIGHTLY").is_some();
    for style in ["orchestration", "choreography"] {
        let tally = hunt_for(&[], &[("style", style)], if nightly { 2_000 } else { 24 });
        let found: Vec<String> =
            tally.found.iter().map(|f| format!("{}: {}", f.plan.command, f.failure.why)).collect();
        assert_eq!(found, [""; 0], "{style}");
        assert_eq!(tally.undecided, 0, "{style}");
    }
}

/// Each bug with the style that shows it, and the number of runs within which clients see it.
const BUGS: &[(&str, &str, u64)] = &[
    ("no-idempotency", "orchestration", 50),
    ("lost-compensation", "orchestration", 100),
    ("compensate-unknown", "orchestration", 50),
    ("ack-before-journal", "orchestration", 50),
    ("no-fencing", "orchestration", 500),
    ("outbox-not-atomic", "choreography", 100),
    ("oversell", "orchestration", 50),
    ("stuck-saga", "orchestration", 50),
    ("out-of-order-compensation", "choreography", 100),
];

#[test]
fn each_bug_is_seen_by_clients() {
    for (bug, style, within) in BUGS {
        let tally = hunt_for(&[bug], &[("style", style)], *within);
        assert_eq!(tally.found.len(), 1, "{bug} was not found in {} runs", tally.runs);
    }
}
