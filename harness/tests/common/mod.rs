//! What tests with processes share.

use std::fs;
use std::time::{Duration, Instant};

/// Longer than anything takes on the busiest machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The processes that have `mark` in their command line and have not ended.
pub(crate) fn processes_with(mark: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))
        })
        .collect()
}

/// Waits until no process has `mark` in its command line.
pub(crate) fn wait_gone(mark: &str) {
    let began = Instant::now();
    while !processes_with(mark).is_empty() {
        assert!(began.elapsed() < PATIENCE, "they still run: {:?}", processes_with(mark));
        std::thread::yield_now();
    }
}
