//! The story of one order: every request, stage, effect and retry, in order of time.
//!
//! Times of clients are the history's. Those of services are their own clocks', set against the
//! history's by when each service answered its last question: good to about a millisecond.

use super::facts::{Facts, Stage};
use crate::history::{EventType, OpIndex};

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Nanoseconds since the run began.
    pub at: i64,
    /// Who: `client 3`, `orders`, `payments`, ...
    pub who: String,
    /// What happened, in words.
    pub what: String,
    /// The event of the history, where it is one.
    pub event: Option<OpIndex>,
}

pub(super) fn of_order(facts: &Facts<'_>, id: &str) -> Vec<Line> {
    let Some(order) = facts.orders.get(id) else { return Vec::new() };
    let mut lines = Vec::new();
    for op in &order.ops {
        let who = format!("client {}", op.process());
        let (f, node) = (op.f(), op.invoke.node.as_deref().unwrap_or("?"));
        let line = |event: &crate::history::Event, what| Line {
            at: event.time.0 as i64,
            who: who.clone(),
            what,
            event: Some(event.index),
        };
        lines.push(line(op.invoke, format!("asks {node} to {f} {id}")));
        if let Some(complete) = op.complete {
            let what = match complete.kind {
                EventType::Ok => match complete.value.as_str() {
                    Some(stage) => format!("is told that it is {stage} ({f})"),
                    None => format!("is told that there is no such order ({f})"),
                },
                kind => {
                    let error = complete.error.as_ref().map(ToString::to_string);
                    format!("{f} ends as {kind}: {}", error.unwrap_or_default())
                }
            };
            lines.push(line(complete, what));
        }
    }
    for moved in &order.moves {
        let why = if moved.why.is_empty() { String::new() } else { format!(", for {}", moved.why) };
        let what = match Stage::parse(moved.to) {
            Some(stage) => format!("{id} is {}{why}", stage.name()),
            None => format!("{}{why}", moved.to),
        };
        lines.push(Line { at: moved.at, who: "orders".to_owned(), what, event: None });
    }
    for effect in &order.effects {
        let what = match effect.refused {
            Some(why) => format!("refuses {}: {why}", effect.step),
            None => format!(
                "{}: {} changes by {} to {}",
                effect.step, effect.account, effect.change, effect.after
            ),
        };
        lines.push(Line { at: effect.at, who: effect.service.to_owned(), what, event: None });
    }
    lines.sort_by_key(|line| line.at);
    for (step, count) in &order.repeats {
        let at = lines.last().map_or(0, |line| line.at);
        let what = format!("{step} came again, {count} times in all since the service started");
        lines.push(Line { at, who: "services".to_owned(), what, event: None });
    }
    lines
}

/// As text, a line each.
pub fn lines(story: &[Line]) -> Vec<String> {
    let width = story.iter().map(|line| line.who.len()).max().unwrap_or(0);
    let line = |line: &Line| {
        let ms = line.at as f64 / 1e6;
        format!("{ms:>12.3} ms  {:<width$}  {}", line.who, line.what)
    };
    story.iter().map(line).collect()
}
