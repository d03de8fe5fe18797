//! `quorate show`: the verdict, the anomalies and the operations of a run.

use super::{Format, wrong};
use crate::checking;
use crate::errln;
use crate::load;
use crate::out::{self, Style};
use crate::outln;
use crate::results;
use crate::summary;
use crate::text;
use anyhow::{Context, Result};
use quorate_checkers::history::{Event, EventType, History, OpIndex, jsonl};
use std::path::PathBuf;
use std::process::ExitCode;

/// Operations shown on each side of `--around`.
const AROUND: u32 = 10;

/// Show a run: its verdict, or the operations that a filter picks.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  quorate show                          the newest run's verdict and anomalies\n  quorate show --key k3 --type info     what stayed unknown on key k3\n  quorate show --around 1207            what happened around event 1207\n  quorate show --process nemesis        the faults"
)]
pub struct Args {
    /// A run folder or a history file (`-` is stdin) [default: results/latest]
    run: Option<PathBuf>,
    /// Only events of this key
    #[arg(long)]
    key: Option<String>,
    /// Only events of this process; `nemesis` for the faults
    #[arg(long, allow_hyphen_values = true)]
    process: Option<String>,
    /// Only events of this operation, e.g. `read`
    #[arg(long)]
    f: Option<String>,
    /// Only events of this type: invoke, ok, fail, info
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only the events around this index, with a picture of their operations
    #[arg(long, value_name = "INDEX", allow_negative_numbers = true)]
    around: Option<u32>,
    /// How it is printed; events in json are lines of the history
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Where runs are
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
}

/// Carries it out.
pub fn main(args: &Args) -> Result<ExitCode> {
    let kind = args.kind.as_deref().map(event_type).transpose()?;
    if let Some(process) = args.process.as_deref().filter(|process| !is_process(process)) {
        return Err(wrong(format!("--process {process:?} is neither a number nor `nemesis`")));
    }
    let loaded = load::load(&args.results, args.run.as_deref(), None)?;
    for note in loaded.told() {
        errln!("{note}");
    }
    let filtered = args.key.is_some()
        || args.process.is_some()
        || args.f.is_some()
        || kind.is_some()
        || args.around.is_some();
    if filtered {
        let events = pick(args, kind, &loaded.history)?;
        print_events(args.format, &loaded.history, &events, args.around.is_some())?;
    } else {
        print_verdict(args, &loaded)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print_verdict(args: &Args, loaded: &load::Loaded) -> Result<()> {
    let asked = checking::Asked::default();
    let request = checking::Request::choose(&loaded.history, loaded.plan.as_ref(), None, &asked)?;
    let text = loaded.folder.as_ref().map(|folder| folder.join(results::file::VERDICT));
    if let (Format::Json, Some(path)) = (args.format, text.as_ref().filter(|path| path.is_file())) {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        out::json_line(&text);
        return Ok(());
    }
    let mut verdict = checking::check(&loaded.history, &request);
    verdict.notes = loaded.remarks();
    if args.format == Format::Json {
        return out::json(&verdict);
    }
    let run = loaded.plan.as_ref().zip(loaded.folder.as_deref());
    summary::print(&verdict, &loaded.history, run);
    let style = Style::stdout();
    for anomaly in verdict.anomalies.iter().skip(summary::ANOMALIES_TOLD_MAX) {
        outln!();
        summary::print_anomaly(anomaly, &loaded.history, style);
    }
    Ok(())
}

fn is_process(text: &str) -> bool {
    text == "nemesis" || text.parse::<u64>().is_ok()
}

fn event_type(text: &str) -> Result<EventType> {
    [EventType::Invoke, EventType::Ok, EventType::Fail, EventType::Info]
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| wrong(format!("--type {text:?} is none of invoke, ok, fail, info")))
}

fn pick<'a>(args: &Args, kind: Option<EventType>, history: &'a History) -> Result<Vec<&'a Event>> {
    let range = match args.around {
        None => 0..history.events().len(),
        Some(index) => {
            let len = history.events().len();
            if index as usize >= len {
                return Err(wrong(format!(
                    "--around {index}: the history has {}",
                    text::count_plain(len, "event")
                )));
            }
            index.saturating_sub(AROUND) as usize..len.min((index + AROUND + 1) as usize)
        }
    };
    let text = |value: &quorate_checkers::value::Value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    };
    Ok(history.events()[range]
        .iter()
        .filter(|event| {
            args.key.as_ref().is_none_or(|key| event.key.as_ref().is_some_and(|k| text(k) == *key))
        })
        .filter(|event| args.process.as_ref().is_none_or(|p| event.process.to_string() == *p))
        .filter(|event| args.f.as_ref().is_none_or(|f| event.f.as_str() == f))
        .filter(|event| kind.is_none_or(|kind| event.kind == kind))
        .collect())
}

fn print_events(format: Format, history: &History, events: &[&Event], picture: bool) -> Result<()> {
    for event in events {
        match format {
            Format::Json => {
                let mut line = Vec::new();
                jsonl::write(&mut line, [*event])?;
                out::json_line(&String::from_utf8_lossy(&line));
            }
            Format::Text => outln!("{}", summary::operation_line(history, event.index)),
        }
    }
    if format == Format::Text && picture {
        let indices: Vec<OpIndex> = events.iter().map(|event| event.index).collect();
        outln!();
        summary::print_timeline(history, &indices, Style::stdout());
    }
    if events.is_empty() && format == Format::Text {
        outln!("no event matches");
    }
    Ok(())
}
