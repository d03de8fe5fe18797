//! `quorate report`: rebuild the report of a run.

use super::wrong;
use crate::checking;
use crate::errln;
use crate::load;
use crate::outln;
use crate::report;
use crate::results::file;
use anyhow::Result;
use std::path::PathBuf;
use std::process::ExitCode;

/// Rebuild report.html of a run, from its plan and its history.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  quorate report results/latest")]
pub struct Args {
    /// A run folder [default: results/latest]
    run: Option<PathBuf>,
    /// Where runs are
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
}

/// Carries it out.
pub fn main(args: &Args) -> Result<ExitCode> {
    let loaded = load::load(&args.results, args.run.as_deref(), None)?;
    for note in loaded.told() {
        errln!("{note}");
    }
    let (Some(folder), Some(plan)) = (&loaded.folder, &loaded.plan) else {
        return Err(wrong("a report needs a run folder with plan.json; this is a single history"));
    };
    let request = checking::Request::of_plan(plan)?;
    let mut verdict = checking::check(&loaded.history, &request);
    verdict.notes = loaded.remarks();
    report::write(folder, plan, &loaded.history, &verdict)?;
    outln!("{}", folder.join(file::REPORT).display());
    Ok(ExitCode::SUCCESS)
}
