//! The smallest failing history: it still fails, is no larger, and says where it came from.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "linearizable_support/mod.rs"]
mod linearizable_support;

use linearizable_support::rng;
use quorate_checkers::history::{History, jsonl};
use quorate_checkers::linearizable::{ModelKind, Options, check, minimize};
use quorate_checkers::verdict::Valid;
use rand::RngExt;
use std::fmt::Write;

fn valid(history: &History) -> Valid {
    check(history, ModelKind::Register, &Options::default()).valid
}

fn read(text: &str) -> History {
    jsonl::read(text.as_bytes(), "test").unwrap()
}

fn smallest(history: &History) -> Option<History> {
    minimize(history, ModelKind::Register, &Options::default())
}

fn event(text: &mut String, process: usize, kind: &str, f: &str, value: &str) {
    let line =
        format!(r#"{{"time":0,"process":{process},"type":"{kind}","f":"{f}","value":{value}}}"#);
    writeln!(text, "{line}").unwrap();
}

/// Random operations of three processes; reads return any value written so far.
fn random(seed: u64) -> History {
    let mut rng = rng(seed);
    let (mut text, mut open, mut written) = (String::new(), [None; 3], 0);
    for _ in 0..rng.random_range(4..30) {
        let process = rng.random_range(0..3);
        match open[process].take() {
            Some(Some(value)) => event(&mut text, process, "ok", "write", &format!("{value}")),
            Some(None) => {
                let value = rng.random_range(0..=written);
                let result = if value == 0 { "null".into() } else { value.to_string() };
                event(&mut text, process, "ok", "read", &result);
            }
            None if rng.random_bool(0.5) => {
                written += 1;
                open[process] = Some(Some(written));
                event(&mut text, process, "invoke", "write", &written.to_string());
            }
            None => {
                open[process] = Some(None);
                event(&mut text, process, "invoke", "read", "null");
            }
        }
    }
    read(&text)
}

#[test]
fn what_is_left_still_fails_and_what_is_right_stays_whole() {
    let (mut failing, mut smaller) = (0, 0);
    for seed in 0..400 {
        let history = random(seed);
        match smallest(&history) {
            None => assert_eq!(valid(&history), Valid::True, "seed {seed}"),
            Some(small) => {
                failing += 1;
                assert_eq!(valid(&small), Valid::False, "seed {seed}");
                assert!(small.events().len() <= history.events().len(), "seed {seed}");
                smaller += usize::from(small.events().len() < history.events().len());
                for event in small.events() {
                    let extra = event.extra.as_deref().unwrap_or_default();
                    let origin = extra.iter().find(|(name, _)| name.as_str() == "original-index");
                    let index = origin.and_then(|(_, value)| value.as_int()).unwrap();
                    let source = &history.events()[usize::try_from(index).unwrap()];
                    assert_eq!((&source.f, &source.value), (&event.f, &event.value));
                }
            }
        }
    }
    assert!(failing > 100 && smaller > 50, "{failing} failed, {smaller} became smaller");
}

#[test]
fn one_stale_read_in_a_long_history_is_all_that_is_left() {
    let mut text = String::new();
    for value in 1..=200 {
        event(&mut text, 0, "invoke", "write", &value.to_string());
        event(&mut text, 0, "ok", "write", &value.to_string());
        let seen = if value == 150 { 140 } else { value };
        event(&mut text, 1, "invoke", "read", "null");
        event(&mut text, 1, "ok", "read", &seen.to_string());
    }
    let small = smallest(&read(&text)).unwrap();
    assert_eq!(valid(&small), Valid::False);
    assert!(small.events().len() <= 6, "{} events are left", small.events().len());
}
