//! The few reads and writes of a history that are impossible by themselves.
//!
//! What refutes a history rests on some of its transactions: those of the circle, and those that
//! the circle's links were concluded from. These are taken out and made smaller step by step, as
//! in delta debugging (Zeller and Hildebrandt, TSE 2002): transactions first, then single reads
//! and writes. A part that has no order shows that the whole has none if each read of it keeps
//! all transactions that can have written what it saw; other reads, and writes that nobody reads
//! any more, can be left out, since leaving them out only makes more orders possible.

use super::clocks::path;
use super::problem::{Cause, Link, Point, Problem};
use super::search::Search;
use super::{Decided, Model, Options, decide, words};
use crate::transactions::registers::{INITIAL, Node, Registers};
use crate::transactions::{Action, Session, Table};
use crate::verdict::Anomaly;
use std::collections::{BTreeMap, BTreeSet};

/// A part is judged with at most so many steps of the search.
const STEPS_A_PART: u64 = 20_000;
/// Parts with so many reads and writes in all are judged; then the smallest so far must do.
const WORK_MAX: usize = 4_000_000;

/// One read or write that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    node: Node,
    write: bool,
    /// Its position among the node's reads or writes.
    at: u32,
}

/// The transactions that links rest on.
pub(super) fn grounds_of(problem: &Problem<'_, '_>, links: &[u32]) -> Vec<Node> {
    let mut nodes = BTreeSet::new();
    let incoming = incoming(problem);
    let mut open: Vec<u32> = links.to_vec();
    let mut done: BTreeSet<u32> = open.iter().copied().collect();
    while let Some(at) = open.pop() {
        let link = problem.links[at as usize];
        nodes.extend(mentioned(problem, link));
        let Some((from, to)) = premise(problem, link) else { continue };
        // What a link was concluded from stands before it.
        let earlier = |point: Point| {
            let all = &incoming[point as usize];
            all.iter().copied().filter(|other| *other < at).collect()
        };
        let way = path(problem, earlier, from, to).unwrap_or_default();
        open.extend(way.into_iter().filter(|other| done.insert(*other)));
    }
    nodes.into_iter().filter(|node| *node != INITIAL).collect()
}

fn incoming(problem: &Problem<'_, '_>) -> Vec<Vec<u32>> {
    let mut incoming = vec![Vec::new(); problem.points()];
    for (at, link) in problem.links.iter().enumerate() {
        incoming[link.to as usize].push(at as u32);
    }
    incoming
}

/// The transactions that a link is about.
fn mentioned(problem: &Problem<'_, '_>, link: Link) -> impl Iterator<Item = Node> {
    let third = match link.cause {
        Cause::Overwritten { reader, .. } => Some(reader),
        Cause::Anti { writer, .. } => Some(writer),
        _ => None,
    };
    [problem.node(link.from), problem.node(link.to), third].into_iter().flatten()
}

/// What must have been known for a link to be concluded: that one point comes before another.
fn premise(problem: &Problem<'_, '_>, link: Link) -> Option<(Point, Point)> {
    match link.cause {
        Cause::Overwritten { reader, .. } => Some((link.from, problem.begin(reader))),
        Cause::Anti { writer, .. } if writer != INITIAL => Some((problem.begin(writer), link.to)),
        Cause::Overlap { .. } => {
            let from = problem.begin(problem.node(link.from)?);
            Some((from, problem.end(problem.node(link.to)?)))
        }
        _ => None,
    }
}

/// The transactions that a site without a possible writer rests on.
pub(super) fn grounds_of_site(problem: &Problem<'_, '_>, site: usize) -> Vec<Node> {
    let site = &problem.sites[site];
    let all = 1..problem.registers.len() as Node;
    let near = problem.registers.writers(site.key);
    if problem.registers.len() <= 400 {
        return all.collect();
    }
    near.iter().copied().chain([site.reader]).collect()
}

/// The transactions that the conflicts of a search rest on.
pub(super) fn grounds_of_search(search: &Search<'_, '_, '_>) -> Vec<Node> {
    let links = search.blamed_links.iter().enumerate().filter(|(_, blamed)| **blamed);
    let links: Vec<u32> = links.map(|(at, _)| at as u32).collect();
    let mut nodes: BTreeSet<Node> = grounds_of(search.problem, &links).into_iter().collect();
    let blamed = search.blamed.iter().enumerate().filter(|(_, blamed)| **blamed);
    nodes.extend(blamed.map(|(node, _)| node as Node));
    nodes.remove(&INITIAL);
    nodes.into_iter().collect()
}

/// Parts of a history, and whether they are impossible by themselves.
struct Parts<'a, 'r, 't> {
    registers: &'r Registers<'t>,
    model: Model,
    options: &'a Options<'a>,
    /// How many reads and writes all parts had so far.
    judged: usize,
}

/// Why a history has no order, in words, from the transactions that were found to be in each
/// other's way.
pub(super) fn explain(
    registers: &Registers<'_>,
    model: Model,
    options: &Options<'_>,
    blamed: &[Node],
) -> Anomaly {
    let part = smallest(registers, model, options, blamed);
    Parts { registers, model, options, judged: 0 }.tell(&part)
}

/// Why a part has no order under another model, if that is so.
pub(super) fn explain_also(
    registers: &Registers<'_>,
    part: &Part,
    model: Model,
    options: &Options<'_>,
) -> Option<Anomaly> {
    let mut parts = Parts { registers, model, options, judged: 0 };
    parts.impossible(&part.0).then(|| parts.tell(part))
}

/// A part of a history.
pub(super) struct Part(Vec<Kept>);

/// A part without an order from which nothing can be left out, as far as the budget allows.
pub(super) fn smallest(
    registers: &Registers<'_>,
    model: Model,
    options: &Options<'_>,
    blamed: &[Node],
) -> Part {
    let mut parts = Parts { registers, model, options, judged: 0 };
    let some = parts.closed(&parts.items(blamed));
    let whole: Vec<Node> = (1..registers.len() as Node).collect();
    let found = if parts.impossible(&some) {
        some
    } else {
        // What was blamed does not suffice: the reason lies deeper, so begin with everything.
        parts.closed(&parts.items(&whole))
    };
    let fewer = parts.fewer_transactions(found);
    Part(parts.fewer_items(fewer))
}

impl Parts<'_, '_, '_> {
    fn tell(&self, part: &Part) -> Anomaly {
        let (table, rows) = self.table(&part.0);
        let small = Registers::new(&table);
        let model = self.model.weaker().find(|model| self.has_no_order(&small, *model));
        let model = model.unwrap_or(self.model);
        words::impossible(self.registers, &small, &rows, model)
    }

    fn items(&self, nodes: &[Node]) -> Vec<Kept> {
        let of = |node: &Node| {
            let reads = 0..self.registers.reads(*node).len() as u32;
            let writes = 0..self.registers.writes(*node).len() as u32;
            let kept = |write: bool| move |at: u32| Kept { node: *node, write, at };
            reads.map(kept(false)).chain(writes.map(kept(true))).collect::<Vec<Kept>>()
        };
        nodes.iter().flat_map(of).collect()
    }

    /// Without the reads whose possible writers are not all there.
    fn closed(&self, items: &[Kept]) -> Vec<Kept> {
        let written: BTreeSet<(Node, u32)> = items
            .iter()
            .filter(|kept| kept.write)
            .map(|kept| (kept.node, self.registers.writes(kept.node)[kept.at as usize].key))
            .collect();
        let there = |node: Node, key: u32| node == INITIAL || written.contains(&(node, key));
        let keep = |kept: &&Kept| {
            if kept.write {
                return true;
            }
            let read = self.registers.reads(kept.node)[kept.at as usize];
            match (read.writer(), read.choice()) {
                (Some(writer), _) => there(writer, read.key),
                (None, Some(choice)) => {
                    self.registers.candidates()[choice].iter().all(|w| there(*w, read.key))
                }
                (None, None) => false,
            }
        };
        items.iter().filter(keep).copied().collect()
    }

    /// The part as a table of its own, with the node that each row came from.
    fn table(&self, items: &[Kept]) -> (Table, Vec<Node>) {
        let source = self.registers.table();
        let mut table = Table::default();
        let mut sessions: BTreeMap<u32, Session> = BTreeMap::new();
        let mut rows = Vec::new();
        for of_node in items.chunk_by(|a, b| a.node == b.node) {
            let node = of_node[0].node;
            let txn = source.txn(self.registers.row(node));
            let session = *sessions
                .entry(txn.session.0)
                .or_insert_with(|| table.add_session(source.process(txn.session)));
            table.begin(session, txn.outcome, txn.invoke, txn.complete);
            rows.push(node);
            for kept in of_node {
                let (key, value) = if kept.write {
                    let write = self.registers.writes(node)[kept.at as usize];
                    (write.key, write.value)
                } else {
                    let read = self.registers.reads(node)[kept.at as usize];
                    match source.all_ops()[read.op as usize].action {
                        Action::Read(value) => (read.key, value),
                        _ => continue,
                    }
                };
                let key = table.key_id(source.key(Registers::key_id(key)));
                let value = table.value_id(source.value(value));
                table
                    .push(key, if kept.write { Action::Write(value) } else { Action::Read(value) });
            }
        }
        (table, rows)
    }

    /// Whether a part has no order. Where that is not found out in time, it counts as having one.
    fn impossible(&mut self, items: &[Kept]) -> bool {
        self.judged += items.len();
        if self.judged > WORK_MAX || self.options.stop.is_some_and(|stop| stop()) {
            return false;
        }
        let (table, _) = self.table(items);
        self.has_no_order(&Registers::new(&table), self.model)
    }

    fn has_no_order(&self, part: &Registers<'_>, model: Model) -> bool {
        let options = Options { steps: STEPS_A_PART, stop: self.options.stop };
        matches!(decide(part, model, &options).0, Decided::Impossible(_))
    }

    /// Leaves out whole transactions, many at a time while that works.
    fn fewer_transactions(&mut self, mut items: Vec<Kept>) -> Vec<Kept> {
        let mut size = usize::MAX;
        loop {
            let mut nodes: Vec<Node> = items.iter().map(|kept| kept.node).collect();
            nodes.dedup();
            size = size.min(nodes.len() / 2);
            if size == 0 {
                return items;
            }
            let mut smaller = false;
            for chunk in nodes.chunks(size) {
                let without = |kept: &&Kept| chunk.binary_search(&kept.node).is_err();
                let rest: Vec<Kept> = items.iter().filter(without).copied().collect();
                let rest = self.closed(&rest);
                if rest.len() < items.len() && self.impossible(&rest) {
                    items = rest;
                    smaller = true;
                }
            }
            if !smaller {
                if size == 1 {
                    return items;
                }
                size /= 2;
            }
        }
    }

    /// Leaves out single reads, and writes that nobody reads.
    fn fewer_items(&mut self, mut items: Vec<Kept>) -> Vec<Kept> {
        let mut at = items.len();
        while at > 0 {
            at -= 1;
            let mut rest = items.clone();
            let removed = rest.remove(at);
            let rest = self.closed(&rest);
            // A write that others read takes their reads along.
            let alone = rest.len() + 1 == items.len();
            if (alone || removed.write) && self.impossible(&rest) {
                items = rest;
                at = at.min(items.len());
            }
        }
        items
    }
}
