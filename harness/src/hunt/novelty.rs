//! Hunting by novelty: plans that led to situations that nobody had seen are varied.
//!
//! A run is known by the hashes of its windows of time (who led, how far terms were apart, which
//! faults overlapped, which errors clients got: see [`crate::trial`]). A run with hashes that no
//! run before it had is kept; most new plans are then variations of kept ones, chosen by how new
//! they were. (Mallory, CCS 2023, learns from such windows too; here there is no learning but
//! the selection of greybox fuzzing.)

use crate::nemesis::{Action, Aim, Scheduled};
use crate::plan::Plan;
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

/// So many plans are kept, the best ones.
const KEPT_MAX: usize = 128;
/// Of ten new plans, how many are fresh draws.
const FRESH_OF_TEN: u32 = 3;

/// What has been seen, and which plans are worth varying.
#[derive(Debug)]
pub struct Corpus {
    rng: ChaCha8Rng,
    seen: BTreeSet<u64>,
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    plan: Plan,
    /// How many new hashes it brought; halved each time that it is varied.
    worth: f64,
}

impl Corpus {
    /// Nothing has been seen.
    pub fn new(seed: Seed) -> Corpus {
        Corpus { rng: seed.stream("novelty"), seen: BTreeSet::new(), kept: Vec::new() }
    }

    /// How many different hashes have been seen.
    pub fn situations(&self) -> usize {
        self.seen.len()
    }

    /// Takes note of a run. Whether it showed anything new.
    pub fn learn(&mut self, plan: &Plan, windows: &[u64], failed: bool) -> bool {
        let before = self.seen.len();
        self.seen.extend(windows);
        let new = self.seen.len() - before;
        if new > 0 && !failed {
            self.kept.push(Kept { plan: plan.clone(), worth: new as f64 });
            self.kept.sort_by(|a, b| b.worth.total_cmp(&a.worth));
            self.kept.truncate(KEPT_MAX);
        }
        new > 0
    }

    /// A variation of a kept plan with the fresh one's seed, or the fresh one itself.
    pub fn vary(&mut self, fresh: Plan) -> Plan {
        if self.kept.is_empty() || self.rng.random_ratio(FRESH_OF_TEN, 10) {
            return fresh;
        }
        let parent = self.choose();
        let mut plan = self.kept[parent].plan.clone();
        self.kept[parent].worth *= 0.7;
        plan.seed = fresh.seed;
        for _ in 0..self.rng.random_range(1..=3) {
            self.mutate(&mut plan, &fresh);
        }
        plan.schedule.sort_by_key(|scheduled| scheduled.at_ms);
        "quorate sim --plan FILE (the schedule is in no command line)"
            .clone_into(&mut plan.command);
        plan
    }

    /// By worth.
    fn choose(&mut self) -> usize {
        let total: f64 = self.kept.iter().map(|kept| kept.worth).sum();
        let mut drawn = self.rng.random_range(0.0..1.0) * total;
        for (place, kept) in self.kept.iter().enumerate() {
            drawn -= kept.worth;
            if drawn <= 0.0 {
                return place;
            }
        }
        0
    }

    /// One change.
    fn mutate(&mut self, plan: &mut Plan, fresh: &Plan) {
        let rng = &mut self.rng;
        let faults = plan.schedule.len();
        let length_ms = plan.time_limit.as_millis() as u64;
        match rng.random_range(0..6) {
            0 if faults > 0 => {
                let one = rng.random_range(0..faults);
                plan.schedule[one].at_ms = rng.random_range(0..length_ms.max(1));
            }
            1 if faults > 0 => {
                let one = plan.schedule[rng.random_range(0..faults)].clone();
                let at_ms = rng.random_range(0..length_ms.max(1));
                plan.schedule.push(Scheduled { at_ms, ..one });
            }
            2 if faults > 1 => drop(plan.schedule.remove(rng.random_range(0..faults))),
            3 => {
                // Just behind another fault, at whoever leads.
                let at_ms = plan.schedule.get(faults / 2).map_or(0, |other| other.at_ms);
                let action = if rng.random_ratio(1, 2) {
                    Action::Kill { aim: Aim::Leader }
                } else {
                    Action::Pause { aim: Aim::Leader }
                };
                plan.schedule.push(Scheduled { at_ms: at_ms + rng.random_range(1..50), action });
            }
            4 => plan.weather = fresh.weather,
            _ => {
                plan.target_options.clone_from(&fresh.target_options);
                plan.workload_options.clone_from(&fresh.workload_options);
            }
        }
        for kind in ["partition", "kill", "pause"] {
            if !plan.nemesis.iter().any(|known| known == kind) {
                plan.nemesis.push(kind.to_owned());
            }
        }
    }
}
