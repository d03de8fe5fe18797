//! What became of an element, node by node.

use super::element::Element;
use super::{Finality, Read};
use crate::final_phase::{at, key_text};
use crate::history::{EventType, OpView};
use crate::value::Value;
use std::collections::BTreeMap;

/// What became of an element. See the head of [`super`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stable,
    Recovered,
    Missing,
    Lost,
    Removed,
    Resurrected,
    Unexpected,
    NeverRead,
    /// Its remove is in doubt, or it was added again.
    Unjudged,
    /// What was read last is no last word.
    Undecided,
    /// Its add certainly failed, and it is not there.
    Refused,
}

/// A fate with its evidence.
pub(super) struct Judged<'a> {
    pub(super) fate: Fate,
    /// Nanoseconds from when it was known until the last read that missed it; stable ones only.
    pub(super) latency: Option<u64>,
    /// Nodes whose last word has it, and those whose last word has it not.
    pub(super) present: Vec<&'a str>,
    pub(super) absent: Vec<&'a str>,
    /// The reads that decide: the last at a node that has it, and at one that has it not.
    pub(super) shown: Option<usize>,
    pub(super) missed: Option<usize>,
}

impl Fate {
    pub(super) const ALL: [Fate; 11] = [
        Fate::Stable,
        Fate::Recovered,
        Fate::Missing,
        Fate::Lost,
        Fate::Removed,
        Fate::Resurrected,
        Fate::Unexpected,
        Fate::NeverRead,
        Fate::Unjudged,
        Fate::Undecided,
        Fate::Refused,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Fate::Stable => "stable",
            Fate::Recovered => "recovered",
            Fate::Missing => "missing",
            Fate::Lost => "lost",
            Fate::Removed => "removed",
            Fate::Resurrected => "resurrected",
            Fate::Unexpected => "unexpected",
            Fate::NeverRead => "never-read",
            Fate::Unjudged => "unjudged",
            Fate::Undecided => "undecided",
            Fate::Refused => "refused",
        }
    }

    pub(super) fn anomaly(self) -> Option<&'static str> {
        match self {
            Fate::Missing => Some("missing-element"),
            Fate::Lost => Some("lost-element"),
            Fate::Resurrected => Some("resurrected-element"),
            Fate::Unexpected => Some("unexpected-element"),
            _ => None,
        }
    }
}

/// Judges an element by all reads and by the reads of each node.
pub(super) fn judge<'a>(
    element: &Element<'_>,
    reads: &[Read<'_>],
    by_node: &BTreeMap<&'a str, Vec<usize>>,
    finality: Finality,
) -> Judged<'a> {
    let (present, absent) = (Vec::new(), Vec::new());
    let mut judged =
        Judged { fate: Fate::NeverRead, latency: None, present, absent, shown: None, missed: None };
    let has = |read: &usize| element.read_by.binary_search(read).is_ok();
    let never_added = match element.read_by.first() {
        // A read that ended before the add began saw what was not there yet.
        Some(first) => reads[*first].op.complete.is_none_or(|e| !element.added_before(e.index)),
        None => false,
    };
    if never_added {
        judged.fate = Fate::Unexpected;
        judged.shown = element.read_by.first().copied();
        return judged;
    }
    if element.add.is_none_or(|add| add.outcome == EventType::Fail) {
        judged.fate = Fate::Refused;
        return judged;
    }
    let Some(known) = element.known else { return judged };
    // What must be newer than what: the last word comes after this.
    let since = element.remove.and_then(|remove| remove.complete).unwrap_or(known);
    for (node, numbers) in by_node {
        let Some(last) = numbers.iter().rev().find(|number| reads[**number].last_word) else {
            continue;
        };
        // Before the element was known, or while its remove was under way, a read tells nothing;
        // but in the final phase all adds are over.
        let late = reads[*last].op.invoke.index > since.index;
        let over = element.remove.is_none() && (reads[*last].after_healing || has(last));
        if !late && !over {
            continue;
        }
        if has(last) {
            judged.present.push(node);
            judged.shown = Some(*last);
        } else {
            judged.absent.push(node);
            judged.missed = Some(*last);
        }
    }
    judged.fate = fate(element, &judged);
    let must_last = matches!(judged.fate, Fate::Missing | Fate::Lost | Fate::Resurrected);
    if must_last && !is_final(finality, reads.len(), has, judged.fate == Fate::Resurrected) {
        judged.fate = Fate::Undecided;
    }
    if matches!(judged.fate, Fate::Stable | Fate::Recovered) {
        judged.latency = Some(latency(element, known.index, known.time.0, reads));
    }
    judged
}

/// Whether what was read last of an element is the last word: all final reads have it, or all
/// have it not, as `there` says.
fn is_final(finality: Finality, reads: usize, has: impl Fn(&usize) -> bool, there: bool) -> bool {
    match finality {
        Finality::Phase => true,
        Finality::LastReads(first) => (first..reads).all(|read| has(&read) == there),
        Finality::Nowhere => false,
    }
}

/// Why an element stays undecided, in words.
pub(super) fn doubt(key: Option<&Value>, element: &Element<'_>, judged: &Judged<'_>) -> String {
    let set = key.map_or_else(|| "the set".to_owned(), key_text);
    let (value, read) = (element.value, if judged.absent.is_empty() { "has" } else { "misses" });
    let what = if element.remove.is_some() { "removed from" } else { "added to" };
    format!(
        "{value} was {what} {set}, and what was read last there {read} it; but the history has no \
         final phase, nor final reads that agree, so that an eventually consistent store may still \
         set this right."
    )
}

fn fate(element: &Element<'_>, judged: &Judged<'_>) -> Fate {
    let (present, absent) = (!judged.present.is_empty(), !judged.absent.is_empty());
    match (element.remove.is_some(), present, absent) {
        (_, false, false) => Fate::NeverRead,
        _ if element.again => Fate::Unjudged,
        (true, true, _) => Fate::Resurrected,
        (true, false, true) => Fate::Removed,
        (false, true, true) => Fate::Missing,
        (false, false, true) if element.doubtful => Fate::Unjudged,
        (false, false, true) => Fate::Lost,
        (false, true, false) if element.acknowledged => Fate::Stable,
        (false, true, false) => Fate::Recovered,
    }
}

/// Time from when the element was known until the beginning of the last read that missed it.
fn latency(
    element: &Element<'_>,
    known: crate::history::OpIndex,
    since: u64,
    reads: &[Read<'_>],
) -> u64 {
    // From the end backwards, as long as reads have it: in all no more steps than it was read.
    let mut present = element.read_by.iter().rev().peekable();
    for (number, read) in reads.iter().enumerate().rev() {
        if read.op.invoke.index <= known {
            return 0;
        }
        if present.next_if_eq(&&number).is_none() {
            return read.op.invoke.time.0.saturating_sub(since);
        }
    }
    0
}

/// The operations that show it.
pub(super) fn evidence<'a>(
    element: &Element<'a>,
    judged: &Judged<'_>,
    reads: &[Read<'a>],
) -> Vec<OpView<'a>> {
    let reads = judged.shown.iter().chain(&judged.missed).map(|number| reads[*number].op);
    let ops = element.add.into_iter().chain(element.remove).chain(reads);
    let mut ops: Vec<OpView<'a>> = ops.collect();
    ops.sort_by_key(|op| op.invoke.index);
    ops
}

/// What happened, in words.
pub(super) fn explain(key: Option<&Value>, element: &Element<'_>, judged: &Judged<'_>) -> String {
    let set = key.map_or_else(|| "the set".to_owned(), key_text);
    let value = element.value;
    let list = |nodes: &[&str]| match nodes {
        [] | [""] => "the last read".to_owned(),
        nodes => format!("the last reads at {}", nodes.join(", ")),
    };
    let added = match element.add {
        Some(add) => format!(
            "{value} was added to {set}{} at {:.3} s ({})",
            at(crate::final_phase::node(&add)),
            add.invoke.time.0 as f64 / 1e9,
            if element.acknowledged { "acknowledged" } else { "not acknowledged, but read" },
        ),
        None => format!("Nobody added {value} to {set}"),
    };
    match judged.fate {
        Fate::Missing => format!(
            "{added}; {} have it, but {} do not.",
            list(&judged.present),
            list(&judged.absent)
        ),
        Fate::Lost => format!("{added}, but it is gone: not in {}.", list(&judged.absent)),
        Fate::Resurrected => format!(
            "{added}; its remove was acknowledged at {:.3} s, but it is back in {}.",
            element
                .remove
                .and_then(|remove| remove.complete)
                .map_or(0.0, |event| event.time.0 as f64 / 1e9),
            list(&judged.present)
        ),
        Fate::Unexpected => match element.add {
            Some(add) if add.outcome == EventType::Fail => {
                format!("The add of {value} to {set} failed, but a read has it.")
            }
            Some(_) => format!("{added}, but a read that had ended before has it."),
            None => format!("{added}, but a read has it."),
        },
        _ => added,
    }
}
