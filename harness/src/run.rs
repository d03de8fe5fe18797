//! One run from plan to verdict: start, drive and break, heal and serve, stop, check, report.
//!
//! The run folder is complete at every moment: the plan is there before anything starts, the
//! history grows line by line, so that a run that dies half way can still be checked.

use crate::catalog;
use crate::checking;
use crate::interpreter::{Counts, Interpreter, PhaseEnd};
use crate::nemesis::Action;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::recorder::Recorder;
use crate::report;
use crate::results::{self, file};
use crate::status_log::StatusLog;
use crate::world::{self, World};
use anyhow::{Context, Result};
use quorate_checkers::aftermath;
use quorate_checkers::history::{Event, History};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Verdict;
use quorate_targets::node::{NodeId, Status};
use quorate_workloads::generator::stagger::gap_at_rate;
use quorate_workloads::generator::{Combine, Generator};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What decides how a run is carried out, but not what happens in it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where runs go.
    pub results: PathBuf,
    /// No progress on stderr.
    pub quiet: bool,
}

/// A finished run.
#[derive(Debug)]
pub struct Done {
    /// Its folder.
    pub folder: PathBuf,
    /// What happened.
    pub history: History,
    /// What the checkers say of it.
    pub verdict: Verdict,
}

/// Carries out a plan.
pub fn run(plan: &Plan, options: &Options) -> Result<Done> {
    let folder = results::create(&options.results, &plan.name())?;
    results::write_json(&folder.join(file::PLAN), plan)?;
    let mut progress = Progress::new(options.quiet);
    progress.say(&format!("{}  in {}", plan.command, folder.display()));
    let events = {
        let begun = Instant::now();
        let mut world = world::open(plan, &folder)?;
        progress.say(&ready_line(plan, begun));
        drive(plan, world.as_mut(), &folder, &mut progress)?
    };
    progress.finish();
    let history = History::from_events(events).context("the recorded history is not well-formed")?;
    progress.say(&format!("checking {} operations", history.operations().len()));
    let verdict = checking::check(&history, &checking::Request::of_plan(plan)?);
    results::write_json(&folder.join(file::VERDICT), &verdict)?;
    report::write(&folder, plan, &history, &verdict)?;
    Ok(Done { folder, history, verdict })
}

fn ready_line(plan: &Plan, begun: Instant) -> String {
    let ms = begun.elapsed().as_millis();
    match plan.nodes {
        0 => "no cluster to start".into(),
        1 => format!("1 node ready after {ms} ms"),
        n => format!("{n} nodes ready after {ms} ms"),
    }
}

fn drive(
    plan: &Plan,
    world: &mut dyn World,
    folder: &Path,
    progress: &mut Progress,
) -> Result<Vec<Event>> {
    let members = plan.members();
    let mut workload =
        catalog::new_workload(&plan.workload, &plan.workload_options, plan.seed, &members)
            .map_err(anyhow::Error::msg)?;
    let mut recorder = Recorder::create(&folder.join(file::HISTORY))?;
    let mut log = StatusLog::create(&folder.join(file::STATUS))?;
    let mut observer = |world: &mut dyn World, counts: Counts| {
        let statuses = world.statuses();
        log.write(world.now(), &statuses)?;
        progress.update(&plan.target, counts, &who_leads(&statuses));
        Ok(())
    };
    let mut interpreter = Interpreter::new(
        world,
        &mut recorder,
        workload.as_mut(),
        &members,
        plan.concurrency,
        &mut observer,
    );
    let end = main_phase(plan, &mut interpreter)?;
    if end != PhaseEnd::Interrupted {
        final_phase(plan, &mut interpreter)?;
    }
    recorder.finish()
}

fn main_phase(plan: &Plan, interpreter: &mut Interpreter<'_>) -> Result<PhaseEnd> {
    let clients = interpreter.workload().main();
    let mut generator =
        clients.stagger(gap_at_rate(plan.rate), plan.seed).time_limit(plan.time_limit);
    let end = interpreter.run(&mut generator, &plan.schedule, None)?;
    for action in healing(plan) {
        interpreter.apply(&action, &mut generator)?;
    }
    interpreter.drain(&mut generator, plan.limits.drain)?;
    Ok(end)
}

/// What undoes every kind of fault that the plan may have left in force.
fn healing(plan: &Plan) -> Vec<Action> {
    let used = |name: &str| plan.nemesis.iter().any(|fault| fault == name);
    let heals =
        [("partition", Action::StopPartition), ("pause", Action::Resume), ("kill", Action::Start)];
    heals.into_iter().filter(|(name, _)| used(name)).map(|(_, action)| action).collect()
}

fn final_phase(plan: &Plan, interpreter: &mut Interpreter<'_>) -> Result<()> {
    interpreter.note(aftermath::FINAL_PHASE, Value::Null)?;
    let mut generator: Box<dyn Generator> = interpreter.workload().finale();
    interpreter.run(generator.as_mut(), &[], Some(plan.limits.recovery))?;
    interpreter.drain(generator.as_mut(), plan.limits.drain)
}

/// The leader and its term, in a few words, where there is one.
fn who_leads(statuses: &BTreeMap<NodeId, Status>) -> String {
    statuses
        .iter()
        .filter(|(_, status)| status.role == "leader")
        .max_by_key(|(_, status)| status.term)
        .map_or_else(String::new, |(id, status)| format!("leader {id} (term {})", status.term))
}
