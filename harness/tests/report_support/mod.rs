//! Histories to report on: a small register simulated from a seed, with faults, crashed
//! operations and, if wanted, a stale read.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use quorate::messages::{Fate, Message, WRITTEN_MAX, choose};
use quorate::plan::{Disk, Limits, Plan};
use quorate::report::{LogLine, Sources, StatusLine, render};
use quorate_checkers::history::{Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::linearizable::{self, ModelKind, Options};
use quorate_checkers::stats;
use quorate_checkers::value::{Name, Value};
use quorate_checkers::verdict::Verdict;
use quorate_targets::node::{NodeId, Status};
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

pub(crate) const THREADS: usize = 10;

pub(crate) fn plan() -> Plan {
    Plan {
        version: "0.1.0".into(),
        command: "quorate run raft-kv --workload register --seed 7".into(),
        target: "raft-kv".into(),
        workload: "register".into(),
        nodes: 5,
        concurrency: THREADS,
        rate: 500.0,
        time_limit: Duration::from_secs(20),
        nemesis: vec!["partition".into(), "kill".into(), "pause".into()],
        nemesis_interval: Duration::from_secs(4),
        seed: Seed(7),
        bugs: Vec::new(),
        target_options: BTreeMap::new(),
        workload_options: BTreeMap::new(),
        disk: Disk::Lazy,
        limits: Limits::default(),
        schedule: Vec::new(),
        weather: None,
        clients_only: false,
        script: None,
        fail_fast: false,
    }
}

/// How a history is made.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) seed: u64,
    pub(crate) operations: usize,
    pub(crate) keys: i64,
    /// The operation whose read is stale; none if it is beyond the last.
    pub(crate) stale_after: usize,
}

/// An operation that a thread has under way.
struct Open {
    process: u64,
    f: &'static str,
    key: usize,
    value: Value,
    kind: EventType,
    node: Name,
}

struct World {
    rng: ChaCha8Rng,
    events: Vec<Event>,
    values: Vec<i64>,
    older: Vec<i64>,
    next_value: i64,
    stale_after: usize,
    stale_done: bool,
    done: usize,
}

pub(crate) fn history(shape: Shape) -> History {
    let mut world = World {
        rng: Seed(shape.seed).stream("report test"),
        events: Vec::new(),
        values: vec![0; shape.keys as usize],
        older: vec![0; shape.keys as usize],
        next_value: 1,
        stale_after: shape.stale_after,
        stale_done: false,
        done: 0,
    };
    let nodes: Vec<Name> = (1..=5).map(|n| Name::from(format!("n{n}"))).collect();
    let mut processes: Vec<u64> = (0..THREADS as u64).collect();
    let mut open: Vec<Option<Open>> = (0..THREADS).map(|_| None).collect();
    let mut queue: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    for thread in 0..THREADS {
        queue.push(Reverse((world.rng.random_range(0..5_000_000), thread)));
    }
    let mut started = 0;
    while let Some(Reverse((time, thread))) = queue.pop() {
        nemesis(&mut world, time);
        if let Some(ended) = open[thread].take() {
            if ended.kind == EventType::Info {
                processes[thread] += THREADS as u64;
            }
            world.complete(time, ended);
            let pause = world.rng.random_range(1_000..12_000_000);
            queue.push(Reverse((time + pause, thread)));
        } else if started < shape.operations {
            started += 1;
            let next = world.invoke(time, processes[thread], nodes[thread % 5].clone(), shape.keys);
            let latency = match next.kind {
                EventType::Info => 1_000_000_000,
                _ => 400_000u64 << world.rng.random_range(0..6),
            };
            let latency = latency + world.rng.random_range(0..400_000);
            open[thread] = Some(next);
            queue.push(Reverse((time + latency, thread)));
        }
    }
    History::from_events(world.events).unwrap()
}

impl World {
    fn record(&mut self, time: u64, process: Process, kind: EventType, f: &str) -> &mut Event {
        self.events.push(Event {
            index: OpIndex(self.events.len() as u32),
            time: Nanos(time),
            process,
            kind,
            f: f.into(),
            key: None,
            value: Value::Null,
            error: None,
            node: None,
            extra: None,
        });
        self.events.last_mut().unwrap()
    }

    fn invoke(&mut self, time: u64, process: u64, node: Name, keys: i64) -> Open {
        let key = self.rng.random_range(0..keys) as usize;
        let (f, value) = match self.rng.random_range(0..10) {
            0..5 => ("read", Value::Null),
            5..8 => {
                self.next_value += 1;
                ("write", Value::Int(self.next_value))
            }
            _ => {
                self.next_value += 1;
                let pair = [register(self.values[key]), Value::Int(self.next_value)];
                ("cas", Value::list(pair))
            }
        };
        let kind = match self.rng.random_range(0..1000) {
            0..8 => EventType::Info,
            _ => EventType::Ok,
        };
        let event = self.record(time, Process::Client(process), EventType::Invoke, f);
        event.key = Some(Value::str(format!("k{key}")));
        event.value = value.clone();
        event.node = Some(node.clone());
        Open { process, f, key, value, kind, node }
    }

    fn complete(&mut self, time: u64, open: Open) {
        self.done += 1;
        let (mut kind, mut value, mut error) = (open.kind, open.value.clone(), None);
        if kind == EventType::Info {
            error = Some(Value::str("timeout after 1 s"));
        } else {
            match (open.f, open.value.as_list()) {
                ("read", _) => value = register(self.read(open.key)),
                ("cas", Some([old, new])) if *old == register(self.values[open.key]) => {
                    self.set(open.key, new.as_int().unwrap());
                }
                ("cas", _) => {
                    kind = EventType::Fail;
                    let seen = register(self.values[open.key]);
                    error = Some(Value::list([Value::str("precondition-failed"), seen]));
                }
                _ => self.set(open.key, open.value.as_int().unwrap()),
            }
        }
        let event = self.record(time, Process::Client(open.process), kind, open.f);
        event.key = Some(Value::str(format!("k{}", open.key)));
        event.value = value;
        event.error = error;
        event.node = Some(open.node);
    }

    fn read(&mut self, key: usize) -> i64 {
        if !self.stale_done && self.done > self.stale_after && self.older[key] != 0 {
            self.stale_done = true;
            return self.older[key];
        }
        self.values[key]
    }

    fn set(&mut self, key: usize, value: i64) {
        self.older[key] = self.values[key];
        self.values[key] = value;
    }

    fn fault(&mut self, time: u64, f: &str, value: Value, outcome: &str) {
        self.record(time, Process::Nemesis, EventType::Info, f).value = value.clone();
        let event = self.record(time, Process::Nemesis, EventType::Info, f);
        event.value = value;
        event.extra = Some([(Name::from("outcome"), Value::from(outcome))].into());
    }
}

/// Registers hold nothing at first.
fn register(value: i64) -> Value {
    if value == 0 { Value::Null } else { Value::Int(value) }
}

/// Something breaks or heals every second or so.
fn nemesis(world: &mut World, time: u64) {
    let begun = world.events.iter().rev().find(|event| event.process == Process::Nemesis);
    let last = begun.map_or(0, |event| event.time.0);
    if time - last < 700_000_000 {
        return;
    }
    let nodes =
        |names: &[&str]| Value::list(names.iter().map(|n| Value::from(*n)).collect::<Vec<_>>());
    match (begun.map(|event| event.f.as_str()), time / 700_000_000 % 2) {
        (Some("start-partition"), _) => {
            world.fault(time, "stop-partition", Value::Null, "installed");
        }
        (Some("kill"), _) => world.fault(time, "start", Value::Null, "installed"),
        (Some("pause"), _) => world.fault(time, "resume", Value::Null, "installed"),
        (Some("stop-partition"), _) => world.fault(time, "kill", nodes(&["n1", "n4"]), "installed"),
        (Some("start"), 0) => world.fault(time, "pause", nodes(&["n2"]), "indeterminate"),
        (Some("start"), _) => world.fault(time, "pause", nodes(&["n3"]), "skipped"),
        _ => {
            let grudge = [
                ("n1", ["n3", "n4", "n5"].as_slice()),
                ("n2", &["n3", "n4", "n5"]),
                ("n3", &["n1", "n2"]),
                ("n4", &["n1", "n2"]),
                ("n5", &["n1", "n2"]),
            ];
            let value = grudge.into_iter().map(|(node, deaf)| (Value::from(node), nodes(deaf)));
            let value = Value::Map(value.collect());
            world.fault(time, "start-partition", value, "installed");
        }
    }
}

pub(crate) fn verdict(history: &History) -> Verdict {
    let options = Options::default();
    Verdict::merge([
        ("linearizable".to_string(), linearizable::check(history, ModelKind::Register, &options)),
        ("stats".to_string(), stats::check(history)),
    ])
}

/// A leader that changes now and then.
pub(crate) fn statuses(history: &History) -> Vec<StatusLine> {
    const TERM: u64 = 1_300_000_000;
    let end = history.events().last().map_or(0, |event| event.time.0);
    (0..end.div_ceil(TERM))
        .map(|term| (term, term * TERM))
        .map(|(term, time)| {
            let status = |node: u16| {
                let leads = u64::from(node) == term % 5 + 1;
                let role = if leads { "leader" } else { "follower" };
                let (leader, term) = (Some(NodeId(1)), term + 1);
                Status { role: role.into(), leader, term, commit: 1, applied: 1, ready: true }
            };
            let up = (1..=5).filter(|node| term % 4 != 2 || *node != 4);
            StatusLine { time, nodes: up.map(|node| (format!("n{node}"), status(node))).collect() }
        })
        .collect()
}

/// A message a millisecond over the whole history, some of them lost.
pub(crate) fn messages(history: &History) -> Vec<Message> {
    const EVERY: u64 = 1_000_000;
    let end = history.events().last().map_or(0, |event| event.time.0);
    let message = |number: u64| Message {
        number,
        from: format!("n{}", number % 5 + 1),
        to: format!("n{}", (number + 1 + number / 5 % 4) % 5 + 1),
        sent: number * EVERY,
        fate: if number.is_multiple_of(17) { Fate::Cut } else { Fate::Delivered },
        ended: Some(number * EVERY + 400_000),
        again: number.is_multiple_of(23).then_some(number * EVERY + 900_000),
        kind: if number.is_multiple_of(2) { "append" } else { "append-reply" }.into(),
        text: format!("term: 3, round: {number}"),
    };
    let messages = (0..end / EVERY).map(message).collect();
    choose(messages, WRITTEN_MAX, |_| 0)
}

/// A line of some node every 40 ms.
pub(crate) fn log_lines(history: &History) -> Vec<LogLine> {
    const EVERY: u64 = 40_000_000;
    let end = history.events().last().map_or(0, |event| event.time.0);
    let line = |number: u64| LogLine {
        time: number * EVERY,
        node: format!("n{}", number % 5 + 1),
        text: format!("INFO raft: line {number} of </script>\u{202e}"),
    };
    (0..end / EVERY).map(line).collect()
}

/// The report of a history under the usual plan.
pub(crate) fn page(history: &History, verdict: &Verdict) -> String {
    let logs: Vec<String> = (1..=5).map(|n| format!("nodes/n{n}/stderr.log")).collect();
    let statuses = statuses(history);
    let messages = messages(history);
    let (plan, statuses) = (&plan(), &statuses);
    let log_lines = log_lines(history);
    render(&Sources {
        plan,
        history,
        verdict,
        statuses,
        messages: &messages,
        logs: &logs,
        log_lines: &log_lines,
        simulated: true,
    })
}

/// Keeps a page for the browser tests, which look for it below the target folder.
pub(crate) fn keep(name: &str, page: &str) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), page).unwrap();
}
