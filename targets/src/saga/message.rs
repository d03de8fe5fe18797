//! What nodes tell each other, what they keep on disk, and what they wait for.

use super::book::{self, Book, Told};
use super::ledger;
use super::stage::{Outcome, Step};
use crate::api::orders::{Order, Request, Response};
use crate::node::NodeId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A fencing token: it grows with each grant of the lease.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Token(pub u64);

/// What peers send each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// To the registrar.
    Lease(Ask),
    /// From the registrar.
    Leased(Word),
    /// Between the two orchestrators.
    Log(Log),
    /// A client's request, passed on to the one that leads.
    Forward {
        /// Names the request to its sender.
        tag: Tag,
        /// What the client asks.
        request: Request,
    },
    /// The answer to a [`Message::Forward`].
    Answer {
        /// As forwarded.
        tag: Tag,
        /// For the client.
        response: Response,
    },
    /// The orchestrator wants a step done. Its idempotency key is the order with the step.
    Do {
        /// Under which lease.
        token: Token,
        /// Which step.
        step: Step,
        /// Of which order.
        order: Arc<Order>,
    },
    /// What became of a step, on disk at the service.
    Did {
        /// Of which order.
        order: String,
        /// Which step.
        step: Step,
        /// What became of it.
        outcome: Outcome,
    },
    /// The token is older than one that was seen: its holder leads no more.
    Fenced {
        /// The token that was seen.
        token: Token,
    },
    /// Something has happened to an order (choreography only).
    Event {
        /// What.
        event: Event,
        /// If the orders service says it: under which lease.
        token: Option<Token>,
    },
    /// The event is on disk at the receiver.
    Ack {
        /// The order.
        order: String,
        /// What had happened.
        kind: Kind,
    },
}

/// What an orchestrator asks of the registrar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Grant me the lease.
    Acquire {
        /// Tells this try from others.
        nonce: u64,
    },
    /// Extend it.
    Renew {
        /// Under which it was granted.
        token: Token,
        /// Tells this try from others.
        nonce: u64,
    },
    /// The other orchestrator has all that I have acted on, or no longer has.
    Pair {
        /// Under which the lease was granted.
        token: Token,
        /// Grows with each change, so that a late one is known.
        version: u64,
        /// Whether it has.
        paired: bool,
    },
}

/// What the registrar says. All of it is on its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// The lease is yours.
    Granted {
        /// As asked.
        nonce: u64,
        /// What to show to everybody.
        token: Token,
        /// Whether the other orchestrator may be granted the lease after you.
        paired: bool,
    },
    /// It goes on.
    Renewed {
        /// As asked.
        nonce: u64,
    },
    /// It is noted.
    Noted {
        /// As asked.
        version: u64,
    },
    /// Another one has it.
    Held {
        /// Who.
        holder: NodeId,
        /// Since which grant.
        token: Token,
    },
}

/// How the saga log gets to the other orchestrator.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Log {
    /// I have nothing of yours: send all.
    Join,
    /// All there is.
    State {
        /// Of the sender.
        token: Token,
        /// See [`Log::Entries`].
        round: u64,
        /// The book.
        book: Arc<Book>,
    },
    /// More entries, or none.
    Entries {
        /// Of the sender.
        token: Token,
        /// Counts the sender's words; an answer proves that the sender was followed then.
        round: u64,
        /// Entries without a gap.
        entries: Vec<book::Entry>,
    },
    /// On disk.
    Have {
        /// Whom the sender follows.
        token: Token,
        /// As in the word that is answered.
        round: u64,
        /// The last place without a gap.
        seq: u64,
    },
}

/// Something that has happened to an order (choreography only).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What.
    pub kind: Kind,
    /// To which order.
    pub order: Arc<Order>,
    /// Why, where something was refused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The orders service says this.
    Told(Told),
    /// A step was done.
    Did(Step),
    /// A step was refused.
    Refused(Step),
}

/// Names a forwarded request to the node that forwarded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// Which life of the sender.
    pub boot: u64,
    /// The request, as the sender's host numbers it.
    pub request: u64,
}

/// What the journals hold; each service has records of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The node has started for the n-th time.
    Boot(u64),
    /// The highest token that was followed, held or seen.
    Token(Token),
    /// The saga log goes on.
    Entry(book::Entry),
    /// The saga log up to here; only ever at the head of what an orchestrator has.
    Book(Arc<Book>),
    /// The registrar's lease.
    Lease(Lease),
    /// Steps were decided, and this must be told: one record, so that neither is without the
    /// other (the transactional outbox).
    Decided {
        /// The ledger's entries.
        entries: Vec<ledger::Entry>,
        /// The outbox's events.
        events: Vec<Event>,
    },
    /// A client has taken this order back before it was shipped (choreography only).
    CalledOff(String),
    /// An event has been taken by its receiver.
    Sent {
        /// The order.
        order: String,
        /// What had happened.
        kind: Kind,
    },
}

/// The lease as the registrar keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Of the last grant.
    pub token: Token,
    /// Who got it.
    pub holder: NodeId,
    /// The try that got it: a copy of it gets the same answer, not another grant.
    pub nonce: u64,
    /// Whether the other orchestrator has all that the holder acted on.
    pub paired: bool,
    /// See [`Ask::Pair`].
    pub version: u64,
}

/// What a node waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Ask for the lease.
    Acquire,
    /// Extend it.
    Renew,
    /// It was not extended in time.
    Lapsed,
    /// The registrar may grant it to another.
    Expired,
    /// Send to the replica what it has not acknowledged.
    Resend,
    /// What was sent for an order has not been answered.
    Retry(String),
    /// A client has waited long enough for the end of an order.
    Patience(String),
    /// A service sends again what is in its outbox.
    Relay,
    /// The seeded bug `oversell` takes what it has seen to be there.
    Take(String),
    /// The seeded bug `ack-before-journal` gets round to its sync.
    LateSync,
    /// The seeded bug `outbox-not-atomic` gets round to its outbox.
    LateOutbox(String),
}
