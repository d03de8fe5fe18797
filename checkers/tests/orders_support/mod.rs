//! A shop that serves one order after the other and does everything right, but for one fault that
//! can be planted; written down as a history.

use quorate_checkers::history::{History, jsonl};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BALANCE: i64 = 100;
const STOCK: i64 = 30;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    ChargeTwice,
    NoParcel,
    NoRefund,
    Orphan,
    Lost,
    WentBack,
    Changed,
    Miscounted,
    BelowZero,
    Stuck,
}

impl Plant {
    pub(crate) const ALL: [Plant; 10] = [
        Plant::ChargeTwice,
        Plant::NoParcel,
        Plant::NoRefund,
        Plant::Orphan,
        Plant::Lost,
        Plant::WentBack,
        Plant::Changed,
        Plant::Miscounted,
        Plant::BelowZero,
        Plant::Stuck,
    ];

    /// As what it must be found.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Plant::ChargeTwice => "duplicate-effect",
            Plant::NoParcel => "missing-effect",
            Plant::NoRefund => "leftover-effect",
            Plant::Orphan => "orphan-effect",
            Plant::Lost => "lost-order",
            Plant::WentBack => "went-back",
            Plant::Changed => "changed-after-end",
            Plant::Miscounted => "not-conserved",
            Plant::BelowZero => "below-zero",
            Plant::Stuck => "stuck-saga",
        }
    }
}

/// A service's accounts.
#[derive(Default)]
struct Ledger {
    initial: i64,
    accounts: BTreeMap<String, i64>,
    effects: Vec<Value>,
}

impl Ledger {
    fn left(&self, account: &str) -> i64 {
        self.accounts.get(account).copied().unwrap_or(self.initial)
    }

    fn done(&mut self, at: u64, order: &str, step: &str, account: &str, change: i64) {
        let after = self.left(account) + change;
        self.accounts.insert(account.to_owned(), after);
        self.effects.push(json!({"at": at, "order": order, "step": step, "account": account,
            "change": change, "after": after}));
    }

    fn refuses(&mut self, at: u64, order: &str, step: &str, account: &str) {
        let after = self.left(account);
        self.accounts.insert(account.to_owned(), after);
        self.effects.push(json!({"at": at, "order": order, "step": step, "account": account,
            "change": 0, "after": after, "refused": "no"}));
    }

    fn version(&self, account: &str) -> usize {
        self.effects.iter().filter(|effect| effect["account"] == account).count()
    }
}

/// What is known of an order while it is served.
struct Order {
    id: String,
    customer: String,
    item: String,
    amount: i64,
    quantity: i64,
}

/// The shop, and what was written down of it.
pub(crate) struct Shop {
    payments: Ledger,
    inventory: Ledger,
    shipping: Ledger,
    /// Orders with their stages.
    book: Vec<(Value, String)>,
    lines: Vec<Value>,
    time: u64,
    plant: Option<Plant>,
    planted: bool,
}

impl Shop {
    pub(crate) fn draw(rng: &mut ChaCha8Rng, plant: Option<Plant>) -> Shop {
        let ledger = |initial| Ledger { initial, ..Ledger::default() };
        let mut shop = Shop {
            payments: ledger(BALANCE),
            inventory: ledger(STOCK),
            shipping: ledger(0),
            book: Vec::new(),
            lines: Vec::new(),
            time: 0,
            plant,
            planted: false,
        };
        for number in 0..rng.random_range(10..40) {
            let order = Order {
                id: format!("o{number}"),
                customer: format!("c{}", rng.random_range(0..4)),
                item: format!("i{}", rng.random_range(0..2)),
                amount: rng.random_range(5..=30),
                quantity: rng.random_range(1..=3),
            };
            shop.serve(rng, &order);
        }
        let counted = !shop.payments.accounts.is_empty();
        shop.planted |= plant == Some(Plant::Miscounted) && counted;
        shop
    }

    pub(crate) fn is_planted(&self) -> bool {
        self.planted
    }

    /// Whether this fault is to be planted now; it is planted once.
    fn plants(&mut self, plant: Plant) -> bool {
        let now = self.plant == Some(plant) && !self.planted;
        self.planted |= now;
        now
    }

    fn op(&mut self, f: &str, key: &str, input: &Value, kind: &str, output: &Value) {
        self.time += 1_000_000;
        let line = |kind: &str, value: &Value, time| json!({"time": time, "process": 0, "type": kind, "f": f, "key": key, "value": value});
        self.lines.push(line("invoke", input, self.time));
        self.time += 1_000_000;
        self.lines.push(line(kind, output, self.time));
    }

    fn read(&mut self, order: &str, stage: &str) {
        self.op("read", order, &Value::Null, "ok", &json!(stage));
    }

    fn look(&mut self, order: &Order) {
        let money =
            json!([self.payments.left(&order.customer), self.payments.version(&order.customer)]);
        self.op("balance", &order.customer, &Value::Null, "ok", &money);
        let goods = json!([self.inventory.left(&order.item), self.inventory.version(&order.item)]);
        self.op("stock", &order.item, &Value::Null, "ok", &goods);
    }

    fn serve(&mut self, rng: &mut ChaCha8Rng, order: &Order) {
        let id = order.id.as_str();
        let details = json!({"order": id, "customer": order.customer, "item": order.item,
            "amount": order.amount, "quantity": order.quantity});
        self.op("place", id, &details, "ok", &json!("reserving"));
        let oversold = order.quantity > self.inventory.left(&order.item);
        if oversold && !self.plants(Plant::BelowZero) {
            self.inventory.refuses(self.time, id, "reserve", &order.item);
            return self.end(details, id, "refused");
        }
        self.inventory.done(self.time, id, "reserve", &order.item, -order.quantity);
        self.read(id, "charging");
        let shipped = self.charge_and_ship(rng, order);
        if shipped {
            return self.end(details, id, "confirmed");
        }
        self.inventory.done(self.time, id, "release", &order.item, order.quantity);
        self.end(details, id, if rng.random_ratio(1, 2) { "cancelled" } else { "refused" });
    }

    fn charge_and_ship(&mut self, rng: &mut ChaCha8Rng, order: &Order) -> bool {
        let id = order.id.as_str();
        if order.amount > self.payments.left(&order.customer) {
            self.payments.refuses(self.time, id, "charge", &order.customer);
            return false;
        }
        self.payments.done(self.time, id, "charge", &order.customer, -order.amount);
        if self.plants(Plant::ChargeTwice) {
            self.payments.done(self.time, id, "charge", &order.customer, -order.amount);
        }
        if rng.random_ratio(1, 2) {
            self.look(order);
        }
        if rng.random_ratio(1, 3) {
            self.read(id, "shipping");
            if self.plants(Plant::WentBack) {
                self.read(id, "charging");
            }
        }
        if rng.random_ratio(1, 3) {
            self.shipping.refuses(self.time, id, "ship", &order.item);
            self.read(id, "refunding");
            if !self.plants(Plant::NoRefund) {
                self.payments.done(self.time, id, "refund", &order.customer, order.amount);
            }
            return false;
        }
        if !self.plants(Plant::NoParcel) {
            self.shipping.done(self.time, id, "ship", &order.item, order.quantity);
        }
        true
    }

    fn end(&mut self, details: Value, id: &str, stage: &str) {
        let confirmed = stage == "confirmed";
        if confirmed && self.plants(Plant::Stuck) {
            return self.book.push((details, "shipping".to_owned()));
        }
        if confirmed && self.plants(Plant::Orphan) {
            // Nobody was told of it.
            self.lines.retain(|line| line["key"] != id);
            return;
        }
        self.read(id, stage);
        if self.plants(Plant::Lost) {
            return;
        }
        let changed = self.plants(Plant::Changed);
        let stage = match stage {
            "confirmed" if changed => "refused",
            _ if changed => "confirmed",
            stage => stage,
        };
        self.book.push((details, stage.to_owned()));
    }

    /// The whole, with the final phase.
    pub(crate) fn history(&self) -> History {
        self.without("nothing")
    }

    /// The same without the operations of this name.
    pub(crate) fn without(&self, f: &str) -> History {
        let mut lines = self.lines.clone();
        let mut time = self.time + 1_000_000_000;
        let mut op = |f: &str, key: &str, kind: &str, value: Value| {
            let line = |kind: &str, value: Value, time: u64| json!({"time": time, "process": 0, "type": kind, "f": f, "key": key, "value": value});
            lines.push(line("invoke", Value::Null, time));
            lines.push(line(kind, value, time + 1_000));
            time += 2_000;
            time
        };
        let stuck = self.plant == Some(Plant::Stuck) && self.planted;
        op("drain", "orders", if stuck { "fail" } else { "ok" }, Value::Null);
        let now = op("drain", "replica", if stuck { "fail" } else { "ok" }, Value::Null) + 500;
        op("book", "orders", "ok", json!({"service": "orders", "now": now, "orders": self.book}));
        let ledgers = [
            ("payments", &self.payments),
            ("inventory", &self.inventory),
            ("shipping", &self.shipping),
        ];
        let mut now = now + 2_000;
        for (service, ledger) in ledgers {
            let mut accounts = ledger.accounts.clone();
            if service == "payments" && self.plant == Some(Plant::Miscounted) {
                accounts.values_mut().take(1).for_each(|left| *left += 1);
            }
            let audit = json!({"service": service, "now": now, "initial": ledger.initial,
                "accounts": accounts, "effects": ledger.effects});
            op("audit", service, "ok", audit);
            now += 2_000;
        }
        let kept = lines.iter().filter(|line| line["f"] != f);
        let text: String = kept.map(|line| format!("{line}\n")).collect();
        jsonl::read(text.as_bytes(), "shop").unwrap()
    }
}
