//! What must be ordered, and what is known of the order from the start.
//!
//! Serializability asks for an order of transactions. Snapshot isolation asks for an order of
//! their beginnings and ends: a transaction reads what was there when it began, and of two that
//! write one key, one ends before the other begins. So a transaction is one point in the first
//! case and two in the second, and all else is the same: what follows from reading or
//! overwriting leads from an end to a beginning, what follows from not having seen a write leads
//! from the reader's beginning to the writer's end.
//!
//! Real time adds a chain of points, one for each moment at which a transaction is known to have
//! ended, so that it takes as many edges as there are transactions.

use super::Model;
use crate::transactions::Outcome;
use crate::transactions::registers::{INITIAL, Node, Registers};

/// A moment that is to be ordered.
pub(super) type Point = u32;

/// Why one point comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// A transaction begins before it ends, or a moment comes before a later one.
    Time,
    /// The same process ran the one before the other.
    Session,
    /// The latter reads this key from the former.
    Reads(u32),
    /// The former writes the key and comes before the reader, who reads it from the latter.
    Overwritten { key: u32, reader: Node },
    /// Both write the key, and the former began before the latter ended.
    Overlap { key: u32 },
    /// The former read the key from the writer, and the latter overwrites it.
    Anti { key: u32, writer: Node },
    /// Both write some key, and the search tried this order.
    Tried,
}

impl Cause {
    /// The kind of dependency, as cycles name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Cause::Time => "realtime",
            Cause::Session => "process",
            Cause::Reads(_) => "wr",
            Cause::Overwritten { .. } | Cause::Overlap { .. } | Cause::Tried => "ww",
            Cause::Anti { .. } => "rw",
        }
    }
}

/// One point before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) from: Point,
    pub(super) to: Point,
    pub(super) cause: Cause,
}

/// A read: who reads which key, and whose write it sees.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) reader: Node,
    pub(super) key: u32,
    /// Who can have written what was read; one, unless the value was written several times.
    pub(super) writers: Vec<Node>,
}

impl Site {
    /// The writer, where it is known.
    pub(super) fn writer(&self) -> Option<Node> {
        match self.writers[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// A history on its way to an order.
#[derive(Debug)]
pub(super) struct Problem<'r, 't> {
    pub(super) registers: &'r Registers<'t>,
    /// Whether beginnings and ends are points of their own.
    pub(super) split: bool,
    /// Whether the order of each session must be kept. If not, each transaction is a chain.
    pub(super) sessions: bool,
    pub(super) links: Vec<Link>,
    pub(super) sites: Vec<Site>,
    /// The sites of each key.
    pub(super) sites_of: Vec<Vec<u32>>,
    /// Who is known to read each write, by its slot.
    pub(super) readers: Vec<Vec<Node>>,
    /// Moments of real time.
    pub(super) moments: u32,
}

impl<'r, 't> Problem<'r, 't> {
    pub(super) fn new(registers: &'r Registers<'t>, model: Model) -> Self {
        let mut problem = Problem {
            registers,
            split: model.split(),
            sessions: model.sessions(),
            links: Vec::new(),
            sites: Vec::new(),
            sites_of: vec![Vec::new(); registers.keys()],
            readers: vec![Vec::new(); registers.slots()],
            moments: 0,
        };
        problem.add_transactions();
        if model.real_time() {
            problem.add_real_time();
        }
        problem
    }

    /// Where a transaction begins, and reads.
    pub(super) fn begin(&self, node: Node) -> Point {
        node << u32::from(self.split)
    }

    /// Where it ends, and what it wrote becomes visible.
    pub(super) fn end(&self, node: Node) -> Point {
        (node << u32::from(self.split)) + u32::from(self.split)
    }

    /// The transaction of a point, unless it is a moment of real time.
    pub(super) fn node(&self, point: Point) -> Option<Node> {
        let node = point >> u32::from(self.split);
        (node < self.registers.len() as u32).then_some(node)
    }

    /// How many points there are.
    pub(super) fn points(&self) -> usize {
        (self.registers.len() << usize::from(self.split)) + self.moments as usize
    }

    /// The chain that a point is on, and its place there: the points of a session, and the
    /// moments.
    pub(super) fn chain(&self, point: Point) -> (usize, u32) {
        let split = u32::from(self.split);
        match self.node(point) {
            Some(node) if self.sessions => {
                let place = self.registers.position(node) << split;
                (self.registers.session(node) as usize, place + (point & split))
            }
            Some(node) => (node as usize, point & split),
            None => {
                let first = (self.registers.len() << split) as u32;
                (self.chains() - 1, point - first)
            }
        }
    }

    /// How many chains there are.
    pub(super) fn chains(&self) -> usize {
        let of_nodes = if self.sessions { self.registers.sessions() } else { self.registers.len() };
        of_nodes + usize::from(self.moments > 0)
    }

    /// Nodes in ascending order, cut where a new chain begins.
    pub(super) fn by_chain<'n>(&self, nodes: &'n [Node]) -> impl Iterator<Item = &'n [Node]> {
        nodes.chunk_by(|a, b| {
            self.sessions && self.registers.session(*a) == self.registers.session(*b)
        })
    }

    pub(super) fn link(&mut self, from: Point, to: Point, cause: Cause) {
        self.links.push(Link { from, to, cause });
    }

    fn add_transactions(&mut self) {
        let mut read_by = vec![INITIAL; self.registers.keys()];
        for node in 0..self.registers.len() as Node {
            if self.split {
                self.link(self.begin(node), self.end(node), Cause::Time);
            }
            let before = if self.sessions { self.registers.before(node) } else { Some(INITIAL) };
            if let Some(before) = before.filter(|before| *before != node) {
                self.link(self.end(before), self.begin(node), Cause::Session);
            }
            for read in self.registers.reads(node) {
                // Of equal reads one is enough, and others of one key are a flaw.
                if std::mem::replace(&mut read_by[read.key as usize], node) == node {
                    continue;
                }
                let writers = match (read.writer(), read.choice()) {
                    (Some(writer), _) => vec![writer],
                    (None, choice) => {
                        choice.map(|at| self.registers.candidates()[at].clone()).unwrap_or_default()
                    }
                };
                let site = self.sites.len();
                self.sites_of[read.key as usize].push(site as u32);
                self.sites.push(Site { reader: node, key: read.key, writers });
                if read.writer().is_some() {
                    self.settle(site);
                }
            }
        }
    }

    /// Takes note that a site has one writer.
    pub(super) fn settle(&mut self, site: usize) {
        let Site { reader, key, .. } = self.sites[site];
        let Some(writer) = self.sites[site].writer() else { return };
        if writer != INITIAL {
            self.link(self.end(writer), self.begin(reader), Cause::Reads(key));
        }
        if let Some(slot) = self.registers.slot(writer, key) {
            self.readers[slot].push(reader);
        }
    }

    /// A moment for each transaction that is known to have ended, behind it and before all that
    /// began later.
    fn add_real_time(&mut self) {
        let table = self.registers.table();
        let mut ends: Vec<(u32, Node)> = Vec::new();
        let mut begins: Vec<(u32, Node)> = Vec::new();
        for node in 1..self.registers.len() as Node {
            let txn = table.txn(self.registers.row(node));
            if let (Outcome::Ok, Some(end)) = (txn.outcome, txn.complete) {
                ends.push((end.0, node));
            }
            if let Some(begin) = txn.invoke {
                begins.push((begin.0, node));
            }
        }
        ends.sort_unstable();
        begins.sort_unstable();
        let first = self.points() as u32;
        self.moments = ends.len() as u32;
        for (moment, (_, node)) in (first..).zip(&ends) {
            if moment > first {
                self.link(moment - 1, moment, Cause::Time);
            }
            self.link(self.end(*node), moment, Cause::Time);
        }
        let mut over = 0;
        for (begin, node) in begins {
            while ends.get(over).is_some_and(|(end, _)| *end < begin) {
                over += 1;
            }
            if over > 0 {
                self.link(first + over as u32 - 1, self.begin(node), Cause::Time);
            }
        }
    }
}
