//! Chains of values in the order of their first ends, and which of them contradict each other.
//!
//! A chain C must precede a chain D once C's first end lies before D's last beginning. So C has
//! a deadline: the earliest first end among the other chains whose last beginning lies after C's
//! first end. A call of C that begins after the deadline would have to come both before and
//! after that other chain. First ends only come in the order of time, so that a new chain stands
//! last in the order and never contradicts anything when it comes; last beginnings only grow. A
//! question is thus a maximum over a prefix of the order, without the chain itself: a tree of
//! maxima answers in O(log n).

use super::super::register::OPEN;
use crate::value::Value;
use std::collections::VecDeque;

/// A chain that contradicts the one that was asked about, by two of its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rival {
    /// Its first end.
    pub(super) first_end: u32,
    /// Its last beginning.
    pub(super) last_begin: u32,
}

/// One chain.
#[derive(Debug)]
pub(super) struct Chain {
    /// Its place in the order.
    place: u32,
    /// The values that are still remembered, in order.
    levels: VecDeque<Level>,
    /// How many were forgotten before them.
    forgotten: u32,
    /// How many levels, the forgotten included, are known to be over.
    over: u32,
}

/// One value of a chain.
#[derive(Debug)]
struct Level {
    value: Value,
    /// When a call of a later level first ended: the value was gone by then. [`OPEN`] before.
    over_at: u32,
}

/// All chains of a register that an operation may still read.
#[derive(Debug)]
pub(super) struct Chains {
    /// Numbers of forgotten chains are used again.
    by_number: Vec<Chain>,
    free: Vec<u32>,
    /// Numbers in the order of first ends.
    order: Vec<u32>,
    /// First ends in that order.
    first_ends: Vec<u32>,
    /// Last beginnings in that order from `width` on, and before them maxima over pairs.
    tree: Vec<u32>,
    width: usize,
}

const WIDTH_MIN: usize = 8;

impl Chains {
    pub(super) fn new() -> Chains {
        Chains {
            by_number: Vec::new(),
            free: Vec::new(),
            order: Vec::new(),
            first_ends: Vec::new(),
            tree: vec![0; 2 * WIDTH_MIN],
            width: WIDTH_MIN,
        }
    }

    /// Begins a chain whose first end is the latest of all.
    pub(super) fn add(&mut self, first_end: u32) -> u32 {
        let place = self.order.len();
        let chain = Chain { place: place as u32, levels: VecDeque::new(), forgotten: 0, over: 0 };
        let number = if let Some(number) = self.free.pop() {
            self.by_number[number as usize] = chain;
            number
        } else {
            self.by_number.push(chain);
            self.by_number.len() as u32 - 1
        };
        self.order.push(number);
        self.first_ends.push(first_end);
        if place == self.width {
            let begins = self.tree[self.width..].to_vec();
            self.plant(&begins);
        }
        number
    }

    /// Puts a value behind all others of the chain; its level.
    pub(super) fn append(&mut self, chain: u32, value: Value) -> u32 {
        let chain = &mut self.by_number[chain as usize];
        chain.levels.push_back(Level { value, over_at: OPEN });
        chain.forgotten + chain.levels.len() as u32 - 1
    }

    /// Whether the level is the last of its chain.
    pub(super) fn is_last(&self, chain: u32, level: u32) -> bool {
        let chain = &self.by_number[chain as usize];
        level + 1 == chain.forgotten + chain.levels.len() as u32
    }

    /// Takes in that a call of the chain began at `begin`; names the chain that this
    /// contradicts, if there is one.
    pub(super) fn begins(&mut self, chain: u32, begin: u32) -> Option<Rival> {
        let place = self.by_number[chain as usize].place as usize;
        let last_begin = self.raise(place, begin);
        let first_end = self.first_ends[place];
        let before = self.first_ends.partition_point(|end| *end < last_begin);
        let others = [0..place.min(before), (place + 1).min(before)..before];
        for range in others {
            if self.greatest(range.start, range.end) > first_end {
                let at = range.into_iter().find(|at| self.tree[self.width + at] > first_end)?;
                let last_begin = self.tree[self.width + at];
                return Some(Rival { first_end: self.first_ends[at], last_begin });
            }
        }
        None
    }

    /// Takes in that a call of `level` ended at `now`: earlier levels are over.
    pub(super) fn ends(&mut self, chain: u32, level: u32, now: u32) {
        let chain = &mut self.by_number[chain as usize];
        for earlier in chain.over.max(chain.forgotten)..level {
            chain.levels[(earlier - chain.forgotten) as usize].over_at = now;
        }
        chain.over = chain.over.max(level);
    }

    /// When the value at `level` was certainly gone; [`OPEN`] if it may be there still.
    pub(super) fn over_at(&self, chain: u32, level: u32) -> u32 {
        let chain = &self.by_number[chain as usize];
        let at = level.checked_sub(chain.forgotten);
        at.and_then(|at| chain.levels.get(at as usize)).map_or(0, |level| level.over_at)
    }

    /// Forgets what no call that begins at `from` or later can observe without a contradiction:
    /// whole chains, and of the others the leading values that were over before. `forget` gets
    /// each value.
    pub(super) fn fold(&mut self, from: u32, mut forget: impl FnMut(Value)) {
        let passed = self.first_ends.partition_point(|end| *end < from);
        let (greatest, second) = self.two_greatest(passed);
        let mut kept = 0;
        let mut begins = Vec::with_capacity(self.order.len());
        for place in 0..self.order.len() {
            let number = self.order[place];
            let (first_end, last_begin) = (self.first_ends[place], self.tree[self.width + place]);
            let chain = &mut self.by_number[number as usize];
            let rival = if greatest == Some(place) { second } else { greatest };
            if rival.is_some_and(|rival| self.tree[self.width + rival] > first_end) {
                chain.levels.drain(..).for_each(|level| forget(level.value));
                self.free.push(number);
                continue;
            }
            while let Some(level) = chain.levels.pop_front_if(|level| level.over_at < from) {
                chain.forgotten += 1;
                forget(level.value);
            }
            chain.place = kept as u32;
            (self.order[kept], self.first_ends[kept]) = (number, first_end);
            begins.push(last_begin);
            kept += 1;
        }
        self.order.truncate(kept);
        self.first_ends.truncate(kept);
        self.plant(&begins);
    }

    /// The places of the two latest last beginnings among the first `count` chains.
    fn two_greatest(&self, count: usize) -> (Option<usize>, Option<usize>) {
        let begin = |place: usize| self.tree[self.width + place];
        let (mut greatest, mut second) = (None, None);
        for place in 0..count {
            if greatest.is_none_or(|other| begin(place) > begin(other)) {
                second = greatest.replace(place);
            } else if second.is_none_or(|other| begin(place) > begin(other)) {
                second = Some(place);
            }
        }
        (greatest, second)
    }

    fn plant(&mut self, begins: &[u32]) {
        self.width = (begins.len() + 1).next_power_of_two().max(WIDTH_MIN);
        self.tree.clear();
        self.tree.resize(2 * self.width, 0);
        self.tree[self.width..self.width + begins.len()].copy_from_slice(begins);
        for at in (1..self.width).rev() {
            self.tree[at] = self.tree[2 * at].max(self.tree[2 * at + 1]);
        }
    }

    /// Raises a last beginning to at least `begin`; what it is then.
    fn raise(&mut self, place: usize, begin: u32) -> u32 {
        let mut at = self.width + place;
        while at > 0 && self.tree[at] < begin {
            self.tree[at] = begin;
            at /= 2;
        }
        self.tree[self.width + place]
    }

    /// The greatest last beginning of the places `from..to`; 0 if there are none.
    fn greatest(&self, from: usize, to: usize) -> u32 {
        let (mut from, mut to) = (from + self.width, to + self.width);
        let mut greatest = 0;
        while from < to {
            if from % 2 == 1 {
                greatest = greatest.max(self.tree[from]);
                from += 1;
            }
            if to % 2 == 1 {
                to -= 1;
                greatest = greatest.max(self.tree[to]);
            }
            (from, to) = (from / 2, to / 2);
        }
        greatest
    }
}
