//! The knobs of a run, drawn from its seed (swarm testing: Groce et al., ISSTA 2012).
//!
//! Cluster size, load, faults, weather and options of the target are drawn each for itself and
//! mostly to extremes; what a person has fixed stays fixed. The draws come from the stream
//! `knobs`, so that they shift nothing in the run itself.

use crate::catalog::{self, Target};
use crate::nemesis::{self, FaultKind};
use crate::plan::{Disk, Limits, Plan};
use crate::world::sim::calm_weather;
use anyhow::Result;
use quorate_targets::bugs::Bug;
use quorate_targets::node::{Config, NodeId};
use quorate_targets::registry;
use quorate_targets::seed::Seed;
use quorate_targets::sim::Weather;
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::time::Duration;

/// What does not vary over a hunt; absent is what is drawn.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// The target's name.
    pub target: &'static str,
    /// The workload's name.
    pub workload: &'static str,
    /// Cluster size.
    pub nodes: Option<u16>,
    /// Clients a node.
    pub clients_a_node: Option<usize>,
    /// Operations a second.
    pub rate: Option<f64>,
    /// Length of the main phase.
    pub time_limit: Option<Duration>,
    /// Kinds of fault.
    pub faults: Option<Vec<FaultKind>>,
    /// Mean time between a fault and its healing.
    pub interval: Option<Duration>,
    /// Seeded bugs that are switched on.
    pub bugs: Vec<Bug>,
    /// Options of the target.
    pub target_options: BTreeMap<String, String>,
    /// Options of the workload.
    pub workload_options: BTreeMap<String, String>,
    /// How disks treat what was not synced.
    pub disk: Option<Disk>,
    /// Whether only clients judge.
    pub clients_only: bool,
}

impl Fixed {
    /// A target at its first workload; all else is drawn.
    pub fn of(target: &Target) -> Fixed {
        Fixed {
            target: target.name,
            workload: target.workloads[0],
            nodes: None,
            clients_a_node: None,
            rate: None,
            time_limit: None,
            faults: None,
            interval: None,
            bugs: Vec::new(),
            target_options: BTreeMap::new(),
            workload_options: BTreeMap::new(),
            disk: None,
            clients_only: false,
        }
    }
}

/// Options of workloads that are worth varying, with values to choose from; the empty one leaves
/// the default. Those of a target are in its entry of the registry.
const VARIED: &[(&str, &str, &[&str])] = &[
    ("register", "keys", &["", "1", "2", "10"]),
    ("register", "ops-per-key", &["", "40", "150", "2000"]),
    ("register", "crashes-per-key", &["", "3", "30"]),
    ("register", "cas", &["", "0", "6"]),
    ("orders", "items", &["", "1", "10"]),
    ("orders", "customers", &["", "2"]),
    ("orders", "cancel", &["", "0", "6"]),
];

/// How long the main phase is, in milliseconds.
const LENGTHS_MS: &[u64] = &[2_000, 3_000, 5_000, 8_000];
const RATES: &[f64] = &[50.0, 150.0, 300.0, 600.0];
const INTERVALS_MS: &[u64] = &[100, 200, 400, 800, 1_600];
const SIZES: &[u16] = &[3, 3, 3, 5, 5, 7];

/// The plan of the run with this seed.
pub fn draw(fixed: &Fixed, seed: Seed) -> Result<Plan> {
    let rng = &mut seed.stream("knobs");
    // All is drawn, and then what is fixed put in its place: fixing one knob moves no other.
    let nodes = pick(rng, SIZES);
    let clients = pick(rng, &[1, 2, 4, 8]);
    let rate = pick(rng, RATES);
    let length = Duration::from_millis(pick(rng, LENGTHS_MS));
    let interval = Duration::from_millis(pick(rng, INTERVALS_MS));
    let faults = draw_faults(rng);
    let disk = if rng.random_ratio(3, 4) { Disk::Lazy } else { Disk::Sync };
    let calm = rng.random_ratio(1, 3);
    let at_leaders = rng.random_ratio(1, 3);
    let target = registry::find(fixed.target)?;
    let mut target_options = draw_options(rng, target.about.varied.iter().copied());
    let of_workload = VARIED.iter().filter(|(workload, ..)| *workload == fixed.workload);
    let mut workload_options =
        draw_options(rng, of_workload.map(|(_, name, values)| (*name, *values)));
    workload_options.extend(target.defaults(fixed.workload));
    target_options.extend(fixed.target_options.clone());
    workload_options.extend(fixed.workload_options.clone());
    let nodes = fixed.nodes.unwrap_or_else(|| {
        if boots(fixed.target, nodes) { nodes } else { default_size(fixed.target) }
    });
    let time_limit = fixed.time_limit.unwrap_or(length);
    let interval = fixed.interval.unwrap_or(interval);
    let faults = fixed.faults.clone().unwrap_or(faults);
    let members: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
    catalog::new_workload(fixed.workload, &workload_options, seed, &members)
        .map_err(anyhow::Error::msg)?;
    let mut plan = Plan {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: String::new(),
        target: fixed.target.to_owned(),
        workload: fixed.workload.to_owned(),
        nodes,
        concurrency: fixed.clients_a_node.unwrap_or(clients) * usize::from(nodes),
        rate: fixed.rate.unwrap_or(rate),
        time_limit,
        nemesis: faults.iter().map(|fault| fault.name().to_owned()).collect(),
        nemesis_interval: interval,
        seed,
        bugs: fixed.bugs.clone(),
        target_options,
        workload_options,
        disk: fixed.disk.unwrap_or(disk),
        limits: Limits::default(),
        schedule: nemesis::schedule(&faults, interval, time_limit, &members, seed),
        weather: Some(if calm { calm_weather() } else { Weather::draw(seed) }),
        clients_only: fixed.clients_only,
        fail_fast: false,
        script: None,
    };
    if at_leaders {
        nemesis::aim_at_leaders(&mut plan.schedule);
    }
    plan.command = plan.command_line();
    Ok(plan)
}

/// Whether the target runs with so many nodes.
pub fn boots(target: &str, nodes: u16) -> bool {
    let members: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
    let config = Config { id: NodeId(1), members, bugs: Vec::new(), options: BTreeMap::new() };
    registry::find(target).is_ok_and(|target| target.validate(config).is_ok())
}

fn default_size(target: &str) -> u16 {
    registry::find(target).map_or(1, |target| target.about.nodes)
}

/// A value for each option, or none where the default is to stay.
fn draw_options(
    rng: &mut ChaCha8Rng,
    varied: impl Iterator<Item = (&'static str, &'static [&'static str])>,
) -> BTreeMap<String, String> {
    varied
        .map(|(name, values)| (name.to_owned(), pick(rng, values).to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// Each kind with even odds, but at least one.
/// Faults that are mixed. What befalls single messages is the weather's.
const DRAWN: [FaultKind; 3] = [FaultKind::Partition, FaultKind::Kill, FaultKind::Pause];

fn draw_faults(rng: &mut ChaCha8Rng) -> Vec<FaultKind> {
    let one = pick(rng, &DRAWN);
    DRAWN.into_iter().filter(|kind| rng.random_ratio(1, 2) || *kind == one).collect()
}

/// One of some; there is at least one.
fn pick<T: Copy>(rng: &mut ChaCha8Rng, some: &[T]) -> T {
    some.choose(rng).copied().unwrap_or(some[0])
}
