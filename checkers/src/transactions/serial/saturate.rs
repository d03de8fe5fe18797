//! What follows from what is known, without trying anything.
//!
//! Two transactions T and U that write the same key come in one order or the other. If T is
//! first, so is everyone who read the key from T; this is impossible if U is known to come
//! before one of these readers, and then U is first. That is rule `overwritten`. Where T is
//! known to be first, its readers come before U: rule `anti`. Under snapshot isolation T is
//! first as soon as it began before U ended: rule `overlap`. A read of a value that was written
//! several times loses the writers that come behind the reader, or that were surely overwritten.
//!
//! New links lengthen the clocks, and so give more links, until nothing is left. Each round costs
//! O(reads × sessions); in a session only the last writer before a reader, and the first behind a
//! writer, needs a link.

use super::clocks::{Circle, Clocks};
use super::problem::{Cause, Link, Point, Problem};
use crate::transactions::registers::{INITIAL, Node};

/// How it ended.
pub(super) enum Saturated {
    /// Nothing more follows.
    Fixed,
    /// The links lead in a circle.
    Circle(Circle),
    /// Nobody can have written what this site saw.
    NoWriter(usize),
    /// There was no room for clocks.
    Skipped,
}

/// More rounds than this are not worth their time: the search goes on from there.
const ROUNDS_MAX: usize = 100;

/// Adds links to a problem as long as some follow.
pub(super) fn saturate(problem: &mut Problem<'_, '_>, stop: &dyn Fn() -> bool) -> Saturated {
    if !Clocks::fit(problem) {
        return Saturated::Skipped;
    }
    for _ in 0..ROUNDS_MAX {
        let clocks = match Clocks::new(problem) {
            Ok(clocks) => clocks,
            Err(circle) => return Saturated::Circle(circle),
        };
        if stop() {
            return Saturated::Skipped;
        }
        let mut round = Round { problem, clocks: &clocks, new: Vec::new() };
        for key in 0..round.problem.registers.keys() as u32 {
            round.key(key);
        }
        let mut new = round.new;
        let settled = match choices(problem, &clocks) {
            Ok(settled) => settled,
            Err(site) => return Saturated::NoWriter(site),
        };
        new.sort_unstable_by_key(|link| (link.from, link.to, link.cause));
        new.dedup_by_key(|link| (link.from, link.to));
        if new.is_empty() && !settled {
            return Saturated::Fixed;
        }
        problem.links.append(&mut new);
    }
    Saturated::Fixed
}

struct Round<'a, 'r, 't> {
    problem: &'a Problem<'r, 't>,
    clocks: &'a Clocks,
    new: Vec<Link>,
}

impl Round<'_, '_, '_> {
    fn key(&mut self, key: u32) {
        let writers = self.problem.registers.writers(key);
        let sites = &self.problem.sites_of[key as usize];
        if writers.is_empty() {
            return;
        }
        for stretch in self.problem.by_chain(writers) {
            for site in sites {
                let site = &self.problem.sites[*site as usize];
                if let Some(writer) = site.writer() {
                    self.overwritten(site.reader, writer, key, stretch);
                    self.anti(site.reader, writer, key, stretch);
                }
            }
            if self.problem.split {
                for writer in writers {
                    self.overlap(*writer, key, stretch);
                }
            }
        }
    }

    /// The last of a session's writers that ends before `reader` begins comes before the writer
    /// that it reads from.
    fn overwritten(&mut self, reader: Node, writer: Node, key: u32, stretch: &[Node]) {
        let begin = self.problem.begin(reader);
        let behind = stretch.partition_point(|other| self.before(self.problem.end(*other), begin));
        let Some(other) = behind.checked_sub(1).map(|last| stretch[last]) else { return };
        if other != writer {
            let (from, to) = (self.problem.end(other), self.problem.begin(writer));
            self.add(from, to, Cause::Overwritten { key, reader });
        }
    }

    /// The reader comes before the first of a session's writers that comes behind its writer.
    fn anti(&mut self, reader: Node, writer: Node, key: u32, stretch: &[Node]) {
        if let Some(other) = self.first_behind(writer, stretch)
            && other != reader
        {
            let (from, to) = (self.problem.begin(reader), self.problem.end(other));
            self.add(from, to, Cause::Anti { key, writer });
        }
    }

    fn overlap(&mut self, writer: Node, key: u32, stretch: &[Node]) {
        if let Some(other) = self.first_behind(writer, stretch) {
            let (from, to) = (self.problem.end(writer), self.problem.begin(other));
            self.add(from, to, Cause::Overlap { key });
        }
    }

    /// The first of a session's writers that is known to come behind `writer`.
    fn first_behind(&self, writer: Node, stretch: &[Node]) -> Option<Node> {
        if writer == INITIAL {
            return stretch.first().copied();
        }
        let begin = self.problem.begin(writer);
        let at = stretch.partition_point(|other| {
            *other == writer || !self.before(begin, self.problem.end(*other))
        });
        // Those before the writer itself in its session are not behind it.
        stretch.get(at).copied()
    }

    fn before(&self, a: Point, b: Point) -> bool {
        self.clocks.before(self.problem, a, b)
    }

    fn add(&mut self, from: Point, to: Point, cause: Cause) {
        if !self.before(from, to) {
            self.new.push(Link { from, to, cause });
        }
    }
}

/// Takes away writers that sites cannot have seen; whether some site now has only one. An error
/// is a site that has none left.
fn choices(problem: &mut Problem<'_, '_>, clocks: &Clocks) -> Result<bool, usize> {
    let mut settled = false;
    for at in 0..problem.sites.len() {
        if problem.sites[at].writers.len() < 2 {
            continue;
        }
        let possible = possible(problem, clocks, at);
        problem.sites[at].writers = possible;
        match problem.sites[at].writers.len() {
            0 => return Err(at),
            1 => {
                problem.settle(at);
                settled = true;
            }
            _ => {}
        }
    }
    Ok(settled)
}

/// The writers that a site can have seen: they do not come behind the reader, and nobody who
/// comes behind them overwrote the key before the reader.
fn possible(problem: &Problem<'_, '_>, clocks: &Clocks, at: usize) -> Vec<Node> {
    let site = &problem.sites[at];
    let before = |a: Point, b: Point| clocks.before(problem, a, b);
    let begin = problem.begin(site.reader);
    let last = problem.by_chain(problem.registers.writers(site.key)).filter_map(|stretch| {
        let behind = stretch.partition_point(|other| before(problem.end(*other), begin));
        behind.checked_sub(1).map(|last| stretch[last])
    });
    let last: Vec<Node> = last.collect();
    let fits = |writer: &Node| {
        let overwrites =
            |other: &Node| other != writer && before(problem.begin(*writer), problem.end(*other));
        !before(begin, problem.end(*writer)) && !last.iter().any(overwrites)
    };
    site.writers.iter().copied().filter(fits).collect()
}
