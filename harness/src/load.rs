//! Loads what a person named: a run folder, or a single history file.

use crate::plan::Plan;
use crate::remarks;
use crate::results::{self, file};
use crate::usage::{file_trouble, wrong, wrong_name};
use anyhow::{Context, Result};
use flate2::bufread::MultiGzDecoder;
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
    /// What is not there of a run that should be.
    pub lacks: Vec<String>,
}

impl Loaded {
    /// All that a person should be told before the verdict.
    pub fn told(&self) -> impl Iterator<Item = &String> {
        self.notes.iter().chain(&self.lacks)
    }

    /// What a verdict over it should say beside itself.
    pub fn remarks(&self) -> Vec<String> {
        let interrupted = remarks::of(&self.history, self.plan.as_ref());
        self.lacks.iter().cloned().chain(interrupted).collect()
    }
}

/// Stands for stdin where a file is named.
pub const STDIN: &str = "-";

/// Loads a run folder or a history file (`-` is stdin), in the format named where it is a file; the
/// newest run where none is named.
pub fn load(results_dir: &Path, named: Option<&Path>, format: Option<Format>) -> Result<Loaded> {
    if let Some(path) = named
        && !path.is_dir()
    {
        if !path.exists() && path != Path::new(STDIN) {
            return Err(wrong(format!("{}: there is no such file or folder", path.display())));
        }
        return load_file(path, format);
    }
    if let Some(logs) = named.map(cobra_logs).transpose()?.filter(|logs| !logs.is_empty()) {
        let loaded = format::read_cobra(logs).map_err(wrong_name)?;
        let (history, notes) = (loaded.history, loaded.notes);
        return Ok(Loaded { history, plan: None, folder: None, notes, lacks: Vec::new() });
    }
    let folder = results::find(results_dir, named).map_err(|error| wrong(format!("{error:#}")))?;
    load_run(&folder)
}

fn load_run(folder: &Path) -> Result<Loaded> {
    // A run that died may have died in the middle of a line.
    let path = folder.join(file::HISTORY);
    let (history, notes) = read(&path, Some(Format::Jsonl), true)?;
    let torn = notes.into_iter().map(|note| format!("{}: {note}", path.display()));
    let mut lacks: Vec<String> = torn.collect();
    let plan = folder.join(file::PLAN);
    let plan = if plan.is_file() {
        load_plan(&plan, &mut lacks)
    } else {
        lacks.push(format!("{}: there is no such file{NO_PLAN}", plan.display()));
        None
    };
    let folder = Some(folder.to_path_buf());
    Ok(Loaded { history, plan, folder, notes: Vec::new(), lacks })
}

/// What follows from a plan that is not there.
const NO_PLAN: &str = "; the history is judged as if it were no run's";

fn load_file(path: &Path, format: Option<Format>) -> Result<Loaded> {
    let beside = path.parent().map(|folder| folder.join(file::PLAN));
    let mut lacks = Vec::new();
    let plan = match beside {
        Some(beside)
            if path.file_name().is_some_and(|name| name == file::HISTORY) && beside.is_file() =>
        {
            load_plan(&beside, &mut lacks)
        }
        _ => None,
    };
    let (history, notes) = read(path, format, false)?;
    Ok(Loaded { history, plan, folder: None, notes, lacks })
}

/// The plan; what is wrong with it is told, and hinders nobody.
fn load_plan(path: &Path, lacks: &mut Vec<String>) -> Option<Plan> {
    let read = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"));
    let plan = read.and_then(|text| {
        serde_json::from_str(&text).map_err(|error| format!("not a plan: {error}"))
    });
    plan.inspect_err(|why| lacks.push(format!("{}: {why}{NO_PLAN}", path.display()))).ok()
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

/// Where a history is read from, perhaps twice.
enum Source<'a> {
    File(&'a Path),
    /// All of what can be read only once: stdin, a pipe.
    Bytes(Vec<u8>),
}

impl Source<'_> {
    /// A file by its name, or stdin; with its name in messages.
    fn of(path: &Path) -> Result<(Source<'_>, String)> {
        let mut bytes = Vec::new();
        if path == Path::new(STDIN) {
            io::stdin().lock().read_to_end(&mut bytes).context("cannot read stdin")?;
            return Ok((Source::Bytes(bytes), "stdin".to_owned()));
        }
        let origin = path.display().to_string();
        let cannot = |error| file_trouble(error, format!("cannot read {origin}"));
        let mut file = fs::File::open(path).map_err(cannot)?;
        if file.metadata().map_err(cannot)?.is_file() {
            return Ok((Source::File(path), origin));
        }
        file.read_to_end(&mut bytes).map_err(cannot)?;
        Ok((Source::Bytes(bytes), origin))
    }

    /// What it holds, unpacked if gzip packed it, and whether it did.
    fn open(&self) -> io::Result<(Box<dyn Read + '_>, bool)> {
        let mut input: Box<dyn BufRead> = match self {
            Source::File(path) => Box::new(io::BufReader::new(fs::File::open(path)?)),
            Source::Bytes(bytes) => Box::new(io::Cursor::new(bytes)),
        };
        let packed = input.fill_buf()?.starts_with(&GZIP);
        let unpacked: Box<dyn Read> =
            if packed { Box::new(Unpacked(MultiGzDecoder::new(input))) } else { Box::new(input) };
        Ok((unpacked, packed))
    }
}

/// What gzip packed, all of its members one after the other, with errors that say so.
struct Unpacked<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| {
            let what = match error.kind() {
                io::ErrorKind::Interrupted => return error,
                io::ErrorKind::UnexpectedEof => "what gzip packed is cut off",
                // Members follow each other to the end: this is the head of one that is none.
                io::ErrorKind::InvalidInput => "behind what gzip packed stands something else",
                _ => "what gzip packed is damaged",
            };
            io::Error::new(error.kind(), format!("{what} ({error})"))
        })
    }
}

/// Reads a history file, in the format named or by its name and first bytes; with what a person
/// should know of how it was read.
pub fn read(
    path: &Path,
    format: Option<Format>,
    torn_allowed: bool,
) -> Result<(History, Vec<String>)> {
    let (source, origin) = Source::of(path)?;
    let cannot = |error| wrong(format!("{origin}: cannot be read: {error}"));
    let (mut file, packed) = source.open().map_err(cannot)?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(cannot)?;
    let name = origin.strip_suffix(".gz").filter(|_| packed).unwrap_or(&origin);
    let format = format.or_else(|| Format::detect(name, &head)).ok_or_else(|| {
        wrong(format!("{origin}: not a history in any format that is known; name it with --from"))
    })?;
    let options = format::Options { allow_torn_tail: torn_allowed, ..format::Options::default() };
    let read = format::read(io::Cursor::new(head).chain(file), &origin, format, options);
    let loaded = match read {
        Ok(loaded) => loaded,
        Err(error) => match only_completions(&source, &origin, format, &error)? {
            Some(loaded) => loaded,
            None => return Err(wrong_name(error)),
        },
    };
    Ok((loaded.history, loaded.notes))
}

/// The history in a file of transactions that holds no invocations at all, as some write them
/// down; the notes say so. Nothing if `error` is about something else.
fn only_completions(
    source: &Source<'_>,
    origin: &str,
    format: Format,
    error: &ReadError,
) -> Result<Option<history::Loaded>> {
    if !matches!(error.fault, Fault::History(HistoryError::NotInvoked { .. })) {
        return Ok(None);
    }
    let format = if format == Format::Jsonl { Format::ElleJson } else { format };
    let options = format::Options { synthesise: true, ..format::Options::default() };
    let (file, _) = source.open()?;
    let Ok(loaded) = format::read(file, origin, format, options) else { return Ok(None) };
    let synthetic = |op: OpView<'_>| {
        let extra = op.invoke.extra.as_deref().unwrap_or_default();
        extra.iter().any(|(name, _)| name.as_str() == "synthetic")
    };
    let none_was_there = loaded.history.ops().all(synthetic);
    let transactions = transactions::is_transactional(&loaded.history);
    Ok((none_was_there && transactions).then_some(loaded))
}
