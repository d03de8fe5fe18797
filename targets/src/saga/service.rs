//! A service with a ledger: payments, inventory or shipping. Shipping also keeps the lease.
//!
//! Each step that it is asked for, or that an event calls for, is one local transaction: decided
//! once, on disk before anybody is told, and answered alike ever after. Requests under an old
//! fencing token are refused.

use super::choreography::{self, To};
use super::ledger::{Ledger, Rules};
use super::message::{Event, Kind, Message, Record, Timer, Token, Word};
use super::options::{Options, Style};
use super::registrar::Registrar;
use super::stage::{self, Outcome, Step};
use super::{INVENTORY, PAYMENTS, SHIPPING, SagaOrders};
use crate::api::orders::{Order, Request, Response, Snapshot};
use crate::bugs::Bug;
use crate::node::{Config, Cx, Input, NodeId, RequestId, Status};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How long the seeded bug `oversell` thinks between looking and taking.
const THINKS: Duration = Duration::from_millis(4);
/// How late the seeded bug `outbox-not-atomic` writes its outbox.
const LATE_OUTBOX: Duration = Duration::from_millis(50);
/// How long an event waits for its receiver before it is sent again.
const RELAY: Duration = Duration::from_millis(100);
/// At most so many events are sent again at once.
const RELAY_MAX: usize = 256;

/// See the [module](self).
#[derive(Debug)]
pub struct Service {
    pub(super) config: Config,
    pub(super) options: Options,
    service: stage::Service,
    boots: u64,
    /// The highest token that was seen. On disk.
    fence: Token,
    /// On disk.
    ledger: Ledger,
    /// Orders that their clients took back before they were shipped. On disk.
    called_off: BTreeSet<String>,
    /// Events that their receivers have not taken. On disk.
    outbox: BTreeMap<(String, Kind), Event>,
    relaying: bool,
    /// At shipping only.
    registrar: Option<Registrar>,
    /// Whether records were appended behind the last sync.
    unsynced: bool,
    /// Seen to be there, and about to be taken (bug `oversell`), with who asked.
    taking: BTreeMap<String, (Option<NodeId>, Arc<Order>)>,
    /// Events that are not in the outbox yet (bug `outbox-not-atomic`).
    late: BTreeMap<String, Vec<Event>>,
}

impl Service {
    pub(super) fn boot(
        config: Config,
        options: Options,
        service: stage::Service,
        journal: Vec<Record>,
    ) -> Result<Service, String> {
        let rules = Rules {
            service,
            initial: match service {
                stage::Service::Payments => options.balance,
                stage::Service::Inventory => options.stock,
                stage::Service::Shipping => 0,
            },
            locks: options.locks,
            forgets_keys: config.has(Bug::NoIdempotency),
            forgets_undone: config.has(Bug::OutOfOrderCompensation),
        };
        let registrar = (service == stage::Service::Shipping).then(Registrar::default);
        let mut node = Service {
            config,
            options,
            service,
            boots: 0,
            fence: Token(0),
            ledger: Ledger::new(rules),
            called_off: BTreeSet::new(),
            outbox: BTreeMap::new(),
            relaying: false,
            registrar,
            unsynced: false,
            taking: BTreeMap::new(),
            late: BTreeMap::new(),
        };
        for (number, record) in journal.into_iter().enumerate() {
            node.replay(record).map_err(|why| format!("journal, record {number}: {why}"))?;
        }
        node.boots += 1;
        Ok(node)
    }

    fn replay(&mut self, record: Record) -> Result<(), String> {
        match record {
            Record::Boot(boots) => self.boots = boots,
            Record::Token(token) if token < self.fence => {
                return Err(format!("token {} behind token {}", token.0, self.fence.0));
            }
            Record::Token(token) => self.fence = token,
            Record::Decided { entries, events } => {
                entries.into_iter().for_each(|entry| self.ledger.apply(entry));
                self.outbox.extend(events.into_iter().map(keyed));
            }
            Record::CalledOff(order) => drop(self.called_off.insert(order)),
            Record::Sent { order, kind } => drop(self.outbox.remove(&(order, kind))),
            Record::Lease(lease) => match &mut self.registrar {
                Some(registrar) => registrar.replay(lease),
                None => return Err("a lease, and this service grants none".to_owned()),
            },
            Record::Entry(_) | Record::Book(_) => {
                return Err("a record of an orchestrator".to_owned());
            }
        }
        Ok(())
    }

    pub(super) fn step(&mut self, input: Input<SagaOrders>, cx: &mut Cx<'_, SagaOrders>) {
        match input {
            Input::Start => self.start(cx),
            Input::Request { id, request } => self.request(id, &request, cx),
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer(timer) => self.wake(timer, cx),
        }
        self.sync(cx);
    }

    fn start(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        self.persist(Record::Boot(self.boots), cx);
        if self.registrar.as_mut().is_some_and(Registrar::start) {
            cx.set_timer(Timer::Expired, self.options.lease);
        }
        self.relay(cx);
    }

    fn request(&mut self, id: RequestId, request: &Request, cx: &mut Cx<'_, SagaOrders>) {
        let amount = |name: &str| {
            let account = self.ledger.account(name);
            Response::Amount { amount: account.amount, version: account.version }
        };
        let response = match (request, self.service) {
            (Request::Balance { customer }, stage::Service::Payments) => amount(customer),
            (Request::Stock { item }, stage::Service::Inventory) => amount(item),
            (Request::Snapshot, _) => Response::Snapshot(self.snapshot(cx)),
            _ => {
                let reason = format!("{} does not serve this", self.role());
                Response::Error { definite: true, reason }
            }
        };
        cx.reply(id, response);
    }

    fn snapshot(&self, cx: &Cx<'_, SagaOrders>) -> Snapshot {
        let accounts = self.ledger.accounts().iter();
        Snapshot {
            service: self.role().to_owned(),
            now: cx.now().0,
            initial: Some(self.ledger.rules().initial),
            accounts: accounts.map(|(name, account)| (name.clone(), account.amount)).collect(),
            effects: self.ledger.effects().to_vec(),
            repeats: self.ledger.repeats(),
            ..Snapshot::default()
        }
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_, SagaOrders>) {
        match message {
            Message::Lease(ask) => {
                let Some(registrar) = &mut self.registrar else { return };
                let decision = registrar.decide(from, ask);
                if let Some(lease) = decision.persist {
                    self.persist(Record::Lease(lease), cx);
                }
                if decision.extend {
                    cx.set_timer(Timer::Expired, self.options.lease);
                }
                if let Some(word) = decision.word {
                    self.leased(from, word, cx);
                }
            }
            Message::Do { token, step, order } => {
                if self.admits(from, token, cx) && step.service() == self.service {
                    self.perform(Some(from), &order, step, cx);
                }
            }
            Message::Event { event, token } => {
                if token.is_none_or(|token| self.admits(from, token, cx)) {
                    self.react(from, &event, cx);
                }
            }
            Message::Ack { order, kind } => {
                if self.outbox.remove(&(order.clone(), kind)).is_some() {
                    // Nothing depends on it: one that is forgotten is sent again.
                    cx.append(Record::Sent { order, kind });
                }
            }
            // What orchestrators tell each other, and what they are told.
            Message::Leased(_)
            | Message::Log(_)
            | Message::Forward { .. }
            | Message::Answer { .. }
            | Message::Did { .. }
            | Message::Fenced { .. } => {}
        }
    }

    fn leased(&mut self, to: NodeId, word: Word, cx: &mut Cx<'_, SagaOrders>) {
        self.send(to, Message::Leased(word), cx);
    }

    /// Whether the holder of this token may still ask for anything.
    fn admits(&mut self, from: NodeId, token: Token, cx: &mut Cx<'_, SagaOrders>) -> bool {
        if token < self.fence && !self.config.has(Bug::NoFencing) {
            self.send(from, Message::Fenced { token: self.fence }, cx);
            return false;
        }
        if token > self.fence {
            self.fence = token;
            self.persist(Record::Token(token), cx);
        }
        true
    }

    /// Does a step, unless it was decided before, and says what became of it.
    fn perform(
        &mut self,
        from: Option<NodeId>,
        order: &Arc<Order>,
        step: Step,
        cx: &mut Cx<'_, SagaOrders>,
    ) {
        let outcome = match self.ledger.recall(&order.id, step) {
            Some(outcome) => outcome,
            None if step == Step::Ship && self.called_off.contains(&order.id) => {
                let outcome = Outcome::Refused("its client has taken it back".to_owned());
                self.record(order, step, outcome, cx)
            }
            None => {
                let outcome = self.ledger.decide(order, step);
                if self.config.has(Bug::Oversell)
                    && (step, &outcome) == (Step::Reserve, &Outcome::Done)
                {
                    self.taking.insert(order.id.clone(), (from, Arc::clone(order)));
                    cx.set_timer(Timer::Take(order.id.clone()), THINKS);
                    return;
                }
                self.record(order, step, outcome, cx)
            }
        };
        self.tell(from, &order.id, step, outcome, cx);
    }

    fn tell(
        &mut self,
        to: Option<NodeId>,
        order: &str,
        step: Step,
        outcome: Outcome,
        cx: &mut Cx<'_, SagaOrders>,
    ) {
        if let Some(to) = to {
            self.send(to, Message::Did { order: order.to_owned(), step, outcome }, cx);
        }
    }

    /// Writes down what became of a step, together with the events that follow from it.
    fn record(
        &mut self,
        order: &Arc<Order>,
        step: Step,
        outcome: Outcome,
        cx: &mut Cx<'_, SagaOrders>,
    ) -> Outcome {
        let entries = self.ledger.entries_for(order, step, outcome.clone(), cx.now());
        entries.iter().for_each(|entry| self.ledger.apply(entry.clone()));
        let mut events = match self.options.style {
            Style::Orchestration => Vec::new(),
            Style::Choreography => vec![choreography::event_of(order, step, &outcome)],
        };
        if self.config.has(Bug::OutboxNotAtomic) && !events.is_empty() {
            self.late.insert(order.id.clone(), std::mem::take(&mut events));
            cx.set_timer(Timer::LateOutbox(order.id.clone()), LATE_OUTBOX);
        }
        self.persist(Record::Decided { entries, events: events.clone() }, cx);
        self.emit(events, cx);
        outcome
    }

    /// Does what an event calls for; its sender is told once that is on disk.
    fn react(&mut self, from: NodeId, event: &Event, cx: &mut Cx<'_, SagaOrders>) {
        match choreography::reaction(self.service, event.kind) {
            choreography::Reaction::Nothing => return,
            choreography::Reaction::CallOff => {
                if self.called_off.insert(event.order.id.clone()) {
                    self.persist(Record::CalledOff(event.order.id.clone()), cx);
                }
            }
            choreography::Reaction::Step(step) => self.perform(None, &event.order, step, cx),
        }
        if !self.taking.contains_key(&event.order.id) {
            let ack = Message::Ack { order: event.order.id.clone(), kind: event.kind };
            self.send(from, ack, cx);
        }
    }

    /// Puts events into the outbox (they are on disk with what they tell of) and sends them.
    fn emit(&mut self, events: Vec<Event>, cx: &mut Cx<'_, SagaOrders>) {
        for event in events {
            self.deliver(&event, cx);
            let (key, event) = keyed(event);
            self.outbox.insert(key, event);
        }
        if !self.outbox.is_empty() && !self.relaying {
            self.relaying = true;
            cx.set_timer(Timer::Relay, RELAY);
        }
    }

    fn deliver(&mut self, event: &Event, cx: &mut Cx<'_, SagaOrders>) {
        let receivers = match choreography::receiver(event.kind) {
            To::Service(stage::Service::Payments) => vec![PAYMENTS],
            To::Service(stage::Service::Inventory) => vec![INVENTORY],
            To::Service(stage::Service::Shipping) => vec![SHIPPING],
            // Whoever leads takes it.
            To::Orders => super::ORCHESTRATORS.to_vec(),
        };
        for to in receivers {
            self.send(to, Message::Event { event: event.clone(), token: None }, cx);
        }
    }

    /// Sends again what nobody has taken.
    fn relay(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        self.relaying = false;
        let waiting: Vec<Event> = self.outbox.values().take(RELAY_MAX).cloned().collect();
        for event in &waiting {
            self.deliver(event, cx);
        }
        if !waiting.is_empty() {
            self.relaying = true;
            cx.set_timer(Timer::Relay, RELAY);
        }
    }

    fn wake(&mut self, timer: Timer, cx: &mut Cx<'_, SagaOrders>) {
        match timer {
            Timer::Expired => {
                if let Some(registrar) = &mut self.registrar {
                    registrar.expire();
                }
            }
            Timer::Relay => self.relay(cx),
            Timer::Take(order) => {
                let Some((from, order)) = self.taking.remove(&order) else { return };
                let outcome = self.record(&order, Step::Reserve, Outcome::Done, cx);
                self.tell(from, &order.id, Step::Reserve, outcome, cx);
            }
            Timer::LateOutbox(order) => {
                let Some(events) = self.late.remove(&order) else { return };
                let record = Record::Decided { entries: Vec::new(), events: events.clone() };
                self.persist(record, cx);
                self.emit(events, cx);
            }
            // An orchestrator's.
            Timer::Acquire
            | Timer::Renew
            | Timer::Lapsed
            | Timer::Resend
            | Timer::Retry(_)
            | Timer::Patience(_)
            | Timer::LateSync => {}
        }
    }

    fn persist(&mut self, record: Record, cx: &mut Cx<'_, SagaOrders>) {
        cx.append(record);
        self.unsynced = true;
    }

    fn send(&mut self, to: NodeId, message: Message, cx: &mut Cx<'_, SagaOrders>) {
        self.sync(cx);
        cx.send(to, message);
    }

    /// What was appended is on disk before whatever follows.
    fn sync(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        if std::mem::take(&mut self.unsynced) {
            cx.sync();
        }
    }

    pub(super) fn status(&self) -> Status {
        let entries = self.ledger.entries().len() as u64;
        Status {
            role: self.role().to_owned(),
            leader: None,
            term: self.fence.0,
            commit: entries,
            applied: entries,
            ready: true,
        }
    }

    fn role(&self) -> &'static str {
        match self.service {
            stage::Service::Payments => "payments",
            stage::Service::Inventory => "inventory",
            stage::Service::Shipping => "shipping",
        }
    }

    /// What it has, for invariants and tests.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The highest fencing token that it has seen.
    pub fn fence(&self) -> Token {
        self.fence
    }
}

/// An event under its key in an outbox.
fn keyed(event: Event) -> ((String, Kind), Event) {
    ((event.order.id.clone(), event.kind), event)
}
