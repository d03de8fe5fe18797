//! Hunts, shrinking and scripts, in this process.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use quorate::catalog;
use quorate::hunt::knobs::{Fixed, draw};
use quorate::hunt::{self, Options, Strategy, Tally};
use quorate::nemesis::{self, FaultKind};
use quorate::plan::Plan;
use quorate::script::Script;
use quorate::shrink::{Budget, shrink};
use quorate::stopped;
use quorate::story;
use quorate::trial::carry_out;
use quorate_targets::seed::Seed;
use quorate_targets::sim::Detail;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Nothing but the bugs is fixed.
fn fixed(bugs: &[&str]) -> Fixed {
    let target = catalog::target("raft-kv").unwrap();
    Fixed { bugs: bugs.iter().map(|bug| target.bug(bug).unwrap()).collect(), ..Fixed::of(&target) }
}

fn hunt_for(bugs: &[&str], runs: u64, change: impl FnOnce(&mut Options)) -> Tally {
    let mut options = Options {
        fixed: fixed(bugs),
        from: 1,
        runs: Some(runs),
        time: None,
        first: !bugs.is_empty(),
        threads: 2,
        strategy: Strategy::Random,
    };
    change(&mut options);
    hunt::hunt(&options, &AtomicBool::new(false), &mut |_| {}).unwrap()
}

/// Tests that are too long for every day run where this is set.
fn nightly() -> bool {
    std::env::var_os("QUORATE_NIGHTLY").is_some()
}

#[test]
fn nothing_is_found_in_the_correct_target() {
    let tally = hunt_for(&[], if nightly() { 5_000 } else { 50 }, |_| {});
    let found: Vec<String> =
        tally.found.iter().map(|f| format!("{}: {}", f.plan.command, f.failure.why)).collect();
    assert_eq!(found, [""; 0]);
    assert_eq!(tally.undecided, 0);
    let never: Vec<&str> = tally.sometimes.never().collect();
    assert_eq!(never, [""; 0], "a hunt that does not get there proves nothing");
}

/// Each bug with the number of runs within which it must be found.
const BUGS: &[(&str, u64)] = &[
    ("stale-read", 200),
    ("follower-read", 50),
    ("ack-before-commit", 100),
    ("ack-before-sync", 100),
    ("minority-quorum", 50),
    ("no-log-check", 100),
    ("double-apply", 100),
    ("lose-snapshot-tail", 100),
];
const RARE_BUGS: &[(&str, u64)] = &[("forget-vote", 2_000), ("commit-prior-term", 3_000)];

#[test]
fn each_bug_is_found() {
    let rare = if nightly() || std::env::var_os("CI").is_some() { RARE_BUGS } else { &[] };
    for (bug, within) in BUGS.iter().chain(rare) {
        let tally = hunt_for(&[bug], *within, |_| {});
        assert_eq!(tally.found.len(), 1, "{bug} was not found in {} runs", tally.runs);
        // The command line that is printed makes the same plan, so it is all that is needed.
        let found = &tally.found[0];
        assert!(found.plan.command.contains(&format!("--bug {bug}")), "{}", found.plan.command);
    }
}

#[test]
fn what_clients_see_is_enough_to_find_most() {
    for bug in ["ack-before-sync", "no-log-check", "lose-snapshot-tail", "minority-quorum"] {
        let tally = hunt_for(&[bug], 200, |options| options.fixed.clients_only = true);
        assert_eq!(tally.found[0].failure.reason, "linearizable", "{bug}");
    }
}

/// What a hunt found, without how long it took.
fn essence(tally: &Tally) -> String {
    let found: Vec<_> = tally.found.iter().map(|f| (f.number, &f.plan, &f.failure)).collect();
    format!("{} {} {:?} {found:?}", tally.runs, tally.events, tally.sometimes)
}

#[test]
fn a_hunt_does_not_depend_on_the_number_of_threads() {
    for strategy in [Strategy::Random, Strategy::Novelty] {
        for first in [true, false] {
            let hunted = |threads| {
                let tally = hunt_for(&["ack-before-sync"], 80, |options| {
                    options.threads = threads;
                    options.strategy = strategy;
                    options.first = first;
                });
                essence(&tally)
            };
            assert_eq!(hunted(1), hunted(3), "{strategy:?}, first only: {first}");
        }
    }
}

#[test]
fn a_script_repeats_the_run_that_it_was_recorded_from() {
    for seed in 1..30 {
        let mut plan = draw(&fixed(&[]), Seed(seed)).unwrap();
        let drawn = carry_out(&plan, Detail::Digest).unwrap();
        let script = Script::record(
            &drawn.history,
            drawn.driven.main,
            drawn.driven.finale,
            plan.concurrency,
        );
        plan.script = Some(script);
        let repeated = carry_out(&plan, Detail::Digest).unwrap();
        let first_difference = drawn
            .history
            .events()
            .iter()
            .zip(repeated.history.events())
            .find(|(one, other)| one != other);
        assert_eq!(first_difference, None, "seed {seed}");
        assert_eq!(drawn.trace.digest(), repeated.trace.digest(), "seed {seed}");
    }
}

#[test]
fn a_plan_reads_back_what_was_written() {
    let mut plan = draw(&fixed(&["forget-vote"]), Seed(3)).unwrap();
    let trial = carry_out(&plan, Detail::Digest).unwrap();
    plan.script = Some(Script::record(&trial.history, trial.driven.main, None, plan.concurrency));
    plan.clients_only = true;
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    // A plan of `quorate run` says nothing of simulations.
    (plan.weather, plan.script, plan.clients_only) = (None, None, false);
    plan.command.clear();
    let text = serde_json::to_string(&plan).unwrap();
    assert!(!text.contains("weather") && !text.contains("script") && !text.contains("only"));
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn what_is_shrunk_fails_alike_and_is_smaller() {
    for bug in ["stale-read", "ack-before-sync", "lose-snapshot-tail", "double-apply"] {
        let tally = hunt_for(&[bug], 200, |_| {});
        let found = &tally.found[0];
        let budget = Budget { runs: 1_500, time: Duration::from_mins(2) };
        let shrunk =
            shrink(&found.plan, budget, &AtomicBool::new(false), &mut |_, _, _| {}).unwrap();
        let again = carry_out(&shrunk.plan, Detail::Digest).unwrap().failure().unwrap();
        assert_eq!(again.reason, found.failure.reason, "{bug}");
        assert!(shrunk.after.faults < 10.min(shrunk.before.faults), "{bug}: {shrunk:?}");
        assert!(shrunk.after.operations < shrunk.before.operations / 2, "{bug}: {shrunk:?}");

        let story = story::of_plan(&shrunk.plan).unwrap();
        assert!(story.lines().count() < story::LINES_MAX + 20, "{bug}");
        assert!(story.contains("is leader in term"), "{bug}: no election is told\n{story}");
        assert!(story.contains(again.why.as_str()), "{bug}: the end is missing\n{story}");
        assert_eq!(story, story::of_plan(&shrunk.plan).unwrap());
    }
}

#[test]
fn what_breaks_before_the_cluster_serves_is_found() {
    let fixed = Fixed { nodes: Some(3), ..fixed(&["minority-quorum"]) };
    let early = (1..200).find_map(|seed| {
        let plan = draw(&fixed, Seed(seed)).unwrap();
        let trial = carry_out(&plan, Detail::Digest).unwrap();
        let first = trial.history.events().first().is_some_and(|e| e.f.as_str() == stopped::EVENT);
        first.then(|| trial.failure().unwrap())
    });
    assert_eq!(early.unwrap().reason, "election-safety");
}

/// Elections take longer than a cluster may take to serve again: a leader that is killed late is
/// not followed in time.
#[test]
fn a_cluster_that_does_not_serve_again_fails_in_a_way_of_its_own() {
    let options = [("election-timeout-ms".to_owned(), "5000".to_owned())];
    let fixed = Fixed {
        nodes: Some(3),
        faults: Some(vec![FaultKind::Kill]),
        interval: Some(Duration::from_millis(500)),
        target_options: options.into(),
        ..fixed(&[])
    };
    let plan = |recovery| {
        let mut plan = draw(&fixed, Seed(1)).unwrap();
        nemesis::aim_at_leaders(&mut plan.schedule);
        plan.limits.recovery = Duration::from_secs(recovery);
        plan
    };
    assert_eq!(carry_out(&plan(60), Detail::Digest).unwrap().failure(), None, "it recovers");

    let hasty = plan(1);
    let trial = carry_out(&hasty, Detail::Digest).unwrap();
    let failure = trial.failure().unwrap();
    assert_eq!(failure.reason, "unavailable-after-heal");
    assert_eq!(trial.verdict.anomaly_types, ["unavailable-after-heal"]);
    assert!(trial.driven.finale.is_some(), "it is seen in the second phase");

    let budget = Budget { runs: 500, time: Duration::from_mins(2) };
    let shrunk = shrink(&hasty, budget, &AtomicBool::new(false), &mut |_, _, _| {}).unwrap();
    assert_eq!(shrunk.failure.reason, "unavailable-after-heal");
    assert!(shrunk.after.faults <= 2 && shrunk.after.operations <= 3, "{shrunk:?}");
    let again = carry_out(&shrunk.plan, Detail::Digest).unwrap().failure().unwrap();
    assert_eq!(again, shrunk.failure);
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    let plan = draw(&fixed(&[]), Seed(1)).unwrap();
    let never = AtomicBool::new(false);
    let error = shrink(&plan, Budget::default(), &never, &mut |_, _, _| {}).unwrap_err();
    assert!(error.to_string().contains("does not fail"), "{error}");
}
