//! One effect a key, and all of a saga or nothing.

use super::Violation;
use super::facts::{Facts, Order, Stage};
use std::collections::BTreeMap;

/// Steps with their compensations.
const PAIRS: [(&str, &str); 3] = [("reserve", "release"), ("charge", "refund"), ("ship", "recall")];

/// How far clocks of services may be off, in nanoseconds.
const LATE: i64 = 100_000_000;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (id, order) in &facts.orders {
        let counts = counts(order);
        found.extend(repeated(id, order, &counts));
        found.extend(partial(facts, id, order, &counts));
    }
    found
}

/// How often each step was done.
fn counts<'h>(order: &Order<'h>) -> BTreeMap<&'h str, usize> {
    let mut counts = BTreeMap::new();
    for effect in order.effects.iter().filter(|effect| effect.refused.is_none()) {
        *counts.entry(effect.step).or_default() += 1;
    }
    counts
}

fn repeated(id: &str, order: &Order<'_>, counts: &BTreeMap<&str, usize>) -> Option<Violation> {
    let (step, count) = counts.iter().find(|(_, count)| **count > 1)?;
    let explanation =
        format!("{step} of {id} took effect {count} times: one key, one effect{}", of(order));
    Some(violation("duplicate-effect", id, order, explanation))
}

fn partial(
    facts: &Facts<'_>,
    id: &str,
    order: &Order<'_>,
    counts: &BTreeMap<&str, usize>,
) -> Option<Violation> {
    let count = |step: &str| counts.get(step).copied().unwrap_or(0);
    if let Some(book) = facts.book
        && order.last.is_none()
    {
        // What a late message began after the book was read is not in it.
        let read = i64::try_from(book.invoke.time.0).unwrap_or(i64::MAX) - LATE;
        if order.effects.iter().all(|effect| effect.at > read) {
            return None;
        }
        let (done, _) = PAIRS.iter().find(|(step, undo)| count(step) > count(undo))?;
        let explanation =
            format!("{done} of {id} was done, and no book has such an order{}", of(order));
        return Some(violation("orphan-effect", id, order, explanation));
    }
    if !facts.is_settled(order) {
        return None;
    }
    let last = order.last?;
    for (step, undo) in PAIRS {
        let service = match step {
            "reserve" => "inventory",
            "charge" => "payments",
            _ => "shipping",
        };
        if !facts.audits.contains_key(service) {
            continue;
        }
        let left = count(step) as i64 - count(undo) as i64;
        if last == Stage::Confirmed && left < 1 {
            let explanation =
                format!("{id} is confirmed, and its {step} is not there{}", of(order));
            return Some(violation("missing-effect", id, order, explanation));
        }
        if last != Stage::Confirmed && left > 0 {
            let explanation =
                format!("{id} is {}, and its {step} was never undone{}", last.name(), of(order));
            return Some(violation("leftover-effect", id, order, explanation));
        }
        if last != Stage::Confirmed && left < 0 {
            let explanation = format!("{id}: {undo} undid what was never done{}", of(order));
            return Some(violation("duplicate-effect", id, order, explanation));
        }
    }
    None
}

/// What an order is about, in brackets.
fn of(order: &Order<'_>) -> String {
    let Some(details) = order.details else { return String::new() };
    let field = |name| details.get(name).map(ToString::to_string).unwrap_or_default();
    format!(
        " (customer {}, amount {}, item {}, quantity {})",
        field("customer"),
        field("amount"),
        field("item"),
        field("quantity")
    )
}

fn violation(kind: &'static str, id: &str, order: &Order<'_>, explanation: String) -> Violation {
    let ops = order.ops.iter().map(|op| op.invoke.index).take(8).collect();
    Violation { kind, order: Some(id.to_owned()), explanation, ops }
}
