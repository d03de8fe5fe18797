//! Messages and nodes in a few words.

use quorate_targets::api::orders::{Request, Response};
use quorate_targets::saga::book::Change;
use quorate_targets::saga::stage::Outcome;
use quorate_targets::saga::{Ask, Kind, Log, Message, SagaOrders, Word};

pub(crate) fn message(message: &Message) -> String {
    match message {
        Message::Lease(Ask::Acquire { .. }) => "lease?".to_owned(),
        Message::Lease(Ask::Renew { token, .. }) => format!("renew token {}", token.0),
        Message::Lease(Ask::Pair { token, paired, .. }) => {
            let other = if *paired { "may follow" } else { "may not follow" };
            format!("the other one {other}, token {}", token.0)
        }
        Message::Leased(word) => match word {
            Word::Granted { token, paired, .. } => {
                let wait = if *paired { ", and is followed" } else { "" };
                format!("granted token {}{wait}", token.0)
            }
            Word::Renewed { .. } => "renewed".to_owned(),
            Word::Noted { .. } => "noted".to_owned(),
            Word::Held { holder, token } => format!("held by {holder} under {}", token.0),
        },
        Message::Log(log) => self::log(log),
        Message::Forward { request: what, .. } => format!("forward {}", request(what)),
        Message::Answer { response: what, .. } => format!("answer {}", response(what)),
        Message::Do { token, step, order } => format!("{step} {}, token {}", order.id, token.0),
        Message::Did { order, step, outcome } => match outcome {
            Outcome::Done => format!("{step} {order}: done"),
            Outcome::Refused(why) => format!("{step} {order}: refused, {why}"),
        },
        Message::Fenced { token } => format!("fenced by token {}", token.0),
        Message::Event { event, .. } => format!("event: {}", kind(event.kind, &event.order.id)),
        Message::Ack { order, kind: what } => format!("taken: {}", kind(*what, order)),
    }
}

fn log(log: &Log) -> String {
    match log {
        Log::Join => "join".to_owned(),
        Log::State { token, book, .. } => {
            format!("all up to {}, token {}", book.seq(), token.0)
        }
        Log::Entries { token, entries, .. } => {
            let changes: Vec<String> = entries
                .iter()
                .map(|entry| format!("{} {}", entry.seq, change(&entry.change)))
                .collect();
            let what = if changes.is_empty() { "nothing new".into() } else { changes.join("; ") };
            format!("log {what}, token {}", token.0)
        }
        Log::Have { token, seq, .. } => format!("have up to {seq}, token {}", token.0),
    }
}

fn change(change: &Change) -> String {
    match change {
        Change::Placed { order, stage } => format!("{} {stage}", order.id),
        Change::Moved { order, to, .. } => format!("{order} {to}"),
        Change::CancelAsked { order } => format!("{order} cancel asked"),
        Change::Taken { order, event } => format!("{order} {event:?} taken"),
    }
}

fn kind(kind: Kind, order: &str) -> String {
    match kind {
        Kind::Told(told) => format!("{told:?} {order}"),
        Kind::Did(step) => format!("{step} {order} done"),
        Kind::Refused(step) => format!("{step} {order} refused"),
    }
}

pub(crate) fn request(request: &Request) -> String {
    match request {
        Request::Place(order) => format!("place {}", order.id),
        Request::Cancel { order } => format!("cancel {order}"),
        Request::Read { order } => format!("read {order}"),
        Request::Balance { customer } => format!("balance of {customer}"),
        Request::Stock { item } => format!("stock of {item}"),
        Request::Drain => "drain".to_owned(),
        Request::Snapshot => "snapshot".to_owned(),
    }
}

pub(crate) fn response(response: &Response) -> String {
    match response {
        Response::Order { state: Some(state) } => state.clone(),
        Response::Order { state: None } => "no such order".to_owned(),
        Response::Amount { amount, .. } => amount.to_string(),
        Response::Open { orders } => format!("{orders} under way"),
        Response::Snapshot(snapshot) => format!("all of {}", snapshot.service),
        Response::Error { definite, reason } => {
            format!("{}: {reason}", if *definite { "fail" } else { "unknown" })
        }
    }
}

/// What a node has: an orchestrator its orders, a service its accounts.
pub(crate) fn node(node: &SagaOrders) -> String {
    match node {
        SagaOrders::Orders(orders) => {
            let role = if orders.is_leader() { "leads" } else { "stands by" };
            let paired = if orders.is_paired() { " with its replica" } else { "" };
            let sagas = orders.book().sagas().iter();
            let sagas: Vec<String> =
                sagas.map(|(id, saga)| format!("{id} {}", saga.stage)).collect();
            format!("{role}{paired}, token {}: {}", orders.token().0, sagas.join(", "))
        }
        SagaOrders::Service(service) => {
            let accounts = service.ledger().accounts().iter();
            let accounts: Vec<String> = accounts
                .map(|(name, account)| match account.held {
                    0 => format!("{name} {}", account.amount),
                    held => format!("{name} {} ({held} held)", account.amount),
                })
                .collect();
            format!("fence {}: {}", service.fence().0, accounts.join(", "))
        }
    }
}
