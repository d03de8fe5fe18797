//! Linearizability: whether every operation can have taken effect at one moment between its
//! invocation and its completion.
//!
//! [`check`] decides a recorded [`History`](crate::history::History), key by key, and says which
//! algorithm decided.
//!
//! For a model of your own there are three strengths: [`is_linearizable`] is a bool,
//! [`verdict`] keeps to a budget, [`explain`] shows its evidence. All decide by a search that is
//! exact for any [`Model`]. [`check_calls`] decides plain calls of a known
//! object by its special algorithm. [`minimize`] finds a small history that still fails, and
//! [`staleness`] says by how much reads were late.

mod append;
mod by_model;
mod call;
mod counter;
mod dead_end;
mod grow;
mod guess;
mod how_far;
mod key;
mod kind;
mod lock;
mod meter;
mod minimize;
mod objects;
pub mod online;
mod options;
mod plain;
mod pool;
mod register;
mod report;
mod search;
mod set;
mod staleness;
mod texts;
mod transactional;
mod variant;
pub(crate) mod words;

pub use call::Call;
pub use guess::guess;
pub use how_far::dead_end;
pub use key::Algorithm;
pub use kind::{ModelKind, NoSuchModel};
pub use minimize::minimize;
pub(crate) use minimize::original;
pub use options::{Options, Span, Unknown};
pub use plain::{Ask, check_calls, history_of};
pub(crate) use register::{linearizable_by_zones, no_other_value, refusal};
pub use report::check;
pub use search::{Alternative, Failure, Placed};
pub use staleness::{Staleness, staleness};
pub use variant::Variant;
pub use words::CHECKER;

use crate::model::Model;
use meter::{Meter, Purse};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use search::Found;
use std::collections::BTreeMap;

/// A conclusion about a list of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is an order that explains every answer.
    Linearizable,
    /// There is none.
    Violation,
    /// The budget did not suffice, or the input makes no sense.
    Unknown(Unknown),
}

/// A conclusion with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained<S> {
    /// The conclusion.
    pub outcome: Outcome,
    /// Why there is no order, if there is none and the budget sufficed to say so. Its indices
    /// are positions in the list of calls.
    pub failure: Option<Failure<S>>,
}

/// Whether `calls` are linearizable; without limits. False also where that cannot be decided
/// (more than 1024 calls open at once, a model that breaks its promises): [`verdict`] tells
/// these apart.
pub fn is_linearizable<M: Model>(model: &M, calls: &[Call<M::Input, M::Output>]) -> bool
where
    M::Input: Clone + Send,
    M::Output: Clone + Send,
{
    let unlimited = Options { steps: u64::MAX, bytes: usize::MAX, ..Options::default() };
    verdict(model, calls, &unlimited) == Outcome::Linearizable
}

/// Whether `calls` are linearizable, within a budget.
pub fn verdict<M: Model>(
    model: &M,
    calls: &[Call<M::Input, M::Output>],
    options: &Options<'_>,
) -> Outcome
where
    M::Input: Clone + Send,
    M::Output: Clone + Send,
{
    run(model, calls, options, false).outcome
}

/// Whether `calls` are linearizable, within a budget, and why not.
pub fn explain<M: Model>(
    model: &M,
    calls: &[Call<M::Input, M::Output>],
    options: &Options<'_>,
) -> Explained<M::State>
where
    M::Input: Clone + Send,
    M::Output: Clone + Send,
{
    run(model, calls, options, true)
}

fn run<M: Model>(
    model: &M,
    calls: &[Call<M::Input, M::Output>],
    options: &Options<'_>,
    evidence: bool,
) -> Explained<M::State>
where
    M::Input: Clone + Send,
    M::Output: Clone + Send,
{
    let mut parts: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, call) in calls.iter().enumerate() {
        parts.entry(model.part(&call.input)).or_default().push(index);
    }
    let purse = Purse::new(options);
    let found = if parts.len() <= 1 {
        let mut meter = Meter::new(options, &purse, options.bytes);
        vec![search::search(model, calls, &mut meter, evidence)]
    } else {
        in_parallel(options, parts.values().collect(), |part: &Vec<usize>, bytes| {
            let own: Vec<_> = part.iter().map(|index| calls[*index].clone()).collect();
            let mut meter = Meter::new(options, &purse, bytes);
            let mut found = search::search(model, &own, &mut meter, evidence);
            if let Found::Violation(Some(failure)) = &mut found {
                failure.rename(part);
            }
            found
        })
    };
    merge(found)
}

/// A violation beats an unknown, which beats no objection.
fn merge<S>(found: Vec<Found<S>>) -> Explained<S> {
    let mut outcome = Outcome::Linearizable;
    for found in found {
        match found {
            Found::Violation(failure) => {
                let failure = failure.map(|failure| *failure);
                return Explained { outcome: Outcome::Violation, failure };
            }
            Found::Unknown(unknown) => outcome = Outcome::Unknown(unknown),
            Found::Linearizable => {}
        }
    }
    Explained { outcome, failure: None }
}

/// Applies `work` to all items on as many threads as the options say, each with its share of
/// the memory.
fn in_parallel<T: Send, R: Send>(
    options: &Options<'_>,
    items: Vec<T>,
    work: impl Fn(T, usize) -> R + Sync,
) -> Vec<R> {
    if options.threads == 1 || items.len() <= 1 {
        return items.into_iter().map(|item| work(item, options.bytes)).collect();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    match pool {
        Ok(pool) => {
            let share = options.bytes / pool.current_num_threads().max(1);
            pool.install(|| items.into_par_iter().map(|item| work(item, share)).collect())
        }
        // No thread could be started: one will do.
        Err(_) => items.into_iter().map(|item| work(item, options.bytes)).collect(),
    }
}
