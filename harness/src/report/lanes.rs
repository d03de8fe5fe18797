//! Clients above a diagram of messages: their operations as bars on the same time.

use super::axis::n;
use super::lamport::Scene;
use super::ops;
use maud::{Markup, html};
use quorate_checkers::history::{OpView, Process};

/// At most this many operations join a diagram.
const OPS_MAX: usize = 40;
/// Height of a client's lane.
pub(super) const LANE: f64 = 32.0;
const BAR: f64 = 9.0;

/// The operations that were under way between two moments, not too many.
pub(super) fn within(ops: Vec<OpView<'_>>, first: u64, last: u64) -> Vec<OpView<'_>> {
    let under_way =
        |op: &OpView<'_>| ops::start(op) <= last && ops::end(op).unwrap_or(u64::MAX) >= first;
    ops.into_iter().filter(under_way).take(OPS_MAX).collect()
}

/// The clients, in the order in which they first ask.
pub(super) fn clients(ops: &[OpView<'_>]) -> Vec<Process> {
    let mut clients = Vec::new();
    for op in ops {
        if !clients.contains(&op.process()) {
            clients.push(op.process());
        }
    }
    clients
}

/// The lanes, from `top` downwards.
pub(super) fn drawing(scene: &Scene<'_>, top: f64) -> Markup {
    let clients = clients(&scene.ops);
    let right = scene.time.right();
    html! {
        @for (at, client) in clients.iter().enumerate() {
            @let y = top + at as f64 * LANE;
            text.lane x=(n(super::arrows::LEFT - 10.0)) y=(n(y + 22.0)) text-anchor="end" { "p" (client) }
            @for op in scene.ops.iter().filter(|op| op.process() == *client) {
                @let x = scene.time.x(ops::start(op));
                @let to = ops::end(op).map_or(right, |end| scene.time.x(end)).max(x + 3.0);
                @let asked = op.invoke.node.as_deref().map_or_else(String::new, |node| format!(" at {}", super::text::label(node)));
                @let label = ops::label(op) + &asked;
                a href={ "#op=" (op.invoke.index) } aria-label={ "operation " (op.invoke.index) ": " (label) } {
                    title { (label) }
                    text.label x=(n(x)) y=(n(y + 11.0)) { (label) }
                    rect class={ "bar " (op.outcome.as_str()) } x=(n(x)) y=(n(y + 15.0)) width=(n(to - x)) height=(n(BAR)) rx="2" {}
                }
            }
        }
    }
}
