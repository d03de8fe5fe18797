//! Who reacts to what, where nobody conducts: each service acts on the events of others.
//!
//! | event | who takes it | what it does |
//! |---|---|---|
//! | placed | inventory | reserve |
//! | reserved | payments | charge |
//! | charged | shipping | ship |
//! | shipped | orders | the order is confirmed |
//! | ship refused | payments | refund |
//! | charge refused, refunded | inventory | release |
//! | reserve refused, released | orders | the order is refused, or cancelled |
//! | cancel asked | shipping | refuses to ship, if it has not shipped yet |
//!
//! An event goes out through a transactional outbox (Richardson, *Microservices Patterns*, 2018,
//! 3.3.7): it is one record of the journal with the change that it tells of, so that there is
//! never one without the other, and is sent until its receiver has it on disk. So it may come
//! twice; each step has its idempotency key.

use super::book::Told;
use super::message::{Event, Kind};
use super::stage::{Outcome, Service, Step};
use crate::api::orders::Order;
use std::sync::Arc;

/// Who takes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// A service with a ledger.
    Service(Service),
    /// The orders service, whichever of its two nodes leads.
    Orders,
}

/// What a service does about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// It is not for it.
    Nothing,
    /// This step.
    Step(Step),
    /// It will refuse to ship the order.
    CallOff,
}

/// Who takes an event of this kind.
pub(super) fn receiver(kind: Kind) -> To {
    match kind {
        Kind::Told(Told::Placed) | Kind::Refused(Step::Charge) | Kind::Did(Step::Refund) => {
            To::Service(Service::Inventory)
        }
        Kind::Did(Step::Reserve) | Kind::Refused(Step::Ship) => To::Service(Service::Payments),
        Kind::Did(Step::Charge) | Kind::Told(Told::CancelAsked) => To::Service(Service::Shipping),
        Kind::Did(_) | Kind::Refused(_) => To::Orders,
    }
}

/// What `service` does about an event of this kind.
pub(super) fn reaction(service: Service, kind: Kind) -> Reaction {
    if receiver(kind) != To::Service(service) {
        return Reaction::Nothing;
    }
    match kind {
        Kind::Told(Told::Placed) => Reaction::Step(Step::Reserve),
        Kind::Told(Told::CancelAsked) => Reaction::CallOff,
        Kind::Did(Step::Reserve) => Reaction::Step(Step::Charge),
        Kind::Did(Step::Charge) => Reaction::Step(Step::Ship),
        Kind::Refused(Step::Ship) => Reaction::Step(Step::Refund),
        Kind::Refused(Step::Charge) | Kind::Did(Step::Refund) => Reaction::Step(Step::Release),
        Kind::Did(_) | Kind::Refused(_) => Reaction::Nothing,
    }
}

/// The event that tells what became of a step.
pub(super) fn event_of(order: &Arc<Order>, step: Step, outcome: &Outcome) -> Event {
    let (kind, why) = match outcome {
        Outcome::Refused(why) if step.undoes().is_none() => (Kind::Refused(step), why.clone()),
        // A compensation cannot be refused: there was nothing, or there is nothing now.
        Outcome::Done | Outcome::Refused(_) => (Kind::Did(step), String::new()),
    };
    Event { kind, order: Arc::clone(order), why }
}
