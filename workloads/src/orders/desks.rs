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

/// Of so many operations at most one looks at an account, while clients share the desks: those who
/// wait for orders would otherwise leave all the rest to it.
const ACCOUNTS_ONE_IN: u64 = 5;

/// A shop's clients at their desks.
#[derive(Debug)]
pub(super) struct Desks {
    shop: Shop,
    turn: Turn,
    /// Operations so far, and how many of them looked at accounts.
    all: u64,
    of_accounts: u64,
}

impl Desks {
    pub(super) fn new(shop: Shop) -> Desks {
        Desks { shop, turn: Turn::default(), all: 0, of_accounts: 0 }
    }
}

fn desk_of(thread: usize) -> Desk {
    DESKS[thread % DESKS.len()]
}

impl Generator for Desks {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        let shared = context.threads.len() >= DESKS.len();
        let enough = shared && self.of_accounts * ACCOUNTS_ONE_IN >= self.all + ACCOUNTS_ONE_IN;
        let thread = if enough {
            let orders = allowed.iter().copied().filter(|at| desk_of(*at) != Desk::Accounts);
            self.turn.take(&orders.collect::<Vec<usize>>())
        } else {
            self.turn.take(allowed)
        };
        // A client that is heard from may ask anew.
        let Some(thread) = thread else { return Next::Pending(None) };
        let desk = shared.then(|| desk_of(thread));
        self.all += 1;
        self.of_accounts += u64::from(desk == Some(Desk::Accounts));
        Next::Op { thread, invocation: self.shop.draw(desk) }
    }

    fn update(&mut self, _: &Context<'_>, _: usize, _: &Event) {}
}
