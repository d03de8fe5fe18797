//! Elle's verdicts on 2,500 histories, and every difference with its reason.

mod transactions_support;

use quorate_checkers::transactions::{CHECKER, Workload, check};
use quorate_checkers::verdict::{CheckerReport, Valid};
use std::collections::{BTreeMap, BTreeSet};
use transactions_support::{Case, cases, folder, reasons, strings};

/// How our report differs from what Elle said; empty if it does not.
fn difference(case: &Case, report: &CheckerReport) -> String {
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

/// The differences that are known, each with its reason.
const KNOWN: &str = include_str!("transactions_differences.tsv");

const REASONS: [&str; 12] = [
    "garbage",
    "future",
    "own-order",
    "contradicted",
    "crashed",
    "intermediate",
    "nil",
    "nothing",
    "shown",
    "other-cycle",
    "both-ways",
    "rule",
];

fn known() -> BTreeMap<&'static str, (&'static str, Vec<&'static str>)> {
    let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [name, told, reasons] = fields[..] else { panic!("not three fields: {line}") };
            let reasons: Vec<&str> = reasons.split(' ').collect();
            for reason in &reasons {
                assert!(REASONS.contains(reason), "no reason is called {reason}");
            }
            (name, (told, reasons))
        })
        .collect()
}

/// Checks all cases of a file: which of them differ is known, and why is true.
fn run(file: &str, workload: Workload) {
    let Some(folder) = folder() else { return };
    let cases = cases(&folder.join(file), workload);
    assert!(cases.len() > 1200, "only {} cases were found", cases.len());
    let known = known();
    let mut wrong = Vec::new();
    for case in &cases {
        let report = check(&case.history, &case.options);
        let told = difference(case, &report);
        let expected = known.get(case.name.as_str());
        match expected {
            None if told.is_empty() => {}
            Some((expected, reasons)) if *expected == told => {
                let untrue = reasons::wrong(case, &report, reasons);
                if !untrue.is_empty() {
                    wrong.push(format!("{}\t{told}\t{reasons:?}: {untrue}", case.name));
                }
            }
            _ => wrong.push(format!("{}\t{told}\tlisted: {expected:?}", case.name)),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn list_append() {
    run("elle-list-append.jsonl.gz", Workload::Append);
}

#[test]
fn rw_register() {
    run("elle-rw-register.jsonl.gz", Workload::Register);
}

/// Nine in ten cases agree in everything, and nearly all in the verdict.
#[test]
fn differences_are_few() {
    let known = known();
    let verdicts = known.values().filter(|(told, _)| told.starts_with("valid")).count();
    assert!(known.len() < 260 && verdicts < 90, "{} and {verdicts}", known.len());
    let impossible = |reason: &&str| ["garbage", "future"].contains(reason);
    let others = known.values().filter(|(_, reasons)| !reasons.iter().any(impossible)).count();
    assert!(others < 100, "{others} besides what no transaction can have read");
}
