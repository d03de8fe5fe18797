//! Why one transaction comes before another, with the values and the rule that say so.

use super::Registers;
use crate::transactions::access::Accesses;
use crate::transactions::graph::Why;
use crate::transactions::step::Step;
use crate::transactions::table::{Action, KeyId, MicroOp, Table, TxnId, ValueId};

/// The evidence for an edge of data between `a` and `b`.
pub(in crate::transactions) fn explain(
    table: &Table,
    registers: &Registers,
    a: u32,
    b: u32,
    why: Why,
) -> Option<Step> {
    let (first, second) = (table.ops(TxnId(a)), table.ops(TxnId(b)));
    for (i, from) in first.iter().enumerate() {
        for (j, to) in second.iter().enumerate().filter(|(_, to)| to.key == from.key) {
            let (Action::Read(u) | Action::Write(u)) = from.action else { continue };
            let (Action::Read(v) | Action::Write(v)) = to.action else { continue };
            if why == Why::Wr {
                if matches!(from.action, Action::Write(_)) && u == v && is_first(second, j) {
                    return Some(wr(table, from.key, u).at(i, j));
                }
                continue;
            }
            let starts = match why {
                Why::Ww => matches!(from.action, Action::Write(_)) && is_last(first, i),
                _ => matches!(from.action, Action::Read(_)) && is_first(first, i),
            };
            if !starts || !matches!(to.action, Action::Write(_)) || !is_last(second, j) {
                continue;
            }
            if let Some(rule) = rule(table, registers, from.key, u, v) {
                return Some(before(table, why, from.key, (u, v), &rule).at(i, j));
            }
        }
    }
    None
}

/// Whether nothing was done to its key before.
fn is_first(ops: &[MicroOp], at: usize) -> bool {
    ops[..at].iter().all(|op| op.key != ops[at].key)
}

/// Whether its key was not written after.
fn is_last(ops: &[MicroOp], at: usize) -> bool {
    let writes = |op: &&MicroOp| op.key == ops[at].key && matches!(op.action, Action::Write(_));
    ops[at + 1..].iter().find(writes).is_none()
}

fn wr(table: &Table, key: KeyId, value: ValueId) -> Step {
    let text = format!(
        "{{b}} read {} from {}, which {{a}} wrote",
        table.value_words(value),
        table.key_words(key)
    );
    Step::of(Why::Wr, key, text).values(Some(table.value_json(value)), None)
}

fn before(table: &Table, why: Why, key: KeyId, (u, v): (ValueId, ValueId), rule: &str) -> Step {
    let did = if why == Why::Ww { "wrote" } else { "read" };
    let text = format!(
        "{{a}} {did} {} = {}, which {{b}} replaced by {}: {rule}",
        table.key_words(key),
        table.value_words(u),
        table.value_words(v),
    );
    Step::of(why, key, text).values(Some(table.value_json(u)), Some(table.value_json(v)))
}

/// The rule by which `u` comes before `v`, in words.
fn rule(
    table: &Table,
    registers: &Registers,
    key: KeyId,
    u: ValueId,
    v: ValueId,
) -> Option<String> {
    if u == v {
        return None;
    }
    if u == ValueId::NIL {
        return Some("nothing comes before the initial version".into());
    }
    let rules = registers.rules;
    let visits = visits(registers, key);
    let rank = |value: ValueId| {
        let left = visits.iter().find(|(_, visit)| visit.1 == Some(value))?;
        *registers.ranks.get(left.0 as usize)?
    };
    if let (Some(first), Some(second)) = (rank(u), rank(v))
        && first < second
    {
        return Some(format!("their writers stand at {first} and {second} of the given order"));
    }
    if rules.reads_before_writes
        && let Some(both) = visits.iter().find(|(_, visit)| visit == &(Some(u), Some(v)))
    {
        return Some(format!("{} read the one and wrote the other", table.who(both.0)));
    }
    if rules.sequential
        && let Some(process) = in_session(table, &visits, u, v)
    {
        return Some(format!("process {process} saw them in this order"));
    }
    if rules.linearizable {
        return in_time(table, registers, &visits, u, v);
    }
    None
}

type Seeing = (Option<ValueId>, Option<ValueId>);

/// What each counting transaction found of a key, and what it left.
fn visits(registers: &Registers, key: KeyId) -> Vec<(u32, Seeing)> {
    let runs = Accesses::runs(registers.accesses.of_key(key));
    let counting = runs.filter(|run| registers.committed.contains(run[0].txn));
    counting
        .map(|run| {
            let found = match run[0].action {
                Action::Read(value) => Some(value),
                _ => None,
            };
            let left = run.iter().rev().find_map(|access| match access.action {
                Action::Write(value) => Some(value),
                _ => None,
            });
            (run[0].txn, (found, left))
        })
        .collect()
}

fn holds(seeing: &Seeing, value: ValueId) -> bool {
    seeing.0 == Some(value) || seeing.1 == Some(value)
}

fn in_session(table: &Table, visits: &[(u32, Seeing)], u: ValueId, v: ValueId) -> Option<u64> {
    visits.iter().enumerate().find_map(|(at, (txn, seeing))| {
        if !holds(seeing, u) {
            return None;
        }
        let session = table.txns()[*txn as usize].session;
        let next = visits[at + 1..]
            .iter()
            .find(|(other, _)| table.txns()[*other as usize].session == session)?;
        holds(&next.1, v).then(|| table.process(session))
    })
}

fn in_time(
    table: &Table,
    registers: &Registers,
    visits: &[(u32, Seeing)],
    u: ValueId,
    v: ValueId,
) -> Option<String> {
    let intervals = &registers.intervals;
    let with = |value: ValueId| {
        visits.iter().filter(move |(_, seeing)| holds(seeing, value)).map(|(txn, _)| *txn)
    };
    let first = with(u).min_by_key(|txn| intervals.end[*txn as usize])?;
    let last = with(v).max_by_key(|txn| intervals.begin[*txn as usize])?;
    intervals.precedes(first, last).then(|| {
        format!(
            "{} had seen the one before {} began and saw the other",
            table.who(first),
            table.who(last)
        )
    })
}
