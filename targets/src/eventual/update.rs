//! What an operation does to what is under its key, and what it tells its client.
//!
//! Pure functions of the operation and of the cell that a quorum has: which object it is about,
//! whether the cell must be read first, what the update is, and what the answer says.

use super::cell::Cell;
use super::clock::{Stamp, Vector};
use super::crdt::{Counter, OrSet};
use super::lww::Lww;
use super::message::{Key, Kind};
use super::options::Resolve;
use super::siblings::Siblings;
use super::token::{Token, Version};
use crate::api::store::{Op, Response, SetKind};
use crate::node::NodeId;
use serde_json::Value;
use std::collections::BTreeSet;

/// What is done first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Only a read.
    Read,
    /// An update of its own.
    Update,
    /// A read, and an update that depends on it.
    ReadThenUpdate,
    /// Nothing: this store does not do that.
    Refuse(&'static str),
}

/// The object of an operation.
pub(super) fn key_of(op: &Op) -> Key {
    let (kind, name) = match op {
        Op::Read { key } | Op::Write { key, .. } | Op::Cas { key, .. } | Op::Delete { key, .. } => {
            (Kind::Register, key)
        }
        Op::Add { key, set, .. } | Op::Remove { key, set, .. } | Op::Elements { key, set } => {
            let kind = if *set == SetKind::GSet { Kind::GSet } else { Kind::OrSet };
            (kind, key)
        }
        Op::Increment { key, .. } | Op::Count { key } => (Kind::Counter, key),
    };
    Key { kind, name: name.clone() }
}

pub(super) fn plan(op: &Op, resolve: Resolve) -> Plan {
    match op {
        op if op.reads() => Plan::Read,
        Op::Cas { .. } => Plan::Refuse("there is no compare-and-set: it needs agreement"),
        Op::Remove { set: SetKind::GSet, .. } => Plan::Refuse("a g-set only grows"),
        Op::Write { context, .. } | Op::Delete { context, .. }
            if resolve == Resolve::VectorClock && context.is_none() =>
        {
            Plan::ReadThenUpdate
        }
        Op::Add { .. } if resolve != Resolve::Crdt => Plan::ReadThenUpdate,
        Op::Remove { .. } => Plan::ReadThenUpdate,
        Op::Increment { .. } if resolve == Resolve::Lww => Plan::ReadThenUpdate,
        _ => Plan::Update,
    }
}

/// What an update needs besides its operation.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) resolve: Resolve,
    pub(super) node: NodeId,
    pub(super) stamp: Stamp,
    /// What a quorum has, where that was asked.
    pub(super) found: Option<&'a Cell>,
    /// What this node has issued to this key.
    pub(super) own: Option<&'a Cell>,
    /// What the client's session has seen.
    pub(super) token: Option<&'a Token>,
}

impl Ground<'_> {
    /// The update as a cell of its own, or why it cannot be made.
    pub(super) fn update(&self, op: &Op) -> Result<Cell, String> {
        match op {
            Op::Write { value, context, .. } => {
                self.register(Some(value.clone()), context.as_deref())
            }
            Op::Delete { context, .. } => self.register(None, context.as_deref()),
            Op::Add { element, set, .. } => self.add(element, *set),
            Op::Remove { element, .. } => self.remove(element),
            Op::Increment { by, .. } => Ok(self.increment(*by)),
            Op::Read { .. } | Op::Cas { .. } | Op::Elements { .. } | Op::Count { .. } => {
                Err("this is no update".to_owned())
            }
        }
    }

    fn register(&self, value: Option<Value>, context: Option<&str>) -> Result<Cell, String> {
        let deps = self.token.cloned().unwrap_or_default();
        if self.resolve != Resolve::VectorClock {
            return Ok(Cell::Lww(Lww { stamp: self.stamp, value, deps }));
        }
        let context: Option<Vector> = context
            .map(|text| serde_json::from_str(text).map_err(|_| "not a context".to_owned()))
            .transpose()?;
        Ok(self.sibling(value, context, deps))
    }

    /// A value that takes the place of what `context` has seen, or of what was found.
    fn sibling(&self, value: Option<Value>, context: Option<Vector>, deps: Token) -> Cell {
        let found = match self.found {
            Some(Cell::Siblings(found)) => found.clone(),
            _ => Siblings::default(),
        };
        // All own writes that still stand go along: see the head of `siblings`.
        let mut siblings = match self.own {
            Some(Cell::Siblings(own)) => own.clone(),
            _ => Siblings::default(),
        };
        siblings.merge(&found);
        let context = context.unwrap_or_else(|| found.seen().clone());
        siblings.write(&context, self.node, self.stamp, value, deps);
        Cell::Siblings(siblings)
    }

    fn add(&self, element: &Value, set: SetKind) -> Result<Cell, String> {
        match (self.resolve, set) {
            (Resolve::Crdt, SetKind::GSet) => Ok(Cell::GSet(BTreeSet::from([element.to_string()]))),
            (Resolve::Crdt, SetKind::OrSet) => {
                Ok(Cell::OrSet(OrSet::add(element.to_string(), self.stamp)))
            }
            _ => {
                let mut elements = elements(self.found);
                elements.insert(element.to_string());
                self.whole(&elements)
            }
        }
    }

    fn remove(&self, element: &Value) -> Result<Cell, String> {
        match (self.resolve, self.found) {
            // What cannot be seen cannot be removed.
            (_, found) if !elements(found).contains(&element.to_string()) => {
                Err("there is no such element".to_owned())
            }
            (Resolve::Crdt, Some(Cell::OrSet(set))) => {
                Ok(Cell::OrSet(set.remove(&element.to_string(), self.stamp.time)))
            }
            _ => {
                let mut elements = elements(self.found);
                elements.remove(&element.to_string());
                self.whole(&elements)
            }
        }
    }

    /// A set as one value.
    fn whole(&self, elements: &BTreeSet<String>) -> Result<Cell, String> {
        let value = Some(Value::Array(values(elements)?));
        Ok(match self.resolve {
            Resolve::VectorClock => self.sibling(value, None, Token::default()),
            _ => Cell::Lww(Lww { stamp: self.stamp, value, deps: Token::default() }),
        })
    }

    fn increment(&self, by: i64) -> Cell {
        if self.resolve == Resolve::Lww {
            let value = Some(Value::from(count(self.found).saturating_add(by)));
            return Cell::Lww(Lww { stamp: self.stamp, value, deps: Token::default() });
        }
        let mut counter = match self.own {
            Some(Cell::Counter(own)) => own.clone(),
            _ => Counter::default(),
        };
        counter.add(self.node, by);
        Cell::Counter(counter)
    }
}

/// The elements of a set, as canonical JSON: of several siblings all.
fn elements(cell: Option<&Cell>) -> BTreeSet<String> {
    let listed = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(Value::to_string).collect()
    };
    match cell {
        Some(Cell::GSet(elements)) => elements.clone(),
        Some(Cell::OrSet(set)) => set.elements().cloned().collect(),
        Some(Cell::Siblings(siblings)) => siblings.values().flat_map(listed).collect(),
        Some(Cell::Lww(lww)) => lww.value.iter().flat_map(listed).collect(),
        Some(Cell::Counter(_)) | None => BTreeSet::new(),
    }
}

fn values(elements: &BTreeSet<String>) -> Result<Vec<Value>, String> {
    let parse = |text: &String| serde_json::from_str(text).map_err(|error| error.to_string());
    elements.iter().map(parse).collect()
}

fn count(cell: Option<&Cell>) -> i64 {
    match cell {
        Some(Cell::Counter(counter)) => counter.value(),
        Some(Cell::Lww(lww)) => lww.value.as_ref().and_then(Value::as_i64).unwrap_or(0),
        _ => 0,
    }
}

/// The answer to a read that found this; its token goes on from the client's.
pub(super) fn answer(op: &Op, cell: Option<&Cell>, token: Option<Token>) -> Response {
    match op {
        Op::Elements { .. } => match values(&elements(cell)) {
            Ok(elements) => Response::Elements { elements },
            Err(reason) => Response::Error { definite: true, reason },
        },
        Op::Count { .. } => Response::Count { count: count(cell) },
        _ => register_answer(op, cell, token),
    }
}

fn register_answer(op: &Op, cell: Option<&Cell>, mut token: Option<Token>) -> Response {
    if let (Some(token), Some(cell)) = (&mut token, cell) {
        see(token, &key_of(op), cell);
    }
    let token = token.map(|token| token.text());
    match cell {
        Some(Cell::Siblings(siblings)) => {
            let all: Vec<Value> = siblings.values().cloned().collect();
            Response::Value {
                value: siblings.newest().cloned().unwrap_or(Value::Null),
                siblings: if all.len() > 1 { all } else { Vec::new() },
                context: serde_json::to_string(siblings.seen()).ok(),
                token,
            }
        }
        Some(Cell::Lww(lww)) => {
            let value = lww.value.clone().unwrap_or(Value::Null);
            Response::Value { value, siblings: Vec::new(), context: None, token }
        }
        _ => Response::Value { value: Value::Null, siblings: Vec::new(), context: None, token },
    }
}

/// A session has seen what is under a key, and with it what its writers had seen.
pub(super) fn see(token: &mut Token, key: &Key, cell: &Cell) {
    if key.kind != Kind::Register {
        return;
    }
    match cell {
        Cell::Lww(lww) => {
            token.join(&lww.deps);
            token.see(&key.name, Version::Lww(lww.stamp));
        }
        Cell::Siblings(siblings) => {
            siblings.all().iter().for_each(|sibling| token.join(&sibling.deps));
            token.see(&key.name, Version::Vector(siblings.seen().clone()));
        }
        Cell::GSet(_) | Cell::OrSet(_) | Cell::Counter(_) => {}
    }
}
