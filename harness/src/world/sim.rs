//! The world in virtual time: a simulated cluster behind the interface of the real one.
//!
//! The same generator, workload, schedule, interpreter and checkers as over processes; only that
//! waiting costs nothing and that the same plan gives the same run to the byte. What processes
//! do with signals and proxies is done here by faults of the simulator: a kill of a node with a
//! lazy disk is a loss of power, a partition cuts wires, an aim at the leader is resolved from
//! what the nodes tell when the fault is due.

use crate::messages::{self, Message};
use crate::nemesis::{Action, Aim, Cut, FaultOutcome, Grudge, alone, grudge_json, nodes_json};
use crate::plan::{Disk, Plan};
use crate::world::{self, Happening, World};
use anyhow::{Context, Result};
use quorate_checkers::history::Nanos;
use quorate_targets::api::Request;
use quorate_targets::caller::Policy;
use quorate_targets::node::{NodeId, Status};
use quorate_targets::registry;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{
    self, Cluster, Detail, Fault, Gate, Injected, Setup, Stop, Turn, Weather, trace,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};

/// How long a fault that is aimed at the leader waits for one, as over processes.
const LEADER_MAX: Nanos = Nanos(1_000_000_000);
/// How many messages of a run are remembered.
const POST_MAX: usize = 1 << 18;
/// How often it looks.
const LEADER_AGAIN: Nanos = Nanos(50_000_000);

/// What the world is made of.
#[derive(Clone, Debug)]
pub struct Options {
    /// The target's name.
    pub target: String,
    /// Decides all draws.
    pub seed: Seed,
    /// Nodes, weather, and what the trace keeps.
    pub setup: Setup,
    /// Whether a killed node loses what it had not synced.
    pub lazy: bool,
    /// How patient clients are.
    pub policy: Policy,
    /// Whether a broken invariant ends the run; otherwise only clients judge.
    pub invariants: bool,
}

impl Options {
    /// As the plan says, with a trace of all events, and with the messages.
    pub fn of_plan(plan: &Plan, weather: Weather) -> Options {
        let mut setup = Setup::new(plan.nodes).in_weather(weather);
        setup.trace_max = trace::TRACE_MAX;
        setup.post_max = POST_MAX;
        for config in &mut setup.nodes {
            config.bugs.clone_from(&plan.bugs);
            config.options.clone_from(&plan.target_options);
        }
        Options {
            target: plan.target.clone(),
            seed: plan.seed,
            setup,
            lazy: plan.disk == Disk::Lazy,
            policy: Policy::default(),
            invariants: !plan.clients_only,
        }
    }

    /// The same for a run that writes no files: with this much in the trace, and no messages.
    #[must_use]
    pub fn in_memory(mut self, detail: Detail) -> Options {
        self.setup.detail = detail;
        self.setup.post_max = 0;
        self
    }
}

/// The weather of a cluster on one machine: what runs have unless they ask for other.
pub fn calm_weather() -> Weather {
    let Setup { link, client, disk, boot, .. } = Setup::new(1);
    Weather { link, client, disk, boot }
}

/// An action that waits for a leader.
struct Waiting {
    action: Action,
    /// When it is tried again.
    next: Nanos,
    /// When it is given up.
    deadline: Nanos,
}

/// A simulated world.
pub struct Simulated {
    cluster: Box<dyn Cluster>,
    members: Vec<NodeId>,
    lazy: bool,
    /// What every wire is like when no fault is in force.
    link: sim::Link,
    invariants: bool,
    /// What there is to tell before anything else happens.
    ready: VecDeque<Happening>,
    /// An action that waits for a leader.
    waiting: Option<Waiting>,
    interrupt: Option<&'static AtomicBool>,
    /// It cannot go on; time still passes.
    stopped: bool,
    now: Nanos,
}

impl Simulated {
    /// A world at the beginning of its time.
    pub fn new(options: &Options) -> Result<Simulated> {
        let Options { target, seed, setup, lazy, policy, invariants } = options;
        let cluster = registry::find(target)?
            .simulate(*seed, setup.clone(), *policy)
            .with_context(|| format!("{target} cannot be simulated"))?;
        Ok(Simulated {
            members: cluster.members(),
            cluster,
            lazy: *lazy,
            link: setup.link,
            invariants: *invariants,
            ready: VecDeque::new(),
            waiting: None,
            interrupt: None,
            stopped: false,
            now: Nanos(0),
        })
    }

    /// From now on the run ends when this flag is raised.
    pub fn heed(&mut self, interrupt: &'static AtomicBool) {
        self.interrupt = Some(interrupt);
    }

    fn interrupted(&mut self) -> bool {
        let raised = self.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed));
        raised && self.interrupt.take().is_some()
    }

    /// Applies an action; nothing if it has to wait for a leader.
    fn apply(&mut self, action: &Action) -> Option<FaultOutcome> {
        Some(match action {
            Action::StartPartition { cut: Cut::Grudge(grudge), .. } => self.partition(grudge),
            Action::StartPartition { cut: Cut::LeaderAlone, .. } => {
                let leader = self.leader()?;
                let members = self.members.iter().copied();
                let others: Vec<NodeId> = members.filter(|node| *node != leader).collect();
                self.partition(&alone(leader, &others))
            }
            Action::StopPartition => {
                self.cluster.inject(&Fault::OpenAll);
                FaultOutcome::Installed("all links pass".into())
            }
            Action::Kill { aim } => {
                let nodes = self.resolve(aim)?;
                let lazy = self.lazy;
                let fault =
                    |node| if lazy { Fault::PowerOff { node } } else { Fault::Kill { node } };
                self.turn(&nodes, fault, "the node is down already")
            }
            Action::Pause { aim } => {
                let nodes = self.resolve(aim)?;
                self.turn(&nodes, |node| Fault::Pause { node }, "the node does not run")
            }
            Action::Start => self.turn_all(|node| Fault::Start { node }, "no node is down"),
            Action::Resume => self.turn_all(|node| Fault::Resume { node }, "no node is paused"),
            Action::StartPacket { aim, packet } => {
                let nodes = self.resolve(aim)?;
                let link = packet.link(self.link);
                self.shape(|from, to| nodes.contains(&from) || nodes.contains(&to), link);
                FaultOutcome::Installed(nodes_json(&nodes))
            }
            Action::StopPacket => {
                self.shape(|_, _| true, self.link);
                FaultOutcome::Installed("messages pass as they come".into())
            }
            Action::StartClock { aim, clock } => {
                let nodes = self.resolve(aim)?;
                self.turn(&nodes, |node| Fault::of_clock(node, *clock), "there is no such node")
            }
            Action::StopClock => {
                self.turn_all(|node| Fault::ClockReset { node }, "there is no node")
            }
        })
    }

    /// Changes the wires of which this is true.
    fn shape(&mut self, concerned: impl Fn(NodeId, NodeId) -> bool, link: sim::Link) {
        for to in self.members.clone() {
            for from in self.members.clone() {
                if from != to && concerned(from, to) {
                    self.cluster.inject(&Fault::Link { from, to, link });
                }
            }
        }
    }

    fn partition(&mut self, grudge: &Grudge) -> FaultOutcome {
        self.cluster.inject(&Fault::OpenAll);
        for (to, deaf_to) in grudge {
            for from in deaf_to {
                self.cluster.inject(&Fault::Gate { from: *from, to: *to, gate: Gate::Cut });
            }
        }
        FaultOutcome::Installed(grudge_json(grudge))
    }

    fn turn_all(&mut self, fault: impl Fn(NodeId) -> Fault, idle: &str) -> FaultOutcome {
        let members = self.members.clone();
        self.turn(&members, fault, idle)
    }

    /// Does it to each; `idle` is why there was nothing to do.
    fn turn(
        &mut self,
        nodes: &[NodeId],
        fault: impl Fn(NodeId) -> Fault,
        idle: &str,
    ) -> FaultOutcome {
        let mut turned = Vec::new();
        for node in nodes {
            if self.cluster.inject(&fault(*node)) == Injected::Installed {
                turned.push(*node);
            }
        }
        if turned.is_empty() {
            FaultOutcome::Skipped(idle.to_owned())
        } else {
            FaultOutcome::Installed(nodes_json(&turned))
        }
    }

    fn resolve(&self, aim: &Aim) -> Option<Vec<NodeId>> {
        match aim {
            Aim::Nodes(nodes) => Some(nodes.clone()),
            Aim::Leader => self.leader().map(|leader| vec![leader]),
        }
    }

    fn standing(&self) -> BTreeMap<NodeId, Status> {
        let status = |id: &NodeId| Some((*id, self.cluster.status(*id)?));
        self.members.iter().filter_map(status).collect()
    }

    fn leader(&self) -> Option<NodeId> {
        world::leader(&self.standing())
    }

    /// The action that waits for a leader is tried once more.
    fn retry(&mut self) -> Option<Happening> {
        let Waiting { action, deadline, .. } = self.waiting.take()?;
        let outcome = self.apply(&action).or_else(|| {
            let late = self.now >= deadline;
            late.then(|| FaultOutcome::Skipped("no node says that it leads".into()))
        });
        if outcome.is_none() {
            let next = Nanos(self.now.0 + LEADER_AGAIN.0);
            self.waiting = Some(Waiting { action, next, deadline });
        }
        outcome.map(Happening::Injected)
    }

    /// Lets the cluster go on until `until` or until it tells something.
    fn go_on(&mut self, until: Nanos) -> Option<Happening> {
        loop {
            let polled = self.cluster.poll(sim::Nanos(until.0));
            self.now = self.now.max(Nanos(self.cluster.now().0));
            match polled {
                Ok(None) => return None,
                Ok(Some(sim::Happening::Completed { thread, outcome })) => {
                    return Some(Happening::Completed { thread, outcome });
                }
                Ok(Some(sim::Happening::Stopped { node, why })) => {
                    return Some(Happening::NodeDied { node, reason: why });
                }
                Err(Stop::Violation(_)) if !self.invariants => {}
                Err(stop) => {
                    self.stopped = true;
                    return Some(told(&stop));
                }
            }
        }
    }
}

/// What the interpreter is told of a stop.
fn told(stop: &Stop) -> Happening {
    let (what, reason) = match stop {
        Stop::Violation(broken) => {
            (broken.property.replace(' ', "-"), format!("{}: {}", broken.property, broken.detail))
        }
        Stop::Livelock { .. } => ("livelock".to_owned(), stop.to_string()),
        Stop::Overflow { .. } => ("overflow".to_owned(), stop.to_string()),
    };
    Happening::Stopped { what, reason }
}

impl World for Simulated {
    fn now(&mut self) -> Nanos {
        self.now
    }

    fn invoke(&mut self, thread: usize, node: NodeId, request: Request) {
        self.cluster.begin(thread, node, request);
    }

    fn inject(&mut self, action: &Action) {
        if let Some(outcome) = self.apply(action) {
            self.ready.push_back(Happening::Injected(outcome));
        } else {
            let (next, deadline) = (self.now.0 + LEADER_AGAIN.0, self.now.0 + LEADER_MAX.0);
            let (next, deadline) = (Nanos(next), Nanos(deadline));
            self.waiting = Some(Waiting { action: action.clone(), next, deadline });
        }
    }

    fn poll(&mut self, until: Nanos) -> Option<Happening> {
        if self.interrupted() {
            return Some(Happening::Interrupted);
        }
        if let Some(happening) = self.ready.pop_front() {
            return Some(happening);
        }
        // At times of its own: when it happens to be polled decides nothing.
        while !self.stopped
            && let Some(next) = self.waiting.as_ref().map(|waiting| waiting.next)
            && next <= until
        {
            let happening = self.go_on(next).or_else(|| self.retry());
            if happening.is_some() {
                return happening;
            }
        }
        if !self.stopped {
            return self.go_on(until);
        }
        self.now = self.now.max(until);
        None
    }

    fn statuses(&mut self) -> BTreeMap<NodeId, Status> {
        self.standing()
    }

    fn calm(&mut self) {
        let Weather { link, disk, .. } = calm_weather();
        self.shape(|_, _| true, link);
        for node in self.members.clone() {
            self.cluster.inject(&Fault::Disk { node, disk });
        }
    }

    fn simulation(&self) -> Option<&dyn Cluster> {
        Some(self.cluster.as_ref())
    }

    fn messages(&mut self) -> Vec<Message> {
        messages::of_letters(self.cluster.post().letters())
    }

    fn turns(&mut self) -> Vec<Turn> {
        self.cluster.take_turns()
    }

    fn stop(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
