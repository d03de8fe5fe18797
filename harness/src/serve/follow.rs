//! Following a run while its history grows: the file's new lines become counts, a rate, latencies,
//! the faults in force, the leader, and what can be said of the verdict so far.

use crate::live;
use crate::plan::Plan;
use crate::report::StatusLine;
use crate::report::faults::InForce;
use crate::results::file;
use quorate_checkers::history::{Event, EventType, Process, jsonl};
use quorate_checkers::linearizable::online::Online;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// At most so many bytes of a history are read at a time.
const READ_MAX: u64 = 8 << 20;
/// Rate and latency are those of this time, in nanoseconds.
const RECENT: u64 = 1_000_000_000;
/// At most so many recent completions are looked at.
const RECENT_MAX: usize = 20_000;
/// How much of the end of `status.jsonl` is read.
const STATUS_TAIL: u64 = 64 << 10;

/// How a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Standing {
    /// Where it is below the results.
    pub(super) run: String,
    pub(super) target: String,
    pub(super) workload: String,
    /// Whether there is no verdict yet.
    pub(super) going: bool,
    /// Whether all that was written so far has been read.
    pub(super) caught_up: bool,
    pub(super) seconds: f64,
    pub(super) invoked: u64,
    pub(super) ok: u64,
    pub(super) fail: u64,
    pub(super) info: u64,
    /// Completions in the last second.
    pub(super) rate: usize,
    /// Latencies of the last second, in milliseconds; absent where nothing succeeded.
    pub(super) median_ms: Option<f64>,
    pub(super) worst_ms: Option<f64>,
    pub(super) faults: Vec<String>,
    pub(super) leader: String,
    /// What is known of the verdict.
    pub(super) verdict: String,
}

/// Follows one run.
pub(super) struct Follower {
    folder: PathBuf,
    /// Bytes of the history that were read, whole lines only.
    read: u64,
    online: Option<Online>,
    open: BTreeMap<Process, u64>,
    /// When operations completed, and after how long those that succeeded.
    recent: VecDeque<(u64, Option<u64>)>,
    faults: InForce,
    standing: Standing,
}

impl Follower {
    /// From the beginning of a run's history.
    pub(super) fn new(root: &Path, folder: PathBuf) -> Follower {
        let run = folder.strip_prefix(root).unwrap_or(&folder).to_string_lossy().into_owned();
        let plan = fs::read_to_string(folder.join(file::PLAN)).ok();
        let plan: Option<Plan> = plan.and_then(|text| serde_json::from_str(&text).ok());
        let object = plan.as_ref().and_then(|plan| live::object_of(plan).ok().flatten());
        let (target, workload) =
            plan.map_or_else(Default::default, |plan| (plan.target, plan.workload));
        let standing = Standing { run, target, workload, going: true, ..Standing::default() };
        Follower {
            folder,
            read: 0,
            online: object.map(Online::new),
            open: BTreeMap::new(),
            recent: VecDeque::new(),
            faults: InForce::default(),
            standing,
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads what was added, and tells how the run stands.
    pub(super) fn advance(&mut self) -> Standing {
        // The order matters: a verdict is written after the last event.
        let verdict = conclusion(&self.folder);
        let lines = self.new_lines();
        self.standing.caught_up = (lines.len() as u64) < READ_MAX / 2;
        for event in lines.lines().filter_map(jsonl::event) {
            self.take(&event);
        }
        self.standing.going = verdict.is_none();
        self.standing.verdict = verdict.unwrap_or_else(|| {
            self.online.as_ref().map_or_else(|| "judged at the end".into(), live::words)
        });
        self.standing.leader = leader(&self.folder).unwrap_or_default();
        self.standing.faults = self.faults.kinds();
        self.recall();
        self.standing.clone()
    }

    fn new_lines(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = File::open(self.folder.join(file::HISTORY)).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.read))?;
            file.take(READ_MAX).read_to_end(&mut bytes)
        });
        let whole = match read {
            Ok(_) => bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1),
            Err(_) => 0,
        };
        bytes.truncate(whole);
        self.read += whole as u64;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn take(&mut self, event: &Event) {
        let time = event.time.0;
        let standing = &mut self.standing;
        standing.seconds = time as f64 / 1e9;
        if event.process == Process::Nemesis {
            self.faults.turn(event);
            return;
        }
        if let Some(online) = &mut self.online {
            online.push(event);
        }
        let began = match event.kind {
            EventType::Invoke => {
                standing.invoked += 1;
                self.open.insert(event.process, time);
                return;
            }
            _ => self.open.remove(&event.process),
        };
        let took = began.map(|began| time.saturating_sub(began));
        match event.kind {
            EventType::Ok => standing.ok += 1,
            EventType::Fail => standing.fail += 1,
            EventType::Info | EventType::Invoke => standing.info += 1,
        }
        let took = took.filter(|_| event.kind == EventType::Ok);
        self.recent.push_back((time, took));
        if self.recent.len() > RECENT_MAX {
            self.recent.pop_front();
        }
    }

    /// Rate and latencies of the last second of the run.
    fn recall(&mut self) {
        let now = self.recent.back().map_or(0, |(time, _)| *time);
        while self.recent.front().is_some_and(|(time, _)| time + RECENT < now) {
            self.recent.pop_front();
        }
        let mut spans: Vec<u64> = self.recent.iter().filter_map(|(_, took)| *took).collect();
        spans.sort_unstable();
        let ms = |ns: &u64| *ns as f64 / 1e6;
        self.standing.rate = self.recent.len();
        self.standing.median_ms = spans.get(spans.len() / 2).map(ms);
        self.standing.worst_ms = spans.last().map(ms);
    }
}

/// The verdict in a few words, if there is one.
fn conclusion(folder: &Path) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Judged {
        valid: serde_json::Value,
        #[serde(default)]
        anomaly_types: Vec<String>,
    }
    let text = fs::read_to_string(folder.join(file::VERDICT)).ok()?;
    let judged: Judged = serde_json::from_str(&text).ok()?;
    Some(match judged.valid.as_bool() {
        Some(true) => "VALID".to_owned(),
        Some(false) => format!("INVALID: {}", judged.anomaly_types.join(", ")),
        None => "UNKNOWN".to_owned(),
    })
}

/// Who leads in the highest term, by the last line of `status.jsonl`.
fn leader(folder: &Path) -> Option<String> {
    let mut file = File::open(folder.join(file::STATUS)).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(STATUS_TAIL))).ok()?;
    let mut tail = String::new();
    file.take(STATUS_TAIL).read_to_string(&mut tail).ok()?;
    let last = tail.lines().rev().find_map(|line| serde_json::from_str::<StatusLine>(line).ok())?;
    let leaders = last.nodes.iter().filter(|(_, status)| status.role == "leader");
    let (node, status) = leaders.max_by_key(|(_, status)| status.term)?;
    Some(format!("{node} (term {})", status.term))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn it_reads_along_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = File::create(folder.path().join(file::HISTORY)).unwrap();
        let mut follower = Follower::new(folder.path(), folder.path().to_path_buf());
        assert_eq!(follower.advance().invoked, 0);
        write!(history, r#"{{"index":0,"time":1000000,"process":0,"type":"invoke","f":"read","value":null}}
{{"index":1,"time":3000000,"process":0,"type":"ok","f":"read","value":1}}
{{"index":2,"time":4000000,"process":"nemesis","type":"info","f":"kill","value":["n1"],"outcome":"installed"}}
{{"index":3,"time":5000000,"process":1,"ty"#).unwrap();
        let standing = follower.advance();
        assert_eq!((standing.invoked, standing.ok, standing.rate), (1, 1, 1));
        assert_eq!(
            (standing.median_ms, standing.faults.as_slice()),
            (Some(2.0), &["kill".to_owned()][..])
        );
        assert!(standing.going);
        writeln!(history, r#"pe":"invoke","f":"read","value":null}}"#).unwrap();
        fs::write(folder.path().join(file::VERDICT), r#"{"valid":false,"anomaly_types":["x"]}"#)
            .unwrap();
        let standing = follower.advance();
        assert_eq!((standing.invoked, standing.going), (2, false));
        assert_eq!(standing.verdict, "INVALID: x");
    }
}
