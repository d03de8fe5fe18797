//! Which client asks whom. Each has its node, as Jepsen's clients have, so that a node that is down
//! or stands still keeps its own clients waiting and nobody else's: of five, two ask each of the
//! nodes that may lead, and one looks at accounts. Where clients are fewer, each asks anybody.

use super::shop::Shop;
use crate::generator::source::Turn;
use crate::generator::{Context, Generator, Next};
use quorate_checkers::history::Event;

/// Whom a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Desk {
    /// The orders service, at this one of its nodes.
    Orders(&'static str),
    /// Payments and inventory.
    Accounts,
}

/// So many clients are shared out among the desks at a time.
const DESKS: [Desk; 5] = [
    Desk::Orders("orders"),
    Desk::Orders("replica"),
    Desk::Orders("orders"),
    Desk::Orders("replica"),
    Desk::Accounts,
];

/// A shop's clients at their desks.
#[derive(Debug)]
pub(super) struct Desks {
    shop: Shop,
    turn: Turn,
}

impl Desks {
    pub(super) fn new(shop: Shop) -> Desks {
        Desks { shop, turn: Turn::default() }
    }
}

impl Generator for Desks {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        let Some(thread) = self.turn.take(allowed) else { return Next::Pending(None) };
        let shared = context.threads.len() >= DESKS.len();
        let desk = shared.then(|| DESKS[thread % DESKS.len()]);
        Next::Op { thread, invocation: self.shop.draw(desk) }
    }

    fn update(&mut self, _: &Context<'_>, _: usize, _: &Event) {}
}
