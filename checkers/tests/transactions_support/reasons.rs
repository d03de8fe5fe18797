//! Why our verdict on a case differs from Elle's, checked against the history itself.
//!
//! A reason is a fact of the history, which the listed cases must have, and it accounts for the
//! difference: what only Elle reports goes through a key that the fact is about or is implied by
//! what we report; what only we report is that fact or a cycle, each of whose steps is looked up
//! in the history by the definitions alone.

use super::Case;
use quorate_checkers::history::{EventType, History, OpView, Process};
use quorate_checkers::transactions::{AnomalyKind, Workload};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::{Anomaly, CheckerReport};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// What one transaction did.
#[derive(Debug)]
struct Txn {
    /// The events of its invocation and completion.
    begin: u32,
    end: Option<u32>,
    kind: EventType,
    process: Process,
    ops: Vec<Op>,
}

/// A micro-operation, its key and value as JSON text.
#[derive(Debug)]
struct Op {
    read: bool,
    key: String,
    /// What was read, element by element, or what was written.
    values: Vec<String>,
    known: bool,
}

pub(crate) struct Facts {
    lists: bool,
    txns: Vec<Txn>,
}

fn text(value: &Value) -> String {
    json_text(&Json::from(value))
}

fn json_text(value: &Json) -> String {
    value.to_string()
}

fn txn(op: &OpView<'_>) -> Txn {
    let asked = op.input().as_list().map(<[Value]>::len);
    let told = op.complete.map(|event| &event.value);
    let same = |value: &&Value| value.as_list().map(<[Value]>::len) == asked;
    let value = told.filter(same).unwrap_or(op.input());
    let ok = op.outcome == EventType::Ok;
    let parse = |item: &Value| {
        let parts = item.as_list().unwrap_or_default();
        let read = parts[0].as_str() == Some("r");
        let values = match parts.get(2) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => items.iter().map(text).collect(),
            Some(one) => vec![text(one)],
        };
        let known = ok || !values.is_empty();
        Op { read, key: text(&parts[1]), values, known }
    };
    Txn {
        begin: op.invoke.index.0,
        end: op.complete.map(|event| event.index.0),
        kind: op.outcome,
        process: op.process(),
        ops: value.as_list().unwrap_or_default().iter().map(parse).collect(),
    }
}

impl Txn {
    fn writes<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let writes = self.ops.iter().filter(move |op| !op.read && op.key == key);
        writes.flat_map(|op| &op.values).map(String::as_str)
    }

    fn wrote(&self, key: &str, value: &str) -> bool {
        self.writes(key).any(|written| written == value)
    }

    fn reads<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a [String]> {
        let reads = self.ops.iter().filter(move |op| op.read && op.known && op.key == key);
        reads.map(|op| &op.values[..])
    }

    /// Whether it found or left a register at this value; `null` is the initial one.
    fn saw(&self, key: &str, value: &str) -> bool {
        let read = |seen: &[String]| seen.last().map_or("null", String::as_str) == value;
        self.wrote(key, value) || self.reads(key).any(read)
    }
}

impl Facts {
    pub(crate) fn of(history: &History, workload: Workload) -> Facts {
        let txns = history.ops().map(|op| txn(&op)).collect();
        Facts { lists: workload == Workload::Append, txns }
    }

    fn ok(&self) -> impl Iterator<Item = &Txn> {
        self.txns.iter().filter(|txn| txn.kind == EventType::Ok)
    }

    fn keys(&self) -> BTreeSet<&str> {
        self.txns.iter().flat_map(|txn| &txn.ops).map(|op| op.key.as_str()).collect()
    }

    fn keys_where(&self, holds: impl Fn(&str) -> bool) -> BTreeSet<String> {
        self.keys().into_iter().filter(|key| holds(key)).map(str::to_owned).collect()
    }

    /// The keys about which a reason says something; none if it is not true of this history.
    fn about(&self, reason: &str, case: &Case, report: &CheckerReport) -> BTreeSet<String> {
        match reason {
            "garbage" => self.keys_where(|key| self.ok().any(|txn| self.reads_garbage(txn, key))),
            "future" => self.keys_where(|key| self.ok().any(|txn| reads_future(txn, key))),
            "own-order" => {
                self.keys_where(|key| self.txns.iter().any(|txn| self.disordered(txn, key)))
            }
            "contradicted" => self.keys_where(|key| self.contradicted(key)),
            "crashed" => self.keys_where(|key| {
                let crashed = self.txns.iter().filter(|txn| txn.kind == EventType::Info);
                crashed.flat_map(|txn| txn.writes(key)).any(|value| self.is_read(key, value))
            }),
            "intermediate" => self.keys_where(|key| {
                self.txns.iter().any(|txn| {
                    let written: Vec<&str> = txn.writes(key).collect();
                    let early = &written[..written.len().saturating_sub(1)];
                    early.iter().any(|value| self.is_read(key, value))
                })
            }),
            "nil" => self.keys_where(|key| {
                self.ok().any(|txn| {
                    let first = txn.ops.iter().find(|op| op.key == key);
                    let nil = first.is_some_and(|op| op.read && op.values.is_empty());
                    nil && txn.writes(key).next().is_some()
                }) && tells_circle(report, key)
            }),
            "rule" => {
                let circular = &case.cycles["cyclic-versions"];
                let circular = circular.as_array().map_or(&[][..], Vec::as_slice);
                let key_is = |key: &str| circular.iter().any(|one| json_text(&one["key"]) == key);
                self.keys_where(|key| !circular.is_empty() && !key_is(key))
            }
            "both-ways" => self.keys_where(|key| self.both_ways(report, key)),
            "nothing" if self.is_independent() => self.keys_where(|_| true),
            "shown" | "other-cycle" => self.keys_where(|_| true),
            _ => BTreeSet::new(),
        }
    }

    fn is_read(&self, key: &str, value: &str) -> bool {
        self.ok().any(|txn| txn.reads(key).flatten().any(|seen| seen == value))
    }

    fn reads_garbage(&self, txn: &Txn, key: &str) -> bool {
        let wrote = |value: &str| self.txns.iter().any(|other| other.wrote(key, value));
        txn.reads(key).flatten().any(|value| !wrote(value))
    }

    /// Whether a read shows two of its appends the wrong way round, or only the later one.
    fn disordered(&self, txn: &Txn, key: &str) -> bool {
        let written: Vec<&str> = txn.writes(key).collect();
        let place = |list: &[String], value: &str| list.iter().position(|seen| seen == value);
        let wrong = |list: &[String]| {
            written.windows(2).any(|two| {
                let (first, second) = (place(list, two[0]), place(list, two[1]));
                second.is_some() && (first.is_none() || first > second)
            })
        };
        self.ok().any(|reader| reader.reads(key).any(wrong))
    }

    /// Whether two lists that were read disagree, or one has an element twice.
    fn contradicted(&self, key: &str) -> bool {
        let lists: Vec<&[String]> = self.txns.iter().flat_map(|txn| txn.reads(key)).collect();
        let twice = |list: &&[String]| list.iter().collect::<BTreeSet<_>>().len() < list.len();
        let disagree = |a: &[String], b: &[String]| a.iter().zip(b).any(|(a, b)| a != b);
        self.lists
            && (lists.iter().any(twice)
                || lists.iter().any(|a| lists.iter().any(|b| disagree(a, b))))
    }

    /// Transactions that committed, by their outcome or because they were seen.
    fn committed(&self) -> impl Iterator<Item = &Txn> {
        let seen = |txn: &Txn| {
            let mut writes = txn.ops.iter().filter(|op| !op.read);
            writes.any(|op| op.values.iter().any(|value| self.is_read(&op.key, value)))
        };
        let counts = move |txn: &&Txn| match txn.kind {
            EventType::Ok => true,
            EventType::Info => seen(txn),
            _ => false,
        };
        self.txns.iter().filter(counts)
    }

    /// Whether nobody that committed read or appended to what another one wrote.
    fn is_independent(&self) -> bool {
        let touches = |txn: &Txn, key: &str| {
            let mut ops = txn.ops.iter().filter(|op| op.key == key);
            ops.any(|op| op.read && op.known || !op.read && self.lists)
        };
        let pairs = self.committed().flat_map(|a| self.committed().map(move |b| (a, b)));
        let mut others = pairs.filter(|(a, b)| a.begin != b.begin);
        let depends = |a: &Txn, b: &Txn| a.ops.iter().any(|op| !op.read && touches(b, &op.key));
        !others.any(|(a, b)| depends(a, b))
    }

    /// Whether of two versions that are said to be in a circle each was seen before the other.
    fn both_ways(&self, report: &CheckerReport, key: &str) -> bool {
        circles(report, key).into_iter().any(|values| {
            values.iter().any(|u| {
                values.iter().any(|v| u < v && self.in_time(key, u, v) && self.in_time(key, v, u))
            })
        })
    }

    /// Whether one that saw `u` ended before one that saw `v` began.
    fn in_time(&self, key: &str, u: &str, v: &str) -> bool {
        let ends = self.ok().filter(|txn| txn.saw(key, u)).filter_map(|txn| txn.end).min();
        let begins = self.committed().filter(|txn| txn.saw(key, v)).map(|txn| txn.begin).max();
        u == "null" || ends.is_some() && ends < begins
    }

    /// Whether the rules that a case asks for put `u` before `v`.
    fn ordered(&self, case: &Case, key: &str, u: &str, v: &str) -> bool {
        let rules = case.options.keys;
        let both = |txn: &Txn| {
            let found = txn.reads(key).any(|seen| seen.last().map(String::as_str) == Some(u));
            found && txn.wrote(key, v)
        };
        let in_session = || {
            let mut sessions: BTreeMap<String, Vec<&Txn>> = BTreeMap::new();
            for txn in self.committed().filter(|txn| txn.ops.iter().any(|op| op.key == key)) {
                sessions.entry(txn.process.to_string()).or_default().push(txn);
            }
            let mut pairs = sessions.values().flat_map(|txns| txns.windows(2));
            pairs.any(|two| two[0].saw(key, u) && two[1].saw(key, v))
        };
        u == "null"
            || rules.reads_before_writes && self.committed().any(both)
            || rules.sequential && in_session()
            || rules.linearizable && self.in_time(key, u, v)
    }

    /// Whether a step of a cycle is in the history.
    fn holds(&self, case: &Case, a: &Txn, b: &Txn, step: &Json) -> bool {
        let field = |name: &str| step.get(name).map_or("null".to_owned(), Json::to_string);
        let (key, u, v) = (field("key"), field("value"), field("value'"));
        let shows = |list: &[String], value: &str| list.iter().any(|seen| seen == value);
        let place = |list: &[String], value: &str| list.iter().position(|seen| seen == value);
        let before = |list: &[String]| {
            let (first, second) = (place(list, &u), place(list, &v));
            first.is_some() && (second.is_none() || first < second)
        };
        match step["type"].as_str().unwrap_or_default() {
            "process" => a.process == b.process && a.end.is_some_and(|end| end < b.begin),
            "realtime" => a.kind == EventType::Ok && a.end.is_some_and(|end| end < b.begin),
            "wr" => a.wrote(&key, &u) && b.reads(&key).any(|list| shows(list, &u)),
            "ww" if self.lists => {
                let mut lists = self.committed().flat_map(|txn| txn.reads(&key));
                a.wrote(&key, &u) && b.wrote(&key, &v) && lists.any(before)
            }
            "rw" if self.lists => b.wrote(&key, &v) && a.reads(&key).any(|list| !shows(list, &v)),
            "ww" => a.wrote(&key, &u) && b.wrote(&key, &v) && self.ordered(case, &key, &u, &v),
            "rw" => {
                a.saw(&key, &u) && b.wrote(&key, &v) && u != v && self.ordered(case, &key, &u, &v)
            }
            _ => false,
        }
    }

    fn by_event(&self, event: &Json) -> Option<&Txn> {
        let event = u32::try_from(event.as_u64()?).ok()?;
        self.txns.iter().find(|txn| txn.end == Some(event) || txn.begin == event)
    }

    /// Whether an anomaly is a cycle, each of whose steps is in the history.
    fn verified(&self, case: &Case, anomaly: &Anomaly) -> bool {
        let list = |name: &str| anomaly.evidence.get(name).and_then(Json::as_array);
        let (Some(cycle), Some(steps)) = (list("cycle"), list("steps")) else { return false };
        cycle.len() == steps.len() + 1
            && steps.iter().zip(cycle.windows(2)).all(|(step, ends)| {
                let ends = (self.by_event(&ends[0]), self.by_event(&ends[1]));
                matches!(ends, (Some(a), Some(b)) if self.holds(case, a, b, step))
            })
    }

    /// Whether a cycle of ours depends on what a reason says.
    fn uses(&self, reason: &str, keys: &BTreeSet<String>, anomaly: &Anomaly) -> bool {
        let steps = anomaly.evidence.get("steps").and_then(Json::as_array);
        let cycle = anomaly.evidence.get("cycle").and_then(Json::as_array);
        match reason {
            "crashed" => {
                let crashed =
                    |event| self.by_event(event).is_some_and(|t| t.kind == EventType::Info);
                cycle.is_some_and(|cycle| cycle.iter().any(crashed))
            }
            "intermediate" => steps.is_some_and(|steps| {
                steps
                    .iter()
                    .any(|step| step["type"] == "wr" && keys.contains(&step["key"].to_string()))
            }),
            // A step by a rule, which the initial version needs none for.
            "rule" => steps.is_some_and(|steps| {
                steps.iter().any(|step| {
                    let by_rule = ["ww", "rw"].iter().any(|kind| step["type"] == **kind);
                    by_rule && !step["value"].is_null() && keys.contains(&step["key"].to_string())
                })
            }),
            _ => true,
        }
    }
}

/// Whether a transaction read from a register what it wrote only later.
fn reads_future(txn: &Txn, key: &str) -> bool {
    txn.ops.iter().enumerate().any(|(at, op)| {
        let later = |value: &String| {
            txn.ops[at..].iter().any(|op| !op.read && op.key == key && op.values[0] == *value)
        };
        op.read && op.key == key && op.values.iter().any(later)
    })
}

/// The versions of a key that are said to come before each other.
fn circles(report: &CheckerReport, key: &str) -> Vec<Vec<String>> {
    let about = |anomaly: &&Anomaly| {
        anomaly.kind == "cyclic-versions" && json_text(&anomaly.evidence["key"]) == key
    };
    let values = |anomaly: &Anomaly| {
        anomaly.evidence["scc"].as_array().into_iter().flatten().map(Json::to_string).collect()
    };
    report.anomalies.iter().filter(about).map(values).collect()
}

fn tells_circle(report: &CheckerReport, key: &str) -> bool {
    circles(report, key).iter().any(|values| values.iter().any(|value| value == "null"))
}

/// The anomaly that a reason itself is, if it is one.
fn direct(reason: &str) -> &'static [&'static str] {
    match reason {
        "garbage" => &["garbage-read"],
        "future" => &["future-read"],
        "own-order" => &["incompatible-order"],
        "nil" | "both-ways" => &["cyclic-versions"],
        _ => &[],
    }
}

/// What is wrong with the reasons given for a difference; empty if they are true and account for
/// all of it.
pub(crate) fn wrong(case: &Case, report: &CheckerReport, reasons: &[&str]) -> String {
    let facts = Facts::of(&case.history, case.options.workload.expect("a workload"));
    let mut keys: BTreeSet<String> = BTreeSet::new();
    let mut wrong = Vec::new();
    for reason in reasons {
        let about = facts.about(reason, case, report);
        if about.is_empty() {
            wrong.push(format!("{reason} is not true"));
        }
        keys.extend(about);
    }
    let ours: BTreeSet<&str> = report.anomalies.iter().map(|a| a.kind.as_str()).collect();
    let implied = |kind: &str| {
        let kind = AnomalyKind::from_name(kind).expect("a kind");
        let implies = |name: &&str| AnomalyKind::from_name(name).expect("a kind").implies();
        ours.iter().map(implies).any(|kinds| kinds.contains(kind))
    };
    for gone in case.expected.types.iter().filter(|kind| !ours.contains(kind.as_str())) {
        let through = |cycle: &Json| {
            let mut steps = cycle["steps"].as_array().into_iter().flatten();
            steps.any(|step| keys.contains(&step["key"].to_string()))
        };
        let mut cycles = case.cycles[gone].as_array().into_iter().flatten();
        let explained = reasons.iter().any(|reason| !matches!(*reason, "shown" | "other-cycle"));
        let exists = gone.ends_with("-cycle-exists");
        if !(exists || implied(gone) || explained && cycles.all(through)) {
            wrong.push(format!("{gone} is not explained"));
        }
    }
    for anomaly in report.anomalies.iter().filter(|a| !case.expected.types.contains(&a.kind)) {
        let direct = reasons.iter().any(|reason| direct(reason).contains(&&*anomaly.kind));
        let uses = reasons.iter().any(|reason| facts.uses(reason, &keys, anomaly));
        if !(direct || uses && facts.verified(case, anomaly)) {
            wrong.push(format!("{} is not explained: {}", anomaly.kind, anomaly.explanation));
        }
    }
    wrong.join("; ")
}
