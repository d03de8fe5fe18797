//! The weaker models against their definitions on small random histories, and against each other.

mod consistency_support;

use consistency_support::{Op, Shape, draw, oracle, record, rng, show};
use quorate_checkers::consistency::{Judge, Judgement, Model, Options};
use quorate_checkers::session;
use quorate_checkers::verdict::Valid;
use std::collections::{BTreeMap, BTreeSet};

/// Each model by itself, without what follows from another one.
fn judge(ops: &[Op], model: Model) -> Judgement {
    let options = Options { threads: 1, ..Options::default() };
    Judge::new(&record(ops), options).all(&[model]).remove(0)
}

fn shape(round: u64) -> Shape {
    Shape {
        ops: 7,
        processes: 1 + round % 3,
        keys: 1 + (round / 3 % 3) as i64,
        doubtful: [0, 0, 5][(round % 3) as usize],
        cas: [0, 6][(round / 2 % 2) as usize],
        wild: 2 + (round % 4) as u32,
    }
}

#[test]
fn the_definitions_agree_on_small_histories() {
    let rounds = if std::env::var_os("QUORATE_NIGHTLY").is_some() { 200_000 } else { 8_000 };
    let mut seen = [[0_u32; 2]; 6];
    for round in 0..rounds {
        let ops = draw(&mut rng(round), &shape(round));
        for model in Model::ALL {
            let found = judge(&ops, model);
            let expected = oracle::holds(&ops, model);
            let valid = if expected { Valid::True } else { Valid::False };
            assert_eq!(found.valid, valid, "round {round}, {model}: {found:?}{}", show(&ops));
            seen[model as usize][usize::from(expected)] += 1;
        }
    }
    assert!(seen.iter().flatten().all(|count| *count > 1_000), "{seen:?}");
}

/// The operations that an anomaly names.
fn named(ops: &[Op], judgement: &Judgement) -> Vec<Op> {
    let history = record(ops);
    let events = judgement.anomaly.iter().flat_map(|anomaly| &anomaly.ops);
    let mut begins: Vec<u64> =
        events.filter_map(|index| history.op_at(*index)).map(|op| op.invoke.time.0).collect();
    begins.sort_unstable();
    begins.dedup();
    let is_named = |op: &&Op| begins.binary_search(&op.begin).is_ok();
    let mut part: Vec<Op> = ops.iter().filter(is_named).copied().collect();
    for at in 0..part.len() {
        // Of a compare-and-set only the write may count.
        if part[at].write.is_some() && !is_written(&part, &part[at]) {
            part[at].read = None;
        }
    }
    part
}

/// Whether what an operation reads is written by another one, or initial.
fn is_written(ops: &[Op], reader: &Op) -> bool {
    let wrote = |op: &Op| op.key == reader.key && op.write == reader.read;
    reader.read.is_none_or(|seen| seen == 0) || ops.iter().any(wrote)
}

/// Without an operation, and without those whose write is gone.
fn without(ops: &[Op], gone: &Op) -> Vec<Op> {
    let mut left: Vec<Op> = ops.iter().filter(|op| op.begin != gone.begin).copied().collect();
    loop {
        let kept: Vec<Op> = left.iter().filter(|op| is_written(&left, op)).copied().collect();
        if kept.len() == left.len() {
            return left;
        }
        left = kept;
    }
}

#[test]
fn evidence_breaks_the_model_by_itself_and_nothing_in_it_is_idle() {
    let mut sizes = [0_u32; 8];
    for round in 0..3_000 {
        // A compare-and-set in the evidence may be wrong in two ways of which one is told.
        let plain = round % 2 == 0;
        let cas = if plain { 0 } else { shape(round).cas };
        let ops = draw(&mut rng(round), &Shape { processes: 3, doubtful: 0, cas, ..shape(round) });
        for model in [Model::CausalMemory, Model::CausalConvergence, Model::Causal, Model::Pram] {
            let found = judge(&ops, model);
            let told =
                found.anomaly.as_ref().is_some_and(|anomaly| anomaly.checker == "consistency");
            if found.valid != Valid::False || !told {
                continue;
            }
            let part = named(&ops, &found);
            assert!(!oracle::holds(&part, model), "{model}: {found:?}{}", show(&ops));
            for op in part.iter().filter(|_| plain) {
                let fewer = without(&part, op);
                assert!(oracle::holds(&fewer, model), "{model}: {found:?}{}", show(&part));
            }
            let why = found.why.unwrap_or_default();
            assert!(why.contains("A: process "), "{model}: {why}{}", show(&part));
            sizes[part.len()] += 1;
        }
    }
    assert!(sizes[2..=4].iter().all(|count| *count > 50) && sizes[5] > 0, "{sizes:?}");
}

/// All that is said of a history of registers, by name: each model and guarantee by itself.
fn verdicts(ops: &[Op]) -> BTreeMap<String, Valid> {
    let models = Model::ALL.map(|model| (model.name().to_owned(), judge(ops, model).valid));
    models.into_iter().chain(session::check(&record(ops)).models).collect()
}

/// Which model is next weaker than which, session guarantees included.
fn edges() -> Vec<(&'static str, &'static str)> {
    let mut edges = Vec::new();
    for strong in Model::ALL {
        edges.extend(strong.weaker().iter().map(|weak| (strong.name(), weak.name())));
    }
    edges.push((Model::CausalConvergence.name(), session::ALL_FOUR));
    let guarantees =
        ["read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"];
    edges.extend(guarantees.map(|weak| (session::ALL_FOUR, weak)));
    edges
}

#[test]
fn what_a_model_implies_holds_wherever_it_does() {
    let edges = edges();
    // By edge: both hold, only the weaker one does, none does.
    let mut met = vec![[0_u32; 3]; edges.len()];
    for round in 0..3_000 {
        let size = [8, 12, 25][(round % 3) as usize];
        let shape = Shape { ops: size, doubtful: 15, cas: 0, wild: 40, ..shape(round) };
        let ops = draw(&mut rng(round), &shape);
        let verdicts = verdicts(&ops);
        for ((strong, weak), met) in edges.iter().zip(&mut met) {
            // What nobody wrote leaves the guarantees undecided, and breaks all models.
            let holds = [*strong, *weak].map(|name| verdicts.get(name) == Some(&Valid::True));
            assert!(!holds[0] || holds[1], "round {round}: {strong} but not {weak}{}", show(&ops));
            met[2 - usize::from(holds[0]) - usize::from(holds[1])] += 1;
        }
    }
    for (edge, met) in edges.iter().zip(met) {
        assert!(met.iter().all(|count| *count > 0), "{edge:?}: {met:?}");
    }
}

/// By their definitions, on histories without doubt: keys whose demanded orders lie on circles,
/// reads of what is overwritten in their past. Of circles of the causal order itself: what is
/// read on them.
fn counted(ops: &[Op], model: Model) -> usize {
    let count = ops.len();
    let initial = count;
    let mut causal = vec![vec![false; count + 1]; count + 1];
    let source = |reader: usize| -> Option<usize> {
        let seen = ops[reader].read?;
        let wrote = |at: &usize| ops[*at].key == ops[reader].key && ops[*at].write == Some(seen);
        if seen == 0 { Some(initial) } else { (0..count).find(wrote) }
    };
    for b in 0..count {
        causal[initial][b] = true;
        for a in 0..b {
            causal[a][b] = ops[a].process == ops[b].process;
        }
        if let Some(writer) = source(b) {
            causal[writer][b] = true;
        }
    }
    oracle::close(&mut causal);
    let readers = 0..count;
    let circular = readers.clone().filter(|r| source(*r).is_some_and(|w| causal[*r][w]));
    let circular: Vec<usize> = circular.collect();
    if !circular.is_empty() {
        return match model {
            Model::Causal => circular.len(),
            _ => circular.iter().map(|r| ops[*r].key).collect::<BTreeSet<_>>().len(),
        };
    }
    let mut demands = Vec::new();
    for reader in readers {
        let Some(seen) = source(reader) else { continue };
        let others = (0..count).filter(|w| ops[*w].write.is_some() && *w != seen);
        let visible = others.filter(|w| ops[*w].key == ops[reader].key && causal[*w][reader]);
        demands.extend(visible.map(|other| (other, seen, reader)));
    }
    if model == Model::Causal {
        let broken = demands.iter().filter(|(from, to, _)| causal[*to][*from]);
        return broken.map(|(.., reader)| *reader).collect::<BTreeSet<_>>().len();
    }
    let mut before = causal.clone();
    for (from, to, _) in &demands {
        before[*from][*to] = true;
    }
    oracle::close(&mut before);
    let circling = demands.iter().filter(|(from, to, _)| before[*to][*from] && !causal[*from][*to]);
    circling.map(|(from, ..)| ops[*from].key).collect::<BTreeSet<_>>().len()
}

#[test]
fn violations_are_counted_as_they_are_defined() {
    let mut sizes = [[0_u32; 8]; 2];
    for round in 0..6_000 {
        let shape = Shape { ops: 12, processes: 3, keys: 3, doubtful: 0, ..shape(round) };
        let ops = draw(&mut rng(round), &shape);
        for (at, model) in [Model::Causal, Model::CausalConvergence].into_iter().enumerate() {
            let found = judge(&ops, model);
            let told = found.anomaly.as_ref().is_some_and(|a| a.checker == "consistency");
            if found.valid == Valid::False && told {
                let expected = counted(&ops, model);
                assert_eq!(found.violations, expected as u64, "{model}: {}", show(&ops));
                sizes[at][expected] += 1;
            }
        }
    }
    assert!(sizes.iter().all(|sizes| sizes[1..=3].iter().all(|count| *count > 10)), "{sizes:?}");
}

#[test]
fn sequential_consistency_is_broken_by_as_many_keys_as_parts_without_an_order_have() {
    let crossed = |x: i64, y: i64, process: u64| {
        // Each writes one key and then sees that the other was not written.
        let own = process + 1;
        [
            (process, false, x, 10 * x + 1),
            (process, true, y, 0),
            (own, false, y, 10 * y + 2),
            (own, true, x, 0),
        ]
    };
    let one = written(&crossed(0, 1, 0));
    let two = written(&[crossed(0, 1, 0), crossed(2, 3, 2)].concat());
    // Of parts that share a key one is counted.
    let shared = written(&[crossed(0, 1, 0), crossed(1, 2, 2)].concat());
    for (ops, keys) in [(one, 2), (two, 4), (shared, 2)] {
        let found = judge(&ops, Model::Sequential);
        assert_eq!((found.valid, found.violations), (Valid::False, keys), "{found:?}");
        assert_eq!(found.model.unit(), "key");
    }
}

/// `(process, read, key, value)`; one after the other, so that only processes order them.
fn written(steps: &[(u64, bool, i64, i64)]) -> Vec<Op> {
    steps
        .iter()
        .enumerate()
        .map(|(at, (process, reads, key, value))| Op {
            process: *process,
            key: *key,
            read: reads.then_some(*value),
            write: (!reads).then_some(*value),
            outcome: quorate_checkers::history::EventType::Ok,
            begin: 10 * at as u64,
            end: 10 * at as u64 + 5,
        })
        .collect()
}

/// The histories by which figure 3 of the paper tells the models apart.
#[test]
fn the_models_differ_where_the_paper_says() {
    use Model::{Causal, CausalConvergence, CausalMemory, Pram, Sequential};

    const W: bool = false;
    const R: bool = true;
    const X: i64 = 0;
    const Y: i64 = 1;
    const Z: i64 = 2;
    let cases: [(&str, Vec<Op>, &[Model]); 5] = [
        (
            "memory, no convergence",
            written(&[(0, W, X, 1), (1, W, X, 2), (0, R, X, 2), (1, R, X, 1)]),
            &[CausalMemory, Causal, Pram],
        ),
        (
            "convergence, no memory",
            written(&[
                (0, W, Z, 1),
                (0, W, X, 2),
                (0, W, Y, 3),
                (1, W, X, 4),
                (1, R, Z, 0),
                (1, R, Y, 3),
                (1, R, X, 4),
            ]),
            &[CausalConvergence, Causal],
        ),
        (
            "causal, and no more",
            written(&[(0, W, X, 1), (1, W, X, 2), (1, R, X, 1), (1, R, X, 2)]),
            &[Causal],
        ),
        (
            "all but sequential",
            written(&[(0, W, X, 1), (0, R, Y, 0), (1, W, Y, 2), (1, R, X, 0)]),
            &[CausalMemory, CausalConvergence, Causal, Pram],
        ),
        (
            "PRAM, not causal",
            written(&[
                (0, W, X, 1),
                (0, W, X, 2),
                (1, R, X, 2),
                (1, W, Y, 3),
                (2, R, Y, 3),
                (2, R, X, 1),
            ]),
            &[Pram],
        ),
    ];
    for (name, ops, holding) in cases {
        for model in [Sequential, CausalMemory, CausalConvergence, Causal, Pram] {
            let expected = if holding.contains(&model) { Valid::True } else { Valid::False };
            let found = judge(&ops, model);
            assert_eq!(found.valid, expected, "{name}, {model}: {found:?}");
        }
    }
}
