//! A simulated run told as text, event by event: faults, roles, operations, and the messages that
//! matter.
//!
//! What clients and nemesis did is taken from the history, the rest from the simulator's trace.
//! Most messages repeat what was said before (heartbeats, acknowledgements); one is told only if
//! nothing of its form was told on its wire since sender and receiver last changed. This rule
//! knows nothing of any protocol, so that it holds for each target.

use crate::messages::plain;
use crate::plan::Plan;
use crate::report::faults::{self, Part};
use crate::text;
use crate::trial::{self, Trial};
use anyhow::Result;
use quorate_checkers::history::{Event, EventType, Process};
use quorate_checkers::value::Value;
use quorate_targets::node::NodeId;
use quorate_targets::sim::Detail;
use quorate_targets::sim::trace::{Entry, What};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// A story has at most this many lines; the first to be left out are messages.
pub const LINES_MAX: usize = 600;
/// What a message says is cut here.
const TEXT_MAX: usize = 160;

/// A line of the story, told at a time.
struct Line {
    time: u64,
    /// Sender, receivers and whether it is lost, if it is a message.
    message: Option<Route>,
    text: String,
}

/// Where a message goes. Messages that say the same at one time, from one node to several or
/// from several to one, are told as one.
struct Route {
    from: Vec<NodeId>,
    to: Vec<NodeId>,
}

/// Carries the plan out and tells what happened.
pub fn of_plan(plan: &Plan) -> Result<String> {
    Ok(tell(plan, &trial::carry_out(plan, Detail::Payloads)?))
}

/// Tells a run whose trace has its payloads.
pub fn tell(plan: &Plan, trial: &Trial) -> String {
    let mut lines: Vec<Line> = from_trace(trial.trace.entries());
    lines.extend(from_history(trial));
    lines.sort_by_key(|line| line.time);
    let mut lines = gathered(lines);
    let all = lines.len();
    if lines.len() > LINES_MAX {
        lines.retain(|line| line.message.is_none());
    }
    let cut = lines.len().saturating_sub(LINES_MAX);
    lines.drain(..cut);
    let mut story = headline(plan, trial);
    if lines.len() < all {
        let _ = writeln!(story, "({} of {all} lines are left out)\n", all - lines.len());
    }
    for Line { time, text, message } in lines {
        let route = message.map_or_else(String::new, |Route { from, to }| {
            format!("  {} -> {}  ", names(&from), names(&to))
        });
        let _ = writeln!(story, "{:>11.3} ms  {route}{text}", time as f64 / 1e6);
    }
    if let Some(failure) = trial.failure() {
        let _ = writeln!(story, "\n{}", failure.why);
    }
    story
}

/// Messages that say the same at one time, as one.
fn gathered(lines: Vec<Line>) -> Vec<Line> {
    let mut told: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        let same =
            told.iter_mut().rev().take_while(|other| other.time == line.time).find(|other| {
                let (Some(one), Some(two)) = (&other.message, &line.message) else { return false };
                other.text == line.text
                    && ((one.from == two.from && !one.to.contains(&two.to[0]))
                        || (one.to == two.to && !one.from.contains(&two.from[0])))
            });
        match (same.and_then(|other| other.message.as_mut()), &line.message) {
            (Some(route), Some(more)) => {
                if route.from == more.from {
                    route.to.extend(&more.to);
                } else {
                    route.from.extend(&more.from);
                }
            }
            _ => told.push(line),
        }
    }
    told
}

fn names(nodes: &[NodeId]) -> String {
    nodes.iter().map(NodeId::to_string).collect::<Vec<_>>().join(" ")
}

fn headline(plan: &Plan, trial: &Trial) -> String {
    let bugs: Vec<&str> = plan.bugs.iter().map(|bug| bug.name()).collect();
    let with = if bugs.is_empty() { String::new() } else { format!(" with {}", bugs.join(", ")) };
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let end = match trial.failure() {
        Some(failure) => format!("It ends in {}.", failure.anomaly_types.join(", ")),
        None => "It ends well.".to_owned(),
    };
    format!(
        "{}{with}: {}, {}, {}, {}. {end}\n\n",
        plan.target,
        count(usize::from(plan.nodes), "node"),
        count(plan.concurrency, "client"),
        count(trial.history.operations().len(), "operation"),
        count(plan.schedule.len(), "fault action"),
    )
}

fn from_history(trial: &Trial) -> Vec<Line> {
    let guilty: BTreeSet<u32> = trial
        .verdict
        .anomalies
        .first()
        .map_or_else(BTreeSet::new, |anomaly| anomaly.ops.iter().map(|op| op.0).collect());
    let guilty = |event: &Event| {
        // Either event of an operation names it.
        trial.history.operations().iter().any(|operation| {
            let ends = operation.complete;
            (operation.invoke == event.index || ends == Some(event.index))
                && (guilty.contains(&operation.invoke.0)
                    || ends.is_some_and(|end| guilty.contains(&end.0)))
        })
    };
    let line = |event: &Event| Line {
        time: event.time.0,
        message: None,
        text: told(event, event.process != Process::Nemesis && guilty(event)),
    };
    // What a fault came to says all that its announcement did.
    let announced = |event: &&Event| {
        event.process == Process::Nemesis
            && !matches!(faults::part(&event.f), Part::Neither)
            && crate::summary::outcome(event).is_none()
    };
    trial.history.events().iter().filter(|event| !announced(event)).map(line).collect()
}

/// A grudge in words, where it parts nodes into groups that hear only each other; else as it is.
fn isolated(grudge: &Value) -> String {
    let Value::Map(pairs) = grudge else { return grudge.to_string() };
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (node, deaf_to) in pairs {
        groups.entry(deaf_to.to_string()).or_default().push(node.to_string().replace('"', ""));
    }
    let told: Vec<String> = groups
        .iter()
        .map(|(deaf_to, nodes)| {
            let deaf_to = deaf_to.replace(['"', '[', ']'], "").replace(',', " ");
            format!("{} cannot hear {deaf_to}", nodes.join(" "))
        })
        .collect();
    told.join("; ")
}

/// An event of the history in words.
fn told(event: &Event, guilty: bool) -> String {
    let mark = if guilty { "   <--" } else { "" };
    let key = event.key.as_ref().map_or_else(String::new, |key| format!(" {key}"));
    let error = event.error.as_ref().map_or_else(String::new, |error| format!(" {error}"));
    let node = event.node.as_deref().unwrap_or("?");
    match (event.process, event.kind) {
        (Process::Nemesis, _) => {
            let outcome = crate::summary::outcome(event).unwrap_or_default();
            let outcome = if outcome == "installed" { "" } else { outcome };
            let value = if event.f.as_str() == "start-partition" {
                isolated(&event.value)
            } else {
                event.value.to_string()
            };
            format!("nemesis   {} {value} {outcome}{error}", event.f).trim_end().to_owned()
        }
        (process, EventType::Invoke) => {
            format!("client {process:<2} asks {node}: {}{key} {}{mark}", event.f, event.value)
        }
        (process, kind) => {
            let what = format!("{}{key} {}{error}", event.f, event.value);
            format!("client {process:<2} is told by {node}: {kind} {what}{mark}")
        }
    }
}

fn from_trace<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Line> {
    // What was told on a wire since its ends last changed.
    let mut heard: BTreeMap<(NodeId, NodeId), BTreeSet<String>> = BTreeMap::new();
    // What messages say that are on their way, by number.
    let mut sent: BTreeMap<u64, String> = BTreeMap::new();
    let mut lines = Vec::new();
    for entry in entries {
        let Some(node) = entry.node else { continue };
        let text = entry.text.as_deref().map(plain).unwrap_or_default();
        let told = match entry.what {
            What::Boot => Some(format!(
                "{node} starts; its disk has {}",
                text::count_plain(entry.number as usize, "record")
            )),
            What::Crash => {
                let lost = text::count_plain(entry.number as usize, "write");
                let were = if entry.number == 1 { "was" } else { "were" };
                Some(format!("{node} dies; {lost} {were} not on its disk"))
            }
            What::Stop => Some(format!("{node} stops by itself")),
            What::Turn => Some(format!("{node} is {text} in term {}", entry.number)),
            What::Send => {
                sent.insert(entry.number, text);
                None
            }
            What::Deliver | What::Cut | What::Lose => {
                let Some(peer) = entry.peer else { continue };
                let text = if text.is_empty() {
                    sent.get(&entry.number).cloned().unwrap_or_default()
                } else {
                    text
                };
                let arrives = entry.what == What::Deliver;
                let (from, to) = if arrives { (peer, node) } else { (node, peer) };
                let form = format!("{arrives}{}", form(&text));
                if heard.entry((from, to)).or_default().insert(form) {
                    let fate = if arrives { "" } else { "  (lost)" };
                    let route = Route { from: vec![from], to: vec![to] };
                    lines.push(Line {
                        time: entry.time.0,
                        message: Some(route),
                        text: format!("{}{fate}", cut(&text)),
                    });
                }
                None
            }
            _ => None,
        };
        if let Some(text) = told {
            heard.retain(|(from, to), _| *from != node && *to != node);
            lines.push(Line { time: entry.time.0, message: None, text });
        }
    }
    lines
}

/// A message's form: what it says without its numbers.
fn form(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= TEXT_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_MAX).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_form_differ_in_numbers_only() {
        assert_eq!(form("Append 12 of 7"), form("Append 9 of 13"));
        assert_ne!(form("entries: []"), form("entries: [x]"));
    }
}
