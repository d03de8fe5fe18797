//! One simulated run in memory: the pipeline of `run` without files, for hunts and for shrinking.

use crate::checking;
use crate::interpreter::Counts;
use crate::nemesis::FaultKind;
use crate::plan::Plan;
use crate::recorder::Recorder;
use crate::report::faults::{self, Part};
use crate::run::{Driven, await_service, drive};
use crate::stopped;
use crate::world::World;
use crate::world::sim::{Options, Simulated, calm_weather};
use anyhow::{Context, Result};
use quorate_checkers::history::{EventType, History, Nanos, Process};
use quorate_checkers::verdict::{Anomaly, Valid, Verdict};
use quorate_targets::sim::{self, Detail, Sometimes, Trace};
use std::collections::BTreeSet;
use std::time::Duration;

/// The length of the windows by which runs are told apart.
const WINDOW: u64 = 200_000_000;

/// A run and what is thought of it.
#[derive(Debug)]
pub struct Trial {
    /// What happened.
    pub history: History,
    /// What the checkers say.
    pub verdict: Verdict,
    /// When the phases began.
    pub driven: Driven,
    /// How often the interesting was seen.
    pub sometimes: Sometimes,
    /// What happened, in numbers.
    pub counts: sim::Counts,
    /// Virtual time at the end.
    pub end: Nanos,
    /// What happened, event by event, as far as it was asked for.
    pub trace: Trace,
    /// A hash for each window of time: see [`windows`].
    pub windows: Vec<u64>,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Failure {
    /// What makes two failures the same: the name of the broken invariant, or of the checker.
    pub reason: String,
    /// The anomalies' kinds, each once.
    pub anomaly_types: Vec<String>,
    /// In a sentence.
    pub why: String,
    /// When it was there to be seen, in nanoseconds of virtual time.
    pub at: u64,
}

/// How the nodes stood at the end of a tick.
struct Glance {
    time: Nanos,
    leaders: usize,
    term_gap: u64,
    silent: usize,
}

/// Carries out a plan in memory. Its checkers use one thread.
pub fn carry_out(plan: &Plan, detail: Detail) -> Result<Trial> {
    let weather = plan.weather.unwrap_or_else(calm_weather);
    let mut world = Simulated::new(&Options::of_plan(plan, weather).in_memory(detail))?;
    let mut recorder = Recorder::in_memory();
    let mut glances = Vec::new();
    let members = usize::from(plan.nodes);
    let mut observer = |world: &mut dyn World, _: Counts| {
        let statuses = world.statuses();
        let terms = || statuses.values().map(|status| status.term);
        glances.push(Glance {
            time: world.now(),
            leaders: statuses.values().filter(|status| status.role == "leader").count(),
            term_gap: terms().max().unwrap_or(0) - terms().min().unwrap_or(0),
            silent: members.saturating_sub(statuses.len()),
        });
        Ok(())
    };
    let driven = if await_service(plan, &mut world, &mut recorder)? {
        drive(plan, &mut world, &mut recorder, &mut observer)?
    } else {
        Driven { main: world.now(), finale: None }
    };
    let history = History::from_events(recorder.finish()?)
        .context("the recorded history is not well-formed")?;
    let mut request = checking::Request::of_plan(plan)?;
    request.threads = Some(1);
    request.timeout = Duration::from_mins(1);
    let verdict = checking::check(&history, &request);
    let end = world.now();
    let cluster = world.simulation().context("the world is not simulated")?;
    Ok(Trial {
        verdict,
        driven,
        sometimes: cluster.sometimes(),
        counts: cluster.counts(),
        end,
        trace: cluster.trace().clone(),
        windows: windows(&history, &glances),
        history,
    })
}

impl Trial {
    /// Why it failed, if it did. A checker that could not decide is no failure.
    pub fn failure(&self) -> Option<Failure> {
        let guilty = |anomaly: &&Anomaly| {
            let report = self.verdict.checkers.get(&anomaly.checker);
            report.is_some_and(|report| report.valid == Valid::False) || anomaly.kind == "node-died"
        };
        let anomaly = self.verdict.anomalies.iter().find(guilty)?;
        // A checker of histories may see one bug in many shapes; the others tell theirs apart.
        let by_kind = [stopped::CHECKER, "aftermath"].contains(&anomaly.checker.as_str());
        let reason = if by_kind { &anomaly.kind } else { &anomaly.checker };
        Some(Failure {
            reason: reason.clone(),
            anomaly_types: self.verdict.anomaly_types.clone(),
            why: anomaly.explanation.clone(),
            at: self.last_time(anomaly).0,
        })
    }

    /// Whether some checker of the history could not decide. How many operations succeeded and what
    /// became of the nodes are no questions to a history of a hunt.
    pub fn is_undecided(&self) -> bool {
        let mut reports = self.verdict.checkers.iter();
        reports.any(|(name, report)| {
            report.valid == Valid::Unknown && !["stats", "aftermath"].contains(&name.as_str())
        })
    }

    /// The end of the last operation that an anomaly names.
    fn last_time(&self, anomaly: &Anomaly) -> Nanos {
        let events = self.history.events().len();
        let known = anomaly.ops.iter().filter(|op| (op.0 as usize) < events);
        let times = known.map(|op| {
            let event = self.history.event(*op);
            let ends = |other: &&quorate_checkers::history::Event| {
                other.process == event.process && other.kind != EventType::Invoke
            };
            let later = self.history.events()[op.0 as usize..].iter().find(ends);
            later.map_or(event.time, |end| end.time)
        });
        times.max().unwrap_or(self.end)
    }
}

/// What happened in each window of time, as a hash: how many led, how far terms were apart, how
/// many nodes were silent, which faults were in force, and which errors clients got. Hashes of
/// neighbours are hashed once more: an order of situations is a situation.
fn windows(history: &History, glances: &[Glance]) -> Vec<u64> {
    let mut events = history.events().iter().peekable();
    let mut in_force: BTreeSet<FaultKind> = BTreeSet::new();
    let mut hashes = Vec::new();
    for glance in glances.iter().filter(|glance| glance.time.0 % WINDOW < WINDOW / 2) {
        let mut errors = BTreeSet::new();
        while let Some(event) = events.next_if(|event| event.time <= glance.time) {
            match (event.process, event.f.as_str()) {
                (Process::Nemesis, f) => turn(&mut in_force, f),
                _ if event.error.is_some() => {
                    errors.insert(format!("{:?} {:?}", event.kind, label(event.error.as_ref())));
                }
                _ => {}
            }
        }
        let gap = match glance.term_gap {
            gap @ 0..=3 => gap,
            4..=8 => 4,
            _ => 5,
        };
        let text =
            format!("{} {gap} {} {in_force:?} {errors:?}", glance.leaders, glance.silent.min(3));
        hashes.push(hash(text.as_bytes()));
    }
    let pairs: Vec<u64> = hashes.windows(2).map(|pair| pair[0].rotate_left(17) ^ pair[1]).collect();
    hashes.extend(pairs);
    hashes
}

/// The stable word of an error `[label, detail]`.
fn label(error: Option<&quorate_checkers::value::Value>) -> String {
    use quorate_checkers::value::Value;
    match error {
        Some(Value::List(items)) => items.first().map_or_else(String::new, Value::to_string),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn turn(in_force: &mut BTreeSet<FaultKind>, f: &str) {
    let known = |name: &str| FaultKind::ALL.into_iter().find(|kind| kind.name() == name);
    match faults::part(f) {
        Part::Begins(kind) => in_force.extend(known(&kind)),
        Part::Ends(kind) => in_force.retain(|fault| fault.name() != kind),
        Part::Neither => {}
    }
}

/// Fowler, Noll and Vo's hash, version 1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
