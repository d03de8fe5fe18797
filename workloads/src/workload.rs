//! A workload: operations against one api, their translation, and what must hold.

use crate::generator::{Generator, Invocation};
use quorate_checkers::history::EventType;
use quorate_checkers::value::Value;
use quorate_targets::api::{Outcome, Request, kv::Session};

/// How an operation ended, as the history tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// `Ok`, `Fail` or `Info`.
    pub kind: EventType,
    /// The result; for `Fail` and `Info` the argument.
    pub value: Value,
    /// Why it is `Fail` or `Info`: `[label, detail]`, where the label is one of a few stable
    /// words that can be counted.
    pub error: Option<Value>,
}

/// A check that applies to a workload's histories. The harness knows the checker behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The history, each key for itself, is linearizable under a sequential model.
    Linearizable {
        /// The model's name among those of the checkers.
        model: &'static str,
    },
    /// Orders end with all of their effects or with none, money and goods add up, and more.
    Orders,
    /// The dependencies of its transactions have no cycle that the isolation level forbids.
    Transactions {
        /// What transactions are made of: `append`, `wr` or `closed-predicate`.
        kind: &'static str,
    },
    /// What must hold at any time, by its name among the checkers' invariants.
    Invariant {
        /// Its name.
        name: &'static str,
    },
    /// A promise of eventually consistent stores, by the name of its checker: `set`, `counter`,
    /// `convergence` or `session`.
    Weak {
        /// The checker's name.
        name: &'static str,
    },
    /// Counts of operations and outcomes; whether each kind of operation ever worked.
    Stats,
}

/// A workload in use. It remembers what its generators have asked, so that the final phase can
/// look at all of it.
pub trait Workload: Send {
    /// The generator of the main phase: endless; the harness limits time and rate.
    fn main(&mut self) -> Box<dyn Generator>;

    /// The generator of the final phase, after all faults are healed and the operations of the
    /// main phase have ended: it ends by itself. It has no barrier of its own, since a thread
    /// whose operation was given up on may never be free again.
    fn finale(&mut self) -> Box<dyn Generator>;

    /// The request that carries an operation.
    fn encode(&self, invocation: &Invocation, session: Session) -> Request;

    /// What a client was told, before its operation is completed: for workloads whose requests
    /// carry on from earlier answers. The number is that of the session.
    fn learn(&mut self, client: u64, outcome: &Outcome) {
        let _ = (client, outcome);
    }

    /// What the outcome of the request means for the operation.
    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion;
}
