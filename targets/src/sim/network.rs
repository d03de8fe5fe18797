//! The network: one wire for each ordered pair of nodes, each with a behaviour, a gate and a
//! random stream of its own (`network/n1-n2`).
//!
//! A wire keeps the order of its messages, as a TCP connection does, but for those that it is
//! told to reorder. A message takes two words of the wire's stream, whatever the behaviour: so
//! turning loss on does not change the delays of the messages that still arrive. A gate that
//! is cut loses what is sent *and* what is under way when it comes to the end; a gate that is
//! held keeps both, in order, and lets them go when it is opened.

use super::time::{Delay, Nanos, Ppm, mix};
use crate::seed::Seed;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many messages a held wire keeps; it loses those that come after.
pub const HELD_MAX: usize = 1 << 16;

/// What a narrow wire lets wait before it loses messages.
pub const BACKLOG_MAX: Nanos = Nanos::from_secs(1);

/// How a wire treats its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// How long a message is under way.
    pub delay: Delay,
    /// The chance that it takes as long as the one before it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub delay_correlation: Ppm,
    /// The chance that it is lost.
    #[serde(default)]
    pub loss: Ppm,
    /// The chance that it arrives twice, the second time out of order.
    #[serde(default)]
    pub duplicate: Ppm,
    /// The chance that it takes a second delay and may be overtaken.
    #[serde(default)]
    pub reorder: Ppm,
    /// The chance that it arrives damaged, so that its receiver throws it away: to nodes the same
    /// as being lost.
    #[serde(default, skip_serializing_if = "is_default")]
    pub corrupt: Ppm,
    /// The chance that a message shares the luck of the one before it, in all of that: so bad luck
    /// comes in bursts, at the same rates.
    #[serde(default, skip_serializing_if = "is_default")]
    pub correlation: Ppm,
    /// How long a message occupies the wire; those behind it wait, and are lost where too many do.
    #[serde(default, skip_serializing_if = "is_default")]
    pub occupies: Nanos,
}

impl Link {
    /// A wire that only takes its time.
    #[must_use]
    pub const fn delayed(delay: Delay) -> Link {
        Link {
            delay,
            delay_correlation: Ppm::NEVER,
            loss: Ppm::NEVER,
            duplicate: Ppm::NEVER,
            reorder: Ppm::NEVER,
            corrupt: Ppm::NEVER,
            correlation: Ppm::NEVER,
            occupies: Nanos::ZERO,
        }
    }
}

/// Whether messages pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// They pass.
    Open,
    /// They are lost.
    Cut,
    /// They wait.
    Held,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What becomes of a message that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives, perhaps twice.
    Arrives { at: Nanos, again: Option<Nanos> },
    /// It is lost by chance, or damaged.
    Lost,
    /// It is lost at a cut gate.
    Cut,
}

/// A message that waits at a held gate, and its number.
pub(super) type Held<M> = (u64, M);

/// What befell a message.
#[derive(Clone, Copy, Debug, Default)]
struct Luck {
    lost: bool,
    twice: bool,
    overtaken: bool,
}

#[derive(Debug)]
struct Wire<M> {
    link: Link,
    gate: Gate,
    rng: ChaCha8Rng,
    /// When the last message that keeps its order arrives.
    last: Nanos,
    /// When a narrow wire has sent all that it was given.
    free: Nanos,
    luck: Luck,
    /// What decided how long the last message took.
    pace: Option<u64>,
    held: VecDeque<Held<M>>,
}

/// All wires. Nodes are indices from 0.
#[derive(Debug)]
pub(super) struct Network<M> {
    nodes: usize,
    wires: Vec<Wire<M>>,
}

impl<M> Network<M> {
    pub(super) fn new(seed: Seed, nodes: usize, link: Link) -> Self {
        let wire = |i: usize| {
            let (from, to) = (i / nodes, i % nodes);
            // What a node sends to itself does not touch the network.
            let link = if from == to { Link::delayed(Delay::NONE) } else { link };
            let rng = seed.stream(&format!("network/n{}-n{}", from + 1, to + 1));
            let (last, free) = (Nanos::ZERO, Nanos::ZERO);
            let (luck, held) = (Luck::default(), VecDeque::new());
            Wire { link, gate: Gate::Open, rng, last, free, luck, pace: None, held }
        };
        Network { nodes, wires: (0..nodes * nodes).map(wire).collect() }
    }

    fn wire(&mut self, from: usize, to: usize) -> &mut Wire<M> {
        &mut self.wires[from * self.nodes + to]
    }

    pub(super) fn gate(&self, from: usize, to: usize) -> Gate {
        self.wires[from * self.nodes + to].gate
    }

    /// A message is sent now.
    pub(super) fn send(&mut self, from: usize, to: usize, now: Nanos) -> Fate {
        let wire = self.wire(from, to);
        let (delay, chance) = (wire.rng.next_u64(), wire.rng.next_u64());
        if wire.gate == Gate::Cut {
            return Fate::Cut;
        }
        let more = mix(delay ^ chance.rotate_left(32));
        if !wire.link.correlation.happens((more >> 32) as u32) {
            wire.luck = Luck {
                lost: wire.link.loss.happens(chance as u32)
                    || wire.link.corrupt.happens(mix(chance) as u32),
                twice: wire.link.duplicate.happens((chance >> 32) as u32),
                overtaken: wire.link.reorder.happens(more as u32),
            };
        }
        let sent = wire.free.max(now) + wire.link.occupies;
        if wire.luck.lost || sent - now > wire.link.occupies + BACKLOG_MAX {
            return Fate::Lost;
        }
        wire.free = sent;
        let alike = wire.link.delay_correlation.happens(mix(delay) as u32);
        let pace = wire.pace.filter(|_| alike).unwrap_or(delay);
        wire.pace = Some(pace);
        let mut at = sent + wire.link.delay.draw(pace);
        let again = wire.luck.twice.then(|| at + wire.link.delay.draw(mix(more)));
        if wire.luck.overtaken {
            at = at + wire.link.delay.draw(mix(more ^ chance));
        } else {
            at = at.max(wire.last);
            wire.last = at;
        }
        Fate::Arrives { at, again }
    }

    /// A message has come to the end of a held wire. `false` if it found no room.
    pub(super) fn hold(&mut self, from: usize, to: usize, held: Held<M>) -> bool {
        let wire = self.wire(from, to);
        let room = wire.held.len() < HELD_MAX;
        if room {
            wire.held.push_back(held);
        }
        room
    }

    /// Sets a gate. If it opens, whatever waited at it arrives at the times given, in order; if
    /// it is cut, that is lost.
    pub(super) fn set_gate(
        &mut self,
        from: usize,
        to: usize,
        gate: Gate,
        now: Nanos,
    ) -> Vec<(Nanos, Held<M>)> {
        let wire = self.wire(from, to);
        wire.gate = gate;
        match gate {
            Gate::Held => Vec::new(),
            Gate::Cut => {
                wire.held.clear();
                Vec::new()
            }
            Gate::Open => {
                let mut released = Vec::with_capacity(wire.held.len());
                while let Some(held) = wire.held.pop_front() {
                    let word = wire.rng.next_u64();
                    wire.last = wire.last.max(now + wire.link.delay.draw(word));
                    released.push((wire.last, held));
                }
                released
            }
        }
    }

    /// Gives a wire another behaviour. It is a new connection: what is sent from now on does not
    /// queue up behind what the old one is late with.
    pub(super) fn set_link(&mut self, from: usize, to: usize, link: Link) {
        let wire = self.wire(from, to);
        (wire.link, wire.luck, wire.pace) = (link, Luck::default(), None);
        (wire.last, wire.free) = (Nanos::ZERO, Nanos::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAN: Link = Link::delayed(Delay::Uniform {
        base: Nanos::from_micros(200),
        jitter: Nanos::from_micros(800),
    });

    fn fates(link: Link, messages: u64) -> Vec<Fate> {
        let mut network: Network<()> = Network::new(Seed(1), 2, link);
        (0..messages).map(|i| network.send(0, 1, Nanos(i * 50_000))).collect()
    }

    fn arrivals(fates: &[Fate]) -> Vec<Nanos> {
        let at = |fate: &Fate| match fate {
            Fate::Arrives { at, .. } => Some(*at),
            _ => None,
        };
        fates.iter().filter_map(at).collect()
    }

    #[test]
    fn a_plain_wire_keeps_order_and_loses_nothing() {
        let fates = fates(LAN, 1_000);
        let arrivals = arrivals(&fates);
        assert_eq!(arrivals.len(), 1_000);
        assert!(arrivals.is_sorted());
    }

    #[test]
    fn each_chance_has_its_rate() {
        let lossy = fates(Link { loss: Ppm::percent(10), ..LAN }, 10_000);
        let lost = lossy.iter().filter(|fate| **fate == Fate::Lost).count();
        assert!((900..1_100).contains(&lost), "{lost}");

        let twice = fates(Link { duplicate: Ppm::percent(20), ..LAN }, 10_000);
        let twice = twice.iter().filter(|f| matches!(f, Fate::Arrives { again: Some(_), .. }));
        let twice = twice.count();
        assert!((1_850..2_150).contains(&twice), "{twice}");

        let reordered = arrivals(&fates(Link { reorder: Ppm::percent(30), ..LAN }, 10_000));
        let overtaken = reordered.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!(overtaken > 2_000, "{overtaken}");
    }

    #[test]
    fn correlated_loss_comes_in_bursts_at_the_same_rate() {
        let runs = |correlation| {
            let fates = fates(Link { loss: Ppm::percent(20), correlation, ..LAN }, 50_000);
            let lost: Vec<bool> = fates.iter().map(|fate| *fate == Fate::Lost).collect();
            let ends = lost.windows(2).filter(|pair| pair[0] && !pair[1]).count();
            (lost.iter().filter(|lost| **lost).count(), ends)
        };
        let (alone, bursts) = (runs(Ppm::NEVER), runs(Ppm::percent(75)));
        assert!((9_000..11_000).contains(&alone.0) && (9_000..11_000).contains(&bursts.0));
        assert!(bursts.1 * 3 < alone.1, "{alone:?} {bursts:?}");
    }

    #[test]
    fn what_is_damaged_is_lost_on_top_of_what_is_lost_anyway() {
        let (loss, corrupt) = (Ppm::percent(20), Ppm::percent(20));
        let fates = fates(Link { loss, corrupt, ..LAN }, 10_000);
        let lost = fates.iter().filter(|fate| **fate == Fate::Lost).count();
        assert!((3_450..3_750).contains(&lost), "36 %: {lost}");
    }

    #[test]
    fn correlated_delays_repeat_and_keep_their_distribution() {
        let normal = Delay::Normal { mean: Nanos(50_000), deviation: Nanos(5_000) };
        let delays = |delay_correlation| -> Vec<u64> {
            let link = Link { delay_correlation, ..Link::delayed(normal) };
            let mut network: Network<()> = Network::new(Seed(1), 2, link);
            // So far apart that none waits for the one before.
            let sent = (0..10_000).map(|i| Nanos(i * 1_000_000));
            sent.map(|now| match network.send(0, 1, now) {
                Fate::Arrives { at, .. } => (at - now).0,
                _ => 0,
            })
            .collect()
        };
        let repeats = |delays: &[u64]| delays.windows(2).filter(|pair| pair[0] == pair[1]).count();
        let mean = |delays: &[u64]| delays.iter().sum::<u64>() / delays.len() as u64;
        let (alone, alike) = (delays(Ppm::NEVER), delays(Ppm::percent(25)));
        assert!(repeats(&alone) < 20, "{}", repeats(&alone));
        assert!((2_350..2_650).contains(&repeats(&alike)), "{}", repeats(&alike));
        assert!(mean(&alone).abs_diff(50_000) < 500 && mean(&alike).abs_diff(50_000) < 500);
    }

    #[test]
    fn a_narrow_wire_queues_and_then_loses() {
        let link = Link { occupies: Nanos::from_millis(4), ..Link::delayed(Delay::NONE) };
        let mut network: Network<()> = Network::new(Seed(1), 2, link);
        let fates: Vec<Fate> = (0..1_000).map(|_| network.send(0, 1, Nanos::ZERO)).collect();
        let at = arrivals(&fates);
        assert_eq!((at[0], at[249]), (Nanos::from_millis(4), Nanos::from_secs(1)));
        assert!((250..=251).contains(&at.len()), "{}", at.len());
        network.set_link(0, 1, Link::delayed(Delay::NONE));
        let Fate::Arrives { at, .. } = network.send(0, 1, Nanos::from_secs(2)) else { panic!() };
        assert_eq!(at, Nanos::from_secs(2));
    }

    #[test]
    fn loss_does_not_shift_the_delays_of_the_rest() {
        let reordered = Link { reorder: Ppm::ALWAYS, ..LAN };
        let all = fates(reordered, 1_000);
        let some = fates(Link { loss: Ppm::percent(50), ..reordered }, 1_000);
        let pairs = all.iter().zip(&some);
        assert!(pairs.clone().all(|(one, other)| one == other || *other == Fate::Lost));
        assert!(pairs.filter(|(one, other)| one == other).count() > 400);
    }

    #[test]
    fn a_held_gate_keeps_order_and_lets_go() {
        let mut network: Network<char> = Network::new(Seed(1), 2, LAN);
        network.set_gate(0, 1, Gate::Held, Nanos::ZERO);
        for (number, message) in "abc".chars().enumerate() {
            assert!(network.hold(0, 1, (number as u64, message)));
        }
        let now = Nanos::from_secs(1);
        let released = network.set_gate(0, 1, Gate::Open, now);
        let order: String = released.iter().map(|(_, (_, message))| message).collect();
        assert_eq!(order, "abc");
        assert!(released.iter().all(|(at, _)| *at > now));
    }
}
