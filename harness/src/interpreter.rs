//! The one interpreter: generator + clients + nemesis become a history.
//!
//! It is a single loop over a [`World`]. It hands due faults to the world, asks the generator for
//! the next operation while threads are free, and otherwise waits for whatever happens first:
//! a completion, the next fault, or the time that the generator named. Completions are recorded
//! before anything new is invoked, so that the history never claims more concurrency than there
//! was. After an `info` the thread goes on under a new process number (Jepsen's rule).

use crate::nemesis::{Action, FaultOutcome, Scheduled};
use crate::recorder::{self, Recorder};
use crate::stopped;
use crate::world::{Happening, World};
use anyhow::Result;
use quorate_checkers::aftermath;
use quorate_checkers::history::{Event, EventType, Nanos, OpIndex, Process};
use quorate_checkers::value::{Name, Value};
use quorate_targets::api::Outcome;
use quorate_targets::api::kv::Session;
use quorate_targets::node::NodeId;
use quorate_workloads::generator::{Context, Generator, Invocation, Next, Thread};
use quorate_workloads::workload::Workload;
use std::collections::VecDeque;
use std::time::Duration;

/// The longest wait of the loop: the observer is told at least this often.
const TICK: Nanos = Nanos(100_000_000);

/// Why a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhaseEnd {
    /// The generator had no more operations.
    Done,
    /// The time allowed for the phase was over.
    Deadline,
    /// The person at the keyboard ended it.
    Interrupted,
    /// The world cannot go on.
    Stopped,
    /// The live check saw a violation.
    Violated,
}

/// Counts of a run so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations invoked.
    pub invoked: u64,
    /// Operations that ended `ok`.
    pub ok: u64,
    /// Operations that ended `fail`.
    pub fail: u64,
    /// Operations that ended `info`.
    pub info: u64,
}

/// One client thread.
struct Slot {
    /// The operation that is under way, with the node that was asked.
    open: Option<(Invocation, NodeId)>,
    /// Operations of the current process so far.
    seq: u64,
}

/// The interpreter's state over the phases of a run.
pub struct Interpreter<'a> {
    world: &'a mut dyn World,
    recorder: &'a mut Recorder,
    workload: &'a mut dyn Workload,
    observer: &'a mut dyn FnMut(&mut dyn World, Counts) -> Result<()>,
    nodes: Vec<NodeId>,
    threads: Vec<Thread>,
    slots: Vec<Slot>,
    /// Free threads, ascending.
    free: Vec<usize>,
    /// The fault that is being applied.
    injecting: Option<Action>,
    counts: Counts,
    interrupted: bool,
    /// The world has said that it cannot go on: there is nothing to wait for.
    stopped: bool,
    last_tick: Nanos,
}

impl<'a> Interpreter<'a> {
    /// An interpreter with `concurrency` idle threads; thread `i` asks node `i mod n`.
    pub fn new(
        world: &'a mut dyn World,
        recorder: &'a mut Recorder,
        workload: &'a mut dyn Workload,
        nodes: &[NodeId],
        concurrency: usize,
        observer: &'a mut dyn FnMut(&mut dyn World, Counts) -> Result<()>,
    ) -> Interpreter<'a> {
        Interpreter {
            world,
            recorder,
            workload,
            observer,
            nodes: nodes.to_vec(),
            threads: (0..concurrency)
                .map(|i| Thread { process: Process::Client(i as u64), free: true })
                .collect(),
            slots: (0..concurrency).map(|_| Slot { open: None, seq: 0 }).collect(),
            free: (0..concurrency).collect(),
            injecting: None,
            counts: Counts::default(),
            interrupted: false,
            stopped: false,
            last_tick: Nanos(0),
        }
    }

    /// What has been counted so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether the person at the keyboard wants the end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// The world's time.
    pub fn now(&mut self) -> Nanos {
        self.world.now()
    }

    /// The workload, for the generators of the next phase.
    pub fn workload(&mut self) -> &mut dyn Workload {
        self.workload
    }

    /// Runs a generator until it is done or `limit` is over, applying `schedule` on the way.
    /// Operations that are still under way at the end stay so: see [`Interpreter::drain`].
    pub fn run(
        &mut self,
        generator: &mut dyn Generator,
        schedule: &[Scheduled],
        limit: Option<Duration>,
    ) -> Result<PhaseEnd> {
        let begin = self.world.now();
        let deadline = limit.map(|limit| after(begin, limit));
        let mut faults: VecDeque<&Scheduled> = schedule.iter().collect();
        loop {
            let now = self.world.now();
            self.tick(now)?;
            if self.stopped {
                return Ok(PhaseEnd::Stopped);
            }
            if self.interrupted {
                return Ok(PhaseEnd::Interrupted);
            }
            if self.recorder.is_over() {
                return Ok(PhaseEnd::Violated);
            }
            if deadline.is_some_and(|deadline| now >= deadline) {
                return Ok(PhaseEnd::Deadline);
            }
            let mut until = Nanos(now.0 + TICK.0).min(deadline.unwrap_or(Nanos(u64::MAX)));
            if self.injecting.is_none()
                && let Some(next) = faults.front()
            {
                let at = after(begin, Duration::from_millis(next.at_ms));
                if at <= now {
                    self.inject(&next.action)?;
                    faults.pop_front();
                } else {
                    until = until.min(at);
                }
            }
            let context = Context { time: now, threads: &self.threads };
            match generator.next(&context, &self.free) {
                Next::Op { thread, invocation } => {
                    self.invoke(generator, thread, invocation)?;
                    until = now;
                }
                Next::Pending(wake) => until = until.min(wake.unwrap_or(until)),
                Next::Done => return Ok(PhaseEnd::Done),
            }
            self.settle(generator, until)?;
        }
    }

    /// Applies one fault action and waits until it is done, recording completions meanwhile.
    pub fn apply(&mut self, action: &Action, generator: &mut dyn Generator) -> Result<()> {
        self.wait_for_fault(generator)?;
        self.inject(action)?;
        self.wait_for_fault(generator)
    }

    /// The world is to be at its best from now on.
    pub fn calm(&mut self) {
        self.world.calm();
    }

    /// Waits until no operation is under way, for `limit` at most; what is still open then ends
    /// as `info`, and its thread takes no further operation.
    pub fn drain(&mut self, generator: &mut dyn Generator, limit: Duration) -> Result<()> {
        let deadline = after(self.world.now(), limit);
        self.wait_for_fault(generator)?;
        while !self.stopped && self.slots.iter().any(|slot| slot.open.is_some()) {
            let now = self.world.now();
            self.tick(now)?;
            if now >= deadline {
                break;
            }
            self.settle(generator, Nanos(now.0 + TICK.0).min(deadline))?;
        }
        for thread in 0..self.slots.len() {
            if self.slots[thread].open.is_some() {
                let why = "no answer before the phase ended".to_owned();
                self.complete(generator, thread, Outcome::Unknown(why))?;
                self.retire(thread);
            }
        }
        Ok(())
    }

    /// Writes an event of the harness itself into the history.
    pub fn note(&mut self, f: &str, value: Value) -> Result<()> {
        let time = self.world.now();
        self.recorder.record(recorder::nemesis(time, f, value))?;
        Ok(())
    }

    fn wait_for_fault(&mut self, generator: &mut dyn Generator) -> Result<()> {
        while self.injecting.is_some() && !self.stopped {
            let now = self.world.now();
            self.tick(now)?;
            self.settle(generator, Nanos(now.0 + TICK.0))?;
        }
        Ok(())
    }

    fn inject(&mut self, action: &Action) -> Result<()> {
        let time = self.world.now();
        let value = Value::from(action.value());
        self.recorder.record(recorder::nemesis(time, action.f(), value))?;
        self.world.inject(action);
        self.injecting = Some(action.clone());
        Ok(())
    }

    fn invoke(
        &mut self,
        generator: &mut dyn Generator,
        thread: usize,
        invocation: Invocation,
    ) -> Result<()> {
        let Process::Client(number) = self.threads[thread].process else {
            anyhow::bail!("thread {thread} is not a client");
        };
        let slot = &mut self.slots[thread];
        let node = invocation.node.unwrap_or_else(|| {
            self.nodes.get(thread % self.nodes.len().max(1)).copied().unwrap_or(NodeId(1))
        });
        slot.seq += 1;
        let request =
            self.workload.encode(&invocation, Session { client: number + 1, seq: slot.seq });
        slot.open = Some((invocation.clone(), node));
        self.threads[thread].free = false;
        self.free.retain(|other| *other != thread);
        self.counts.invoked += 1;
        let time = self.world.now();
        let name = self.recorder.node_name(node);
        let event = self.recorder.record(Event {
            index: OpIndex(0),
            time,
            process: Process::Client(number),
            kind: EventType::Invoke,
            f: invocation.f,
            key: invocation.key,
            value: invocation.value,
            error: None,
            node: Some(name),
            extra: None,
        })?;
        let context = Context { time, threads: &self.threads };
        generator.update(&context, thread, event);
        self.world.invoke(thread, node, request);
        Ok(())
    }

    /// Takes in all that has happened; waits for the first until the given time.
    fn settle(&mut self, generator: &mut dyn Generator, until: Nanos) -> Result<()> {
        let mut until = until;
        while let Some(happening) = self.world.poll(until) {
            until = Nanos(0);
            match happening {
                Happening::Completed { thread, outcome } => {
                    if self.slots[thread].open.is_some() {
                        self.complete(generator, thread, outcome)?;
                    }
                }
                Happening::Injected(outcome) => self.injected(outcome)?,
                Happening::NodeDied { node, reason } => {
                    let node = Value::str(node.to_string());
                    let value = [("node".into(), node), ("reason".into(), Value::str(reason))];
                    self.note("node-died", Value::Map(value.into()))?;
                }
                Happening::Stopped { what, reason } => {
                    self.stopped = true;
                    self.note(stopped::EVENT, stopped::value(&what, &reason))?;
                }
                Happening::Interrupted if self.interrupted => {}
                Happening::Interrupted => {
                    self.interrupted = true;
                    self.note(aftermath::INTERRUPTED, Value::Null)?;
                }
            }
        }
        Ok(())
    }

    fn injected(&mut self, outcome: FaultOutcome) -> Result<()> {
        let Some(action) = self.injecting.take() else { return Ok(()) };
        let (word, value, error) = match outcome {
            FaultOutcome::Installed(value) => ("installed", Value::from(value), None),
            FaultOutcome::Skipped(why) => ("skipped", Value::Null, Some(Value::str(why))),
            FaultOutcome::Indeterminate(why) => {
                ("indeterminate", Value::Null, Some(Value::str(why)))
            }
        };
        let time = self.world.now();
        let mut event = recorder::nemesis(time, action.f(), value);
        event.error = error;
        event.extra = Some([(Name::from("outcome"), Value::from(word))].into());
        self.recorder.record(event)?;
        Ok(())
    }

    fn complete(
        &mut self,
        generator: &mut dyn Generator,
        thread: usize,
        outcome: Outcome,
    ) -> Result<()> {
        let Some((invocation, node)) = self.slots[thread].open.take() else { return Ok(()) };
        let process = self.threads[thread].process;
        if let Process::Client(number) = process {
            self.workload.learn(number + 1, &outcome);
        }
        let completion = self.workload.decode(&invocation, outcome);
        match completion.kind {
            EventType::Ok => self.counts.ok += 1,
            EventType::Fail => self.counts.fail += 1,
            EventType::Info | EventType::Invoke => self.counts.info += 1,
        }
        if completion.kind == EventType::Info
            && let Process::Client(number) = process
        {
            self.threads[thread].process = Process::Client(number + self.threads.len() as u64);
            self.slots[thread].seq = 0;
        }
        self.threads[thread].free = true;
        if let Err(place) = self.free.binary_search(&thread) {
            self.free.insert(place, thread);
        }
        let time = self.world.now();
        let name = self.recorder.node_name(node);
        let event = self.recorder.record(Event {
            index: OpIndex(0),
            time,
            process,
            kind: completion.kind,
            f: invocation.f,
            key: invocation.key,
            value: completion.value,
            error: completion.error,
            node: Some(name),
            extra: None,
        })?;
        generator.update(&Context { time, threads: &self.threads }, thread, event);
        Ok(())
    }

    fn retire(&mut self, thread: usize) {
        self.threads[thread].free = false;
        self.free.retain(|other| *other != thread);
    }

    fn tick(&mut self, now: Nanos) -> Result<()> {
        if now.0 - self.last_tick.0 >= TICK.0 {
            self.last_tick = now;
            self.recorder.flush()?;
            (self.observer)(self.world, self.counts)?;
        }
        Ok(())
    }
}

fn after(time: Nanos, duration: Duration) -> Nanos {
    Nanos(time.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
}
