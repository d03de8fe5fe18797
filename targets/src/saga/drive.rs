//! The orchestrator at work: requests become sagas, and each saga is driven to its end.
//!
//! A stage is in the saga log before its step is asked for, and a step is asked for again, with
//! back-off, until its outcome is known: an outcome is never guessed. So after a crash, or at the
//! replica, every open saga goes on from the stage that the log shows.

use super::SagaOrders;
use super::book::{Change, Saga, Told};
use super::message::{Event, Kind, Message, Timer};
use super::options::Style;
use super::orders::{Lead, Orders, Role, refused};
use super::replica::{Origin, Output};
use super::stage::{self, Outcome, Stage, Step};
use super::{INVENTORY, PAYMENTS, SHIPPING};
use crate::api::orders::{Order, Request, Response, Snapshot};
use crate::bugs::Bug;
use crate::node::{Cx, NodeId};
use std::sync::Arc;

/// The most orders under way; beyond it, new ones are refused.
pub const OPEN_MAX: usize = 4096;
/// The seeded bug `compensate-unknown` gives a charge up after so many tries.
const CHARGE_TRIES: u32 = 2;

impl Orders {
    /// Serves a request, as the one that leads.
    pub(super) fn serve(&mut self, origin: Origin, request: Request, cx: &mut Cx<'_, SagaOrders>) {
        let response = match request {
            Request::Place(order) => return self.place(origin, order, cx),
            Request::Cancel { order } => return self.cancel(origin, &order, cx),
            Request::Read { order } => self.standing(&order),
            Request::Drain => Response::Open { orders: self.book.open().len() as u64 },
            Request::Snapshot => Response::Snapshot(self.snapshot(cx)),
            Request::Balance { .. } | Request::Stock { .. } => {
                refused("the orders service does not serve this")
            }
        };
        self.say(Output::Reply(origin, response));
    }

    fn standing(&self, id: &str) -> Response {
        let state = self.book.get(id).map(|saga| saga.stage.name().to_owned());
        Response::Order { state }
    }

    fn snapshot(&self, cx: &Cx<'_, SagaOrders>) -> Snapshot {
        let orders = self.book.sagas().values();
        Snapshot {
            service: "orders".to_owned(),
            now: cx.now().0,
            orders: orders
                .map(|saga| (Order::clone(&saga.order), saga.stage.name().to_owned()))
                .collect(),
            moves: self.book.moves().to_vec(),
            ..Snapshot::default()
        }
    }

    fn place(&mut self, origin: Origin, order: Order, cx: &mut Cx<'_, SagaOrders>) {
        let id = order.id.clone();
        if self.book.get(&id).is_none() {
            if self.book.open().len() >= OPEN_MAX {
                return self.say(Output::Reply(origin, refused("too many orders are under way")));
            }
            let stage = match self.options.style {
                Style::Orchestration => Stage::Reserving,
                Style::Choreography => Stage::Placed,
            };
            self.append(Change::Placed { order: Arc::new(order), stage }, cx);
            self.pursue(&id, cx);
        }
        self.wait_for_end(origin, &id, cx);
    }

    fn cancel(&mut self, origin: Origin, id: &str, cx: &mut Cx<'_, SagaOrders>) {
        let in_time = |saga: &Saga| {
            let too_late = matches!(saga.stage, Stage::Capturing | Stage::Picking);
            !saga.cancel && !saga.stage.is_end() && !too_late
        };
        if self.book.get(id).is_some_and(in_time) {
            self.append(Change::CancelAsked { order: id.to_owned() }, cx);
            if self.options.style == Style::Choreography {
                self.pursue(id, cx);
            }
        }
        self.wait_for_end(origin, id, cx);
    }

    /// Answers when the order has come to its end, or patience to its own.
    fn wait_for_end(&mut self, origin: Origin, id: &str, cx: &mut Cx<'_, SagaOrders>) {
        if self.book.get(id).is_none_or(|saga| saga.stage.is_end()) {
            return self.say(Output::Reply(origin, self.standing(id)));
        }
        let Role::Leader(lead) = &mut self.role else { return };
        let waiting = lead.waiting.entry(id.to_owned()).or_default();
        if waiting.is_empty() {
            cx.set_timer(Timer::Patience(id.to_owned()), self.options.patience);
        }
        waiting.push(origin);
    }

    pub(super) fn on_patience(&mut self, id: &str, cx: &mut Cx<'_, SagaOrders>) {
        self.answer_waiting(id, cx);
    }

    fn answer_waiting(&mut self, id: &str, cx: &mut Cx<'_, SagaOrders>) {
        let Role::Leader(lead) = &mut self.role else { return };
        let Some(waiting) = lead.waiting.remove(id) else { return };
        cx.cancel_timer(Timer::Patience(id.to_owned()));
        for origin in waiting {
            self.say(Output::Reply(origin, self.standing(id)));
        }
    }

    /// Goes on with every saga that has not come to its end.
    pub(super) fn resume(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        let open: Vec<String> = self.book.open().iter().cloned().collect();
        for id in open {
            let undoing = self.book.get(&id).is_some_and(|saga| saga.stage.is_undoing());
            if undoing && self.has(Bug::LostCompensation) {
                let cancel = self.book.get(&id).is_some_and(|saga| saga.cancel);
                let end = if cancel { Stage::Cancelled } else { Stage::Refused };
                self.go(&id, end, "", cx);
            } else if !self.has(Bug::StuckSaga) {
                self.pursue(&id, cx);
            }
        }
    }

    /// Asks for what an order waits for, and again after a while.
    fn pursue(&mut self, id: &str, cx: &mut Cx<'_, SagaOrders>) {
        let Some(saga) = self.book.get(id) else { return };
        let due = self.due(saga);
        if due.is_empty() {
            return cx.cancel_timer(Timer::Retry(id.to_owned()));
        }
        due.into_iter().for_each(|(to, message)| self.say(Output::Send(to, message)));
        let Role::Leader(lead) = &mut self.role else { return };
        let attempts = lead.attempts.entry(id.to_owned()).or_default();
        let rest = self.options.retry * 2u32.pow((*attempts).min(4));
        *attempts += 1;
        cx.set_timer(Timer::Retry(id.to_owned()), rest);
    }

    /// What an order waits for, as messages.
    fn due(&self, saga: &Saga) -> Vec<(NodeId, Message)> {
        let token = self.token;
        let step = saga.stage.step().map(|step| {
            let order = Arc::clone(&saga.order);
            (node_of(step.service()), Message::Do { token, step, order })
        });
        let events = saga.outbox.iter().map(|told| {
            let (kind, order) = (Kind::Told(*told), Arc::clone(&saga.order));
            let to = if *told == Told::Placed { INVENTORY } else { SHIPPING };
            let event = Event { kind, order, why: String::new() };
            (to, Message::Event { event, token: Some(token) })
        });
        step.into_iter().chain(events).collect()
    }

    pub(super) fn on_retry(&mut self, id: &str, cx: &mut Cx<'_, SagaOrders>) {
        let Role::Leader(lead) = &self.role else { return };
        let attempts = lead.attempts.get(id).copied().unwrap_or(0);
        let charging = self.book.get(id).is_some_and(|saga| saga.stage == Stage::Charging);
        if charging && attempts >= CHARGE_TRIES && self.has(Bug::CompensateUnknown) {
            let outcome = Outcome::Refused("it takes too long".to_owned());
            return self.on_did(id, Step::Charge, &outcome, cx);
        }
        self.pursue(id, cx);
    }

    /// A step has ended.
    pub(super) fn on_did(
        &mut self,
        id: &str,
        step: Step,
        outcome: &Outcome,
        cx: &mut Cx<'_, SagaOrders>,
    ) {
        if !self.leads() {
            return;
        }
        let Some(saga) = self.book.get(id) else { return };
        // Whatever else comes is a late copy.
        if saga.stage.step() != Some(step) {
            return;
        }
        let next = saga.stage.next(outcome, saga.cancel, self.options.locks);
        let why = match outcome {
            Outcome::Done => String::new(),
            Outcome::Refused(why) => format!("{step} was refused: {why}"),
        };
        self.go(id, next, &why, cx);
    }

    fn go(&mut self, id: &str, to: Stage, why: &str, cx: &mut Cx<'_, SagaOrders>) {
        self.append(Change::Moved { order: id.to_owned(), to, why: why.to_owned() }, cx);
        if let Role::Leader(lead) = &mut self.role {
            lead.attempts.remove(id);
        }
        if to.is_end() {
            cx.cancel_timer(Timer::Retry(id.to_owned()));
            self.answer_waiting(id, cx);
        } else {
            self.pursue(id, cx);
        }
    }

    /// A service tells how an order ended (choreography only).
    pub(super) fn on_event(&mut self, from: NodeId, event: &Event, cx: &mut Cx<'_, SagaOrders>) {
        if !self.leads() {
            return;
        }
        let id = &event.order.id;
        let open = self.book.get(id).filter(|saga| !saga.stage.is_end());
        if let Some(saga) = open {
            let end = match event.kind {
                Kind::Did(Step::Ship) => Some(Stage::Confirmed),
                Kind::Refused(Step::Reserve) | Kind::Did(Step::Release) if saga.cancel => {
                    Some(Stage::Cancelled)
                }
                Kind::Refused(Step::Reserve) | Kind::Did(Step::Release) => Some(Stage::Refused),
                _ => None,
            };
            if let Some(end) = end {
                self.go(id, end, &event.why, cx);
            }
        }
        let ack = Message::Ack { order: id.clone(), kind: event.kind };
        self.say(Output::Send(from, ack));
    }

    /// A service has an event on disk (choreography only).
    pub(super) fn on_ack(&mut self, id: String, kind: Kind, cx: &mut Cx<'_, SagaOrders>) {
        let Kind::Told(told) = kind else { return };
        let waits = self.book.get(&id).is_some_and(|saga| saga.outbox.contains(&told));
        if !self.leads() || !waits {
            return;
        }
        self.append(Change::Taken { order: id.clone(), event: told }, cx);
        if self.book.get(&id).is_some_and(|saga| saga.outbox.is_empty()) {
            cx.cancel_timer(Timer::Retry(id.clone()));
        }
        if let Role::Leader(lead) = &mut self.role {
            Lead::forget_attempts(lead, &id);
        }
    }
}

impl Lead {
    fn forget_attempts(&mut self, id: &str) {
        self.attempts.remove(id);
    }
}

fn node_of(service: stage::Service) -> NodeId {
    match service {
        stage::Service::Payments => PAYMENTS,
        stage::Service::Inventory => INVENTORY,
        stage::Service::Shipping => SHIPPING,
    }
}
