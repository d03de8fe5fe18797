//! Sets, element by element: is what was added there, is what was removed gone, and where?
//!
//! `add` puts an element into the set of its key, `read` returns the whole set, `remove` takes an
//! element out. After the idea of Jepsen's `set-full`, with two differences: nodes are looked at
//! one by one, since an element on one node of five must not count as kept because that node
//! happened to be read last; and removes are judged.
//!
//! An element is *known* from the moment at which its add was acknowledged, or a read that has it
//! returned. Its fate at a node is decided by the last read there that began after that; where
//! the history has a final phase, by the last read of it. Then an element is
//!
//! * `stable`: every node that tells has it (with the time until no read missed it any more),
//! * `stale`: stable, but some read missed it after it was known,
//! * `missing`: some nodes have it and others do not: an anomaly,
//! * `lost`: no node that tells has it, though its add was acknowledged or it was read: an anomaly,
//! * `removed`: a remove was acknowledged and it is gone; `resurrected`: and it is there, with
//!   nobody having added it since: an anomaly,
//! * `recovered`: stable, though nobody knew whether its add happened,
//! * `never-read`: no read tells,
//! * `undecided`: missing, lost or resurrected by what was read last, which an eventually
//!   consistent store may still set right.
//!
//! That it may not is said by the final phase. A history without one, and without the names of
//! nodes, is taken for that of Jepsen's `set` test where its last operations on a key are reads
//! that began after all adds and removes were over: these are the final reads, and what all of them
//! miss is lost. Any other history leaves such elements undecided.
//!
//! Elements that nobody added (`unexpected`) and that a read holds twice (`duplicated`) are
//! anomalies too. Elements are assumed to be added once: where one is added again after its
//! remove, its fate is not judged. Cost: linear in what reads return, times a logarithm.

mod element;
mod fate;

use crate::history::{EventType, History, KeyGroup, OpView};
use crate::value::Value;
use crate::verdict::{Anomaly, CheckerReport, Valid};
use crate::{final_phase, final_phase::quantiles_ms};
use element::Element;
use fate::{Fate, Judged};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde_json::json;
use std::collections::BTreeMap;

/// At most so many anomalies of one kind are explained; all are counted.
const EXPLAINED_MAX: usize = 8;

/// One key's reads and elements.
struct Set<'a> {
    key: Option<&'a Value>,
    /// Successful reads in the order of their invocations.
    reads: Vec<Read<'a>>,
    elements: Vec<Element<'a>>,
    /// Elements by value.
    numbers: HashMap<&'a Value, usize, FxBuildHasher>,
    /// Elements that a read holds more than once, with the read.
    twice: Vec<(usize, usize)>,
    finality: Finality,
}

/// From where on reads must tell what will stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finality {
    /// By the final phase, with the last read at each node.
    Phase,
    /// By all reads that follow all else, from this one on.
    LastReads(usize),
    /// Nothing tells.
    Nowhere,
}

/// A successful read.
struct Read<'a> {
    op: OpView<'a>,
    /// The node that answered; empty where it is not told.
    node: &'a str,
    /// Whether it may decide an element's fate.
    last_word: bool,
    /// Whether it belongs to the final phase.
    after_healing: bool,
}

/// What was counted over all keys.
#[derive(Default)]
struct Tally {
    fates: BTreeMap<&'static str, u64>,
    attempts: u64,
    unread_lists: u64,
    /// The first element that stays undecided, in words.
    undecided: Option<String>,
    stable_latencies: Vec<u64>,
    worst: Vec<(u64, String)>,
    missing_at: BTreeMap<String, u64>,
    anomalies: Vec<Anomaly>,
    explained: BTreeMap<String, usize>,
}

/// Checks every set of a history.
pub fn check(history: &History) -> CheckerReport {
    let begin = final_phase::begin(history).map(|event| event.index);
    let mut tally = Tally::default();
    let partition = history.by_key();
    for group in partition.groups() {
        let set = Set::new(&group, begin, &mut tally);
        set.judge(&mut tally);
    }
    tally.report()
}

impl<'a> Set<'a> {
    fn new(
        group: &KeyGroup<'a>,
        begin: Option<crate::history::OpIndex>,
        tally: &mut Tally,
    ) -> Set<'a> {
        let numbers = HashMap::default();
        let (reads, elements, twice) = (Vec::new(), Vec::new(), Vec::new());
        let finality = Finality::Nowhere;
        let mut set = Set { key: group.key, reads, elements, numbers, twice, finality };
        for op in group.ops() {
            match (op.f().as_str(), op.outcome) {
                ("add", _) => {
                    tally.attempts += 1;
                    let number = set.number(op.input());
                    set.elements[number].added(op);
                }
                ("remove", outcome) if outcome != EventType::Fail => {
                    let number = set.number(op.input());
                    set.elements[number].removed(op);
                }
                _ => {}
            }
        }
        for op in group.ops().filter(|op| op.f().as_str() == "read") {
            let Some(value) = op.output() else { continue };
            match value.as_list() {
                Some(list) => set.read(op, list, begin),
                None if *value == Value::Null => set.read(op, &[], begin),
                None => tally.unread_lists += 1,
            }
        }
        set.finality = match begin {
            Some(_) => Finality::Phase,
            None => last_reads(group, &set.reads),
        };
        set
    }

    fn number(&mut self, value: &'a Value) -> usize {
        let (next, elements) = (self.elements.len(), &mut self.elements);
        *self.numbers.entry(value).or_insert_with(|| {
            elements.push(Element::new(value));
            next
        })
    }

    fn read(&mut self, op: OpView<'a>, list: &'a [Value], begin: Option<crate::history::OpIndex>) {
        let read = self.reads.len();
        let after_healing = begin.is_some_and(|begin| op.invoke.index > begin);
        let last_word = begin.is_none() || after_healing;
        self.reads.push(Read { op, node: final_phase::node(&op), last_word, after_healing });
        for value in list {
            let number = self.number(value);
            if self.elements[number].read_by.last() == Some(&read) {
                self.twice.push((number, read));
            } else {
                self.elements[number].seen(read, op);
            }
        }
    }

    fn judge(&self, tally: &mut Tally) {
        let mut by_node: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (number, read) in self.reads.iter().enumerate() {
            by_node.entry(read.node).or_default().push(number);
        }
        for element in &self.elements {
            let judged = fate::judge(element, &self.reads, &by_node, self.finality);
            tally.count(self, element, &judged);
        }
        for (number, read) in &self.twice {
            let (element, read) = (&self.elements[*number], &self.reads[*read]);
            let explanation = format!(
                "A read{}{} returned {} more than once.",
                final_phase::of_key(self.key),
                final_phase::at(read.node),
                element.value
            );
            tally.anomaly("duplicated-element", explanation, &[read.op]);
        }
    }
}

/// Which reads are final in a history without a final phase.
fn last_reads(group: &KeyGroup<'_>, reads: &[Read<'_>]) -> Finality {
    let named = |op: OpView<'_>| op.invoke.node.is_some();
    if group.ops().any(named) {
        return Finality::Nowhere;
    }
    let changes = group.ops().filter(|op| op.f().as_str() != "read");
    let over = changes.map(|op| op.complete.unwrap_or(op.invoke).index).max();
    let first = reads.partition_point(|read| Some(read.op.invoke.index) <= over);
    if first < reads.len() { Finality::LastReads(first) } else { Finality::Nowhere }
}

impl Tally {
    fn count(&mut self, set: &Set<'_>, element: &Element<'_>, judged: &Judged) {
        let fate = judged.fate;
        *self.fates.entry(fate.name()).or_default() += 1;
        if let Some(latency) = judged.latency {
            self.stable_latencies.push(latency);
            if latency > 0 {
                *self.fates.entry("stale").or_default() += 1;
                let key = set.key.map_or_else(String::new, |key| final_phase::key_text(key) + " ");
                self.worst.push((latency, format!("{key}{}", element.value)));
            }
        }
        for node in &judged.absent {
            if matches!(fate, Fate::Missing | Fate::Lost) {
                *self.missing_at.entry((*node).to_owned()).or_default() += 1;
            }
        }
        if fate == Fate::Undecided && self.undecided.is_none() {
            self.undecided = Some(fate::doubt(set.key, element, judged));
        }
        if let Some(kind) = fate.anomaly() {
            let ops = fate::evidence(element, judged, &set.reads);
            self.anomaly(kind, fate::explain(set.key, element, judged), &ops);
        }
    }

    fn anomaly(&mut self, kind: &str, explanation: String, ops: &[OpView<'_>]) {
        let explained = self.explained.entry(kind.to_owned()).or_default();
        *explained += 1;
        if *explained > EXPLAINED_MAX {
            return;
        }
        self.anomalies.push(Anomaly {
            kind: kind.to_owned(),
            checker: "set".to_owned(),
            explanation,
            ops: ops.iter().map(|op| op.invoke.index).collect(),
            evidence: serde_json::Map::new(),
        });
    }

    fn report(mut self) -> CheckerReport {
        self.stable_latencies.sort_unstable();
        self.worst.sort_unstable_by(|a, b| b.cmp(a));
        self.worst.truncate(EXPLAINED_MAX);
        let mut details = serde_json::Map::new();
        details.insert("attempts".into(), self.attempts.into());
        for fate in Fate::ALL {
            let count = self.fates.get(fate.name()).copied().unwrap_or(0);
            details.insert(fate.name().into(), count.into());
        }
        let stale = self.fates.get("stale").copied().unwrap_or(0);
        details.insert("stale".into(), stale.into());
        details.insert("duplicated".into(), json!(self.explained.get("duplicated-element")));
        details.insert("stable_latency_ms".into(), quantiles_ms(&self.stable_latencies));
        let worst = |(latency, what): &(u64, String)| json!([what, *latency as f64 / 1e6]);
        details.insert("worst_stale_ms".into(), self.worst.iter().map(worst).collect());
        details.insert("missing_at".into(), json!(self.missing_at));
        let (valid, why) = self.conclude();
        CheckerReport { valid, why, details, anomalies: self.anomalies, models: BTreeMap::new() }
    }

    fn conclude(&self) -> (Valid, Option<String>) {
        let kinds: Vec<String> =
            self.explained.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        if let Some(first) = self.anomalies.first() {
            let why = format!("{}: {}", kinds.join(", "), first.explanation);
            return (Valid::False, Some(why));
        }
        if self.unread_lists > 0 {
            let reads = if self.unread_lists == 1 { "read" } else { "reads" };
            let why = format!("{} {reads} returned something that is no list", self.unread_lists);
            return (Valid::Unknown, Some(why));
        }
        if let Some(first) = &self.undecided {
            let more = match self.fates.get(Fate::Undecided.name()) {
                None | Some(1) => String::new(),
                Some(count) => format!(" So it is for {} more.", count - 1),
            };
            return (Valid::Unknown, Some(format!("{first}{more}")));
        }
        let told = ["stable", "removed", "recovered"];
        if told.iter().all(|fate| !self.fates.contains_key(fate)) {
            let why = "no read tells the fate of any element".to_owned();
            return (Valid::Unknown, Some(why));
        }
        (Valid::True, None)
    }
}
