//! Runs a generator against a fake clock and a fake system: for tests, of generators and of
//! workloads, without any cluster.
//!
//! The simulation keeps the order of a real interpreter: completions that are due come first,
//! then operations as long as the generator gives any, then time moves on.

use super::{Context, Generator, Invocation, Next, Thread};
use crate::workload::Completion;
use quorate_checkers::history::{Event, EventType, Nanos, OpIndex, Process};
use quorate_checkers::value::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What operations meet.
pub trait System {
    /// How long the operation takes, decided at its invocation.
    fn latency(&mut self, process: Process, invocation: &Invocation) -> u64;

    /// How it ends; called at the time of its completion.
    fn complete(&mut self, process: Process, invocation: &Invocation) -> Completion;
}

/// A system that does nothing: each operation takes as long, and ends by a rule.
#[derive(Clone, Debug)]
pub struct Fixed {
    latency: u64,
    /// The outcomes of each thread's operations, in rotation.
    outcomes: Vec<EventType>,
    given: BTreeMap<Process, usize>,
    clients: u64,
}

impl Fixed {
    fn new(setup: &Setup, latency: u64, outcomes: &[EventType]) -> Fixed {
        let clients = setup.clients as u64;
        Fixed { latency, outcomes: outcomes.to_vec(), given: BTreeMap::new(), clients }
    }
}

/// Everything works, in 10 ns.
pub fn perfect(setup: &Setup) -> Fixed {
    Fixed::new(setup, 10, &[EventType::Ok])
}

/// Nobody ever knows, after 10 ns: each operation is `info`.
pub fn all_info(setup: &Setup) -> Fixed {
    Fixed::new(setup, 10, &[EventType::Info])
}

/// Each thread's operations are `ok`, `info`, `fail` in rotation, after 10 ns.
pub fn imperfect(setup: &Setup) -> Fixed {
    Fixed::new(setup, 10, &[EventType::Ok, EventType::Info, EventType::Fail])
}

impl System for Fixed {
    fn latency(&mut self, _: Process, _: &Invocation) -> u64 {
        self.latency
    }

    fn complete(&mut self, process: Process, invocation: &Invocation) -> Completion {
        let thread = match process {
            Process::Client(number) => Process::Client(number % self.clients.max(1)),
            Process::Nemesis => Process::Nemesis,
        };
        let given = self.given.entry(thread).or_default();
        let kind = self.outcomes.get(*given % self.outcomes.len().max(1));
        *given += 1;
        Completion {
            kind: kind.copied().unwrap_or(EventType::Ok),
            value: invocation.value.clone(),
            error: None,
        }
    }
}

/// Who takes part, and when to stop.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Client threads.
    pub clients: usize,
    /// Whether there is a thread of the nemesis, behind those of the clients.
    pub nemesis: bool,
    /// Ask also whenever so many nanoseconds have passed without cause: what comes out must be
    /// the same.
    pub ask_every: Option<u64>,
    /// After how many invocations the simulation stops.
    pub operations_max: usize,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup { clients: 2, nemesis: false, ask_every: None, operations_max: 1_000_000 }
    }
}

impl Setup {
    /// That many client threads and no nemesis.
    pub fn clients(clients: usize) -> Setup {
        Setup { clients, ..Setup::default() }
    }
}

/// An operation under way.
struct UnderWay {
    thread: usize,
    process: Process,
    invocation: Invocation,
}

struct Simulation<'a> {
    generator: &'a mut dyn Generator,
    system: &'a mut dyn System,
    clients: u64,
    threads: Vec<Thread>,
    time: u64,
    /// By time of completion, then by order of invocation.
    under_way: BTreeMap<(u64, usize), UnderWay>,
    invoked: usize,
    events: Vec<Event>,
}

/// Runs a generator to its end, or until [`Setup::operations_max`], or until it waits for
/// something that can never come. The history holds the events of the nemesis too.
pub fn simulate(
    generator: &mut dyn Generator,
    setup: &Setup,
    system: &mut dyn System,
) -> Vec<Event> {
    let clients = (0..setup.clients as u64).map(Process::Client);
    let nemesis = setup.nemesis.then_some(Process::Nemesis);
    let mut simulation = Simulation {
        generator,
        system,
        clients: setup.clients as u64,
        threads: clients.chain(nemesis).map(|process| Thread { process, free: true }).collect(),
        time: 0,
        under_way: BTreeMap::new(),
        invoked: 0,
        events: Vec::new(),
    };
    while simulation.invoked < setup.operations_max {
        simulation.complete_due();
        let wake = match simulation.ask() {
            Next::Op { thread, invocation } => {
                simulation.invoke(thread, invocation);
                continue;
            }
            Next::Pending(wake) => wake,
            Next::Done => break,
        };
        let due = simulation.under_way.keys().next().map(|(time, _)| *time);
        let Some(until) = super::earlier(wake, due.map(Nanos)) else { break };
        let asked_early = setup.ask_every.map_or(u64::MAX, |step| simulation.time + step);
        simulation.time = until.0.min(asked_early).max(simulation.time);
    }
    while let Some((time, _)) = simulation.under_way.keys().next().copied() {
        simulation.time = time;
        simulation.complete_due();
    }
    simulation.events
}

impl Simulation<'_> {
    fn ask(&mut self) -> Next {
        let free = |(number, thread): (usize, &Thread)| thread.free.then_some(number);
        let allowed: Vec<usize> = self.threads.iter().enumerate().filter_map(free).collect();
        let context = Context { time: Nanos(self.time), threads: &self.threads };
        self.generator.next(&context, &allowed)
    }

    fn invoke(&mut self, thread: usize, invocation: Invocation) {
        assert!(self.threads[thread].free, "thread {thread} is busy");
        let process = self.threads[thread].process;
        let due = self.time + self.system.latency(process, &invocation);
        self.threads[thread].free = false;
        let said = Completion {
            kind: if process == Process::Nemesis { EventType::Info } else { EventType::Invoke },
            value: invocation.value.clone(),
            error: None,
        };
        // The generator is told of an invocation as such, also where the history says `info`.
        let event = self.record(process, &invocation, said);
        self.tell(thread, &Event { kind: EventType::Invoke, ..event });
        self.under_way.insert((due, self.invoked), UnderWay { thread, process, invocation });
        self.invoked += 1;
    }

    fn complete_due(&mut self) {
        while let Some(entry) = self.under_way.first_entry() {
            if entry.key().0 > self.time {
                return;
            }
            let UnderWay { thread, process, invocation } = entry.remove();
            let mut completion = self.system.complete(process, &invocation);
            if process == Process::Nemesis {
                completion.kind = EventType::Info;
            }
            self.threads[thread].free = true;
            let event = self.record(process, &invocation, completion);
            let kind = event.kind;
            self.tell(thread, &event);
            if let (Process::Client(number), EventType::Info) = (process, kind) {
                self.threads[thread].process = Process::Client(number + self.clients);
            }
        }
    }

    fn record(&mut self, process: Process, of: &Invocation, completion: Completion) -> Event {
        let event = Event {
            index: OpIndex(self.events.len() as u32),
            time: Nanos(self.time),
            process,
            kind: completion.kind,
            f: of.f.clone(),
            key: of.key.clone(),
            value: completion.value,
            error: completion.error,
            node: of.node.map(|node| node.to_string().into()),
            extra: None,
        };
        self.events.push(event.clone());
        event
    }

    fn tell(&mut self, thread: usize, event: &Event) {
        let context = Context { time: event.time, threads: &self.threads };
        self.generator.update(&context, thread, event);
    }
}

/// The events as text, one a line: time, process, type, operation, and what else there is.
pub fn lines<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
    let mut text = String::new();
    for event in events {
        let Event { time, process, kind, f, .. } = event;
        // Writing to a string cannot fail.
        let _ = write!(text, "{} {process} {kind} {f}", time.0);
        if let Some(key) = &event.key {
            let _ = write!(text, " {}", bare(key));
        }
        if !event.value.is_null() {
            let _ = write!(text, " {}", event.value);
        }
        if let Some(node) = &event.node {
            let _ = write!(text, " at {node}");
        }
        if let Some(error) = &event.error {
            let _ = write!(text, " because {error}");
        }
        text.push('\n');
    }
    text
}

fn bare(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

/// The invocations alone, in the form of [`lines`].
pub fn invocations(events: &[Event]) -> String {
    lines(events.iter().filter(|event| event.kind == EventType::Invoke))
}
