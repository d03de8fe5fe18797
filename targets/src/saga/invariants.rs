//! What must hold over all nodes at any time, checked after every event of a simulation, and how
//! often the interesting was seen. Each check costs O(what the event changed).
//!
//! * *One holder*: under one token at most one node leads.
//! * *One effect a key*: no step of an order is decided twice.
//! * *Never below zero*: no account is.
//!
//! What was written and lost with the power before anybody heard of it does not count.

use super::ledger::Entry;
use super::message::{Message, Record, Token};
use super::stage::{Outcome, Stage, Step};
use super::{SagaOrders, book};
use crate::node::{Effect, Input, NodeId};
use crate::sim::{Coverage, Happened, Nanos, Observer, Sometimes, View, Violation};
use std::collections::{BTreeMap, BTreeSet};

/// What should be reached in a good hunt.
const STATES: &[&str] = &[
    "a lease was granted",
    "the other orchestrator took over",
    "a replica was struck off",
    "a replica was waited for",
    "an old token was refused",
    "an open saga was resumed",
    "a step came again after it was decided",
    "an order was confirmed",
    "an order was cancelled",
    "an order was refused for want of stock",
    "an order was refused for want of funds",
    "an order was refused by shipping",
    "a charge was refunded",
];

/// The observer of a simulated cluster.
#[derive(Debug)]
pub struct Invariants {
    holders: BTreeMap<Token, NodeId>,
    /// What each service has decided.
    decided: BTreeMap<NodeId, BTreeSet<(String, Step)>>,
    led: BTreeMap<NodeId, bool>,
    last_leader: Option<NodeId>,
    paired: bool,
    sometimes: Sometimes,
}

type Checked = Result<(), (&'static str, String)>;

impl Default for Invariants {
    fn default() -> Invariants {
        Invariants {
            holders: BTreeMap::new(),
            decided: BTreeMap::new(),
            led: BTreeMap::new(),
            last_leader: None,
            paired: false,
            sometimes: Sometimes::declare(STATES),
        }
    }
}

impl Coverage for Invariants {
    fn coverage(&self) -> Sometimes {
        self.sometimes.clone()
    }
}

impl Observer<SagaOrders> for Invariants {
    fn before(&mut self, view: &View<'_, SagaOrders>, id: NodeId, input: &Input<SagaOrders>) {
        let Some(SagaOrders::Service(service)) = view.node(id) else { return };
        if let Input::Message { message: Message::Do { order, step, .. }, .. } = input {
            let mut entries = service.ledger().entries().iter().rev().take(64);
            if entries.any(|entry| entry.order == order.id && entry.step == *step) {
                self.sometimes.saw("a step came again after it was decided");
            }
        }
    }

    fn after(
        &mut self,
        view: &View<'_, SagaOrders>,
        id: NodeId,
        happened: &Happened<'_, SagaOrders>,
    ) -> Result<(), Violation> {
        let Some(node) = view.node(id) else { return Ok(()) };
        let Happened::Stepped(effects) = happened else {
            self.led.insert(id, false);
            if let SagaOrders::Service(service) = node {
                let entries = service.ledger().entries().iter();
                let decided = entries.map(|entry| (entry.order.clone(), entry.step)).collect();
                self.decided.insert(id, decided);
            }
            return Ok(());
        };
        self.check(id, node, effects)
            .map_err(|(property, detail)| violation(property, view.now(), detail))
    }
}

impl Invariants {
    fn check(&mut self, id: NodeId, node: &SagaOrders, effects: &[Effect<SagaOrders>]) -> Checked {
        for effect in effects {
            match effect {
                Effect::Append(Record::Decided { entries, .. }) => {
                    entries.iter().try_for_each(|entry| self.decide(id, entry, node))?;
                }
                Effect::Append(Record::Entry(entry)) => self.count(entry),
                Effect::Send { message: Message::Fenced { .. }, .. } => {
                    self.sometimes.saw("an old token was refused");
                }
                _ => {}
            }
        }
        self.lead(id, node)
    }

    /// Whoever leads does so alone under its token.
    fn lead(&mut self, id: NodeId, node: &SagaOrders) -> Checked {
        let SagaOrders::Orders(orders) = node else { return Ok(()) };
        let leads = orders.is_leader();
        let led = self.led.insert(id, leads) == Some(true);
        if !leads {
            return Ok(());
        }
        let holder = *self.holders.entry(orders.token()).or_insert(id);
        if holder != id {
            let token = orders.token().0;
            return Err(("one holder", format!("{holder} and {id} both lead under {token}")));
        }
        if !led {
            self.sometimes.saw("a lease was granted");
            if !orders.book().open().is_empty() {
                self.sometimes.saw("an open saga was resumed");
            }
            if self.last_leader.is_some_and(|last| last != id) {
                self.sometimes.saw("the other orchestrator took over");
            }
            self.last_leader = Some(id);
        }
        let paired = orders.is_paired();
        if paired != self.paired {
            let what = if paired { "a replica was waited for" } else { "a replica was struck off" };
            self.sometimes.saw(what);
        }
        self.paired = paired;
        Ok(())
    }

    fn decide(&mut self, id: NodeId, entry: &Entry, node: &SagaOrders) -> Checked {
        let Entry { order, step, account, outcome, .. } = entry;
        if !self.decided.entry(id).or_default().insert((order.clone(), *step)) {
            return Err(("one effect a key", format!("{step} of {order} was decided twice")));
        }
        if let Outcome::Refused(why) = outcome {
            match (step, why.as_str()) {
                (Step::Reserve, "no stock") => {
                    self.sometimes.saw("an order was refused for want of stock");
                }
                (Step::Charge, "no funds") => {
                    self.sometimes.saw("an order was refused for want of funds");
                }
                (Step::Ship, _) => self.sometimes.saw("an order was refused by shipping"),
                _ => {}
            }
        } else if *step == Step::Refund {
            self.sometimes.saw("a charge was refunded");
        }
        let SagaOrders::Service(service) = node else { return Ok(()) };
        let left = service.ledger().account(account);
        if left.amount < 0 || left.held < 0 || left.held > left.amount {
            let detail = format!("{account} has {} of which {} held", left.amount, left.held);
            return Err(("never below zero", detail));
        }
        Ok(())
    }

    fn count(&mut self, entry: &book::Entry) {
        if let book::Change::Moved { to, .. } = &entry.change {
            match to {
                Stage::Confirmed => self.sometimes.saw("an order was confirmed"),
                Stage::Cancelled => self.sometimes.saw("an order was cancelled"),
                _ => {}
            }
        }
    }
}

fn violation(property: &'static str, at: Nanos, detail: String) -> Violation {
    Violation { property, at, detail }
}
