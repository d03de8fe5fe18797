//! One run from plan to verdict: start, drive and break, heal and serve, stop, check, report.
//!
//! The run folder is complete at every moment: the plan is there before anything starts, the
//! history grows line by line, so that a run that dies half way can still be checked.

use crate::catalog;
use crate::checking;
use crate::duration;
use crate::interpreter::{Counts, Interpreter, PhaseEnd};
use crate::live::Live;
use crate::messages;
use crate::nemesis::Action;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::recorder::{self, Recorder};
use crate::remarks;
use crate::report;
use crate::results::{self, Began, file};
use crate::status_log::StatusLog;
use crate::stopped;
use crate::text;
use crate::world::{self, Happening, World};
use anyhow::{Context, Result, bail};
use quorate_checkers::aftermath;
use quorate_checkers::history::{History, Nanos};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Verdict;
use quorate_targets::node::{NodeId, Status};
use quorate_workloads::generator::stagger::gap_at_rate;
use quorate_workloads::generator::{Combine, Generator};
use quorate_workloads::registry as workloads;
use std::collections::BTreeMap;
use std::path::PathBuf;
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
    run_in(folder, plan, options.quiet)
}

/// Carries out a plan in a folder that is there and empty.
pub fn run_in(folder: PathBuf, plan: &Plan, quiet: bool) -> Result<Done> {
    results::write_json(&folder.join(file::PLAN), plan)?;
    let mut progress = Progress::new(quiet);
    progress.say(&format!("{}  in {}", plan.command, folder.display()));
    let mut recorder = Recorder::create(&folder.join(file::HISTORY))?;
    let live = Live::of_plan(plan, !quiet)?;
    recorder.follow(live.clone());
    let mut log = StatusLog::create(&folder.join(file::STATUS))?;
    let messages = {
        let begun = Instant::now();
        let mut world = world::open(plan, &folder)?;
        if world.simulation().is_none() {
            let began = Began::before_now(world.now().0);
            results::write_json(&folder.join(file::BEGAN), &began)?;
        }
        let serves = await_service(plan, world.as_mut(), &mut recorder)?;
        progress.say(&ready_line(plan, begun));
        let mut observer = |world: &mut dyn World, counts: Counts| {
            for turn in world.turns() {
                log.turn(&turn)?;
            }
            let statuses = world.statuses();
            log.write(world.now(), &statuses)?;
            let standing = live.as_ref().map(Live::words).unwrap_or_default();
            let told: Vec<String> = who_leads(&statuses).into_iter().chain(standing).collect();
            progress.update(&plan.target, counts, &told.join("  "));
            Ok(())
        };
        if serves {
            drive(plan, world.as_mut(), &mut recorder, &mut observer)?;
        }
        for turn in world.turns() {
            log.turn(&turn)?;
        }
        if let Some(cluster) = world.simulation() {
            results::write_text(&folder.join(file::TRACE), cluster.trace())?;
        }
        let messages = world.messages();
        world.stop()?;
        messages
    };
    progress.finish();
    let history = History::from_events(recorder.finish()?)
        .context("the recorded history is not well-formed")?;
    let operations = text::count_plain(history.operations().len(), "operation");
    progress.say(&format!("checking {operations}"));
    let mut verdict = checking::check(&history, &checking::Request::of_plan(plan)?);
    verdict.notes = remarks::of(&history, Some(plan));
    results::write_json(&folder.join(file::VERDICT), &verdict)?;
    let messages = report::worth_keeping(messages, &history, &verdict, messages::WRITTEN_MAX);
    messages::write(&folder.join(file::MESSAGES), &messages)?;
    report::write(&folder, plan, &history, &verdict)?;
    Ok(Done { folder, history, verdict })
}

/// Waits until some node says that it can serve. `false` if it never will, since the simulation
/// could not go on; that is then in the history.
pub fn await_service(plan: &Plan, world: &mut dyn World, recorder: &mut Recorder) -> Result<bool> {
    const ASK_EVERY: Nanos = Nanos(5_000_000);
    if plan.nodes == 0 {
        return Ok(true);
    }
    let deadline = Nanos(world.now().0 + plan.limits.startup.as_nanos() as u64);
    while !world.statuses().values().any(|status| status.ready) {
        let now = world.now();
        if now >= deadline && plan.weather.is_some() {
            return Ok(true); // in such weather it may never be
        }
        if now >= deadline {
            bail!(
                "the nodes are up, but none was ready to serve within {}; their logs are in {}",
                duration::format(plan.limits.startup),
                file::NODES
            );
        }
        match world.poll(Nanos(now.0 + ASK_EVERY.0)) {
            Some(Happening::NodeDied { node, reason }) => {
                bail!("{node} died before it could serve: {reason}")
            }
            Some(Happening::Interrupted) => bail!("interrupted before the load began"),
            Some(Happening::Stopped { what, reason }) => {
                let value = stopped::value(&what, &reason);
                recorder.record(recorder::nemesis(world.now(), stopped::EVENT, value))?;
                return Ok(false);
            }
            _ => {}
        }
    }
    Ok(true)
}

fn ready_line(plan: &Plan, begun: Instant) -> String {
    let ms = begun.elapsed().as_millis();
    match plan.nodes {
        0 => "no cluster to start".into(),
        1 => format!("1 node ready after {ms} ms"),
        n => format!("{n} nodes ready after {ms} ms"),
    }
}

/// When the phases of a run began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Driven {
    /// The main phase.
    pub main: Nanos,
    /// The final phase; absent if the run did not come to it.
    pub finale: Option<Nanos>,
}

/// Takes a world that serves through both phases of a run: drive and break, then heal and serve.
pub fn drive(
    plan: &Plan,
    world: &mut dyn World,
    recorder: &mut Recorder,
    observer: &mut dyn FnMut(&mut dyn World, Counts) -> Result<()>,
) -> Result<Driven> {
    let members = plan.members();
    let mut workload =
        catalog::new_workload(&plan.workload, &plan.workload_options, plan.seed, &members)
            .map_err(anyhow::Error::msg)?;
    let mut interpreter =
        Interpreter::new(world, recorder, workload.as_mut(), &members, plan.concurrency, observer);
    let main = interpreter.now();
    let end = if let Some(script) = &plan.script {
        main_phase(plan, &mut interpreter, &mut script.main_phase(plan.time_limit))?
    } else {
        let clients = interpreter.workload().main();
        let mut generator =
            clients.stagger(gap_at_rate(plan.rate), plan.seed).time_limit(plan.time_limit);
        main_phase(plan, &mut interpreter, &mut generator)?
    };
    let ended = matches!(end, PhaseEnd::Interrupted | PhaseEnd::Stopped | PhaseEnd::Violated);
    if ended || interpreter.is_interrupted() {
        return Ok(Driven { main, finale: None });
    }
    let finale = Some(interpreter.now());
    final_phase(plan, &mut interpreter)?;
    Ok(Driven { main, finale })
}

fn main_phase(
    plan: &Plan,
    interpreter: &mut Interpreter<'_>,
    generator: &mut dyn Generator,
) -> Result<PhaseEnd> {
    let end = interpreter.run(generator, &plan.schedule, None)?;
    if end == PhaseEnd::Stopped {
        return Ok(end);
    }
    for action in healing(plan) {
        interpreter.apply(&action, generator)?;
    }
    interpreter.calm();
    interpreter.drain(generator, plan.limits.drain)?;
    Ok(end)
}

/// What undoes every kind of fault that the plan may have left in force.
fn healing(plan: &Plan) -> Vec<Action> {
    let used = |name: &str| plan.nemesis.iter().any(|fault| fault == name);
    let heals = [
        ("partition", Action::StopPartition),
        ("packet", Action::StopPacket),
        ("pause", Action::Resume),
        ("kill", Action::Start),
        // Who stands still or is down does not hear of it.
        ("clock", Action::StopClock),
    ];
    heals.into_iter().filter(|(name, _)| used(name)).map(|(_, action)| action).collect()
}

fn final_phase(plan: &Plan, interpreter: &mut Interpreter<'_>) -> Result<()> {
    interpreter.note(aftermath::FINAL_PHASE, Value::Null)?;
    // Also where a script takes its place: the workload is told that the finale begins.
    let finale = interpreter.workload().finale();
    let settles = workloads::find(&plan.workload).is_ok_and(workloads::Entry::settles);
    let mut generator: Box<dyn Generator> = match &plan.script {
        Some(script) => script.final_phase(settles),
        None => finale,
    };
    interpreter.run(generator.as_mut(), &[], Some(plan.limits.recovery))?;
    interpreter.drain(generator.as_mut(), plan.limits.drain)
}

/// The leader and its term, in a few words, where there is one.
fn who_leads(statuses: &BTreeMap<NodeId, Status>) -> Option<String> {
    let leader = world::leader(statuses)?;
    Some(format!("leader {leader} (term {})", statuses.get(&leader)?.term))
}
