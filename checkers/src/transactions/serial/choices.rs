//! What the search may choose: which of two writers comes first, and whom a read saw.
//!
//! Variables are made when an order shows that they matter, so that most never exist. A literal
//! is a variable times two, plus one if it is denied.

use super::order::NONE;
use super::problem::Problem;
use crate::transactions::registers::{INITIAL, Node};
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// A choice made one way.
pub(super) type Literal = u32;

/// The other way.
pub(super) fn not(literal: Literal) -> Literal {
    literal ^ 1
}

/// The variable of a literal.
pub(super) fn variable(literal: Literal) -> usize {
    (literal >> 1) as usize
}

/// What a variable decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Of two writers of a key, whether the first named comes first.
    Pair(Node, Node),
    /// Whether the reader of this site saw that writer.
    Source { site: u32, writer: Node },
}

/// All variables, and where to find them.
#[derive(Default)]
pub(super) struct Choices {
    pub(super) all: Vec<Choice>,
    pairs: HashMap<(Node, Node), u32, FxBuildHasher>,
    /// The pairs of each node.
    pairs_of: HashMap<Node, Vec<u32>, FxBuildHasher>,
    /// The literals of each site, in the order of its writers.
    sources: HashMap<u32, Vec<Literal>, FxBuildHasher>,
    /// The literals of sites that may see a slot.
    seen_by: HashMap<usize, Vec<(u32, Literal)>, FxBuildHasher>,
}

impl Choices {
    /// The literal that says that `first` comes before `second`; and whether it is new.
    pub(super) fn pair(&mut self, first: Node, second: Node) -> (Literal, bool) {
        let (low, high) = (first.min(second), first.max(second));
        let next = self.all.len() as u32;
        let number = *self.pairs.entry((low, high)).or_insert(next);
        let new = number == next;
        if new {
            self.all.push(Choice::Pair(low, high));
            self.pairs_of.entry(low).or_default().push(number);
            self.pairs_of.entry(high).or_default().push(number);
        }
        (number * 2 + u32::from(first != low), new)
    }

    /// The literals of a site's writers, if it has some.
    pub(super) fn known_sources(&self, site: u32) -> Option<&[Literal]> {
        self.sources.get(&site).map(Vec::as_slice)
    }

    /// Makes literals for a site's writers.
    pub(super) fn add_sources(&mut self, problem: &Problem<'_, '_>, site: u32) -> Vec<Literal> {
        let key = problem.sites[site as usize].key;
        let mut literals = Vec::new();
        for writer in &problem.sites[site as usize].writers {
            let literal = self.all.len() as u32 * 2;
            self.all.push(Choice::Source { site, writer: *writer });
            literals.push(literal);
            if let Some(slot) = problem.registers.slot(*writer, key) {
                self.seen_by.entry(slot).or_default().push((site, literal));
            }
        }
        self.sources.insert(site, literals.clone());
        literals
    }

    /// The sites that may see a slot, each with the literal that says so.
    pub(super) fn seen_by(&self, slot: usize) -> &[(u32, Literal)] {
        self.seen_by.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// The pairs that a node is in, each with the other and the literal by which this one is
    /// first.
    pub(super) fn pairs_of(&self, node: Node) -> impl Iterator<Item = (Node, Literal)> + '_ {
        let numbers = self.pairs_of.get(&node).map_or(&[][..], Vec::as_slice);
        numbers.iter().filter_map(move |number| match self.all[*number as usize] {
            Choice::Pair(low, high) if low == node => Some((high, number * 2)),
            Choice::Pair(low, _) => Some((low, number * 2 + 1)),
            Choice::Source { .. } => None,
        })
    }
}

/// The literals of grounds.
pub(super) fn grounds(of: [u32; 2]) -> impl Iterator<Item = Literal> {
    of.into_iter().filter(|literal| *literal != NONE)
}

/// The keys that both of two nodes write. The initial state writes all.
pub(super) fn common_keys(problem: &Problem<'_, '_>, a: Node, b: Node) -> Vec<u32> {
    let fewer = problem.registers.writes(a).len() <= problem.registers.writes(b).len();
    let (few, other) = if b == INITIAL || (a != INITIAL && fewer) { (a, b) } else { (b, a) };
    let keys = problem.registers.writes(few).iter().map(|write| write.key);
    keys.filter(|key| problem.registers.writes_key(other, *key)).collect()
}
