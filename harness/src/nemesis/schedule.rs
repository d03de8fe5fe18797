//! When which fault begins and ends: made from the seed alone, before the run.
//!
//! Each kind of fault is a flip-flop of its own, start and stop in turn, in its own stream of
//! randomness (`nemesis/partition`, ...), and the streams are merged by time. So faults of
//! different kinds overlap, and adding a kind does not move the others (the idea of Jepsen's
//! nemesis packages). The gaps between a kind's events are uniform between 0 and twice the
//! interval; then they are stretched alike, so that exactly as many events fit the run as the
//! interval promises. Without that, one kind in eight would break nothing in a run of five
//! intervals.
//!
//! Shapes and aims are dealt like cards: each comes once before any comes again.

use crate::nemesis::clock::Wrong;
use crate::nemesis::packet::Behaviour;
use crate::nemesis::{Action, Aim, Cut, FaultKind, Scheduled, Shape, Whom};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// A kind has at most this many events in a run; longer runs have longer intervals.
const EVENTS_MAX: u64 = 10_000;

/// The faults of a run, by time. `interval` is the mean time between a fault and its healing,
/// and between that and the next fault; every kind breaks something at least once, however short
/// `duration` is. What is still broken at the end is left to the harness to heal.
pub fn schedule(
    faults: &[FaultKind],
    interval: Duration,
    duration: Duration,
    nodes: &[NodeId],
    seed: Seed,
) -> Vec<Scheduled> {
    let mut merged = Vec::new();
    for kind in FaultKind::ALL.into_iter().filter(|kind| faults.contains(kind)) {
        let mut rng = seed.stream(&format!("nemesis/{}", kind.name()));
        let times = times_ms(interval, duration, &mut rng);
        let mut flip_flop = FlipFlop::new(kind, nodes);
        for (turn, at_ms) in times.into_iter().enumerate() {
            let action = if turn % 2 == 0 { flip_flop.start(&mut rng) } else { flip_flop.stop() };
            merged.extend(action.map(|action| Scheduled { at_ms, action }));
        }
    }
    merged.sort_by_key(|scheduled| scheduled.at_ms);
    merged
}

/// Aims every fault at whoever leads: what upsets a cluster most often.
pub fn aim_at_leaders(schedule: &mut [Scheduled]) {
    for Scheduled { action, .. } in schedule {
        match action {
            Action::Kill { aim }
            | Action::Pause { aim }
            | Action::StartPacket { aim, .. }
            | Action::StartClock { aim, .. } => *aim = Aim::Leader,
            Action::StartPartition { shape, cut } => {
                Shape::LeaderAlone.name().clone_into(shape);
                *cut = Cut::LeaderAlone;
            }
            Action::StopPartition
            | Action::Start
            | Action::Resume
            | Action::StopPacket
            | Action::StopClock => {}
        }
    }
}

/// Whether it does so; a schedule without faults does not.
pub fn is_aimed_at_leaders(schedule: &[Scheduled]) -> bool {
    let mut aimed = schedule.to_vec();
    aim_at_leaders(&mut aimed);
    aimed == schedule && !schedule.is_empty()
}

/// The mean time between a kind's events: what was asked for, unless the run is too long for that.
pub fn mean_gap(interval: Duration, duration: Duration) -> Duration {
    interval.max(duration / EVENTS_MAX as u32)
}

/// When a kind's events are, ascending, before the end of the run.
fn times_ms(interval: Duration, duration: Duration, rng: &mut ChaCha8Rng) -> Vec<u64> {
    let interval_ms = (interval.as_millis() as u64).max(1);
    let duration_ms = duration.as_millis() as u64;
    let count = (duration_ms / interval_ms).clamp(1, EVENTS_MAX) as usize;
    // One gap more than events: the last lies between the last event and the end.
    let gaps: Vec<u64> = (0..=count).map(|_| rng.random_range(1..=2 * interval_ms)).collect();
    let sum: u64 = gaps.iter().sum();
    gaps[..count]
        .iter()
        .scan(0, |so_far, gap| {
            *so_far += gap;
            Some(u128::from(*so_far) * u128::from(duration_ms) / u128::from(sum))
        })
        .map(|at_ms| at_ms as u64)
        .collect()
}

/// One kind's two actions.
enum FlipFlop<'a> {
    Partition { nodes: &'a [NodeId], shapes: Deck<Shape> },
    Kill { nodes: &'a [NodeId], whom: Deck<Whom> },
    Pause { nodes: &'a [NodeId], whom: Deck<Whom> },
    Packet { nodes: &'a [NodeId], whom: Deck<Whom>, behaviours: Deck<Behaviour> },
    Clock { nodes: &'a [NodeId], whom: Deck<Whom>, wrongs: Deck<Wrong> },
}

impl<'a> FlipFlop<'a> {
    fn new(kind: FaultKind, nodes: &'a [NodeId]) -> Self {
        let n = nodes.len();
        let whom = |of: &[Whom]| {
            Deck::new(of.iter().copied().filter(|whom| whom.nodes_min() <= n).collect())
        };
        match kind {
            FaultKind::Partition => {
                let fit = Shape::ALL.into_iter().filter(|shape| shape.nodes_min() <= n);
                FlipFlop::Partition { nodes, shapes: Deck::new(fit.collect()) }
            }
            FaultKind::Kill => FlipFlop::Kill {
                nodes,
                whom: whom(&[Whom::One, Whom::Minority, Whom::Majority, Whom::All, Whom::Leader]),
            },
            FaultKind::Pause => FlipFlop::Pause {
                nodes,
                whom: whom(&[Whom::One, Whom::Minority, Whom::Majority, Whom::Leader]),
            },
            FaultKind::Packet => FlipFlop::Packet {
                nodes,
                whom: whom(&[Whom::One, Whom::Minority, Whom::Majority, Whom::All]),
                behaviours: Deck::new(Behaviour::ALL.to_vec()),
            },
            FaultKind::Clock => FlipFlop::Clock {
                nodes,
                whom: whom(&[Whom::One, Whom::Minority, Whom::Majority]),
                wrongs: Deck::new(Wrong::ALL.to_vec()),
            },
        }
    }

    /// What breaks; `None` where a cluster of this size has nothing to break.
    fn start(&mut self, rng: &mut impl Rng) -> Option<Action> {
        match self {
            FlipFlop::Partition { nodes, shapes } => shapes.deal(rng).map(|shape| {
                Action::StartPartition { shape: shape.name().into(), cut: shape.cut(nodes, rng) }
            }),
            FlipFlop::Kill { nodes, whom } => {
                whom.deal(rng).map(|whom| Action::Kill { aim: whom.aim(nodes, rng) })
            }
            FlipFlop::Pause { nodes, whom } => {
                whom.deal(rng).map(|whom| Action::Pause { aim: whom.aim(nodes, rng) })
            }
            FlipFlop::Packet { nodes, whom, behaviours } => {
                let aim = whom.deal(rng)?.aim(nodes, rng);
                Some(Action::StartPacket { aim, packet: behaviours.deal(rng)?.packet(rng) })
            }
            FlipFlop::Clock { nodes, whom, wrongs } => {
                let aim = whom.deal(rng)?.aim(nodes, rng);
                Some(Action::StartClock { aim, clock: wrongs.deal(rng)?.fault(rng) })
            }
        }
    }

    /// What heals it.
    fn stop(&self) -> Option<Action> {
        let (action, cards) = match self {
            FlipFlop::Partition { shapes, .. } => (Action::StopPartition, shapes.cards.len()),
            FlipFlop::Kill { whom, .. } => (Action::Start, whom.cards.len()),
            FlipFlop::Pause { whom, .. } => (Action::Resume, whom.cards.len()),
            FlipFlop::Packet { whom, .. } => (Action::StopPacket, whom.cards.len()),
            FlipFlop::Clock { whom, .. } => (Action::StopClock, whom.cards.len()),
        };
        (cards > 0).then_some(action)
    }
}

/// Cards that are all dealt before they are shuffled again.
struct Deck<T> {
    cards: Vec<T>,
    dealt: usize,
}

impl<T: Copy> Deck<T> {
    fn new(cards: Vec<T>) -> Self {
        let dealt = cards.len();
        Deck { cards, dealt }
    }

    fn deal(&mut self, rng: &mut impl Rng) -> Option<T> {
        if self.dealt == self.cards.len() {
            self.cards.shuffle(rng);
            self.dealt = 0;
        }
        self.dealt += 1;
        self.cards.get(self.dealt - 1).copied()
    }
}

#[cfg(test)]
mod tests;
