//! One of the two orchestrators: whether it leads, and what is on its disk.
//!
//! Both ask the registrar for the lease, again and again. The one that has it leads: it takes
//! clients' requests, keeps the saga log and drives every open saga. The other one copies the
//! log, passes its clients' requests on, and takes over when the lease ends. One that leads stops
//! when its lease is not extended in time, or when it is told of a greater token; a request whose
//! answer had to wait is then answered "unknown".

use super::book::{Book, Change, Entry};
use super::message::{Ask, Message, Record, Tag, Timer, Token, Word};
use super::options::Options;
use super::replica::{Gate, Origin, Output, RESEND};
use super::{ORCHESTRATORS, SHIPPING, SagaOrders};
use crate::api::orders::{Request, Response};
use crate::bugs::Bug;
use crate::node::{Config, Cx, Input, NodeId, RequestId, Status};
use rand::{Rng, RngExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How often the lease is extended while it lasts, so that some of the questions may get lost.
const RENEWALS: u32 = 8;
/// So many requests that were passed on are followed.
const FORWARDED_MAX: usize = 4096;

/// See the [module](self).
#[derive(Debug)]
pub struct Orders {
    pub(super) config: Config,
    pub(super) options: Options,
    /// The other orchestrator.
    pub(super) other: NodeId,
    /// How often this node has started.
    boots: u64,
    /// The lease that the book was written under. On disk.
    pub(super) token: Token,
    /// On disk.
    pub(super) book: Book,
    pub(super) role: Role,
    /// Who leads, as far as is known.
    pub(super) leader: Option<NodeId>,
    /// Whether the leader was heard since the lease was last asked for.
    pub(super) heard: bool,
    /// Requests of own clients that were passed on.
    forwarded: BTreeSet<u64>,
    /// Of the last try to get the lease.
    nonce: u64,
    /// Whether records were appended behind the last sync.
    pub(super) unsynced: bool,
    /// Whether a late sync is on its way (bug `ack-before-journal`).
    pub(super) late_sync: bool,
}

/// Whether it leads.
#[derive(Debug)]
pub(super) enum Role {
    Standby,
    Leader(Box<Lead>),
}

/// What a leader knows besides the log.
#[derive(Debug)]
pub(super) struct Lead {
    pub(super) gate: Gate,
    /// Clients that wait for the end of an order.
    pub(super) waiting: BTreeMap<String, Vec<Origin>>,
    /// How often the present step of an order was sent.
    pub(super) attempts: BTreeMap<String, u32>,
    /// How often the lease was asked to be extended.
    asked: u64,
    /// The last of these questions that was answered.
    renewed: u64,
}

impl Orders {
    pub(super) fn boot(
        config: Config,
        options: Options,
        journal: Vec<Record>,
    ) -> Result<Orders, String> {
        let other = ORCHESTRATORS.into_iter().find(|id| *id != config.id);
        let mut node = Orders {
            other: other.ok_or("there is no other orchestrator")?,
            config,
            options,
            boots: 0,
            token: Token(0),
            book: Book::default(),
            role: Role::Standby,
            leader: None,
            heard: false,
            forwarded: BTreeSet::new(),
            nonce: 0,
            unsynced: false,
            late_sync: false,
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
            Record::Token(token) if token < self.token => {
                return Err(format!("token {} behind token {}", token.0, self.token.0));
            }
            Record::Token(token) => self.token = token,
            Record::Book(book) => {
                self.book = Book::clone(&book);
                self.book.index();
            }
            Record::Entry(entry) if entry.seq != self.book.seq() + 1 => {
                return Err(format!("entry {} behind entry {}", entry.seq, self.book.seq()));
            }
            Record::Entry(entry) => self.book.apply(&entry),
            Record::Lease(_)
            | Record::Decided { .. }
            | Record::CalledOff(_)
            | Record::Sent { .. } => return Err("a record of another service".to_owned()),
        }
        Ok(())
    }

    pub(super) fn step(&mut self, input: Input<SagaOrders>, cx: &mut Cx<'_, SagaOrders>) {
        match input {
            Input::Start => {
                self.persist(Record::Boot(self.boots), cx);
                self.acquire(cx);
            }
            Input::Request { id, request } => self.request(id, request, cx),
            Input::Message { from, message } => self.receive(from, message, cx),
            Input::Timer(timer) => self.wake(timer, cx),
        }
        if self.leads() { self.flush(cx) } else { self.sync(cx) }
    }

    fn request(&mut self, id: RequestId, request: Request, cx: &mut Cx<'_, SagaOrders>) {
        let origin = Origin::Client(id);
        if self.leads() {
            return self.serve(origin, request, cx);
        }
        let Some(leader) = self.leader.filter(|leader| *leader != self.config.id) else {
            return cx.reply(id, refused("nobody leads"));
        };
        if self.forwarded.len() >= FORWARDED_MAX {
            // The oldest has waited longest, and most likely in vain.
            self.forwarded.pop_first();
        }
        self.forwarded.insert(id.0);
        let tag = Tag { boot: self.boots, request: id.0 };
        cx.send(leader, Message::Forward { tag, request });
    }

    fn receive(&mut self, from: NodeId, message: Message, cx: &mut Cx<'_, SagaOrders>) {
        match message {
            Message::Leased(word) => self.on_word(word, cx),
            Message::Log(log) => self.on_log(from, log, cx),
            Message::Forward { tag, request } => {
                let origin = Origin::Peer(from, tag);
                if self.leads() {
                    self.serve(origin, request, cx);
                } else {
                    // An earlier copy of it may have been served.
                    let response = unknown("does not lead");
                    cx.send(from, Message::Answer { tag, response });
                }
            }
            Message::Answer { tag, response } => {
                if tag.boot == self.boots && self.forwarded.remove(&tag.request) {
                    cx.reply(RequestId(tag.request), response);
                }
            }
            Message::Did { order, step, outcome } => self.on_did(&order, step, &outcome, cx),
            Message::Fenced { token } => {
                if token > self.token {
                    self.depose(cx);
                }
            }
            Message::Event { event, .. } => self.on_event(from, &event, cx),
            Message::Ack { order, kind } => self.on_ack(order, kind, cx),
            Message::Lease(_) | Message::Do { .. } => {}
        }
    }

    fn wake(&mut self, timer: Timer, cx: &mut Cx<'_, SagaOrders>) {
        match timer {
            Timer::Acquire => self.acquire(cx),
            Timer::Renew => self.renew(cx),
            Timer::Lapsed => {
                if !self.has(Bug::NoFencing) {
                    self.depose(cx);
                }
            }
            Timer::Resend => self.on_resend(cx),
            Timer::Retry(order) => self.on_retry(&order, cx),
            Timer::Patience(order) => self.on_patience(&order, cx),
            Timer::LateSync => {
                self.late_sync = false;
                self.flush_now(cx);
            }
            Timer::Expired | Timer::Relay | Timer::Take(_) | Timer::LateOutbox(_) => {}
        }
    }

    /// Asks for the lease, and for the log if its writer is not heard.
    fn acquire(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        if self.leads() {
            return;
        }
        self.nonce = cx.rng().next_u64();
        self.sync(cx);
        cx.send(SHIPPING, Message::Lease(Ask::Acquire { nonce: self.nonce }));
        if !std::mem::take(&mut self.heard) {
            cx.send(self.other, Message::Log(super::message::Log::Join));
        }
        let least = self.options.lease / 4;
        let more = cx.rng().random_range(0..=least.as_micros() as u64 / 2);
        cx.set_timer(Timer::Acquire, least + Duration::from_micros(more));
    }

    fn renew(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        let token = self.token;
        let Role::Leader(lead) = &mut self.role else { return };
        lead.asked += 1;
        let ask = Ask::Renew { token, nonce: lead.asked };
        cx.send(SHIPPING, Message::Lease(ask));
        cx.set_timer(Timer::Renew, self.options.lease / RENEWALS);
    }

    /// The registrar counts the lease from when it was asked, or later; the holder stops a
    /// quarter of a lease earlier than that.
    fn on_renewed(&mut self, nonce: u64, cx: &mut Cx<'_, SagaOrders>) {
        let Role::Leader(lead) = &mut self.role else { return };
        if nonce <= lead.renewed || nonce > lead.asked {
            return;
        }
        lead.renewed = nonce;
        let ago = u32::try_from(lead.asked - nonce + 1).unwrap_or(u32::MAX);
        let left = (RENEWALS * 3 / 4).saturating_sub(ago);
        cx.set_timer(Timer::Lapsed, self.options.lease / RENEWALS * left);
    }

    fn on_word(&mut self, word: Word, cx: &mut Cx<'_, SagaOrders>) {
        match word {
            Word::Granted { nonce, token, paired } => {
                if nonce == self.nonce && !self.leads() && token > self.token {
                    self.lead(token, paired, cx);
                }
            }
            Word::Renewed { nonce } => self.on_renewed(nonce, cx),
            Word::Noted { version } => self.on_noted(version),
            Word::Held { holder, token } => {
                if self.leads() && token > self.token && !self.has(Bug::NoFencing) {
                    self.depose(cx);
                }
                if !self.leads() {
                    self.leader = Some(holder);
                }
            }
        }
    }

    /// Begins to lead, and to see to every open saga.
    fn lead(&mut self, token: Token, paired: bool, cx: &mut Cx<'_, SagaOrders>) {
        self.token = token;
        self.persist(Record::Token(token), cx);
        self.sync(cx);
        self.leader = Some(self.config.id);
        self.role = Role::Leader(Box::new(Lead {
            gate: Gate::new(paired),
            waiting: BTreeMap::new(),
            attempts: BTreeMap::new(),
            asked: 0,
            renewed: 0,
        }));
        cx.cancel_timer(Timer::Acquire);
        cx.set_timer(Timer::Renew, self.options.lease / RENEWALS);
        cx.set_timer(Timer::Lapsed, self.options.lease / 2);
        cx.set_timer(Timer::Resend, RESEND);
        self.resume(cx);
    }

    /// Leads no more.
    pub(super) fn depose(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        let Role::Leader(mut lead) = std::mem::replace(&mut self.role, Role::Standby) else {
            return;
        };
        self.leader = None;
        let asked = lead.waiting.into_values().flatten().chain(lead.gate.replies());
        for origin in asked.collect::<Vec<Origin>>() {
            let response = unknown("the lease was lost");
            match origin {
                Origin::Client(id) => cx.reply(id, response),
                Origin::Peer(node, tag) => cx.send(node, Message::Answer { tag, response }),
            }
        }
        for timer in [Timer::Renew, Timer::Lapsed, Timer::Resend] {
            cx.cancel_timer(timer);
        }
        self.acquire(cx);
    }

    /// Appends to the saga log.
    pub(super) fn append(&mut self, change: Change, cx: &mut Cx<'_, SagaOrders>) {
        let entry = Entry { seq: self.book.seq() + 1, at: cx.now(), change };
        self.take(entry.clone(), cx);
        if let Role::Leader(lead) = &mut self.role {
            lead.gate.append(entry);
        }
    }

    /// Takes an entry into the book.
    pub(super) fn take(&mut self, entry: Entry, cx: &mut Cx<'_, SagaOrders>) {
        self.book.apply(&entry);
        self.persist(Record::Entry(entry), cx);
    }

    /// Says something once it may be said.
    pub(super) fn say(&mut self, output: Output) {
        let seq = self.book.seq();
        if let Role::Leader(lead) = &mut self.role {
            lead.gate.say(seq, output);
        }
    }

    /// Replaces the journal.
    pub(super) fn rewrite(&mut self, book: Arc<Book>, cx: &mut Cx<'_, SagaOrders>) {
        cx.rewrite(vec![Record::Book(book), Record::Boot(self.boots), Record::Token(self.token)]);
        self.unsynced = false;
    }

    pub(super) fn persist(&mut self, record: Record, cx: &mut Cx<'_, SagaOrders>) {
        cx.append(record);
        self.unsynced = true;
    }

    pub(super) fn sync(&mut self, cx: &mut Cx<'_, SagaOrders>) {
        if std::mem::take(&mut self.unsynced) {
            cx.sync();
        }
    }

    pub(super) fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    pub(super) fn has(&self, bug: Bug) -> bool {
        self.config.has(bug)
    }

    pub(super) fn status(&self) -> Status {
        let role = if self.leads() { "leader" } else { "standby" };
        let ends = self.book.sagas().len() - self.book.open().len();
        Status {
            role: role.to_owned(),
            leader: self.leader,
            term: self.token.0,
            commit: self.book.seq(),
            applied: ends as u64,
            ready: self.leads(),
        }
    }
}

/// What invariants and tests look at.
impl Orders {
    /// Under which lease the book was written.
    pub fn token(&self) -> Token {
        self.token
    }

    /// Whether it leads, as it believes.
    pub fn is_leader(&self) -> bool {
        self.leads()
    }

    /// Whether it leads and waits for its replica.
    pub fn is_paired(&self) -> bool {
        matches!(&self.role, Role::Leader(lead) if lead.gate.is_closed())
    }

    /// The saga log.
    pub fn book(&self) -> &Book {
        &self.book
    }
}

/// An answer that says that the request had no effect and never will.
pub(super) fn refused(reason: &str) -> Response {
    Response::Error { definite: true, reason: reason.to_owned() }
}

/// An answer that leaves open whether the request took effect.
pub(super) fn unknown(reason: &str) -> Response {
    Response::Error { definite: false, reason: reason.to_owned() }
}
