//! Where an order of points makes a read wrong, and what to choose there.

use super::choices::Literal;
use super::problem::{Point, Problem, Site};
use super::search::Search;
use crate::transactions::registers::{INITIAL, Node};

/// Keys that must be looked at: those of transactions that were moved since they were right.
pub(super) struct Open {
    keys: Vec<u32>,
    is_open: Vec<bool>,
}

impl Open {
    pub(super) fn all(problem: &Problem<'_, '_>) -> Open {
        let count = problem.registers.keys();
        Open { keys: (0..count as u32).rev().collect(), is_open: vec![true; count] }
    }

    /// Opens the keys of transactions that were moved.
    pub(super) fn touch(&mut self, problem: &Problem<'_, '_>, moved: &mut Vec<Point>) {
        moved.sort_unstable();
        moved.dedup();
        for node in moved.drain(..).filter_map(|point| problem.node(point)) {
            let reads = problem.registers.reads(node).iter().map(|read| read.key);
            let writes = problem.registers.writes(node).iter().map(|write| write.key);
            for key in reads.chain(writes) {
                if !std::mem::replace(&mut self.is_open[key as usize], true) {
                    self.keys.push(key);
                }
            }
        }
    }

    /// A choice to make; nothing if all reads are right.
    pub(super) fn next(&mut self, search: &mut Search<'_, '_, '_>) -> Option<Literal> {
        while let Some(key) = self.keys.last().copied() {
            if let Some(literal) = violation(search, key) {
                return Some(literal);
            }
            self.keys.pop();
            self.is_open[key as usize] = false;
        }
        None
    }
}

/// The choice that the first wrong read of a key asks for.
fn violation(search: &mut Search<'_, '_, '_>, key: u32) -> Option<Literal> {
    let problem = search.problem;
    let writers = problem.registers.writers(key).iter();
    let mut writers: Vec<(u32, Node)> =
        writers.map(|writer| (search.order.place(problem.end(*writer)), *writer)).collect();
    writers.sort_unstable();
    if problem.split {
        // One that begins before the last one ended would overwrite what it did not see.
        for pair in writers.windows(2) {
            let [(end, first), (_, second)] = *pair else { continue };
            if search.order.place(problem.begin(second)) < end {
                return Some(search.pair(first, second));
            }
        }
    }
    problem.sites_of[key as usize].iter().find_map(|at| wrong_read(search, *at, &writers))
}

/// The choice for a site, if it sees another write than it read.
fn wrong_read(
    search: &mut Search<'_, '_, '_>,
    at: u32,
    writers: &[(u32, Node)],
) -> Option<Literal> {
    let problem = search.problem;
    let site = &problem.sites[at as usize];
    let begin = search.order.place(problem.begin(site.reader));
    let seen = writers.partition_point(|(end, _)| *end < begin).checked_sub(1);
    let last = seen.map_or(INITIAL, |seen| writers[seen].1);
    let writer = match site.writer() {
        Some(writer) => Some(writer),
        None => chosen(search, at, site),
    };
    match writer {
        Some(writer) if writer == last => None,
        Some(writer) => Some(search.pair(writer, last)),
        None => choose(search, at, site, last),
    }
}

/// The writer that the search already chose for a site.
fn chosen(search: &Search<'_, '_, '_>, at: u32, site: &Site) -> Option<Node> {
    let literals = search.choices.known_sources(at)?;
    let taken = literals.iter().position(|literal| search.value(*literal) == 1)?;
    Some(site.writers[taken])
}

/// The nearest writer that a site may still have seen, unless it sees one already.
fn choose(search: &mut Search<'_, '_, '_>, at: u32, site: &Site, last: Node) -> Option<Literal> {
    let fits = site.writers.iter().position(|writer| *writer == last);
    if let Some(fits) = fits {
        let known = search.choices.known_sources(at);
        if known.is_none_or(|known| search.value(known[fits]) != -1) {
            return None;
        }
    }
    let literals = search.sources(at);
    let begin = search.order.place(search.problem.begin(site.reader));
    let open = site.writers.iter().zip(literals).filter(|(_, literal)| search.value(*literal) == 0);
    let nearest = open.min_by_key(|(writer, _)| {
        let end = search.order.place(search.problem.end(**writer));
        (end > begin, end.abs_diff(begin))
    });
    nearest.map(|(_, literal)| literal)
}
