//! What clients see of an order, in real time: an operation that began after another had ended
//! shows the order as far or further; one that was acknowledged is there, and an end stays.

use super::Violation;
use super::facts::{Facts, Order, Seen, Stage};
use crate::history::OpIndex;

/// What was shown before a moment: for each stage, the operation that showed it and ended first.
struct Shown<'a, 'h> {
    by_stage: [Option<&'a Seen<'h>>; Stage::COUNT],
}

pub(super) fn check(facts: &Facts<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (id, order) in &facts.orders {
        found.extend(of_order(facts, id, order));
    }
    found
}

/// The first violation of one order: what follows from it is noise.
fn of_order(facts: &Facts<'_>, id: &str, order: &Order<'_>) -> Option<Violation> {
    let mut begun: Vec<&Seen<'_>> = order.seen.iter().collect();
    begun.sort_by_key(|seen| seen.op.invoke.index);
    let mut ended: Vec<&Seen<'_>> = order.seen.iter().collect();
    ended.sort_by_key(|seen| seen.end);
    let placed = order.ops.iter().filter(|op| op.f().as_str() == "place");
    let placed = placed.map(|op| op.invoke.index).min();
    let mut shown = Shown { by_stage: [None; Stage::COUNT] };
    let mut next = ended.into_iter().peekable();
    for seen in begun {
        while let Some(before) = next.next_if(|before| before.end < seen.op.invoke.index) {
            shown.add(before);
        }
        if seen.stage.is_some() && placed.is_none_or(|placed| placed > seen.end) {
            let explanation = format!("{} before anybody had placed it", words(id, seen));
            return Some(violation("phantom-order", id, explanation, vec![seen.op.invoke.index]));
        }
        if let Some(before) = shown.conflict(seen.stage) {
            return Some(conflict(id, before, seen));
        }
    }
    next.for_each(|before| shown.add(before));
    let book = facts.book?;
    // The book was read at the end; what ended before shows in it.
    if let Some(before) = shown.conflict(order.last)
        && before.end < book.invoke.index
    {
        let now = order.last.map_or("is not in the book", Stage::name);
        let kind = kind_of(before.stage, order.last);
        let explanation =
            format!("{}, and in the end {id} {}", words(id, before), ended_as(order.last, now));
        return Some(violation(
            kind,
            id,
            explanation,
            ops(&[before.op.invoke.index, book.invoke.index]),
        ));
    }
    None
}

fn ended_as(last: Option<Stage>, now: &str) -> String {
    if last.is_some() { format!("is {now}") } else { now.to_owned() }
}

impl<'a, 'h> Shown<'a, 'h> {
    fn add(&mut self, seen: &'a Seen<'h>) {
        if let Some(stage) = seen.stage {
            self.by_stage[stage as usize].get_or_insert(seen);
        }
    }

    /// What was shown before and cannot be followed by `stage`; an end before anything else, for
    /// that is what weighs most.
    fn conflict(&self, stage: Option<Stage>) -> Option<&'a Seen<'h>> {
        self.by_stage.iter().rev().flatten().copied().find(|before| match (before.stage, stage) {
            (Some(before), Some(now)) => !before.reaches(now),
            (Some(_), None) => true,
            (None, _) => false,
        })
    }
}

fn kind_of(before: Option<Stage>, now: Option<Stage>) -> &'static str {
    match (before, now) {
        (_, None) => "lost-order",
        (Some(before), _) if before.is_end() => "changed-after-end",
        _ => "went-back",
    }
}

fn conflict(id: &str, before: &Seen<'_>, now: &Seen<'_>) -> Violation {
    let explanation = format!("{}; after that, {}", words(id, before), words(id, now));
    let shown = [before.op.invoke.index, now.op.invoke.index];
    violation(kind_of(before.stage, now.stage), id, explanation, ops(&shown))
}

fn words(id: &str, seen: &Seen<'_>) -> String {
    let (f, process) = (seen.op.f(), seen.op.process());
    let stage = seen.stage.map_or("unknown", Stage::name);
    format!(
        "{f} {id} (process {process}, events {} to {}) showed it {stage}",
        seen.op.invoke.index, seen.end
    )
}

fn ops(indices: &[OpIndex]) -> Vec<OpIndex> {
    indices.to_vec()
}

fn violation(kind: &'static str, id: &str, explanation: String, ops: Vec<OpIndex>) -> Violation {
    Violation { kind, order: Some(id.to_owned()), explanation, ops }
}
