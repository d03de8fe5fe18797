//! Starts the binary as a person would, in a folder.

#![allow(dead_code, reason = "each test binary uses a part")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The binary with these arguments, in `folder`, with nothing to read.
pub(crate) fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(args).current_dir(folder).stdin(Stdio::null());
    command
}

/// What it did.
pub(crate) fn quorate(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

/// What it printed, if it ended with this code.
#[track_caller]
pub(crate) fn expect(output: &Output, code: i32) -> String {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "stdout:\n{stdout}\nstderr:\n{stderr}");
    stdout
}

/// Exit code and verdict of a simulated run in a folder of its own.
pub(crate) fn simulated(target: &str, args: &[&str]) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let sim = ["sim", target, "--format", "json", "-q"];
    let output = quorate(folder.path(), &[&sim[..], args].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    let verdict = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|why| panic!("{args:?}: {why}\n{stderr}"));
    (output.status.code().unwrap(), verdict)
}
