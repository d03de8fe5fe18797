//! The api of an order service: place and cancel orders, read them, read what they cost.
//!
//! Over HTTP: `POST /orders` with a [`Request`] as JSON, for instance
//! `{"op":"place","order":"o1","customer":"c1","item":"i1","quantity":1,"amount":5,"address":"here"}`;
//! the answer is a [`Response`], for instance `{"result":"order","state":"confirmed"}`.
//!
//! The client chooses the name of an order, and every operation may be repeated: a place of an
//! order that is there answers how it stands.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Request {
    /// Place an order.
    Place(Order),
    /// Take an order back, if it is not too late.
    Cancel {
        /// Which.
        order: String,
    },
    /// How an order stands.
    Read {
        /// Which.
        order: String,
    },
    /// What a customer has left. Asked of the payments service.
    Balance {
        /// Whose.
        customer: String,
    },
    /// What is left of an item. Asked of the inventory service.
    Stock {
        /// Of which.
        item: String,
    },
    /// How many orders are under way. Asked of the orders service.
    Drain,
    /// All that the asked service has, at one moment.
    Snapshot,
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its name, chosen by the client.
    #[serde(rename = "order")]
    pub id: String,
    /// Who pays. Every customer has a balance to begin with.
    pub customer: String,
    /// What is bought. Every item has a stock to begin with.
    pub item: String,
    /// How many of it.
    pub quantity: u32,
    /// What it costs in all.
    pub amount: u32,
    /// Where it goes; nothing goes to `nowhere`.
    pub address: String,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Response {
    /// How an order stands.
    Order {
        /// Its stage; `null` if there is no such order.
        state: Option<String>,
    },
    /// A balance or a stock.
    Amount {
        /// How much.
        amount: i64,
        /// After so many entries of the account.
        version: u64,
    },
    /// Orders under way.
    Open {
        /// How many.
        orders: u64,
    },
    /// All of a service.
    Snapshot(Snapshot),
    /// The request was not served.
    Error {
        /// Whether it is certain that the request had no effect and never will.
        definite: bool,
        /// Why, in a few words.
        reason: String,
    },
}

/// All that a service has, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which service: `orders`, `payments`, `inventory`, `shipping`.
    pub service: String,
    /// Its clock, in nanoseconds.
    pub now: u64,
    /// What every account began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<i64>,
    /// Balances by customer, or stocks by item.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<String, i64>,
    /// What was done for orders, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// Steps that came again after they had been decided, and how often (since the last start).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeats: Vec<(String, String, u64)>,
    /// Orders with their stages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<(Order, String)>,
    /// How orders went from stage to stage, in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// When, by the service's clock, in nanoseconds.
    pub at: u64,
    /// For which order.
    pub order: String,
    /// Which step: `charge`, `refund`, ...
    pub step: String,
    /// The customer or item.
    pub account: String,
    /// What it added to the account.
    pub change: i64,
    /// The account behind it.
    pub after: i64,
    /// Why it was refused, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// An order went to another stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// When, by the clock of who decided it, in nanoseconds.
    pub at: u64,
    /// Which order.
    pub order: String,
    /// To which stage; `cancel asked` is none, and recorded too.
    pub to: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}
