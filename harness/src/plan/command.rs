//! A plan as the command line that makes it again.

use super::{Disk, Plan};
use crate::{duration, nemesis};
use quorate_targets::sim::Weather;

impl Plan {
    /// The command line that makes the same plan: of `quorate sim` where the plan has a weather,
    /// else of `quorate run`. It knows nothing of scripts and of schedules that were varied.
    pub fn command_line(&self) -> String {
        let how = if self.weather.is_some() { "sim" } else { "run" };
        let mut words = vec!["quorate".to_owned(), how.to_owned(), self.target.clone()];
        let mut flag = |name: &str, value: String| words.extend([name.to_owned(), quote(&value)]);
        flag("--workload", self.workload.clone());
        if self.nodes > 0 {
            flag("--nodes", self.nodes.to_string());
        }
        flag("--concurrency", self.concurrency.to_string());
        flag("--rate", self.rate.to_string());
        flag("--time-limit", duration::format(self.time_limit));
        let faults = if self.nemesis.is_empty() { "none".into() } else { self.nemesis.join(",") };
        flag("--nemesis", faults);
        flag("--nemesis-interval", duration::format(self.nemesis_interval));
        if nemesis::is_aimed_at_leaders(&self.schedule) {
            flag("--nemesis-aim", "leader".into());
        }
        flag("--seed", self.seed.0.to_string());
        for bug in &self.bugs {
            flag("--bug", bug.name().to_owned());
        }
        for (key, value) in &self.target_options {
            flag("--target-opt", format!("{key}={value}"));
        }
        for (key, value) in &self.workload_options {
            flag("--workload-opt", format!("{key}={value}"));
        }
        if self.disk == Disk::Sync {
            flag("--disk", "sync".into());
        }
        if self.fail_fast {
            words.push("--fail-fast".into());
        }
        if self.weather == Some(Weather::draw(self.seed)) {
            words.push("--weather drawn".into());
        }
        if self.clients_only {
            words.push("--clients-only".into());
        }
        words.join(" ")
    }
}

/// Quotes a word for a shell where it needs it.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/%@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
