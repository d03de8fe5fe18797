//! The story of one order: every request, stage, effect and retry, in order of time.
//!
//! Times of clients are the history's. Those of services are their own clocks', set against the
//! history's by when each service answered its last question: good to about a millisecond.

use super::facts::{Facts, Stage};
use crate::history::{Event, EventType, OpView};
use crate::value::Value;
use serde::Serialize;

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A client asks a node.
    Asks,
    /// A client hears from that node, or gives up.
    Hears,
    /// A service does or refuses something.
    Does,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Nanoseconds since the run began.
    pub at: i64,
    /// Who: `client 3`, `orders`, `payments`, ...
    pub who: String,
    /// What kind of line it is.
    pub how: How,
    /// The node that is asked, or whose service does it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What happened, in words.
    pub what: String,
    /// The event of the history, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<u32>,
}

/// An order as it went.
#[derive(Clone, Debug)]
pub struct Saga<'h> {
    /// Its name.
    pub id: &'h str,
    /// Customer, item, quantity, amount, as in the book or as asked; absent where neither tells.
    pub details: Option<&'h Value>,
    /// `confirmed`, `cancelled`, `refused`, `open`, or `not in the book`.
    pub end: &'static str,
    /// Whether something was done for it and undone.
    pub compensated: bool,
    /// Everything that is known of it, by time.
    pub story: Vec<Line>,
}

/// Everything that is known of an order, by time.
pub(super) fn of_order(facts: &Facts<'_>, id: &str) -> Vec<Line> {
    let Some(order) = facts.orders.get(id) else { return Vec::new() };
    let mut lines: Vec<Line> = order.ops.iter().flat_map(|op| of_client(id, *op)).collect();
    lines.extend(order.moves.iter().map(|moved| {
        let why = if moved.why.is_empty() { String::new() } else { format!(", for {}", moved.why) };
        let what = match Stage::parse(moved.to) {
            Some(stage) => format!("{id} is {}{why}", stage.name()),
            None => format!("{}{why}", moved.to),
        };
        service_line(facts, moved.at, "orders", what)
    }));
    lines.extend(order.effects.iter().map(|effect| {
        let what = match effect.refused {
            Some(why) => format!("refuses {}: {why}", effect.step),
            None => format!(
                "{}: {} changes by {} to {}",
                effect.step, effect.account, effect.change, effect.after
            ),
        };
        service_line(facts, effect.at, effect.service, what)
    }));
    lines.sort_by_key(|line| line.at);
    let end = lines.last().map_or(0, |line| line.at);
    lines.extend(order.repeats.iter().map(|(service, step, count)| {
        let what = format!("{step} came again, {count} times in all since the service started");
        service_line(facts, end, service, what)
    }));
    lines
}

fn service_line(facts: &Facts<'_>, at: i64, service: &str, what: String) -> Line {
    // Which of its nodes spoke for the orders service is not written down.
    let audit = facts.audits.get(service);
    let node = audit.and_then(|audit| audit.op.invoke.node.as_deref()).map(str::to_owned);
    Line { at, who: service.to_owned(), how: How::Does, node, what, event: None }
}

/// What a client asks, and what it hears.
fn of_client(id: &str, op: OpView<'_>) -> Vec<Line> {
    let f = op.f();
    let line = |event: &Event, how, what| Line {
        at: event.time.0 as i64,
        who: format!("client {}", op.process()),
        how,
        node: op.invoke.node.as_deref().map(str::to_owned),
        what,
        event: Some(event.index.0),
    };
    let mut lines = vec![line(op.invoke, How::Asks, format!("{f} {id}"))];
    lines.extend(op.complete.map(|complete| {
        let what = match (complete.kind, complete.value.as_str()) {
            (EventType::Ok, Some(stage)) => format!("{f}: it is {stage}"),
            (EventType::Ok, None) => format!("{f}: there is no such order"),
            (kind, _) => {
                let error = complete.error.as_ref().map(ToString::to_string);
                format!("{f} ends as {kind}: {}", error.unwrap_or_default())
            }
        };
        line(complete, How::Hears, what)
    }));
    lines
}
