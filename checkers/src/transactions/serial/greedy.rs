//! A first order to begin the search with, as near to a right one as simple means get.
//!
//! Points are taken as soon as all before them were taken, in the order in which that happened,
//! so that sessions advance together as they did in the run. A transaction that would overwrite
//! what others are still to read waits for them; only where all wait does the first go on.

use super::problem::{Point, Problem};
use crate::transactions::registers::{INITIAL, Node};
use std::collections::VecDeque;

struct Greedy<'a, 'r, 't> {
    problem: &'a Problem<'r, 't>,
    /// For each point how many before it are still to come.
    missing: Vec<u32>,
    out: Vec<Vec<Point>>,
    ready: VecDeque<Point>,
    /// Points that wait for readers, in the order in which they began to.
    waiting: VecDeque<Point>,
    is_waiting: Vec<bool>,
    /// For each key its last writer so far, and how many are still to read it.
    current: Vec<(Node, u32)>,
    /// For each key the points that wait for its readers.
    watchers: Vec<Vec<Point>>,
    order: Vec<Point>,
}

/// An order of all points that agrees with the links, which have no circle.
pub(super) fn order(problem: &Problem<'_, '_>) -> Vec<Point> {
    let mut missing = vec![0; problem.points()];
    let mut out = vec![Vec::new(); problem.points()];
    for link in &problem.links {
        missing[link.to as usize] += 1;
        out[link.from as usize].push(link.to);
    }
    let ready = (0..problem.points() as Point).filter(|point| missing[*point as usize] == 0);
    let current = |key: u32| {
        let slot = problem.registers.slot(INITIAL, key);
        (INITIAL, slot.map_or(0, |slot| problem.readers[slot].len() as u32))
    };
    let mut greedy = Greedy {
        ready: ready.collect(),
        missing,
        out,
        waiting: VecDeque::new(),
        is_waiting: vec![false; problem.points()],
        current: (0..problem.registers.keys() as u32).map(current).collect(),
        watchers: vec![Vec::new(); problem.registers.keys()],
        order: Vec::with_capacity(problem.points()),
        problem,
    };
    greedy.run();
    greedy.order
}

impl Greedy<'_, '_, '_> {
    fn run(&mut self) {
        loop {
            if let Some(point) = self.ready.pop_front() {
                match self.hindrance(point) {
                    Some(key) => self.wait(point, key),
                    None => self.take(point),
                }
            } else if let Some(point) = self.waiting.pop_front() {
                if self.is_waiting[point as usize] {
                    self.is_waiting[point as usize] = false;
                    self.take(point);
                }
            } else {
                break;
            }
        }
    }

    /// A key that the point would overwrite while others are still to read it.
    fn hindrance(&self, point: Point) -> Option<u32> {
        let node = self.problem.node(point).filter(|node| self.problem.end(*node) == point)?;
        let writes = self.problem.registers.writes(node).iter();
        writes.map(|write| write.key).find(|key| {
            let (writer, readers) = self.current[*key as usize];
            let own = !self.problem.split
                && self
                    .problem
                    .registers
                    .reads(node)
                    .iter()
                    .any(|read| read.key == *key && read.writer() == Some(writer));
            readers > u32::from(own)
        })
    }

    fn wait(&mut self, point: Point, key: u32) {
        self.watchers[key as usize].push(point);
        if !std::mem::replace(&mut self.is_waiting[point as usize], true) {
            self.waiting.push_back(point);
        }
    }

    fn take(&mut self, point: Point) {
        self.order.push(point);
        if let Some(node) = self.problem.node(point) {
            if self.problem.begin(node) == point {
                self.read(node);
            }
            if self.problem.end(node) == point {
                for write in self.problem.registers.writes(node) {
                    let slot = self.problem.registers.slot(node, write.key);
                    let readers = slot.map_or(0, |slot| self.problem.readers[slot].len() as u32);
                    self.current[write.key as usize] = (node, readers);
                    self.wake(write.key);
                }
            }
        }
        for next in std::mem::take(&mut self.out[point as usize]) {
            self.missing[next as usize] -= 1;
            if self.missing[next as usize] == 0 {
                self.ready.push_back(next);
            }
        }
    }

    fn read(&mut self, node: Node) {
        let reads = self.problem.registers.reads(node);
        for (at, read) in reads.iter().enumerate() {
            let again = reads[..at].iter().any(|earlier| earlier == read);
            let (writer, readers) = &mut self.current[read.key as usize];
            if !again && read.writer() == Some(*writer) && *readers > 0 {
                *readers -= 1;
                if *readers <= 1 {
                    self.wake(read.key);
                }
            }
        }
    }

    /// Lets those that wait for readers of a key try again.
    fn wake(&mut self, key: u32) {
        for point in std::mem::take(&mut self.watchers[key as usize]) {
            if std::mem::replace(&mut self.is_waiting[point as usize], false) {
                self.ready.push_back(point);
            }
        }
    }
}
