//! `quorate compare`: which models histories keep, side by side; recorded ones, or those of
//! targets under the same operations and the same faults.

use super::run::{self as plans, Knobs};
use super::{Format, wrong};
use crate::compare::column::{Column, Limits};
use crate::compare::service::Service;
use crate::compare::{Comparison, page, text};
use crate::duration;
use crate::errln;
use crate::load;
use crate::out;
use crate::outln;
use crate::output;
use crate::plan::Plan;
use crate::run;
use crate::script::Script;
use crate::world::sim::calm_weather;
use anyhow::Result;
use quorate_checkers::aftermath;
use quorate_checkers::history::{EventType, History, Nanos, Process};
use quorate_checkers::verdict::Valid;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Compare histories, or targets, by the consistency models that they keep.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  quorate compare results/latest my-history.jsonl\n  quorate compare a.edn b.edn --html compare.html\n  quorate compare --targets raft-kv,raft-kv:bug=stale-read --workload register --nemesis partition --seed 7\n  quorate compare --targets raft-kv --workload append --sim --format json\n\nA target's options stand behind its name: NAME:KEY=VALUE,KEY=VALUE; `bug` is an option too.\nExits with 0 whatever the models: nothing was claimed."
)]
pub struct Args {
    /// History files (`-` is stdin), or run folders
    #[arg(value_name = "HISTORY|RUN", required_unless_present = "targets")]
    histories: Vec<PathBuf>,
    /// Run these targets and compare their histories
    #[arg(long, value_name = "T,T:K=V")]
    targets: Option<String>,
    /// Simulate the targets in virtual time
    #[arg(long, requires = "targets")]
    sim: bool,
    /// Write the comparison as a page [default with --targets: compare.html where runs go]
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Give up on what is undecided of a history after this time
    #[arg(
        long,
        value_name = "T",
        value_parser = duration::parse,
        default_value = "2m",
        allow_hyphen_values = true,
    )]
    timeout: Duration,
    #[command(flatten)]
    knobs: Knobs,
}

/// Carries it out.
pub fn main(args: &Args) -> Result<ExitCode> {
    let mut columns = Vec::new();
    for path in &args.histories {
        columns.push(recorded(args, path)?);
    }
    if let Some(targets) = &args.targets {
        columns.extend(run_all(args, &configurations(targets)?)?);
    }
    let comparison = Comparison::of(columns);
    let default = args.targets.is_some().then(|| args.knobs.results.join("compare.html"));
    let file = args.html.clone().or(default);
    if let Some(file) = &file {
        output::write(file, |out| Ok(write!(out, "{}", page::render(&comparison))?))?;
    }
    match args.knobs.format {
        Format::Json => out::json(&comparison.to_json())?,
        Format::Text => {
            text::print(&comparison);
            if let Some(file) = &file {
                outln!();
                outln!("page  {}", file.display());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The column of a recorded history.
fn recorded(args: &Args, path: &Path) -> Result<Column> {
    let loaded = load::load(&args.knobs.results, Some(path), None)?;
    if !args.knobs.quiet {
        for note in loaded.told() {
            errln!("{note}");
        }
    }
    let name = match &loaded.plan {
        Some(plan) => name_of(plan),
        None if path == Path::new(load::STDIN) => "stdin".to_owned(),
        None => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
    };
    let source = path.display().to_string();
    judge(args, name, source, &loaded.history, loaded.plan.as_ref())
}

fn name_of(plan: &Plan) -> String {
    let bugs = plan.bugs.iter().map(|bug| format!("bug={}", bug.name()));
    let options = plan.target_options.iter().map(|(key, value)| format!("{key}={value}"));
    let all: Vec<String> = bugs.chain(options).collect();
    if all.is_empty() { plan.target.clone() } else { format!("{}:{}", plan.target, all.join(",")) }
}

fn judge(
    args: &Args,
    name: String,
    source: String,
    history: &History,
    plan: Option<&Plan>,
) -> Result<Column> {
    let begun = Instant::now();
    let stop = || begun.elapsed() > args.timeout;
    Column::of(name, source, history, plan, Limits { threads: 0, stop: &stop })
}

/// A target with its options and bugs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Configuration {
    target: String,
    options: Vec<String>,
    bugs: Vec<String>,
}

/// `raft-kv,eventual:read-quorum=1,write-quorum=1` are two targets: what holds a `=` and no `:`
/// goes on with the target before it.
fn configurations(text: &str) -> Result<Vec<Configuration>> {
    let mut all: Vec<Configuration> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let option = match part.split_once(':') {
            Some((target, option)) => {
                all.push(Configuration { target: target.to_owned(), ..Configuration::default() });
                Some(option)
            }
            None if part.contains('=') => Some(part),
            None => {
                all.push(Configuration { target: part.to_owned(), ..Configuration::default() });
                None
            }
        };
        let Some(option) = option else { continue };
        let Some(last) = all.last_mut() else {
            return Err(wrong(format!("--targets {text}: {option} has no target before it")));
        };
        match option.split_once('=') {
            Some(("bug", name)) => last.bugs.push(name.to_owned()),
            Some(_) => last.options.push(option.to_owned()),
            None => {
                return Err(wrong(format!(
                    "--targets {text}: {option:?} is not of the form KEY=VALUE"
                )));
            }
        }
    }
    if all.is_empty() {
        return Err(wrong("--targets names no target"));
    }
    Ok(all)
}

/// Runs all targets: the first draws the operations, the others repeat them. Each also runs
/// without faults.
fn run_all(args: &Args, configurations: &[Configuration]) -> Result<Vec<Column>> {
    let mut knobs = args.knobs.clone();
    let mut script = None;
    let mut plans = Vec::new();
    for configuration in configurations {
        // All plans are made before anything runs, so that what is wrong is said at once.
        let plan = plan(args, &knobs, configuration)?;
        knobs.seed = Some(plan.seed.0);
        if plan.nodes > 0 {
            knobs.nodes = Some(plan.nodes);
        }
        plans.push(plan);
    }
    share_options(&mut plans);
    let mut columns = Vec::new();
    for mut plan in plans {
        plan.script.clone_from(&script);
        let done = carry_out(args, &plan)?;
        let script = script.get_or_insert_with(|| recorded_script(&done.history, &plan));
        let calm = calm(args, &plan, script)?;
        let source = done.folder.display().to_string();
        let mut column = judge(args, name_of(&plan), source, &done.history, Some(&plan))?;
        let consistent = column.keeps_the_strongest();
        column.service = Some(Service::of(&done.history, consistent, calm));
        columns.push(column);
    }
    Ok(columns)
}

/// What one target needs of the workload holds for all: a target that cannot compare and set, say,
/// would spend the run on refusals of operations that another one was glad of.
fn share_options(plans: &mut [Plan]) {
    let all =
        plans.iter().flat_map(|plan| plan.workload_options.clone()).collect::<BTreeMap<_, _>>();
    for plan in plans {
        plan.workload_options.clone_from(&all);
        plan.command = plan.command_line();
    }
}

fn plan(args: &Args, knobs: &Knobs, configuration: &Configuration) -> Result<Plan> {
    let mut knobs = knobs.clone();
    // What stands behind a target's name goes before what is said of all.
    let key = |option: &String| option.split('=').next().map(str::to_owned);
    let own: Vec<_> = configuration.options.iter().map(key).collect();
    knobs.target_options.retain(|option| !own.contains(&key(option)));
    knobs.target_options.extend(configuration.options.iter().cloned());
    knobs.bugs.extend(configuration.bugs.iter().cloned());
    let mut plan = plans::plan(&configuration.target, &knobs)?;
    if args.sim {
        if plan.nodes == 0 {
            return Err(wrong(format!("{} has no nodes to simulate", configuration.target)));
        }
        plan.weather = Some(calm_weather());
    }
    plan.command = plan.command_line();
    Ok(plan)
}

fn carry_out(args: &Args, plan: &Plan) -> Result<run::Done> {
    let options = run::Options { results: args.knobs.results.clone(), quiet: args.knobs.quiet };
    run::run(plan, &options)
}

/// Whether the same operations without any fault keep the strongest model.
fn calm(args: &Args, plan: &Plan, script: &Script) -> Result<Valid> {
    let calm = Plan {
        nemesis: Vec::new(),
        schedule: Vec::new(),
        script: Some(script.clone()),
        ..plan.clone()
    };
    if plan.schedule.is_empty() {
        return Ok(Valid::Unknown);
    }
    let done = carry_out(args, &calm)?;
    let column = judge(args, String::new(), String::new(), &done.history, Some(&calm))?;
    Ok(column.keeps_the_strongest())
}

/// The operations of a run, to be repeated.
fn recorded_script(history: &History, plan: &Plan) -> Script {
    let asked = |event: &&quorate_checkers::history::Event| {
        event.kind == EventType::Invoke && event.process != Process::Nemesis
    };
    let begin = history.events().iter().find(asked).map_or(Nanos(0), |event| event.time);
    let mut nemesis = history.nemesis();
    let finale = nemesis.find(|event| event.f.as_str() == aftermath::FINAL_PHASE);
    Script::record(history, begin, finale.map(|event| event.time), plan.concurrency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_behind_their_target() {
        let parsed = configurations("raft-kv, eventual:read-quorum=1,write-quorum=1,raft-kv:bug=x");
        let of = |target: &str, options: &[&str], bugs: &[&str]| Configuration {
            target: target.to_owned(),
            options: options.iter().map(ToString::to_string).collect(),
            bugs: bugs.iter().map(ToString::to_string).collect(),
        };
        let expected = [
            of("raft-kv", &[], &[]),
            of("eventual", &["read-quorum=1", "write-quorum=1"], &[]),
            of("raft-kv", &[], &["x"]),
        ];
        assert_eq!(parsed.ok().as_deref(), Some(&expected[..]));
        for bad in ["", "a=b", "raft-kv:x"] {
            assert!(configurations(bad).is_err(), "{bad}");
        }
    }
}
