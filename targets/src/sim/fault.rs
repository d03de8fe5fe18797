//! Faults, as data: what can be done to a world, and how it is healed.

use super::disk::DiskBehaviour;
use super::network::{Gate, Link};
use crate::clock_fault::ClockFault;
use crate::node::NodeId;
use serde::{Deserialize, Serialize};

/// What is done to the world. Each takes effect at once, in virtual time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// Cuts, holds or opens the wire from one node to another; the way back is another wire.
    Gate {
        /// The sender.
        from: NodeId,
        /// The receiver.
        to: NodeId,
        /// What the wire does from now on.
        gate: Gate,
    },
    /// Opens all wires.
    OpenAll,
    /// Changes how a wire treats its messages.
    Link {
        /// The sender.
        from: NodeId,
        /// The receiver.
        to: NodeId,
        /// What the wire does from now on.
        link: Link,
    },
    /// Kills the process (SIGKILL). What it has written is with the operating system and stays,
    /// also through a later loss of power.
    Kill {
        /// Whom.
        node: NodeId,
    },
    /// Cuts the power: what was not synced is lost as the disk's behaviour has it. This is also
    /// what a kill does to a node with a lazy disk.
    PowerOff {
        /// Whom.
        node: NodeId,
    },
    /// Starts a node that is down, from what is on its disk.
    Start {
        /// Whom.
        node: NodeId,
    },
    /// Stops a process (SIGSTOP): inputs pile up, timers are late.
    Pause {
        /// Whom.
        node: NodeId,
    },
    /// Lets it go on (SIGCONT).
    Resume {
        /// Whom.
        node: NodeId,
    },
    /// The clock's reading jumps.
    ClockJump {
        /// Whose.
        node: NodeId,
        /// How far, in nanoseconds; back if negative.
        by_ns: i64,
    },
    /// The clock runs too fast, or too slowly; timers with it.
    ClockDrift {
        /// Whose.
        node: NodeId,
        /// By how many millionths; too slowly if negative.
        ppm: i32,
    },
    /// The clock's reading is wrong for every other period.
    ClockStrobe {
        /// Whose.
        node: NodeId,
        /// By how much, in nanoseconds; behind if negative.
        by_ns: i64,
        /// How long it is right, and how long it is then wrong, in nanoseconds.
        period_ns: u64,
    },
    /// The clock is right again, in reading and rate.
    ClockReset {
        /// Whose.
        node: NodeId,
    },
    /// Changes how a disk behaves: slow, stuck, full, failing, or well again.
    Disk {
        /// Whose.
        node: NodeId,
        /// What it does from now on.
        disk: DiskBehaviour,
    },
    /// A bit flips in a record on disk; the next boot finds out.
    BitFlip {
        /// Whose.
        node: NodeId,
        /// In which record, counted from the end (0 is the last); a drawn one where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_end: Option<usize>,
    },
    /// Damaged records are put right from a good copy.
    Repair {
        /// Whose.
        node: NodeId,
    },
}

/// Whether a fault took hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injected {
    /// It did.
    Installed,
    /// It made no sense; why.
    Skipped(&'static str),
}

impl Fault {
    /// What is done to a node's clock.
    #[must_use]
    pub fn of_clock(node: NodeId, fault: ClockFault) -> Fault {
        let ns = |ms: i64| ms.saturating_mul(1_000_000);
        match fault {
            ClockFault::Jump { by_ms } => Fault::ClockJump { node, by_ns: ns(by_ms) },
            ClockFault::Drift { ppm } => Fault::ClockDrift { node, ppm },
            ClockFault::Strobe { by_ms, period_ms } => {
                let period_ns = period_ms.saturating_mul(1_000_000);
                Fault::ClockStrobe { node, by_ns: ns(by_ms), period_ns }
            }
            ClockFault::Reset => Fault::ClockReset { node },
        }
    }

    /// The node that it hits; nothing if it hits the network.
    #[must_use]
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Fault::Gate { .. } | Fault::OpenAll | Fault::Link { .. } => None,
            Fault::Kill { node }
            | Fault::PowerOff { node }
            | Fault::Start { node }
            | Fault::Pause { node }
            | Fault::Resume { node }
            | Fault::ClockJump { node, .. }
            | Fault::ClockDrift { node, .. }
            | Fault::ClockStrobe { node, .. }
            | Fault::ClockReset { node }
            | Fault::Disk { node, .. }
            | Fault::BitFlip { node, .. }
            | Fault::Repair { node } => Some(*node),
        }
    }
}
