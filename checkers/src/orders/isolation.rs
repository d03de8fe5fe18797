//! What one saga sees of another: sagas have no isolation, so this is counted and not judged,
//! unless semantic locks are claimed.
//!
//! A read of a balance or stock says after how many entries of the account it was made. It is
//! *dirty* if among these are a charge or reservation of an order that did not get through, and
//! not yet what undid it. An order is *refused on dirty grounds* if it would have been served
//! without such entries. An update is *lost* if an entry did not go on from where the one before
//! it had come to.

use super::Violation;
use super::facts::{Audit, Effect, Facts, Stage};
use crate::history::OpIndex;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// What was found.
pub(super) struct Isolation {
    dirty_reads: Vec<(OpIndex, String, String)>,
    reads: usize,
    dirty_refusals: Vec<String>,
    lost_updates: Vec<Lost>,
}

/// An entry that did not go on from the one before it.
struct Lost {
    order: String,
    words: String,
    /// What showed the ledger.
    audit: OpIndex,
}

pub(super) fn count(facts: &Facts<'_>) -> Isolation {
    let mut found = Isolation {
        dirty_reads: Vec::new(),
        reads: facts.reads.len(),
        dirty_refusals: Vec::new(),
        lost_updates: Vec::new(),
    };
    // By service and account: after how many entries which order's trace is there to be read.
    let mut traces: BTreeMap<(&str, &str), Vec<Option<&str>>> = BTreeMap::new();
    for (service, audit) in &facts.audits {
        for (account, entries) in &audit.entries {
            let trace = trace(facts, entries, audit, &mut found);
            traces.insert((*service, *account), trace);
        }
    }
    for (op, account, amount, version) in &facts.reads {
        let service = if op.f().as_str() == "stock" { "inventory" } else { "payments" };
        let trace = traces.get(&(service, *account));
        let order = trace.and_then(|trace| *trace.get(usize::try_from(*version).ok()?)?);
        if let Some(order) = order {
            let words = format!(
                "{} of {account} was read as {amount}, with what {order} had taken in it; {order} \
                 did not get through",
                op.f()
            );
            found.dirty_reads.push((op.invoke.index, order.to_owned(), words));
        }
    }
    found
}

/// For each number of entries, an order that did not get through and whose trace is there.
fn trace<'h>(
    facts: &Facts<'h>,
    entries: &[Effect<'h>],
    audit: &Audit<'h>,
    found: &mut Isolation,
) -> Vec<Option<&'h str>> {
    let mut open: BTreeMap<&str, i128> = BTreeMap::new();
    let mut dirt = 0_i128;
    let mut trace = vec![None];
    let mut before = audit.initial;
    for entry in entries {
        if i128::from(entry.after) != i128::from(before) + i128::from(entry.change) {
            let words = format!(
                "{} of {} changed {} by {} and left {}; before it there was {before}",
                entry.step, entry.order, entry.account, entry.change, entry.after
            );
            let order = entry.order.to_owned();
            found.lost_updates.push(Lost { order, words, audit: audit.op.invoke.index });
        }
        before = entry.after;
        let wants = facts.orders.get(entry.order).and_then(|order| {
            let name = if entry.step == "charge" { "amount" } else { "quantity" };
            order.details?.get(name)?.as_int()
        });
        if entry.refused.is_some()
            && ["charge", "reserve"].contains(&entry.step)
            && wants.is_some_and(|wants| {
                entry.after < wants && i128::from(wants) <= i128::from(entry.after) + dirt
            })
        {
            let words = format!("{} of {} on {}", entry.step, entry.order, entry.account);
            found.dirty_refusals.push(words);
        }
        let last = facts.orders.get(entry.order).and_then(|order| order.last);
        let undone = last.is_some_and(|last| last.is_end() && last != Stage::Confirmed);
        match entry.step {
            "charge" | "reserve" if undone && entry.change != 0 => {
                let change = i128::from(entry.change);
                dirt -= change + open.insert(entry.order, -change).unwrap_or(0);
            }
            "refund" | "release" => dirt -= open.remove(entry.order).unwrap_or(0),
            _ => {}
        }
        trace.push(open.keys().next().copied());
    }
    trace
}

impl Isolation {
    /// As details of the report.
    pub(super) fn report(&self) -> Json {
        let example =
            self.dirty_reads.first().map(|(op, _, words)| json!({"op": op.0, "what": words}));
        json!({
            "reads": self.reads,
            "dirty_reads": self.dirty_reads.len(),
            "dirty_read_example": example,
            "refused_on_dirty_grounds": self.dirty_refusals.len(),
            "refused_on_dirty_grounds_example": self.dirty_refusals.first(),
            "lost_updates": self.lost_updates.len(),
            "lost_update_example": self.lost_updates.first().map(|lost| &lost.words),
        })
    }

    /// Where isolation is claimed. That an order is refused while another one holds what it wants
    /// is what a lock is for.
    pub(super) fn violations(&self) -> impl Iterator<Item = Violation> + '_ {
        let dirty = self.dirty_reads.iter().map(|(op, order, words)| Violation {
            kind: "dirty-read",
            order: Some(order.clone()),
            explanation: words.clone(),
            ops: vec![*op],
        });
        let lost = self.lost_updates.iter().map(|lost| Violation {
            kind: "lost-update",
            order: Some(lost.order.clone()),
            explanation: lost.words.clone(),
            ops: vec![lost.audit],
        });
        dirty.chain(lost)
    }
}
