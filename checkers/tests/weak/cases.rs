//! One small history for each thing that a checker must see, and for what it must let pass.

use super::story::history;
use quorate_checkers::history::History;
use quorate_checkers::verdict::{CheckerReport, Valid};
use quorate_checkers::{convergence, counter, session, set_full};

type Check = fn(&History) -> CheckerReport;

/// The verdict, and the kinds of anomaly, on what a text tells.
fn expect(check: Check, valid: Valid, kinds: &[&str], text: &str) -> CheckerReport {
    let report = check(&history(text));
    let found: Vec<&str> = report.anomalies.iter().map(|anomaly| anomaly.kind.as_str()).collect();
    assert_eq!((report.valid, &found[..]), (valid, kinds), "{:?}\n{text}", report.why);
    assert_eq!(report.why.is_some(), valid != Valid::True, "a sentence where it is not true");
    report
}

const ADDED: &str = "
    0 invoke add s 1 @n1
    0 ok add s 1 @n1
    1 invoke add s 2 @n2
    1 info add s 2 @n2
";

#[test]
fn an_element_that_all_nodes_have_is_stable() {
    let report = expect(
        set_full::check,
        Valid::True,
        &[],
        &format!(
            "{ADDED}
            2 invoke read s null @n1
            2 ok read s [] @n1
            heal
            2 invoke read s null @n1
            2 ok read s [1,2] @n1
            3 invoke read s null @n2
            3 ok read s [2,1] @n2"
        ),
    );
    let count = |name: &str| report.details[name].as_u64().unwrap();
    assert_eq!((count("stable"), count("recovered"), count("stale")), (1, 1, 1));
    // Known at 1 ms, still missed by the read that began at 4 ms.
    assert_eq!(report.details["worst_stale_ms"][0][1], 3.0);
}

#[test]
fn an_element_on_one_node_of_three_is_missing_whoever_is_read_last() {
    for order in [["n1", "n2", "n3"], ["n3", "n2", "n1"], ["n2", "n3", "n1"]] {
        let reads: Vec<String> = order
            .iter()
            .map(|node| {
                let list = if *node == "n2" { "[1]" } else { "[]" };
                format!("2 invoke read s null @{node}\n2 ok read s {list} @{node}")
            })
            .collect();
        let text = format!("{ADDED}\nheal\n{}", reads.join("\n"));
        let report = expect(set_full::check, Valid::False, &["missing-element"], &text);
        let words = &report.anomalies[0].explanation;
        assert!(words.contains("last reads at n2 have it"), "{words}");
        assert!(words.contains("n1, n3 do not"), "{words}");
    }
}

#[test]
fn an_element_on_no_node_is_lost() {
    let text = format!("{ADDED}\nheal\n2 invoke read s null @n1\n2 ok read s [] @n1");
    let report = expect(set_full::check, Valid::False, &["lost-element"], &text);
    assert_eq!(report.details["missing_at"]["n1"], 1);
}

#[test]
fn a_removed_element_must_stay_away() {
    let removed = "
        0 invoke add s 1 @n1
        0 ok add s 1 @n1
        0 invoke remove s 1 @n1
        0 ok remove s 1 @n1
        heal";
    let read = |list: &str| format!("{removed}\n2 invoke read s null @n1\n2 ok read s {list} @n1");
    expect(set_full::check, Valid::True, &[], &read("[]"));
    expect(set_full::check, Valid::False, &["resurrected-element"], &read("[1]"));
}

#[test]
fn a_remove_in_doubt_decides_nothing() {
    let text = "
        0 invoke add s 1 @n1
        0 ok add s 1 @n1
        0 invoke remove s 1 @n1
        0 info remove s 1 @n1
        3 invoke add s 2 @n1
        3 ok add s 2 @n1
        heal
        2 invoke read s null @n1
        2 ok read s [2] @n1";
    let report = expect(set_full::check, Valid::True, &[], text);
    assert_eq!(report.details["unjudged"], 1);
}

#[test]
fn elements_from_nowhere_and_elements_twice_are_seen() {
    let text = format!("{ADDED}\n2 invoke read s null @n1\n2 ok read s [1,1,7] @n1");
    let kinds = ["unexpected-element", "duplicated-element"];
    expect(set_full::check, Valid::False, &kinds, &text);
}

#[test]
fn without_a_final_phase_only_last_reads_that_agree_say_what_is_lost() {
    let add = |node: &str| format!("0 invoke add s 1 {node}\n0 ok add s 1 {node}\n");
    let read = |process: u8, list: &str, node: &str| {
        format!("{process} invoke read s null {node}\n{process} ok read s {list} {node}\n")
    };
    let lost = [add(""), read(1, "[]", "")].concat();
    expect(set_full::check, Valid::False, &["lost-element"], &lost);
    // Another add follows, so that the read was not to be the last.
    let goes_on = format!("{lost}0 invoke add s 2\n0 ok add s 2\n");
    let seen = format!("{goes_on}{}", read(1, "[2]", ""));
    expect(set_full::check, Valid::False, &["lost-element"], &seen);
    let report = expect(set_full::check, Valid::Unknown, &[], &goes_on);
    assert_eq!(report.details["undecided"], 1);
    assert!(report.why.unwrap().contains("no final phase"));
    // Replicas that still differ, and replicas that are named, may yet come together.
    let differ = [add(""), read(1, "[1]", ""), read(2, "[]", "")].concat();
    expect(set_full::check, Valid::Unknown, &[], &differ);
    let named = [add("@n1"), read(1, "[]", "@n2")].concat();
    expect(set_full::check, Valid::Unknown, &[], &named);
    let removed = [add(""), "0 invoke remove s 1\n0 ok remove s 1\n".into()].concat();
    let back = removed.clone() + &read(1, "[1]", "");
    expect(set_full::check, Valid::False, &["resurrected-element"], &back);
    let both = back + &read(1, "[]", "");
    expect(set_full::check, Valid::True, &[], &both);
}

#[test]
fn a_set_that_nobody_read_is_unknown() {
    expect(set_full::check, Valid::Unknown, &[], ADDED);
}

const COUNTED: &str = "
    0 invoke add c 5 @n1
    0 ok add c 5 @n1
    1 invoke add c -3 @n2
    1 info add c -3 @n2
    2 invoke add c 10 @n1
    2 fail add c 10 @n1
";

#[test]
fn a_counter_may_be_behind_for_a_while_but_must_be_exact_in_the_end() {
    let read = |middle: i64, end: i64| {
        format!(
            "{COUNTED}
            3 invoke read c null @n1
            3 ok read c {middle} @n1
            heal
            3 invoke read c null @n1
            3 ok read c {end} @n1"
        )
    };
    for (middle, end) in [(0, 5), (-3, 2), (5, 2), (2, 5)] {
        expect(counter::check, Valid::True, &[], &read(middle, end));
    }
    expect(counter::check, Valid::False, &["counter-wrong"], &read(5, 3));
    expect(counter::check, Valid::False, &["counter-wrong"], &read(5, 0));
    expect(counter::check, Valid::False, &["counter-out-of-bounds"], &read(6, 5));
    expect(counter::check, Valid::False, &["counter-out-of-bounds"], &read(-4, 5));
    let twice = ["counter-out-of-bounds", "counter-wrong"];
    expect(counter::check, Valid::False, &twice, &read(0, 10));
}

#[test]
fn sums_are_exact_and_what_is_no_integer_is_told() {
    let most = i64::MAX;
    let adds = |values: &[&str]| -> String {
        let lines = values.iter().map(|v| format!("0 invoke add c {v}\n0 ok add c {v}\n"));
        lines.collect::<Vec<_>>().concat()
    };
    let end = |value: &str| format!("heal\n1 invoke read c null\n1 ok read c {value}\n");
    let (big, small) = (most.to_string(), (-most).to_string());
    let back = adds(&[&big, &big, &small]);
    expect(counter::check, Valid::True, &[], &(back.clone() + &end(&big)));
    expect(counter::check, Valid::False, &["counter-wrong"], &(back + &end("1")));
    for odd in ["0.5", "\"a\"", "null", "9223372036854775808"] {
        let report = expect(counter::check, Valid::Unknown, &[], &(adds(&[odd, odd]) + &end("1")));
        let why = report.why.unwrap();
        assert!(why.contains(&format!("event 0 adds {odd}")) && why.contains("1 more"), "{why}");
    }
    let report = expect(counter::check, Valid::Unknown, &[], &(adds(&["1"]) + &end("0.5")));
    assert!(report.why.unwrap().contains("event 4 returned 0.5"));
    let other = "0 invoke inc c null\n0 ok inc c null\n".to_owned() + &end("1");
    expect(counter::check, Valid::Unknown, &[], &other);
    // What was read before is judged.
    let before = "1 invoke read c null\n1 ok read c 9\n".to_owned() + &adds(&["0.5"]);
    expect(counter::check, Valid::False, &["counter-out-of-bounds"], &before);
}

#[test]
fn replicas_that_never_agree_are_told() {
    let reads = |first: &str, second: &str| {
        format!(
            "heal
            0 invoke read s null @n1
            0 ok read s {first} @n1
            1 invoke read s null @n2
            1 ok read s {second} @n2"
        )
    };
    expect(convergence::check, Valid::True, &[], &reads("[1,2]", "[2,1]"));
    let report = expect(convergence::check, Valid::False, &["diverged"], &reads("[1]", "[1,2]"));
    let words = &report.anomalies[0].explanation;
    assert!(words.contains("Only the second has 2"), "{words}");
    let late =
        format!("{}\n0 invoke read s null @n1\n0 ok read s [1,2] @n1", reads("[1]", "[1,2]"));
    let report = expect(convergence::check, Valid::True, &[], &late);
    assert_eq!(report.details["convergence_ms"]["max"], 2.0);
    expect(convergence::check, Valid::Unknown, &[], "0 invoke read s null @n1");
}

/// Sessions as words: `w x 1` writes, `r x 1` reads, by process.
fn sessions(steps: &[(u64, &str)]) -> String {
    let line = |(process, step): &(u64, &str)| {
        let words: Vec<&str> = step.split(' ').collect();
        let (f, input) = if words[0] == "w" { ("write", words[2]) } else { ("read", "null") };
        let (key, value) = (words[1], words[2]);
        format!("{process} invoke {f} {key} {input}\n{process} ok {f} {key} {value}")
    };
    steps.iter().map(line).collect::<Vec<String>>().join("\n")
}

/// Who does what, one after the other; and what that breaks.
type Case<'a> = (&'a [(u64, &'a str)], &'a [&'a str]);

#[test]
fn each_session_guarantee_is_shown_to_break() {
    let cases: &[Case<'_>] = &[
        (&[(0, "w x 1"), (0, "r x 1"), (1, "r x null"), (1, "r x 1")], &[]),
        (&[(0, "w x 1"), (0, "r x null")], &["read-your-writes"]),
        (&[(0, "w x 1"), (1, "r x 1"), (1, "r x null")], &["monotonic-reads"]),
        (
            &[(0, "w x 1"), (2, "w x 2"), (1, "r x 1"), (1, "r x 2"), (1, "r x 1")],
            &["monotonic-reads"],
        ),
        (&[(0, "w x 1"), (0, "w y 2"), (1, "r y 2"), (1, "r x null")], &["monotonic-writes"]),
        (
            &[(0, "w x 1"), (2, "r x 1"), (2, "w y 2"), (1, "r y 2"), (1, "r x null")],
            &["writes-follow-reads"],
        ),
        // Each for itself can be; that all hold cannot.
        (&[(1, "w x 9"), (0, "r x 9"), (0, "w x 1"), (0, "r x 9")], &["session-guarantees"]),
    ];
    for (steps, kinds) in cases {
        let valid = if kinds.is_empty() { Valid::True } else { Valid::False };
        let report = expect(session::check, valid, kinds, &sessions(steps));
        for anomaly in &report.anomalies {
            assert!(anomaly.explanation.starts_with("On x: process"), "{}", anomaly.explanation);
            assert!((2..=5).contains(&anomaly.ops.len()), "{:?}", anomaly.ops);
            assert_eq!(report.models[&anomaly.kind], Valid::False);
        }
    }
}

#[test]
fn assumptions_that_do_not_hold_make_the_verdict_unknown() {
    for steps in [&[(0, "w x 1"), (1, "w x 1")][..], &[(0, "r x 5")]] {
        expect(session::check, Valid::Unknown, &[], &sessions(steps));
    }
    expect(session::check, Valid::Unknown, &[], "0 invoke cas x [1,2]");
    let failed = "0 invoke write x 1\n0 fail write x 1\n1 invoke read x null\n1 ok read x 1";
    expect(session::check, Valid::Unknown, &[], failed);
}

#[test]
fn a_guarantee_can_be_asked_for_alone() {
    let steps = sessions(&[(0, "w x 1"), (0, "r x null"), (1, "r x 1")]);
    let only = |names: &[&str]| session::check_only(&history(&steps), names);
    let other = only(&["monotonic-reads"]);
    assert_eq!((other.valid, other.why, other.anomalies.len()), (Valid::True, None, 0));
    assert_eq!(other.models.keys().collect::<Vec<_>>(), ["monotonic-reads"]);
    for names in [&["read-your-writes"][..], &["monotonic-reads", "read-your-writes"]] {
        let report = only(names);
        assert_eq!((report.valid, report.anomalies.len()), (Valid::False, 1));
        assert!(report.why.unwrap().starts_with("not read-your-writes: "));
    }
    assert_eq!(only(&[session::ALL_FOUR]).valid, Valid::False);
    let open = session::check_only(&history("0 invoke cas x [1,2]"), &["monotonic-reads"]);
    assert_eq!(open.valid, Valid::Unknown);
    expect(session::check, Valid::Unknown, &[], "0 invoke write x 1\n0 ok write x 2");
}

#[test]
fn a_crashed_write_counts_once_it_was_read() {
    let crashed = "0 invoke write x 1\n0 info write x 1\n";
    expect(session::check, Valid::True, &[], &format!("{crashed}{}", sessions(&[(1, "r x 1")])));
    let back = sessions(&[(1, "r x 1"), (1, "r x null")]);
    expect(session::check, Valid::False, &["monotonic-reads"], &format!("{crashed}{back}"));
}
