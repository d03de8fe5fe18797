//! Every order comes to its end once the faults are healed.
//!
//! The final phase asks again and again how many orders are under way, until there are none or
//! its patience ends. Only in the second case an order that is open in the book is stuck: in the
//! first one it was placed later, by a message that was late.

use super::Violation;
use super::facts::{Facts, Stage};

pub(super) fn check(facts: &Facts<'_>) -> Vec<Violation> {
    let Some(book) = facts.book else { return Vec::new() };
    if facts.drained.is_some_and(|drained| drained < book.invoke.index) {
        return Vec::new();
    }
    let open = facts.orders.iter().filter_map(|(id, order)| {
        let stage = order.last.filter(|stage| !stage.is_end())?;
        let since = order
            .moves
            .last()
            .map_or_else(String::new, |last| format!(" since {:.3} s", last.at as f64 / 1e9));
        let explanation = format!("{id} is {}{since}, and never ends", Stage::name(stage));
        let ops = order.ops.iter().map(|op| op.invoke.index).take(8).collect();
        Some(Violation { kind: "stuck-saga", order: Some((*id).to_owned()), explanation, ops })
    });
    open.collect()
}
