//! What weaker models than linearizability allow, of registers that single operations read and
//! write.
//!
//! | model | there is | cost |
//! |---|---|---|
//! | linearizable | one order of all operations that agrees with real time | O(n log n) |
//! | sequential | one order of all that keeps the order of each process | reduced, then searched |
//! | causal memory (`CM`) | for each process an order of its operations and of all writes in their past, which keeps the causal order | O(n · sessions) and what views exchange |
//! | causal convergence (`CCv`) | one order of writes, which keeps the causal order, and by which the latest write in its past is what each read sees | O(n · sessions) |
//! | causal (`CC`) | for each read an order of the writes in its past, which keeps the causal order | O(n · sessions) |
//! | PRAM | for each process an order of its operations and of all writes, which keeps the order of each process | as CM, with less memory |
//!
//! The causal models are those of Bouajjani, Enea, Guerraoui and Hamza, "On verifying causal
//! consistency" (POPL 2017), decided by their bad patterns; PRAM is Lipton and Sandberg's (1988).
//!
//! *Values*: each is written to a key at most once, so that each read tells whom it read from.
//! Reads of values that were written several times count for nothing; if nothing else breaks the
//! model, it is undecided. What crashed counts if its value was seen. A compare-and-set reads and
//! writes at one moment; to the views of other processes it is a write.
//!
//! *Limits* are those of linearizability: bytes hold for what is causally before each operation and
//! for what comes before those of one process, steps for the search for a sequential order.
//!
//! Evidence is a part of the history, as small as could be found, that breaks the model by itself.

mod atomicity;
mod causal;
mod circles;
mod core;
mod derived;
mod grounds;
mod judge;
mod model;
mod operations;
mod past;
mod report;
mod sequential;
mod views;
mod words;

pub use crate::linearizable::Options;
pub use atomicity::{Atomicity, Versions, atomicity};
pub use judge::{Judge, Judgement};
pub use model::Model;
pub use operations::Operations;
pub use report::{CHECKER, check};

use crate::transactions::registers::Node;
use std::collections::BTreeSet;

/// A violation before it is told.
#[derive(Debug)]
struct Broken {
    /// How many there are, by the unit of the model.
    violations: u64,
    /// The operations that the first one rests on.
    grounds: BTreeSet<Node>,
}

/// What one of the checks here found.
#[derive(Debug)]
struct Found(Option<Broken>);

impl Found {
    fn holds() -> Found {
        Found(None)
    }

    fn broken(broken: Broken) -> Found {
        Found(Some(broken))
    }
}
