//! `quorate check`: judge a recorded history again.

use super::{Format, exit_code, wrong};
use crate::checking::{self, Asked, Request};
use crate::duration;
use crate::errln;
use crate::load;
use crate::out;
use crate::outln;
use crate::summary;
use crate::text;
use anyhow::Result;
use quorate_checkers::format;
use quorate_checkers::history::History;
use quorate_checkers::linearizable::Variant;
use quorate_checkers::verdict::Verdict;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Judge a recorded history: a file, or a run folder.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  quorate check results/latest\n  quorate check my-history.jsonl --workload register\n  quorate check jepsen/history.edn --model queue\n  quorate check jepsen/history.edn --workload append --model snapshot-isolation\n  quorate check history.bincode.gz --model serializable\n  quorate check my-history.jsonl --minimal small.jsonl\n  quorate check my-history.jsonl --variant strict\n  quorate check my-history.jsonl --staleness\n  quorate check my-history.jsonl --format json | jq .valid"
)]
pub struct Args {
    /// A history file (`-` is stdin), or a run folder
    #[arg(value_name = "HISTORY|RUN")]
    history: PathBuf,
    /// Judge it as this workload's [default: from plan.json, else guessed from the operations]
    #[arg(short, long, value_name = "W")]
    workload: Option<String>,
    #[command(flatten)]
    asked: Asked,
    /// Until when an operation whose outcome nobody knows may take effect
    #[arg(long, value_enum, value_name = "V", default_value = "plain")]
    variant: VariantName,
    /// Measure how stale the reads of registers are: the least time by which all must be allowed
    /// to have begun earlier
    #[arg(long)]
    staleness: bool,
    /// The format of a history file [default: by its extension and its first bytes]
    #[arg(long, value_name = "FORMAT", value_parser = super::convert::format_named)]
    from: Option<format::Format>,
    /// Give up after this time with "unknown"
    #[arg(
        long,
        value_name = "T",
        value_parser = duration::parse,
        default_value = "10m",
        allow_hyphen_values = true,
    )]
    timeout: Duration,
    /// Threads for keys that are judged in parallel [default: one a core]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    threads: Option<usize>,
    /// Write the smallest history found that still fails to this file
    #[arg(long, value_name = "FILE")]
    minimal: Option<PathBuf>,
    /// What is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// No progress on stderr
    #[arg(short, long)]
    quiet: bool,
}

/// The variants of linearizability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum VariantName {
    /// At any later time, or never
    Plain,
    /// Before its client gave up waiting, or never
    Strict,
    /// Before its client's next operation, or never
    Durable,
}

impl From<VariantName> for Variant {
    fn from(name: VariantName) -> Variant {
        match name {
            VariantName::Plain => Variant::Plain,
            VariantName::Strict => Variant::Strict,
            VariantName::Durable => Variant::Durable,
        }
    }
}

/// Carries it out.
pub fn main(args: &Args) -> Result<ExitCode> {
    if args.threads == Some(0) {
        return Err(wrong("--threads must be at least 1"));
    }
    let loaded = load::load(Path::new("results"), Some(&args.history), args.from)?;
    // The process ends with this command: millions of values need not be given back one by one.
    let loaded = ManuallyDrop::new(loaded);
    let mut request = Request::choose(
        &loaded.history,
        loaded.plan.as_ref(),
        args.workload.as_deref(),
        &args.asked,
    )?;
    request.timeout = args.timeout;
    request.threads = args.threads;
    request.variant = args.variant.into();
    request.staleness = args.staleness;
    if !args.quiet {
        for note in loaded.told().chain(&request.source) {
            errln!("{note}");
        }
    }
    let mut verdict = checking::check(&loaded.history, &request);
    verdict.notes = loaded.remarks();
    if let Some(path) = &args.minimal {
        write_minimal(path, &loaded.history, &request, &verdict)?;
    }
    match args.format {
        Format::Json => out::json(&verdict)?,
        Format::Text => {
            let run = loaded.plan.as_ref().zip(loaded.folder.as_deref());
            summary::print(&verdict, &loaded.history, run);
            if args.staleness {
                outln!("  staleness  {}", staleness(&verdict));
            }
        }
    }
    Ok(exit_code(verdict.valid))
}

/// What was measured, in words.
fn staleness(verdict: &Verdict) -> &str {
    let measured = verdict.checkers.values().find_map(|report| report.details.get("staleness"));
    let words = measured.and_then(|measured| measured["why"].as_str());
    words.unwrap_or("not measured: it is that of registers, judged for linearizability")
}

/// Writes the smallest failing history, if the history fails.
fn write_minimal(
    path: &Path,
    history: &History,
    request: &Request,
    verdict: &Verdict,
) -> Result<()> {
    let Some(small) = checking::minimize(history, request, verdict) else {
        errln!("nothing is written to {}: the history is not known to fail", path.display());
        return Ok(());
    };
    super::convert::write_as(path, &small, format::Format::Jsonl)?;
    let (small, all) = (small.events().len(), history.events().len());
    errln!("{small} of {} still fail", text::count_plain(all, "event"));
    Ok(())
}
