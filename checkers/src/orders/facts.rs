//! What a history says of its orders: gathered once, for all properties.

use crate::history::{EventType, History, Nanos, OpIndex, OpView};
use crate::value::Value;
use std::collections::BTreeMap;

/// How far an order is, as clients read it, in the order in which stages follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Placed,
    Reserving,
    Charging,
    Shipping,
    Capturing,
    Picking,
    Recalling,
    Refunding,
    Releasing,
    Confirmed,
    Cancelled,
    Refused,
}

/// All stages with their names.
const STAGES: [(Stage, &str); 12] = [
    (Stage::Placed, "placed"),
    (Stage::Reserving, "reserving"),
    (Stage::Charging, "charging"),
    (Stage::Shipping, "shipping"),
    (Stage::Capturing, "capturing"),
    (Stage::Picking, "picking"),
    (Stage::Recalling, "recalling"),
    (Stage::Refunding, "refunding"),
    (Stage::Releasing, "releasing"),
    (Stage::Confirmed, "confirmed"),
    (Stage::Cancelled, "cancelled"),
    (Stage::Refused, "refused"),
];

impl Stage {
    /// How many there are.
    pub(super) const COUNT: usize = STAGES.len();

    pub(super) fn parse(name: &str) -> Option<Stage> {
        STAGES.iter().find(|(_, known)| *known == name).map(|(stage, _)| *stage)
    }

    pub(super) fn name(self) -> &'static str {
        STAGES[self as usize].1
    }

    pub(super) fn is_end(self) -> bool {
        self >= Stage::Confirmed
    }

    /// Whether an order that was here may be there later.
    pub(super) fn reaches(self, later: Stage) -> bool {
        if self.is_end() || self == later {
            return self == later;
        }
        let undoing = (Stage::Recalling..=Stage::Releasing).contains(&self);
        let final_steps = (Stage::Capturing..=Stage::Picking).contains(&self);
        let no_way_on = undoing && later == Stage::Confirmed;
        let no_way_back = final_steps && later > Stage::Picking && later != Stage::Confirmed;
        self < later && !no_way_on && !no_way_back
    }
}

/// What one operation showed of an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'h> {
    pub(super) op: OpView<'h>,
    /// Its completion.
    pub(super) end: OpIndex,
    /// `None`: there is no such order.
    pub(super) stage: Option<Stage>,
}

/// One entry of a service's ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect<'h> {
    pub(super) service: &'h str,
    /// On the history's clock, as near as can be told.
    pub(super) at: i64,
    pub(super) order: &'h str,
    pub(super) step: &'h str,
    pub(super) account: &'h str,
    pub(super) change: i64,
    pub(super) after: i64,
    pub(super) refused: Option<&'h str>,
}

/// What happened to an order, by the orders service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move<'h> {
    pub(super) at: i64,
    pub(super) to: &'h str,
    pub(super) why: &'h str,
}

/// All that is known of one order.
#[derive(Clone, Debug, Default)]
pub(super) struct Order<'h> {
    /// Customer, item, quantity, amount, as asked or as in the book.
    pub(super) details: Option<&'h Value>,
    /// Every operation on it.
    pub(super) ops: Vec<OpView<'h>>,
    /// What was seen of it, in order of completions.
    pub(super) seen: Vec<Seen<'h>>,
    /// What services did for it.
    pub(super) effects: Vec<Effect<'h>>,
    /// How it went.
    pub(super) moves: Vec<Move<'h>>,
    /// Steps that came again: the service, the step, how often.
    pub(super) repeats: Vec<(&'h str, &'h str, i64)>,
    /// How it stands in the book.
    pub(super) last: Option<Stage>,
}

impl Order<'_> {
    /// How it ended, as the book has it.
    pub(super) fn end(&self) -> &'static str {
        match self.last {
            Some(stage) if stage.is_end() => stage.name(),
            Some(_) => "open",
            None => "not in the book",
        }
    }

    /// Whether something was undone.
    pub(super) fn is_compensated(&self) -> bool {
        let undo = |effect: &Effect<'_>| {
            ["recall", "refund", "release"].contains(&effect.step) && effect.refused.is_none()
        };
        self.effects.iter().any(undo)
    }
}

/// A service's accounts at the end.
#[derive(Clone, Debug)]
pub(super) struct Audit<'h> {
    pub(super) op: OpView<'h>,
    pub(super) initial: i64,
    pub(super) accounts: BTreeMap<&'h str, i64>,
    /// Its effects by account, in order.
    pub(super) entries: BTreeMap<&'h str, Vec<Effect<'h>>>,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Facts<'h> {
    pub(super) orders: BTreeMap<&'h str, Order<'h>>,
    /// The book, if it was read.
    pub(super) book: Option<OpView<'h>>,
    /// By service: `payments`, `inventory`, `shipping`.
    pub(super) audits: BTreeMap<&'h str, Audit<'h>>,
    /// Reads of balances and stocks: account, amount, entries so far.
    pub(super) reads: Vec<(OpView<'h>, &'h str, i64, i64)>,
    /// When no order was under way any more, if that was seen.
    pub(super) drained: Option<OpIndex>,
}

impl<'h> Facts<'h> {
    /// Reads a history. The error says what is not as the workload writes it.
    pub(super) fn of(history: &'h History) -> Result<Facts<'h>, String> {
        let mut facts = Facts::default();
        for op in history.ops() {
            let key = op.key().and_then(Value::as_str).unwrap_or_default();
            match op.f().as_str() {
                "place" | "cancel" | "read" => facts.of_order(op, key)?,
                "balance" | "stock" => {
                    let Some(output) = op.output() else { continue };
                    let [amount, version] = output.as_list().unwrap_or_default() else {
                        return Err(malformed(op, "[amount, entries]"));
                    };
                    let (Some(amount), Some(version)) = (amount.as_int(), version.as_int()) else {
                        return Err(malformed(op, "[amount, entries]"));
                    };
                    facts.reads.push((op, key, amount, version));
                }
                "drain" if op.outcome == EventType::Ok => {
                    let end = op.complete.map(|event| event.index);
                    facts.drained = facts.drained.or(end);
                }
                "book" if op.outcome == EventType::Ok => facts.book = Some(op),
                "audit" if op.outcome == EventType::Ok => facts.audit(op)?,
                _ => {}
            }
        }
        if let Some(op) = facts.book {
            facts.read_book(op)?;
        }
        Ok(facts)
    }

    fn of_order(&mut self, op: OpView<'h>, key: &'h str) -> Result<(), String> {
        let order = self.orders.entry(key).or_default();
        order.ops.push(op);
        if op.f().as_str() == "place" {
            order.details = Some(op.input());
        }
        let (Some(output), Some(complete)) = (op.output(), op.complete) else { return Ok(()) };
        let stage = match output {
            Value::Null => None,
            named => match named.as_str().and_then(Stage::parse) {
                Some(stage) => Some(stage),
                None => return Err(malformed(op, "a stage")),
            },
        };
        order.seen.push(Seen { op, end: complete.index, stage });
        Ok(())
    }

    fn read_book(&mut self, op: OpView<'h>) -> Result<(), String> {
        let Some(book) = op.output() else { return Ok(()) };
        let offset = offset(op, book)?;
        for item in items(book, "orders") {
            let [details, stage] = item.as_list().unwrap_or_default() else {
                return Err(malformed(op, "[order, stage]"));
            };
            let (Some(id), Some(stage)) =
                (text(details, "order"), stage.as_str().and_then(Stage::parse))
            else {
                return Err(malformed(op, "[order, stage]"));
            };
            for name in ["amount", "quantity"] {
                int(op, details, name)?;
            }
            let order = self.orders.entry(id).or_default();
            order.details = Some(details);
            order.last = Some(stage);
        }
        for item in items(book, "moves") {
            let Some(id) = text(item, "order") else { return Err(malformed(op, "moves")) };
            let at = int(op, item, "at")?.saturating_sub(offset);
            let moved = Move {
                at,
                to: text(item, "to").unwrap_or_default(),
                why: text(item, "why").unwrap_or_default(),
            };
            self.orders.entry(id).or_default().moves.push(moved);
        }
        Ok(())
    }

    fn audit(&mut self, op: OpView<'h>) -> Result<(), String> {
        let Some(value) = op.output() else { return Ok(()) };
        let Some(service) = text(value, "service") else {
            return Err(malformed(op, "an audit"));
        };
        let offset = offset(op, value)?;
        let pairs = value.get("accounts").and_then(Value::as_map).unwrap_or_default();
        let mut accounts = BTreeMap::new();
        for (name, left) in pairs {
            let (Some(name), Some(left)) = (name.as_str(), left.as_int()) else {
                let what = format!("accounts with integers of 64 bits, but has {left} in {name}");
                return Err(malformed(op, &what));
            };
            accounts.insert(name, left);
        }
        let initial = int(op, value, "initial")?;
        let mut audit = Audit { op, initial, accounts, entries: BTreeMap::new() };
        for item in items(value, "effects") {
            let (Some(order), Some(step), Some(account)) =
                (text(item, "order"), text(item, "step"), text(item, "account"))
            else {
                return Err(malformed(op, "effects"));
            };
            let effect = Effect {
                service,
                at: int(op, item, "at")?.saturating_sub(offset),
                order,
                step,
                account,
                change: int(op, item, "change")?,
                after: int(op, item, "after")?,
                refused: text(item, "refused"),
            };
            audit.entries.entry(account).or_default().push(effect);
            self.orders.entry(order).or_default().effects.push(effect);
        }
        for item in items(value, "repeats") {
            if let [order, step, count] = item.as_list().unwrap_or_default()
                && let (Some(order), Some(step)) = (order.as_str(), step.as_str())
            {
                let count = count.as_int().unwrap_or_default();
                self.orders.entry(order).or_default().repeats.push((service, step, count));
            }
        }
        self.audits.insert(service, audit);
        Ok(())
    }

    /// How many orders ended how.
    pub(super) fn ends(&self) -> BTreeMap<&'static str, usize> {
        let mut ends = BTreeMap::new();
        for order in self.orders.values() {
            *ends.entry(order.end()).or_default() += 1;
        }
        ends
    }

    /// How many orders had something undone.
    pub(super) fn compensated(&self) -> usize {
        self.orders.values().filter(|order| order.is_compensated()).count()
    }

    /// What is missing for a full judgement.
    pub(super) fn missing(&self) -> Option<String> {
        if self.book.is_none() {
            return Some("the book of orders could not be read in the end".to_owned());
        }
        let services = ["payments", "inventory", "shipping"];
        let missing = services.into_iter().find(|service| !self.audits.contains_key(service))?;
        Some(format!("there is no final audit of {missing}"))
    }

    /// Whether an order came to its end before every audit, so that all of its effects show.
    pub(super) fn is_settled(&self, order: &Order<'_>) -> bool {
        let Some(book) = self.book.and_then(|op| op.complete) else { return false };
        let after = |audit: &Audit<'_>| audit.op.invoke.index > book.index;
        order.last.is_some_and(Stage::is_end) && self.audits.values().all(after)
    }
}

fn malformed(op: OpView<'_>, what: &str) -> String {
    let (f, index) = (op.f(), op.complete.map_or(op.invoke.index, |event| event.index));
    format!("the result of {f} at event {index} is not {what}")
}

fn items<'h>(value: &'h Value, name: &str) -> &'h [Value] {
    value.get(name).and_then(Value::as_list).unwrap_or_default()
}

fn text<'h>(value: &'h Value, name: &str) -> Option<&'h str> {
    value.get(name).and_then(Value::as_str)
}

/// A number of a result; 0 where there is none.
fn int(op: OpView<'_>, value: &Value, name: &str) -> Result<i64, String> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(0),
        Some(Value::Int(number)) => Ok(*number),
        Some(other) => Err(format!(
            "{}: {name} is {other}, no integer of 64 bits",
            malformed(op, "as it should be")
        )),
    }
}

/// What to take from a service's clock to come to the history's, from when it answered.
fn offset(op: OpView<'_>, value: &Value) -> Result<i64, String> {
    let Nanos(asked) = op.invoke.time;
    let answered = op.complete.map_or(asked, |event| event.time.0);
    let middle = asked + (answered - asked) / 2;
    Ok(int(op, value, "now")?.saturating_sub_unsigned(middle))
}
