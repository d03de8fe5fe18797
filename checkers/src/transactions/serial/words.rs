//! Why there is no order, in words.

use super::Model;
use super::choices::{Choice, common_keys};
use super::greedy;
use super::order::Order;
use super::problem::{Cause, Link, Point, Problem};
use super::saturate::{Saturated, saturate};
use super::search::Search;
use crate::transactions::registers::{CHECKER, CycleStep, INITIAL, Node, Registers};
use crate::verdict::Anomaly;

/// So many cases inside each other are told.
const DEPTH_MAX: usize = 4;

/// Two transactions that read what `writer` wrote to `key`, and both overwrite it.
pub(super) fn lost_update(
    registers: &Registers<'_>,
    first: Node,
    second: Node,
    writer: Node,
    key: u32,
) -> Anomaly {
    let (a, b) = (registers.name(first), registers.name(second));
    let explanation = format!(
        "{}; {}. Both read {} from {} and both write {} on top of it: whichever of {a} and {b} \
         came second did not see the other's write.",
        registers.describe(first),
        registers.describe(second),
        registers.saw(first, writer, key),
        registers.name(writer),
        registers.key_text(key),
    );
    Anomaly {
        kind: "lost-update".to_owned(),
        checker: CHECKER.to_owned(),
        explanation,
        ops: registers.events([first, second]),
        evidence: serde_json::Map::new(),
    }
}

/// That `part`, whose rows are these nodes of `whole`, has no order; `model` is the weakest of its
/// kind of which that is so.
pub(super) fn impossible(
    whole: &Registers<'_>,
    part: &Registers<'_>,
    rows: &[Node],
    model: Model,
) -> Anomaly {
    let mut problem = Problem::new(part, model);
    let proof = prove(&mut problem, model, 0);
    let mut who: Vec<Node> = (1..part.len() as Node).collect();
    who.sort_unstable_by_key(|node| part.row(*node));
    let who: Vec<String> = who.into_iter().map(|node| part.describe(node)).collect();
    let asked = match model {
        Model::SnapshotIsolation => "No order of snapshots and commits",
        Model::SessionSnapshotIsolation => {
            "No order of snapshots and commits that keeps the order of each session"
        }
        Model::Serializable => "No serial order",
        Model::SessionSerializable => "No serial order that keeps the order of each session",
        Model::StrictSerializable => "No serial order that respects real time",
    };
    let explanation = format!("{asked} explains {}. {}", who.join("; "), proof.text);
    let mut evidence = part.cycle_evidence(&proof.cycle);
    if proof.cycle.is_empty() {
        evidence.clear();
    }
    evidence.insert("transactions".into(), rows.len().into());
    Anomaly {
        kind: proof.kind,
        checker: CHECKER.to_owned(),
        explanation,
        ops: whole.events(rows.iter().copied()),
        evidence,
    }
}

struct Proof {
    kind: String,
    text: String,
    /// The one cycle that shows it; empty where it takes several.
    cycle: Vec<CycleStep>,
}

impl Proof {
    /// That no order was found, for a reason that is no single cycle.
    fn no_order(text: String) -> Proof {
        Proof { kind: "no-order".into(), text, cycle: Vec::new() }
    }
}

/// Shows that a problem has no solution: by a circle, or by cases that each lead to one.
fn prove(problem: &mut Problem<'_, '_>, model: Model, depth: usize) -> Proof {
    let beyond = || Proof::no_order("All orders were tried.".into());
    match saturate(problem, &|| false) {
        Saturated::Circle(circle) => {
            let links: Vec<Link> = circle.0.iter().map(|at| problem.links[*at as usize]).collect();
            let cycle = told(problem, &links);
            let steps: Vec<&str> = cycle.iter().map(|step| step.text.as_str()).collect();
            Proof {
                kind: kind(&links, model),
                text: format!("{}: a cycle.", steps.join("; ")),
                cycle,
            }
        }
        Saturated::NoWriter(site) => {
            let site = &problem.sites[site];
            Proof::no_order(format!(
                "Whatever {} read of {}, it was overwritten before, or written only later.",
                problem.registers.name(site.reader),
                problem.registers.key_text(site.key)
            ))
        }
        Saturated::Fixed | Saturated::Skipped if depth < DEPTH_MAX => {
            split(problem, model, depth).unwrap_or_else(beyond)
        }
        _ => beyond(),
    }
}

/// Two cases: one of two writers comes first, or the other.
fn split(problem: &Problem<'_, '_>, model: Model, depth: usize) -> Option<Proof> {
    let points = greedy::order(problem);
    let mut search = Search::new(problem, Order::new(points, &problem.links));
    search.run(10_000, &|| false);
    let (first, second) = search.choices.all.iter().find_map(|choice| match choice {
        Choice::Pair(first, second) => Some((*first, *second)),
        Choice::Source { .. } => None,
    })?;
    let mut texts = Vec::new();
    for (first, second) in [(first, second), (second, first)] {
        let mut case = Problem::new(problem.registers, model);
        case.links.clone_from(&problem.links);
        case.sites.clone_from(&problem.sites);
        case.readers.clone_from(&problem.readers);
        assume(&mut case, first, second);
        let (a, b) = (problem.registers.name(first), problem.registers.name(second));
        texts.push(format!("If {a} came before {b}: {}", prove(&mut case, model, depth + 1).text));
    }
    Some(Proof::no_order(texts.join(" ")))
}

/// Adds what follows if one of two writers comes first.
fn assume(problem: &mut Problem<'_, '_>, first: Node, second: Node) {
    problem.link(problem.end(first), problem.begin(second), Cause::Tried);
    for key in common_keys(problem, first, second) {
        let slot = problem.registers.slot(first, key);
        let readers = slot.map(|slot| problem.readers[slot].clone()).unwrap_or_default();
        for reader in readers.into_iter().filter(|reader| *reader != second) {
            let cause = Cause::Anti { key, writer: first };
            problem.link(problem.begin(reader), problem.end(second), cause);
        }
    }
}

/// The field's name for a circle of these links: by how often it goes back from a reader to who
/// overwrote what it read, and by what the model asks for that weaker ones do not.
fn kind(links: &[Link], model: Model) -> String {
    let count =
        |wanted: fn(&Cause) -> bool| links.iter().filter(|link| wanted(&link.cause)).count();
    let anti = count(|cause| matches!(cause, Cause::Anti { .. }));
    let reads = count(|cause| matches!(cause, Cause::Reads(_)));
    let name = match (anti, reads) {
        (0, 0) => "G0",
        (0, _) => "G1c",
        (1, _) => "G-single-item",
        _ => "G2-item",
    };
    format!("{name}{}", model.suffix())
}

/// The links of a circle, each as a reason; what leads through real time alone is one step.
fn told(problem: &Problem<'_, '_>, links: &[Link]) -> Vec<CycleStep> {
    let begin = links.iter().position(|link| problem.node(link.from).is_some()).unwrap_or(0);
    let links: Vec<Link> = links[begin..].iter().chain(&links[..begin]).copied().collect();
    let mut steps = Vec::new();
    let mut before: Option<Node> = None;
    for link in links {
        match (problem.node(link.from), problem.node(link.to)) {
            (Some(from), Some(to)) if from == to => {}
            (Some(from), Some(_)) => {
                let kind = link.cause.name();
                steps.push(CycleStep { from, kind, text: step(problem, link) });
            }
            (Some(from), None) => before = Some(from),
            (None, Some(to)) => {
                if let Some(from) = before.take() {
                    let registers = problem.registers;
                    let (a, b) = (registers.name(from), registers.name(to));
                    let text = format!("{a} comes before {b}, since it had ended when {b} began");
                    steps.push(CycleStep { from, kind: "realtime", text });
                }
            }
            (None, None) => {}
        }
    }
    steps
}

fn step(problem: &Problem<'_, '_>, link: Link) -> String {
    let registers = problem.registers;
    let name = |point: Point| problem.node(point).map(|node| registers.name(node));
    let (a, b) = (name(link.from).unwrap_or_default(), name(link.to).unwrap_or_default());
    let (from, to) = (problem.node(link.from), problem.node(link.to));
    let why = match link.cause {
        Cause::Time | Cause::Tried => return format!("{a} comes before {b}, as assumed"),
        Cause::Session if from == Some(INITIAL) => "as before everything".to_owned(),
        Cause::Session => "since the same process ran it earlier".to_owned(),
        Cause::Reads(key) => {
            let saw = registers.saw(to.unwrap_or(INITIAL), from.unwrap_or(INITIAL), key);
            format!("since {b} reads {saw} from it")
        }
        Cause::Overwritten { key, reader } => format!(
            "since {}, which comes after {a}, reads {} from {b}, and {a} writes {} too",
            registers.name(reader),
            registers.saw(reader, to.unwrap_or(INITIAL), key),
            registers.key_text(key)
        ),
        Cause::Overlap { key } => {
            format!("since it began before {b} ended and both write {}", registers.key_text(key))
        }
        Cause::Anti { key, writer } => {
            let saw = registers.saw(from.unwrap_or(INITIAL), writer, key);
            format!(
                "since {a} reads {saw} from {}, which {b} overwrites later",
                registers.name(writer)
            )
        }
    };
    format!("{a} comes before {b}, {why}")
}
