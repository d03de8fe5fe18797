//! The four session guarantees (Terry et al., *Session Guarantees for Weakly Consistent
//! Replicated Data*, 1994), over registers with unique values.
//!
//! A session is a process. Each key's writes have one order, the same for all, which the history
//! does not tell; a guarantee holds if *some* order of each key's writes, the initial value first
//! and each session's own writes in their order, has all that the guarantee demands:
//!
//! * *read your writes*: what a session reads is no older than what it wrote before;
//! * *monotonic reads*: what it reads is no older than what it read before;
//! * *monotonic writes*: who has read a write does not later read anything older than what its
//!   session had written before it, on any key;
//! * *writes follow reads*: a write is newer than what its session had last read of that key; and
//!   who has read the write does not later read anything older than what its session had last
//!   read before it, on any key. Of several writes of one session the latest counts.
//!
//! Each demand says that one write of a key is older than another, so a guarantee is broken
//! exactly when these make a circle, or put a write before the initial value. Monotonic reads
//! alone do not ask sessions' own writes to be in their order. The four together are checked as
//! well: their demands may contradict each other where none contradicts itself.
//!
//! *Assumptions*: values of a key are written once each. A read of a value that nobody wrote, or
//! whose write failed, and a value that was written twice, make the verdict "unknown". Crashed
//! writes count as soon as somebody has read them. `delete` writes nothing that can be told from
//! the initial value, so it is not known here.
//!
//! *Cost*: O(n) for the first two, O(n · sessions) for the others, in two passes; memory for what
//! is demanded of versions that were not taken in the order of their invocations.

mod cycle;
mod demand;
mod observe;

use crate::history::History;
use crate::verdict::{Anomaly, CheckerReport, Valid};
use cycle::Graph;
use demand::{Demand, Guarantee};
use observe::Sessions;
use std::collections::BTreeMap;

/// At most so many circles of one guarantee are explained.
const EXPLAINED_MAX: usize = 4;

/// The name of the four together, as a model.
pub const ALL_FOUR: &str = "session-guarantees";

/// The guarantees as models, the four together first, with what each means.
pub const MODELS: [(&str, &str); 5] = [
    (ALL_FOUR, "the four together, by one order of the writes of each key"),
    ("read-your-writes", "what a session reads is no older than what it wrote"),
    ("monotonic-reads", "what a session reads is no older than what it read"),
    ("monotonic-writes", "who sees a write sees what its session wrote before"),
    ("writes-follow-reads", "who sees a write sees what its session had read before"),
];

/// The guarantee of this name, in any case.
pub fn model(name: &str) -> Option<&'static str> {
    let mut names = MODELS.iter().map(|(known, _)| *known);
    names.find(|known| known.eq_ignore_ascii_case(name))
}

/// Checks these guarantees alone, by the names in [`MODELS`].
pub fn check_only(history: &History, names: &[&str]) -> CheckerReport {
    let mut report = check(history);
    if names.contains(&ALL_FOUR) || report.valid == Valid::Unknown {
        return report;
    }
    report.models.retain(|name, _| names.contains(&name.as_str()));
    report.anomalies.retain(|anomaly| names.contains(&anomaly.kind.as_str()));
    report.valid = report.models.values().copied().fold(Valid::True, Valid::and);
    report.why = report.anomalies.first().map(|anomaly| {
        let broken = report.models.iter().filter(|(_, valid)| **valid == Valid::False);
        let broken: Vec<&str> = broken.map(|(name, _)| name.as_str()).collect();
        format!("not {}: {}", broken.join(", not "), anomaly.explanation)
    });
    report
}

/// Checks the session guarantees of a history of reads and writes.
pub fn check(history: &History) -> CheckerReport {
    let sessions = match Sessions::of(history) {
        Ok(sessions) => sessions,
        Err(why) => return CheckerReport::unknown(why),
    };
    let demands = demand::all(&sessions);
    let mut models = BTreeMap::new();
    let mut anomalies = Vec::new();
    let mut details = serde_json::Map::new();
    details.insert("sessions".into(), sessions.len().into());
    details.insert("reads".into(), sessions.reads().into());
    details.insert("writes".into(), sessions.writes().into());
    let mut broken = Vec::new();
    for guarantee in Guarantee::ALL {
        let circles = circles(&sessions, &demands, |demand| demand.is_of(guarantee));
        let valid = if circles.is_empty() { Valid::True } else { Valid::False };
        models.insert(guarantee.name().to_owned(), valid);
        details.insert(guarantee.name().into(), circles.len().into());
        if !circles.is_empty() {
            broken.push(guarantee.name());
        }
        let explained = circles.iter().take(EXPLAINED_MAX);
        anomalies.extend(explained.map(|circle| anomaly(guarantee.name(), &sessions, circle)));
    }
    if broken.is_empty() {
        let circles = circles(&sessions, &demands, |_| true);
        if let Some(circle) = circles.first() {
            broken.push(ALL_FOUR);
            anomalies.push(anomaly(ALL_FOUR, &sessions, circle));
        }
    }
    let valid = if broken.is_empty() { Valid::True } else { Valid::False };
    models.insert(ALL_FOUR.to_owned(), valid);
    let first = anomalies.first().map_or("", |anomaly| anomaly.explanation.as_str());
    let why = (valid == Valid::False).then(|| format!("not {}: {first}", broken.join(", not ")));
    CheckerReport { valid, why, details, anomalies, models }
}

/// The circles that these demands make, one a key at most, each as its demands in order.
fn circles<'a>(
    sessions: &Sessions<'_>,
    demands: &'a [Demand],
    chosen: impl Fn(&Demand) -> bool,
) -> Vec<Vec<&'a Demand>> {
    let edges = (0..).zip(demands).filter(|(_, demand)| chosen(demand));
    let edges = edges.map(|(number, demand)| (demand.older, demand.newer, number)).collect();
    let circles = Graph::new(sessions.versions(), edges).cycles(|version| sessions.key_of(version));
    circles.into_iter().map(|circle| circle.into_iter().map(|n| &demands[n]).collect()).collect()
}

fn anomaly(name: &str, sessions: &Sessions<'_>, circle: &[&Demand]) -> Anomaly {
    let mut ops: Vec<crate::history::OpIndex> =
        circle.iter().flat_map(|demand| demand.because.iter().flatten().copied()).collect();
    ops.sort_unstable();
    ops.dedup();
    Anomaly {
        kind: name.to_owned(),
        checker: "session".to_owned(),
        explanation: demand::explain(sessions, circle),
        ops,
        evidence: serde_json::Map::new(),
    }
}
