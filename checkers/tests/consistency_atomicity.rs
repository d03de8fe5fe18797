//! The least k against all orders of small histories.

mod consistency_support;

use consistency_support::{Op, Shape, draw, record, rng, show};
use quorate_checkers::consistency::{Versions, atomicity};
use quorate_checkers::history::EventType;

/// The least k; `None` if none suffices.
fn least(ops: &[Op]) -> Option<u32> {
    let most = ops.iter().filter(|op| op.write.is_some()).count() as u32 + 1;
    (1..=most).find(|k| fits(ops, *k))
}

fn fits(ops: &[Op], k: u32) -> bool {
    let doubtful: Vec<usize> =
        (0..ops.len()).filter(|at| ops[*at].outcome == EventType::Info).collect();
    (0..1_u32 << doubtful.len()).any(|mask| {
        let taken = |at: &usize| match ops[*at].outcome {
            EventType::Ok => true,
            EventType::Info => {
                let place = doubtful.iter().position(|other| other == at);
                ops[*at].write.is_some() && place.is_some_and(|bit| mask >> bit & 1 == 1)
            }
            _ => false,
        };
        let mut left: Vec<Op> = (0..ops.len()).filter(taken).map(|at| ops[at]).collect();
        left.is_empty() || go(&mut left, &mut vec![0], k as usize)
    })
}

fn go(left: &mut Vec<Op>, written: &mut Vec<i64>, k: usize) -> bool {
    (0..left.len()).any(|place| {
        let op = left[place];
        let waits = |other: &Op| {
            other.begin != op.begin
                && (other.outcome == EventType::Ok && other.end < op.begin
                    || other.process == op.process && other.begin < op.begin)
        };
        let latest = &written[written.len().saturating_sub(k)..];
        if left.iter().any(waits) || op.read.is_some_and(|seen| !latest.contains(&seen)) {
            return false;
        }
        left.remove(place);
        written.extend(op.write);
        let found = left.is_empty() || go(left, written, k);
        if op.write.is_some() {
            written.pop();
        }
        left.insert(place, op);
        found
    })
}

#[test]
fn the_least_k_is_the_least() {
    let mut seen = [0_u32; 5];
    for round in 0..6_000 {
        let shape = Shape {
            ops: 8,
            processes: 1 + round % 4,
            keys: 1,
            doubtful: [0, 6][(round % 2) as usize],
            cas: [0, 6][(round / 2 % 2) as usize],
            wild: 1 + (round % 3) as u32,
        };
        let ops = draw(&mut rng(round), &shape);
        let found = atomicity(&record(&ops), 1_000_000).worst();
        if let Some(k) = least(&ops) {
            assert_eq!(found, Versions::Exactly(k), "round {round}{}", show(&ops));
            seen[(k as usize).min(4)] += 1;
        } else {
            assert_eq!(found, Versions::Never, "round {round}{}", show(&ops));
            seen[0] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
}

#[test]
fn past_the_budget_the_bounds_are_told() {
    let mut between = 0;
    for round in 0..2_000 {
        let shape = Shape { ops: 8, processes: 4, keys: 1, doubtful: 0, cas: 0, wild: 1 };
        let ops = draw(&mut rng(round), &shape);
        if let Versions::Between(low, high) = atomicity(&record(&ops), 1).worst() {
            let least = least(&ops).unwrap_or(u32::MAX);
            assert!(low < high && low <= least && least <= high, "{low} {high}{}", show(&ops));
            between += 1;
        }
    }
    assert!(between > 10, "{between}");
}
