//! The orders workload: many customers and few items of an order service.
//!
//! Clients place orders, take some of them back, and read orders, balances and stock. Customers
//! and items serve for a bounded number of orders, chosen so that money and goods run out towards
//! the end of each: so all through a run some orders are refused by each service, and undone.
//!
//! When the faults are healed, the final phase waits until no order is under way, and then takes
//! the book of orders and the ledgers of the other services, from which the checkers judge.

mod calls;
mod desks;
mod shop;

pub use calls::{decode, encode};

use crate::generator::sequence::chain;
use crate::generator::until_each_ok::{Tries, until_each_ok};
use crate::generator::{Combine, Generator, Invocation};
use crate::options::{OptionError, OptionSpec, Options};
use crate::register::FINAL_TRIES;
use crate::workload::{Completion, Workload};
use desks::Desks;
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::seed::Seed;
use shop::{Shop, Weights};
use std::time::Duration;

const CUSTOMERS: OptionSpec =
    OptionSpec { name: "customers", default: "20", about: "customers in use at a time" };
const ITEMS: OptionSpec =
    OptionSpec { name: "items", default: "3", about: "items on sale at a time" };
const ORDERS_PER_CUSTOMER: OptionSpec = OptionSpec {
    name: "orders-per-customer",
    default: "8",
    about: "orders before a fresh customer replaces one",
};
const ORDERS_PER_ITEM: OptionSpec = OptionSpec {
    name: "orders-per-item",
    default: "18",
    about: "orders before a fresh item replaces one",
};
const PLACE: OptionSpec =
    OptionSpec { name: "place", default: "6", about: "weight of new orders in the mix" };
const CANCEL: OptionSpec =
    OptionSpec { name: "cancel", default: "2", about: "weight of cancellations in the mix" };
const READ: OptionSpec =
    OptionSpec { name: "read", default: "4", about: "weight of reads in the mix" };

/// How often a final phase asks whether no order is under way, and for how long at most, so that
/// there is time left for the book and the audits: services ask each other again after a second or
/// two, step by step.
pub const DRAIN_TRIES: Tries = Tries { most: 150, gap: Duration::from_millis(100) };
/// See [`DRAIN_TRIES`].
pub const DRAIN_LIMIT: Duration = Duration::from_secs(15);

/// The options that there are.
pub const OPTIONS: &[OptionSpec] =
    &[CUSTOMERS, ITEMS, ORDERS_PER_CUSTOMER, ORDERS_PER_ITEM, PLACE, CANCEL, READ];

/// The options of an orders workload, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrdersOptions {
    customers: usize,
    items: usize,
    orders_per_customer: u64,
    orders_per_item: u64,
    weights: Weights,
}

impl OrdersOptions {
    /// Reads the options; each that is not given has its default from [`OPTIONS`].
    pub fn from_options(options: &Options) -> Result<OrdersOptions, OptionError> {
        options.expect_only(OPTIONS)?;
        let weight = |spec| options.number(spec, 0, 1_000_000).map(|weight| weight as u32);
        let weights =
            Weights { place: weight(&PLACE)?, cancel: weight(&CANCEL)?, read: weight(&READ)? };
        if weights.place == 0 {
            let nothing = "without a weight of `place` there is nothing to read or to cancel";
            return Err(OptionError::Conflict(nothing.to_owned()));
        }
        Ok(OrdersOptions {
            customers: options.number(&CUSTOMERS, 1, 10_000)? as usize,
            items: options.number(&ITEMS, 1, 10_000)? as usize,
            orders_per_customer: options.number(&ORDERS_PER_CUSTOMER, 1, u64::MAX)?,
            orders_per_item: options.number(&ORDERS_PER_ITEM, 1, u64::MAX)?,
            weights,
        })
    }
}

/// See the [module](self).
#[derive(Debug)]
pub struct Orders {
    options: OrdersOptions,
    seed: Seed,
}

impl Orders {
    /// With these options.
    pub fn new(options: OrdersOptions, seed: Seed) -> Orders {
        Orders { options, seed }
    }
}

impl Workload for Orders {
    fn main(&mut self) -> Box<dyn Generator> {
        Desks::new(Shop::new(self.options, self.seed.stream("main"))).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        let at = |f: &'static str, services: &[&'static str], tries| {
            let ask = |service: &&'static str| {
                Invocation::new(f).key(*service).at(calls::node_of(service))
            };
            until_each_ok(services.iter().map(ask).collect(), tries).boxed()
        };
        let drain = at("drain", &["orders", "replica"], DRAIN_TRIES);
        let drain = drain.time_limit(DRAIN_LIMIT).boxed();
        let book = at("book", &["orders"], FINAL_TRIES);
        let audit = at("audit", &["payments", "inventory", "shipping"], FINAL_TRIES);
        chain(vec![drain, book, audit]).boxed()
    }

    fn encode(&self, invocation: &Invocation, _: Session) -> Request {
        encode(invocation)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        decode(invocation, outcome)
    }
}
