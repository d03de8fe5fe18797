//! Faults take effect here.

use super::event::Event;
use super::fault::{Fault, Injected};
use super::network::Gate;
use super::observe::Observer;
use super::slot::Pause;
use super::time::Nanos;
use super::trace::What;
use super::world::World;
use crate::node::{Node, NodeId};
use rand::Rng;

/// Why a fault for a node that is down makes no sense.
const DOWN: Injected = Injected::Skipped("the node is down");
const NO_WIRE: Injected = Injected::Skipped("a node has no wire to itself");
const NO_NODE: Injected = Injected::Skipped("there is no such node");

impl<N: Node, O: Observer<N>> World<N, O> {
    /// Does this to the world, now. What has come to pass shows when it is polled.
    pub fn inject(&mut self, fault: &Fault) -> Injected {
        let node = fault.node().and_then(|node| self.index(node));
        self.trace.note(self.now, What::Fault, node, None, 0, Some(fault));
        match fault {
            Fault::Gate { from, to, gate } => self.set_gate(*from, *to, *gate),
            Fault::OpenAll => self.open_all(),
            Fault::Link { from, to, link } => {
                let (Some(from), Some(to)) = (self.index(*from), self.index(*to)) else {
                    return NO_NODE;
                };
                if from == to {
                    return NO_WIRE;
                }
                self.network.set_link(from, to, *link);
                Injected::Installed
            }
            fault => node.map_or(NO_NODE, |node| self.inject_node(node, fault)),
        }
    }

    fn inject_node(&mut self, node: usize, fault: &Fault) -> Injected {
        let now = self.now;
        let slot = &mut self.slots[node];
        match fault {
            Fault::Kill { .. } | Fault::PowerOff { .. } => {
                return self.kill(node, matches!(fault, Fault::PowerOff { .. }));
            }
            Fault::Start { .. } => return self.start(node),
            Fault::Pause { .. } => return self.pause(node),
            Fault::Resume { .. } => return self.resume(node),
            Fault::ClockJump { by_ns, .. } => slot.clock.jump(*by_ns),
            Fault::ClockDrift { ppm, .. } => {
                slot.clock.set_drift(now, *ppm);
                self.replan_timers(node);
            }
            Fault::ClockStrobe { by_ns, period_ns, .. } => {
                slot.clock.strobe(now, *by_ns, Nanos(*period_ns));
            }
            Fault::ClockReset { .. } => {
                slot.clock.reset(now);
                self.replan_timers(node);
            }
            Fault::Disk { disk, .. } => {
                if slot.disk.set_behaviour(*disk) {
                    let life = slot.life;
                    self.queue.push(now, Event::Synced { node, life });
                }
            }
            Fault::BitFlip { from_end, .. } => {
                if slot.disk.flip(*from_end).is_none() {
                    return Injected::Skipped("there is no such record");
                }
            }
            Fault::Repair { .. } => slot.disk.repair(),
            Fault::Gate { .. } | Fault::OpenAll | Fault::Link { .. } => {}
        }
        Injected::Installed
    }

    fn kill(&mut self, node: usize, power: bool) -> Injected {
        let slot = &mut self.slots[node];
        if !slot.is_up() && !slot.booting {
            return DOWN;
        }
        let lost = if power { slot.disk.power_goes() } else { slot.disk.process_dies() };
        self.die(node, lost);
        Injected::Installed
    }

    fn start(&mut self, node: usize) -> Injected {
        if self.slots[node].is_up() || self.slots[node].booting {
            return Injected::Skipped("the node is up");
        }
        self.plan_boot(node);
        Injected::Installed
    }

    pub(super) fn plan_boot(&mut self, node: usize) {
        let slot = &mut self.slots[node];
        slot.booting = true;
        let (life, word) = (slot.life, slot.boots.next_u64());
        self.queue.push(self.now + self.boot.draw(word), Event::Boot { node, life });
    }

    fn pause(&mut self, node: usize) -> Injected {
        let slot = &mut self.slots[node];
        match slot.pause {
            _ if !slot.is_up() => DOWN,
            Pause::Paused => Injected::Skipped("the node is paused"),
            Pause::Running | Pause::Waking => {
                slot.pause = Pause::Paused;
                Injected::Installed
            }
        }
    }

    fn resume(&mut self, node: usize) -> Injected {
        let slot = &mut self.slots[node];
        match slot.pause {
            _ if !slot.is_up() => DOWN,
            Pause::Running | Pause::Waking => Injected::Skipped("the node is not paused"),
            Pause::Paused => {
                slot.pause = Pause::Waking;
                let life = slot.life;
                self.queue.push(self.now, Event::Resumed { node, life });
                Injected::Installed
            }
        }
    }

    fn set_gate(&mut self, from: NodeId, to: NodeId, gate: Gate) -> Injected {
        let (Some(from), Some(to)) = (self.index(from), self.index(to)) else { return NO_NODE };
        if from == to {
            return NO_WIRE;
        }
        self.turn_gate(from, to, gate);
        Injected::Installed
    }

    fn turn_gate(&mut self, from: usize, to: usize, gate: Gate) {
        for (at, (number, message)) in self.network.set_gate(from, to, gate, self.now) {
            self.queue.push(at, Event::Deliver { from, to, number, message });
        }
    }

    fn open_all(&mut self) -> Injected {
        let nodes = self.slots.len();
        for wire in 0..nodes * nodes {
            self.turn_gate(wire / nodes, wire % nodes, Gate::Open);
        }
        Injected::Installed
    }

    /// The rate of a node's clock has changed, and with it the times at which its timers fire.
    fn replan_timers(&mut self, node: usize) {
        let slot = &mut self.slots[node];
        let clock = slot.clock;
        let plans = slot.timers.replan(|deadline| clock.when(deadline));
        if self.timers {
            for (timer, at, ticket) in plans {
                self.queue.push(at.max(self.now), Event::Timer { node, ticket, timer });
            }
        }
    }
}
