//! Each anomaly in a history that shows it, and levels of isolation that never show what they
//! forbid.

mod transactions_support;

use quorate_checkers::transactions::AnomalyKind as Kind;
use quorate_checkers::transactions::{
    AnomalyKind, KeyRules, KindSet, Options, TxnModel, Workload, check, check_until,
};
use quorate_checkers::verdict::{CheckerReport, Valid};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use transactions_support::database::{Isolation, Load, simulate};
use transactions_support::written::history;

fn report(text: &str, keys: KeyRules) -> CheckerReport {
    check(&history(text), &Options { keys, ..Options::default() })
}

fn check_kinds(text: &str, expected: &[&str]) {
    check_with(text, KeyRules::default(), expected);
}

fn check_with(text: &str, keys: KeyRules, expected: &[&str]) {
    let report = report(text, keys);
    let kinds: BTreeSet<&str> = report.anomalies.iter().map(|a| a.kind.as_str()).collect();
    assert_eq!(kinds, expected.iter().copied().collect(), "{text}{report:#?}");
    assert_eq!(report.valid == Valid::False, !expected.is_empty(), "{text}{report:#?}");
    for anomaly in &report.anomalies {
        assert!(!anomaly.ops.is_empty() && !anomaly.explanation.is_empty(), "{anomaly:?}");
    }
}

#[test]
fn cycles_of_lists() {
    check_kinds(
        "(
         0 ok [\"append\",\"x\",1],[\"append\",\"y\",1]
         1 ok [\"append\",\"x\",2],[\"append\",\"y\",2]
         2 ok [\"r\",\"x\",[1,2]],[\"r\",\"y\",[2,1]]
         )",
        &["G0"],
    );
    check_kinds(
        "(
         0 ok [\"append\",\"x\",1],[\"r\",\"y\",[1]]
         1 ok [\"append\",\"y\",1],[\"r\",\"x\",[1]]
         )",
        &["G1c"],
    );
    check_kinds(
        "(
         0 ok [\"append\",\"x\",1],[\"append\",\"y\",1]
         1 ok [\"r\",\"x\",[1]],[\"r\",\"y\",null]
         )",
        &["G-single-item"],
    );
    check_kinds(
        "(
         0 ok [\"append\",\"x\",1]
         1 ok [\"append\",\"y\",1]
         2 ok [\"r\",\"x\",[1]],[\"r\",\"y\",null]
         3 ok [\"r\",\"y\",[1]],[\"r\",\"x\",null]
         )",
        &["G-nonadjacent-item"],
    );
    check_kinds(
        "(
         0 ok [\"r\",\"x\",null],[\"append\",\"y\",1]
         1 ok [\"r\",\"y\",null],[\"append\",\"x\",1]
         )",
        &["G2-item"],
    );
}

#[test]
fn cycles_through_sessions_and_time() {
    check_kinds("0 ok [\"append\",\"x\",1]\n 0 ok [\"r\",\"x\",null]", &["G-single-item-process"]);
    check_kinds("0 ok [\"append\",\"x\",1]\n 1 ok [\"r\",\"x\",null]", &["G-single-item-realtime"]);
    check_kinds(
        "0 ok [\"append\",\"x\",2]\n 0 ok [\"append\",\"x\",1]\n 1 ok [\"r\",\"x\",[1,2]]",
        &["G0-process"],
    );
    check_kinds(
        "0 ok [\"append\",\"x\",2]\n 1 ok [\"append\",\"x\",1]\n 2 ok [\"r\",\"x\",[1,2]]",
        &["G0-realtime"],
    );
    check_kinds("0 ok [\"r\",\"x\",[1]]\n 0 ok [\"append\",\"x\",1]", &["G1c-process"]);
    check_kinds("0 ok [\"r\",\"x\",[1]]\n 1 ok [\"append\",\"x\",1]", &["G1c-realtime"]);
}

#[test]
fn what_single_lists_have_wrong() {
    check_kinds("0 ok [\"r\",\"x\",[1]]", &["garbage-read"]);
    check_kinds(
        "(\n0 ok [\"append\",\"x\",1]\n1 ok [\"r\",\"x\",[1,1]]\n)",
        &["duplicate-elements"],
    );
    check_kinds(
        "(
         0 ok [\"append\",\"x\",1]
         1 ok [\"append\",\"x\",2]
         2 ok [\"r\",\"x\",[1,2]]
         3 ok [\"r\",\"x\",[2]]
         )",
        &["incompatible-order"],
    );
    check_kinds(
        "(\n0 ok [\"append\",\"x\",1],[\"append\",\"x\",2]\n1 ok [\"r\",\"x\",[2,1]]\n)",
        &["G1b", "incompatible-order"],
    );
    check_kinds(
        "(\n0 ok [\"append\",\"x\",1],[\"append\",\"x\",2]\n1 ok [\"r\",\"x\",[2]]\n)",
        &["G-single-item", "incompatible-order"],
    );
    check_kinds("(\n0 fail [\"append\",\"x\",1]\n1 ok [\"r\",\"x\",[1]]\n)", &["G1a"]);
    check_kinds(
        "(\n0 fail [\"append\",\"x\",1]\n1 ok [\"append\",\"x\",2]\n2 ok [\"r\",\"x\",[1,2]]\n)",
        &["G1a", "dirty-update"],
    );
    check_kinds(
        "(\n0 ok [\"append\",\"x\",1],[\"append\",\"x\",2]\n1 ok [\"r\",\"x\",[1]]\n
         2 ok [\"r\",\"x\",[1,2]]\n)",
        &["G-single-item", "G1b"],
    );
    check_kinds("0 ok [\"append\",\"x\",1],[\"r\",\"x\",null]", &["internal"]);
    check_kinds("0 ok [\"r\",\"x\",[1]],[\"append\",\"x\",1]", &["future-read"]);
    check_kinds(
        "(
         0 ok [\"r\",\"x\",null],[\"append\",\"x\",1]
         1 ok [\"r\",\"x\",null],[\"append\",\"x\",2]
         )",
        &["G2-item", "lost-update"],
    );
}

#[test]
fn registers() {
    let none = KeyRules::default();
    let reads = KeyRules { reads_before_writes: true, ..none };
    let sequential = KeyRules { sequential: true, ..none };
    let linearizable = KeyRules { linearizable: true, ..none };
    check_with("0 ok [\"r\",\"x\",1]", none, &["garbage-read"]);
    check_with("(\n0 fail [\"w\",\"x\",1]\n1 ok [\"r\",\"x\",1]\n)", none, &["G1a"]);
    check_with("(\n0 ok [\"w\",\"x\",1],[\"w\",\"x\",2]\n1 ok [\"r\",\"x\",1]\n)", none, &["G1b"]);
    check_with(
        "0 ok [\"w\",\"x\",1],[\"r\",\"x\",2],[\"w\",\"x\",2]",
        none,
        &["future-read", "internal"],
    );
    let skew = "(
         0 ok [\"r\",\"x\",null],[\"w\",\"y\",1]
         1 ok [\"r\",\"y\",null],[\"w\",\"x\",1]
         )";
    check_with(skew, none, &["G2-item"]);
    // Only a rule tells that 2 replaced 1, and so that the reader saw half of a transaction.
    let fractured = "(
         0 ok [\"w\",\"x\",1]
         1 ok [\"r\",\"x\",1],[\"w\",\"x\",2],[\"w\",\"y\",2]
         2 ok [\"r\",\"x\",1],[\"r\",\"y\",2]
         )";
    check_with(fractured, none, &[]);
    check_with(fractured, reads, &["G-single-item"]);
    let back = "0 ok [\"w\",\"x\",1]\n 0 ok [\"w\",\"x\",2]\n 1 ok [\"r\",\"x\",1]";
    check_with(back, none, &[]);
    check_with(back, sequential, &["G-single-item-realtime"]);
    check_with(back, linearizable, &["cyclic-versions"]);
    // The initial version after another one, seen by whoever then writes itself.
    let lost = "0 ok [\"w\",\"x\",2]\n 0 ok [\"r\",\"x\",null],[\"w\",\"x\",3]";
    check_with(lost, sequential, &["G-single-item-process", "cyclic-versions"]);
}

#[test]
fn what_nobody_knows_counts_once_it_is_seen() {
    let crashed = |seen: &str| {
        format!(
            "(
             0 info [\"append\",\"x\",1],[\"append\",\"y\",1]
             1 ok [\"r\",\"x\",{seen}],[\"r\",\"y\",null]
             )"
        )
    };
    check_kinds(&crashed("[1]"), &["G-single-item"]);
    let unseen = report(&crashed("null"), KeyRules::default());
    assert_eq!(unseen.valid, Valid::Unknown, "nothing depends on anything: {unseen:?}");
}

#[test]
fn malformed_histories_are_undecided() {
    let twice =
        report("0 ok [\"append\",\"x\",1]\n 1 ok [\"append\",\"x\",1]", KeyRules::default());
    assert_eq!(twice.valid, Valid::Unknown);
    assert!(twice.why.unwrap().contains("appended to x twice"));
    let both = report("0 ok [\"append\",\"x\",1],[\"w\",\"y\",1]", KeyRules::default());
    assert_eq!(both.valid, Valid::Unknown);
    let nothing = report("", KeyRules::default());
    assert_eq!(nothing.valid, Valid::True);
}

#[test]
fn a_cycle_is_told_with_its_steps() {
    let report = report(
        "(\n0 ok [\"append\",\"x\",1],[\"append\",\"y\",1]\n1 ok [\"r\",\"x\",[1]],[\"r\",\"y\",null]\n)",
        KeyRules::default(),
    );
    let anomaly = &report.anomalies[0];
    let steps = anomaly.evidence["steps"].as_array().unwrap();
    let expected = serde_json::json!([
        {"type": "rw", "text": "T1 did not see T2's append of 1 to y",
            "key": "y", "value": null, "value'": 1, "a-mop-index": 1, "b-mop-index": 1},
        {"type": "wr", "text": "T1 read T2's append of 1 to x",
            "key": "x", "value": 1, "a-mop-index": 0, "b-mop-index": 0},
    ]);
    assert_eq!(serde_json::Value::Array(steps.clone()), expected);
    assert_eq!(anomaly.evidence["cycle"], serde_json::json!([3, 2, 3]));
    for words in ["T1 did not see T2's append of 1 to y", "read T2's append of 1 to x"] {
        assert!(anomaly.explanation.contains(words), "{}", anomaly.explanation);
    }
}

/// Whenever the time runs out the verdict is open, and says so.
#[test]
fn what_was_not_looked_at_is_not_valid() {
    for workload in [Workload::Append, Workload::Register] {
        let history = simulate(Load::new(workload, Isolation::StrictSerializable, 1));
        let options = Options { workload: Some(workload), ..Options::default() };
        let within = |asks: u32| {
            let asked = AtomicU32::new(0);
            let stop = || asked.fetch_add(1, Ordering::Relaxed) >= asks;
            (check_until(&history, &options, &stop), asked.load(Ordering::Relaxed))
        };
        let (whole, asks) = within(u32::MAX);
        assert_eq!(whole.valid, Valid::True);
        assert!(asks > 5, "asked {asks} times");
        for enough in 0..asks {
            let (report, _) = within(enough);
            assert_eq!(report.valid, Valid::Unknown, "{enough} of {asks}");
            assert!(report.why.unwrap().contains("time"));
            assert!(report.models.values().all(|valid| *valid == Valid::Unknown));
        }
    }
    // What was found by then stands.
    let text = "0 ok [\"r\",\"x\",[1]]\n 0 ok [\"append\",\"y\",1]\n 0 ok [\"r\",\"y\",[1]]";
    let asked = AtomicU32::new(0);
    let stop = || asked.fetch_add(1, Ordering::Relaxed) > 0;
    let report = check_until(&history(text), &Options::default(), &stop);
    assert_eq!(report.valid, Valid::False);
    assert_eq!(report.anomalies[0].kind, "garbage-read");
}

/// The strongest model that each level keeps.
const LEVELS: [(Isolation, &str); 5] = [
    (Isolation::StrictSerializable, "strict-serializable"),
    (Isolation::Serializable, "serializable"),
    (Isolation::Snapshot, "strong-snapshot-isolation"),
    (Isolation::ReadCommitted, "strong-read-committed"),
    (Isolation::ReadUncommitted, "none"),
];

#[test]
fn levels_show_their_anomalies_and_never_what_they_forbid() {
    let mut seen: Vec<KindSet> = Vec::new();
    for (isolation, model) in LEVELS {
        let mut kinds = KindSet::EMPTY;
        let forbidden = model.parse::<TxnModel>().map_or(KindSet::EMPTY, TxnModel::forbids);
        for seed in 0..30 {
            for workload in [Workload::Append, Workload::Register] {
                let load = Load { transactions: 300, ..Load::new(workload, isolation, seed) };
                let load = Load { keys: 4, ..load };
                let linearizable = isolation == Isolation::StrictSerializable;
                let keys =
                    KeyRules { sequential: linearizable, linearizable, ..KeyRules::default() };
                let options = Options { workload: Some(workload), keys, ..Options::default() };
                let report = check(&simulate(load), &options);
                let found: KindSet = report.anomalies.iter().filter_map(AnomalyKind::of).collect();
                assert!(
                    found.and(forbidden).is_empty(),
                    "{isolation:?} {workload} seed {seed}: {:#?}",
                    report.anomalies
                );
                kinds = kinds.or(found);
            }
        }
        seen.push(kinds);
    }
    let must_show: [&[Kind]; 5] = [
        &[],
        &[Kind::GSingleItemRealtime],
        &[Kind::G2Item],
        &[Kind::GSingleItem, Kind::LostUpdate, Kind::G2Item],
        &[Kind::G1a, Kind::G1b, Kind::G0, Kind::DirtyUpdate],
    ];
    for (at, kinds) in must_show.iter().enumerate() {
        for kind in *kinds {
            assert!(seen[at].contains(*kind), "{:?} lacks {kind}: {:?}", LEVELS[at].0, seen[at]);
        }
    }
    assert_eq!(seen[0], KindSet::EMPTY);
}
