//! What clients of a shop ask for, drawn.

use super::desks::Desk;
use super::{OrdersOptions, calls};
use crate::generator::Invocation;
use quorate_checkers::value::{Name, Value};
use quorate_targets::saga;
use quorate_targets::saga::ledger::NOWHERE;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// So many of the latest orders are cancelled and read.
const RECENT_MAX: usize = 24;
/// One of so many orders goes nowhere.
const NOWHERE_ONE_IN: u32 = 16;

/// How often each operation is drawn, in proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weights {
    pub(super) place: u32,
    pub(super) cancel: u32,
    pub(super) read: u32,
}

/// Names in use, each for so many orders.
#[derive(Debug)]
struct Names {
    prefix: char,
    most: u64,
    made: u64,
    current: Vec<(String, u64)>,
}

/// Draws operations; endless.
#[derive(Debug)]
pub(super) struct Shop {
    weights: Weights,
    rng: ChaCha8Rng,
    customers: Names,
    items: Names,
    orders: u64,
    recent: VecDeque<String>,
    f: [Name; 5],
}

impl Names {
    fn new(prefix: char, at_once: usize, most: u64) -> Names {
        let mut names = Names { prefix, most, made: 0, current: Vec::new() };
        for _ in 0..at_once {
            let fresh = names.fresh();
            names.current.push((fresh, 0));
        }
        names
    }

    fn fresh(&mut self) -> String {
        self.made += 1;
        format!("{}{}", self.prefix, self.made)
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> usize {
        rng.random_range(0..self.current.len())
    }

    /// The name at a place, for one more order.
    fn use_up(&mut self, place: usize) -> String {
        let name = self.current[place].0.clone();
        self.current[place].1 += 1;
        if self.current[place].1 >= self.most {
            self.current[place] = (self.fresh(), 0);
        }
        name
    }
}

impl Shop {
    pub(super) fn new(options: OrdersOptions, rng: ChaCha8Rng) -> Shop {
        Shop {
            weights: options.weights,
            rng,
            customers: Names::new('c', options.customers, options.orders_per_customer),
            items: Names::new('i', options.items, options.orders_per_item),
            orders: 0,
            recent: VecDeque::new(),
            f: ["place", "cancel", "read", "balance", "stock"].map(Name::from),
        }
    }

    /// The next operation at a desk, or at any.
    pub(super) fn draw(&mut self, desk: Option<Desk>) -> Invocation {
        let Weights { place, cancel, read } = self.weights;
        // Half of what is read are accounts.
        let of_orders = 2 * (place + cancel) + read;
        let desk = desk.filter(|desk| *desk != Desk::Accounts || read > 0);
        match desk.unwrap_or_else(|| self.any_desk(of_orders + read)) {
            Desk::Accounts => self.account(),
            Desk::Orders(service) => {
                let drawn = self.rng.random_range(0..of_orders);
                self.of_orders(service, drawn)
            }
        }
    }

    fn any_desk(&mut self, all: u32) -> Desk {
        if self.rng.random_range(0..all) < self.weights.read {
            Desk::Accounts
        } else {
            Desk::Orders(if self.rng.random_ratio(1, 2) { "orders" } else { "replica" })
        }
    }

    fn account(&mut self) -> Invocation {
        if self.rng.random_ratio(1, 2) {
            let customer = self.customers.draw(&mut self.rng);
            let name = self.customers.current[customer].0.clone();
            Invocation::new(self.f[3].clone()).key(name).at(saga::PAYMENTS)
        } else {
            let item = self.items.draw(&mut self.rng);
            let name = self.items.current[item].0.clone();
            Invocation::new(self.f[4].clone()).key(name).at(saga::INVENTORY)
        }
    }

    /// An operation on an order, at one of the two nodes that may lead.
    fn of_orders(&mut self, service: &str, drawn: u32) -> Invocation {
        let Weights { place, cancel, .. } = self.weights;
        let node = calls::node_of(service);
        if drawn < 2 * place || self.recent.is_empty() {
            return self.place().at(node);
        }
        // The newest are the ones that something happens to.
        let nearest = self.rng.random_range(0..self.recent.len());
        let place_in_recent = self.rng.random_range(0..=nearest);
        let order = self.recent[place_in_recent].clone();
        let f = if drawn < 2 * (place + cancel) { 1 } else { 2 };
        Invocation::new(self.f[f].clone()).key(order).at(node)
    }

    fn place(&mut self) -> Invocation {
        self.orders += 1;
        let order = format!("o{}", self.orders);
        let customer = self.customers.draw(&mut self.rng);
        let item = self.items.draw(&mut self.rng);
        let (customer, item) = (self.customers.use_up(customer), self.items.use_up(item));
        let quantity = self.rng.random_range(1..=3);
        let amount = self.rng.random_range(5..=30);
        let astray = self.rng.random_ratio(1, NOWHERE_ONE_IN);
        let address = if astray { NOWHERE } else { "here" };
        self.recent.push_front(order.clone());
        self.recent.truncate(RECENT_MAX);
        let fields = [
            ("customer", Value::str(customer)),
            ("item", Value::str(item)),
            ("quantity", Value::Int(quantity)),
            ("amount", Value::Int(amount)),
            ("address", Value::str(address)),
        ];
        let fields = fields.map(|(name, value)| (Value::str(name), value));
        Invocation::new(self.f[0].clone()).key(order).value(Value::Map(fields.into()))
    }
}
