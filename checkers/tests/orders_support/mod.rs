//! A shop that serves many orders at once and does everything right, but for one fault that can be
//! planted; written down as a history.

mod ledger;
mod plant;

use ledger::Ledger;
pub(crate) use plant::Plant;
use quorate_checkers::history::{History, jsonl};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

const BALANCE: i64 = 100;
const STOCK: i64 = 12;
const CLIENTS: u64 = 6;

/// An order on its way.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    customer: String,
    item: String,
    amount: i64,
    quantity: i64,
    /// Empty while the shop does not know it.
    pub(crate) stage: &'static str,
    cancel: bool,
    /// Whether a client has asked for it.
    asked: bool,
    /// What clients have been told of it so far.
    shown: Vec<&'static str>,
}

impl Order {
    /// Where it ends if it does not get through.
    fn end(&self) -> &'static str {
        if self.cancel { "cancelled" } else { "refused" }
    }
}

/// An operation of a client that has not ended.
struct Op {
    process: u64,
    f: &'static str,
    key: String,
    /// The order that it is about, if it is about one.
    order: Option<usize>,
    input: Value,
    /// What it will say, once that is settled.
    seen: Option<Value>,
    /// What had been told of the order when it began.
    before: Vec<&'static str>,
}

/// The shop, and what was written down of it.
pub(crate) struct Shop {
    rng: ChaCha8Rng,
    payments: Ledger,
    inventory: Ledger,
    shipping: Ledger,
    pub(crate) orders: Vec<Order>,
    moves: Vec<Value>,
    ops: Vec<Op>,
    /// Which process each client is.
    processes: Vec<u64>,
    lines: Vec<Value>,
    time: u64,
    plant: Option<Plant>,
    /// The order that the fault was planted into, or the account.
    pub(crate) planted: Option<String>,
    /// Reads of accounts: the ledger's letter, the account, the entries so far.
    reads: Vec<(char, String, usize)>,
}

impl Shop {
    /// A whole story.
    pub(crate) fn draw(mut rng: ChaCha8Rng, plant: Option<Plant>) -> Shop {
        let most = rng.random_range(8..30);
        let mut shop = Shop {
            rng,
            payments: Ledger::new("payments", BALANCE),
            inventory: Ledger::new("inventory", STOCK),
            shipping: Ledger::new("shipping", 0),
            orders: Vec::new(),
            moves: Vec::new(),
            ops: Vec::new(),
            processes: (0..CLIENTS).collect(),
            lines: Vec::new(),
            time: 0,
            plant,
            planted: None,
            reads: Vec::new(),
        };
        for number in 0..most {
            let order = shop.draw_order(number);
            shop.orders.push(order);
        }
        while shop.goes_on() {
            shop.time += shop.rng.random_range(1_000..1_000_000);
            match shop.rng.random_range(0..10) {
                0..3 => shop.ask(),
                3..7 => shop.advance(),
                _ => shop.answer(),
            }
        }
        shop.plant_at_the_end();
        shop
    }

    fn draw_order(&mut self, number: usize) -> Order {
        Order {
            id: format!("o{number}"),
            customer: format!("c{}", self.rng.random_range(0..4)),
            item: format!("i{}", self.rng.random_range(0..2)),
            amount: self.rng.random_range(5..=30),
            quantity: self.rng.random_range(1..=4),
            stage: "",
            cancel: false,
            asked: false,
            shown: Vec::new(),
        }
    }

    fn goes_on(&self) -> bool {
        let under_way = |order: &Order| !order.stage.is_empty() && !is_end(order.stage);
        let open = self.orders.iter().any(|order| !order.asked || under_way(order));
        open || !self.ops.is_empty()
    }

    /// Whether this fault is to be planted here; it is planted once.
    fn plants(&mut self, plant: Plant, place: &str) -> bool {
        let now =
            self.plant == Some(plant) && self.planted.is_none() && self.rng.random_ratio(2, 3);
        if now {
            self.planted = Some(place.to_owned());
        }
        now
    }

    fn write(&mut self, op: (u64, &str, &str), kind: &str, value: &Value) {
        let (process, f, key) = op;
        self.lines.push(json!({"time": self.time, "process": process, "type": kind, "f": f,
            "key": key, "value": value}));
    }

    /// A client that has nothing to do asks for something.
    fn ask(&mut self) {
        let busy = |process: &u64| self.ops.iter().any(|op| op.process == *process);
        let Some(process) = self.processes.iter().copied().find(|process| !busy(process)) else {
            return;
        };
        let fresh = self.orders.iter().position(|order| !order.asked);
        let known = fresh.unwrap_or(self.orders.len());
        let draw = self.rng.random_range(0..10);
        let (f, order) = match draw {
            0..4 if fresh.is_some() => ("place", fresh),
            4 | 5 if known > 0 => ("cancel", Some(self.rng.random_range(0..known))),
            6 | 7 => (if draw == 6 { "balance" } else { "stock" }, None),
            // One in passing of an order that nobody has placed yet.
            _ => ("read", Some(self.rng.random_range(0..self.orders.len().min(known + 1)))),
        };
        let place = order.filter(|_| f == "place").map(|at| &mut self.orders[at]);
        let mut input = Value::Null;
        if let Some(order) = place {
            order.asked = true;
            input = json!({"order": order.id, "customer": order.customer, "item": order.item,
                "amount": order.amount, "quantity": order.quantity});
        }
        let key = match (order, f) {
            (Some(at), _) => self.orders[at].id.clone(),
            (None, "balance") => format!("c{}", self.rng.random_range(0..4)),
            (None, _) => format!("i{}", self.rng.random_range(0..2)),
        };
        let before = order.map(|at| self.orders[at].shown.clone()).unwrap_or_default();
        self.write((process, f, &key), "invoke", &input);
        self.ops.push(Op { process, f, key, order, input, seen: None, before });
    }

    /// The moment at which an operation takes effect.
    fn settle(&mut self, at: usize) {
        let (f, order, key) = (self.ops[at].f, self.ops[at].order, self.ops[at].key.clone());
        let seen = match (f, order) {
            (_, Some(place)) => {
                let order = &mut self.orders[place];
                if f == "place" && order.stage.is_empty() {
                    self.go(place, "reserving");
                } else if f == "cancel" && !is_end(order.stage) && !order.stage.is_empty() {
                    order.cancel = true;
                }
                let stage = self.orders[place].stage;
                if stage.is_empty() { Value::Null } else { json!(stage) }
            }
            ("balance", None) => self.look('c', &key),
            (_, None) => self.look('i', &key),
        };
        self.ops[at].seen = Some(seen);
    }

    fn look(&self, letter: char, account: &str) -> Value {
        let ledger = if letter == 'c' { &self.payments } else { &self.inventory };
        let (left, version) = (ledger.left(account), ledger.version(account));
        json!([left, version])
    }

    /// An operation takes effect, ends, or crashes.
    fn answer(&mut self) {
        if self.ops.is_empty() {
            return;
        }
        let at = self.rng.random_range(0..self.ops.len());
        if self.ops[at].seen.is_none() && self.rng.random_ratio(1, 2) {
            return self.settle(at);
        }
        if self.rng.random_ratio(1, 20) {
            let op = self.ops.remove(at);
            self.write((op.process, op.f, &op.key), "info", &op.input);
            let client = self.processes.iter_mut().find(|process| **process == op.process);
            *client.unwrap() += CLIENTS;
            return;
        }
        if self.ops[at].seen.is_none() {
            self.settle(at);
        }
        let op = self.ops.remove(at);
        let mut seen = op.seen.clone().unwrap();
        if let Some(place) = op.order {
            seen = self.distorted(&op, seen);
            let stage = plant::STAGES.iter().find(|stage| seen == **stage);
            self.orders[place].shown.extend(stage);
        } else {
            let letter = if op.f == "balance" { 'c' } else { 'i' };
            let version = seen[1].as_u64().unwrap() as usize;
            self.reads.push((letter, op.key.clone(), version));
            if self.plants(Plant::ReadBelowZero, &op.key) {
                seen[0] = json!(-1);
            }
        }
        self.write((op.process, op.f, &op.key), "ok", &seen);
    }

    /// What an operation says, if what it says is to be wrong.
    fn distorted(&mut self, op: &Op, seen: Value) -> Value {
        let before = |test: fn(&str) -> bool| op.before.iter().any(|stage| test(stage));
        if before(|stage| ["charging", "shipping"].contains(&stage))
            && !before(is_end)
            && self.plants(Plant::WentBack, &op.key)
        {
            return json!("reserving");
        }
        if before(is_end) && self.plants(Plant::Changed, &op.key) {
            let confirmed = op.before.contains(&"confirmed");
            return json!(if confirmed { "refused" } else { "confirmed" });
        }
        let unknown = op.order.is_some_and(|place| !self.orders[place].asked);
        if unknown && self.plants(Plant::Phantom, &op.key) {
            return json!("charging");
        }
        seen
    }

    fn go(&mut self, place: usize, to: &'static str) {
        let order = &mut self.orders[place];
        order.stage = to;
        self.moves.push(json!({"at": self.time, "order": order.id, "to": to}));
    }

    /// Some order goes one step on.
    fn advance(&mut self) {
        let place = self.rng.random_range(0..self.orders.len());
        let order = self.orders[place].clone();
        if self.plant == Some(Plant::Stuck) && self.planted.as_ref() == Some(&order.id) {
            // It is let go in the end, and the book does not say so.
            self.orders[place].stage = "confirmed";
            return;
        }
        let next = match order.stage {
            "reserving" => Some(self.reserve(&order)),
            "charging" => self.charge(&order),
            "shipping" => Some(self.ship(&order)),
            "recalling" | "refunding" | "releasing" => Some(self.undo(&order)),
            _ => None,
        };
        if let Some(next) = next {
            self.go(place, next);
        }
    }

    fn reserve(&mut self, order: &Order) -> &'static str {
        let Order { id, item, quantity, cancel, .. } = order;
        let oversold = *quantity > self.inventory.left(item);
        if oversold && !self.plants(Plant::BelowZero, id) {
            self.inventory.refuses(self.time, id, "reserve", item);
            return order.end();
        }
        self.inventory.done(self.time, id, "reserve", item, -quantity);
        if self.plants(Plant::ReserveTwice, id) {
            self.inventory.done(self.time, id, "reserve", item, -quantity);
        }
        if *cancel { "releasing" } else { "charging" }
    }

    fn charge(&mut self, order: &Order) -> Option<&'static str> {
        let Order { id, customer, amount, cancel, .. } = order;
        if *amount > self.payments.left(customer) {
            self.payments.refuses(self.time, id, "charge", customer);
            return Some("releasing");
        }
        self.payments.done(self.time, id, "charge", customer, -amount);
        if self.plants(Plant::ChargeTwice, id) {
            self.payments.done(self.time, id, "charge", customer, -amount);
        }
        let stuck = self.plants(Plant::Stuck, id);
        (!stuck).then_some(if *cancel { "refunding" } else { "shipping" })
    }

    fn ship(&mut self, order: &Order) -> &'static str {
        let Order { id, item, quantity, cancel, .. } = order;
        if self.rng.random_ratio(1, 4) {
            self.shipping.refuses(self.time, id, "ship", item);
            return "refunding";
        }
        if *cancel || !self.plants(Plant::NoParcel, id) {
            self.shipping.done(self.time, id, "ship", item, *quantity);
        }
        if self.plants(Plant::ShipTwice, id) {
            self.shipping.done(self.time, id, "ship", item, *quantity);
        }
        if *cancel { "recalling" } else { "confirmed" }
    }

    fn undo(&mut self, order: &Order) -> &'static str {
        let Order { id, customer, item, amount, quantity, stage, .. } = order;
        match *stage {
            "recalling" => {
                if !self.plants(Plant::NoRecall, id) {
                    self.shipping.done(self.time, id, "recall", item, -quantity);
                }
                if self.plants(Plant::RecallTwice, id) {
                    self.shipping.done(self.time, id, "recall", item, -quantity);
                }
                "refunding"
            }
            "refunding" => {
                if !self.plants(Plant::NoRefund, id) {
                    self.payments.done(self.time, id, "refund", customer, *amount);
                }
                if self.plants(Plant::RefundTwice, id) {
                    self.payments.done(self.time, id, "refund", customer, *amount);
                }
                "releasing"
            }
            _ => {
                if !self.plants(Plant::NoRelease, id) {
                    self.inventory.done(self.time, id, "release", item, *quantity);
                }
                if self.plants(Plant::ReleaseTwice, id) {
                    self.inventory.done(self.time, id, "release", item, *quantity);
                }
                order.end()
            }
        }
    }

    /// Faults that only the end can have.
    fn plant_at_the_end(&mut self) {
        for place in 0..self.orders.len() {
            let Order { id, stage, shown, .. } = self.orders[place].clone();
            let confirmed = stage == "confirmed";
            if !shown.is_empty() && self.plants(Plant::Lost, &id) {
                self.orders[place].stage = "";
            }
            if shown.iter().any(|stage| is_end(stage)) && self.plants(Plant::ChangedInBook, &id) {
                self.orders[place].stage = if confirmed { "cancelled" } else { "confirmed" };
            }
            if confirmed && self.plants(Plant::Orphan, &id) {
                // Nobody was told of it.
                self.lines.retain(|line| line["key"] != *id);
                self.orders[place].stage = "";
            }
            if self.plant == Some(Plant::Stuck) && self.planted.as_ref() == Some(&id) {
                self.orders[place].stage = "shipping";
            }
        }
        self.plant_effects_at_the_end();
        let accounts: Vec<String> = self.payments.accounts.keys().cloned().collect();
        for account in accounts {
            if self.plants(Plant::Miscounted, &account) {
                *self.payments.accounts.get_mut(&account).unwrap() += 1;
            }
            if self.plants(Plant::Overwritten, &account) {
                self.payments.overwrite(&account);
            }
        }
    }

    /// Effects that came when all was over, or never.
    fn plant_effects_at_the_end(&mut self) {
        for order in self.orders.clone() {
            let Order { id, customer, amount, stage, .. } = &order;
            let confirmed = *stage == "confirmed";
            let ended = is_end(stage);
            let charged = self.payments.count(id, "charge") > 0;
            let affordable = *amount <= self.payments.left(customer);
            if confirmed && self.plants(Plant::NoCharge, id) {
                self.payments.forget(id, "charge");
            }
            if confirmed && self.plants(Plant::NoReserve, id) {
                self.inventory.forget(id, "reserve");
            }
            if confirmed && self.plants(Plant::ConfirmedAndRefunded, id) {
                self.payments.done(self.time, id, "refund", customer, *amount);
            }
            let gone = ended && !confirmed && affordable;
            if gone && charged && self.plants(Plant::ChargedLate, id) {
                self.payments.done(self.time, id, "charge", customer, -amount);
            }
            if gone && !charged && self.plants(Plant::ChargedAfterRefusal, id) {
                self.payments.done(self.time, id, "charge", customer, -amount);
            }
        }
    }

    /// Reads of accounts in which something shows that was undone later, by looking at each.
    pub(crate) fn dirty_reads(&self) -> usize {
        let dirty = self.reads.iter().filter(|(letter, account, version)| {
            let ledger = if *letter == 'c' { &self.payments } else { &self.inventory };
            self.orders.iter().any(|order| {
                let lost = is_end(order.stage) && order.stage != "confirmed";
                lost && ledger.balance_of(account, *version, &order.id) != 0
            })
        });
        dirty.count()
    }

    /// The accounts that an order uses, or the account itself.
    pub(crate) fn accounts_of(&self, place: &str) -> Vec<String> {
        let order = self.orders.iter().find(|order| order.id == place);
        order.map_or_else(
            || vec![place.to_owned()],
            |order| vec![order.customer.clone(), order.item.clone()],
        )
    }

    /// The whole, with the final phase.
    pub(crate) fn history(&self) -> History {
        self.without("nothing")
    }

    /// The same without the operations of this name.
    pub(crate) fn without(&self, f: &str) -> History {
        let mut lines = self.lines.clone();
        let mut time = self.time + 1_000_000_000;
        let process = self.processes[0];
        let mut op = |f: &str, key: &str, kind: &str, value: &dyn Fn(u64) -> Value| {
            let line = |kind: &str, value: Value, time: u64| {
                json!({"time": time,
                "process": process, "type": kind, "f": f, "key": key, "value": value})
            };
            lines.push(line("invoke", Value::Null, time));
            lines.push(line(kind, value(time + 500), time + 1_000));
            time += 2_000;
        };
        let open = self.orders.iter().any(|order| !order.stage.is_empty() && !is_end(order.stage));
        let drained = if open { "fail" } else { "ok" };
        op("drain", "orders", drained, &|_| Value::Null);
        op("drain", "replica", drained, &|_| Value::Null);
        let known = self.orders.iter().filter(|order| !order.stage.is_empty());
        let orders: Vec<Value> = known
            .map(|order| {
                json!([{"order": order.id, "customer": order.customer, "item": order.item,
                    "amount": order.amount, "quantity": order.quantity}, order.stage])
            })
            .collect();
        op(
            "book",
            "orders",
            "ok",
            &|now| json!({"service": "orders", "now": now, "orders": orders, "moves": self.moves}),
        );
        for ledger in [&self.payments, &self.inventory, &self.shipping] {
            op("audit", ledger.service, "ok", &|now| ledger.audit(now));
        }
        let kept = lines.iter().filter(|line| line["f"] != f);
        let text: String = kept.flat_map(|line| [line.to_string(), "\n".into()]).collect();
        jsonl::read(text.as_bytes(), "shop").unwrap()
    }
}

fn is_end(stage: &str) -> bool {
    ["confirmed", "cancelled", "refused"].contains(&stage)
}
