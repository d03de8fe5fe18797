//! `quorate sim`: the same as `run`, in one thread and in virtual time.

use super::run::{self, Knobs};
use super::{Format, exit_code, hunt, wrong};
use crate::catalog;
use crate::outln;
use crate::plan::Plan;
use crate::results::{self, file};
use crate::story;
use crate::world::sim::calm_weather;
use anyhow::{Context, Result};
use quorate_checkers::verdict::Valid;
use quorate_targets::sim::Weather;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The same in virtual time: milliseconds for seconds, and the same bytes for a seed.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  quorate sim raft-kv --seed 7\n  quorate sim raft-kv --seed 7 --weather drawn      lossy and slow networks, as hunts have\n  quorate sim --plan results/latest/minimal.plan.json"
)]
pub struct Args {
    /// What is tested (`quorate list targets`)
    #[arg(required_unless_present = "plan")]
    target: Option<String>,
    /// Repeat this plan; options that decide a run are not looked at
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// What network and disks are like
    #[arg(long, value_enum, default_value = "calm")]
    weather: Sky,
    /// Tell the run event by event (best of a shrunk one)
    #[arg(long)]
    story: bool,
    /// If it fails, shrink it: minimal.plan.json and story.txt in the run's folder
    #[arg(long)]
    shrink: bool,
    /// Judge by what clients see alone: a broken invariant does not end the run
    #[arg(long)]
    clients_only: bool,
    #[command(flatten)]
    knobs: Knobs,
}

/// Where the weather comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sky {
    /// As on one machine: fast, and nothing is lost
    Calm,
    /// Drawn from the seed
    Drawn,
}

/// Carries it out.
pub fn main(args: &Args) -> Result<ExitCode> {
    let plan = match (&args.plan, &args.target) {
        (Some(path), _) => read(path)?,
        (None, Some(target)) => plan(target, args)?,
        (None, None) => return Err(wrong("name a target or a plan")),
    };
    let done = run::carry_out(&plan, &args.knobs)?;
    if args.shrink && done.verdict.valid == Valid::False {
        let shrunk = hunt::reduce(&plan, &done.folder, args.knobs.quiet)?;
        if args.knobs.format == Format::Text {
            outln!("  shrunk   {}", hunt::told_size(shrunk.after));
            outln!("  repeat   {} --story", shrunk.plan.command);
        }
    }
    if args.story {
        let story = story::of_plan(&plan)?;
        results::write_text(&done.folder.join(file::STORY), &story)?;
        if args.knobs.format == Format::Text {
            outln!();
            outln!("{}", story.trim_end());
        }
    }
    Ok(exit_code(done.verdict.valid))
}

fn plan(target: &str, args: &Args) -> Result<Plan> {
    let mut plan = run::plan(target, &args.knobs)?;
    if plan.nodes == 0 {
        return Err(wrong(format!("{target} has no nodes to simulate")));
    }
    plan.weather = Some(match args.weather {
        Sky::Calm => calm_weather(),
        Sky::Drawn => Weather::draw(plan.seed),
    });
    plan.clients_only = args.clients_only;
    plan.command = plan.command_line();
    Ok(plan)
}

/// A plan from a file, as a simulation.
fn read(path: &Path) -> Result<Plan> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .map_err(|error| wrong(format!("{error:#}")))?;
    let mut plan: Plan = serde_json::from_str(&text)
        .map_err(|error| wrong(format!("{}: not a plan: {error}", path.display())))?;
    let unfit = |why: String| wrong(format!("{}: {why}", path.display()));
    let target = catalog::target(&plan.target).map_err(|error| unfit(error.to_string()))?;
    target.validate(&plan.members(), &plan.bugs, &plan.target_options).map_err(unfit)?;
    // The plan of a simulation names the command that does the same again; that of a real run
    // names one that does not simulate.
    if plan.weather.is_none() {
        plan.weather = Some(calm_weather());
        plan.command = format!("quorate sim --plan {}", path.display());
    }
    Ok(plan)
}
