//! Operations on orders as requests of the orders api, and its outcomes as completions.
//!
//! | operation | key | argument | result |
//! |---|---|---|---|
//! | `place` | the order | customer, item, quantity, amount, address | its stage |
//! | `cancel`, `read` | the order | | its stage; `null` if there is no such order |
//! | `balance`, `stock` | the customer, the item | | `[amount, entries so far]` |
//! | `drain` | `orders`, `replica` | | `0`; a `fail` while orders are under way |
//! | `book` | `orders` | | all orders and how they went |
//! | `audit` | the service | | all accounts and what was done for orders |
//!
//! What only reads is never `info`. Errors are `[label, detail]`, with the labels of
//! [`kv`](crate::kv) and one more: `open`, orders are under way, so many.

use crate::generator::Invocation;
use crate::workload::Completion;
use quorate_checkers::history::EventType;
use quorate_checkers::value::Value;
use quorate_targets::api::orders::{Order, Request, Response};
use quorate_targets::api::{self, Outcome};
use quorate_targets::node::NodeId;
use quorate_targets::saga;

/// The node of a service.
pub(super) fn node_of(service: &str) -> NodeId {
    match service {
        "payments" => saga::PAYMENTS,
        "inventory" => saga::INVENTORY,
        "shipping" => saga::SHIPPING,
        "replica" => saga::ORCHESTRATORS[1],
        _ => saga::ORCHESTRATORS[0],
    }
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The request for an operation. One that is none of those above reads.
pub fn encode(invocation: &Invocation) -> api::Request {
    let key = text(invocation.key.as_ref());
    let field = |name| invocation.value.get(name);
    let number = |name| {
        let number = field(name).and_then(Value::as_int);
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
    };
    api::Request::Orders(match &*invocation.f {
        "place" => Request::Place(Order {
            id: key,
            customer: text(field("customer")),
            item: text(field("item")),
            quantity: number("quantity"),
            amount: number("amount"),
            address: text(field("address")),
        }),
        "cancel" => Request::Cancel { order: key },
        "balance" => Request::Balance { customer: key },
        "stock" => Request::Stock { item: key },
        "drain" => Request::Drain,
        "book" | "audit" => Request::Snapshot,
        _ => Request::Read { order: key },
    })
}

/// The completion of an operation.
pub fn decode(invocation: &Invocation, outcome: Outcome) -> Completion {
    let changes = matches!(&*invocation.f, "place" | "cancel");
    let uncertain = if changes { EventType::Info } else { EventType::Fail };
    let failed = |kind, label: &str, detail: Value| {
        let error = Value::list([Value::str(label), detail]);
        Completion { kind, value: invocation.value.clone(), error: Some(error) }
    };
    let response = match outcome {
        Outcome::Answered(api::Response::Orders(response)) => response,
        Outcome::Answered(_) => return failed(uncertain, "protocol", "another api".into()),
        Outcome::Refused(why) => return failed(EventType::Fail, "refused", why.into()),
        Outcome::Unknown(why) => return failed(uncertain, "unknown", why.into()),
    };
    let done = |value| Completion { kind: EventType::Ok, value, error: None };
    match (&*invocation.f, response) {
        ("place" | "cancel" | "read", Response::Order { state }) => {
            done(state.map_or(Value::Null, Value::from))
        }
        ("balance" | "stock", Response::Amount { amount, version }) => {
            done(Value::list([Value::Int(amount), Value::Int(version as i64)]))
        }
        ("drain", Response::Open { orders: 0 }) => done(Value::Int(0)),
        ("drain", Response::Open { orders }) => {
            failed(EventType::Fail, "open", Value::Int(orders as i64))
        }
        ("book" | "audit", Response::Snapshot(snapshot)) => {
            done(serde_json::to_value(snapshot).unwrap_or_default().into())
        }
        (_, Response::Error { definite: true, reason }) => {
            failed(EventType::Fail, "rejected", reason.into())
        }
        (_, Response::Error { definite: false, reason }) => {
            failed(uncertain, "indeterminate", reason.into())
        }
        (_, Response::Order { .. }) => failed(uncertain, "protocol", "order".into()),
        (_, Response::Amount { .. }) => failed(uncertain, "protocol", "amount".into()),
        (_, Response::Open { .. }) => failed(uncertain, "protocol", "open".into()),
        (_, Response::Snapshot(_)) => failed(uncertain, "protocol", "snapshot".into()),
    }
}
