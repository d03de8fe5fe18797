//! Where open calls sit: recycled slots for those that complete, classes for those that crashed.

use super::bits::Bits;
use super::frontier::Config;
use crate::model::Effect;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// Crashed calls that ask the same, in the order of their invocations.
pub(super) struct Crashed {
    pub(super) class: u32,
    pub(super) calls: Vec<u32>,
}

/// Which classes of crashed calls can do whatever others can.
#[derive(Default)]
pub(super) struct StandIns {
    /// By place: the class that can.
    list: Vec<Option<u32>>,
    places: HashMap<u32, u32, FxBuildHasher>,
}

impl StandIns {
    fn add(&mut self, class: u32, stand_in: Option<u32>) {
        self.places.insert(class, self.list.len() as u32);
        self.list.push(stand_in);
    }

    /// The place of the class that can stand in for the one at `place`, if any crashed yet.
    pub(super) fn of(&self, place: u32) -> Option<u32> {
        let class = *self.list.get(place as usize)?;
        self.places.get(&class?).copied()
    }
}

#[derive(Clone, Copy)]
struct Slot {
    call: u32,
    class: u32,
    deadline: u64,
}

pub(super) struct Slots<const N: usize> {
    /// Slots in use.
    pub(super) all: Bits<N>,
    /// Slots of calls that change nothing.
    pub(super) observers: Bits<N>,
    /// Slots of calls that overwrite whatever there was.
    pub(super) overwriters: Bits<N>,
    pub(super) crashed: Vec<Crashed>,
    /// For each class of `crashed`, by place, the place of the one that can stand in for it.
    pub(super) stand_ins: StandIns,
    crashed_at: HashMap<u32, usize, FxBuildHasher>,
    list: Vec<Slot>,
    free: Vec<usize>,
    slot_of: Vec<u16>,
}

impl<const N: usize> Slots<N> {
    pub(super) fn new(calls: usize) -> Self {
        Slots {
            all: Bits::EMPTY,
            observers: Bits::EMPTY,
            overwriters: Bits::EMPTY,
            crashed: Vec::new(),
            stand_ins: StandIns::default(),
            crashed_at: HashMap::default(),
            list: Vec::new(),
            free: Vec::new(),
            slot_of: vec![0; calls],
        }
    }

    pub(super) fn open(&mut self, call: u32, class: u32, effect: Effect, deadline: u64) {
        let slot = Slot { call, class, deadline };
        let at = self.free.pop().unwrap_or(self.list.len());
        if at == self.list.len() {
            self.list.push(slot);
        } else {
            self.list[at] = slot;
        }
        self.slot_of[call as usize] = at as u16;
        self.all.insert(at);
        match effect {
            Effect::Observes => self.observers.insert(at),
            Effect::Overwrites => self.overwriters.insert(at),
            Effect::Updates => {}
        }
    }

    pub(super) fn close(&mut self, call: u32) {
        let at = self.slot_of(call);
        self.all.remove(at);
        self.observers.remove(at);
        self.overwriters.remove(at);
        self.free.push(at);
    }

    pub(super) fn crash(&mut self, call: u32, class: u32, stand_in: Option<u32>) {
        let at = *self.crashed_at.entry(class).or_insert_with(|| {
            self.crashed.push(Crashed { class, calls: Vec::new() });
            self.stand_ins.add(class, stand_in);
            self.crashed.len() - 1
        });
        self.crashed[at].calls.push(call);
    }

    pub(super) fn slot_of(&self, call: u32) -> usize {
        self.slot_of[call as usize] as usize
    }

    pub(super) fn call_in(&self, slot: usize) -> u32 {
        self.list[slot].call
    }

    /// Whether an equal call, in the same condition, completes before the one in `slot`.
    pub(super) fn has_earlier_twin(&self, config: &Config<N>, slot: usize) -> bool {
        let this = &self.list[slot];
        let optional = config.optional.has(slot);
        self.all.minus(&config.done).iter().any(|at| {
            let other = &self.list[at];
            other.class == this.class
                && (other.deadline, at) < (this.deadline, slot)
                && config.optional.has(at) == optional
        })
    }
}
