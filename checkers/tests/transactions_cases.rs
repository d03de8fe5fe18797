//! Elle's verdicts on 2,500 histories, and every difference with its reason.

mod transactions_support;

use quorate_checkers::transactions::{CHECKER, Workload, check};
use quorate_checkers::verdict::Valid;
use std::collections::{BTreeMap, BTreeSet};
use transactions_support::{Case, cases, folder, strings};

/// How our report differs from what Elle said; empty if it does not.
fn difference(case: &Case) -> String {
    let report = check(&case.history, &case.options);
    let valid = match report.valid {
        Valid::True => "true",
        Valid::False => "false",
        Valid::Unknown => "unknown",
    };
    let mut told = Vec::new();
    let expected = &case.expected;
    if valid != expected.valid {
        told.push(format!("valid {} here {valid}", expected.valid));
    }
    let types: BTreeSet<String> =
        report.anomalies.iter().map(|anomaly| anomaly.kind.clone()).collect();
    if types != expected.types {
        let less: Vec<&str> = expected.types.difference(&types).map(String::as_str).collect();
        let more: Vec<&str> = types.difference(&expected.types).map(String::as_str).collect();
        told.push(format!("-[{}] +[{}]", less.join(" "), more.join(" ")));
    }
    // Elle names no model where it found nothing that was asked for.
    if expected.valid != "true" && report.valid != Valid::True {
        let not = strings(&report.details["not"]);
        if not != expected.not {
            told.push(format!("not {:?} here {not:?}", expected.not));
        }
        let also = strings(&report.details["also_not"]);
        if also != expected.also_not && not == expected.not {
            told.push(format!("also_not {:?} here {also:?}", expected.also_not));
        }
    }
    assert!(report.anomalies.iter().all(|anomaly| anomaly.checker == CHECKER));
    told.join("; ")
}

fn run(file: &str, workload: Workload) {
    let Some(folder) = folder() else { return };
    let cases = cases(&folder.join(file), workload);
    assert!(cases.len() > 1200, "only {} cases were found", cases.len());
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for case in &cases {
        let told = difference(case);
        if !told.is_empty() {
            found.insert(case.name.clone(), told);
        }
    }
    for (name, told) in &found {
        eprintln!("{name}\t{told}");
    }
    assert!(found.is_empty(), "{} of {}", found.len(), cases.len());
}

#[test]
fn list_append() {
    run("elle-list-append.jsonl.gz", Workload::Append);
}
