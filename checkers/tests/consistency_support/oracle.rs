//! The models by their definitions: all orders of small histories.

use super::Op;
use quorate_checkers::consistency::Model;
use quorate_checkers::history::EventType;

/// Whether the operations keep a model, with any of those in doubt.
pub(crate) fn holds(ops: &[Op], model: Model) -> bool {
    let doubtful: Vec<usize> =
        (0..ops.len()).filter(|at| ops[*at].outcome == EventType::Info).collect();
    (0..1_u32 << doubtful.len()).any(|mask| {
        let taken = |at: &usize| match ops[*at].outcome {
            EventType::Ok => true,
            EventType::Info => {
                let place = doubtful.iter().position(|other| other == at);
                // What a read in doubt saw is not known.
                ops[*at].write.is_some() && place.is_some_and(|bit| mask >> bit & 1 == 1)
            }
            _ => false,
        };
        let chosen: Vec<Op> = (0..ops.len()).filter(taken).map(|at| ops[at]).collect();
        of_chosen(&chosen, model)
    })
}

fn of_chosen(ops: &[Op], model: Model) -> bool {
    let process = |a: usize, b: usize| a < b && ops[a].process == ops[b].process;
    match model {
        Model::Sequential => {
            let all: Vec<usize> = (0..ops.len()).collect();
            explained(ops, &all, &process, &|_| true)
        }
        Model::Pram => (0..ops.len()).map(|at| ops[at].process).all(|who| {
            let own = |at: usize| ops[at].process == who;
            let seen = |at: &usize| own(*at) || ops[*at].write.is_some();
            let seen: Vec<usize> = (0..ops.len()).filter(seen).collect();
            explained(ops, &seen, &process, &own)
        }),
        Model::Causal | Model::CausalMemory => causal_order(ops).is_some_and(|before| {
            (0..ops.len()).all(|last| {
                let past: Vec<usize> =
                    (0..ops.len()).filter(|at| *at == last || before[*at][last]).collect();
                let counts =
                    |at: usize| at == last || model == Model::CausalMemory && process(at, last);
                explained(ops, &past, &|a, b| before[a][b], &counts)
            })
        }),
        Model::CausalConvergence => {
            causal_order(ops).is_some_and(|before| arbitrated(ops, &before, &mut Vec::new()))
        }
        Model::Linearizable => {
            let all: Vec<usize> = (0..ops.len()).collect();
            let earlier = |a: usize, b: usize| {
                process(a, b) || ops[a].outcome == EventType::Ok && ops[a].end < ops[b].begin
            };
            explained(ops, &all, &earlier, &|_| true)
        }
    }
}

/// Whether some order of `set` keeps `before` and explains the reads that count.
fn explained(
    ops: &[Op],
    set: &[usize],
    before: &dyn Fn(usize, usize) -> bool,
    counts: &dyn Fn(usize) -> bool,
) -> bool {
    fn go(
        ops: &[Op],
        left: &mut Vec<usize>,
        state: &[i64; 4],
        before: &dyn Fn(usize, usize) -> bool,
        counts: &dyn Fn(usize) -> bool,
    ) -> bool {
        (0..left.len()).any(|place| {
            let at = left[place];
            if left.iter().any(|other| *other != at && before(*other, at)) {
                return false;
            }
            let (key, mut state) = (ops[at].key as usize, *state);
            if counts(at) && ops[at].read.is_some_and(|seen| seen != state[key]) {
                return false;
            }
            if let Some(new) = ops[at].write {
                state[key] = new;
            }
            left.remove(place);
            let found = left.is_empty() || go(ops, left, &state, before, counts);
            left.insert(place, at);
            found
        })
    }
    set.is_empty() || go(ops, &mut set.to_vec(), &[0; 4], before, counts)
}

/// The causal order, if it is one and all that was read was written.
fn causal_order(ops: &[Op]) -> Option<Vec<Vec<bool>>> {
    let count = ops.len();
    let mut before = vec![vec![false; count]; count];
    for b in 0..count {
        for a in 0..b {
            before[a][b] = ops[a].process == ops[b].process;
        }
        if let Some(seen) = ops[b].read.filter(|seen| *seen != 0) {
            let wrote = |at: &usize| ops[*at].key == ops[b].key && ops[*at].write == Some(seen);
            before[(0..count).find(wrote)?][b] = true;
        }
    }
    close(&mut before);
    (0..count).all(|at| !before[at][at]).then_some(before)
}

/// Adds all that follows.
pub(crate) fn close(before: &mut [Vec<bool>]) {
    for middle in 0..before.len() {
        for a in 0..before.len() {
            for b in 0..before.len() {
                before[a][b] |= before[a][middle] && before[middle][b];
            }
        }
    }
}

/// Whether some order that keeps the causal one makes each read see the latest write in its past.
fn arbitrated(ops: &[Op], before: &[Vec<bool>], order: &mut Vec<usize>) -> bool {
    if order.len() == ops.len() {
        return (0..ops.len()).all(|reader| {
            let seen = |at: &&usize| {
                before[**at][reader]
                    && ops[**at].key == ops[reader].key
                    && ops[**at].write.is_some()
            };
            let latest = order.iter().rev().find(seen).and_then(|at| ops[*at].write);
            ops[reader].read.is_none_or(|read| read == latest.unwrap_or(0))
        });
    }
    (0..ops.len()).any(|next| {
        let ready = (0..ops.len()).all(|at| !before[at][next] || order.contains(&at));
        if order.contains(&next) || !ready {
            return false;
        }
        order.push(next);
        let found = arbitrated(ops, before, order);
        order.pop();
        found
    })
}
