//! Runs the binary as a person would, in folders of its own, one cluster at a time.

use crate::binary;
use quorate_targets::bugs;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Clusters would starve each other on a small machine: a test holds this while one runs.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A folder for results, and the right to run a cluster.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        Bench { folder: tempfile::tempdir().unwrap(), _turn: turn }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        binary::command(self.folder.path(), args)
    }

    pub(crate) fn quorate(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// What a run with a seeded bug was judged, if that is invalid; else it must be valid.
    pub(crate) fn caught(&self, entry: &bugs::Entry, seed: u32) -> Option<Value> {
        let seed = seed.to_string();
        let run = ["run", entry.target, "--seed", &seed, "--bug", entry.name, "--format", "json"];
        // What registers show is seen while the run is going on: the rest of it would tell no more.
        let registers = entry.target == "raft-kv" && !entry.needs.contains(&"--workload");
        let early: &[&str] = if registers { &["--fail-fast"] } else { &[] };
        let ran = self.quorate(&[&run[..], entry.needs, early].concat());
        if ran.code == Some(0) {
            return None;
        }
        ran.expect(1);
        Some(ran.verdict())
    }

    /// One of the first five seeds catches a bug, and by an anomaly that it must cause.
    pub(crate) fn catches_within_five(&self, entry: &bugs::Entry) {
        let verdict = (1..=5).find_map(|seed| self.caught(entry, seed));
        let verdict =
            verdict.unwrap_or_else(|| panic!("{} was not caught in five runs", entry.name));
        let types = verdict["anomaly_types"].as_array().unwrap();
        let kind = types.iter().any(|t| entry.anomaly.contains(t.as_str().unwrap()));
        assert!(kind, "{}: {types:?} is not what it must cause", entry.name);
    }

    /// The newest run.
    pub(crate) fn latest(&self) -> PathBuf {
        self.folder.path().join("results/latest")
    }

    pub(crate) fn history(&self) -> Vec<Value> {
        lines(&self.latest().join("history.jsonl"))
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The verdict that `--format json` printed.
    pub(crate) fn verdict(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}\n{}", self.stdout, self.stderr))
    }

    #[track_caller]
    pub(crate) fn expect(&self, code: i32) -> &Ran {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

pub(crate) fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Processes of this machine that work in `folder`: the nodes of its runs do.
pub(crate) fn processes_of(folder: &Path) -> Vec<u32> {
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
        })
        .collect()
}
