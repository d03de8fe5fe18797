//! Loads what a person named: a run folder, or a single history file.

use crate::plan::Plan;
use crate::results::{self, file};
use crate::usage::{wrong, wrong_name};
use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use quorate_checkers::format::{self, Format};
use quorate_checkers::history::{self, Fault, History, HistoryError, OpView, ReadError};
use quorate_checkers::transactions;
use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

/// A history, and what is known of where it came from.
#[derive(Debug)]
pub struct Loaded {
    /// The history.
    pub history: History,
    /// The plan beside it.
    pub plan: Option<Plan>,
    /// The run folder.
    pub folder: Option<PathBuf>,
    /// What a person should know of how it was read.
    pub notes: Vec<String>,
}

/// Loads a run folder or a history file, in the format named where it is a file; the newest run
/// where none is named.
pub fn load(results_dir: &Path, named: Option<&Path>, format: Option<Format>) -> Result<Loaded> {
    if let Some(path) = named
        && !path.is_dir()
    {
        if !path.exists() {
            return Err(wrong(format!("{}: there is no such file or folder", path.display())));
        }
        return load_file(path, format);
    }
    if let Some(logs) = named.map(cobra_logs).transpose()?.filter(|logs| !logs.is_empty()) {
        let loaded = format::read_cobra(logs).map_err(wrong_name)?;
        let (history, notes) = (loaded.history, loaded.notes);
        return Ok(Loaded { history, plan: None, folder: None, notes });
    }
    let folder = results::find(results_dir, named).map_err(|error| wrong(format!("{error:#}")))?;
    load_run(&folder)
}

fn load_run(folder: &Path) -> Result<Loaded> {
    let plan = load_plan(&folder.join(file::PLAN))?;
    // A run that died may have died in the middle of a line.
    let died = !folder.join(file::VERDICT).is_file();
    let (history, notes) = read(&folder.join(file::HISTORY), Some(Format::Jsonl), died)?;
    Ok(Loaded { history, plan, folder: Some(folder.to_path_buf()), notes })
}

fn load_file(path: &Path, format: Option<Format>) -> Result<Loaded> {
    let beside = path.parent().map(|folder| folder.join(file::PLAN));
    let plan = match beside {
        Some(beside) if path.file_name().is_some_and(|name| name == file::HISTORY) => {
            load_plan(&beside)?
        }
        _ => None,
    };
    let (history, notes) = read(path, format, false)?;
    Ok(Loaded { history, plan, folder: None, notes })
}

fn load_plan(path: &Path) -> Result<Option<Plan>> {
    if !path.is_file() {
        return Ok(None);
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| wrong(format!("{}: not a plan: {error}", path.display())))
}

/// The sessions of a folder of Cobra's logs, `T<n>.log`; none if it is no such folder.
fn cobra_logs(folder: &Path) -> Result<Vec<(u64, String, fs::File)>> {
    let cannot = || format!("cannot read {}", folder.display());
    let mut logs = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let number = name.strip_prefix('T').and_then(|rest| rest.strip_suffix(".log"));
        let Some(number) = number.and_then(|number| number.parse().ok()) else { continue };
        let origin = path.display().to_string();
        let file = fs::File::open(&path).with_context(|| format!("cannot open {origin}"))?;
        logs.push((number, origin, file));
    }
    logs.sort_unstable_by_key(|(number, ..)| *number);
    Ok(logs)
}

/// How a file that gzip packed begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Bytes that show a file's format.
const HEAD: usize = 256;

/// A file, unpacked if gzip packed it, and whether it did.
fn open(path: &Path) -> Result<(Box<dyn Read>, bool)> {
    let origin = path.display();
    let file = fs::File::open(path).with_context(|| format!("cannot open {origin}"))?;
    let mut file = io::BufReader::new(file);
    let head = file.fill_buf().with_context(|| format!("cannot read {origin}"))?;
    let packed = head.starts_with(&GZIP);
    Ok((if packed { Box::new(GzDecoder::new(file)) } else { Box::new(file) }, packed))
}

/// Reads a history file, in the format named or by its name and first bytes; with what a person
/// should know of how it was read.
pub fn read(
    path: &Path,
    format: Option<Format>,
    torn_allowed: bool,
) -> Result<(History, Vec<String>)> {
    let origin = path.display().to_string();
    let (mut file, packed) = open(path)?;
    let mut head = Vec::new();
    let cannot = || format!("cannot read {origin}");
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).with_context(cannot)?;
    let name = origin.strip_suffix(".gz").filter(|_| packed).unwrap_or(&origin);
    let format = format.or_else(|| Format::detect(name, &head)).ok_or_else(|| {
        wrong(format!("{origin}: not a history in any format that is known; name it with --from"))
    })?;
    let options = format::Options { allow_torn_tail: torn_allowed, ..format::Options::default() };
    let read = format::read(io::Cursor::new(head).chain(file), &origin, format, options);
    let loaded = match read {
        Ok(loaded) => loaded,
        Err(error) => match only_completions(path, &origin, format, &error)? {
            Some(loaded) => loaded,
            None => return Err(wrong_name(error)),
        },
    };
    Ok((loaded.history, loaded.notes))
}

/// The history in a file of transactions that holds no invocations at all, as some write them
/// down; the notes say so. Nothing if `error` is about something else.
fn only_completions(
    path: &Path,
    origin: &str,
    format: Format,
    error: &ReadError,
) -> Result<Option<history::Loaded>> {
    if !matches!(error.fault, Fault::History(HistoryError::NotInvoked { .. })) {
        return Ok(None);
    }
    let format = if format == Format::Jsonl { Format::ElleJson } else { format };
    let options = format::Options { synthesise: true, ..format::Options::default() };
    let (file, _) = open(path)?;
    let Ok(loaded) = format::read(file, origin, format, options) else { return Ok(None) };
    let synthetic = |op: OpView<'_>| {
        let extra = op.invoke.extra.as_deref().unwrap_or_default();
        extra.iter().any(|(name, _)| name.as_str() == "synthetic")
    };
    let none_was_there = loaded.history.ops().all(synthetic);
    let transactions = transactions::is_transactional(&loaded.history);
    Ok((none_was_there && transactions).then_some(loaded))
}
