//! An order service made of services: one order is a saga, a sequence of local transactions with
//! compensations (Garcia-Molina & Salem, *Sagas*, SIGMOD 1987).
//!
//! | node | service |
//! |---|---|
//! | n1, n5 | orders: the api and the orchestrator, and its replica; either may lead |
//! | n2 | payments |
//! | n3 | inventory |
//! | n4 | shipping; also grants the lease on being the orchestrator |
//!
//! An order reserves stock, charges the customer, ships, and is confirmed. Any step may be
//! refused, and the client may take the order back; then what was done is undone in reverse.
//! Nothing isolates one saga from another: what is not final yet is there to be read, unless
//! `isolation=semantic-lock` holds it back. One idea a file:
//!
//! | file | idea | source |
//! |---|---|---|
//! | `stage` | steps, compensations, and the way of an order as a pure function | Garcia-Molina & Salem 1987 |
//! | `ledger` | idempotency keys: a step is decided once, whatever comes again or late | Helland, *Idempotence Is Not a Medical Condition*, 2012 |
//! | `service` | payments, inventory, shipping around a ledger; fencing | |
//! | `registrar` | a lease on leading, with fencing tokens | Gray & Cheriton 1989; Kleppmann 2016 |
//! | `orders` | who leads, and what becomes of one that does no more | |
//! | `book` | the saga log | Garcia-Molina & Salem 1987, section 4 |
//! | `replica` | what is said waits until the other orchestrator has the log | Alsberg & Day, *A Principle for Resilient Sharing*, 1976 |
//! | `drive` | orchestration: retries until the outcome is known, resumption | |
//! | `choreography` | services react to each other, through a transactional outbox | Richardson 2018 |
//! | `invariants` | what must hold over all nodes at any time | |
//!
//! **Disk before word.** What a node says is behind the sync of all that it may depend on; what
//! a leader says is also behind its replica's word, while the replica may take over.
//!
//! **Limits.** The log of orders and the ledgers grow with what they record and are not
//! compacted: they are what the final snapshots show.

pub mod book;
mod choreography;
mod drive;
pub mod invariants;
pub mod ledger;
mod message;
mod options;
mod orders;
mod registrar;
mod replica;
mod service;
pub mod stage;

pub use drive::OPEN_MAX;
pub use message::{Ask, Event, Kind, Lease, Log, Message, Record, Tag, Timer, Token, Word};
pub use options::{Options, Style};
pub use orders::Orders;
pub use service::Service;

use crate::api::orders::{Request, Response};
use crate::node::{Config, Cx, Input, Node, NodeId, Status};

/// The two that may lead.
pub const ORCHESTRATORS: [NodeId; 2] = [NodeId(1), NodeId(5)];
/// Takes money.
pub const PAYMENTS: NodeId = NodeId(2);
/// Holds goods.
pub const INVENTORY: NodeId = NodeId(3);
/// Sends parcels, and grants the lease.
pub const SHIPPING: NodeId = NodeId(4);
/// How many nodes there are, always.
pub const NODES: u16 = 5;

/// A node of the order service, by its role.
#[derive(Debug)]
pub enum SagaOrders {
    /// One of the two orchestrators.
    Orders(Box<Orders>),
    /// Payments, inventory or shipping.
    Service(Box<Service>),
}

impl Node for SagaOrders {
    const API: &'static str = "orders";

    type Message = Message;
    type Request = Request;
    type Response = Response;
    type Record = Record;
    type Timer = Timer;

    fn boot(config: Config, journal: Vec<Record>) -> Result<SagaOrders, String> {
        let options = Options::read(&config.options)?;
        let members: Vec<NodeId> = (1..=NODES).map(NodeId).collect();
        if config.members != members {
            let given = config.members.len();
            return Err(format!("the order service has {NODES} nodes, not {given}"));
        }
        let service = match config.id {
            PAYMENTS => stage::Service::Payments,
            INVENTORY => stage::Service::Inventory,
            SHIPPING => stage::Service::Shipping,
            _ => {
                let node = Orders::boot(config, options, journal)?;
                return Ok(SagaOrders::Orders(Box::new(node)));
            }
        };
        let node = Service::boot(config, options, service, journal)?;
        Ok(SagaOrders::Service(Box::new(node)))
    }

    fn step(&mut self, input: Input<SagaOrders>, cx: &mut Cx<'_, SagaOrders>) {
        match self {
            SagaOrders::Orders(node) => node.step(input, cx),
            SagaOrders::Service(node) => node.step(input, cx),
        }
    }

    fn status(&self) -> Status {
        match self {
            SagaOrders::Orders(node) => node.status(),
            SagaOrders::Service(node) => node.status(),
        }
    }
}
