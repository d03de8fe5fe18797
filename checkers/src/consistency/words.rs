//! Why a small history breaks a model, in words.
//!
//! The history has a handful of operations, so everything is worked out again in the plainest
//! way: edges with reasons, paths between them, and the read that contradicts them.

use super::Model;
use crate::transactions::registers::{INITIAL, Node, Registers};
use crate::transactions::{Action, MicroOp};
use std::collections::BTreeMap;

/// Why one operation comes before another.
#[derive(Clone)]
enum Why {
    /// Its process did it earlier.
    Process,
    /// The latter reads what it wrote.
    Reads,
    /// The reader sees the latter, and comes behind the former along this way.
    Seen { reader: Node, way: Vec<usize> },
}

struct Edge {
    from: Node,
    to: Node,
    why: Why,
}

/// A read of `old` that comes behind another write, which itself comes behind `old`.
struct Contradiction {
    reader: Node,
    old: Node,
    new: Node,
    /// From the old write to the new one; empty where the old one is the initial value.
    behind: Vec<usize>,
    /// From the new write to the reader.
    seen: Vec<usize>,
}

struct Story<'r, 't> {
    registers: &'r Registers<'t>,
    model: Model,
    edges: Vec<Edge>,
}

/// What breaks `model` in a small history; for views the process whose view it is. `None` if
/// this plain way finds nothing.
pub(super) fn tell(
    registers: &Registers<'_>,
    model: Model,
    session: Option<u32>,
) -> Option<String> {
    let mut story = Story { registers, model, edges: Vec::new() };
    story.keep(session);
    let end = match story.circle() {
        Some(way) => story.told_circle(&way),
        None => story.contradiction(session).map(|found| story.told(&found))?,
    };
    let mut parts = vec![story.cast()];
    if let Some(session) = session {
        let process = story.process(registers.session_nodes(session).start);
        parts.push(format!("In the view of process {process}, {end}"));
    } else {
        let mut end = end;
        if let Some(first) = end.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        parts.push(end);
    }
    Some(parts.join(" "))
}

impl Story<'_, '_> {
    /// The order that the model keeps.
    fn keep(&mut self, session: Option<u32>) {
        for node in 1..self.registers.len() as Node {
            let before = self.registers.before(node).filter(|before| *before != INITIAL);
            self.edges.extend(before.map(|from| Edge { from, to: node, why: Why::Process }));
            if self.model == Model::Pram && Some(self.registers.session(node)) != session {
                continue;
            }
            let writers = self.registers.reads(node).iter().filter_map(|read| read.writer());
            let reads = writers.filter(|from| *from != INITIAL);
            self.edges.extend(reads.map(|from| Edge { from, to: node, why: Why::Reads }));
        }
    }

    /// A shortest way by the first `limit` edges, as edges.
    fn way(&self, from: Node, to: Node, limit: usize) -> Option<Vec<usize>> {
        let mut came: BTreeMap<Node, usize> = BTreeMap::new();
        let mut layer = vec![from];
        while !layer.is_empty() {
            let mut next = Vec::new();
            for node in layer {
                let edges = self.edges.iter().enumerate().take(limit);
                for (at, edge) in edges.filter(|(_, edge)| edge.from == node) {
                    if came.contains_key(&edge.to) {
                        continue;
                    }
                    came.insert(edge.to, at);
                    if edge.to != to {
                        next.push(edge.to);
                        continue;
                    }
                    let mut way = vec![at];
                    while self.edges[way[way.len() - 1]].from != from {
                        way.push(came[&self.edges[way[way.len() - 1]].from]);
                    }
                    way.reverse();
                    return Some(way);
                }
            }
            layer = next;
        }
        None
    }

    /// A circle of what is kept.
    fn circle(&self) -> Option<Vec<usize>> {
        let nodes = 1..self.registers.len() as Node;
        nodes.filter_map(|node| self.way(node, node, self.edges.len())).min_by_key(Vec::len)
    }

    /// Draws conclusions until one contradicts what is known.
    fn contradiction(&mut self, session: Option<u32>) -> Option<Contradiction> {
        let kept = self.edges.len();
        loop {
            let before = self.edges.len();
            // Views go on from what they concluded; the causal models look at what caused what.
            let limit = if session.is_some() { before } else { kept };
            for (reader, old, new) in self.sites(session) {
                let Some(seen) = self.way(new, reader, limit) else { continue };
                if old == INITIAL {
                    return Some(Contradiction { reader, old, new, behind: Vec::new(), seen });
                }
                let known = if self.model == Model::Causal { kept } else { self.edges.len() };
                if let Some(behind) = self.way(old, new, known) {
                    return Some(Contradiction { reader, old, new, behind, seen });
                }
                if self.model != Model::Causal && self.way(new, old, self.edges.len()).is_none() {
                    let why = Why::Seen { reader, way: seen };
                    self.edges.push(Edge { from: new, to: old, why });
                }
            }
            if self.edges.len() == before {
                return None;
            }
        }
    }

    /// Each read that counts, with the write that it sees and another one of its key.
    fn sites(&self, session: Option<u32>) -> Vec<(Node, Node, Node)> {
        let registers = self.registers;
        let mut sites = Vec::new();
        for reader in 1..registers.len() as Node {
            if session.is_some_and(|session| registers.session(reader) != session) {
                continue;
            }
            for read in registers.reads(reader) {
                let Some(old) = read.writer() else { continue };
                let others = registers.writers(read.key).iter();
                let others = others.filter(|new| **new != old && **new != reader);
                sites.extend(others.map(|new| (reader, old, *new)));
            }
        }
        sites
    }

    fn told_circle(&self, way: &[usize]) -> String {
        let steps: Vec<String> = way.iter().map(|at| self.step(*at)).collect();
        format!("{}: each comes before the next, and the last before the first.", steps.join("; "))
    }

    fn told(&self, found: &Contradiction) -> String {
        let Contradiction { reader, old, new, .. } = found;
        let (r, n) = (name(*reader), name(*new));
        let mut steps = Vec::new();
        let mut told = Vec::new();
        for at in found.behind.iter().chain(&found.seen) {
            self.premises(*at, &mut told, &mut steps);
        }
        let older = if *old == INITIAL {
            "the initial value".to_owned()
        } else {
            format!("what {} wrote, which is older than {n}", name(*old))
        };
        format!("{}. So {r} comes behind {n}, and yet it sees {older}.", steps.join("; "))
    }

    /// Tells a step, and before it what it was concluded from.
    fn premises(&self, at: usize, told: &mut Vec<usize>, steps: &mut Vec<String>) {
        if told.contains(&at) {
            return;
        }
        told.push(at);
        if let Why::Seen { way, .. } = &self.edges[at].why {
            for earlier in way {
                self.premises(*earlier, told, steps);
            }
        }
        steps.push(self.step(at));
    }

    fn step(&self, at: usize) -> String {
        let edge = &self.edges[at];
        let (a, b) = (name(edge.from), name(edge.to));
        match &edge.why {
            Why::Process => {
                format!(
                    "{a} comes before {b}, since process {} did it first",
                    self.process(edge.to)
                )
            }
            Why::Reads => format!("{a} comes before {b}, which reads it"),
            Why::Seen { reader, .. } => {
                let r = name(*reader);
                format!("{a} comes before {b}, since {r} comes behind {a} and sees {b}")
            }
        }
    }

    /// All operations, each with its letter.
    fn cast(&self) -> String {
        let nodes = 1..self.registers.len() as Node;
        let told: Vec<String> = nodes
            .map(|node| {
                let ops = self.registers.table().ops(self.registers.row(node));
                let process = self.process(node);
                format!("{}: process {process} {}", name(node), self.does(ops))
            })
            .collect();
        format!("{}.", told.join("; "))
    }

    fn does(&self, ops: &[MicroOp]) -> String {
        let table = self.registers.table();
        let told: Vec<String> = ops
            .iter()
            .map(|op| {
                let key = match table.key(op.key) {
                    crate::value::Value::Null => "the register".to_owned(),
                    key => key.to_string(),
                };
                match op.action {
                    Action::Read(value) if table.value(value).is_null() => {
                        format!("reads {key}, never written")
                    }
                    Action::Read(value) => format!("reads {key} = {}", table.value(value)),
                    Action::Write(value) => format!("writes {key} = {}", table.value(value)),
                    _ => format!("looks at {key}"),
                }
            })
            .collect();
        told.join(" and ")
    }

    fn process(&self, node: Node) -> u64 {
        let table = self.registers.table();
        table.process(table.txn(self.registers.row(node)).session)
    }
}

/// `A`, `B`, ... in the order of the table.
fn name(node: Node) -> String {
    match u8::try_from(node - 1) {
        Ok(at @ 0..26) => char::from(b'A' + at).to_string(),
        _ => format!("operation {node}"),
    }
}
