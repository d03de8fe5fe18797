//! The client of hosted nodes: HTTP and JSON, each failure put in its right class.
//!
//! A history is only worth as much as this classification. "Refused" is said only if no
//! connection came to be, so that not one byte left; whatever goes wrong later may have
//! reached the node. The HTTP library must not repeat anything on its own, and does not.

mod book;
mod transport;

pub use book::AddressBook;

use crate::api::{Outcome, Request};
use crate::caller::{Caller, Event, Next, Policy};
use crate::clock_fault::ClockFault;
use crate::node::{NodeId, Status};
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep_until, timeout_at};
use transport::Transport;

/// How long a node may take to say how it stands.
const STATUS_TIMEOUT: Duration = Duration::from_millis(500);

/// The HTTP client cannot be set up.
#[derive(Debug, Error)]
#[error("the HTTP client cannot be set up")]
pub struct ClientError(#[from] reqwest::Error);

/// One client; it keeps its connections from call to call.
#[derive(Debug)]
pub struct Client {
    book: AddressBook,
    policy: Policy,
    transport: Transport,
}

impl Client {
    /// A client that finds nodes in `book`.
    pub fn new(book: AddressBook, policy: Policy) -> Result<Self, ClientError> {
        Ok(Client { book, policy, transport: Transport::new()? })
    }

    /// Asks `node`, with the retries that the policy allows and no harm comes from.
    pub async fn call(&mut self, node: NodeId, request: Request) -> Outcome {
        let origin = Instant::now();
        let (mut caller, mut next) = Caller::start(self.policy, node, request, Duration::ZERO);
        loop {
            let event = match next {
                Next::Finish(outcome) => return outcome,
                Next::Wait { until } => {
                    sleep_until(origin + until).await;
                    Event::Wake
                }
                Next::Send { to, request, until, .. } => {
                    let attempt = self.attempt(to, &request);
                    timeout_at(origin + until, attempt).await.unwrap_or(Event::Wake)
                }
            };
            next = caller.on(event, origin.elapsed());
        }
    }

    /// How `node` stands; nothing if it is down or does not say so in time.
    pub async fn status(&self, node: NodeId) -> Option<Status> {
        let status = self.transport.status(self.book.get(node)?);
        tokio::time::timeout(STATUS_TIMEOUT, status).await.ok()?
    }

    /// Makes the clock of `node` wrong, or right again; whether it says that it has done so.
    pub async fn set_clock(&self, node: NodeId, fault: ClockFault) -> bool {
        let Some(addr) = self.book.get(node) else { return false };
        let set = self.transport.set_clock(addr, fault);
        tokio::time::timeout(STATUS_TIMEOUT, set).await.unwrap_or(false)
    }

    async fn attempt(&self, node: NodeId, request: &Request) -> Event {
        match self.book.get(node) {
            Some(addr) => self.transport.ask(addr, request).await,
            None => Event::Refused(format!("{node} is down")),
        }
    }
}
