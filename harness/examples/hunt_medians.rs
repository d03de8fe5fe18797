//! How long hunts take to find each seeded bug, and what is left of it: medians over several
//! hunts with different seeds, random draws beside novelty, as a table.
//!
//! `cargo run --release --example hunt_medians -- 9` hunts each bug nine times each way. A cell is
//! the median, with the least and the most behind it. Runs and sizes depend on seeds only; seconds
//! depend on the machine and on what else it does.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use anyhow::{Context, Result};
use quorate::hunt::knobs::Fixed;
use quorate::hunt::{self, Options, Strategy};
use quorate::shrink::{Budget, Shrunk, shrink};
use quorate::{catalog, interrupt};
use quorate_targets::bugs::{self, Bug};
use std::time::Instant;

const TARGET: &str = "raft-kv";
/// A hunt that has not found its bug by then counts as this many runs.
const RUNS_MAX: u64 = 20_000;
/// The seeds of two hunts lie so far apart.
const APART: u64 = 100_000;

fn main() -> Result<()> {
    let hunts: u64 = std::env::args().nth(1).map_or(Ok(9), |text| text.parse())?;
    println!(
        "| bug | runs, random | runs, novelty | s, random | s, novelty \
         | fault actions left | operations left | nodes left |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    // Bugs of other workloads than the default one need hunts of their own.
    for entry in bugs::of(TARGET).filter(|entry| !entry.needs.contains(&"--workload")) {
        let (mut runs, mut seconds) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        let (mut faults, mut operations, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..hunts {
            for (at, strategy) in [Strategy::Random, Strategy::Novelty].into_iter().enumerate() {
                let (took, real, shrunk) = one(entry.bug, number, strategy)?;
                runs[at].push(took as f64);
                seconds[at].push(real);
                if let Some(Shrunk { after, .. }) = shrunk {
                    faults.push(after.faults as f64);
                    operations.push(after.operations as f64);
                    nodes.push(f64::from(after.nodes));
                }
            }
        }
        let [random, novelty] = runs.map(|mut runs| cell(&mut runs, 0));
        let [random_s, novelty_s] = seconds.map(|mut seconds| cell(&mut seconds, 2));
        let sizes = [&mut faults, &mut operations, &mut nodes].map(|size| cell(size, 0));
        println!(
            "| `{}` | {random} | {novelty} | {random_s} | {novelty_s} | {} |",
            entry.name,
            sizes.join(" | ")
        );
    }
    Ok(())
}

/// One hunt: how many runs and seconds it took, and what is left of what it found. What random
/// draws find is shrunk.
fn one(bug: Bug, number: u64, strategy: Strategy) -> Result<(u64, f64, Option<Shrunk>)> {
    let target = catalog::target(TARGET)?;
    let options = Options {
        fixed: Fixed { bugs: vec![bug], ..Fixed::of(&target) },
        from: 1 + number * APART,
        runs: Some(RUNS_MAX),
        time: None,
        first: true,
        threads: std::thread::available_parallelism().context("cannot count the cores")?.get(),
        strategy,
    };
    let interrupt = interrupt::listen()?;
    let begun = Instant::now();
    let tally = hunt::hunt(&options, interrupt, &mut |_| {})?;
    let seconds = begun.elapsed().as_secs_f64();
    let shrunk = match (tally.found.first(), strategy) {
        (Some(found), Strategy::Random) => {
            Some(shrink(&found.plan, Budget::default(), interrupt, &mut |_, _, _| {})?)
        }
        _ => None,
    };
    Ok((tally.runs, seconds, shrunk))
}

/// The median, and from where to where.
fn cell(numbers: &mut [f64], decimals: usize) -> String {
    numbers.sort_by(f64::total_cmp);
    match (numbers.first(), numbers.get(numbers.len() / 2), numbers.last()) {
        (Some(least), Some(median), Some(most)) => {
            format!("{median:.decimals$} ({least:.decimals$} to {most:.decimals$})")
        }
        _ => "not found".to_owned(),
    }
}
