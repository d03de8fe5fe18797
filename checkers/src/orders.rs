//! Orders as sagas: did each end with all of its effects or with none, and did nothing get lost?
//!
//! A history of the workload `orders` tells what clients asked and saw; its last `book` (of the
//! orders service) and `audit`s (of the other services) tell how each order ended, and every
//! effect that each service had for it. Checked are
//!
//! | file | property | anomalies |
//! |---|---|---|
//! | `transitions` | what clients see of an order never goes back in real time; what was acknowledged is there | `lost-order`, `went-back`, `changed-after-end`, `phantom-order` |
//! | `effects` | one effect a key; all of a confirmed order, none of another | `duplicate-effect`, `missing-effect`, `leftover-effect`, `orphan-effect` |
//! | `money` | initial = left + taken, for money and goods, and never below zero | `not-conserved`, `below-zero` |
//! | `liveness` | every order ends once the faults are healed | `stuck-saga` |
//! | `isolation` | reads of what is undone later: counted, and judged only where it is claimed | `dirty-read` |
//!
//! The definitions of atomicity and of semantic compensation are those of Garcia-Molina & Salem,
//! *Sagas*, SIGMOD 1987; that sagas have no isolation and what is done about it, Richardson,
//! *Microservices Patterns*, 2018, chapter 4. Cost: O(n log n) in operations and effects.
//!
//! Each violation carries the order's whole story in `story`: requests, stages, effects and
//! retries in order of time ([`story::Line`]).

mod effects;
mod facts;
mod isolation;
mod liveness;
mod money;
pub mod story;
mod transitions;

use crate::history::{History, OpIndex};
use crate::verdict::{Anomaly, CheckerReport, Valid};
use facts::Facts;
use serde_json::{Map, json};
use std::collections::BTreeMap;
use story::Saga;

/// The checker's name.
pub const CHECKER: &str = "orders";
/// At most so many violations of one kind are listed.
const LISTED_MAX: usize = 10;

/// What is claimed beyond sagas' own guarantees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Nothing that is undone later can be read (semantic locks).
    pub isolated: bool,
}

/// A violation, before it is written out.
struct Violation {
    kind: &'static str,
    /// The order whose story shows it, if it is about one.
    order: Option<String>,
    explanation: String,
    ops: Vec<OpIndex>,
}

/// Whether these are the operations of orders, by their names.
pub fn fits(history: &History) -> bool {
    const NAMES: [&str; 8] =
        ["place", "cancel", "read", "balance", "stock", "drain", "book", "audit"];
    let mut names = history.ops().map(|op| op.f().as_str());
    history.ops().any(|op| op.f().as_str() == "place") && names.all(|name| NAMES.contains(&name))
}

/// All orders of a history with their stories, by name. The error says what is not as the
/// workload writes it.
pub fn sagas(history: &History) -> Result<Vec<Saga<'_>>, String> {
    let facts = Facts::of(history)?;
    let sagas = facts.orders.iter().map(|(id, order)| Saga {
        id,
        details: order.details,
        end: order.end(),
        compensated: order.is_compensated(),
        story: story::of_order(&facts, id),
    });
    Ok(sagas.collect())
}

/// Judges a history of orders.
pub fn check(history: &History, options: &Options) -> CheckerReport {
    let facts = match Facts::of(history) {
        Ok(facts) => facts,
        Err(why) => return CheckerReport::unknown(why),
    };
    let isolation = isolation::count(&facts);
    let mut violations = transitions::check(&facts);
    violations.extend(effects::check(&facts));
    violations.extend(money::check(&facts));
    violations.extend(liveness::check(&facts));
    if options.isolated {
        violations.extend(isolation.violations());
    }
    let mut details = Map::new();
    details.insert("orders".into(), json!(facts.orders.len()));
    details.insert("ended".into(), json!(facts.ends()));
    details.insert("compensated".into(), json!(facts.compensated()));
    details.insert("isolation".into(), isolation.report());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for violation in &violations {
        *kinds.entry(violation.kind).or_default() += 1;
    }
    if !kinds.is_empty() {
        details.insert("violations".into(), json!(kinds));
    }
    let missing = facts.missing();
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    violations.retain(|violation| {
        let listed = listed.entry(violation.kind).or_default();
        *listed += 1;
        *listed <= LISTED_MAX
    });
    let anomalies: Vec<Anomaly> =
        violations.into_iter().map(|violation| written_out(&facts, violation)).collect();
    let (valid, why) = match (anomalies.first(), missing) {
        (Some(first), _) => (Valid::False, Some(first.explanation.clone())),
        (None, Some(missing)) => (Valid::Unknown, Some(missing)),
        (None, None) => (Valid::True, None),
    };
    CheckerReport { valid, why, details, anomalies, models: BTreeMap::new() }
}

fn written_out(facts: &Facts<'_>, violation: Violation) -> Anomaly {
    let mut evidence = Map::new();
    if let Some(order) = &violation.order {
        evidence.insert("order".into(), json!(order));
        evidence.insert("story".into(), json!(story::of_order(facts, order)));
    }
    Anomaly {
        kind: violation.kind.to_owned(),
        checker: CHECKER.to_owned(),
        explanation: violation.explanation,
        ops: violation.ops,
        evidence,
    }
}
