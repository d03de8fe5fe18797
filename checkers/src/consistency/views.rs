//! What each process may have seen: PRAM and causal memory.
//!
//! Both ask, process by process, for one order of its own operations and all writes that explains
//! what *it* read; they differ in what the order must keep: under PRAM the order of each process,
//! under causal memory the causal order. Bouajjani et al. (POPL 2017, section 3) give the pattern:
//! if a write `w1` of `x` must come before a read of the process that sees `w2`, then `w1` must
//! come before `w2`; these demands and the order kept are closed under each other, and the view
//! exists exactly if no write comes before a read of the initial value of its key
//! (`WriteHBInitRead`) and there is no circle (`CyclicHB`). The same holds for PRAM, with less to
//! be kept.
//!
//! What comes before an operation of the process is a prefix of each session, so a row of counts
//! for each of its operations says all. Demands are concluded from the rows; one that brings a
//! write into a row makes that row and later ones grow, and their reads are looked at again. Two
//! writes that a circle holds enter the rows at the same operation, so that circles are looked
//! for among those alone.
//!
//! Cost: O(n · sessions) for the rows of all processes together, O(log n) for each read and
//! session. Memory: 4 bytes for each session and operation of the processes that are looked at at
//! a time; under causal memory with what is causally before all others (`past`).

use super::Broken;
use super::circles;
use super::derived::{Derived, Stage};
use super::past::Pasts;
use crate::transactions::registers::{INITIAL, Node, Registers};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The writers of a key in one session, as a stretch of the key's writers.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    slot: u32,
    begin: u32,
    end: u32,
}

/// The check was to stop before it was done.
#[derive(Debug)]
pub(super) struct Stopped;

/// What the views of all processes have in common.
pub(super) struct Views<'r, 't> {
    pub(super) registers: &'r Registers<'t>,
    /// What is causally before each operation; none for PRAM.
    pasts: Option<Pasts>,
    starts: Vec<u32>,
    stretches: Vec<Stretch>,
}

impl<'r, 't> Views<'r, 't> {
    /// For causal memory with what is causally before each operation; for PRAM without.
    pub(super) fn new(registers: &'r Registers<'t>, pasts: Option<Pasts>) -> Self {
        let mut views = Views { registers, pasts, starts: vec![0], stretches: Vec::new() };
        for key in 0..registers.keys() as u32 {
            let writers = registers.writers(key);
            let mut begin = 0;
            while begin < writers.len() {
                let session = registers.session(writers[begin]);
                let last = registers.session_nodes(session).end;
                let end = begin + writers[begin..].partition_point(|writer| *writer < last);
                let stretch = Stretch { slot: session - 1, begin: begin as u32, end: end as u32 };
                views.stretches.push(stretch);
                begin = end;
            }
            views.starts.push(views.stretches.len() as u32);
        }
        views
    }

    fn stretches(&self, key: u32) -> &[Stretch] {
        &self.stretches[self.starts[key as usize] as usize..self.starts[key as usize + 1] as usize]
    }

    /// How many sessions there are.
    pub(super) fn width(&self) -> usize {
        self.registers.sessions() - 1
    }

    pub(super) fn slot(&self, node: Node) -> usize {
        self.registers.session(node) as usize - 1
    }

    pub(super) fn first(&self, slot: usize) -> Node {
        self.registers.session_nodes(slot as u32 + 1).start
    }

    /// Whether the causal order is kept.
    pub(super) fn causal(&self) -> bool {
        self.pasts.is_some()
    }

    /// Whether the order that is kept puts `a` before `b`, as far as `b`'s view does not matter.
    pub(super) fn before(&self, a: Node, b: Node) -> bool {
        if self.registers.session(a) == self.registers.session(b) {
            return a < b;
        }
        let past = self.pasts.as_ref();
        past.is_some_and(|past| past.of(b, self.slot(a)) > self.registers.position(a))
    }

    /// Why the process of a session has no view, if it has none. With `tell`, what that rests on.
    pub(super) fn of(
        &self,
        session: u32,
        tell: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Broken>, Stopped> {
        let mut view = View::new(self, session);
        let conclusion = match view.conclude(stop) {
            Ok(true) => circles::among(&view).map_or(Ok(()), Err),
            Ok(false) => return Err(Stopped),
            Err(stage) => Err(stage),
        };
        Ok(conclusion.err().map(|stage| Broken {
            violations: 1,
            grounds: if tell {
                view.derived.grounds(self, session, &stage)
            } else {
                BTreeSet::new()
            },
        }))
    }
}

/// The view of one process on its way.
pub(super) struct View<'v, 'r, 't> {
    pub(super) views: &'v Views<'r, 't>,
    pub(super) nodes: Range<Node>,
    own: usize,
    /// For each operation of the process how much of each session comes before it.
    rows: Vec<u32>,
    /// For each write those that must come before it.
    sources: BTreeMap<Node, Vec<Node>>,
    pub(super) derived: Derived,
    /// Operations whose rows grew since they were looked at.
    dirty: BTreeSet<u32>,
}

/// After so many operations it is asked whether to stop.
const ASK_EVERY: usize = 1 << 12;

impl<'v, 'r, 't> View<'v, 'r, 't> {
    fn new(views: &'v Views<'r, 't>, session: u32) -> Self {
        let registers = views.registers;
        let nodes = registers.session_nodes(session);
        let (width, own) = (views.width(), session as usize - 1);
        let mut rows = Vec::with_capacity(nodes.len() * width);
        let mut row = vec![0_u32; width];
        for (at, node) in nodes.clone().enumerate() {
            if let Some(pasts) = &views.pasts {
                rows.extend(pasts.all(node).take(width));
                rows[at * width + own] = at as u32;
                continue;
            }
            for writer in registers.reads(node).iter().filter_map(|read| read.writer()) {
                if writer != INITIAL {
                    let count = &mut row[views.slot(writer)];
                    *count = (*count).max(registers.position(writer) + 1);
                }
            }
            // An own operation that comes later cannot be before this one: that is a circle, and
            // is found where the row is used.
            row[own] = row[own].max(at as u32);
            rows.extend_from_slice(&row);
        }
        View {
            views,
            own,
            rows,
            sources: BTreeMap::new(),
            derived: Derived::default(),
            dirty: (0..nodes.len() as u32).collect(),
            nodes,
        }
    }

    /// Draws all conclusions; `false` if it was to stop before that.
    fn conclude(&mut self, stop: &dyn Fn() -> bool) -> Result<bool, Stage> {
        let mut looked = 0;
        while let Some(at) = self.dirty.pop_first() {
            self.look(at as usize)?;
            looked += 1;
            if looked % ASK_EVERY == 0 && stop() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn count(&self, at: usize, slot: usize) -> u32 {
        self.rows[at * self.views.width() + slot]
    }

    /// The first operation of the process that comes behind `node`, by its place; the number of
    /// its operations if none does.
    pub(super) fn entry(&self, node: Node) -> usize {
        if self.nodes.contains(&node) {
            return (node - self.nodes.start) as usize + 1;
        }
        let (slot, position) = (self.views.slot(node), self.views.registers.position(node));
        let (mut low, mut high) = (0, self.nodes.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.count(middle, slot) > position {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// What the read at a place demands.
    fn look(&mut self, at: usize) -> Result<(), Stage> {
        let views = self.views;
        let reader = self.nodes.start + at as Node;
        if self.count(at, self.own) > at as u32 {
            return Err(Stage::Before { from: reader, to: reader });
        }
        for read in views.registers.reads(reader) {
            let Some(source) = read.writer() else { continue };
            let writers = views.registers.writers(read.key);
            for stretch in views.stretches(read.key) {
                let slot = stretch.slot as usize;
                let seen = views.first(slot) + self.count(at, slot);
                let writers = &writers[stretch.begin as usize..stretch.end as usize];
                let Some(last) = writers.partition_point(|node| *node < seen).checked_sub(1) else {
                    continue;
                };
                if writers[last] != source {
                    self.demand(writers[last], source, reader)?;
                }
            }
        }
        Ok(())
    }

    /// `from` must come before `to`, since `reader` sees `to` and comes behind `from`.
    fn demand(&mut self, from: Node, to: Node, reader: Node) -> Result<(), Stage> {
        let views = self.views;
        if to == INITIAL {
            return Err(Stage::Initial { from, reader });
        }
        let position = views.registers.position(from);
        let slot = views.slot(from);
        let own = self.nodes.contains(&to).then(|| (to - self.nodes.start) as usize);
        let known = match own {
            Some(place) => self.count(place, slot) > position,
            None => views.before(from, to),
        };
        if known || self.sources.get(&to).is_some_and(|sources| sources.contains(&from)) {
            return Ok(());
        }
        self.derived.add(from, to, reader);
        if views.before(to, from) {
            return Err(Stage::Before { from: to, to: from });
        }
        self.sources.entry(to).or_default().push(from);
        let begin = own.unwrap_or_else(|| self.entry(to));
        self.raise(begin, slot, position + 1)
    }

    /// Puts the first `count` operations of a session before the operation at a place, with all
    /// that comes before them; and so before all later ones.
    fn raise(&mut self, place: usize, slot: usize, count: u32) -> Result<(), Stage> {
        let width = self.views.width();
        let mut wanted = vec![(slot, count)];
        for at in place..self.nodes.len() {
            if !self.include(at, &mut wanted)? {
                break;
            }
            self.dirty.insert(at as u32);
            if at + 1 < self.nodes.len() {
                let (here, next) = self.rows[at * width..(at + 2) * width].split_at(width);
                let more =
                    here.iter().zip(next).enumerate().filter(|(_, (here, next))| here > next);
                wanted.extend(more.map(|(slot, (here, _))| (slot, *here)));
            }
        }
        Ok(())
    }

    /// Puts all that is wanted into a row; whether it grew.
    fn include(&mut self, at: usize, wanted: &mut Vec<(usize, u32)>) -> Result<bool, Stage> {
        let views = self.views;
        let width = views.width();
        let mut grew = false;
        while let Some((slot, count)) = wanted.pop() {
            let known = self.rows[at * width + slot];
            if known >= count {
                continue;
            }
            let last = views.first(slot) + count - 1;
            if slot == self.own && count > at as u32 {
                let to = self.nodes.start + at as Node;
                return Err(Stage::Before { from: last, to });
            }
            self.rows[at * width + slot] = count;
            grew = true;
            let row = &self.rows[at * width..(at + 1) * width];
            if let Some(pasts) = &views.pasts {
                let more = pasts.all(last).zip(row).enumerate();
                let more = more.filter(|(_, (new, old))| new > *old);
                wanted.extend(more.map(|(slot, (new, _))| (slot, new)));
            }
            for sources in self.sources.range(views.first(slot) + known..=last).map(|(_, s)| s) {
                wanted.extend(
                    sources.iter().map(|s| (views.slot(*s), views.registers.position(*s) + 1)),
                );
            }
        }
        Ok(grew)
    }
}
