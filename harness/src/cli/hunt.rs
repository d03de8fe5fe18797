//! `quorate hunt`: many simulated runs, and what they found.

use super::run::pairs;
use super::{Format, wrong, wrong_name};
use crate::catalog;
use crate::duration;
use crate::hunt::knobs::Fixed;
use crate::hunt::{self, Found, Options, Strategy, Tally};
use crate::interrupt;
use crate::nemesis::FaultKind;
use crate::out::{self, Style};
use crate::outln;
use crate::plan::Disk;
use crate::results::file;
use crate::run;
use crate::shrink::{self, Shrunk, Size};
use crate::{results, story, summary, text};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Exit code if something was found.
const EXIT_FOUND: u8 = 1;
/// So many failures are listed.
const LISTED_MAX: usize = 20;
/// So many failures are shrunk: the first of each reason.
const SHRUNK_MAX: usize = 5;

/// Many simulated runs, each with knobs drawn from its seed; what fails is shrunk.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  quorate hunt raft-kv --seeds 2000\n  quorate hunt raft-kv --for 1m --nemesis partition,kill\n  quorate hunt raft-kv --seeds 500 --bug forget-vote --first\n\nWhat is fixed by an option is not drawn. Exit codes: 0 nothing found, 1 something found."
)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Args {
    /// What is tested (`quorate list targets`)
    target: String,
    /// How many runs [default: 200, unless --for is given]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seeds: Option<u64>,
    /// How long
    #[arg(
        long = "for",
        value_name = "T",
        value_parser = duration::parse,
        allow_hyphen_values = true,
    )]
    time: Option<Duration>,
    /// The first seed; those that follow are its successors
    #[arg(long, value_name = "S", default_value_t = 1, allow_negative_numbers = true)]
    from: u64,
    /// Stop at the first failure
    #[arg(long, conflicts_with = "all")]
    first: bool,
    /// Go on after a failure (the default)
    #[arg(long)]
    all: bool,
    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    threads: Option<usize>,
    /// How plans are made
    #[arg(long, value_enum, default_value = "random")]
    strategy: Strategy,
    /// Do not shrink what fails
    #[arg(long)]
    no_shrink: bool,
    /// Judge by what clients see alone: broken invariants do not count
    #[arg(long)]
    clients_only: bool,
    /// What is asked of it (`quorate list workloads`) [default: the target's first]
    #[arg(short, long, value_name = "W")]
    workload: Option<String>,
    /// Cluster size [default: drawn, 3 to 7]
    #[arg(short, long, value_name = "N", allow_negative_numbers = true)]
    nodes: Option<u16>,
    /// Clients a node [default: drawn, 1 to 8]
    #[arg(short, long, value_name = "C", allow_negative_numbers = true)]
    clients: Option<usize>,
    /// Operations a second over all clients [default: drawn, 50 to 600]
    #[arg(short, long, value_name = "R", allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Length of the main phase [default: drawn, 2s to 8s]
    #[arg(
        short,
        long,
        value_name = "T",
        value_parser = duration::parse,
        allow_hyphen_values = true,
    )]
    time_limit: Option<Duration>,
    /// Faults to mix, or `none` [default: drawn]
    #[arg(long, value_name = "F,F")]
    nemesis: Option<String>,
    /// Mean time between a fault and its healing [default: drawn, 100ms to 1.6s]
    #[arg(long, value_name = "T", value_parser = duration::parse, allow_hyphen_values = true)]
    nemesis_interval: Option<Duration>,
    /// Switch on a seeded bug of the target (repeatable; `quorate list bugs`)
    #[arg(long = "bug", value_name = "NAME")]
    bugs: Vec<String>,
    /// Set an option of the target (repeatable) [default: drawn]
    #[arg(long = "target-opt", value_name = "K=V")]
    target_options: Vec<String>,
    /// Set an option of the workload (repeatable) [default: drawn]
    #[arg(long = "workload-opt", value_name = "K=V")]
    workload_options: Vec<String>,
    /// What a killed node loses [default: drawn]
    #[arg(long, value_enum)]
    disk: Option<Disk>,
    /// Where runs that fail go
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    /// What is printed at the end
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// No progress on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// A failure with its run folder, shrunk if that was wanted.
struct Kept {
    number: u64,
    folder: PathBuf,
    shrunk: Option<Shrunk>,
}

/// Carries it out.
pub fn main(args: &Args) -> Result<ExitCode> {
    let options = options(args)?;
    let interrupt = interrupt::listen()?;
    let begun = Instant::now();
    let mut next_line = begun;
    let tally = hunt::hunt(&options, interrupt, &mut |tally| {
        if !args.quiet && next_line <= Instant::now() {
            tell(tally, options.runs, begun);
            next_line = Instant::now() + Duration::from_millis(500);
        }
    })?;
    end_line(args.quiet);
    let took = begun.elapsed();
    let kept = keep(args, &tally)?;
    match args.format {
        Format::Json => out::json(&as_json(&tally, &kept, took))?,
        Format::Text => print(&tally, &kept, took),
    }
    Ok(ExitCode::from(if tally.found.is_empty() { 0 } else { EXIT_FOUND }))
}

fn options(args: &Args) -> Result<Options> {
    let target = catalog::target(&args.target).map_err(wrong_name)?;
    if target.nodes == 0 {
        return Err(wrong(format!("{} has no nodes to simulate", target.name)));
    }
    let workload = args.workload.as_deref().unwrap_or(target.workloads[0]);
    let bugs = args.bugs.iter().map(|name| target.bug(name)).collect::<Result<_, _>>();
    let fixed = Fixed {
        target: target.name,
        workload: target.workload(workload).map_err(wrong_name)?,
        nodes: args.nodes,
        clients_a_node: args.clients,
        rate: args.rate,
        time_limit: args.time_limit,
        faults: args.nemesis.as_deref().map(FaultKind::parse_list).transpose().map_err(wrong)?,
        interval: args.nemesis_interval,
        bugs: bugs.map_err(wrong_name)?,
        target_options: pairs("--target-opt", &args.target_options)?,
        workload_options: pairs("--workload-opt", &args.workload_options)?,
        disk: args.disk,
        clients_only: args.clients_only,
    };
    check(args, &fixed, &target)?;
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let endless = args.seeds.is_none() && args.time.is_some();
    Ok(Options {
        fixed,
        from: args.from,
        runs: (!endless).then(|| args.seeds.unwrap_or(200)),
        time: args.time,
        first: args.first,
        threads: args.threads.unwrap_or_else(cores),
        strategy: args.strategy,
    })
}

/// Whether one run can be had of what is fixed.
fn check(args: &Args, fixed: &Fixed, target: &catalog::Target) -> Result<()> {
    if args.seeds == Some(0) {
        return Err(wrong("--seeds must be at least 1"));
    }
    if args.time.is_some_and(|time| time.is_zero()) {
        return Err(wrong("--for must be longer than nothing"));
    }
    if args.threads == Some(0) {
        return Err(wrong("--threads must be at least 1"));
    }
    if args.nodes.is_some_and(|nodes| !(1..=25).contains(&nodes)) {
        return Err(wrong("--nodes must be from 1 to 25"));
    }
    if args.clients.is_some_and(|clients| !(1..=100).contains(&clients)) {
        return Err(wrong("--clients must be from 1 to 100"));
    }
    if args.rate.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
        return Err(wrong("--rate must be a number above 0"));
    }
    if args.time_limit.is_some_and(|limit| limit.is_zero()) {
        return Err(wrong("--time-limit must be longer than nothing"));
    }
    if args.nemesis_interval.is_some_and(|interval| interval < Duration::from_millis(10)) {
        return Err(wrong("--nemesis-interval must be at least 10ms"));
    }
    let plan = hunt::knobs::draw(fixed, quorate_targets::seed::Seed(args.from))
        .map_err(|error| wrong(format!("{error:#}")))?;
    target.validate(&plan.members(), &fixed.bugs, &fixed.target_options).map_err(wrong)
}

fn tell(tally: &Tally, runs: Option<u64>, begun: Instant) {
    let of = runs.map_or_else(String::new, |runs| format!(" of {runs}"));
    let seconds = begun.elapsed().as_secs_f64();
    let text = format!(
        "{}{of} runs in {seconds:.0} s, {} found, {:.0} virtual s a second",
        tally.runs,
        tally.found.len(),
        tally.virtual_ns as f64 / 1e9 / seconds.max(1e-3),
    );
    out::status(&text);
}

fn end_line(quiet: bool) {
    if !quiet {
        out::end_status();
    }
}

/// Writes a run folder for the first failure of each reason, and shrinks it.
fn keep(args: &Args, tally: &Tally) -> Result<Vec<Kept>> {
    let mut reasons = BTreeSet::new();
    let mut kept = Vec::new();
    let firsts = tally.found.iter().filter(|found| reasons.insert(found.failure.reason.clone()));
    for found in firsts.take(SHRUNK_MAX) {
        kept.push(keep_one(args, found)?);
    }
    Ok(kept)
}

fn keep_one(args: &Args, found: &Found) -> Result<Kept> {
    let options = run::Options { results: args.results.clone(), quiet: true };
    let folder = run::run(&found.plan, &options)?.folder;
    let shrunk =
        if args.no_shrink { None } else { Some(reduce(&found.plan, &folder, args.quiet)?) };
    Ok(Kept { number: found.number, folder, shrunk })
}

/// Shrinks a failing plan; what is left goes into its run's folder, as a plan and as a story.
pub(super) fn reduce(
    plan: &crate::plan::Plan,
    folder: &std::path::Path,
    quiet: bool,
) -> Result<Shrunk> {
    let interrupt = interrupt::listen()?;
    let mut tell = |what: &str, runs: u32, size: Size| {
        if !quiet {
            out::status(&format!(
                "shrinking {what}: {}, {}",
                text::count(runs as usize, "run"),
                told_size(size)
            ));
        }
    };
    let mut shrunk = shrink::shrink(plan, shrink::Budget::default(), interrupt, &mut tell)?;
    end_line(quiet);
    let path = folder.join(file::MINIMAL);
    shrunk.plan.command = format!("quorate sim --plan {}", path.display());
    results::write_json(&path, &shrunk.plan)?;
    results::write_text(&folder.join(file::STORY), &story::of_plan(&shrunk.plan)?)?;
    // Its own run, with all that a run leaves: most of all the report.
    let minimal = folder.join(file::MINIMAL_RUN);
    fs::create_dir(&minimal).with_context(|| format!("cannot create {}", minimal.display()))?;
    run::run_in(minimal, &shrunk.plan, true)?;
    Ok(shrunk)
}

/// A size in words.
pub(super) fn told_size(size: Size) -> String {
    let faults = text::count(size.faults, "fault action");
    let operations = text::count(size.operations, "operation");
    let clients = text::count(size.clients, "client");
    let nodes = text::count(size.nodes.into(), "node");
    format!("{faults}, {operations}, {clients}, {nodes}, {} ms", size.length_ms)
}

fn print(tally: &Tally, kept: &[Kept], took: Duration) {
    let style = Style::stdout();
    let seconds = took.as_secs_f64();
    let word = if tally.found.is_empty() {
        style.good("NOTHING FOUND")
    } else {
        style.bad(&format!("FOUND {}", tally.found.len()))
    };
    outln!("{word}  in {}, {seconds:.1} s", text::count(tally.runs as usize, "run"));
    outln!();
    outln!(
        "  {}, {}, {:.0} virtual seconds ({:.0} a second)",
        text::count_plain(tally.operations as usize, "operation"),
        text::count_plain(tally.events as usize, "simulator event"),
        tally.virtual_ns as f64 / 1e9,
        tally.virtual_ns as f64 / 1e9 / seconds.max(1e-3)
    );
    if tally.undecided > 0 {
        let runs = text::count(tally.undecided as usize, "run");
        outln!("  in {runs} some checker could not decide");
    }
    print_found(tally, style);
    for kept in kept {
        outln!();
        outln!("  {}  {}", style.bold(&format!("run {}", kept.number + 1)), kept.folder.display());
        if let Some(shrunk) = &kept.shrunk {
            outln!("    was     {}", told_size(shrunk.before));
            outln!(
                "    shrunk  {}  ({})",
                told_size(shrunk.after),
                text::count(shrunk.runs as usize, "run")
            );
            outln!("    repeat  {} --story", shrunk.plan.command);
            let report = kept.folder.join(file::MINIMAL_RUN).join(file::REPORT);
            outln!("    see     {}", report.display());
        }
    }
    print_coverage(tally, style);
}

fn print_found(tally: &Tally, style: Style) {
    if tally.found.is_empty() {
        return;
    }
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for found in &tally.found {
        *by_reason.entry(found.failure.reason.as_str()).or_default() += 1;
    }
    outln!();
    outln!("  {}", style.bold("  seed  after  found"));
    for found in tally.found.iter().take(LISTED_MAX) {
        let failure = &found.failure;
        let seconds = failure.at as f64 / 1e9;
        let mut told = failure.reason.clone();
        if failure.anomaly_types != [told.as_str()] {
            told = format!("{told}: {}", failure.anomaly_types.join(", "));
        }
        outln!("  {:>6} {seconds:>5.1} s  {told}", found.plan.seed.0);
        outln!("{}", style.dim(&summary::wrap(&found.plan.command, 10)));
    }
    if let Some(more) = tally.found.len().checked_sub(LISTED_MAX + 1) {
        outln!("  and {} more", more + 1);
    }
    let told: Vec<String> = by_reason.iter().map(|(why, n)| format!("{why} ×{n}")).collect();
    outln!("  {}", told.join(", "));
}

fn print_coverage(tally: &Tally, style: Style) {
    outln!();
    outln!("  {}", style.bold("sometimes"));
    for (state, count) in tally.sometimes.iter() {
        let never = if count == 0 { style.unsure("   never!") } else { String::new() };
        outln!("  {count:>9}  {state}{never}");
    }
}

fn as_json(tally: &Tally, kept: &[Kept], took: Duration) -> Value {
    let found: Vec<Value> = tally
        .found
        .iter()
        .map(|found| {
            let kept = kept.iter().find(|kept| kept.number == found.number);
            json!({
                "run": found.number + 1,
                "seed": found.plan.seed,
                "reason": found.failure.reason,
                "anomaly_types": found.failure.anomaly_types,
                "why": found.failure.why,
                "at_ns": found.failure.at,
                "command": found.plan.command,
                "folder": kept.map(|kept| kept.folder.display().to_string()),
                "before": kept.and_then(|kept| kept.shrunk.as_ref()).map(|s| s.before),
                "shrunk": kept.and_then(|kept| kept.shrunk.as_ref()).map(|s| s.after),
            })
        })
        .collect();
    json!({
        "runs": tally.runs,
        "undecided": tally.undecided,
        "operations": tally.operations,
        "events": tally.events,
        "virtual_s": tally.virtual_ns as f64 / 1e9,
        "real_s": took.as_secs_f64(),
        "situations": tally.situations,
        "found": found,
        "sometimes": tally.sometimes,
        "never": tally.sometimes.never().collect::<Vec<_>>(),
    })
}
