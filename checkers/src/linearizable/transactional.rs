//! Operations that read and write several registers at one moment.
//!
//! Registers that no chain of operations ties together do not affect each other, so each such
//! group is searched alone. (With reads of known writers the question is NP-complete already:
//! Papadimitriou, "The serializability of concurrent database updates", 1979.)

use super::Outcome;
use super::by_model::{ModelCalls, meaningless};
use super::call::Call;
use super::key::{Algorithm, KeyContext, KeyReport, undecided};
use super::options::Unknown;
use crate::history::{EventType, OpView};
use crate::model::{Access, Registers};
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use serde_json::{Map, Value as Json};

type Model = Registers<Value, Value>;

/// Decides the registers of one key, which mostly are all there are.
pub(super) fn check(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let (groups, initial) = match groups(context) {
        Ok(found) => found,
        Err(unknown) => return undecided(unknown),
    };
    let model = Model::of(initial);
    let state = |registers: &std::collections::BTreeMap<Value, Value>| {
        let fields = registers.iter().map(|(key, value)| {
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            (key, Json::from(value))
        });
        Json::Object(fields.collect::<Map<_, _>>())
    };
    let mut open = None;
    for calls in groups {
        let report = calls.search(context, &model, state);
        match report.outcome {
            Outcome::Linearizable => {}
            Outcome::Violation => return report,
            Outcome::Unknown(_) => open = open.or(Some(report)),
        }
    }
    let (outcome, algorithm) = (Outcome::Linearizable, Algorithm::Search);
    open.unwrap_or(KeyReport { outcome, algorithm, anomaly: None })
}

/// The calls of each group of registers, and what registers hold at first.
fn groups(context: &KeyContext<'_, '_>) -> Result<(Vec<ModelCalls<Model>>, Value), Unknown> {
    let mut ties = Ties::default();
    let (mut nulls, mut zeros) = (false, false);
    let mut calls: Vec<(u32, u32, Call<Vec<Access<Value, Value>>, Vec<Value>>)> = Vec::new();
    for (at, op) in context.group.ops().enumerate() {
        if op.outcome == EventType::Fail {
            continue;
        }
        let (accesses, _) = micro_operations(&op, op.input())?;
        let output = match op.output() {
            None => None,
            Some(told) => {
                let (done, seen) = micro_operations(&op, told)?;
                if done != accesses {
                    return Err(meaningless(&op, "several registers"));
                }
                nulls |= seen.iter().any(Value::is_null);
                zeros |= seen.iter().any(|value| value.as_int() == Some(0));
                Some(seen)
            }
        };
        let Some(group) = ties.tie(&accesses) else { continue };
        let complete = output.as_ref().and(op.complete).map(|event| u64::from(event.index.0));
        let invoke = u64::from(op.invoke.index.0);
        let call = Call { process: 0, input: accesses, output, invoke, complete };
        calls.push((group, at as u32, call));
    }
    let mut numbers: HashMap<u32, usize, FxBuildHasher> = HashMap::default();
    let mut groups: Vec<ModelCalls<Model>> = Vec::new();
    for (group, op, call) in calls {
        let number = *numbers.entry(ties.root(group)).or_insert_with(|| {
            groups.push(ModelCalls { calls: Vec::new(), ops: Vec::new() });
            groups.len() - 1
        });
        groups[number].calls.push(call);
        groups[number].ops.push(op);
    }
    Ok((groups, if zeros && !nulls { Value::Int(0) } else { Value::Null }))
}

/// The accesses of a transaction, and what its reads say.
fn micro_operations(
    op: &OpView<'_>,
    value: &Value,
) -> Result<(Vec<Access<Value, Value>>, Vec<Value>), Unknown> {
    let no = || meaningless(op, "several registers");
    if op.f().as_str() != "txn" {
        return Err(no());
    }
    let (mut accesses, mut seen) = (Vec::new(), Vec::new());
    for access in value.as_list().ok_or_else(no)? {
        match access.as_list() {
            Some([f, key, value]) => match f.as_str() {
                Some("r" | "read") => {
                    accesses.push(Access::Read(key.clone()));
                    seen.push(value.clone());
                }
                Some("w" | "write") => accesses.push(Access::Write(key.clone(), value.clone())),
                _ => return Err(no()),
            },
            _ => return Err(no()),
        }
    }
    Ok((accesses, seen))
}

/// Which registers are used together.
#[derive(Default)]
struct Ties {
    numbers: HashMap<Value, u32, FxBuildHasher>,
    /// Each register's parent; a root is its own.
    parents: Vec<u32>,
}

impl Ties {
    /// Ties the registers of one operation together: one of them, if there is any.
    fn tie(&mut self, accesses: &[Access<Value, Value>]) -> Option<u32> {
        let mut group = None;
        for access in accesses {
            let (Access::Read(key) | Access::Write(key, _)) = access;
            let known = self.numbers.get(key).copied();
            let number = known.unwrap_or_else(|| {
                let number = self.parents.len() as u32;
                self.numbers.insert(key.clone(), number);
                self.parents.push(number);
                number
            });
            let root = self.root(number);
            if let Some(group) = group {
                let group = self.root(group);
                self.parents[root as usize] = group;
            }
            group = group.or(Some(root));
        }
        group
    }

    fn root(&mut self, mut number: u32) -> u32 {
        while self.parents[number as usize] != number {
            let parent = self.parents[number as usize];
            self.parents[number as usize] = self.parents[parent as usize];
            number = parent;
        }
        number
    }
}
