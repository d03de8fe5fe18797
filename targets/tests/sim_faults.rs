//! Each fault is shown to bite, and to bite only where it should.

mod sim_toy;

use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{
    Delay, DiskBehaviour, Fault, Gate, Injected, Link, Nanos, Observed, Ppm, Setup, Survival, World,
};
use sim_toy::{N1, N2, N3, Request, Response, Timer, Toy};

const MS: Nanos = Nanos::from_millis(1);

/// A scene of `nodes` toys with manual timers, booted. Syncs take 10 ms.
fn scene(nodes: u16) -> World<Toy> {
    let disk = DiskBehaviour::healthy(Delay::Fixed(Nanos::from_millis(10)));
    let setup = Setup { timers: false, disk, ..Setup::scene(nodes) };
    let mut world = World::new(Seed(1), setup).unwrap();
    assert_eq!(world.poll(Nanos::NEVER), Ok(None));
    world
}

/// Everything that comes out until `until`.
fn drain(world: &mut World<Toy>, until: Nanos) -> Vec<Observed<Response>> {
    std::iter::from_fn(|| world.poll(until).unwrap()).collect()
}

/// Everything that comes out in the next `span`.
fn run(world: &mut World<Toy>, span: Nanos) -> Vec<Observed<Response>> {
    let until = world.now() + span;
    drain(world, until)
}

fn gate(world: &mut World<Toy>, from: NodeId, to: NodeId, gate: Gate) {
    assert_eq!(world.inject(&Fault::Gate { from, to, gate }), Injected::Installed);
}

fn beats(world: &World<Toy>, node: NodeId) -> u64 {
    world.node(node).map_or(0, |toy| toy.beats)
}

/// What the node at `node` has after it lost its power and came back.
fn after_power_loss(world: &mut World<Toy>, node: NodeId) -> Vec<u64> {
    world.inject(&Fault::PowerOff { node });
    world.inject(&Fault::Start { node });
    run(world, MS);
    world.node(node).unwrap().values.clone()
}

fn disk(world: &mut World<Toy>, node: NodeId, disk: DiskBehaviour) {
    assert_eq!(world.inject(&Fault::Disk { node, disk }), Injected::Installed);
}

// The network.

#[test]
fn a_cut_is_one_way_and_takes_what_is_under_way() {
    let mut world = scene(3);
    world.fire(N1, Timer::Beat);
    world.poll(world.now()).unwrap();
    gate(&mut world, N1, N2, Gate::Cut);
    run(&mut world, MS + MS);
    assert_eq!((beats(&world, N2), beats(&world, N3)), (0, 1));
    world.fire(N2, Timer::Beat);
    world.fire(N1, Timer::Beat);
    run(&mut world, MS + MS);
    assert_eq!((beats(&world, N1), beats(&world, N2), beats(&world, N3)), (1, 0, 3));
    world.inject(&Fault::OpenAll);
    world.fire(N1, Timer::Beat);
    run(&mut world, MS + MS);
    assert_eq!(beats(&world, N2), 1);
    assert_eq!(world.counts().lost, 2);
}

#[test]
fn a_hold_delivers_late_and_all() {
    let mut world = scene(2);
    world.fire(N1, Timer::Beat);
    world.poll(world.now()).unwrap();
    gate(&mut world, N1, N2, Gate::Held);
    world.fire(N1, Timer::Beat);
    run(&mut world, Nanos::from_secs(1));
    assert_eq!(beats(&world, N2), 0);
    gate(&mut world, N1, N2, Gate::Open);
    run(&mut world, MS);
    assert_eq!((beats(&world, N2), world.counts().lost), (2, 0));
}

#[test]
fn a_link_loses_and_duplicates() {
    let link = Link::delayed(Delay::Fixed(MS));
    for (link, expected) in [
        (Link { loss: Ppm::ALWAYS, ..link }, 0),
        (Link { duplicate: Ppm::ALWAYS, ..link }, 2),
        (Link { delay: Delay::Fixed(Nanos::from_secs(9)), ..link }, 0),
        (link, 1),
    ] {
        let mut world = scene(3);
        world.inject(&Fault::Link { from: N1, to: N2, link });
        world.fire(N1, Timer::Beat);
        run(&mut world, MS + MS + MS);
        assert_eq!((beats(&world, N2), beats(&world, N3)), (expected, 1), "{link:?}");
    }
}

#[test]
fn faults_without_an_object_are_skipped() {
    let mut world = scene(2);
    let nobody = NodeId(9);
    for fault in [
        Fault::Kill { node: nobody },
        Fault::Gate { from: N1, to: nobody, gate: Gate::Cut },
        Fault::Gate { from: N1, to: N1, gate: Gate::Cut },
        Fault::Start { node: N1 },
        Fault::Resume { node: N1 },
        Fault::BitFlip { node: N1, from_end: None },
    ] {
        assert!(matches!(world.inject(&fault), Injected::Skipped(_)), "{fault:?}");
    }
}

// Clocks.

#[test]
fn a_jump_moves_the_reading_and_not_the_timers() {
    let mut world: World<Toy> = World::new(Seed(1), Setup::scene(1)).unwrap();
    world.poll(Nanos::from_millis(5)).unwrap();
    world.inject(&Fault::ClockJump { node: N1, by_ns: -3_600_000_000_000 });
    drain(&mut world, Nanos::from_millis(15));
    let epoch = quorate_targets::sim::clock::EPOCH.0;
    assert_eq!(world.node(N1).unwrap().fired, [epoch + 10_000_000 - 3_600_000_000_000]);
    world.inject(&Fault::ClockReset { node: N1 });
    let now = world.now().0;
    let token = world.submit(N1, Request::Clock);
    let response = Response::Clock(epoch + now);
    assert_eq!(run(&mut world, MS), [Observed::Response { token, node: N1, response }]);
}

#[test]
fn drift_bends_timers_that_already_run() {
    for (ppm, real_ms) in [(500_000, 7), (-500_000, 16), (0, 10)] {
        // At 4 ms the timer of 10 ms has 6 ms to go: 4 at the fast clock, 12 at the slow one.
        let mut world: World<Toy> = World::new(Seed(1), Setup::scene(1)).unwrap();
        drain(&mut world, Nanos::from_millis(4));
        world.inject(&Fault::ClockDrift { node: N1, ppm });
        drain(&mut world, Nanos::from_millis(real_ms) - Nanos(1));
        let early = world.node(N1).unwrap().fired.len();
        drain(&mut world, Nanos::from_millis(real_ms + 1));
        let late = world.node(N1).unwrap().fired.len();
        assert_eq!((early, late), (0, 1), "{ppm}");
    }
}

// Disks.

#[test]
fn nothing_that_waits_for_a_sync_escapes_a_crash() {
    // The crash comes a nanosecond before the sync ends, and then a nanosecond after it.
    for (before, answered) in [(Nanos(1), false), (Nanos(0), true)] {
        let mut world = scene(1);
        let token = world.submit(N1, Request::Write(7));
        let out = run(&mut world, Nanos::from_millis(10) - before);
        world.inject(&Fault::PowerOff { node: N1 });
        let end = run(&mut world, MS);
        world.inject(&Fault::Start { node: N1 });
        run(&mut world, MS);
        let values = world.node(N1).unwrap().values.clone();
        let done = Observed::Response { token, node: N1, response: Response::Done };
        if answered {
            assert_eq!((out, end, values), (vec![done], vec![], vec![7]));
        } else {
            let lost = Observed::Lost { token, node: N1 };
            assert_eq!((out, end, values), (vec![], vec![lost], vec![]));
        }
    }
}

#[test]
fn the_node_goes_on_behind_a_sync_but_its_words_stay_in_order() {
    let mut world = scene(1);
    let write = world.submit(N1, Request::Write(7));
    let read = world.submit(N1, Request::Read);
    assert_eq!(run(&mut world, Nanos::from_millis(9)), []);
    assert_eq!(world.node(N1).unwrap().values, [7], "it has taken both requests");
    let responses = [(write, Response::Done), (read, Response::Values(vec![7]))];
    let expected =
        responses.map(|(token, response)| Observed::Response { token, node: N1, response });
    assert_eq!(run(&mut world, MS), expected);
}

#[test]
fn syncs_behind_a_sync_are_done_by_one() {
    let mut world = scene(1);
    world.submit(N1, Request::Write(1));
    run(&mut world, MS);
    for value in 2..=50 {
        world.submit(N1, Request::Write(value));
    }
    // The first sync ends at 10 ms and covers one write; the second at 20 ms covers the rest.
    assert_eq!(drain(&mut world, Nanos::from_millis(10)).len(), 1);
    assert_eq!(drain(&mut world, Nanos::from_millis(20)).len(), 49);
    assert_eq!(world.counts().syncs, 2);
}

#[test]
fn a_loss_of_power_takes_exactly_what_was_not_synced() {
    let mut world = scene(1);
    world.submit(N1, Request::Write(1));
    run(&mut world, Nanos::from_millis(10));
    for value in 2..=4 {
        world.submit(N1, Request::Write(value));
    }
    run(&mut world, MS);
    assert_eq!(after_power_loss(&mut world, N1), [1]);
}

#[test]
fn a_kill_takes_nothing_that_was_written() {
    let mut world = scene(1);
    for value in 1..=4 {
        world.submit(N1, Request::Write(value));
    }
    run(&mut world, MS);
    world.inject(&Fault::Kill { node: N1 });
    world.inject(&Fault::Start { node: N1 });
    run(&mut world, MS);
    assert_eq!(world.node(N1).unwrap().values, [1, 2, 3, 4]);
}

#[test]
fn a_rewrite_is_whole_or_not_at_all() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..64 {
        let behaviour = DiskBehaviour {
            survival: Survival::Prefix,
            ..DiskBehaviour::healthy(Delay::Fixed(Nanos::from_millis(10)))
        };
        let setup = Setup { timers: false, disk: behaviour, ..Setup::scene(1) };
        let mut world: World<Toy> = World::new(Seed(seed), setup).unwrap();
        for value in 1..=3 {
            world.submit(N1, Request::Write(value));
        }
        run(&mut world, Nanos::from_millis(50));
        world.submit(N1, Request::Compact(100));
        world.submit(N1, Request::Write(101));
        run(&mut world, MS);
        seen.insert(after_power_loss(&mut world, N1));
    }
    let expected = [vec![1, 2, 3], vec![100], vec![100, 101]];
    assert_eq!(seen, expected.into_iter().collect());
}

#[test]
fn a_rewrite_answers_when_it_is_on_disk() {
    let mut world = scene(1);
    world.submit(N1, Request::Compact(100));
    assert_eq!(run(&mut world, Nanos::from_millis(9)), []);
    assert_eq!(run(&mut world, MS).len(), 1);
    assert_eq!(after_power_loss(&mut world, N1), [100]);
}

#[test]
fn a_full_disk_stops_the_node_until_there_is_room() {
    let mut world = scene(1);
    let healthy = DiskBehaviour::healthy(Delay::NONE);
    disk(&mut world, N1, DiskBehaviour { room: Some(2), ..healthy });
    for value in 1..=2 {
        world.submit(N1, Request::Write(value));
    }
    assert_eq!(run(&mut world, MS).len(), 2);
    let token = world.submit(N1, Request::Write(3));
    let why = "no space left on device".to_owned();
    let out = run(&mut world, MS);
    assert!(out.contains(&Observed::Stopped { node: N1, why }), "{out:?}");
    assert!(out.contains(&Observed::Lost { token, node: N1 }), "{out:?}");
    disk(&mut world, N1, healthy);
    world.inject(&Fault::Start { node: N1 });
    world.submit(N1, Request::Write(4));
    assert_eq!(run(&mut world, MS).len(), 1);
    assert_eq!(world.view().journal(N1), [1, 2, 4]);
}

#[test]
fn a_failed_sync_stops_the_node_and_answers_nothing() {
    let mut world = scene(1);
    let failing = DiskBehaviour { fail: Ppm::ALWAYS, ..DiskBehaviour::healthy(Delay::NONE) };
    disk(&mut world, N1, failing);
    let token = world.submit(N1, Request::Write(1));
    let why = "the journal could not be synced".to_owned();
    let out = run(&mut world, MS);
    assert!(out.contains(&Observed::Stopped { node: N1, why }), "{out:?}");
    assert!(out.contains(&Observed::Lost { token, node: N1 }), "{out:?}");
}

#[test]
fn a_stuck_disk_holds_all_answers_until_it_is_freed() {
    let mut world = scene(1);
    let healthy = DiskBehaviour::healthy(Delay::NONE);
    disk(&mut world, N1, DiskBehaviour { stuck: true, ..healthy });
    world.submit(N1, Request::Write(1));
    world.submit(N1, Request::Read);
    assert_eq!(run(&mut world, Nanos::from_secs(9)), []);
    disk(&mut world, N1, healthy);
    assert_eq!(run(&mut world, MS).len(), 2);
}

#[test]
fn a_flipped_bit_stops_the_boot_or_cuts_the_tail() {
    for (from_end, comes_up) in [(1, false), (0, true)] {
        let mut world = scene(1);
        for value in 1..=3 {
            world.submit(N1, Request::Write(value));
        }
        run(&mut world, Nanos::from_millis(50));
        world.inject(&Fault::BitFlip { node: N1, from_end: Some(from_end) });
        world.inject(&Fault::Kill { node: N1 });
        world.inject(&Fault::Start { node: N1 });
        let out = run(&mut world, MS);
        if comes_up {
            assert_eq!(world.node(N1).unwrap().values, [1, 2]);
            continue;
        }
        let why = "journal record 2 of 3: checksum mismatch".to_owned();
        assert_eq!(out, [Observed::Stopped { node: N1, why }]);
        world.inject(&Fault::Repair { node: N1 });
        world.inject(&Fault::Start { node: N1 });
        run(&mut world, MS);
        assert_eq!(world.node(N1).unwrap().values, [1, 2, 3]);
    }
}

#[test]
fn faults_are_data() {
    let fault = Fault::Gate { from: N1, to: N2, gate: Gate::Held };
    let json = r#"{"do":"gate","from":1,"to":2,"gate":"held"}"#;
    assert_eq!(serde_json::to_string(&fault).unwrap(), json);
    assert_eq!(serde_json::from_str::<Fault>(json).unwrap(), fault);
    assert!(serde_json::from_str::<Fault>(r#"{"do":"nothing"}"#).is_err());
}
