//! Run folders: `results/<target>-<workload>/<start>/`, and `results/latest`, a link to the
//! newest.

use crate::usage::file_trouble;
use anyhow::{Context, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The files of a run folder.
pub mod file {
    /// Everything that decides the run.
    pub const PLAN: &str = "plan.json";
    /// What happened.
    pub const HISTORY: &str = "history.jsonl";
    /// What the checkers say of it.
    pub const VERDICT: &str = "verdict.json";
    /// For people.
    pub const REPORT: &str = "report.html";
    /// What each node last told of itself, over time.
    pub const STATUS: &str = "status.jsonl";
    /// When the run began, by the machine's clock; not of simulated runs.
    pub const BEGAN: &str = "began.json";
    /// Messages between the nodes, a bounded choice.
    pub const MESSAGES: &str = "messages.jsonl";
    /// The latest events of a simulation, one a line.
    pub const TRACE: &str = "trace.txt";
    /// The plan of a failing simulation when all that does not matter is taken away.
    pub const MINIMAL: &str = "minimal.plan.json";
    /// The folder of the run of that plan.
    pub const MINIMAL_RUN: &str = "minimal";
    /// The run of that plan, told event by event.
    pub const STORY: &str = "story.txt";
    /// One folder a node: its logs and its data.
    pub const NODES: &str = "nodes";
}

/// When the clock of a run stood at zero: what logs say is the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Began {
    /// The time of day.
    pub wall: DateTime<Utc>,
}

impl Began {
    /// If it is `passed` nanoseconds since.
    pub fn before_now(passed: u64) -> Began {
        Began { wall: Utc::now() - TimeDelta::nanoseconds(passed as i64) }
    }

    /// Nanoseconds from then on; nothing before.
    pub fn since(&self, at: DateTime<Utc>) -> Option<u64> {
        (at - self.wall).num_nanoseconds().and_then(|passed| u64::try_from(passed).ok())
    }

    /// Of a run in this folder, if it says so.
    pub fn read(folder: &Path) -> Result<Option<Began>> {
        let path = folder.join(file::BEGAN);
        if !path.is_file() {
            return Ok(None);
        }
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text)
            .map(Some)
            .with_context(|| format!("{} does not say when the run began", path.display()))
    }
}

/// Makes the folder of a new run called `name` below `results`, and points `latest` at it.
/// Checks that something can be written there.
pub fn create(results: &Path, name: &str) -> Result<PathBuf> {
    let parent = results.join(name);
    fs::create_dir_all(&parent).map_err(|error| {
        let what = format!("{}: cannot create {}", hint(results), parent.display());
        file_trouble(error, what)
    })?;
    let folder = new_folder(&parent).context(hint(results))?;
    let probe = folder.join(".probe");
    fs::File::create(&probe)
        .and_then(|mut file| file.write_all(&[0; 4096]).and_then(|()| file.sync_all()))
        .with_context(|| format!("cannot write to {}", folder.display()))
        .context(hint(results))?;
    fs::remove_file(&probe).with_context(|| format!("cannot remove {}", probe.display()))?;
    point_latest(results, &folder)?;
    Ok(folder)
}

fn hint(results: &Path) -> String {
    format!(
        "the results folder {} cannot be used; free some space, or name another with --results DIR",
        results.display()
    )
}

/// A folder named after this moment. Two runs in one millisecond get different ones.
fn new_folder(parent: &Path) -> Result<PathBuf> {
    const TRIES: u32 = 1000;
    for _ in 0..TRIES {
        let start = Utc::now().format("%Y%m%dT%H%M%S%.3fZ").to_string();
        let folder = parent.join(start);
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot create {}", folder.display()));
            }
        }
    }
    bail!("{} has a run for each of the last {TRIES} milliseconds", parent.display())
}

/// Replaces the link in one step, so that two runs at once leave one of theirs.
fn point_latest(results: &Path, folder: &Path) -> Result<()> {
    let link = results.join("latest");
    let draft = results.join(format!(".latest-{}", std::process::id()));
    let target = folder.strip_prefix(results).unwrap_or(folder);
    let _ = fs::remove_file(&draft);
    std::os::unix::fs::symlink(target, &draft)
        .and_then(|()| fs::rename(&draft, &link))
        .with_context(|| format!("cannot point {} at the new run", link.display()))
}

/// Whether this is a run folder, by what must be in it.
pub fn is_run(path: &Path) -> bool {
    path.is_dir() && path.join(file::HISTORY).is_file()
}

/// The run that a person named: a run folder, or the newest one below `results`.
pub fn find(results: &Path, named: Option<&Path>) -> Result<PathBuf> {
    let path = named.map_or_else(|| results.join("latest"), Path::to_path_buf);
    if is_run(&path) {
        // Resolve `latest`, so that messages name the run itself.
        return Ok(fs::canonicalize(&path).map_or(path, |full| shorten(&full)));
    }
    match named {
        Some(_) => bail!("{} is not a run: there is no {} in it", path.display(), file::HISTORY),
        None => bail!(
            "there is no run in {} yet; start one with `quorate run raft-kv`",
            results.display()
        ),
    }
}

/// The path relative to the current folder where it lies below it.
fn shorten(path: &Path) -> PathBuf {
    std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf))
        .unwrap_or_else(|| path.to_path_buf())
}

/// Writes a file of the run as pretty JSON.
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .with_context(|| format!("cannot express {} as JSON", path.display()))?;
    replace(path, |out| writeln!(out, "{text}"))
}

/// Writes a file of the run as text.
pub fn write_text(path: &Path, text: &impl std::fmt::Display) -> Result<()> {
    replace(path, |out| write!(out, "{text}"))
}

/// Writes a file of the run, which appears whole or not at all. A link in its place is replaced
/// and not followed: a run folder may come from a stranger.
pub fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<fs::File>) -> io::Result<()>,
) -> Result<()> {
    let (draft, file) = draft_beside(path)
        .with_context(|| format!("cannot create a file beside {}", path.display()))?;
    let mut out = BufWriter::new(file);
    let written = write(&mut out).and_then(|()| out.flush());
    let written = written.and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// A new file that is to be renamed to `path`; nobody else has its name.
pub fn draft_beside(path: &Path) -> io::Result<(PathBuf, fs::File)> {
    const TRIES: u32 = 100;
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut at = 0;
    loop {
        let mut draft = OsString::from(".");
        draft.push(name);
        draft.push(format!(".{}-{at}.part", std::process::id()));
        let draft = path.with_file_name(draft);
        match fs::File::create_new(&draft) {
            Ok(file) => return Ok((draft, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && at < TRIES => at += 1,
            Err(error) => return Err(error),
        }
    }
}
