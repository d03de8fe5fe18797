//! Why one transaction comes before another, with the elements that say so.

use super::Lists;
use crate::transactions::graph::Why;
use crate::transactions::step::Step;
use crate::transactions::table::{Action, KeyId, Table, TxnId, ValueId};

/// The evidence for an edge that [`super::infer`] made.
pub(super) fn places(table: &Table, lists: &Lists, key: KeyId) -> Vec<ValueId> {
    let longest = lists.longest[key.0 as usize];
    longest.map(|list| table.list(list).to_vec()).unwrap_or_default()
}

/// The evidence for an edge of data between `a` and `b`; of several the closest in the order of
/// versions.
pub(in crate::transactions) fn explain(
    table: &Table,
    lists: &Lists,
    a: u32,
    b: u32,
    why: Why,
) -> Option<Step> {
    let (first, second) = (table.ops(TxnId(a)), table.ops(TxnId(b)));
    let mut best: Option<(usize, Step)> = None;
    for (i, from) in first.iter().enumerate() {
        for (j, to) in second.iter().enumerate().filter(|(_, to)| to.key == from.key) {
            let found = match why {
                Why::Ww => ww(table, lists, from.key, from.action, to.action),
                Why::Wr => wr(table, from.key, from.action, to.action),
                Why::Rw => rw(table, lists, from.key, from.action, to.action),
                _ => None,
            };
            if let Some((distance, step)) = found
                && best.as_ref().is_none_or(|(least, _)| distance < *least)
            {
                best = Some((distance, step.at(i, j)));
            }
        }
    }
    best.map(|(_, step)| step)
}

/// How far apart, and the step.
type Close = (usize, Step);

fn ww(table: &Table, lists: &Lists, key: KeyId, from: Action, to: Action) -> Option<Close> {
    let (Action::Append(before), Action::Append(after)) = (from, to) else { return None };
    let order = places(table, lists, key);
    let place = |element| order.iter().position(|other| *other == element);
    let low = place(before)?;
    let high = place(after).unwrap_or(order.len());
    if low >= high {
        return None;
    }
    let (b, a, key_words) =
        (table.value_words(before), table.value_words(after), table.key_words(key));
    let why = if high == order.len() {
        format!("appended {a} to {key_words}, which no read shows yet, after {{a}} appended {b}")
    } else {
        format!("appended {a} to {key_words} after {{a}} appended {b}")
    };
    Some((
        high - low,
        Step::of(Why::Ww, key, format!("{{b}} {why}"))
            .values(Some(table.value_json(before)), Some(table.value_json(after))),
    ))
}

fn wr(table: &Table, key: KeyId, from: Action, to: Action) -> Option<Close> {
    let (Action::Append(element), Action::ReadList(list)) = (from, to) else { return None };
    if table.list(list).last() != Some(&element) {
        return None;
    }
    let text = format!(
        "{{b}} read {{a}}'s append of {} to {}",
        table.value_words(element),
        table.key_words(key)
    );
    Some((1, Step::of(Why::Wr, key, text).values(Some(table.value_json(element)), None)))
}

fn rw(table: &Table, lists: &Lists, key: KeyId, from: Action, to: Action) -> Option<Close> {
    let Action::Append(after) = to else { return None };
    let seen: &[ValueId] = match from {
        Action::ReadList(list) => table.list(list),
        Action::Read(ValueId::NIL) => &[],
        _ => return None,
    };
    let order = places(table, lists, key);
    if !order.starts_with(seen) {
        return None;
    }
    let place = order.iter().position(|other| *other == after).unwrap_or(order.len());
    if place < seen.len() {
        return None;
    }
    let text = format!(
        "{{a}} did not see {{b}}'s append of {} to {}",
        table.value_words(after),
        table.key_words(key)
    );
    let before = seen.last().map_or(serde_json::Value::Null, |last| table.value_json(*last));
    Some((
        place - seen.len() + 1,
        Step::of(Why::Rw, key, text).values(Some(before), Some(table.value_json(after))),
    ))
}
