//! Shrinking: a failing run is reduced while it fails for the same reason, to something that a
//! person can follow.
//!
//! First the run is written down as a script, so that single operations can be taken out. Then
//! everything behind the failure goes, then faults, operations, final reads, clients, options,
//! weather and nodes, each as long as the reduced run still breaks the same invariant or fails
//! the same checker; lists are reduced by delta debugging ([`ddmin`]). A reduced run takes
//! another course through the nodes' random timeouts, so that a reduction may also be tried
//! under a few other seeds. What comes out is small, not smallest.

mod aims;
mod ddmin;
mod nodes;

use crate::hunt::knobs;
use crate::nemesis::{Action, Scheduled};
use crate::plan::Plan;
use crate::script::Script;
use crate::trial::{self, Failure, Trial};
use crate::world::sim::calm_weather;
use anyhow::{Result, bail};
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Delay, Detail, Nanos, Weather};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Copies a part of the weather.
type WeatherPart = fn(&mut Weather, &Weather);

/// How much may be spent.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Runs.
    pub runs: u32,
    /// Real time.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { runs: 3_000, time: Duration::from_mins(1) }
    }
}

/// How large a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Size {
    /// Fault actions, healing included.
    pub faults: usize,
    /// Operations of both phases.
    pub operations: usize,
    /// Client threads.
    pub clients: usize,
    /// Nodes.
    pub nodes: u16,
    /// Length of the main phase in milliseconds.
    pub length_ms: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The reduced plan.
    pub plan: Plan,
    /// Why it fails.
    pub failure: Failure,
    /// How large the run was.
    pub before: Size,
    /// How large it is now.
    pub after: Size,
    /// Runs that it took.
    pub runs: u32,
}

/// Seeds that a reduction is tried under, beside the plan's own, where it is worth it.
const OTHER_SEEDS: u64 = 6;

/// The same where nodes are taken away, which changes everything.
const NODE_SEEDS: u64 = 60;

struct Shrinker<'a> {
    best: Plan,
    failure: Failure,
    /// Under how many other seeds a reduction is tried.
    other_seeds: u64,
    runs: u32,
    budget: Budget,
    begun: Instant,
    interrupt: &'a AtomicBool,
    tell: &'a mut dyn FnMut(&str, u32, Size),
}

/// Reduces a failing plan. `tell` hears what is being reduced, after how many runs, to what.
pub fn shrink(
    plan: &Plan,
    budget: Budget,
    interrupt: &AtomicBool,
    tell: &mut dyn FnMut(&str, u32, Size),
) -> Result<Shrunk> {
    let trial = trial::carry_out(plan, Detail::Digest)?;
    let Some(failure) = trial.failure() else {
        bail!("the plan does not fail when it is simulated: there is nothing to shrink");
    };
    let mut shrinker = Shrinker {
        best: plan.clone(),
        failure,
        other_seeds: 0,
        runs: 1,
        budget,
        begun: Instant::now(),
        interrupt,
        tell,
    };
    let before = Size { operations: trial.history.operations().len(), ..Size::of(plan) };
    shrinker.write_down(&trial)?;
    let mut size = None;
    for round in 0..6 {
        shrinker.other_seeds = if round == 0 { 0 } else { OTHER_SEEDS };
        shrinker.round()?;
        let now = Size::of(&shrinker.best);
        if round > 0 && size == Some(now) {
            break;
        }
        size = Some(now);
    }
    let Shrinker { mut best, failure, runs, .. } = shrinker;
    "quorate sim --plan minimal.plan.json".clone_into(&mut best.command);
    Ok(Shrunk { after: Size::of(&best), plan: best, failure, before, runs })
}

impl Size {
    /// Of a plan; its operations are known only if it has a script.
    pub fn of(plan: &Plan) -> Size {
        Size {
            faults: plan.schedule.len(),
            operations: plan.script.as_ref().map_or(0, |s| s.main.len() + s.last.len()),
            clients: plan.concurrency,
            nodes: plan.nodes,
            length_ms: plan.time_limit.as_millis() as u64,
        }
    }
}

impl Shrinker<'_> {
    fn spent(&self) -> bool {
        self.runs >= self.budget.runs
            || self.begun.elapsed() >= self.budget.time
            || self.interrupt.load(Ordering::Relaxed)
    }

    /// Takes `candidate` for the best if it fails for the same reason.
    fn attempt(&mut self, mut candidate: Plan) -> Result<bool> {
        if candidate == self.best {
            return Ok(false);
        }
        let own = candidate.seed;
        for other in 0..=self.other_seeds {
            if self.spent() {
                return Ok(false);
            }
            if other > 0 {
                candidate.seed = Seed(own.0.wrapping_add(other));
            }
            self.runs += 1;
            let failure = trial::carry_out(&candidate, Detail::Digest)?.failure();
            if let Some(failure) = failure
                && failure.reason == self.failure.reason
            {
                self.failure = failure;
                self.best = candidate;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same with a change of the script.
    fn attempt_script(&mut self, change: impl FnOnce(&mut Script)) -> Result<bool> {
        let mut plan = self.best.clone();
        let Some(script) = &mut plan.script else { return Ok(false) };
        change(script);
        self.attempt(plan)
    }

    /// Turns drawn operations into a script, and cuts off what comes behind the failure.
    fn write_down(&mut self, trial: &Trial) -> Result<()> {
        if self.best.script.is_none() {
            let driven = trial.driven;
            let script =
                Script::record(&trial.history, driven.main, driven.finale, self.best.concurrency);
            let mut plan = self.best.clone();
            plan.script = Some(script);
            if !self.attempt(plan)? {
                return Ok(()); // a course that the script does not take; reduce what can be
            }
        }
        let end = self.failure.at.saturating_sub(trial.driven.main.0);
        // Exactly, else with some room behind, else only what no client saw.
        for room_ms in [1, 100, 1_000] {
            if self.cut(end + room_ms * 1_000_000)? {
                return Ok(());
            }
        }
        self.attempt_script(|script| script.last.clear()).map(|_| ())
    }

    /// Ends the main phase `end` nanoseconds after its beginning, without a final phase.
    fn cut(&mut self, end: u64) -> Result<bool> {
        let length = Duration::from_millis(end.div_ceil(1_000_000));
        if length >= self.best.time_limit {
            return Ok(false);
        }
        let mut plan = self.best.clone();
        plan.schedule.retain(|scheduled| scheduled.at_ms * 1_000_000 <= end);
        if let Some(script) = &mut plan.script {
            script.main.retain(|next| next.at_ns <= end);
            script.last.clear();
        }
        plan.time_limit = length;
        self.attempt(plan)
    }

    /// Tries everything once.
    fn round(&mut self) -> Result<()> {
        self.say("final reads");
        self.attempt_script(|script| script.last.clear())?;
        self.say("faults");
        self.faults()?;
        self.say("aims");
        for place in 0..self.best.schedule.len() {
            for simpler in aims::simpler(&self.best, place) {
                self.attempt(simpler)?;
            }
        }
        self.say("operations");
        self.operations()?;
        self.say("clients");
        self.clients()?;
        self.say("weather");
        self.weather()?;
        self.say("options");
        self.options()?;
        self.say("nodes");
        let seeds = std::mem::replace(&mut self.other_seeds, NODE_SEEDS);
        let boots = |size: &u16| knobs::boots(&self.best.target, *size);
        let sizes: Vec<u16> = (1..self.best.nodes).filter(boots).collect();
        for size in sizes {
            if self.attempt(nodes::reduced(&self.best, size))? {
                break;
            }
        }
        self.other_seeds = seeds;
        self.say("time");
        self.time()
    }

    fn say(&mut self, what: &str) {
        (self.tell)(what, self.runs, Size::of(&self.best));
    }

    /// Faults go with their healing.
    fn faults(&mut self) -> Result<()> {
        let pairs = pairs(&self.best.schedule);
        let mut attempt = |shrinker: &mut Self, pairs: &[Vec<Scheduled>]| {
            let mut plan = shrinker.best.clone();
            plan.schedule = pairs.concat();
            plan.schedule.sort_by_key(|scheduled| scheduled.at_ms);
            shrinker.attempt(plan)
        };
        ddmin::ddmin(self, pairs, &mut attempt)?;
        // A fault that is never healed is simpler than one that is.
        let single = self.best.schedule.iter().map(|one| vec![one.clone()]).collect();
        ddmin::ddmin(self, single, &mut attempt)
    }

    fn operations(&mut self) -> Result<()> {
        let Some(script) = self.best.script.clone() else { return Ok(()) };
        ddmin::ddmin(self, script.main, &mut |shrinker: &mut Self, main: &[_]| {
            shrinker.attempt_script(|script| script.main = main.to_vec())
        })?;
        ddmin::ddmin(self, script.last, &mut |shrinker: &mut Self, last: &[_]| {
            shrinker.attempt_script(|script| script.last = last.to_vec())
        })
    }

    /// As many threads as are used, or fewer.
    fn clients(&mut self) -> Result<()> {
        let Some(script) = &self.best.script else { return Ok(()) };
        let mut used: Vec<usize> = script.main.iter().map(|next| next.thread).collect();
        used.sort_unstable();
        used.dedup();
        for threads in 1..=used.len().max(1) {
            let mut plan = self.best.clone();
            plan.concurrency = threads;
            if let Some(script) = &mut plan.script {
                for next in &mut script.main {
                    next.thread = used.binary_search(&next.thread).unwrap_or(0) % threads;
                }
            }
            if plan.concurrency < self.best.concurrency && self.attempt(plan)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Delays that do not vary, as short as makes sense; else one thing after the other.
    fn weather(&mut self) -> Result<()> {
        let fixed = |micros| Delay::Fixed(Nanos::from_micros(micros));
        let mut still = calm_weather();
        (still.link.delay, still.client) = (fixed(500), fixed(100));
        (still.disk.sync, still.boot) = (fixed(1_000), fixed(10_000));
        let parts: [WeatherPart; 8] = [
            |weather, to| *weather = *to,
            |weather, to| weather.link = to.link,
            |weather, to| weather.disk = to.disk,
            |weather, to| weather.boot = to.boot,
            |weather, to| weather.client = to.client,
            |weather, to| weather.link.loss = to.link.loss,
            |weather, to| weather.link.duplicate = to.link.duplicate,
            |weather, to| weather.link.reorder = to.link.reorder,
        ];
        for part in parts {
            let mut plan = self.best.clone();
            let weather = plan.weather.get_or_insert(still);
            part(weather, &still);
            self.attempt(plan)?;
        }
        Ok(())
    }

    /// Options that do not matter go.
    fn options(&mut self) -> Result<()> {
        for name in self.best.target_options.clone().into_keys() {
            let mut plan = self.best.clone();
            plan.target_options.remove(&name);
            self.attempt(plan)?;
        }
        if self.best.script.is_some() {
            // With a script the workload draws nothing.
            self.best.workload_options.clear();
        }
        Ok(())
    }

    /// Ends the main phase earlier.
    fn time(&mut self) -> Result<()> {
        let last_fault = self.best.schedule.last().map_or(0, |last| last.at_ms);
        let script = self.best.script.as_ref();
        let last_op = script.and_then(|s| s.main.last()).map_or(0, |next| next.at_ns / 1_000_000);
        let least = Duration::from_millis(last_fault.max(last_op) + 1);
        for room_ms in [0, 100, 400, 1_000] {
            let mut plan = self.best.clone();
            plan.time_limit = least + Duration::from_millis(room_ms);
            if plan.time_limit < self.best.time_limit && self.attempt(plan)? {
                break;
            }
        }
        Ok(())
    }
}

/// Each fault with the next healing of its kind.
fn pairs(schedule: &[Scheduled]) -> Vec<Vec<Scheduled>> {
    let mut pairs: Vec<Vec<Scheduled>> = Vec::new();
    for scheduled in schedule {
        let begins = |other: &Action| {
            matches!(
                (other, &scheduled.action),
                (Action::StartPartition { .. }, Action::StopPartition)
                    | (Action::Kill { .. }, Action::Start)
                    | (Action::Pause { .. }, Action::Resume)
                    | (Action::StartPacket { .. }, Action::StopPacket)
                    | (Action::StartClock { .. }, Action::StopClock)
            )
        };
        let open = pairs.iter_mut().rev().find(|pair| pair.len() == 1 && begins(&pair[0].action));
        match open {
            Some(pair) => pair.push(scheduled.clone()),
            None => pairs.push(vec![scheduled.clone()]),
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nemesis::Aim;

    #[test]
    fn faults_are_paired_with_their_healing() {
        let at = |at_ms, action| Scheduled { at_ms, action };
        let kill = || Action::Kill { aim: Aim::Leader };
        let pause = || Action::Pause { aim: Aim::Leader };
        let schedule = [
            at(1, kill()),
            at(2, pause()),
            at(3, Action::Start),
            at(4, kill()),
            at(5, Action::Resume),
        ];
        let times: Vec<Vec<u64>> =
            pairs(&schedule).iter().map(|p| p.iter().map(|s| s.at_ms).collect()).collect();
        assert_eq!(times, [vec![1, 3], vec![2, 5], vec![4]]);
    }
}
