//! The workloads over the eventually consistent store, from generator to verdict: simulated
//! clusters under partitions and losses of power. The correct store passes, each seeded bug is
//! seen by clients.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use quorate_checkers::aftermath::FINAL_PHASE;
use quorate_checkers::history::{Builder, Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::{CheckerReport, Valid};
use quorate_checkers::{convergence, counter, session, set_full};
use quorate_targets::api::kv::Session;
use quorate_targets::bugs::Bug;
use quorate_targets::caller::Policy;
use quorate_targets::eventual::Eventual;
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{
    Clients, Cluster, Delay, Detail, DiskBehaviour, Fault, Gate, Happening, Setup, Survival, World,
};
use quorate_workloads::generator::{Context, Generator, Invocation, Next, Thread};
use quorate_workloads::options::Options;
use quorate_workloads::registry;
use quorate_workloads::workload::{Check, Workload};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

const THREADS: usize = 10;
/// How long operations are asked for.
const MAIN: u64 = 10_000_000_000;
/// The mean rest of a thread between two operations.
const REST_MS: u64 = 40;

/// A run: what is asked of which cluster.
struct Run<'a> {
    workload: &'a str,
    options: &'a [&'a str],
    target: &'a [(&'a str, &'a str)],
    bugs: &'a [Bug],
}

struct Driver {
    cluster: Box<dyn Cluster>,
    workload: Box<dyn Workload>,
    history: Builder,
    threads: Vec<Thread>,
    sessions: Vec<u64>,
    open: Vec<Option<Invocation>>,
}

impl Driver {
    fn new(run: &Run<'_>, seed: Seed) -> Driver {
        let setup = Setup { detail: Detail::Digest, ..Setup::new(5) };
        let sync = Delay::Fixed(quorate_targets::sim::Nanos::from_micros(300));
        let disk = DiskBehaviour { survival: Survival::Nothing, ..DiskBehaviour::healthy(sync) };
        let setup = Setup { disk, ..setup };
        let options = run.target.iter();
        let setup = options.fold(setup, |setup, (name, value)| setup.with_option(name, value));
        let setup = run.bugs.iter().fold(setup, |setup, bug| setup.with_bug(*bug));
        // Clients judge here; the protocol's invariants are for the soak.
        let world: World<Eventual> = World::new(seed, setup).unwrap();
        let cluster = Box::new(Clients::new(world, Policy::default()));
        let options = Options::parse(run.options).unwrap();
        let nodes = cluster.members();
        let construct = registry::find(run.workload).unwrap().construct;
        let workload = construct(&options, seed, &nodes).unwrap();
        let thread = |n| Thread { process: Process::Client(n), free: true };
        Driver {
            cluster,
            workload,
            history: Builder::default(),
            threads: (0..THREADS as u64).map(thread).collect(),
            sessions: vec![0; THREADS],
            open: vec![None; THREADS],
        }
    }

    fn now(&self) -> Nanos {
        Nanos(self.cluster.now().0)
    }

    fn record(
        &mut self,
        process: Process,
        kind: EventType,
        asked: &Invocation,
        value: Value,
        node: Option<NodeId>,
    ) -> Event {
        let event = Event {
            index: self.history.next_index(),
            time: self.now(),
            process,
            kind,
            f: asked.f.clone(),
            key: asked.key.clone(),
            value,
            error: None,
            node: node.map(|node| node.to_string().as_str().into()),
            extra: None,
        };
        self.history.push(event.clone()).unwrap();
        event
    }

    fn tell(&self, generator: &mut dyn Generator, thread: usize, event: &Event) {
        generator.update(&Context { time: event.time, threads: &self.threads }, thread, event);
    }

    /// Hands out what the generator has for this thread; `false` if it is done.
    fn ask(&mut self, generator: &mut dyn Generator, thread: usize) -> bool {
        let context = Context { time: self.now(), threads: &self.threads };
        let asked = match generator.next(&context, &[thread]) {
            Next::Op { invocation, .. } => invocation,
            Next::Pending(_) => return true,
            Next::Done => return false,
        };
        let node = asked.node.unwrap_or(NodeId((thread % 5) as u16 + 1));
        let process = self.threads[thread].process;
        let Process::Client(number) = process else { return true };
        self.sessions[thread] += 1;
        let session = Session { client: number + 1, seq: self.sessions[thread] };
        let request = self.workload.encode(&asked, session);
        let value = asked.value.clone();
        let event = self.record(process, EventType::Invoke, &asked, value, Some(node));
        self.threads[thread].free = false;
        self.tell(generator, thread, &event);
        self.open[thread] = Some(Invocation { node: Some(node), ..asked });
        self.cluster.begin(thread, node, request);
        true
    }

    /// Goes on until this time; what was completed is told.
    fn go(&mut self, generator: &mut dyn Generator, until: Nanos) {
        let until = quorate_targets::sim::Nanos(until.0);
        while let Some(happening) = self.cluster.poll(until).unwrap() {
            let Happening::Completed { thread, outcome } = happening else {
                panic!("{happening:?}");
            };
            let Some(asked) = self.open[thread].take() else { continue };
            let process = self.threads[thread].process;
            if let Process::Client(number) = process {
                self.workload.learn(number + 1, &outcome);
            }
            let done = self.workload.decode(&asked, outcome);
            let event = self.record(process, done.kind, &asked, done.value, asked.node);
            if done.kind == EventType::Info
                && let Process::Client(number) = process
            {
                self.threads[thread].process = Process::Client(number + THREADS as u64);
                self.sessions[thread] = 0;
            }
            self.threads[thread].free = true;
            self.tell(generator, thread, &event);
        }
    }
}

/// Cuts the cluster in two, or cuts the power of some; each is well again after a while.
fn strike(cluster: &mut dyn Cluster, rng: &mut ChaCha8Rng) {
    heal(cluster);
    let mut nodes = cluster.members();
    nodes.shuffle(rng);
    let some = &nodes[..rng.random_range(1..=2)];
    if rng.random_bool(0.75) {
        for from in &nodes {
            for to in nodes.iter().filter(|to| some.contains(to) != some.contains(from)) {
                cluster.inject(&Fault::Gate { from: *from, to: *to, gate: Gate::Cut });
            }
        }
    } else {
        for node in some {
            cluster.inject(&Fault::PowerOff { node: *node });
        }
    }
}

fn heal(cluster: &mut dyn Cluster) {
    cluster.inject(&Fault::OpenAll);
    for node in cluster.members() {
        cluster.inject(&Fault::Start { node });
    }
}

/// Carries a run out.
fn carry_out(run: &Run<'_>, seed: u64) -> History {
    let seed = Seed(seed);
    let (mut driver, mut rng) = (Driver::new(run, seed), seed.stream("driver"));
    let step = Duration::from_millis(REST_MS).as_nanos() as u64 / THREADS as u64;
    let mut main = driver.workload.main();
    let mut fault = Nanos(1_000_000_000);
    while driver.now().0 < MAIN {
        if driver.now() >= fault {
            strike(driver.cluster.as_mut(), &mut rng);
            fault = Nanos(fault.0 + rng.random_range(500_000_000..3_000_000_000));
        }
        let thread = rng.random_range(0..THREADS);
        if driver.threads[thread].free {
            driver.ask(main.as_mut(), thread);
        }
        let next = Nanos(driver.now().0 + rng.random_range(0..2 * step));
        driver.go(main.as_mut(), next);
    }
    heal(driver.cluster.as_mut());
    let drained = Nanos(driver.now().0 + 4_000_000_000);
    driver.go(main.as_mut(), drained);
    let mark = Invocation::new(FINAL_PHASE);
    driver.record(Process::Nemesis, EventType::Info, &mark, Value::Null, None);
    let mut finale = driver.workload.finale();
    for turn in 0.. {
        let thread = turn % THREADS;
        if driver.threads[thread].free && !driver.ask(finale.as_mut(), thread) {
            break;
        }
        let next = Nanos(driver.now().0 + 1_000_000);
        driver.go(finale.as_mut(), next);
    }
    let end = Nanos(driver.now().0 + 4_000_000_000);
    driver.go(finale.as_mut(), end);
    driver.history.finish()
}

/// What the workload's checkers say: the kinds of anomaly, or a reason why they cannot tell.
fn judge(workload: &str, history: &History) -> Result<Vec<String>, String> {
    assert!(history.events().len() > 500, "next to nothing happened");
    assert!(history.events().last().is_some_and(|event| event.index > OpIndex(500)));
    let mut kinds = Vec::new();
    for check in registry::find(workload).unwrap().checks {
        let Check::Weak { name } = check else { continue };
        let report: CheckerReport = match *name {
            "set" => set_full::check(history),
            "counter" => counter::check(history),
            "convergence" => convergence::check(history),
            "session" => session::check(history),
            other => return Err(format!("there is no checker {other}")),
        };
        if report.valid == Valid::Unknown {
            return Err(report.why.unwrap_or_default());
        }
        kinds
            .extend(report.anomalies.into_iter().map(|a| format!("{}: {}", a.kind, a.explanation)));
    }
    Ok(kinds)
}

const ONE: &[(&str, &str)] = &[("read-quorum", "1"), ("write-quorum", "1")];
const SIBLINGS: &[(&str, &str)] = &[("resolve", "vector-clock")];
const SKEWED: &[(&str, &str)] = &[("clock-skew-ms", "500")];

fn run<'a>(
    workload: &'a str,
    options: &'a [&'a str],
    target: &'a [(&'a str, &'a str)],
    bugs: &'a [Bug],
) -> Run<'a> {
    Run { workload, options, target, bugs }
}

#[test]
fn the_correct_store_passes() {
    let or_set: &[&str] = &["type=or-set"];
    let runs = [
        run("set", &[], &[], &[]),
        run("set", &[], SIBLINGS, &[]),
        run("set", or_set, &[], &[]),
        run("g-counter", &[], &[], &[]),
        run("pn-counter", &[], &[], &[]),
        run("session", &[], &[], &[]),
        run("session", &[], ONE, &[]),
        run("session", &[], SKEWED, &[]),
        run("session", &[], SIBLINGS, &[]),
    ];
    for run in &runs {
        for seed in 0..3 {
            let found = judge(run.workload, &carry_out(run, seed));
            assert_eq!(found, Ok(vec![]), "{} {:?}, seed {seed}", run.workload, run.target);
        }
    }
}

/// The bug is seen within five runs, and called by one of these names.
#[track_caller]
fn seen(run: &Run<'_>, names: &[&str]) {
    let runs = (0..5).map(|seed| judge(run.workload, &carry_out(run, seed)).unwrap());
    let found = runs.into_iter().find(|kinds| !kinds.is_empty());
    let kinds = found.unwrap_or_else(|| panic!("{:?} was not seen", run.bugs));
    let named = |kind: &String| names.iter().any(|name| kind.starts_with(name));
    assert!(kinds.iter().any(named), "{:?} shows as {kinds:?}", run.bugs);
}

#[test]
fn dropped_hints_lose_elements() {
    seen(&run("set", &[], &[], &[Bug::DropHints]), &["lost-element", "missing-element"]);
}

#[test]
fn replicas_that_nobody_repairs_stay_apart() {
    let run = run("set", &[], &[], &[Bug::NoReadRepairNoAntiEntropy]);
    seen(&run, &["missing-element", "diverged"]);
}

#[test]
fn the_last_writer_wins_and_the_other_loses() {
    seen(&run("set", &[], &[], &[Bug::LwwDropsConcurrent]), &["lost-element"]);
}

#[test]
fn what_is_forgotten_too_early_comes_back() {
    seen(&run("set", &["type=or-set"], &[], &[Bug::ResurrectDeleted]), &["resurrected-element"]);
}

#[test]
fn retries_that_count_twice_are_seen() {
    let run = run("g-counter", &[], &[], &[Bug::CounterDoubleMerge]);
    seen(&run, &["counter-wrong", "counter-out-of-bounds"]);
}

#[test]
fn ignored_tokens_break_session_guarantees() {
    let run = run("session", &[], ONE, &[Bug::NonMonotonicSession]);
    seen(&run, &["read-your-writes", "monotonic-reads"]);
}

#[test]
fn without_tokens_nothing_is_guaranteed() {
    seen(&run("session", &["tokens=off"], ONE, &[]), &["read-your-writes", "monotonic-reads"]);
}

#[test]
fn slow_clocks_lose_writes() {
    let run = run("session", &[], SKEWED, &[Bug::ClockSkewLww]);
    seen(&run, &["session-guarantees", "read-your-writes", "writes-follow-reads"]);
}
