//! The smallest part of a history that still fails, whatever failing means.
//!
//! Operations are left out, half of them at first and then ever fewer at a time, as long as what is
//! left still fails (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
//! 2002). Linearizability has a way of its own, which knows what may be left out together:
//! [`linearizable::minimize`](crate::linearizable::minimize).

use crate::history::{Event, History, OpIndex};
use crate::linearizable::original;

/// How often it is asked at most whether a part fails.
const ASKED_MAX: usize = 2000;

/// A part of `history` that `fails`, from which no operation can be left out, as far as it may be
/// asked; the whole if no part does. What evidence names, by its events, is tried first. Events
/// carry their index in `history` as the field `original-index`.
pub fn minimal(
    history: &History,
    evidence: &[OpIndex],
    mut fails: impl FnMut(&History) -> bool,
) -> History {
    let marked = original(history);
    let mut asked = 0;
    let mut part_fails = |positions: &[usize]| {
        asked += 1;
        let part = part(&marked, positions).filter(|_| asked <= ASKED_MAX)?;
        fails(&part).then_some(part)
    };
    let mut kept: Vec<usize> = (0..marked.operations().len()).collect();
    let mut named: Vec<usize> =
        evidence.iter().filter_map(|index| Some(history.op_at(*index)?.position)).collect();
    named.sort_unstable();
    named.dedup();
    let mut best = part_fails(&named);
    if best.is_some() {
        kept = named;
    }
    let mut size = kept.len().div_ceil(2);
    while size > 0 {
        let mut smaller = false;
        let mut from = 0;
        while from < kept.len() {
            let rest: Vec<usize> = kept
                .iter()
                .enumerate()
                .filter(|(at, _)| !(from..from + size).contains(at))
                .map(|(_, op)| *op)
                .collect();
            match part_fails(&rest) {
                Some(part) => {
                    (best, kept, smaller) = (Some(part), rest, true);
                }
                None => from += size,
            }
        }
        size = match size {
            1 if smaller => 1,
            1 => 0,
            _ => size.div_ceil(2),
        };
    }
    best.unwrap_or(marked)
}

/// Some operations of a history, by their positions, as a history; what else happened is left out.
fn part(history: &History, positions: &[usize]) -> Option<History> {
    let mut events: Vec<Event> = positions
        .iter()
        .map(|position| history.op(*position))
        .flat_map(|op| [Some(op.invoke), op.complete])
        .flatten()
        .cloned()
        .collect();
    events.sort_unstable_by_key(|event| event.index);
    for (at, event) in events.iter_mut().enumerate() {
        event.index = OpIndex(at as u32);
    }
    History::from_events(events).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::jsonl;

    #[test]
    fn what_fails_together_is_kept_and_nothing_else() {
        let event = |n: u8, kind: &str| {
            format!(
                "{{\"time\":{n},\"process\":{n},\"type\":\"{kind}\",\"f\":\"write\",\"value\":{n}}}\n"
            )
        };
        let lines: Vec<String> =
            (0..40).flat_map(|n| [event(n, "invoke"), event(n, "ok")]).collect();
        let lines = lines.concat();
        let history = jsonl::read(lines.as_bytes(), "test").unwrap();
        let has =
            |part: &History, value: i64| part.ops().any(|op| op.input().as_int() == Some(value));
        for evidence in [vec![], vec![OpIndex(6), OpIndex(60)], vec![OpIndex(2)]] {
            let small = minimal(&history, &evidence, |part| has(part, 3) && has(part, 30));
            let values: Vec<_> = small.ops().map(|op| op.input().as_int()).collect();
            assert_eq!(values, [Some(3), Some(30)], "from {evidence:?}");
        }
        let whole = minimal(&history, &[], |_| false);
        assert_eq!(whole.operations().len(), 40);
    }
}
