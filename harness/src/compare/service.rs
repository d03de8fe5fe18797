//! How much of the service was left while faults were in force, and how fast it was.
//!
//! An operation was *answered* if it is `ok`, or a compare-and-set was refused for the value that
//! the database found: that is an answer too. Operations count for where they began.
//!
//! A fault's unavailability windows are the stretches of time within it in which nobody was
//! answered, as far as they are longer than pauses between answers are anyway.
//!
//! *CAP and PACELC* (Gilbert and Lynch 2002; Abadi 2012): under a partition a system was consistent
//! (C) if the history of the run is linearizable, or strictly serializable; if not, it was
//! available (A) if operations at every node went on to be answered; `P-` is neither. Without a
//! partition (E) it was consistent (C) if the same operations without any fault gave such a
//! history; else it bought latency (L). Faults cut nodes from each other and not clients from
//! nodes, and clients try other nodes, so that a consistent system may answer most of what is
//! asked: how much, the shares say.

use crate::report::faults;
use quorate_checkers::history::{EventType, History, OpView};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::Valid;
use serde::Serialize;
use std::collections::BTreeMap;

/// Pauses between answers shorter than this are no unavailability.
const PAUSE_MIN_NS: u64 = 200_000_000;
/// Nor are those shorter than so many of the usual pauses.
const PAUSES_USUAL: u64 = 20;
/// With this share of what is answered there otherwise, a node is available under a partition.
const AVAILABLE_SHARE: f64 = 0.9;

/// A part of the operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// How many there are.
    pub operations: usize,
    /// How many of them were answered.
    pub answered: usize,
    /// The median latency of those, in milliseconds.
    pub p50_ms: Option<f64>,
    /// What one in a hundred of those takes longer than.
    pub p99_ms: Option<f64>,
}

/// What a fault did to the service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outage {
    /// The fault's kind.
    pub fault: String,
    /// On whom.
    pub on: String,
    /// When it was in force, in milliseconds.
    pub begin_ms: f64,
    /// Until when.
    pub end_ms: f64,
    /// The operations that began meanwhile.
    pub during: Share,
    /// When nobody was answered.
    pub windows_ms: Vec<(f64, f64)>,
}

/// How well a run served.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// While no fault was in force.
    pub outside_faults: Share,
    /// While one was.
    pub during_faults: Share,
    /// While the network was partitioned.
    pub during_partitions: Share,
    /// While it was not.
    pub without_partition: Share,
    /// The least share of its operations that any node answered during partitions, of what it
    /// answered without.
    pub worst_node: Option<f64>,
    /// Fault by fault.
    pub outages: Vec<Outage>,
    /// `PC/EC`, `PA/EL`, ...; absent without partitions.
    pub pacelc: Option<String>,
}

impl Service {
    /// Measures a run. `consistent` is what it kept under its faults, `calm` what the same
    /// operations gave without.
    pub fn of(history: &History, consistent: Valid, calm: Valid) -> Service {
        let end = faults_end(history);
        let windows: Vec<_> =
            faults::windows(history).into_iter().filter(|window| window.certain).collect();
        let inside = |kind: Option<&str>, op: &OpView<'_>| {
            let at = op.invoke.time.0;
            windows.iter().any(|window| {
                kind.is_none_or(|kind| window.kind == kind) && window.begin <= at && at < window.end
            })
        };
        let ops = || history.ops().filter(|op| op.invoke.time.0 < end);
        let partition = Some("partition");
        let worst_node = windows
            .iter()
            .any(|window| window.kind == "partition")
            .then(|| worst_node(ops(), |op| inside(partition, op)))
            .flatten();
        let answers = answers(history);
        let pause = pause(&answers);
        let outages = windows
            .iter()
            .map(|window| Outage {
                fault: window.kind.clone(),
                on: window.label.clone(),
                begin_ms: ms(window.begin),
                end_ms: ms(window.end),
                during: share(
                    ops().filter(|op| (window.begin..window.end).contains(&op.invoke.time.0)),
                ),
                windows_ms: silences(&answers, window.begin, window.end, pause),
            })
            .collect();
        Service {
            outside_faults: share(ops().filter(|op| !inside(None, op))),
            during_faults: share(ops().filter(|op| inside(None, op))),
            during_partitions: share(ops().filter(|op| inside(partition, op))),
            without_partition: share(ops().filter(|op| !inside(partition, op))),
            worst_node,
            outages,
            pacelc: worst_node.map(|worst| letters(worst, consistent, calm)),
        }
    }
}

impl Share {
    /// The share that was answered, from 0 to 1.
    pub fn answered_share(&self) -> Option<f64> {
        (self.operations > 0).then(|| self.answered as f64 / self.operations as f64)
    }
}

fn letters(worst: f64, consistent: Valid, calm: Valid) -> String {
    let partition = match (worst >= AVAILABLE_SHARE, consistent) {
        (_, Valid::Unknown) => "P?",
        (_, Valid::True) => "PC",
        (true, Valid::False) => "PA",
        (false, Valid::False) => "P-",
    };
    let otherwise = match calm {
        Valid::True => "EC",
        Valid::False => "EL",
        Valid::Unknown => "E?",
    };
    format!("{partition}/{otherwise}")
}

/// When the main phase ended: what the final phase asks is asked of a healed cluster.
fn faults_end(history: &History) -> u64 {
    let mut nemesis = history.nemesis();
    let last = nemesis.find(|event| event.f.as_str() == quorate_checkers::aftermath::FINAL_PHASE);
    last.map_or(u64::MAX, |event| event.time.0)
}

fn is_answered(op: &OpView<'_>) -> bool {
    let refused = || {
        let error = op.complete.and_then(|event| event.error.as_ref());
        let first = error.and_then(Value::as_list).and_then(|items| items.first()).or(error);
        first.and_then(Value::as_str) == Some("precondition-failed")
    };
    op.outcome == EventType::Ok || op.outcome == EventType::Fail && refused()
}

fn share<'a>(ops: impl Iterator<Item = OpView<'a>>) -> Share {
    let mut spans = Vec::new();
    let mut operations = 0;
    for op in ops {
        operations += 1;
        if let (true, Some(end)) = (is_answered(&op), op.complete) {
            spans.push(end.time.0 - op.invoke.time.0);
        }
    }
    spans.sort_unstable();
    let quantile = |q: f64| {
        let at = ((spans.len() as f64 * q).ceil() as usize).checked_sub(1)?;
        spans.get(at).map(|span| ms(*span))
    };
    Share { operations, answered: spans.len(), p50_ms: quantile(0.5), p99_ms: quantile(0.99) }
}

/// The least of what nodes answered while partitioned, each as a share of what it answered
/// otherwise.
fn worst_node<'a>(
    ops: impl Iterator<Item = OpView<'a>>,
    partitioned: impl Fn(&OpView<'a>) -> bool,
) -> Option<f64> {
    let mut nodes: BTreeMap<&str, [(usize, usize); 2]> = BTreeMap::new();
    for op in ops {
        let Some(node) = op.invoke.node.as_deref() else { continue };
        let (asked, answered) = &mut nodes.entry(node).or_default()[usize::from(partitioned(&op))];
        *asked += 1;
        *answered += usize::from(is_answered(&op));
    }
    let rate = |(asked, answered): (usize, usize)| answered as f64 / asked as f64;
    let shares = nodes.values().filter(|[_, during]| during.0 > 0).map(|[outside, during]| {
        let usual = if outside.1 > 0 { rate(*outside) } else { 1.0 };
        rate(*during) / usual
    });
    shares.reduce(f64::min)
}

/// When somebody was answered, in order.
fn answers(history: &History) -> Vec<u64> {
    let ops = history.ops().filter(is_answered);
    let mut answers: Vec<u64> = ops.filter_map(|op| Some(op.complete?.time.0)).collect();
    answers.sort_unstable();
    answers
}

/// The longest pause between answers that is none.
fn pause(answers: &[u64]) -> u64 {
    let mut gaps: Vec<u64> = answers.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
    PAUSE_MIN_NS.max(PAUSES_USUAL * usual)
}

/// The longer pauses between answers, as far as they lie within a fault.
fn silences(answers: &[u64], begin: u64, end: u64, pause: u64) -> Vec<(f64, f64)> {
    let first = answers.partition_point(|at| *at <= begin);
    let last = answers.partition_point(|at| *at < end);
    let inner = answers[first.min(last)..last].iter().copied();
    let bounds: Vec<u64> = [begin].into_iter().chain(inner).chain([end]).collect();
    let long = bounds.windows(2).filter(|pair| pair[1] - pair[0] > pause);
    long.map(|pair| (ms(pair[0]), ms(pair[1]))).collect()
}

fn ms(ns: u64) -> f64 {
    (ns as f64 / 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letters_say_what_was_given_up() {
        let (yes, no) = (Valid::True, Valid::False);
        assert_eq!(letters(0.2, yes, yes), "PC/EC");
        assert_eq!(letters(1.0, no, no), "PA/EL");
        assert_eq!(letters(1.0, no, yes), "PA/EC");
        assert_eq!(letters(1.0, yes, yes), "PC/EC");
        assert_eq!(letters(0.2, no, Valid::Unknown), "P-/E?");
    }

    #[test]
    fn silences_lie_within_the_fault() {
        let answers: Vec<u64> = (0..10).map(|at| at * 10).chain([400, 410, 900]).collect();
        assert_eq!(silences(&answers, 50, 500, 100), [(0.0, 0.0)].map(|_| (ms(90), ms(400))));
        assert_eq!(silences(&answers, 420, 800, 100), [(ms(420), ms(800))]);
        assert!(silences(&answers, 0, 80, 100).is_empty());
    }
}
