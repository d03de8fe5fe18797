//! Hunting: many simulated runs, each with knobs of its own, on all cores.
//!
//! Each seed draws a plan ([`knobs`]); each plan is one single-threaded simulation. Plans are
//! handed out in batches of a fixed size and their outcomes are looked at in order, so that what
//! a hunt finds depends on its seeds and not on the number of threads. A [`Strategy`] may learn
//! from what a batch has shown ([`novelty`]).

pub mod knobs;
pub mod novelty;

use crate::plan::Plan;
use crate::trial::{self, Failure};
use anyhow::Result;
use knobs::Fixed;
use novelty::Corpus;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Detail, Sometimes};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// So many plans are made before outcomes are looked at.
const BATCH: usize = 32;

/// At most this many failures are remembered.
pub const FAILURES_MAX: usize = 1_000;

/// How plans are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Strategy {
    /// Each from its seed alone
    #[default]
    Random,
    /// Those that showed something new are changed a little and tried again
    Novelty,
}

/// What a hunt is to do.
#[derive(Clone, Debug)]
pub struct Options {
    /// What does not vary.
    pub fixed: Fixed,
    /// The first seed.
    pub from: u64,
    /// How many runs at most.
    pub runs: Option<u64>,
    /// How long at most.
    pub time: Option<Duration>,
    /// Whether to stop at the first failure.
    pub first: bool,
    /// Worker threads.
    pub threads: usize,
    /// How plans are made.
    pub strategy: Strategy,
}

/// A run that failed.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which run of the hunt, from 0.
    pub number: u64,
    /// Its plan.
    pub plan: Plan,
    /// Why.
    pub failure: Failure,
}

/// What a hunt has done so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs that ended.
    pub runs: u64,
    /// Runs in which some checker could not decide.
    pub undecided: u64,
    /// Nanoseconds of virtual time, over all runs.
    pub virtual_ns: u128,
    /// Events of the simulator, over all runs.
    pub events: u64,
    /// Client operations, over all runs.
    pub operations: u64,
    /// How often the interesting was seen, over all runs.
    pub sometimes: Sometimes,
    /// Different situations that were seen.
    pub situations: usize,
    /// What was found, in the order of the runs.
    pub found: Vec<Found>,
}

/// What is kept of a run.
struct Outcome {
    failure: Option<Failure>,
    undecided: bool,
    end: u64,
    events: u64,
    operations: u64,
    sometimes: Sometimes,
    windows: Vec<u64>,
}

/// Hunts. `tell` hears now and then how it stands; `interrupt` ends it early.
pub fn hunt(
    options: &Options,
    interrupt: &AtomicBool,
    tell: &mut dyn FnMut(&Tally),
) -> Result<Tally> {
    let begun = Instant::now();
    let mut tally = Tally::default();
    let mut corpus = Corpus::new(Seed(options.from));
    loop {
        let left = options.runs.map_or(u64::MAX, |runs| runs - tally.runs);
        let late = options.time.is_some_and(|time| begun.elapsed() >= time);
        if left == 0 || late || interrupt.load(Ordering::Relaxed) {
            return Ok(tally);
        }
        let numbers = (tally.runs..).take(BATCH.min(usize::try_from(left).unwrap_or(BATCH)));
        let plans = numbers
            .map(|number| {
                let fresh = knobs::draw(&options.fixed, Seed(options.from + number))?;
                Ok(match options.strategy {
                    Strategy::Random => fresh,
                    Strategy::Novelty => corpus.vary(fresh),
                })
            })
            .collect::<Result<Vec<Plan>>>()?;
        let outcomes = batch(&plans, options, interrupt)?;
        for (plan, outcome) in plans.into_iter().zip(outcomes) {
            let Some(outcome) = outcome else { return Ok(tally) };
            if corpus.learn(&plan, &outcome.windows, outcome.failure.is_some()) {
                tally.situations = corpus.situations();
            }
            let failed = outcome.failure.is_some();
            tally.take(plan, outcome);
            if failed && options.first {
                return Ok(tally);
            }
        }
        tell(&tally);
    }
}

impl Tally {
    fn take(&mut self, plan: Plan, outcome: Outcome) {
        let number = self.runs;
        self.runs += 1;
        self.undecided += u64::from(outcome.undecided);
        self.virtual_ns += u128::from(outcome.end);
        self.events += outcome.events;
        self.operations += outcome.operations;
        self.sometimes.merge(&outcome.sometimes);
        if let Some(failure) = outcome.failure
            && self.found.len() < FAILURES_MAX
        {
            self.found.push(Found { number, plan, failure });
        }
    }
}

/// Carries out plans on all threads; the outcomes are in the order of the plans. Those behind
/// a failure are left out where only the first one is wanted, and all after an interrupt.
fn batch(
    plans: &[Plan],
    options: &Options,
    interrupt: &AtomicBool,
) -> Result<Vec<Option<Outcome>>> {
    let next = AtomicUsize::new(0);
    let first_failure = AtomicUsize::new(usize::MAX);
    let outcomes: Mutex<Vec<Option<Result<Outcome>>>> =
        Mutex::new(plans.iter().map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(plan) = plans.get(number) else { return };
                    let needless = options.first && first_failure.load(Ordering::Relaxed) < number;
                    if needless || interrupt.load(Ordering::Relaxed) {
                        return;
                    }
                    let outcome = outcome(plan);
                    if matches!(&outcome, Ok(Outcome { failure: Some(_), .. })) {
                        first_failure.fetch_min(number, Ordering::Relaxed);
                    }
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner)[number] = Some(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.into_iter().map(Option::transpose).collect()
}

fn outcome(plan: &Plan) -> Result<Outcome> {
    let trial = trial::carry_out(plan, Detail::Digest)?;
    Ok(Outcome {
        failure: trial.failure(),
        undecided: trial.is_undecided(),
        end: trial.end.0,
        events: trial.counts.events,
        operations: trial.history.operations().len() as u64,
        sometimes: trial.sometimes,
        windows: trial.windows,
    })
}
