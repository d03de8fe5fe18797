//! `quorate convert`: a history from one format into another.

use super::{wrong, wrong_name};
use crate::errln;
use crate::load;
use crate::{out, output, text};
use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use quorate_checkers::format::{self, Format, WriteError};
use quorate_checkers::history::History;
use quorate_targets::names::UnknownName;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Convert a history between formats, by extension or by name.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Formats: jsonl, edn, elle-json, jepsen-log, kv-log; to read from: intervals, dbcop, cobra, plume, awdit\nA name that ends in .gz is packed by gzip.\n\nExamples:\n  quorate convert results/latest/history.jsonl history.edn\n  quorate convert etcd_007.log history.jsonl\n  quorate convert jepsen.txt - --from edn --to jsonl | head"
)]
pub struct Args {
    /// The history to read; `-` is stdin
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
        .or_else(|| Format::of_name(unpacked_name(&args.output.to_string_lossy())))
        .ok_or_else(|| wrong("the format of OUT is not clear from its name; give it with --to"))?;
    if output::is_same(&args.input, &args.output) {
        let file = args.output.display();
        return Err(wrong(format!("IN and OUT are the same file, {file}; name another OUT")));
    }
    let (history, notes) = load::read(&args.input, args.from, false)?;
    for note in notes {
        errln!("{note}");
    }
    if args.output == Path::new("-") {
        let mut bytes = Vec::new();
        encode(&mut bytes, to, &history)?;
        out::bytes(&bytes);
        return Ok(ExitCode::SUCCESS);
    }
    write_as(&args.output, &history, to)?;
    errln!(
        "{} written to {} as {to}",
        text::count_plain(history.events().len(), "event"),
        args.output.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// A file's name without the extension that says that gzip packs it.
fn unpacked_name(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

/// Writes a history to a file, packed if its name says so.
pub(super) fn write_as(path: &Path, history: &History, to: Format) -> Result<()> {
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    output::write(path, |out| {
        if !packed {
            return encode(out, to, history);
        }
        let mut packer = GzEncoder::new(out, Compression::default());
        encode(&mut packer, to, history)?;
        packer.finish().map(drop).with_context(|| format!("cannot write {}", path.display()))
    })
}

/// The history in a format; what the format cannot say is the asker's trouble.
fn encode(out: &mut dyn Write, to: Format, history: &History) -> Result<()> {
    format::write(out, to, history).map_err(|error| match error {
        WriteError::Io(error) => anyhow::Error::new(error).context("the history cannot be written"),
        unsayable => wrong_name(unsayable),
    })
}
