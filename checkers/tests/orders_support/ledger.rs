//! A service's accounts, with a clock of its own.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How far the clock of each service is ahead of the clients'.
const AHEAD: u64 = 7_000_000_000;

pub(crate) struct Ledger {
    pub(crate) service: &'static str,
    initial: i64,
    pub(crate) accounts: BTreeMap<String, i64>,
    effects: Vec<Value>,
}

impl Ledger {
    pub(crate) fn new(service: &'static str, initial: i64) -> Ledger {
        Ledger { service, initial, accounts: BTreeMap::new(), effects: Vec::new() }
    }

    pub(crate) fn left(&self, account: &str) -> i64 {
        self.accounts.get(account).copied().unwrap_or(self.initial)
    }

    pub(crate) fn done(&mut self, at: u64, order: &str, step: &str, account: &str, change: i64) {
        let after = self.left(account) + change;
        self.accounts.insert(account.to_owned(), after);
        self.effects.push(json!({"at": at + AHEAD, "order": order, "step": step,
            "account": account, "change": change, "after": after}));
    }

    pub(crate) fn refuses(&mut self, at: u64, order: &str, step: &str, account: &str) {
        self.done(at, order, step, account, 0);
        self.effects.last_mut().unwrap()["refused"] = json!("no");
    }

    /// How many entries an account has.
    pub(crate) fn version(&self, account: &str) -> usize {
        self.effects.iter().filter(|effect| effect["account"] == account).count()
    }

    /// What an order had taken of an account after so many of its entries.
    pub(crate) fn balance_of(&self, account: &str, version: usize, order: &str) -> i64 {
        let entries = self.effects.iter().filter(|effect| effect["account"] == account);
        let own = entries.take(version).filter(|effect| effect["order"] == order);
        own.map(|effect| effect["change"].as_i64().unwrap()).sum()
    }

    /// How often a step of an order was done.
    pub(crate) fn count(&self, order: &str, step: &str) -> usize {
        let own = |effect: &&Value| effect["order"] == order && effect["step"] == step;
        self.effects.iter().filter(own).filter(|effect| effect["refused"].is_null()).count()
    }

    /// A step of an order never was, and every entry behind it counts anew.
    pub(crate) fn forget(&mut self, order: &str, step: &str) {
        self.effects.retain(|effect| effect["order"] != order || effect["step"] != step);
        self.accounts.values_mut().for_each(|left| *left = self.initial);
        for effect in &mut self.effects {
            let left = self.accounts.get_mut(effect["account"].as_str().unwrap()).unwrap();
            *left += effect["change"].as_i64().unwrap();
            effect["after"] = json!(*left);
        }
    }

    /// The last entry of an account goes on from something else than the one before it left.
    pub(crate) fn overwrite(&mut self, account: &str) {
        let mut last = self.effects.iter_mut().rev();
        let last = last.find(|effect| effect["account"] == account).unwrap();
        let after = last["after"].as_i64().unwrap() + 3;
        last["after"] = json!(after);
        self.accounts.insert(account.to_owned(), after);
    }

    pub(crate) fn audit(&self, now: u64) -> Value {
        json!({"service": self.service, "now": now + AHEAD, "initial": self.initial,
            "accounts": self.accounts, "effects": self.effects})
    }
}
