//! `quorate list`: what there is to run, break and check.

use super::Format;
use crate::catalog;
use crate::checking;
use crate::nemesis::FaultKind;
use crate::out::{self, Style};
use crate::outln;
use anyhow::Result;
use quorate_workloads::registry;
use serde_json::{Map, Value, json};
use std::process::ExitCode;

/// List targets, workloads, faults, models, checkers and bugs.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  quorate list\n  quorate list bugs\n  quorate list targets --format json"
)]
pub struct Args {
    /// Only this
    #[arg(value_enum)]
    what: Option<What>,
    /// How it is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    Targets,
    Workloads,
    Faults,
    Models,
    Checkers,
    Bugs,
}

const ALL: [(What, &str); 6] = [
    (What::Targets, "targets"),
    (What::Workloads, "workloads"),
    (What::Faults, "faults"),
    (What::Models, "models"),
    (What::Checkers, "checkers"),
    (What::Bugs, "bugs"),
];

/// Carries it out.
pub fn main(args: &Args) -> Result<ExitCode> {
    let chosen = ALL.iter().filter(|(what, _)| args.what.is_none_or(|wanted| wanted == *what));
    match args.format {
        Format::Json => {
            let lists: Map<String, Value> = chosen
                .map(|(what, name)| ((*name).to_owned(), Value::Array(rows(*what))))
                .collect();
            out::json(&lists)?;
        }
        Format::Text => {
            for (i, (what, name)) in chosen.enumerate() {
                if i > 0 {
                    outln!();
                }
                print(name, &rows(*what));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Each thing as an object whose `name` and `description` are always there.
fn rows(what: What) -> Vec<Value> {
    match what {
        What::Targets => catalog::targets()
            .map(|target| {
                json!({
                    "name": target.name,
                    "description": target.description,
                    "workloads": target.workloads,
                    "nodes": target.nodes,
                })
            })
            .collect(),
        What::Workloads => registry::WORKLOADS
            .iter()
            .map(|entry| {
                let options: Vec<String> =
                    entry.options.iter().map(|option| format!("{}={}", option.name, option.default)).collect();
                json!({"name": entry.name, "description": entry.about, "api": entry.api, "options": options})
            })
            .collect(),
        What::Faults => FaultKind::ALL
            .iter()
            .map(|fault| json!({"name": fault.name(), "description": fault.describe()}))
            .collect(),
        What::Models => checking::models()
            .into_iter()
            .map(|(name, text)| json!({"name": name, "description": text}))
            .collect(),
        What::Checkers => described(&checking::checkers()),
        What::Bugs => catalog::targets()
            .flat_map(|target| target.bugs())
            .map(|entry| {
                json!({
                    "name": entry.name,
                    "target": entry.target,
                    "description": entry.sentence,
                    "anomaly": entry.anomaly,
                    "needs": entry.needs,
                })
            })
            .collect(),
    }
}

fn described(rows: &[(&str, &str)]) -> Vec<Value> {
    rows.iter().map(|(name, text)| json!({"name": name, "description": text})).collect()
}

fn print(title: &str, rows: &[Value]) {
    let style = Style::stdout();
    outln!("{}", style.bold(title));
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or("").to_owned();
    let width = rows.iter().map(|row| text(row, "name").len()).max().unwrap_or(0);
    for row in rows {
        outln!("  {:width$}  {}", text(row, "name"), text(row, "description"));
        let extras: Vec<String> = ["target", "anomaly", "needs", "workloads", "api", "options"]
            .iter()
            .filter_map(|field| shown(&row[*field]).map(|value| format!("{field}: {value}")))
            .collect();
        if !extras.is_empty() {
            outln!("  {:width$}  {}", "", style.dim(&extras.join("; ")));
        }
    }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if !items.is_empty() => {
            Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}
