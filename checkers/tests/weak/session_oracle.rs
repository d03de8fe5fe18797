//! The session guarantees by brute force: all orders of each key's writes are tried, and each
//! demand is checked as it is defined.

use super::story::Sequence;
use quorate_checkers::history::EventType;
use quorate_checkers::session;
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const KEYS: usize = 2;
const NAMES: [&str; KEYS] = ["x", "y"];
const GUARANTEES: [&str; 4] =
    ["read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"];

/// A step; version 0 is the initial value.
#[derive(Clone, Copy, Debug)]
struct Step {
    process: u64,
    key: usize,
    version: i64,
    writes: bool,
}

fn draw(rng: &mut ChaCha8Rng) -> Vec<Step> {
    let mut written = [0; KEYS];
    let processes = rng.random_range(1..=3);
    let mut steps: Vec<Step> = (0..rng.random_range(2..=9))
        .map(|_| {
            let (process, key) = (rng.random_range(0..processes), rng.random_range(0..KEYS));
            let writes = written[key] < 3 && rng.random_bool(0.45);
            if writes {
                written[key] += 1;
            }
            Step { process, key, version: written[key], writes }
        })
        .collect();
    for step in steps.iter_mut().filter(|step| !step.writes) {
        step.version = rng.random_range(0..=written[step.key]);
    }
    steps
}

fn permutations(of: i64) -> Vec<Vec<i64>> {
    if of == 0 {
        return vec![vec![]];
    }
    let shorter = permutations(of - 1);
    let insert = |at: usize, order: &Vec<i64>| {
        let mut order = order.clone();
        order.insert(at, of);
        order
    };
    shorter.iter().flat_map(|order| (0..=order.len()).map(move |at| insert(at, order))).collect()
}

/// Whether this order of a key's versions has what a guarantee demands.
fn holds(guarantee: usize, steps: &[Step], key: usize, order: &[i64]) -> bool {
    let place = |version: i64| order.iter().position(|v| *v == version).map_or(0, |at| at + 1);
    let here = |step: &Step| step.key == key;
    for (second, b) in steps.iter().enumerate().filter(|(_, step)| here(step)) {
        let before = |process| steps[..second].iter().filter(move |a| a.process == process);
        let no_older = |a: &Step| place(a.version) <= place(b.version);
        let own = || before(b.process).filter(|a| here(a));
        // But for monotonic reads, own writes are in their order.
        if guarantee != 1 && b.writes && !own().filter(|a| a.writes).all(no_older) {
            return false;
        }
        let last_read = |of: &mut dyn Iterator<Item = &Step>| {
            of.filter(|a| here(a) && !a.writes).last().copied()
        };
        let fine = match (guarantee, b.writes) {
            (0, false) => own().filter(|a| a.writes).all(no_older),
            (1, false) => own().filter(|a| !a.writes).all(no_older),
            (3, true) => last_read(&mut before(b.process)).is_none_or(|a| no_older(&a)),
            (2 | 3, false) => {
                // Of each session, the latest of its writes that was read before.
                let reads = before(b.process).filter(|read| !read.writes);
                let carriers = reads.filter_map(|read| {
                    let wrote =
                        |w: &Step| (w.writes, w.key, w.version) == (true, read.key, read.version);
                    steps.iter().position(wrote)
                });
                let mut latest = std::collections::BTreeMap::new();
                for carrier in carriers {
                    let known = latest.entry(steps[carrier].process).or_insert(carrier);
                    *known = carrier.max(*known);
                }
                latest.into_iter().all(|(writer, carrier)| {
                    let mut earlier = steps[..carrier].iter().filter(|a| a.process == writer);
                    if guarantee == 2 {
                        earlier.filter(|a| here(a) && a.writes).all(no_older)
                    } else {
                        last_read(&mut earlier).is_none_or(|a| no_older(&a))
                    }
                })
            }
            _ => true,
        };
        if !fine {
            return false;
        }
    }
    true
}

#[test]
fn the_checker_agrees_with_all_orders() {
    let mut broken = [0; 5];
    for seed in 0..6_000 {
        let steps = draw(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut story = Sequence::default();
        for step in &steps {
            let value = if step.version == 0 { Value::Null } else { Value::Int(step.version) };
            let name = NAMES[step.key];
            let (f, input) =
                if step.writes { ("write", value.clone()) } else { ("read", Value::Null) };
            story.op(step.process, (f, name), input, EventType::Ok, value, "n1");
        }
        let report = session::check(&story.history());
        let writes = |key: usize| steps.iter().filter(|s| s.writes && s.key == key).count() as i64;
        let possible = |fits: &dyn Fn(usize, &[i64]) -> bool| {
            (0..KEYS).all(|key| permutations(writes(key)).iter().any(|order| fits(key, order)))
        };
        for (guarantee, name) in GUARANTEES.into_iter().enumerate() {
            let expected = possible(&|key, order| holds(guarantee, &steps, key, order));
            let found = report.models[name] == Valid::True;
            assert_eq!(found, expected, "seed {seed}: {name} of {steps:?}\n{:?}", report.why);
            broken[guarantee] += u32::from(!expected);
        }
        let all = possible(&|key, order| (0..4).all(|g| holds(g, &steps, key, order)));
        assert_eq!(report.models[session::ALL_FOUR] == Valid::True, all, "seed {seed}: {steps:?}");
        broken[4] += u32::from(!all);
    }
    assert!(broken.iter().all(|count| *count > 100), "each is often put to the test: {broken:?}");
}
