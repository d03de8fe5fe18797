//! What a generator costs: one operation asked for, told of at its invocation and at its
//! completion. Half of the threads are busy.
//!
//! `cargo bench -p quorate-workloads`

use divan::Bencher;
use divan::counter::ItemsCount;
use quorate_checkers::history::{Event, EventType, Nanos, OpIndex, Process};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_workloads::generator::any::any;
use quorate_workloads::generator::copies::each_thread;
use quorate_workloads::generator::mix::mix;
use quorate_workloads::generator::route::{clients_and_nemesis, reserve};
use quorate_workloads::generator::source::repeat;
use quorate_workloads::generator::{Combine, Context, Generator, Invocation, Next, Thread};
use quorate_workloads::options::Options;
use quorate_workloads::registry;
use std::collections::VecDeque;
use std::time::Duration;

const THREADS: [usize; 3] = [10, 100, 1000];
const SEED: Seed = Seed(1);

/// How many operations one sample drives.
const OPERATIONS: usize = 1000;

fn main() {
    divan::main();
}

/// Threads of which half are busy; a completion for each new operation.
struct Driver {
    time: u64,
    threads: Vec<Thread>,
    free: Vec<usize>,
    busy: VecDeque<(usize, Event)>,
}

impl Driver {
    fn new(threads: usize) -> Driver {
        let thread = |number| Thread { process: Process::Client(number), free: true };
        let threads: Vec<Thread> = (0..threads as u64).map(thread).collect();
        Driver { time: 0, free: (0..threads.len()).collect(), threads, busy: VecDeque::new() }
    }

    fn context(&self) -> Context<'_> {
        Context { time: Nanos(self.time), threads: &self.threads }
    }

    /// One operation in, and one out where more than half of the threads are busy.
    fn step(&mut self, generator: &mut dyn Generator) {
        self.time += 1_000_000;
        let Next::Op { thread, invocation } = generator.next(&self.context(), &self.free) else {
            return;
        };
        let mut event = Event {
            index: OpIndex(0),
            time: Nanos(self.time),
            process: self.threads[thread].process,
            kind: EventType::Invoke,
            f: invocation.f,
            key: invocation.key,
            value: invocation.value,
            error: None,
            node: None,
            extra: None,
        };
        self.threads[thread].free = false;
        self.free.retain(|free| *free != thread);
        generator.update(&self.context(), thread, &event);
        event.kind = EventType::Ok;
        self.busy.push_back((thread, event));
        if self.busy.len() * 2 > self.threads.len()
            && let Some((thread, event)) = self.busy.pop_front()
        {
            self.threads[thread].free = true;
            let place = self.free.partition_point(|free| *free < thread);
            self.free.insert(place, thread);
            generator.update(&self.context(), thread, &event);
        }
    }
}

fn drive(bencher: Bencher<'_, '_>, threads: usize, make: impl Fn() -> Box<dyn Generator> + Sync) {
    bencher
        .counter(ItemsCount::new(OPERATIONS))
        .with_inputs(|| {
            let (mut driver, mut generator) = (Driver::new(threads), make());
            (0..threads).for_each(|_| driver.step(&mut generator));
            (driver, generator)
        })
        .bench_local_refs(|(driver, generator)| {
            (0..OPERATIONS).for_each(|_| driver.step(generator));
        });
}

fn source(f: &str) -> Box<dyn Generator> {
    repeat(Invocation::new(f)).boxed()
}

/// What the driver itself costs: to be taken off the others.
#[divan::bench(args = THREADS)]
fn bare_source(bencher: Bencher<'_, '_>, threads: usize) {
    drive(bencher, threads, || source("read"));
}

/// The stack of a usual run: register, rate, time limit, on the clients.
#[divan::bench(args = THREADS)]
fn register_stack(bencher: Bencher<'_, '_>, threads: usize) {
    let nodes: Vec<NodeId> = (1..=5).map(NodeId).collect();
    drive(bencher, threads, || {
        let entry = registry::WORKLOADS[0];
        let workload = (entry.construct)(&Options::default(), SEED, &nodes);
        let main = workload.map(|mut workload| workload.main());
        main.map_or_else(
            |_| source("none"),
            |main| {
                main.rate(10_000.0, SEED).time_limit(Duration::from_secs(20_000)).clients().boxed()
            },
        )
    });
}

/// Mixing, pacing and bounding without a workload's own cost.
#[divan::bench(args = THREADS)]
fn mixed_stack(bencher: Bencher<'_, '_>, threads: usize) {
    drive(bencher, threads, || {
        mix(SEED, vec![source("read"), source("write"), source("cas")])
            .rate(10_000.0, SEED)
            .time_limit(Duration::from_secs(20_000))
            .boxed()
    });
}

/// Readers and writers on threads of their own, and a nemesis that never comes.
#[divan::bench(args = THREADS)]
fn reserve_stack(bencher: Bencher<'_, '_>, threads: usize) {
    drive(bencher, threads, || {
        let load = reserve(SEED, vec![(threads / 2, source("read"))], source("write"));
        clients_and_nemesis(SEED, load, source("fault")).boxed()
    });
}

#[divan::bench(args = THREADS)]
fn each_threads_own(bencher: Bencher<'_, '_>, threads: usize) {
    drive(bencher, threads, || each_thread(|_| repeat(Invocation::new("read"))).boxed());
}

/// A hundred generators of which each may have one operation in flight, as in final reads.
#[divan::bench(args = THREADS)]
fn any_of_a_hundred(bencher: Bencher<'_, '_>, threads: usize) {
    drive(bencher, threads, || {
        any(SEED, (0..100).map(|_| source("read").concurrency_limit(1).boxed()).collect()).boxed()
    });
}
