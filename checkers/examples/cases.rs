//! Says of each case beside this repository which algorithm decided it, so that no fallback
//! hides, and how long that took.
//!
//! ```text
//! cargo run --release -p quorate-checkers --example cases
//! ```

#![expect(clippy::print_stdout, reason = "it is a report")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

#[path = "../tests/linearizable_support/mod.rs"]
mod linearizable_support;

use linearizable_support::cases::{all, decide, folder};
use quorate_checkers::linearizable::Options;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn main() {
    let Some(folder) = folder() else {
        println!("There are no cases beside this repository.");
        return;
    };
    let mut by_folder: BTreeMap<String, (u32, Duration, Duration)> = BTreeMap::new();
    for case in all(&folder) {
        let start = Instant::now();
        let (valid, how) = decide(&case, &Options { threads: 1, ..Options::default() });
        let took = start.elapsed();
        println!(
            "{:9.3} ms  {valid:?} (expected {})  {how}  {}",
            took.as_secs_f64() * 1e3,
            case.expected,
            case.name
        );
        let group = case.name.split('/').next().unwrap_or_default().to_string();
        let total = by_folder.entry(group).or_default();
        *total = (total.0 + 1, total.1 + took, total.2.max(took));
    }
    for (group, (count, total, most)) in by_folder {
        println!("{group}: {count} cases in {total:.1?}, the slowest in {most:.1?}");
    }
}
