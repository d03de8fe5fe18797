//! The cycle that breaks a level, told edge by edge.

use super::infer::{self, Edge};
use super::{Graph, Level};
use crate::transactions::registers::{CHECKER, CycleStep, INITIAL, Node, Registers};
use crate::verdict::Anomaly;

/// Why one transaction of the cycle comes before the next.
enum Why {
    Session,
    /// The next one reads this key from it.
    Reads(u32),
    Inferred(Edge),
    /// The initial state comes before everything.
    Initial,
}

impl Why {
    /// The kind of dependency. What is inferred is an order of two writes.
    fn name(&self) -> &'static str {
        match self {
            Why::Session => "process",
            Why::Reads(_) => "wr",
            Why::Inferred(_) => "ww",
            Why::Initial => "initial",
        }
    }
}

/// The anomaly of a cycle, each node before the next and the last before the first. `order` is
/// what edges were inferred by.
pub(super) fn tell(
    registers: &Registers<'_>,
    level: Level,
    cycle: &[Node],
    order: &[Node],
) -> Anomaly {
    let edges = edges(registers, level, cycle, order);
    let inferred = edges.iter().any(|(_, _, why)| matches!(why, Why::Inferred(_)));
    let session = edges.iter().any(|(_, _, why)| matches!(why, Why::Session));
    let kind = match (inferred, session) {
        (true, _) => level.anomaly(),
        (false, false) => "G1c",
        (false, true) => "G1c-process",
    };
    let mut nodes: Vec<Node> = cycle.to_vec();
    nodes.extend(edges.iter().filter_map(|(_, _, why)| match why {
        Why::Inferred(edge) => Some(edge.reader),
        _ => None,
    }));
    let mut told = nodes.clone();
    told.sort_unstable();
    told.dedup();
    let who = told.iter().filter(|node| **node != INITIAL).map(|node| registers.describe(*node));
    let who: Vec<String> = who.collect();
    let told = |(from, to, why): &(Node, Node, Why)| CycleStep {
        from: *from,
        kind: why.name(),
        text: sentence(registers, level, *from, *to, why),
    };
    let cycle: Vec<CycleStep> = edges.iter().map(told).collect();
    let steps: Vec<&str> = cycle.iter().map(|step| step.text.as_str()).collect();
    Anomaly {
        kind: kind.to_owned(),
        checker: CHECKER.to_owned(),
        explanation: format!("{}. But {}: a cycle.", who.join("; "), steps.join(", and ")),
        ops: registers.events(nodes),
        evidence: registers.cycle_evidence(&cycle),
    }
}

fn edges(
    registers: &Registers<'_>,
    level: Level,
    cycle: &[Node],
    order: &[Node],
) -> Vec<(Node, Node, Why)> {
    let next = cycle.iter().skip(1).chain(cycle.first());
    let mut edges: Vec<(Node, Node, Option<Why>)> =
        cycle.iter().zip(next).map(|(a, b)| (*a, *b, known(registers, *a, *b))).collect();
    // The reasons of inferred edges are not kept; finding them again is cheaper.
    if edges.iter().any(|(_, _, why)| why.is_none()) {
        infer::infer(registers, level, order, &mut |edge: Edge| {
            let wanted = edges
                .iter_mut()
                .find(|(from, to, why)| why.is_none() && *from == edge.from && *to == edge.to);
            if let Some((_, _, why)) = wanted {
                *why = Some(Why::Inferred(edge));
            }
        });
    }
    edges.into_iter().map(|(a, b, why)| (a, b, why.unwrap_or(Why::Initial))).collect()
}

/// Why `from` comes before `to`, unless that was inferred.
fn known(registers: &Registers<'_>, from: Node, to: Node) -> Option<Why> {
    let read = registers.reads(to).iter().find(|read| read.writer() == Some(from));
    match read {
        _ if from == INITIAL => Some(Why::Initial),
        Some(read) => Some(Why::Reads(read.key)),
        None if registers.before(to) == Some(from) => Some(Why::Session),
        None => None,
    }
}

fn sentence(registers: &Registers<'_>, level: Level, from: Node, to: Node, why: &Why) -> String {
    let (a, b) = (registers.name(from), registers.name(to));
    match why {
        Why::Initial => format!("{a} comes before {b}, as before everything"),
        Why::Session => {
            format!("{a} comes before {b}, since the same process ran it earlier")
        }
        Why::Reads(key) => format!(
            "{a} comes before {b}, since {b} reads {} from it",
            registers.saw(to, from, *key)
        ),
        Why::Inferred(edge) => {
            let reader = registers.name(edge.reader);
            let saw = registers.saw(edge.reader, to, edge.key);
            let key = registers.key_text(edge.key);
            let seen = match level {
                Level::ReadCommitted => format!("{reader} reads from {a} first"),
                Level::ReadAtomic => format!("{reader} sees {a}"),
                Level::Causal => sees(registers, from, edge.reader),
            };
            format!(
                "{a} comes before {b}, since {seen} and yet reads {saw} from {b}, though {a} \
                 writes {key} too"
            )
        }
    }
}

/// How a transaction came into the past of another one.
fn sees(registers: &Registers<'_>, from: Node, reader: Node) -> String {
    let graph = Graph::new(registers, &[]);
    let between = graph.path(from, reader, registers.len()).unwrap_or_default();
    let name = registers.name(reader);
    let through: Vec<String> = between.iter().skip(1).map(|node| registers.name(*node)).collect();
    match &through[..] {
        [] => format!("{name} sees {}", registers.name(from)),
        through => format!(
            "{} is in the past of {name} (through {})",
            registers.name(from),
            through.join(", ")
        ),
    }
}
