//! Lists that are appended to and read as a whole, in time linear in what was read.
//!
//! Elements are unique, so the list that ends with an element is always the same one: reads tell
//! which element comes before each. The last element then is a register, and everything falls to
//! the zones of registers. Reading a list reads its last element; appending `e` where reads
//! have it behind `d` is a compare-and-set from `d` to `e`; an append that nobody saw is a write
//! of a value that nobody reads, for nothing can be read any more until the list is written
//! anew; and writing a whole list writes its last element.

use super::Outcome;
use super::by_model::{ModelCalls, Said, malformed_input, malformed_output, meaningless};
use super::key::{Algorithm, KeyContext, KeyReport, undecided};
use super::options::Unknown;
use super::register::{self, Action, INITIAL, OPEN, RegisterCall, RegisterCalls, ValueId};
use super::words::{CHECKER, as_json, describe, events, on_key};
use crate::history::{EventType, OpView};
use crate::model::{AppendList, ListInput, ListOutput};
use crate::value::Value;
use crate::verdict::Anomaly;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde_json::{Map, json};

/// Nothing is known to come before.
const UNKNOWN: ValueId = u32::MAX;

/// Decides one list.
pub(crate) fn check(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let mut lists = Lists::new();
    match lists.read(context) {
        Err(unknown) => undecided(unknown),
        Ok(Some((first, second))) => {
            let anomaly = Some(incompatible(context, first, second));
            KeyReport { outcome: Outcome::Violation, algorithm: Algorithm::Zones, anomaly }
        }
        Ok(None) => lists
            .into_register(context)
            .and_then(|register| register::unique(context, &register))
            .unwrap_or_else(|| search(context)),
    }
}

/// Decides a list in which elements repeat, or any other: by the search.
pub(super) fn search(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let read = |op: &OpView<'_>| -> Result<Option<Said<AppendList<Value>>>, Unknown> {
        let told = op.output().map(|_| ListOutput::Done);
        let list = |value| items(value).map(<[Value]>::to_vec);
        Ok(match (op.f().as_str(), op.outcome) {
            (_, EventType::Fail) | ("read", EventType::Info | EventType::Invoke) => None,
            ("append", _) => Some((ListInput::Append(op.input().clone()), told)),
            ("write", _) => {
                let list = list(op.input()).ok_or_else(|| malformed_input(op, "a list"))?;
                Some((ListInput::Write(list), told))
            }
            _ => {
                let seen = op.output().and_then(list);
                let seen = seen.ok_or_else(|| malformed_output(op, "a list"))?;
                Some((ListInput::Read, Some(ListOutput::Seen(seen))))
            }
        })
    };
    match ModelCalls::<AppendList<Value>>::of(context, read) {
        Ok(calls) => calls.search(context, &AppendList::new(), |list| {
            list.iter().map(serde_json::Value::from).collect()
        }),
        Err(unknown) => undecided(unknown),
    }
}

fn incompatible(context: &KeyContext<'_, '_>, first: u32, second: u32) -> Anomaly {
    let ops: Vec<OpView<'_>> = [first, second].iter().map(|op| context.op(*op as usize)).collect();
    let mut evidence = Map::new();
    if let Some(key) = context.group.key {
        evidence.insert("key".into(), key.into());
    }
    evidence.insert("operations".into(), json!(ops.iter().map(as_json).collect::<Vec<_>>()));
    let text = if first == second {
        format!("{} has an element twice.", describe(&ops[0]))
    } else {
        format!(
            "{} and {} have the same element behind different ones.",
            describe(&ops[0]),
            describe(&ops[1])
        )
    };
    Anomaly {
        kind: "incompatible-order".into(),
        checker: CHECKER.into(),
        explanation: format!("{text}{}", on_key(context.group.key)),
        ops: events(ops),
        evidence,
    }
}

/// What reads and writes of whole lists tell of the order of elements.
struct Lists<'a> {
    values: Vec<&'a Value>,
    numbers: HashMap<&'a Value, ValueId, FxBuildHasher>,
    /// What comes before each element, and the operation that says so.
    before: Vec<(ValueId, u32)>,
}

const NULL: &Value = &Value::Null;

impl<'a> Lists<'a> {
    fn new() -> Lists<'a> {
        Lists { values: vec![NULL], numbers: HashMap::default(), before: vec![(UNKNOWN, 0)] }
    }

    fn id(&mut self, element: &'a Value) -> ValueId {
        *self.numbers.entry(element).or_insert_with(|| {
            self.values.push(element);
            self.before.push((UNKNOWN, 0));
            self.values.len() as ValueId - 1
        })
    }

    /// Learns the order from all lists; two operations that contradict each other, if any do and
    /// elements are unique.
    fn read(&mut self, context: &KeyContext<'a, '_>) -> Result<Option<(u32, u32)>, Unknown> {
        let mut clash = None;
        for (at, op) in context.group.ops().enumerate() {
            let list = match (op.f().as_str(), op.outcome) {
                ("read", EventType::Ok) => op.output(),
                ("write", EventType::Ok | EventType::Info) => Some(op.input()),
                ("read" | "write" | "append", _) => None,
                _ => return Err(meaningless(&op, "a list")),
            };
            let Some(list) = list else { continue };
            let elements = items(list).ok_or_else(|| match op.f().as_str() {
                "read" => malformed_output(&op, "a list"),
                _ => malformed_input(&op, "a list"),
            })?;
            let mut before = INITIAL;
            for element in elements {
                let id = self.id(element);
                let known = &mut self.before[id as usize];
                if known.0 == UNKNOWN {
                    *known = (before, at as u32);
                } else if known.0 != before {
                    clash = clash.or(Some((known.1, at as u32)));
                }
                before = id;
            }
        }
        Ok(clash.filter(|_| self.is_unique(context)))
    }

    /// Whether each element is brought by one operation at most.
    fn is_unique(&mut self, context: &KeyContext<'a, '_>) -> bool {
        let mut brought = vec![false; self.values.len()];
        for op in context.group.ops().filter(|op| op.outcome != EventType::Fail) {
            let elements = match op.f().as_str() {
                "append" => std::slice::from_ref(op.input()),
                "write" => items(op.input()).unwrap_or_default(),
                _ => continue,
            };
            for element in elements {
                let id = self.id(element) as usize;
                brought.resize(brought.len().max(id + 1), false);
                if std::mem::replace(&mut brought[id], true) {
                    return false;
                }
            }
        }
        true
    }

    /// The register that the last element is, if elements are unique.
    fn into_register(mut self, context: &KeyContext<'a, '_>) -> Option<RegisterCalls<'a>> {
        if !self.is_unique(context) {
            return None;
        }
        let mut calls = Vec::with_capacity(context.group.positions.len());
        for (at, op) in context.group.ops().enumerate() {
            let happened = matches!(op.outcome, EventType::Ok | EventType::Info);
            let action = match (op.f().as_str(), op.outcome) {
                ("read", EventType::Ok) => op.output().map(|list| Action::Read(self.last(list))),
                ("write", _) if happened => Some(Action::Write(self.last(op.input()))),
                ("append", _) if happened => {
                    let element = self.id(op.input());
                    Some(match self.before[element as usize].0 {
                        UNKNOWN => Action::Write(element),
                        before => Action::Cas(before, element),
                    })
                }
                _ => None,
            };
            let Some(action) = action else { continue };
            let complete = match (op.outcome, op.complete) {
                (EventType::Ok, Some(event)) => event.index.0 + 1,
                _ => OPEN,
            };
            let invoke = op.invoke.index.0 + 1;
            calls.push(RegisterCall { op: at as u32, invoke, complete, action });
        }
        Some(RegisterCalls { calls, values: self.values })
    }

    fn last(&mut self, list: &'a Value) -> ValueId {
        match items(list).and_then(<[Value]>::last) {
            Some(element) => self.id(element),
            None => INITIAL,
        }
    }
}

/// The elements of a list; `null` is the empty one.
fn items(list: &Value) -> Option<&[Value]> {
    if list.is_null() { Some(&[]) } else { list.as_list() }
}
