//! Money and goods add up, and are never below zero.
//!
//! By each ledger: what an account began with, and every change, is what is left. And against
//! the book: what is gone from an account is what its confirmed orders took.

use super::Violation;
use super::facts::{Audit, Facts, Order, Stage};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What an account is about, by the service that has it.
struct Kind {
    service: &'static str,
    account: &'static str,
    amount: &'static str,
}

const MONEY: Kind = Kind { service: "payments", account: "customer", amount: "amount" };
const GOODS: Kind = Kind { service: "inventory", account: "item", amount: "quantity" };

pub(super) fn check(facts: &Facts<'_>) -> Vec<Violation> {
    let mut found: Vec<Violation> = below_zero(facts).collect();
    for kind in [MONEY, GOODS] {
        let Some(audit) = facts.audits.get(kind.service) else { continue };
        found.extend(by_ledger(audit));
        found.extend(by_book(facts, audit, &kind));
    }
    found.extend(parcels(facts));
    found
}

fn below_zero<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = Violation> + 'a {
    let reads = facts.reads.iter().filter(|(_, _, amount, _)| *amount < 0);
    let reads = reads.map(|(op, account, amount, _)| Violation {
        kind: "below-zero",
        order: None,
        explanation: format!("{} of {account} was read as {amount}", op.f()),
        ops: vec![op.invoke.index],
    });
    let audits = facts.audits.values();
    let entries = audits.flat_map(|audit| {
        audit.entries.values().filter_map(move |entries| {
            let entry = entries.iter().find(|entry| entry.after < 0)?;
            Some(Violation {
                kind: "below-zero",
                order: Some(entry.order.to_owned()),
                explanation: format!(
                    "{} of {} left {} with {}",
                    entry.step, entry.order, entry.account, entry.after
                ),
                ops: vec![audit.op.invoke.index],
            })
        })
    });
    entries.chain(reads)
}

fn by_ledger<'a>(audit: &'a Audit<'_>) -> impl Iterator<Item = Violation> + 'a {
    audit.accounts.iter().filter_map(|(account, left)| {
        let mut sum = i128::from(audit.initial);
        let entries = audit.entries.get(account).map(Vec::as_slice).unwrap_or_default();
        for entry in entries {
            sum += i128::from(entry.change);
            if sum != i128::from(entry.after) {
                let (step, order) = (entry.step, entry.order);
                let explanation = format!(
                    "{account} had {} before {step} of {order} changed it by {}, and {} after",
                    sum - i128::from(entry.change),
                    entry.change,
                    entry.after
                );
                return Some(not_conserved(audit, Some(order), explanation));
            }
        }
        let explanation = format!("the entries of {account} come to {sum}, and {left} are left");
        (sum != i128::from(*left)).then(|| not_conserved(audit, None, explanation))
    })
}

fn not_conserved(audit: &Audit<'_>, order: Option<&str>, explanation: String) -> Violation {
    let ops = vec![audit.op.invoke.index];
    Violation { kind: "not-conserved", order: order.map(str::to_owned), explanation, ops }
}

/// What confirmed orders took of each account; nothing where an order is not settled.
fn taken<'h>(facts: &Facts<'h>, kind: &Kind) -> BTreeMap<&'h str, Option<i128>> {
    let mut taken: BTreeMap<&str, Option<i128>> = BTreeMap::new();
    for order in facts.orders.values() {
        let Some(account) = field(order, kind.account).and_then(Value::as_str) else { continue };
        let amount = field(order, kind.amount).and_then(Value::as_int).map(i128::from);
        let sum = taken.entry(account).or_insert(Some(0));
        *sum = match (order.last, *sum) {
            (Some(Stage::Confirmed), Some(sum)) if facts.is_settled(order) => {
                amount.map(|amount| sum + amount)
            }
            (Some(_), sum) if facts.is_settled(order) => sum,
            // One that is in no book took nothing; or it is reported, or came too late.
            (None, sum) if order.effects.is_empty() => sum,
            (_, _) => None,
        };
    }
    taken
}

fn field<'h>(order: &Order<'h>, name: &str) -> Option<&'h Value> {
    order.details?.get(name)
}

fn by_book(facts: &Facts<'_>, audit: &Audit<'_>, kind: &Kind) -> Vec<Violation> {
    if facts.book.is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (account, taken) in taken(facts, kind) {
        let Some(taken) = taken else { continue };
        let left = audit.accounts.get(account).copied().unwrap_or(audit.initial);
        if i128::from(audit.initial) != i128::from(left) + taken {
            let explanation = format!(
                "{} {account} began with {}, confirmed orders took {taken}, and {left} is left",
                kind.account, audit.initial
            );
            found.push(not_conserved(audit, None, explanation));
        }
    }
    found
}

/// Stock is what was there, without what was shipped.
fn parcels(facts: &Facts<'_>) -> Vec<Violation> {
    let (Some(stock), Some(shipping)) =
        (facts.audits.get("inventory"), facts.audits.get("shipping"))
    else {
        return Vec::new();
    };
    let orders = facts.orders.values();
    let open = orders.filter(|order| !order.effects.is_empty() && !facts.is_settled(order));
    let open: BTreeSet<&str> =
        open.filter_map(|order| field(order, "item").and_then(Value::as_str)).collect();
    let differ = shipping.accounts.iter().filter(|(item, sent)| {
        let left = stock.accounts.get(*item).copied().unwrap_or(stock.initial);
        i128::from(stock.initial) != i128::from(left) + i128::from(**sent)
    });
    differ
        .filter(|(item, _)| !open.contains(*item))
        .map(|(item, sent)| {
            let left = stock.accounts.get(item).copied().unwrap_or(stock.initial);
            let explanation = format!(
                "of {item} there were {}, {sent} were shipped, and {left} are left",
                stock.initial
            );
            not_conserved(shipping, None, explanation)
        })
        .collect()
}
