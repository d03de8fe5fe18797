//! The runs below a results folder, each as a row.
//!
//! What a row tells comes from `plan.json`, `verdict.json` and the end of `history.jsonl`; of the
//! verdict only what is needed is kept. Rows are remembered for as long as these files stay as
//! they are, so that thousands of runs are read once.

use crate::results::{self, file};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Runs lie at most so deep: `examples/<target>-<workload>/<start>/minimal`.
const DEPTH_MAX: usize = 5;
/// At most so many are listed.
const RUNS_MAX: usize = 50_000;
/// How much of the end of a history is read.
const TAIL: u64 = 64 << 10;
/// Threads that read runs.
const READERS: usize = 4;

/// A run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    /// Its folder below the results, with `/` between the parts.
    pub(super) path: String,
    pub(super) target: String,
    pub(super) workload: String,
    pub(super) faults: Vec<String>,
    pub(super) bugs: Vec<String>,
    /// Whether there is no plan that can be read.
    pub(super) broken: bool,
    /// Absent where there is none.
    pub(super) seed: Option<u64>,
    pub(super) simulated: bool,
    pub(super) verdict: Conclusion,
    pub(super) anomalies: Vec<String>,
    /// Of the history, in nanoseconds.
    pub(super) duration: Option<u64>,
    pub(super) operations: Option<u64>,
    pub(super) report: bool,
}

/// What is known of the verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Conclusion {
    Valid,
    Invalid,
    Unknown,
    /// There is none: the run goes on, or died.
    #[default]
    None,
}

impl Conclusion {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Conclusion::Valid => "valid",
            Conclusion::Invalid => "invalid",
            Conclusion::Unknown => "unknown",
            Conclusion::None => "none yet",
        }
    }
}

/// The state of the files that a row is made of.
type Stamp = [Option<(SystemTime, u64)>; 4];

/// Rows that were read.
#[derive(Debug, Default)]
pub(super) struct Index(Mutex<BTreeMap<PathBuf, (Stamp, Arc<Row>)>>);

impl Index {
    /// All runs, the newest first; reads those that changed.
    pub(super) fn rows(&self, root: &Path) -> io::Result<Vec<Arc<Row>>> {
        let mut folders = Vec::new();
        walk(root, 0, &mut folders)?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let with_stamp = |folder: PathBuf| {
            let stamp = stamp(&folder);
            (folder, stamp)
        };
        let stamped: Vec<(PathBuf, Stamp)> = folders.into_iter().map(with_stamp).collect();
        let changed: Vec<&(PathBuf, Stamp)> = stamped
            .iter()
            .filter(|(folder, stamp)| known.get(folder).is_none_or(|(old, _)| old != stamp))
            .collect();
        let read = |part: &[&(PathBuf, Stamp)]| -> Vec<(PathBuf, (Stamp, Arc<Row>))> {
            let row = |(folder, stamp): &&(PathBuf, Stamp)| {
                (folder.clone(), (*stamp, Arc::new(row(root, folder))))
            };
            part.iter().map(row).collect()
        };
        let parts: Vec<_> = std::thread::scope(|scope| {
            let size = changed.len().div_ceil(READERS).max(1);
            let parts = changed.chunks(size).map(|part| scope.spawn(move || read(part)));
            let parts: Vec<_> = parts.collect();
            parts.into_iter().map(|part| part.join().unwrap_or_default()).collect()
        });
        known.extend(parts.into_iter().flatten());
        let mut rows: Vec<Arc<Row>> = stamped
            .iter()
            .filter_map(|(folder, _)| Some(Arc::clone(&known.get(folder)?.1)))
            .collect();
        rows.sort_by(|a, b| start(&b.path).cmp(start(&a.path)).then(a.path.cmp(&b.path)));
        Ok(rows)
    }
}

/// When a run began, as its folder's name says; that of a shrunk run is its parent's.
pub(super) fn start(path: &str) -> &str {
    let mut parts = path.rsplit('/');
    let last = parts.next().unwrap_or(path);
    if last == file::MINIMAL_RUN { parts.next().unwrap_or(last) } else { last }
}

/// Finds run folders; links are not followed, so that `latest` is no second run.
fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() || found.len() >= RUNS_MAX {
            continue;
        }
        let path = entry.path();
        let is_run = results::is_run(&path);
        if is_run {
            found.push(path.clone());
        }
        let inner = if is_run { path.join(file::MINIMAL_RUN) } else { PathBuf::new() };
        if is_run && results::is_run(&inner) {
            found.push(inner);
        } else if !is_run && depth < DEPTH_MAX {
            // A folder that cannot be read is none of ours.
            let _ = walk(&path, depth + 1, found);
        }
    }
    Ok(())
}

fn stamp(folder: &Path) -> Stamp {
    [file::PLAN, file::VERDICT, file::REPORT, file::HISTORY].map(|name| {
        let data = fs::metadata(folder.join(name)).ok()?;
        Some((data.modified().ok()?, data.len()))
    })
}

/// What of a plan the list needs, whichever version made it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Planned {
    target: String,
    workload: String,
    nemesis: Vec<String>,
    bugs: Vec<String>,
    seed: Option<u64>,
    weather: Option<IgnoredAny>,
}

/// What of a verdict the list needs.
#[derive(Deserialize)]
struct Judged {
    valid: Json,
    #[serde(default)]
    anomaly_types: Vec<String>,
    #[serde(default)]
    checkers: Checkers,
}

#[derive(Default, Deserialize)]
struct Checkers {
    stats: Option<Stats>,
}

#[derive(Deserialize)]
struct Stats {
    total: Option<Total>,
}

#[derive(Deserialize)]
struct Total {
    count: u64,
}

/// Reads a run; what cannot be read is left out.
fn row(root: &Path, folder: &Path) -> Row {
    let relative = folder.strip_prefix(root).unwrap_or(folder);
    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
    let mut row = Row { path: parts.join("/"), ..Row::default() };
    let plan = read_json::<Planned>(&folder.join(file::PLAN));
    row.broken = plan.is_none();
    if let Some(plan) = plan {
        (row.target, row.workload, row.faults) = (plan.target, plan.workload, plan.nemesis);
        (row.bugs, row.seed, row.simulated) = (plan.bugs, plan.seed, plan.weather.is_some());
    }
    if let Some(judged) = read_json::<Judged>(&folder.join(file::VERDICT)) {
        row.verdict = match judged.valid.as_bool() {
            Some(true) => Conclusion::Valid,
            Some(false) => Conclusion::Invalid,
            None => Conclusion::Unknown,
        };
        row.anomalies = judged.anomaly_types;
        row.operations = judged.checkers.stats.and_then(|stats| Some(stats.total?.count));
    }
    row.duration = duration(&folder.join(file::HISTORY)).ok().flatten();
    row.report = folder.join(file::REPORT).is_file();
    row
}

fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    serde_json::from_reader(BufReader::new(File::open(path).ok()?)).ok()
}

/// The time of the last event of a history.
fn duration(history: &Path) -> io::Result<Option<u64>> {
    #[derive(Deserialize)]
    struct Timed {
        time: u64,
    }
    let mut file = File::open(history)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let mut lines = tail.rsplit(|byte| *byte == b'\n');
    Ok(lines.find_map(|line| Some(serde_json::from_slice::<Timed>(line).ok()?.time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_tell_what_is_there_and_follow_changes() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("kv-register/20260101T000000.000Z");
        fs::create_dir_all(&run).unwrap();
        let event = r#"{"index":0,"time":7,"process":0,"type":"invoke","f":"read","value":null}"#;
        fs::write(run.join(file::HISTORY), format!("{event}\n{{\"index\":1,\"ti")).unwrap();
        std::os::unix::fs::symlink(&run, root.path().join("latest")).unwrap();
        let index = Index::default();
        let rows = index.rows(root.path()).unwrap();
        assert_eq!(rows.len(), 1, "a link is no run: {rows:?}");
        assert_eq!(rows[0].path, "kv-register/20260101T000000.000Z");
        assert_eq!((rows[0].duration, rows[0].verdict), (Some(7), Conclusion::None));
        let verdict = r#"{"valid":"unknown","anomaly_types":["a"],"checkers":{"stats":{"valid":true,"total":{"count":3}}},"anomalies":[{}]}"#;
        fs::write(run.join(file::VERDICT), verdict).unwrap();
        let rows = index.rows(root.path()).unwrap();
        assert_eq!((rows[0].verdict, rows[0].operations), (Conclusion::Unknown, Some(3)));
        assert_eq!(rows[0].anomalies, ["a"]);
        assert!(rows[0].broken, "there is no plan");
        fs::write(run.join(file::PLAN), "{\"target\":\"kv\"}").unwrap();
        let rows = index.rows(root.path()).unwrap();
        assert_eq!((rows[0].broken, rows[0].target.as_str()), (false, "kv"));
    }

    #[test]
    fn shrunk_runs_began_when_theirs_did() {
        assert_eq!(start("a-b/20260101T000000.000Z/minimal"), "20260101T000000.000Z");
        assert_eq!(start("a-b/20260101T000000.000Z"), "20260101T000000.000Z");
    }
}
