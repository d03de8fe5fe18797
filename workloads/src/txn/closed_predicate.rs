//! Rows that are inserted and deleted while others read by predicate (Elle's closed-predicate
//! histories; Adya, *Weak Consistency*, 1999: phantoms).
//!
//! | micro-operation | at the target | result |
//! |---|---|---|
//! | `["insert",k,v]` | `w` of `[k,v]` to the row | the same |
//! | `["delete",k,null]` | `w` of `null` to the row | the same |
//! | `["r",k,null]` | `r` of the row | its value, `null` where it is not there |
//! | `["rp",P,null]` | `scan` of all rows | those that match P, as a map |
//!
//! A row is inserted once and deleted at most once, by who has read it. Most insertions come
//! behind a read by a predicate that they match, so that of two at a time one must see the other's.
//! The universe is closed and so it is small: once all rows are used, transactions only read and
//! delete.

use super::{End, ask_each, end, key_name, micro_op, ok, read_value, request, value_of};
use crate::generator::source::from_fn;
use crate::generator::{Combine, Context, Generator, Invocation};
use crate::options::{OptionError, OptionSpec, Options};
use crate::workload::{Completion, Workload};
use quorate_checkers::transactions::Predicate;
use quorate_checkers::value::{Name, Value};
use quorate_targets::api::txn::{Kind, MicroOp};
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

const ROWS: OptionSpec = OptionSpec { name: "rows", default: "500", about: "rows in all" };

/// The options that there are.
pub const OPTIONS: &[OptionSpec] = &[ROWS];

/// How many values rows have: a few rows each.
const VALUES: i64 = 40;

/// What the names of rows begin with at the target.
const PREFIX: &str = "row/";

/// See the [module](self).
#[derive(Debug)]
pub struct ClosedPredicate {
    rows: i64,
    seed: Seed,
    nodes: Vec<NodeId>,
}

impl ClosedPredicate {
    /// For these nodes.
    pub fn new(
        options: &Options,
        seed: Seed,
        nodes: &[NodeId],
    ) -> Result<ClosedPredicate, OptionError> {
        options.expect_only(OPTIONS)?;
        let rows = options.number(&ROWS, 1, 5_000)? as i64;
        Ok(ClosedPredicate { rows, seed, nodes: nodes.to_vec() })
    }
}

/// A read by a predicate that a row with this value matches.
fn read_where(rng: &mut ChaCha8Rng, value: i64) -> Value {
    let predicate = match rng.random_range(0..20) {
        0 => Value::Bool(true),
        1 | 2 => Value::list([Value::str("mod"), 8.into(), (value % 8).into()]),
        _ => Value::list([Value::str("="), value.into()]),
    };
    Value::list([Value::str("rp"), predicate, Value::Null])
}

/// A transaction; `fresh` is the next row and `last` the end of all.
fn transaction(rng: &mut ChaCha8Rng, fresh: &mut i64, last: i64) -> Vec<Value> {
    let value = rng.random_range(0..VALUES);
    let some = rng.random_range(0..(*fresh).max(1));
    match rng.random_range(0..8) {
        0 | 1 if *fresh < last => {
            let row = *fresh;
            *fresh += 1;
            vec![read_where(rng, value), value_of("insert", row, value)]
        }
        2 => vec![read_value(some), value_of("delete", some, Value::Null)],
        3 => vec![read_value(some), read_where(rng, value)],
        _ => vec![read_where(rng, value), read_where(rng, (value + 1) % VALUES)],
    }
}

/// The operation of the target behind a micro-operation.
fn encoded(item: &Value) -> Option<MicroOp> {
    let [kind, key, value] = item.as_list()? else { return None };
    let row = format!("{PREFIX}{}", key_name(key));
    let nothing = serde_json::Value::Null;
    Some(match kind.as_str()? {
        "insert" => micro_op(Kind::W, row, &Value::list([key.clone(), value.clone()])),
        "delete" => micro_op(Kind::W, row, nothing),
        "r" => micro_op(Kind::R, row, nothing),
        "rp" => micro_op(Kind::Scan, PREFIX, nothing),
        _ => return None,
    })
}

/// The micro-operation with its result.
fn decoded(item: &Value, MicroOp(kind, _, result): MicroOp) -> Value {
    let Some([name, key, _]) = item.as_list() else { return item.clone() };
    let pair = |row: &Value| match row.as_list() {
        Some([key, value]) => Some((key.clone(), value.clone())),
        _ => None,
    };
    let result = Value::from(result);
    let seen = match kind {
        Kind::R => pair(&result).map_or(Value::Null, |(_, value)| value),
        Kind::Scan => {
            let predicate = Predicate::of(key);
            let matches = |value: &Value| predicate.as_ref().is_some_and(|p| p.matches(value));
            let rows = result.as_list().unwrap_or_default().iter().filter_map(pair);
            Value::Map(rows.filter(|(_, value)| matches(value)).collect())
        }
        _ => return item.clone(),
    };
    Value::list([name.clone(), key.clone(), seen])
}

fn ops(invocation: &Invocation) -> Vec<MicroOp> {
    invocation.value.as_list().unwrap_or_default().iter().filter_map(encoded).collect()
}

impl Workload for ClosedPredicate {
    fn main(&mut self) -> Box<dyn Generator> {
        let (name, last) = (Name::from("txn"), self.rows);
        let mut rng = self.seed.stream("closed-predicate");
        // A row is deleted once.
        let mut gone = vec![false; last as usize];
        let mut fresh = 0;
        let op = move |_: &Context<'_>| {
            let mut ops = transaction(&mut rng, &mut fresh, last);
            ops.retain(|op| match op.as_list() {
                Some([kind, Value::Int(row), _]) if kind.as_str() == Some("delete") => {
                    !std::mem::replace(&mut gone[*row as usize], true)
                }
                _ => true,
            });
            Some(Invocation::new(name.clone()).value(ops))
        };
        from_fn(op).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        let all = Value::list([Value::str("rp"), true.into(), Value::Null]);
        ask_each(&self.nodes, &Invocation::new("txn").value(vec![all]))
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        request(ops(invocation), session)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        match end(invocation, &ops(invocation), outcome) {
            End::Committed(done) => {
                let asked = invocation.value.as_list().unwrap_or_default();
                let results = asked.iter().zip(done).map(|(item, done)| decoded(item, done));
                ok(results.collect::<Vec<_>>().into())
            }
            End::Other(completion) => completion,
        }
    }
}
