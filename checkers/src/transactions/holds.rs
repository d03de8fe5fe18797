//! Which models hold, as far as the anomalies that were found and those that were not say.
//!
//! An anomaly rules out every model that forbids it. That none was found shows less: only some
//! models are cycles and reads that this checker looks for, all of them (`is_exact`). Another one
//! holds if such a model implies it, is broken if a cycle found breaks its definition, and is left
//! open otherwise. Over registers the order of versions is known in part only, so there not even
//! these are certain: see [`Open`].

use super::cycles::Cycle;
use super::graph::Why;
use super::isolation;
use super::kind::KindSet;
use super::lattice::TxnModel;
use super::registers::Registers;
use super::serial;
use super::stop::Stop;
use super::table::Table;
use super::weak::Findings;
use crate::verdict::{Anomaly, Valid};
use std::collections::BTreeMap;

/// What to say of registers where the rules for keys leave the order of versions open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Open {
    /// What is asked for holds if nothing contradicts it, as Elle has it.
    #[default]
    Pass,
    /// Nothing but what was found: another checker decides the rest.
    Leave,
    /// Look for an order of versions: the checkers of [`isolation`] decide.
    Search,
}

/// What is known of the models of the lattice.
pub(super) struct Holds {
    verdicts: BTreeMap<TxnModel, Valid>,
}

impl Holds {
    /// By the kinds of anomaly found and the cycles shown; `certain` says that of a model nothing
    /// was left out that could rule it out.
    pub(super) fn new(
        kinds: KindSet,
        cycles: &[Cycle],
        certain: impl Fn(TxnModel) -> bool,
    ) -> Holds {
        let shown: Vec<TxnModel> = cycles.iter().flat_map(broken_by).collect();
        let broken = |model: TxnModel| {
            !model.contradicted_by().and(kinds).is_empty()
                || shown.iter().any(|weaker| model.implies(*weaker))
        };
        let decided = || TxnModel::all().filter(|model| model.is_decided_by_anomalies());
        let kept: Vec<TxnModel> =
            decided().filter(|model| model.is_exact() && !broken(*model)).collect();
        let verdict = |model: TxnModel| {
            if broken(model) {
                Valid::False
            } else if certain(model) && kept.iter().any(|strong| strong.implies(model)) {
                Valid::True
            } else {
                Valid::Unknown
            }
        };
        Holds { verdicts: decided().map(|model| (model, verdict(model))).collect() }
    }

    /// What is known of a model.
    pub(super) fn of(&self, model: TxnModel) -> Valid {
        self.verdicts.get(&model).copied().unwrap_or(Valid::Unknown)
    }

    /// Leaves open what nothing contradicts, but for what these models imply.
    pub(super) fn only_implied_by(&mut self, models: &[TxnModel]) {
        for (model, verdict) in &mut self.verdicts {
            if *verdict == Valid::True && !models.iter().any(|asked| asked.implies(*model)) {
                *verdict = Valid::Unknown;
            }
        }
    }

    /// Decides what is open by orders of versions, as far as that goes. Gives what was found
    /// against one of the models asked for.
    pub(super) fn search(
        &mut self,
        table: &Table,
        asked: &[TxnModel],
        real_time: bool,
        stop: &Stop<'_>,
    ) -> Vec<Anomaly> {
        let registers = Registers::new(table);
        let stopped = || stop.now();
        let options = serial::Options { stop: Some(&stopped), ..serial::Options::default() };
        let mut against = Vec::new();
        for (model, row) in isolation::in_lattice() {
            if self.of(row) != Valid::Unknown || (model.needs_real_time() && !real_time) {
                continue;
            }
            let (found, _) = isolation::one(&registers, model, &options);
            let broken = self.settle(row, &found, model.decides_its_row());
            if broken && asked.iter().any(|asked| isolation::breaks_with(row, *asked)) {
                against.extend(found.anomalies);
            }
        }
        against
    }

    /// Notes what was found of a model; whether that broke it.
    fn settle(&mut self, row: TxnModel, found: &Findings, says_no: bool) -> bool {
        let verdict = found.valid();
        for (model, known) in &mut self.verdicts {
            let follows = match verdict {
                Valid::True => row.implies(*model),
                Valid::False => says_no && isolation::breaks_with(row, *model),
                Valid::Unknown => false,
            };
            if follows && *known == Valid::Unknown {
                *known = verdict;
            }
        }
        verdict == Valid::False && says_no
    }

    /// By name, for reports.
    pub(super) fn by_name(&self) -> BTreeMap<String, Valid> {
        self.verdicts.iter().map(|(model, valid)| (model.name().to_owned(), *valid)).collect()
    }
}

/// The models whose definition a cycle breaks, beyond those that forbid its kind. Cerone, Bernardi
/// and Gotsman (*A Framework for Transactional Consistency Models with Atomic Visibility*, CONCUR
/// 2015) define them by who is visible to whom; Cerone, Gotsman and Yang (*Algebraic Laws for Weak
/// Consistency*, CONCUR 2017) by cycles.
pub(super) fn broken_by(cycle: &Cycle) -> Vec<TxnModel> {
    let is = |wanted: Why| move |why: &&Why| **why == wanted;
    let plain = cycle.whys.iter().all(|why| matches!(why, Why::Wr | Why::Ww | Why::Rw));
    let anti = cycle.whys.iter().filter(is(Why::Rw)).count();
    if !plain || anti == 0 {
        return Vec::new();
    }
    let mut broken = Vec::new();
    let before = |at: usize| cycle.whys[(at + cycle.whys.len() - 1) % cycle.whys.len()];
    let mut places = cycle.whys.iter().enumerate();
    if places.all(|(at, why)| *why != Why::Rw || before(at) == Why::Wr) {
        broken.push("prefix");
    }
    let reads = cycle.whys.iter().filter(is(Why::Wr)).count();
    if anti == 1 && reads + 1 == cycle.whys.len() {
        broken.push("causal-cerone");
        // Who is read from directly is visible; who is read from further off need not be.
        if reads == 1 {
            broken.push("read-atomic");
        }
    }
    broken.iter().filter_map(|name| name.parse().ok()).collect()
}
