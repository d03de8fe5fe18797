//! The models by name, and which is stronger than which.

use std::fmt;

/// A consistency model of single operations on registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Model {
    /// One order of all operations that agrees with real time.
    Linearizable,
    /// One order of all operations that keeps the order of each process.
    Sequential,
    /// For each process an order of what is in its past.
    CausalMemory,
    /// One order of writes for all, by which each read sees the latest in its past.
    CausalConvergence,
    /// For each read an order of what is in its past.
    Causal,
    /// For each process an order that keeps that of every process.
    Pram,
}

impl Model {
    /// All of them, stronger ones before weaker ones.
    pub const ALL: [Model; 6] = [
        Model::Linearizable,
        Model::Sequential,
        Model::CausalMemory,
        Model::CausalConvergence,
        Model::Causal,
        Model::Pram,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Model::Linearizable => "linearizable",
            Model::Sequential => "sequential",
            Model::CausalMemory => "causal-memory",
            Model::CausalConvergence => "causal-convergence",
            Model::Causal => "causal",
            Model::Pram => "PRAM",
        }
    }

    /// Its short name in the literature, if it has one.
    pub fn short(self) -> Option<&'static str> {
        match self {
            Model::CausalMemory => Some("CM"),
            Model::CausalConvergence => Some("CCv"),
            Model::Causal => Some("CC"),
            _ => None,
        }
    }

    /// The model of this name, in any case.
    pub fn from_name(name: &str) -> Option<Model> {
        Model::ALL.into_iter().find(|model| {
            let names = [Some(model.name()), model.short()];
            names.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// One line for lists.
    pub fn about(self) -> &'static str {
        match self {
            Model::Linearizable => {
                "each operation takes effect at one moment between invocation and completion"
            }
            Model::Sequential => "one order of all operations that keeps that of each process",
            Model::CausalMemory => {
                "each process sees what its past caused, and never goes back on what it saw"
            }
            Model::CausalConvergence => {
                "each read sees the latest write in its past, by one order for all"
            }
            Model::Causal => "no read sees what was overwritten in its own past",
            Model::Pram => "each process sees the writes of every other one in their order",
        }
    }

    /// The next weaker models.
    pub fn weaker(self) -> &'static [Model] {
        match self {
            Model::Linearizable => &[Model::Sequential],
            Model::Sequential => &[Model::CausalMemory, Model::CausalConvergence],
            Model::CausalMemory => &[Model::Causal, Model::Pram],
            Model::CausalConvergence => &[Model::Causal],
            Model::Causal | Model::Pram => &[],
        }
    }

    /// Whether each history of this model is one of `other` too.
    pub fn implies(self, other: Model) -> bool {
        self == other || self.weaker().iter().any(|weaker| weaker.implies(other))
    }

    /// What its violations are counted by:
    ///
    /// * linearizable: keys that have no order in real time;
    /// * sequential: keys of parts that share none and of which each has no order, so that all
    ///   are broken by themselves; as many as are found within a budget, at least those of one;
    /// * causal memory, PRAM: processes that have no view;
    /// * causal convergence: keys of whose writes some order is demanded that lies on a circle;
    /// * causal: reads of what was overwritten in their past.
    ///
    /// Where the causal order itself has circles: what lies on them, of reads of effects that they
    /// caused themselves.
    pub fn unit(self) -> &'static str {
        match self {
            Model::Linearizable | Model::Sequential | Model::CausalConvergence => "key",
            Model::CausalMemory | Model::Pram => "process",
            Model::Causal => "read",
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
