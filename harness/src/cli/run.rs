//! `quorate run`: flags become a plan.

use super::{Format, exit_code, wrong, wrong_name};
use crate::catalog;
use crate::duration;
use crate::errln;
use crate::nemesis::{self, FaultKind};
use crate::plan::{Disk, Limits, Plan};
use crate::run;
use crate::summary;
use anyhow::Result;
use quorate_targets::bugs::Bug;
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The largest cluster that one machine is asked to carry.
const NODES_MAX: u16 = 25;
/// The largest number of client threads.
const CONCURRENCY_MAX: usize = 10_000;
/// Seeds are drawn below this, so that they are short to type.
const SEED_DRAWN_MAX: u64 = 1 << 32;

/// The faults of a run that names none.
const DEFAULT_FAULTS: [FaultKind; 3] = [FaultKind::Partition, FaultKind::Kill, FaultKind::Pause];

/// Start a cluster, drive it, break it, record what happens, and judge it.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  quorate run raft-kv\n  quorate run raft-kv --seed 7 --nemesis partition --time-limit 10s\n  quorate run raft-kv --bug stale-read --nemesis partition      must end invalid\n  quorate run null -c 50 -r 0 -t 5s --nemesis none              how fast the harness is"
)]
pub struct Args {
    /// What is tested (`quorate list targets`)
    target: String,
    #[command(flatten)]
    knobs: Knobs,
}

/// All that decides a run, and where it goes.
#[derive(clap::Args, Clone, Debug)]
pub struct Knobs {
    /// What is asked of it (`quorate list workloads`) [default: the target's first]
    #[arg(short, long, value_name = "W")]
    pub(super) workload: Option<String>,
    /// Cluster size [default: 5]
    #[arg(short, long, value_name = "N", allow_negative_numbers = true)]
    pub(super) nodes: Option<u16>,
    /// Clients; `3n` means three a node
    #[arg(short, long, value_name = "C", default_value = "2n", allow_hyphen_values = true)]
    concurrency: String,
    /// Operations a second over all clients; 0 = as fast as they go
    #[arg(short, long, value_name = "R", default_value_t = 500.0, allow_negative_numbers = true)]
    rate: f64,
    /// Length of the main phase
    #[arg(
        short,
        long,
        value_name = "T",
        default_value = "20s",
        value_parser = duration::parse,
        allow_hyphen_values = true,
    )]
    time_limit: Duration,
    /// Faults to mix (`quorate list faults`), or `none` [default: partition,kill,pause]
    #[arg(long, value_name = "F,F", value_delimiter = ',')]
    nemesis: Option<Vec<String>>,
    /// Mean time between a fault and its healing
    #[arg(
        long,
        value_name = "T",
        default_value = "4s",
        value_parser = duration::parse,
        allow_hyphen_values = true,
    )]
    nemesis_interval: Duration,
    /// Whom kills, pauses and partitions hit
    #[arg(long, value_enum, default_value = "any")]
    nemesis_aim: Prey,
    /// Decides operations, faults and the targets' randomness [default: random, printed]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(super) seed: Option<u64>,
    /// Switch on a seeded bug of the target (repeatable; `quorate list bugs`)
    #[arg(long = "bug", value_name = "NAME")]
    pub(super) bugs: Vec<String>,
    /// Set an option of the target (repeatable)
    #[arg(long = "target-opt", value_name = "K=V")]
    pub(super) target_options: Vec<String>,
    /// Set an option of the workload (repeatable)
    #[arg(long = "workload-opt", value_name = "K=V")]
    workload_options: Vec<String>,
    /// What a killed node loses: `lazy` = whatever it had not synced, as in a power cut
    #[arg(long, value_enum, default_value = "lazy")]
    disk: Disk,
    /// End the load at the first violation that shows while it runs
    #[arg(long)]
    fail_fast: bool,
    /// Where runs go
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(super) results: PathBuf,
    /// What is printed at the end
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
    /// No progress on stderr
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// Whom faults hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Prey {
    /// One node, a minority, a majority, all, the leader; shapes of all kinds
    Any,
    /// Whoever leads, each time
    Leader,
}

/// Carries it out.
pub fn main(args: &Args) -> Result<ExitCode> {
    let mut plan = plan(&args.target, &args.knobs)?;
    plan.command = plan.command_line();
    carry_out(&plan, &args.knobs).map(|done| exit_code(done.verdict.valid))
}

/// Runs a plan and prints the verdict.
pub(super) fn carry_out(plan: &Plan, knobs: &Knobs) -> Result<run::Done> {
    if !knobs.quiet {
        for note in catalog::idle(plan) {
            errln!("{note}");
        }
    }
    let options = run::Options { results: knobs.results.clone(), quiet: knobs.quiet };
    let done = run::run(plan, &options)?;
    match knobs.format {
        Format::Json => crate::out::json(&done.verdict)?,
        Format::Text => summary::print(&done.verdict, &done.history, Some((plan, &done.folder))),
    }
    Ok(done)
}

/// Everything but the command line that makes the same plan.
pub(super) fn plan(target: &str, args: &Knobs) -> Result<Plan> {
    let target = catalog::target(target).map_err(wrong_name)?;
    let workload_name = args.workload.as_deref().unwrap_or(target.workloads[0]);
    let workload = target.workload(workload_name).map_err(wrong_name)?;
    let nodes = nodes(args, &target)?;
    let members: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
    let concurrency = concurrency(&args.concurrency, nodes)?;
    if !args.rate.is_finite() || args.rate < 0.0 {
        return Err(wrong(format!("--rate {} is not a number of operations a second", args.rate)));
    }
    if args.time_limit.is_zero() {
        return Err(wrong("--time-limit must be longer than nothing"));
    }
    if args.nemesis_interval < Duration::from_millis(10) {
        return Err(wrong("--nemesis-interval must be at least 10ms"));
    }
    let faults = faults(args.nemesis.as_deref(), &target)?;
    let bugs: Vec<Bug> = args
        .bugs
        .iter()
        .map(|name| target.bug(name))
        .collect::<Result<_, _>>()
        .map_err(wrong_name)?;
    let seed = Seed(args.seed.unwrap_or_else(|| rand::random_range(0..SEED_DRAWN_MAX)));
    let target_options = pairs("--target-opt", &args.target_options)?;
    let mut workload_options =
        target.bundled().map(|bundled| bundled.defaults(workload)).unwrap_or_default();
    workload_options.extend(pairs("--workload-opt", &args.workload_options)?);
    target.validate(&members, &bugs, &target_options).map_err(wrong)?;
    catalog::new_workload(workload, &workload_options, seed, &members).map_err(wrong)?;
    let mut schedule =
        nemesis::schedule(&faults, args.nemesis_interval, args.time_limit, &members, seed);
    if args.nemesis_aim == Prey::Leader {
        nemesis::aim_at_leaders(&mut schedule);
    }
    Ok(Plan {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: String::new(),
        target: target.name.to_owned(),
        workload: workload.to_owned(),
        nodes,
        concurrency,
        rate: args.rate,
        time_limit: args.time_limit,
        nemesis: faults.iter().map(|fault| fault.name().to_owned()).collect(),
        nemesis_interval: args.nemesis_interval,
        seed,
        bugs,
        target_options,
        workload_options,
        disk: args.disk,
        limits: Limits::default(),
        schedule,
        weather: None,
        clients_only: false,
        fail_fast: args.fail_fast,
        script: None,
    })
}

fn nodes(args: &Knobs, target: &catalog::Target) -> Result<u16> {
    let nodes = args.nodes.unwrap_or(target.nodes);
    match (target.nodes, nodes) {
        (0, 0) => Ok(0),
        (0, _) => Err(wrong(format!("{} has no nodes; leave --nodes away", target.name))),
        (_, 1..=NODES_MAX) => Ok(nodes),
        _ => Err(wrong(format!("--nodes {nodes} is out of range: 1 to {NODES_MAX}"))),
    }
}

fn concurrency(text: &str, nodes: u16) -> Result<usize> {
    let (number, factor) = match text.strip_suffix('n') {
        Some(number) => (number, usize::from(nodes.max(1))),
        None => (text, 1),
    };
    number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|number| (1..=CONCURRENCY_MAX).contains(number))
        .ok_or_else(|| {
            wrong(format!(
                "--concurrency {text:?} is not a number of clients from 1 to {CONCURRENCY_MAX}; \
                 write it like 10, or like 2n for two a node"
            ))
        })
}

fn faults(names: Option<&[String]>, target: &catalog::Target) -> Result<Vec<FaultKind>> {
    let faults = names.map(FaultKind::of_names).transpose().map_err(wrong)?;
    match (target.nodes, faults) {
        (0, Some(faults)) if !faults.is_empty() => {
            let name = target.name;
            Err(wrong(format!("{name} has no nodes for faults to hit; leave --nemesis away")))
        }
        (0, _) => Ok(Vec::new()),
        (_, faults) => Ok(faults.unwrap_or_else(|| DEFAULT_FAULTS.to_vec())),
    }
}

/// `K=V` pairs as they were given.
pub(super) fn pairs(flag: &str, given: &[String]) -> Result<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for pair in given {
        match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                if let Some(other) = pairs.insert(key.to_owned(), value.to_owned()) {
                    return Err(wrong(format!(
                        "{flag} sets {key} twice, to {other:?} and to {value:?}"
                    )));
                }
            }
            _ => return Err(wrong(format!("{flag} {pair:?} is not of the form K=V"))),
        }
    }
    Ok(pairs)
}
