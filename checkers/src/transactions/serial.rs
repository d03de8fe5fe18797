//! Serializability and snapshot isolation of registers when nobody tells the order of versions.
//!
//! Both ask for an order of transactions that explains all reads; deciding whether there is one
//! is NP-complete (Papadimitriou 1979; Biswas and Enea, OOPSLA 2019). In practice almost all of
//! the order follows from what was read, so this reduces first and searches last:
//!
//! 1. what is wrong in itself, and lost updates: two transactions that read one version and both
//!    overwrite it;
//! 2. causal consistency ([`super::weak`]), which refutes most bad histories with a short cycle;
//! 3. saturation (`saturate`): what follows from the order known so far, until nothing does;
//! 4. a greedy order of the rest (`greedy`), which often is right already;
//! 5. the search (`search`) where it is not, under a budget.
//!
//! A history that is refuted by 3 or 5 is cut down to a few reads and writes that are impossible
//! by themselves (`core`) and explained by the circle in them (`words`).
//!
//! Values may be written more than once: a read then has several possible writers, and which one
//! it saw is one more thing to conclude or to search. Sequential consistency of single
//! operations is serializability of transactions of one operation each.

mod choices;
mod clocks;
mod core;
mod greedy;
mod order;
mod problem;
mod saturate;
mod search;
mod single;
mod violations;
mod words;

pub use single::single_operations;

use super::registers::{INITIAL, Node, Registers};
use super::weak::{self, Findings, Level};
use crate::verdict::Anomaly;
use order::Order;
use problem::Problem;
use saturate::Saturated;
use search::{Outcome, Search};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Model {
    /// Transactions read from snapshots, and of two that overlap and write one key, one aborts.
    SnapshotIsolation,
    /// And a session sees its own transactions.
    SessionSnapshotIsolation,
    /// Transactions happened one after another.
    Serializable,
    /// And those of each session in its order.
    SessionSerializable,
    /// And none before one that had ended when it began.
    StrictSerializable,
}

/// How much may be spent.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Choices and conflicts of the search, in all.
    pub steps: u64,
    /// Asked now and then whether to give up.
    pub stop: Option<&'a dyn Fn() -> bool>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { steps: 20_000_000, stop: None }
    }
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// What it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Orders that were known before the search began, implied ones left out.
    pub links: usize,
    /// Choices that the search made.
    pub decisions: u64,
    /// Choices that turned out wrong.
    pub conflicts: u64,
}

impl Model {
    /// All of them.
    pub const ALL: [Model; 5] = [
        Model::SnapshotIsolation,
        Model::SessionSnapshotIsolation,
        Model::Serializable,
        Model::SessionSerializable,
        Model::StrictSerializable,
    ];

    /// Its name on the command line, which is that of the lattice of models.
    pub fn name(self) -> &'static str {
        match self {
            Model::SnapshotIsolation => "snapshot-isolation",
            Model::SessionSnapshotIsolation => "strong-session-snapshot-isolation",
            Model::Serializable => "serializable",
            Model::SessionSerializable => "strong-session-serializable",
            Model::StrictSerializable => "strict-serializable",
        }
    }

    fn split(self) -> bool {
        matches!(self, Model::SnapshotIsolation | Model::SessionSnapshotIsolation)
    }

    fn sessions(self) -> bool {
        !matches!(self, Model::SnapshotIsolation | Model::Serializable)
    }

    fn real_time(self) -> bool {
        self == Model::StrictSerializable
    }

    /// The weakest model of this kind that a circle breaks, by the name of the circle.
    pub(super) fn broken_by(self, circle: &str) -> Option<Model> {
        let suffix = suffix(circle)?;
        self.weaker().find(|weaker| weaker.suffix() == suffix)
    }

    /// What circles are named that need this model's order.
    fn suffix(self) -> &'static str {
        match self {
            Model::Serializable | Model::SnapshotIsolation => "",
            Model::SessionSerializable | Model::SessionSnapshotIsolation => "-process",
            Model::StrictSerializable => "-realtime",
        }
    }

    /// This model and those of its kind that ask for less, weakest first.
    fn weaker(self) -> impl Iterator<Item = Model> {
        const SPLIT: &[Model] = &[Model::SnapshotIsolation, Model::SessionSnapshotIsolation];
        const WHOLE: &[Model] =
            &[Model::Serializable, Model::SessionSerializable, Model::StrictSerializable];
        let kind = if self.split() { SPLIT } else { WHOLE };
        kind.iter().copied().filter(move |model| *model <= self)
    }

    /// The same model with the order of sessions, if it lacks that.
    fn with_sessions(self) -> Option<Model> {
        match self {
            Model::SnapshotIsolation => Some(Model::SessionSnapshotIsolation),
            Model::Serializable => Some(Model::SessionSerializable),
            _ => None,
        }
    }
}

/// How the name of a circle ends; nothing if it is none of a circle.
pub(super) fn suffix(kind: &str) -> Option<&str> {
    let circles = ["G0", "G1c", "G-single-item", "G2-item"];
    circles.iter().find_map(|circle| kind.strip_prefix(circle))
}

/// Whether a history keeps a model.
pub fn check(registers: &Registers<'_>, model: Model, options: &Options<'_>) -> Findings {
    check_with_effort(registers, model, options).0
}

/// As [`check`], with what it took.
pub fn check_with_effort(
    registers: &Registers<'_>,
    model: Model,
    options: &Options<'_>,
) -> (Findings, Effort) {
    let found = |anomalies| Findings { anomalies, undecided: None };
    let mut anomalies = weak::flaws(registers, false);
    if anomalies.is_empty() {
        anomalies.extend(lost_update(registers));
    }
    if anomalies.is_empty() && model.sessions() {
        anomalies = weak::check(registers, Level::Causal).anomalies;
    }
    if !anomalies.is_empty() {
        return (found(anomalies), Effort::default());
    }
    // An order that keeps sessions is an order, and sessions make it quicker to find. Where none
    // is found, the smallest part without one mostly shows that sessions were not the reason.
    if let Some(stronger) = model.with_sessions() {
        match decide(registers, stronger, options) {
            (Decided::Impossible(blamed), effort) => {
                let part = core::smallest(registers, stronger, options, &blamed);
                if let Some(anomaly) = core::explain_also(registers, &part, model, options) {
                    return (found(vec![anomaly]), effort);
                }
            }
            (Decided::Order, effort) => return (Findings::default(), effort),
            (Decided::Open(_), _) => {}
        }
    }
    let (decided, effort) = decide(registers, model, options);
    match decided {
        Decided::Order => (Findings::default(), effort),
        Decided::Impossible(blamed) => {
            (found(vec![core::explain(registers, model, options, &blamed)]), effort)
        }
        Decided::Open(why) => (Findings { anomalies: Vec::new(), undecided: Some(why) }, effort),
    }
}

/// Whether there is an order.
enum Decided {
    Order,
    /// There is none; these transactions were found to be in each other's way.
    Impossible(Vec<Node>),
    /// Not known, for this reason.
    Open(String),
}

/// Saturation and search, without what was looked for before.
fn decide(registers: &Registers<'_>, model: Model, options: &Options<'_>) -> (Decided, Effort) {
    let never = || false;
    let stop = options.stop.unwrap_or(&never);
    let mut problem = Problem::new(registers, model);
    let saturated = saturate::saturate(&mut problem, stop);
    let mut effort = Effort { links: problem.links.len(), ..Effort::default() };
    let blamed = match saturated {
        Saturated::Fixed => None,
        Saturated::Circle(circle) => Some(core::grounds_of(&problem, &circle.0)),
        Saturated::NoWriter(site) => Some(core::grounds_of_site(&problem, site)),
        Saturated::Skipped => {
            clocks::circle(&problem).map(|circle| core::grounds_of(&problem, &circle.0))
        }
    };
    if let Some(blamed) = blamed {
        return (Decided::Impossible(blamed), effort);
    }
    let points = greedy::order(&problem);
    let mut search = Search::new(&problem, Order::new(points, &problem.links));
    let outcome = search.run(options.steps, stop);
    (effort.decisions, effort.conflicts) = (search.decisions, search.conflicts);
    let decided = match outcome {
        Outcome::Order => Decided::Order,
        Outcome::Impossible => Decided::Impossible(core::grounds_of_search(&search)),
        Outcome::Budget => Decided::Open(format!(
            "the search for an order was given up after {} choices and {} conflicts",
            effort.decisions, effort.conflicts
        )),
    };
    (decided, effort)
}

/// Two transactions that read one version of a key and both overwrite it.
fn lost_update(registers: &Registers<'_>) -> Option<Anomaly> {
    let mut first: Vec<Node> = vec![INITIAL; registers.slots()];
    for node in 1..registers.len() as Node {
        for read in registers.reads(node) {
            let Some(writer) = read.writer() else { continue };
            if !registers.writes_key(node, read.key) {
                continue;
            }
            let Some(slot) = registers.slot(writer, read.key) else { continue };
            match first[slot] {
                INITIAL => first[slot] = node,
                other if other == node => {}
                other => return Some(words::lost_update(registers, other, node, writer, read.key)),
            }
        }
    }
    None
}
