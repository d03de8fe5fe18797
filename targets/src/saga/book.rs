//! The saga log: every order with its stage, as a function of the entries so far.
//!
//! The orchestrator appends an entry before it acts on it, and so does its replica before it
//! says that it has it. Both come to the same book.

use super::stage::Stage;
use crate::api::orders::{Move, Order};
use crate::node::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One entry of the saga log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from 1.
    pub seq: u64,
    /// When it was made.
    pub at: Time,
    /// What changes.
    pub change: Change,
}

/// What changes in the book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A new order.
    Placed {
        /// The order.
        order: Arc<Order>,
        /// Where it begins.
        stage: Stage,
    },
    /// An order goes to another stage. What that stage asks for is done after this is on disk.
    Moved {
        /// Which order.
        order: String,
        /// To which stage.
        to: Stage,
        /// Why.
        why: String,
    },
    /// The client takes an order back.
    CancelAsked {
        /// Which.
        order: String,
    },
    /// A service has an event of the orders service on disk (choreography only).
    Taken {
        /// The order.
        order: String,
        /// Which event.
        event: Told,
    },
}

/// What the orders service tells others (choreography only).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// An order is placed.
    Placed,
    /// Its client takes it back.
    CancelAsked,
}

/// An order and how it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saga {
    /// What is ordered.
    pub order: Arc<Order>,
    /// How far it is.
    pub stage: Stage,
    /// Whether its client has taken it back.
    pub cancel: bool,
    /// The outbox: what was not taken by its receiver yet (choreography only).
    pub outbox: BTreeSet<Told>,
}

/// All orders.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Book {
    sagas: BTreeMap<String, Saga>,
    moves: Vec<Move>,
    /// The place of the last entry.
    seq: u64,
    #[serde(skip)]
    open: BTreeSet<String>,
}

impl Book {
    /// Takes in the entry behind the last.
    pub fn apply(&mut self, entry: &Entry) {
        debug_assert_eq!(entry.seq, self.seq + 1, "entries come one by one");
        self.seq = entry.seq;
        let (id, to, why) = match &entry.change {
            Change::Placed { order, stage } => {
                let outbox = (*stage == Stage::Placed).then_some(Told::Placed);
                let saga = Saga {
                    order: Arc::clone(order),
                    stage: *stage,
                    cancel: false,
                    outbox: outbox.into_iter().collect(),
                };
                self.sagas.insert(order.id.clone(), saga);
                self.open.insert(order.id.clone());
                (&order.id, stage.name(), "")
            }
            Change::Moved { order, to, why } => {
                if let Some(saga) = self.sagas.get_mut(order) {
                    saga.stage = *to;
                }
                if to.is_end() {
                    self.open.remove(order);
                }
                (order, to.name(), why.as_str())
            }
            Change::CancelAsked { order } => {
                if let Some(saga) = self.sagas.get_mut(order) {
                    saga.cancel = true;
                    if saga.stage == Stage::Placed {
                        saga.outbox.insert(Told::CancelAsked);
                    }
                }
                (order, "cancel asked", "")
            }
            Change::Taken { order, event } => {
                if let Some(saga) = self.sagas.get_mut(order) {
                    saga.outbox.remove(event);
                }
                return;
            }
        };
        let (order, to, why) = (id.clone(), to.to_owned(), why.to_owned());
        self.moves.push(Move { at: entry.at.0, order, to, why });
    }

    /// An order.
    pub fn get(&self, id: &str) -> Option<&Saga> {
        self.sagas.get(id)
    }

    /// All orders by name.
    pub fn sagas(&self) -> &BTreeMap<String, Saga> {
        &self.sagas
    }

    /// The names of the orders that have not come to an end.
    pub fn open(&self) -> &BTreeSet<String> {
        &self.open
    }

    /// How orders went from stage to stage.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// The place of the last entry.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Finds again what is not part of its written form.
    pub fn index(&mut self) {
        let open = self.sagas.iter().filter(|(_, saga)| !saga.stage.is_end());
        self.open = open.map(|(id, _)| id.clone()).collect();
    }
}
