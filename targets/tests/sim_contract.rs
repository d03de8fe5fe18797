//! The contract of `Node`, checked from outside over many random ordeals: whatever a node says
//! behind a sync is true of its disk, whatever happens to it later; and one seed is one run, in
//! every thread, process and version.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod sim_toy;

use quorate_targets::node::{Input, NodeId};
use quorate_targets::seed::Seed;
use quorate_targets::sim::{
    Delay, DiskBehaviour, Fault, Gate, Happened, Link, Nanos, Observed, Observer, Ppm, Setup,
    Sometimes, Survival, View, Violation, World,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use sim_toy::{Message, Request, Response, Toy};
use std::collections::BTreeSet;

/// Who said of which value that it is on its disk.
#[derive(Default)]
struct Honesty {
    promised: BTreeSet<(NodeId, u64)>,
    sometimes: Sometimes,
    broken: Option<String>,
}

impl Observer<Toy> for Honesty {
    fn before(&mut self, view: &View<'_, Toy>, _: NodeId, input: &Input<Toy>) {
        let Input::Message { from, message: Message::Stored(value) } = input else { return };
        self.promised.insert((*from, *value));
        self.sometimes.saw("a promise came");
        if view.node(*from).is_none() {
            self.sometimes.saw("a promise of a dead node came");
        }
        if !view.journal(*from).contains(value) {
            self.broken = Some(format!("{from} said it had {value} on disk"));
        }
    }

    fn after(
        &mut self,
        view: &View<'_, Toy>,
        node: NodeId,
        happened: &Happened<'_, Toy>,
    ) -> Result<(), Violation> {
        if let Happened::Booted = happened {
            let held = view.node(node).map(|toy| toy.values.clone()).unwrap_or_default();
            let mut promised = self.promised.iter().filter(|(from, _)| *from == node);
            if let Some((_, value)) = promised.find(|(_, value)| !held.contains(value)) {
                self.broken = Some(format!("{node} lost {value}, which was on its disk"));
            }
        }
        let violation = |detail| Violation { property: "honesty", at: view.now(), detail };
        self.broken.take().map_or(Ok(()), |detail| Err(violation(detail)))
    }
}

/// One random deed, mostly bad.
fn deed(world: &mut World<Toy, Honesty>, rng: &mut ChaCha8Rng) {
    let nodes = world.members().count() as u16;
    let node = NodeId(rng.random_range(1..=nodes));
    let to = NodeId(rng.random_range(1..=nodes));
    let healthy = world_disk(rng);
    let fault = match rng.random_range(0..14) {
        0 => Fault::PowerOff { node },
        1 => Fault::Kill { node },
        2..=4 => Fault::Start { node },
        5 => Fault::Pause { node },
        6 => Fault::Resume { node },
        7 => Fault::Gate { from: node, to, gate: Gate::Cut },
        8 => Fault::Gate { from: node, to, gate: Gate::Held },
        9 => Fault::OpenAll,
        10 => Fault::ClockDrift { node, ppm: rng.random_range(-500_000..500_000) },
        11 => Fault::Disk { node, disk: DiskBehaviour { stuck: true, ..healthy } },
        12 => Fault::Disk { node, disk: DiskBehaviour { fail: Ppm::percent(5), ..healthy } },
        _ => Fault::Disk { node, disk: healthy },
    };
    world.inject(&fault);
}

fn world_disk(rng: &mut ChaCha8Rng) -> DiskBehaviour {
    let sync = Delay::HeavyTail { base: Nanos::from_micros(100), scale: Nanos::from_millis(1) };
    let survival = match rng.random_range(0..3) {
        0 => Survival::Nothing,
        1 => Survival::Prefix,
        _ => Survival::Everything,
    };
    DiskBehaviour { survival, ..DiskBehaviour::healthy(sync) }
}

/// Runs one ordeal; what came out, in the order in which it came.
fn ordeal(seed: u64) -> (World<Toy, Honesty>, Vec<Observed<Response>>) {
    let mut rng = Seed(seed).stream("ordeal");
    let link = Link {
        loss: Ppm::percent(rng.random_range(0..10)),
        duplicate: Ppm::percent(rng.random_range(0..10)),
        reorder: Ppm::percent(rng.random_range(0..50)),
        ..Setup::new(1).link
    };
    let nodes = rng.random_range(2..6);
    let setup = Setup { link, disk: world_disk(&mut rng), ..Setup::new(nodes) };
    let mut world = World::observed(Seed(seed), setup, Honesty::default()).unwrap();
    let mut out = Vec::new();
    for value in 0..400 {
        let node = NodeId(rng.random_range(1..=nodes));
        world.submit(node, Request::Write(value));
        if rng.random_bool(0.2) {
            deed(&mut world, &mut rng);
        }
        let until = world.now() + Nanos::from_micros(rng.random_range(0..2_000));
        out.extend(std::iter::from_fn(|| world.poll(until).unwrap()));
    }
    (world, out)
}

#[test]
fn what_is_said_behind_a_sync_is_true_for_ever() {
    let mut sometimes = Sometimes::declare(&["a promise came", "a promise of a dead node came"]);
    let mut deaths = 0;
    for seed in 0..100 {
        let (world, _) = ordeal(seed);
        sometimes.merge(&world.observer().sometimes);
        deaths += world.counts().deaths;
    }
    assert_eq!(sometimes.never().count(), 0);
    assert!(sometimes.count("a promise came") > 5_000, "{sometimes:?}");
    assert!(deaths > 300, "{deaths}");
}

#[test]
fn every_request_ends_at_most_once() {
    for seed in 0..50 {
        let (world, out) = ordeal(seed);
        let mut ended = BTreeSet::new();
        for observed in out {
            match observed {
                Observed::Response { token, .. }
                | Observed::Refused { token, .. }
                | Observed::Lost { token, .. } => assert!(ended.insert(token), "{token:?}"),
                Observed::Wake(_) | Observed::Stopped { .. } => {}
            }
        }
        assert!(ended.len() > 20);
        assert_eq!(world.counts().strays, 0);
    }
}

#[test]
fn threads_do_not_matter() {
    let alone: Vec<u64> = (0..4).map(|seed| ordeal(seed).0.trace().digest()).collect();
    let threads: Vec<_> =
        (0..4).map(|seed| std::thread::spawn(move || ordeal(seed).0.trace().digest())).collect();
    let threads: Vec<u64> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(alone, threads);
}

/// If this fails on another machine, the simulator depends on something that it must not. If it
/// fails after a change of the simulator, old seeds mean new runs: say so, and set it anew.
#[test]
fn a_seed_means_the_same_everywhere() {
    assert_eq!(ordeal(1).0.trace().digest(), 0xf672_67e8_9904_5537);
}
