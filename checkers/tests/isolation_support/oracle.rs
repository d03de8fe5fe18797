//! Definitions tried out on small histories: all orders of transactions.

use super::random::{Op, Tx};
use quorate_checkers::transactions::Outcome;
use quorate_checkers::transactions::weak::Level;

/// Which sets of transactions may have committed: all that did, and any of the unknown.
fn choices(txns: &[Tx]) -> Vec<Vec<usize>> {
    let of = |outcome| (0..txns.len()).filter(move |at| txns[*at].outcome == outcome);
    let unknown: Vec<usize> = of(Outcome::Info).collect();
    (0..1_u32 << unknown.len())
        .map(|mask| {
            let taken = unknown.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
            let mut set: Vec<usize> = of(Outcome::Ok).chain(taken.map(|(_, at)| *at)).collect();
            set.sort_unstable();
            set
        })
        .collect()
}

fn known_reads(tx: &Tx) -> bool {
    tx.outcome == Outcome::Ok
}

/// Runs a transaction on a state; whether its reads agree.
fn run(tx: &Tx, state: &mut [i64]) -> bool {
    tx.ops.iter().all(|op| match op {
        Op { write: true, key, value } => {
            state[*key as usize] = *value;
            true
        }
        Op { key, value, .. } => !known_reads(tx) || state[*key as usize] == *value,
    })
}

fn keys(txns: &[Tx]) -> usize {
    txns.iter().flat_map(|tx| &tx.ops).map(|op| op.key as usize + 1).max().unwrap_or(0)
}

/// What an order must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Nothing,
    Sessions,
    RealTime,
}

/// Whether `a` must come before `b` whatever else.
fn before(txns: &[Tx], a: usize, b: usize, kept: Kept) -> bool {
    let known = |tx: &Tx| tx.outcome == Outcome::Ok;
    kept != Kept::Nothing && txns[a].session == txns[b].session && a < b
        || kept == Kept::RealTime && known(&txns[a]) && txns[a].end < txns[b].begin
}

/// Some serial order explains all reads.
pub(crate) fn serializable(txns: &[Tx], kept: Kept) -> bool {
    choices(txns).into_iter().any(|set| {
        let mut left = set;
        serial(txns, &mut left, &vec![0; keys(txns)], kept)
    })
}

fn serial(txns: &[Tx], left: &mut Vec<usize>, state: &[i64], kept: Kept) -> bool {
    if left.is_empty() {
        return true;
    }
    (0..left.len()).any(|position| {
        let next = left[position];
        if left.iter().any(|other| *other != next && before(txns, *other, next, kept)) {
            return false;
        }
        let mut state = state.to_vec();
        if !run(&txns[next], &mut state) {
            return false;
        }
        left.remove(position);
        let found = serial(txns, left, &state, kept);
        left.insert(position, next);
        found
    })
}

/// Some order of beginnings and commits explains all reads by snapshots, and no two transactions
/// that overlap write the same key.
pub(crate) fn snapshot_isolated(txns: &[Tx], kept: Kept) -> bool {
    choices(txns).into_iter().any(|set| {
        let steps =
            Snapshots { txns, kept, set, state: vec![0; keys(txns)], changed: vec![0; keys(txns)] };
        steps.go(&mut vec![Phase::Waiting; txns.len()], 1)
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Began(u32),
    Done,
}

#[derive(Clone)]
struct Snapshots<'a> {
    txns: &'a [Tx],
    kept: Kept,
    set: Vec<usize>,
    state: Vec<i64>,
    /// When each key was committed to last.
    changed: Vec<u32>,
}

impl Snapshots<'_> {
    fn go(&self, phases: &mut Vec<Phase>, now: u32) -> bool {
        if self.set.iter().all(|at| phases[*at] == Phase::Done) {
            return true;
        }
        self.set.iter().any(|at| {
            let tx = &self.txns[*at];
            let old = phases[*at];
            match old {
                Phase::Done => false,
                Phase::Waiting => {
                    let earlier = |other: &usize| {
                        before(self.txns, *other, *at, self.kept) && phases[*other] != Phase::Done
                    };
                    if self.set.iter().any(earlier) || !run(tx, &mut self.state.clone()) {
                        return false;
                    }
                    phases[*at] = Phase::Began(now);
                    let found = self.go(phases, now + 1);
                    phases[*at] = old;
                    found
                }
                Phase::Began(begin) => {
                    let mut after = self.clone();
                    for op in tx.ops.iter().filter(|op| op.write) {
                        if self.changed[op.key as usize] > begin {
                            return false;
                        }
                        after.state[op.key as usize] = op.value;
                        after.changed[op.key as usize] = now;
                    }
                    phases[*at] = Phase::Done;
                    let found = after.go(phases, now + 1);
                    phases[*at] = old;
                    found
                }
            }
        })
    }
}

/// Some commit order fulfils the axiom of a level. Values must be unique.
pub(crate) fn weak(txns: &[Tx], level: Level) -> bool {
    choices(txns).into_iter().any(|set| {
        let Some(sources) = sources(txns, &set, level) else { return false };
        let mut order = Vec::new();
        ordered(txns, &set, &sources, level, &mut order)
    })
}

/// The initial state as a writer.
const INITIAL: usize = usize::MAX;

/// Each transaction's reads from others: position, key, writer. None if some read is wrong in
/// itself.
type Sources = Vec<Vec<(usize, i64, usize)>>;

fn sources(txns: &[Tx], set: &[usize], level: Level) -> Option<Sources> {
    let mut all = vec![Vec::new(); txns.len()];
    for at in set.iter().filter(|at| known_reads(&txns[**at])) {
        let ops = &txns[*at].ops;
        for (position, op) in ops.iter().enumerate().filter(|(_, op)| !op.write) {
            let own = ops[..position].iter().rev().find(|own| own.write && own.key == op.key);
            if let Some(own) = own {
                if own.value != op.value {
                    return None;
                }
                continue;
            }
            let earlier = ops[..position].iter().find(|own| own.key == op.key);
            if level != Level::ReadCommitted && earlier.is_some_and(|own| own.value != op.value) {
                return None;
            }
            let leaves = |other: &&usize| {
                let last = txns[**other].ops.iter().rev().find(|w| w.write && w.key == op.key);
                **other != *at && last.is_some_and(|last| last.value == op.value)
            };
            let writer = match op.value {
                0 => INITIAL,
                _ => *set.iter().find(leaves)?,
            };
            all[*at].push((position, op.key, writer));
        }
    }
    Some(all)
}

fn ordered(
    txns: &[Tx],
    set: &[usize],
    sources: &Sources,
    level: Level,
    order: &mut Vec<usize>,
) -> bool {
    if order.len() == set.len() {
        return axiom(txns, set, sources, level, order);
    }
    set.iter().any(|at| {
        let ready = |other: &usize| {
            let precedes = before(txns, *other, *at, Kept::Sessions)
                || sources[*at].iter().any(|(_, _, writer)| writer == other);
            !precedes || order.contains(other)
        };
        if order.contains(at) || !set.iter().all(ready) {
            return false;
        }
        order.push(*at);
        let found = ordered(txns, set, sources, level, order);
        order.pop();
        found
    })
}

fn axiom(txns: &[Tx], set: &[usize], sources: &Sources, level: Level, order: &[usize]) -> bool {
    let place = |at: usize| order.iter().position(|other| *other == at).map_or(0, |p| p + 1);
    let direct = |a: usize, b: usize| {
        before(txns, a, b, Kept::Sessions) || sources[b].iter().any(|(_, _, writer)| *writer == a)
    };
    set.iter().all(|reader| {
        let mut past: Vec<usize> = set.iter().copied().filter(|a| direct(*a, *reader)).collect();
        let mut done = 0;
        while level == Level::Causal && done < past.len() {
            let (new, known) = (past[done], past.clone());
            past.extend(set.iter().filter(|a| direct(**a, new) && !known.contains(a)));
            done += 1;
        }
        sources[*reader].iter().all(|(position, key, writer)| {
            set.iter().all(|other| {
                let writes = txns[*other].ops.iter().any(|op| op.write && op.key == *key);
                let visible = match level {
                    Level::ReadCommitted => sources[*reader]
                        .iter()
                        .any(|(earlier, _, source)| earlier < position && source == other),
                    _ => past.contains(other),
                };
                !(writes && visible && other != writer)
                    || *writer != INITIAL && place(*other) < place(*writer)
            })
        })
    })
}
