//! Sets and counters by their definitions, element by element and subset by subset.

use super::story::Sequence;
use quorate_checkers::history::{EventType, History};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use quorate_checkers::{convergence, counter, set_full};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

const NODES: [&str; 3] = ["n1", "n2", "n3"];

/// What an oracle says of one element.
fn fate(history: &History, element: i64, heal: usize) -> &'static str {
    let ops: Vec<_> = history.ops().collect();
    let of = |f: &'static str| {
        ops.iter().filter(move |op| op.f().as_str() == f && op.input().as_int() == Some(element))
    };
    let contains = |value: &Value| value.as_list().unwrap().contains(&Value::Int(element));
    let reads: Vec<_> = ops.iter().filter(|op| op.f().as_str() == "read").collect();
    let seen = reads.iter().find(|read| contains(read.output().unwrap()));
    let add = of("add").find(|op| op.outcome != EventType::Fail);
    let Some(add) = add else { return if seen.is_some() { "unexpected" } else { "refused" } };
    if seen.is_some_and(|read| read.complete.unwrap().index < add.invoke.index) {
        return "unexpected";
    }
    let acknowledged = add.outcome == EventType::Ok;
    if !acknowledged && seen.is_none() {
        return "never-read";
    }
    let removed = of("remove").any(|op| op.outcome == EventType::Ok);
    let doubtful = of("remove").any(|op| op.outcome == EventType::Info);
    let mut told = BTreeSet::new();
    for node in NODES {
        let last = reads.iter().rfind(|read| {
            read.invoke.node.as_deref() == Some(node) && read.invoke.index.0 as usize > heal
        });
        told.extend(last.map(|read| contains(read.output().unwrap())));
    }
    match (removed, told.contains(&true), told.contains(&false)) {
        (_, false, false) => "never-read",
        (true, true, _) => "resurrected",
        (true, false, _) => "removed",
        (false, true, true) => "missing",
        (false, false, _) if doubtful => "unjudged",
        (false, false, _) => "lost",
        (false, true, false) if acknowledged => "stable",
        (false, true, false) => "recovered",
    }
}

fn outcome(rng: &mut ChaCha8Rng) -> EventType {
    [EventType::Ok, EventType::Ok, EventType::Ok, EventType::Info, EventType::Fail]
        [rng.random_range(0..5)]
}

#[test]
fn sets_agree_with_their_definition() {
    let mut met = BTreeSet::new();
    for seed in 0..3_000 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut story = Sequence::default();
        let mut process = 0;
        let elements = rng.random_range(1..=3_i64);
        let read = |rng: &mut ChaCha8Rng, story: &mut Sequence, process| {
            let list: Vec<Value> =
                (1..=elements).filter(|_| rng.random_bool(0.6)).map(Value::Int).collect();
            let node = NODES[rng.random_range(0..3)];
            story.op(process, ("read", "s"), Value::Null, EventType::Ok, Value::list(list), node);
        };
        for element in 1..=elements {
            for f in ["add", "remove"] {
                process += 1;
                if f == "add" || rng.random_bool(0.3) {
                    let (value, outcome) = (Value::Int(element), outcome(rng));
                    story.op(process, (f, "s"), value.clone(), outcome, value, "n1");
                }
                if rng.random_bool(0.2) {
                    read(rng, &mut story, 1_000 + process);
                }
            }
        }
        story.heal();
        for _ in 0..rng.random_range(0..4) {
            read(rng, &mut story, 0);
        }
        let history = story.history();
        let heal = history.nemesis().next().unwrap().index.0 as usize;
        let report = set_full::check(&history);
        let mut expected = std::collections::BTreeMap::new();
        for element in 1..=elements {
            let fate = fate(&history, element, heal);
            met.insert(fate);
            *expected.entry(fate).or_insert(0) += 1;
        }
        for (fate, count) in &expected {
            assert_eq!(report.details[*fate], *count, "seed {seed}: {fate} {expected:?}");
        }
        let bad = ["missing", "lost", "resurrected", "unexpected"];
        let invalid = bad.iter().any(|fate| expected.contains_key(fate));
        assert_eq!(report.valid == Valid::False, invalid, "seed {seed}: {expected:?}");
    }
    assert_eq!(met.len(), 10, "{met:?}");
}

#[test]
fn counters_agree_with_all_subsets() {
    let mut verdicts = [0, 0];
    for seed in 0..3_000 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut story = Sequence::default();
        let (mut certain, mut crashed, mut begun) = (0, Vec::new(), Vec::new());
        let mut bounded = true;
        for process in 0..rng.random_range(1..=6) {
            let (by, outcome) = (rng.random_range(-4..=4_i64), outcome(rng));
            story.op(process, ("add", "c"), Value::Int(by), outcome, Value::Int(by), "n1");
            match outcome {
                EventType::Ok => certain += by,
                EventType::Info => crashed.push(by),
                _ => {}
            }
            if outcome != EventType::Fail {
                begun.push(by);
            }
            if rng.random_bool(0.2) {
                let read = rng.random_range(-5..=5);
                story.op(99, ("read", "c"), Value::Null, EventType::Ok, Value::Int(read), "n2");
                let low: i64 = begun.iter().filter(|by| **by < 0).sum();
                let high: i64 = begun.iter().filter(|by| **by > 0).sum();
                bounded &= (low..=high).contains(&read);
            }
        }
        story.heal();
        let last = certain + rng.random_range(-4..=4);
        story.op(99, ("read", "c"), Value::Null, EventType::Ok, Value::Int(last), "n2");
        let subset = |mask: u32| -> i64 {
            let taken = crashed.iter().enumerate().filter(|(n, _)| mask >> n & 1 == 1);
            taken.map(|(_, by)| *by).sum()
        };
        let low: i64 = begun.iter().filter(|by| **by < 0).sum();
        let high: i64 = begun.iter().filter(|by| **by > 0).sum();
        bounded &= (low..=high).contains(&last);
        let exact = (0..1 << crashed.len()).any(|mask| certain + subset(mask) == last);
        let valid = if bounded && exact { Valid::True } else { Valid::False };
        verdicts[usize::from(valid == Valid::True)] += 1;
        let report = counter::check(&story.history());
        assert_eq!(report.valid, valid, "seed {seed}: {:?}", report.why);
    }
    assert!(verdicts.iter().all(|count| *count > 300), "{verdicts:?}");
}

#[test]
fn convergence_agrees_with_the_last_reads() {
    let mut verdicts = [0, 0];
    for seed in 0..2_000 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let mut story = Sequence::default();
        story.heal();
        let mut last = std::collections::BTreeMap::new();
        let mut reads = Vec::new();
        for at in 0..rng.random_range(1..=8) {
            let (node, value) = (NODES[rng.random_range(0..3)], rng.random_range(1..=2));
            story.op(0, ("read", "k"), Value::Null, EventType::Ok, Value::Int(value), node);
            last.insert(node, value);
            reads.push((f64::from(2 * at + 2), value));
        }
        let agreed: BTreeSet<i64> = last.values().copied().collect();
        let report = convergence::check(&story.history());
        assert_eq!(report.valid == Valid::True, agreed.len() == 1, "seed {seed}");
        verdicts[usize::from(agreed.len() == 1)] += 1;
        if agreed.len() == 1 {
            let other = reads.iter().rfind(|(_, value)| !agreed.contains(value));
            let expected = other.map_or(0.0, |(time, _)| *time);
            assert_eq!(report.details["convergence_ms"]["max"], expected, "seed {seed}");
        }
    }
    assert!(verdicts.iter().all(|count| *count > 300), "{verdicts:?}");
}
