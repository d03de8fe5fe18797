//! The world as its callers see it: clients, life and death of nodes, determinism.

mod sim_toy;

use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_targets::sim::{
    Delay, Detail, Fault, Happened, Injected, Nanos, Observed, Observer, Setup, SetupError, Stop,
    View, Violation, World,
};
use sim_toy::{N1, N2, N3, Request, Response, Timer, Toy};

/// A scene of three toys that have booted, and whose timers are manual.
fn scene() -> World<Toy> {
    let setup = Setup { timers: false, ..Setup::scene(3) };
    let mut world = World::new(Seed(1), setup).unwrap();
    assert_eq!(world.poll(Nanos::NEVER), Ok(None));
    world
}

/// Everything that comes out until nothing is planned any more.
fn drain<O: Observer<Toy>>(world: &mut World<Toy, O>) -> Vec<Observed<Response>> {
    std::iter::from_fn(|| world.poll(Nanos::NEVER).unwrap()).collect()
}

/// A busy run with faults of all kinds, for comparing traces.
fn ordeal(seed: u64, change: impl FnOnce(&mut World<Toy>)) -> World<Toy> {
    let setup = Setup { detail: Detail::Payloads, ..Setup::new(5) };
    let mut world: World<Toy> = World::new(Seed(seed), setup).unwrap();
    change(&mut world);
    for round in 0..200u64 {
        let node = NodeId((round % 5) as u16 + 1);
        let other = NodeId(((round / 5) % 5) as u16 + 1);
        match round % 20 {
            3 => world.inject(&Fault::PowerOff { node }),
            8 => world.inject(&Fault::Start { node: N3 }),
            11 => world.inject(&Fault::Pause { node }),
            17 => world.inject(&Fault::Resume { node: N2 }),
            _ => Injected::Installed,
        };
        world.submit(other, Request::Write(round));
        world.wake_at(world.now() + Nanos::from_millis(3), round);
        while !matches!(world.poll(Nanos::NEVER).unwrap(), Some(Observed::Wake(_))) {}
    }
    world
}

#[test]
fn one_seed_gives_one_trace_and_another_another() {
    let text = |seed| ordeal(seed, |_| ()).trace().to_string();
    let trace = text(1);
    assert!(trace.lines().count() > 2_000);
    assert_eq!(trace, text(1));
    assert_ne!(trace, text(2));
}

#[test]
fn a_draw_more_in_one_stream_does_not_shift_another() {
    // One more request draws from the client's way to n1, and from no other stream: the other
    // nodes' beats, which draw from node and network streams, come at the same times.
    let beats = |world: &World<Toy>| -> Vec<Vec<u64>> {
        [2u16, 4, 5]
            .map(|id| world.node(NodeId(id)).map(|n| n.fired.clone()).unwrap_or_default())
            .to_vec()
    };
    let plain = ordeal(7, |_| ());
    let more = ordeal(7, |world| {
        world.submit(N1, Request::Clock);
    });
    assert_ne!(plain.trace().digest(), more.trace().digest());
    assert_eq!(beats(&plain), beats(&more));
    assert!(beats(&plain).iter().any(|fired| fired.len() > 10));
}

#[test]
fn a_write_is_answered_by_a_majority() {
    let mut world = scene();
    let token = world.submit(N1, Request::Write(7));
    let out = drain(&mut world);
    assert_eq!(out, [Observed::Response { token, node: N1, response: Response::Done }]);
    assert_eq!(world.now(), Nanos::from_millis(2));
    assert_eq!(world.view().journal(N3), [7]);
}

#[test]
fn a_dead_node_refuses_and_a_dying_one_loses() {
    let mut world = scene();
    world.inject(&Fault::Kill { node: N2 });
    world.inject(&Fault::Kill { node: N3 });
    let open = world.submit(N1, Request::Write(7));
    let refused = world.submit(N2, Request::Write(8));
    assert_eq!(drain(&mut world), [Observed::Refused { token: refused, node: N2 }]);
    world.inject(&Fault::Kill { node: N1 });
    assert_eq!(drain(&mut world), [Observed::Lost { token: open, node: N1 }]);
    assert_eq!(world.inject(&Fault::Kill { node: N1 }), Injected::Skipped("the node is down"));
    assert!(world.status(N1).is_none());
}

#[test]
fn a_request_that_arrives_after_the_restart_is_served() {
    let setup = Setup { client: Delay::Fixed(Nanos::from_millis(5)), ..Setup::scene(1) };
    let mut world: World<Toy> = World::new(Seed(1), setup).unwrap();
    let token = world.submit(N1, Request::Write(7));
    world.inject(&Fault::Kill { node: N1 });
    world.inject(&Fault::Start { node: N1 });
    let out = world.poll(Nanos::from_secs(1)).unwrap();
    assert_eq!(out, Some(Observed::Response { token, node: N1, response: Response::Done }));
    assert_eq!(world.now(), Nanos::from_millis(10));
}

#[test]
fn a_paused_node_is_silent_and_then_does_all_in_order() {
    let mut world = scene();
    world.inject(&Fault::Pause { node: N2 });
    let reads: Vec<_> = (0..3).map(|_| world.submit(N2, Request::Clock)).collect();
    let late = Nanos::from_secs(5);
    assert_eq!(world.poll(late), Ok(None));
    world.fire(N1, Timer::Beat);
    assert_eq!(world.poll(late + late), Ok(None));
    assert_eq!(world.node(N2).unwrap().beats, 0);
    world.inject(&Fault::Resume { node: N2 });
    let tokens: Vec<_> = drain(&mut world)
        .into_iter()
        .map(|observed| match observed {
            Observed::Response { token, .. } => token,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tokens, reads);
    assert_eq!(world.node(N2).unwrap().beats, 1);
}

#[test]
fn timers_of_a_paused_node_are_late_but_not_lost() {
    let mut world: World<Toy> = World::new(Seed(1), Setup::scene(1)).unwrap();
    world.inject(&Fault::Pause { node: N1 });
    assert_eq!(world.inject(&Fault::Pause { node: N1 }), Injected::Skipped("the node is down"));
    world.poll(Nanos::from_millis(5)).unwrap();
    world.inject(&Fault::Pause { node: N1 });
    world.poll(Nanos::from_secs(1)).unwrap();
    assert!(world.node(N1).unwrap().fired.is_empty());
    world.inject(&Fault::Resume { node: N1 });
    world.poll(Nanos::from_secs(1)).unwrap();
    let epoch = quorate_targets::sim::clock::EPOCH.0;
    assert_eq!(world.node(N1).unwrap().fired, [epoch + 1_000_000_000]);
}

#[test]
fn a_killed_node_forgets_its_timers_and_its_pause() {
    let mut world: World<Toy> = World::new(Seed(1), Setup::scene(1)).unwrap();
    world.poll(Nanos::from_millis(5)).unwrap();
    world.inject(&Fault::Pause { node: N1 });
    world.inject(&Fault::Kill { node: N1 });
    world.inject(&Fault::Start { node: N1 });
    world.poll(Nanos::from_millis(12)).unwrap();
    // The timer of the first life was due at 10 ms; that of the second is at 15 ms.
    assert!(world.node(N1).unwrap().fired.is_empty());
    world.poll(Nanos::from_millis(15)).unwrap();
    assert_eq!(world.node(N1).unwrap().fired.len(), 1);
}

#[test]
fn a_forgotten_request_and_a_second_answer_go_nowhere() {
    let mut world = scene();
    world.inject(&Fault::Pause { node: N1 });
    let token = world.submit(N1, Request::Clock);
    world.poll(Nanos::from_secs(1)).unwrap();
    world.forget(N1, token);
    world.inject(&Fault::Resume { node: N1 });
    assert_eq!(drain(&mut world), []);
    assert_eq!(world.counts().strays, 1);
    world.submit(N1, Request::Twice);
    assert_eq!(drain(&mut world).len(), 1);
    assert_eq!(world.counts().strays, 2);
}

#[test]
fn a_node_that_cannot_boot_says_why() {
    let setup = Setup::scene(1).with_option("refuse", "1");
    let mut world: World<Toy> = World::new(Seed(1), setup).unwrap();
    let why = "the options are wrong".to_owned();
    assert_eq!(drain(&mut world), [Observed::Stopped { node: N1, why }]);
    assert!(world.node(N1).is_none());
}

#[test]
fn clusters_that_cannot_be_made() {
    let new = |setup| World::<Toy>::new(Seed(1), setup).err();
    let nodes = 0;
    assert_eq!(new(Setup::new(0)), Some(SetupError::Size { nodes, max: 128 }));
    let mut gap = Setup::new(2);
    gap.nodes.remove(0);
    assert_eq!(new(gap), Some(SetupError::Numbering { place: 1, id: N2 }));
}

/// Nobody may hold more than two values; counts deaths.
#[derive(Default)]
struct AtMostTwo {
    deaths: usize,
    boots: usize,
}

impl Observer<Toy> for AtMostTwo {
    fn after(
        &mut self,
        view: &View<'_, Toy>,
        node: NodeId,
        happened: &Happened<'_, Toy>,
    ) -> Result<(), Violation> {
        match happened {
            Happened::Died => self.deaths += 1,
            Happened::Booted => self.boots += 1,
            Happened::Stepped(_) => {}
        }
        match view.nodes().find(|(_, toy)| toy.values.len() > 2) {
            Some((id, toy)) => Err(Violation {
                property: "at most two",
                at: view.now(),
                detail: format!("{id} has {:?} after a step of {node}", toy.values),
            }),
            None => Ok(()),
        }
    }
}

#[test]
fn an_observer_ends_the_run_where_an_invariant_breaks() {
    let setup = Setup { timers: false, ..Setup::scene(1) };
    let mut world = World::observed(Seed(1), setup, AtMostTwo::default()).unwrap();
    for value in 0..2 {
        world.submit(N1, Request::Write(value));
    }
    assert_eq!(drain(&mut world).len(), 2);
    world.inject(&Fault::Kill { node: N1 });
    world.inject(&Fault::Start { node: N1 });
    drain(&mut world);
    world.submit(N1, Request::Write(2));
    let stop = std::iter::from_fn(|| world.poll(Nanos::NEVER).transpose()).find_map(Result::err);
    let Some(Stop::Violation(violation)) = stop else { panic!("{stop:?}") };
    assert_eq!(violation.detail, "n1 has [0, 1, 2] after a step of n1");
    assert_eq!((world.observer().deaths, world.observer().boots), (1, 2));
}
