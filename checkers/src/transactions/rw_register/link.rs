//! From the order of versions to dependencies of transactions.
//!
//! Of the versions that follow one, only the next need edges: later ones follow through their
//! writers. In real time the next ones of `u` are those that began after the first end of `u`
//! and not after the first end of any other of them: again a stretch.

use super::Registers;
use super::key::Key;
use super::versions::{Order, Seen};
use crate::transactions::graph::{Edges, Fan, Why};
use crate::transactions::scratch::NONE;

/// The transactions that found each version: stretches of one array.
struct Readers {
    starts: Vec<u32>,
    txns: Vec<u32>,
}

impl Readers {
    fn of(key: &Key<'_>) -> Readers {
        let mut starts = vec![0_u32; key.versions.len() + 2];
        let found = || key.visits.iter().filter_map(|visit| Some((visit.found?, visit.txn)));
        for (version, _) in found() {
            starts[version as usize + 2] += 1;
        }
        for at in 2..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut txns = vec![0; starts[starts.len() - 1] as usize];
        for (version, txn) in found() {
            let next = &mut starts[version as usize + 1];
            txns[*next as usize] = txn;
            *next += 1;
        }
        starts.pop();
        Readers { starts, txns }
    }

    fn of_version(&self, version: u32) -> &[u32] {
        let version = version as usize;
        &self.txns[self.starts[version] as usize..self.starts[version + 1] as usize]
    }
}

/// Adds all ww and rw edges of a key.
pub(super) fn connect(key: &Key<'_>, order: &Order, registers: &mut Registers) {
    let readers = Readers::of(key);
    let edges = &mut registers.edges;
    let writers: Vec<u32> =
        key.versions.iter().map(|version| version.writer).filter(|txn| *txn != NONE).collect();
    pairs(key, order, &readers, edges);
    match &order.seen {
        Some(seen) => in_time(key, seen, &readers, edges),
        None => initial(&readers, writers, edges),
    }
}

/// Who found the initial version comes before all writers.
fn initial(readers: &Readers, mut writers: Vec<u32>, edges: &mut Edges) {
    writers.sort_unstable();
    let mut fan = Fan::over(&writers);
    for reader in readers.of_version(0) {
        let own = writers.binary_search(reader).ok();
        edges.push_range(*reader, &mut fan, 0..writers.len(), own, Why::Rw);
    }
}

/// Single pairs of versions, those with the same first one together.
fn pairs(key: &Key<'_>, order: &Order, readers: &Readers, edges: &mut Edges) {
    let mut pairs = order.pairs.clone();
    pairs.sort_unstable();
    pairs.dedup();
    for same in pairs.chunk_by(|a, b| a.0 == b.0) {
        let first = same[0].0;
        let mut next: Vec<u32> = same
            .iter()
            .map(|(_, second)| key.versions[*second as usize].writer)
            .filter(|txn| *txn != NONE)
            .collect();
        next.sort_unstable();
        let mut fan = Fan::over(&next);
        let sources = readers.of_version(first).iter().map(|reader| (*reader, Why::Rw));
        let writer = key.versions[first as usize].writer;
        let writer = (writer != NONE).then_some((writer, Why::Ww));
        for (source, why) in writer.into_iter().chain(sources) {
            let own = next.binary_search(&source).ok();
            edges.push_range(source, &mut fan, 0..next.len(), own, why);
        }
    }
}

/// Versions in real time.
fn in_time(key: &Key<'_>, seen: &Seen, readers: &Readers, edges: &mut Edges) {
    let written = |version: &u32| key.versions[*version as usize].writer != NONE;
    let mut by_begin: Vec<u32> = (0..key.versions.len() as u32).filter(written).collect();
    by_begin.sort_by_key(|version| seen.last_begin[*version as usize]);
    let writers: Vec<u32> =
        by_begin.iter().map(|version| key.versions[*version as usize].writer).collect();
    let least = least_ends(&by_begin, seen);
    let mut fan = Fan::over(&writers);
    let mut place = vec![None; key.versions.len()];
    for (at, version) in by_begin.iter().enumerate() {
        place[*version as usize] = Some(at);
    }
    for (number, version) in key.versions.iter().enumerate() {
        let end = seen.first_end[number];
        let from = by_begin.partition_point(|v| seen.last_begin[*v as usize] <= end);
        if from == by_begin.len() {
            continue;
        }
        // The first end of those that follow, itself left out.
        let [first, second] = least[from];
        let (least, first) = if first.1 as usize == number { second } else { first };
        let to = by_begin.partition_point(|v| seen.last_begin[*v as usize] <= least);
        // That one follows too, but it may have begun again after its own first end.
        let beyond = place.get(first as usize).copied().flatten().filter(|at| *at >= to);
        // A forward zone follows its own first end, but no version follows itself.
        let range = from..to.max(from);
        let itself = place[number].filter(|itself| range.contains(itself));
        let stretches = match itself {
            Some(itself) => [range.start..itself, itself + 1..range.end],
            None => [range, 0..0],
        };
        let beyond = beyond.map(|at| at..at + 1);
        for stretch in stretches.into_iter().chain(beyond).filter(|stretch| !stretch.is_empty()) {
            if version.writer != NONE {
                edges.push_range(version.writer, &mut fan, stretch.clone(), None, Why::Ww);
            }
            for reader in readers.of_version(number as u32) {
                // A reader may itself have left one of those that follow.
                let own = left_by(key, *reader).and_then(|left| place[left as usize]);
                edges.push_range(*reader, &mut fan, stretch.clone(), own, Why::Rw);
            }
        }
    }
}

/// The version that a transaction left.
fn left_by(key: &Key<'_>, txn: u32) -> Option<u32> {
    let at = key.visits.binary_search_by_key(&txn, |visit| visit.txn).ok()?;
    key.visits[at].left
}

/// For each place the two least first ends from there on, with their versions.
fn least_ends(by_begin: &[u32], seen: &Seen) -> Vec<[(i64, u32); 2]> {
    let none = (i64::MAX, u32::MAX);
    let mut least = vec![[none, none]; by_begin.len()];
    let mut best = [none, none];
    for (at, version) in by_begin.iter().enumerate().rev() {
        let end = (seen.first_end[*version as usize], *version);
        if end < best[0] {
            best = [end, best[0]];
        } else if end < best[1] {
            best[1] = end;
        }
        least[at] = best;
    }
    least
}
