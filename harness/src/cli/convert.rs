//! `quorate convert`: a history from one format into another.

use super::{wrong, wrong_name};
use crate::load;
use crate::out;
use anyhow::{Context, Result};
use quorate_checkers::format::{self, Format};
use quorate_checkers::history::History;
use quorate_targets::names::UnknownName;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Convert a history between formats, by extension or by name.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Formats: jsonl, edn, elle-json, jepsen-log, kv-log; to read from: dbcop, cobra, plume, awdit\n\nExamples:\n  quorate convert results/latest/history.jsonl history.edn\n  quorate convert etcd_007.log history.jsonl\n  quorate convert jepsen.txt - --from edn --to jsonl | head"
)]
pub struct Args {
    /// The history to read
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// The file to write; `-` is stdout
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// The format of IN [default: by its extension and its first bytes]
    #[arg(long, value_name = "FORMAT", value_parser = format_named)]
    from: Option<Format>,
    /// The format of OUT [default: by its extension]
    #[arg(long, value_name = "FORMAT", value_parser = format_named)]
    to: Option<Format>,
}

/// The format of this name.
pub(super) fn format_named(name: &str) -> Result<Format, UnknownName> {
    Format::from_name(name)
        .ok_or_else(|| UnknownName::new("format", name, Format::ALL.into_iter().map(Format::name)))
}

/// Carries it out.
pub fn main(args: &Args) -> Result<ExitCode> {
    let to = args
        .to
        .or_else(|| Format::of_name(&args.output.to_string_lossy()))
        .ok_or_else(|| wrong("the format of OUT is not clear from its name; give it with --to"))?;
    let (history, notes) = load::read(&args.input, args.from, false)?;
    for note in notes {
        eprintln!("{note}");
    }
    if args.output == Path::new("-") {
        let mut text = Vec::new();
        format::write(&mut text, to, &history).map_err(wrong_name)?;
        out::text(&String::from_utf8_lossy(&text));
        return Ok(ExitCode::SUCCESS);
    }
    write_as(&args.output, &history, to)?;
    eprintln!("{} events written to {} as {to}", history.events().len(), args.output.display());
    Ok(ExitCode::SUCCESS)
}

/// Writes a history to a file, whole or not at all.
pub(super) fn write_as(path: &Path, history: &History, to: Format) -> Result<()> {
    write_whole(path, |out| format::write(out, to, history).map_err(wrong_name))
}

/// Writes a file so that it appears whole or not at all.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<fs::File>) -> Result<()>,
) -> Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".part");
    let draft = PathBuf::from(draft);
    let file =
        fs::File::create(&draft).with_context(|| format!("cannot create {}", draft.display()))?;
    let mut out = BufWriter::new(file);
    let written = write(&mut out)
        .and_then(|()| out.flush().with_context(|| format!("cannot write {}", draft.display())))
        .and_then(|()| {
            fs::rename(&draft, path).with_context(|| format!("cannot write {}", path.display()))
        });
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}
