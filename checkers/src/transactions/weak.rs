//! Read committed, read atomic and causal consistency of registers with unique values.
//!
//! Biswas and Enea ("On the complexity of checking transactional consistency", OOPSLA 2019) give
//! each level one axiom over a total commit order: where t3 reads x from t1, and another
//! transaction t2 that writes x is visible to t3, t2 commits before t1. The levels differ in who
//! is visible: for read committed, those that t3 read from before that read; for read atomic,
//! those that it read from at all, and those before it in its session; for causal consistency,
//! all that these saw in turn.
//!
//! Moldrup and Pavlogiannis ("AWDIT", PLDI 2025) show which of these edges suffice: the history
//! keeps the level exactly if session order, reads-from and the edges of `infer` have no cycle.
//! Cost: O(n^1.5) for the first two, O(n · sessions) for causal consistency, n the number of
//! reads and writes, in some 100 bytes each.
//!
//! The initial state is a transaction before all others, so that an edge into it closes a cycle
//! by itself: reading the initial value of what one has seen written breaks read atomicity.

mod causal;
mod graph;
mod infer;
mod witness;

pub(crate) use causal::{BLOCK, Clocks};
pub(crate) use graph::Graph;
pub(crate) use infer::{Collected, Edge, infer};

use super::registers::Registers;
use crate::verdict::{Anomaly, Valid};

/// A level of isolation that does not need an order of all transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A transaction sees committed values, and never goes back behind what it saw.
    ReadCommitted,
    /// A transaction sees all of another one or nothing.
    ReadAtomic,
    /// And with it all that the other one saw.
    Causal,
}

impl Level {
    /// All of them, weakest first.
    pub const ALL: [Level; 3] = [Level::ReadCommitted, Level::ReadAtomic, Level::Causal];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Level::ReadCommitted => "read-committed",
            Level::ReadAtomic => "read-atomic",
            Level::Causal => "causal",
        }
    }

    /// The anomaly of a cycle that only this level forbids.
    fn anomaly(self) -> &'static str {
        match self {
            Level::ReadCommitted => "non-monotonic-read",
            Level::ReadAtomic => "fractured-read",
            Level::Causal => "causal-violation",
        }
    }
}

/// What a checker of transactions concludes.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// What breaks the level; empty where it holds.
    pub anomalies: Vec<Anomaly>,
    /// Why it could not be decided, where nothing was found and something was left open.
    pub undecided: Option<String>,
}

impl Findings {
    /// The conclusion.
    pub fn valid(&self) -> Valid {
        match (&self.anomalies[..], &self.undecided) {
            ([], None) => Valid::True,
            ([], Some(_)) => Valid::Unknown,
            _ => Valid::False,
        }
    }
}

/// Whether a history keeps a level. Values that were written twice leave it undecided, unless
/// the other reads break it already.
pub fn check(registers: &Registers<'_>, level: Level) -> Findings {
    let mut anomalies = flaws(registers, level == Level::ReadCommitted);
    if anomalies.is_empty() {
        anomalies.extend(cycle(registers, level));
    }
    let undecided = (anomalies.is_empty() && !registers.candidates().is_empty()).then(|| {
        format!(
            "{} reads return a value that several transactions wrote, and {} is decided for \
             unique values only",
            registers.candidates().len(),
            level.name()
        )
    });
    Findings { anomalies, undecided }
}

/// What is wrong without any order; read committed alone allows reads that are not repeatable.
pub(super) fn flaws(registers: &Registers<'_>, read_committed: bool) -> Vec<Anomaly> {
    let flaws = registers.flaws().iter();
    let counted = flaws.filter(|flaw| !(read_committed && flaw.read_committed_allows));
    counted.map(|flaw| flaw.anomaly.clone()).collect()
}

/// The cycle that breaks a level, in words: one of what was read and of sessions alone, if there
/// is one.
fn cycle(registers: &Registers<'_>, level: Level) -> Option<Anomaly> {
    let base = Graph::new(registers, &[]);
    // Only causal consistency infers by an order; most histories keep their level, and then need
    // no other look at what they have without inference.
    let order = match level {
        Level::Causal => base.order(),
        Level::ReadCommitted | Level::ReadAtomic => Ok(Vec::new()),
    };
    let broken = |cycle| Some(witness::tell(registers, level, &base.shorten(cycle), &[]));
    let order = match order {
        Ok(order) => order,
        Err(cycle) => return broken(cycle),
    };
    let mut inferred = infer::Collected::default();
    infer::infer(registers, level, &order, &mut |edge: Edge| inferred.add(edge));
    let graph = Graph::new(registers, &inferred.edges());
    let cycle = graph.order().err()?;
    match base.order() {
        Ok(_) => Some(witness::tell(registers, level, &graph.shorten(cycle), &order)),
        Err(cycle) => broken(cycle),
    }
}
