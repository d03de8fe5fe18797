//! What a service has: accounts, and one entry for each step that it decided.
//!
//! The entry of a step *is* its idempotency key: `order/step`. A step that comes again finds its
//! entry and is answered alike, without another effect. A compensation whose step was never seen
//! decides that step as refused, so that the step, when it comes late, finds its end already.
//!
//! A ledger decides ([`Ledger::decide`]) and applies ([`Ledger::apply`]) apart: what was decided
//! goes to the journal in between, and a restart applies the journal again.

use super::stage::{Outcome, Service, Step};
use crate::api::orders::{Effect, Order};
use crate::node::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Nothing goes there.
pub const NOWHERE: &str = "nowhere";

/// One decided step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was decided.
    pub at: Time,
    /// The order.
    pub order: String,
    /// The step.
    pub step: Step,
    /// The customer or item.
    pub account: String,
    /// How much of the account it is about.
    pub amount: i64,
    /// What became of it.
    pub outcome: Outcome,
}

/// A customer's money, or an item's stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// What is there.
    pub amount: i64,
    /// What of it is held for orders under way (semantic locks only).
    pub held: i64,
    /// Entries so far.
    pub version: u64,
}

/// How a ledger decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whose ledger it is.
    pub service: Service,
    /// What each account begins with.
    pub initial: i64,
    /// Charges and reservations are held until they are made final.
    pub locks: bool,
    /// The seeded bug `no-idempotency`.
    pub forgets_keys: bool,
    /// The seeded bug `out-of-order-compensation`.
    pub forgets_undone: bool,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Ledger {
    rules: Rules,
    accounts: BTreeMap<String, Account>,
    decided: BTreeMap<(String, Step), Outcome>,
    entries: Vec<Entry>,
    effects: Vec<Effect>,
    /// Steps that came again, since the start.
    repeats: BTreeMap<(String, Step), u64>,
}

impl Ledger {
    /// An empty one.
    pub fn new(rules: Rules) -> Ledger {
        Ledger {
            rules,
            accounts: BTreeMap::new(),
            decided: BTreeMap::new(),
            entries: Vec::new(),
            effects: Vec::new(),
            repeats: BTreeMap::new(),
        }
    }

    /// What was decided of a step, if it was. Counts that it came again.
    pub fn recall(&mut self, order: &str, step: Step) -> Option<Outcome> {
        let key = (order.to_owned(), step);
        let outcome = self.decided.get(&key)?.clone();
        *self.repeats.entry(key).or_default() += 1;
        if self.rules.forgets_keys && step.undoes().is_none() && outcome == Outcome::Done {
            return None;
        }
        Some(outcome)
    }

    /// What a step comes to, now; nothing changes.
    pub fn decide(&self, order: &Order, step: Step) -> Outcome {
        if let Some(undone) = step.undoes() {
            let known = self.decided.contains_key(&(order.id.clone(), undone));
            return if known { Outcome::Done } else { Outcome::Refused("nothing to undo".into()) };
        }
        let free = |name: &str| {
            let account = self.account(name);
            account.amount - account.held
        };
        let refused = match step {
            Step::Reserve if free(&order.item) < i64::from(order.quantity) => "no stock",
            Step::Charge if free(&order.customer) < i64::from(order.amount) => "no funds",
            Step::Ship if order.address == NOWHERE => "no such address",
            _ => return Outcome::Done,
        };
        Outcome::Refused(refused.to_owned())
    }

    /// The entries of a step with this outcome. One that was called off before it came is an
    /// entry too.
    pub fn entries_for(&self, order: &Order, step: Step, outcome: Outcome, at: Time) -> Vec<Entry> {
        let entry = |step: Step, outcome| {
            let (account, amount) = match step.service() {
                Service::Payments => (&order.customer, i64::from(order.amount)),
                Service::Inventory | Service::Shipping => (&order.item, i64::from(order.quantity)),
            };
            let (order, account) = (order.id.clone(), account.clone());
            Entry { at, order, step, account, amount, outcome }
        };
        match step.undoes() {
            Some(undone) if outcome != Outcome::Done => vec![
                entry(undone, Outcome::Refused("it was called off before it came".into())),
                entry(step, outcome),
            ],
            _ => vec![entry(step, outcome)],
        }
    }

    /// Takes a decided step into account.
    pub fn apply(&mut self, entry: Entry) {
        let undone = entry.step.undoes();
        let change = if entry.outcome == Outcome::Done { self.change(&entry) } else { 0 };
        let mut account = self.account(&entry.account);
        if self.rules.locks && entry.outcome == Outcome::Done {
            account.held += match entry.step {
                Step::Reserve | Step::Charge => entry.amount,
                Step::Pick | Step::Capture => -entry.amount,
                Step::Release | Step::Refund => -self.taken(&entry),
                Step::Ship | Step::Recall => 0,
            };
        }
        account.amount += change;
        account.version += 1;
        self.accounts.insert(entry.account.clone(), account);
        if self.rules.forgets_undone
            && let Some(undone) = undone
        {
            self.decided.remove(&(entry.order.clone(), undone));
        }
        self.decided.insert((entry.order.clone(), entry.step), entry.outcome.clone());
        self.effects.push(Effect {
            at: entry.at.0,
            order: entry.order.clone(),
            step: entry.step.name().to_owned(),
            account: entry.account.clone(),
            change,
            after: account.amount,
            refused: match &entry.outcome {
                Outcome::Done => None,
                Outcome::Refused(why) => Some(why.clone()),
            },
        });
        self.entries.push(entry);
    }

    /// What a step that is done adds to its account.
    fn change(&self, entry: &Entry) -> i64 {
        let locks = self.rules.locks;
        match entry.step {
            Step::Reserve | Step::Charge if !locks => -entry.amount,
            Step::Capture | Step::Pick => -entry.amount,
            Step::Release | Step::Refund if !locks => self.taken(entry),
            Step::Ship => entry.amount,
            Step::Recall => -entry.amount,
            Step::Reserve | Step::Charge | Step::Release | Step::Refund => 0,
        }
    }

    /// What a compensation gives back: nothing if its step was refused.
    fn taken(&self, entry: &Entry) -> i64 {
        let step = entry.step.undoes().unwrap_or(entry.step);
        match self.decided.get(&(entry.order.clone(), step)) {
            Some(Outcome::Done) => entry.amount,
            _ => 0,
        }
    }

    /// An account as it is; one that nobody has used yet is full.
    pub fn account(&self, name: &str) -> Account {
        let fresh = Account { amount: self.rules.initial, held: 0, version: 0 };
        self.accounts.get(name).copied().unwrap_or(fresh)
    }

    /// All accounts that were used.
    pub fn accounts(&self) -> &BTreeMap<String, Account> {
        &self.accounts
    }

    /// All that was decided, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The same for snapshots.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// Steps that came again after they had been decided.
    pub fn repeats(&self) -> Vec<(String, String, u64)> {
        let repeats = self.repeats.iter();
        repeats
            .map(|((order, step), count)| (order.clone(), step.name().to_owned(), *count))
            .collect()
    }

    /// How it decides.
    pub fn rules(&self) -> Rules {
        self.rules
    }
}
