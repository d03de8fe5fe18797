//! The search for an order of what saturation left open.
//!
//! Conflict-driven clause learning (Marques-Silva and Sakallah's GRASP; the watched literals are
//! Chaff's) over the choices of [`super::choices`], with a dynamic topological order as the
//! theory, as `VeriStrong` has it (VLDB 2026). Here choices are made lazily: the order at hand is
//! tried, and only where it makes a read wrong is a choice made, in the direction in which the
//! order already has the two writers. So a history that is nearly in order needs few.
//!
//! A choice adds links. Links that close a circle are a conflict: the choices that they rest on
//! cannot all be right. That clause is resolved until one choice of the last level remains, which
//! is then turned round at the level where nothing else speaks for it.

use super::choices::{Choice, Choices, Literal, common_keys, grounds, not, variable};
use super::order::{Edge, Grounds, NONE, Order};
use super::problem::{Cause, Link, Problem};
use crate::transactions::registers::Node;

/// What became of a search.
pub(super) enum Outcome {
    /// The order makes all reads right.
    Order,
    /// No order does.
    Impossible,
    /// The budget ran out.
    Budget,
}

type ClauseId = u32;

/// Clauses may hold so many literals in all: a quarter of a gigabyte.
const LITERALS_MAX: usize = 1 << 26;

/// Literals of which one must hold, though none does.
type Conflict = Vec<Literal>;

/// The search, with all that it knows.
pub(super) struct Search<'a, 'r, 't> {
    pub(super) problem: &'a Problem<'r, 't>,
    pub(super) order: Order,
    pub(super) choices: Choices,
    /// For each variable 1 if it holds, -1 if not, 0 if open.
    values: Vec<i8>,
    levels: Vec<u32>,
    reasons: Vec<ClauseId>,
    trail: Vec<Literal>,
    /// For each level how long the trail was before it, and how many links there were.
    marks: Vec<(usize, usize)>,
    next: usize,
    clauses: Vec<Vec<Literal>>,
    literals: usize,
    watches: Vec<Vec<ClauseId>>,
    seen: Vec<bool>,
    /// How many conflicts there were.
    pub(super) conflicts: u64,
    /// How many choices were made.
    pub(super) decisions: u64,
    /// The links of the problem that conflicts rest on.
    pub(super) blamed_links: Vec<bool>,
    /// The transactions that conflicts rest on.
    pub(super) blamed: Vec<bool>,
}

impl<'a, 'r, 't> Search<'a, 'r, 't> {
    pub(super) fn new(problem: &'a Problem<'r, 't>, order: Order) -> Self {
        Search {
            problem,
            order,
            choices: Choices::default(),
            values: Vec::new(),
            levels: Vec::new(),
            reasons: Vec::new(),
            trail: Vec::new(),
            marks: Vec::new(),
            next: 0,
            clauses: Vec::new(),
            literals: 0,
            watches: Vec::new(),
            seen: Vec::new(),
            conflicts: 0,
            decisions: 0,
            blamed_links: vec![false; problem.links.len()],
            blamed: vec![false; problem.registers.len()],
        }
    }

    /// Searches until an order is found, or none can be, or `steps` choices and conflicts are
    /// used up.
    pub(super) fn run(&mut self, steps: u64, stop: &dyn Fn() -> bool) -> Outcome {
        let mut open = super::violations::Open::all(self.problem);
        loop {
            if let Some(conflict) = self.propagate() {
                self.conflicts += 1;
                if !self.learn(conflict) {
                    return Outcome::Impossible;
                }
                continue;
            }
            let used = self.conflicts + self.decisions;
            if used > steps || self.literals > LITERALS_MAX || (used.is_multiple_of(64) && stop()) {
                return Outcome::Budget;
            }
            open.touch(self.problem, &mut self.order.moved);
            match open.next(self) {
                Some(literal) if self.value(literal) == 0 => self.decide(literal),
                Some(_) => return Outcome::Budget,
                None => return Outcome::Order,
            }
        }
    }

    /// 1 if a literal holds, -1 if it does not, 0 if it is open.
    pub(super) fn value(&self, literal: Literal) -> i8 {
        let value = self.values[variable(literal)];
        if literal & 1 == 0 { value } else { -value }
    }

    /// The literal by which one writer comes before another.
    pub(super) fn pair(&mut self, first: Node, second: Node) -> Literal {
        let (literal, _) = self.choices.pair(first, second);
        self.grow();
        literal
    }

    /// The literals of whom a site can have seen. At least one holds.
    pub(super) fn sources(&mut self, site: u32) -> Vec<Literal> {
        if let Some(known) = self.choices.known_sources(site) {
            return known.to_vec();
        }
        let literals = self.choices.add_sources(self.problem, site);
        self.grow();
        self.add_clause(literals.clone());
        literals
    }

    fn grow(&mut self) {
        let count = self.choices.all.len();
        self.values.resize(count, 0);
        self.levels.resize(count, 0);
        self.reasons.resize(count, NONE);
        self.seen.resize(count, false);
        self.watches.resize(2 * count, Vec::new());
    }

    fn decide(&mut self, literal: Literal) {
        self.decisions += 1;
        self.marks.push((self.trail.len(), self.order.len()));
        self.assign(literal, NONE);
    }

    fn assign(&mut self, literal: Literal, reason: ClauseId) {
        let at = variable(literal);
        self.values[at] = if literal & 1 == 0 { 1 } else { -1 };
        self.levels[at] = self.marks.len() as u32;
        self.reasons[at] = reason;
        self.trail.push(literal);
    }

    /// Adds a clause of at least two literals.
    fn add_clause(&mut self, literals: Vec<Literal>) -> ClauseId {
        let id = self.clauses.len() as ClauseId;
        for literal in &literals[..2] {
            self.watches[not(*literal) as usize].push(id);
        }
        self.literals += literals.len();
        self.clauses.push(literals);
        id
    }

    /// Draws all conclusions of what was assigned; literals that cannot all hold are a conflict,
    /// as a clause of which none does.
    fn propagate(&mut self) -> Option<Conflict> {
        while let Some(literal) = self.trail.get(self.next).copied() {
            self.next += 1;
            let done = self.clauses_of(literal).and_then(|()| self.links_of(literal));
            if let Err(conflict) = done {
                return Some(conflict);
            }
        }
        None
    }

    /// Clauses that watch a literal which no longer holds look for another.
    fn clauses_of(&mut self, literal: Literal) -> Result<(), Conflict> {
        let mut watching = std::mem::take(&mut self.watches[literal as usize]);
        let mut kept = 0;
        let mut conflict = None;
        for at in 0..watching.len() {
            let id = watching[at];
            if conflict.is_some() || !self.rewatch(id, not(literal)) {
                watching[kept] = id;
                kept += 1;
            } else {
                continue;
            }
            let first = self.clauses[id as usize][0];
            match self.value(first) {
                _ if conflict.is_some() => {}
                0 => self.assign(first, id),
                -1 => conflict = Some(self.clauses[id as usize].clone()),
                _ => {}
            }
        }
        watching.truncate(kept);
        self.watches[literal as usize] = watching;
        conflict.map_or(Ok(()), Err)
    }

    /// Finds a clause another literal to watch than `lost`; whether there was one. If not, the
    /// clause's first literal is the only one that may hold.
    fn rewatch(&mut self, id: ClauseId, lost: Literal) -> bool {
        let mut clause = std::mem::take(&mut self.clauses[id as usize]);
        if clause[0] == lost {
            clause.swap(0, 1);
        }
        let mut found = None;
        if self.value(clause[0]) != 1 {
            found = (2..clause.len()).find(|at| self.value(clause[*at]) != -1);
        }
        if let Some(at) = found {
            clause.swap(1, at);
            self.watches[not(clause[1]) as usize].push(id);
        }
        self.clauses[id as usize] = clause;
        found.is_some()
    }

    /// Adds the links that follow from a literal.
    fn links_of(&mut self, literal: Literal) -> Result<(), Conflict> {
        match self.choices.all[variable(literal)] {
            Choice::Pair(low, high) => {
                let (first, second) = if literal & 1 == 0 { (low, high) } else { (high, low) };
                self.order_writers(literal, first, second)
            }
            Choice::Source { .. } if literal & 1 == 1 => Ok(()),
            Choice::Source { site, writer } => self.see(literal, site, writer),
        }
    }

    /// `second` overwrites `first`, and comes behind all who saw it.
    fn order_writers(
        &mut self,
        literal: Literal,
        first: Node,
        second: Node,
    ) -> Result<(), Conflict> {
        let problem = self.problem;
        let link =
            Link { from: problem.end(first), to: problem.begin(second), cause: Cause::Tried };
        self.insert(link, [literal, NONE])?;
        for key in common_keys(problem, first, second) {
            let Some(slot) = problem.registers.slot(first, key) else { continue };
            let cause = Cause::Anti { key, writer: first };
            let to = problem.end(second);
            for reader in problem.readers[slot].iter().filter(|reader| **reader != second) {
                let link = Link { from: problem.begin(*reader), to, cause };
                self.insert(link, [literal, NONE])?;
            }
            let chosen = self.choices.seen_by(slot).iter();
            let chosen = chosen.filter(|(_, seen)| self.value(*seen) == 1);
            let chosen: Vec<(u32, Literal)> = chosen.copied().collect();
            for (site, seen) in chosen {
                let reader = problem.sites[site as usize].reader;
                if reader != second {
                    let link = Link { from: problem.begin(reader), to, cause };
                    self.insert(link, [literal, seen])?;
                }
            }
        }
        Ok(())
    }

    /// The reader of a site comes behind the writer, and before all that overwrite it.
    fn see(&mut self, literal: Literal, site: u32, writer: Node) -> Result<(), Conflict> {
        let problem = self.problem;
        let site = &problem.sites[site as usize];
        let (begin, key) = (problem.begin(site.reader), site.key);
        let cause = Cause::Reads(key);
        self.order.moved.push(begin); // What it reads must be looked at again.
        self.insert(Link { from: problem.end(writer), to: begin, cause }, [literal, NONE])?;
        let later = self.choices.pairs_of(writer).filter(|(other, first)| {
            self.value(*first) == 1
                && *other != site.reader
                && problem.registers.writes_key(*other, key)
        });
        let later: Vec<(Node, Literal)> = later.collect();
        for (other, first) in later {
            let link =
                Link { from: begin, to: problem.end(other), cause: Cause::Anti { key, writer } };
            self.insert(link, [literal, first])?;
        }
        Ok(())
    }

    /// Adds a link that follows from `of`.
    fn insert(&mut self, link: Link, of: Grounds) -> Result<(), Conflict> {
        let Err(circle) = self.order.insert(Edge { link, grounds: of }) else { return Ok(()) };
        let mut clause: Conflict = grounds(of).map(not).collect();
        self.blame(link);
        for at in circle {
            let edge = self.order.edge(at);
            clause.extend(grounds(edge.grounds).map(not));
            match self.blamed_links.get_mut(at as usize) {
                Some(blamed) => *blamed = true,
                None => self.blame(edge.link),
            }
        }
        clause.sort_unstable();
        clause.dedup();
        Err(clause)
    }

    fn blame(&mut self, link: Link) {
        let writer = match link.cause {
            Cause::Anti { writer, .. } => Some(writer),
            _ => None,
        };
        let ends = [self.problem.node(link.from), self.problem.node(link.to), writer];
        for node in ends.into_iter().flatten() {
            self.blamed[node as usize] = true;
        }
    }

    /// Learns from a conflict and goes back; false if nothing can be changed any more.
    fn learn(&mut self, conflict: Conflict) -> bool {
        let level = conflict.iter().map(|literal| self.levels[variable(*literal)]).max();
        let Some(level) = level.filter(|level| *level > 0) else { return false };
        self.back_to(level);
        let clause = self.resolve(conflict, level);
        let back = clause[1..].iter().map(|literal| self.levels[variable(*literal)]).max();
        self.back_to(back.unwrap_or(0));
        if let [only] = clause[..] {
            self.assign(only, NONE);
            return true;
        }
        let first = clause[0];
        let id = self.add_clause(clause);
        self.assign(first, id);
        true
    }

    /// Resolves a conflict until one literal of `level` is left: the first of the clause. The
    /// second is of the highest level of the others.
    fn resolve(&mut self, conflict: Conflict, level: u32) -> Vec<Literal> {
        let mut clause = vec![NONE];
        let mut marked = Vec::new();
        let mut here = 0;
        let mut literals = conflict;
        let mut at = self.trail.len();
        loop {
            for literal in literals.drain(..) {
                let number = variable(literal);
                if self.seen[number] || self.levels[number] == 0 {
                    continue;
                }
                self.seen[number] = true;
                marked.push(number);
                if self.levels[number] == level {
                    here += 1;
                } else {
                    clause.push(literal);
                }
            }
            while at > 0 && !self.seen[variable(self.trail[at - 1])] {
                at -= 1;
            }
            at -= 1;
            let pivot = self.trail[at];
            here -= 1;
            if here == 0 {
                clause[0] = not(pivot);
                break;
            }
            let reason = self.reasons[variable(pivot)];
            let others = self.clauses[reason as usize].iter().filter(|l| **l != pivot);
            literals.extend(others);
        }
        for number in marked {
            self.seen[number] = false;
        }
        let highest = (1..clause.len()).max_by_key(|at| self.levels[variable(clause[*at])]);
        if let Some(highest) = highest {
            clause.swap(1, highest);
        }
        clause
    }

    /// Takes back all levels above this one.
    fn back_to(&mut self, level: u32) {
        let Some((trail, links)) = self.marks.get(level as usize).copied() else { return };
        for literal in self.trail.drain(trail..) {
            self.values[variable(literal)] = 0;
        }
        self.marks.truncate(level as usize);
        self.order.truncate(links);
        self.next = self.trail.len();
    }
}
