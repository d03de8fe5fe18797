//! In which order the versions of a key came, as far as the rules tell.
//!
//! Most rules give single pairs of versions. Real time gives an order of intervals: with `f(u)`
//! the first end of a transaction that found or left `u`, and `s(v)` the last beginning of one
//! that found or left `v`, `u` came before `v` if `f(u) < s(v)`. Two versions that come before
//! each other this way are a circle; and if no two do there is no larger circle either, because
//! of a circle's versions the one with the least `f` comes before all that some other one comes
//! before. So one sort decides. (Gibbons and Korach, *Testing Shared Memories*, 1997, use the
//! same zones for single registers.)
//!
//! Together with pairs from other rules, stretches of versions become joints, and components
//! decide.

use super::Registers;
use super::key::Key;
use crate::transactions::finding::Finding;
use crate::transactions::graph::{Edges, Fan, Reasons, Why};
use crate::transactions::kind::AnomalyKind;
use crate::transactions::order::Intervals;
use crate::transactions::scc::components;
use crate::transactions::scratch::NONE;
use serde_json::{Map, json};

/// What is known of the order of a key's versions.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Pairs `u`, `v` where `u` came first. The initial version's pairs are not among them.
    pub(super) pairs: Vec<(u32, u32)>,
    /// When each version was seen, if real time orders them.
    pub(super) seen: Option<Seen>,
}

/// When versions were seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// When the first transaction that found or left it ended.
    pub(super) first_end: Vec<i64>,
    /// When the last one began.
    pub(super) last_begin: Vec<i64>,
}

/// What each session did last with the key at hand.
#[derive(Debug)]
pub(super) struct Sessions {
    key: u32,
    last: Vec<(u32, u32)>,
}

impl Sessions {
    pub(super) fn new(sessions: usize) -> Sessions {
        Sessions { key: 0, last: vec![(0, 0); sessions] }
    }

    /// The visit of this session before `visit`, which becomes the last one.
    fn replace(&mut self, session: u32, visit: u32) -> Option<u32> {
        let before = std::mem::replace(&mut self.last[session as usize], (self.key, visit));
        (before.0 == self.key).then_some(before.1)
    }
}

const INITIAL: &str = "initial-state";
const TRANSACTIONS: &str = "transaction-order";
const READS_BEFORE_WRITES: &str = "wfr-keys";
const SEQUENTIAL: &str = "sequential-keys";
const LINEARIZABLE: &str = "linearizable-keys";

/// Applies the rules in order.
pub(super) fn order(key: &Key<'_>, registers: &mut Registers, sessions: &mut Sessions) -> Order {
    let rules = registers.rules;
    let mut order = Order::default();
    let mut sources = vec![INITIAL];
    if !registers.ranks.is_empty() {
        let pairs = ranked(key, &registers.ranks);
        add(key, &mut order, &mut sources, TRANSACTIONS, Rule::Pairs(pairs), registers);
    }
    if rules.reads_before_writes {
        let pairs = reads_before_writes(key);
        add(key, &mut order, &mut sources, READS_BEFORE_WRITES, Rule::Pairs(pairs), registers);
    }
    if rules.sequential {
        let pairs = sequential(key, sessions);
        add(key, &mut order, &mut sources, SEQUENTIAL, Rule::Pairs(pairs), registers);
    }
    if rules.linearizable {
        let seen = Seen::of(key, &registers.intervals);
        add(key, &mut order, &mut sources, LINEARIZABLE, Rule::Seen(seen), registers);
    }
    order
}

enum Rule {
    Pairs(Vec<(u32, u32)>),
    Seen(Seen),
}

/// Adds a rule unless it makes a circle, which is told.
fn add(
    key: &Key<'_>,
    order: &mut Order,
    sources: &mut Vec<&'static str>,
    name: &'static str,
    rule: Rule,
    registers: &mut Registers,
) {
    let before = order.pairs.len();
    match rule {
        Rule::Pairs(pairs) => order.pairs.extend(pairs),
        Rule::Seen(seen) => order.seen = Some(seen),
    }
    sources.push(name);
    let Some(circle) = order.circle(key.versions.len()) else { return };
    tell(key, &circle, sources, registers);
    sources.pop();
    match name {
        LINEARIZABLE => order.seen = None,
        _ => order.pairs.truncate(before),
    }
}

/// Versions in the order of their writers, where that is known.
fn ranked(key: &Key<'_>, ranks: &[Option<i64>]) -> Vec<(u32, u32)> {
    let written = key.versions.iter().zip(0..).filter(|(version, _)| version.writer != NONE);
    let ranked = written.filter_map(|(version, at)| Some((ranks[version.writer as usize]?, at)));
    let mut ranked: Vec<(i64, u32)> = ranked.collect();
    ranked.sort_unstable();
    // Of equal rank nothing is known: all of one rank come before all of the next.
    let groups: Vec<&[(i64, u32)]> = ranked.chunk_by(|a, b| a.0 == b.0).collect();
    let pairs = groups.windows(2).flat_map(|two| {
        two[0].iter().flat_map(|first| two[1].iter().map(|second| (first.1, second.1)))
    });
    pairs.collect()
}

/// Who found a version and left another left the later one.
fn reads_before_writes(key: &Key<'_>) -> Vec<(u32, u32)> {
    let both = key.visits.iter().filter_map(|visit| visit.found.zip(visit.left));
    both.filter(|(found, left)| found != left).collect()
}

/// What a session found or left in one transaction comes before what it finds or leaves in the
/// next.
fn sequential(key: &Key<'_>, sessions: &mut Sessions) -> Vec<(u32, u32)> {
    sessions.key += 1;
    let mut pairs = Vec::new();
    for (at, visit) in key.visits.iter().enumerate() {
        let session = key.table.txns()[visit.txn as usize].session;
        let Some(before) = sessions.replace(session.0, at as u32) else { continue };
        let before = key.visits[before as usize];
        for first in [before.found, before.left].into_iter().flatten() {
            for second in [visit.found, visit.left].into_iter().flatten() {
                if first != second {
                    pairs.push((first, second));
                }
            }
        }
    }
    pairs
}

impl Seen {
    pub(super) fn of(key: &Key<'_>, intervals: &Intervals) -> Seen {
        let count = key.versions.len();
        let mut seen = Seen { first_end: vec![i64::MAX; count], last_begin: vec![-1; count] };
        // The initial version was there before anything began.
        seen.first_end[0] = -2;
        for visit in &key.visits {
            let (begin, end) =
                (intervals.begin[visit.txn as usize], intervals.end[visit.txn as usize]);
            for version in [visit.found, visit.left].into_iter().flatten() {
                let version = version as usize;
                if end != Intervals::NEVER {
                    let first = &mut seen.first_end[version];
                    *first = (*first).min(i64::from(end));
                }
                let last = &mut seen.last_begin[version];
                *last = (*last).max(i64::from(begin));
            }
        }
        seen
    }

    pub(super) fn precedes(&self, u: u32, v: u32) -> bool {
        u != v && self.first_end[u as usize] < self.last_begin[v as usize]
    }

    /// Two versions that come before each other.
    fn circle(&self) -> Option<Vec<u32>> {
        let mut by_end: Vec<u32> = (0..self.first_end.len() as u32).collect();
        by_end.sort_by_key(|version| self.first_end[*version as usize]);
        // Of those that ended before, the one that began last.
        let mut latest: Option<u32> = None;
        for version in by_end {
            if let Some(other) = latest
                && self.precedes(version, other)
                && self.precedes(other, version)
            {
                return Some(vec![other, version]);
            }
            let begin = |version: u32| self.last_begin[version as usize];
            if latest.is_none_or(|latest| begin(version) > begin(latest)) {
                latest = Some(version);
            }
        }
        None
    }
}

impl Order {
    /// Versions that come before each other, if any do.
    fn circle(&self, versions: usize) -> Option<Vec<u32>> {
        if let Some(seen) = &self.seen
            && let Some(circle) = seen.circle()
        {
            return Some(circle);
        }
        if self.pairs.is_empty() {
            return None;
        }
        let mut edges = Edges::between(versions);
        for (u, v) in &self.pairs {
            edges.push(*u, *v, Why::Ww);
            // The initial version comes first: what comes before it is on a circle with it.
            if *v == 0 {
                edges.push(0, *u, Why::Ww);
            }
        }
        if let Some(seen) = &self.seen {
            seen.stretches(&mut edges);
        }
        let graph = edges.into_graph();
        let split = components(&graph, Reasons::ALL);
        let (members, starts) = split.members();
        let of_versions = |bounds: &[u32]| -> Vec<u32> {
            let members = &members[bounds[0] as usize..bounds[1] as usize];
            members.iter().copied().filter(|node| (*node as usize) < versions).collect()
        };
        starts.windows(2).map(of_versions).find(|circle| circle.len() > 1)
    }
}

impl Seen {
    /// All pairs of versions in real time, as edges to stretches of them by last beginning.
    fn stretches(&self, edges: &mut Edges) {
        let mut by_begin: Vec<u32> = (0..self.last_begin.len() as u32).collect();
        let begin = |version: &u32| self.last_begin[*version as usize];
        by_begin.sort_by_key(begin);
        let mut place = vec![0; by_begin.len()];
        for (at, version) in by_begin.iter().enumerate() {
            place[*version as usize] = at;
        }
        let mut fan = Fan::over(&by_begin);
        for version in 0..by_begin.len() as u32 {
            let end = self.first_end[version as usize];
            let from = by_begin.partition_point(|other| begin(other) <= end);
            let own = Some(place[version as usize]);
            edges.push_range(version, &mut fan, from..by_begin.len(), own, Why::Ww);
        }
    }
}

fn tell(key: &Key<'_>, circle: &[u32], sources: &[&'static str], registers: &mut Registers) {
    let table = key.table;
    registers.findings.add(AnomalyKind::CyclicVersions, || {
        let names: Vec<String> =
            circle.iter().take(12).map(|version| key.value_words(*version)).collect();
        let values: Vec<serde_json::Value> = circle
            .iter()
            .map(|version| table.value_json(key.versions[*version as usize].value))
            .collect();
        let mut txns: Vec<u32> = Vec::new();
        for version in circle.iter().take(6) {
            let holds = |version: u32| {
                move |visit: &&super::key::Visit| {
                    visit.found == Some(version) || visit.left == Some(version)
                }
            };
            let writer = key.versions[*version as usize].writer;
            txns.extend((writer != NONE).then_some(writer));
            txns.extend(key.visits.iter().rfind(holds(*version)).map(|visit| visit.txn));
        }
        txns.sort_unstable();
        txns.dedup();
        let mut evidence = Map::new();
        evidence.insert("key".into(), table.key_json(key.id));
        evidence.insert("scc".into(), json!(values));
        evidence.insert("sources".into(), json!(sources));
        let shown: Vec<String> = txns.iter().take(4).map(|txn| table.who(*txn)).collect();
        Finding {
            kind: AnomalyKind::CyclicVersions,
            text: format!(
                "The versions {} of {} each come before the others by the rules {}; see {}.",
                names.join(", "),
                table.key_words(key.id),
                sources.join(", "),
                shown.join("; "),
            ),
            txns,
            evidence,
        }
    });
}
