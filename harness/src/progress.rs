//! Progress of a run on stderr: one line that is rewritten on a terminal, a line now and then
//! elsewhere, nothing when quiet.

use crate::errln;
use crate::interpreter::Counts;
use crate::{out, text};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// How often a line is printed where stderr is not a terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Tells a person how a run is going.
pub struct Progress {
    shown: Shown,
    began: Instant,
    last: (Instant, u64),
    rate: f64,
}

enum Shown {
    Nothing,
    Lines { next: Instant },
    Bar(ProgressBar),
}

impl Progress {
    /// Begins to tell, unless `quiet`.
    pub fn new(quiet: bool) -> Progress {
        let now = Instant::now();
        let shown = if quiet {
            Shown::Nothing
        } else if out::rewrites() {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            Shown::Bar(bar)
        } else {
            Shown::Lines { next: now + LINE_EVERY }
        };
        Progress { shown, began: now, last: (now, 0), rate: 0.0 }
    }

    /// Prints a line that stays.
    pub fn say(&self, text: &str) {
        match &self.shown {
            Shown::Nothing => {}
            Shown::Lines { .. } => errln!("{text}"),
            Shown::Bar(bar) => bar.println(text::visible(text)),
        }
    }

    /// Shows how it stands. `extra` is what the caller knows beside the counts.
    pub fn update(&mut self, phase: &str, counts: Counts, extra: &str) {
        let now = Instant::now();
        let (then, invoked) = self.last;
        let passed = now.duration_since(then).as_secs_f64();
        if passed >= 0.5 {
            self.rate = (counts.invoked - invoked) as f64 / passed;
            self.last = (now, counts.invoked);
        }
        let text = format!(
            "{phase} {:>3.0} s  {} ops, {:.0}/s  ok {} fail {} info {}{}{extra}",
            now.duration_since(self.began).as_secs_f64(),
            counts.invoked,
            self.rate,
            counts.ok,
            counts.fail,
            counts.info,
            if extra.is_empty() { "" } else { "  " },
        );
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Lines { next } => {
                if now >= *next {
                    *next = now + LINE_EVERY;
                    errln!("{text}");
                }
            }
            Shown::Bar(bar) => {
                bar.set_message(text::visible(&text));
                bar.tick();
            }
        }
    }

    /// Removes what would be rewritten.
    pub fn finish(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}
