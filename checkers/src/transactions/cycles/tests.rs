//! The search next to all simple cycles of small random graphs.

use super::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The kinds of all simple cycles, by trying all ways. Two edges for different reasons between
/// the same transactions are different cycles.
fn all_kinds(pairs: &[(u32, u32, Why)], count: u32) -> KindSet {
    fn extend(
        pairs: &[(u32, u32, Why)],
        first: u32,
        path: &mut Vec<(u32, Why)>,
        at: u32,
        kinds: &mut KindSet,
    ) {
        for (from, to, why) in pairs.iter().filter(|pair| pair.0 == at) {
            if *to == first {
                let whys: Vec<Why> = path.iter().map(|step| step.1).chain([*why]).collect();
                let mixed = whys.contains(&Why::Process) && whys.contains(&Why::Realtime);
                if !mixed {
                    *kinds = kinds.with(classify(&whys));
                }
            } else if *to > first && path.iter().all(|step| step.0 != *to) {
                path.push((*to, *why));
                extend(pairs, first, path, *to, kinds);
                path.pop();
            }
            debug_assert_eq!(*from, at);
        }
    }
    let mut kinds = KindSet::EMPTY;
    for first in 0..count {
        extend(pairs, first, &mut Vec::new(), first, &mut kinds);
    }
    kinds
}

#[test]
fn finds_what_all_ways_find() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut seen = KindSet::EMPTY;
    for _ in 0..4000 {
        let count = rng.random_range(2..7_u32);
        // One after the other in real time, some overlapping the next.
        let begin: Vec<u32> = (0..count).map(|at| 10 * at).collect();
        let end: Vec<u32> = begin.iter().map(|at| at + rng.random_range(5..25)).collect();
        let intervals = Intervals { begin, end };
        let predicates = rng.random::<bool>();
        let mut pairs: Vec<(u32, u32, Why)> = (0..rng.random_range(1..9))
            .map(|_| {
                let whys = [Why::Ww, Why::Wr, Why::Rw, Why::Rw, Why::Wrp, Why::Rwp];
                let why = whys[rng.random_range(0..if predicates { 6 } else { 4 })];
                (rng.random_range(0..count), rng.random_range(0..count), why)
            })
            .filter(|(from, to, _)| from != to)
            .collect();
        let edges: Vec<(u32, Arc)> =
            pairs.iter().map(|(from, to, why)| (*from, Arc::new(*to, *why))).collect();
        let timed = rng.random::<bool>();
        let levels = if timed { vec![Level::Plain, Level::Realtime] } else { vec![Level::Plain] };
        if timed {
            for a in 0..count {
                for b in (0..count).filter(|b| intervals.precedes(a, *b)) {
                    pairs.push((a, b, Why::Realtime));
                }
            }
        }
        let graph = Graph::new(count as usize, &edges);
        let found = search(&graph, &intervals, &levels, u64::MAX, &Stop::when(&|| false));
        let all = all_kinds(&pairs, count);
        let ours: KindSet = found.cycles.iter().map(|cycle| cycle.kind).collect();
        assert_eq!(ours.and(all), ours, "{pairs:?}: found what is not there");
        assert_eq!(all.closed(), ours.closed(), "{pairs:?}: {all:?} {ours:?}");
        for cycle in &found.cycles {
            for (at, why) in cycle.whys.iter().enumerate() {
                let next = cycle.txns[(at + 1) % cycle.txns.len()];
                assert!(pairs.contains(&(cycle.txns[at], next, *why)), "{cycle:?} in {pairs:?}");
            }
        }
        seen = seen.or(ours);
    }
    // All kinds at both levels but one or two: in so little time, reads that are not next to each
    // other always come with a single one.
    assert!(seen.iter().count() >= 13, "only {seen:?}");
}
