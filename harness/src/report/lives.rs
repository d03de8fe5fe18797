//! When nodes were down or paused, from what the nemesis wrote into the history.

use super::ops;
use quorate_checkers::history::{History, Process};
use std::collections::BTreeMap;

/// What a node did not do for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// It was dead.
    Down,
    /// It stood still.
    Paused,
}

impl Absence {
    /// What happened to the node when it began, and when it ended.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Absence::Down => ("killed", "restart"),
            Absence::Paused => ("paused", "resumed"),
        }
    }
}

/// A stretch of time in which a node was absent; without an end if nothing ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) what: Absence,
    pub(super) begin: u64,
    pub(super) end: Option<u64>,
}

/// The absences of each node, in order of time.
pub(super) fn of(history: &History) -> BTreeMap<String, Vec<Gap>> {
    let mut lives: BTreeMap<String, Vec<Gap>> = BTreeMap::new();
    let nemesis = history.events().iter().filter(|event| event.process == Process::Nemesis);
    for event in nemesis.filter(|event| crate::summary::outcome(event) == Some("installed")) {
        let (what, begins) = match event.f.as_str() {
            "kill" => (Absence::Down, true),
            "start" => (Absence::Down, false),
            "pause" => (Absence::Paused, true),
            "resume" => (Absence::Paused, false),
            _ => continue,
        };
        for node in event.value.as_list().unwrap_or_default().iter().map(ops::plain) {
            let gaps = lives.entry(node).or_default();
            // A dead node does not stand still.
            let open = gaps.iter_mut().filter(|gap| gap.end.is_none());
            for gap in open.filter(|gap| gap.what == what || what == Absence::Down) {
                gap.end = Some(event.time.0);
            }
            if begins {
                gaps.push(Gap { what, begin: event.time.0, end: None });
            }
        }
    }
    lives
}
