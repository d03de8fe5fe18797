//! When two values are the same, and which comes first.
//!
//! Equal means equal to a reader of the history: the pairs of a map and the items of a set have
//! no order, and a number that is not one (`NaN`) equals itself, so that a value always equals
//! its copy. Zero and minus zero are equal. An integer and a float are never equal, as in EDN;
//! neither are a string and a keyword.

use super::Value;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            _ => self.cmp(other) == Ordering::Equal,
        }
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By kind first, in the order in which [`Value`] lists them; then by content. Numbers that are
/// kept as text (`BigInt`, `Decimal`, `Ratio`) are ordered as text: the order is total but does
/// not follow their size.
impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => plain(*a).total_cmp(&plain(*b)),
            (Value::Str(a), Value::Str(b)) => a.cmp(b),
            (Value::List(a), Value::List(b)) => a.cmp(b),
            (Value::Map(a), Value::Map(b)) => sorted(a).cmp(&sorted(b)),
            (Value::Set(a), Value::Set(b)) => sorted(a).cmp(&sorted(b)),
            (Value::BigInt(a), Value::BigInt(b))
            | (Value::Decimal(a), Value::Decimal(b))
            | (Value::Ratio(a), Value::Ratio(b)) => a.cmp(b),
            (Value::Keyword(a), Value::Keyword(b)) | (Value::Symbol(a), Value::Symbol(b)) => {
                a.cmp(b)
            }
            (Value::Char(a), Value::Char(b)) => a.cmp(b),
            (Value::Tagged(a), Value::Tagged(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u8(rank(self));
        match self {
            Value::Null => {}
            Value::Bool(b) => b.hash(state),
            Value::Int(n) => n.hash(state),
            Value::Float(n) => plain(*n).to_bits().hash(state),
            Value::Str(text) => text.hash(state),
            Value::List(items) => items.hash(state),
            Value::Map(pairs) => sorted(pairs).hash(state),
            Value::Set(items) => sorted(items).hash(state),
            Value::BigInt(text) | Value::Decimal(text) | Value::Ratio(text) => text.hash(state),
            Value::Keyword(name) | Value::Symbol(name) => name.hash(state),
            Value::Char(c) => c.hash(state),
            Value::Tagged(tagged) => tagged.hash(state),
        }
    }
}

/// One representative for all zeros, and one for all that is not a number.
fn plain(n: f64) -> f64 {
    if n == 0.0 {
        0.0
    } else if n.is_nan() {
        f64::NAN
    } else {
        n
    }
}

fn sorted<T: Ord>(items: &[T]) -> Vec<&T> {
    let mut sorted: Vec<&T> = items.iter().collect();
    sorted.sort();
    sorted
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) => 2,
        Value::Float(_) => 3,
        Value::Str(_) => 4,
        Value::List(_) => 5,
        Value::Map(_) => 6,
        Value::BigInt(_) => 7,
        Value::Decimal(_) => 8,
        Value::Ratio(_) => 9,
        Value::Keyword(_) => 10,
        Value::Symbol(_) => 11,
        Value::Char(_) => 12,
        Value::Set(_) => 13,
        Value::Tagged(_) => 14,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::BuildHasher;

    fn check_same(a: &Value, b: &Value) {
        let hasher = rustc_hash::FxBuildHasher;
        assert_eq!(a, b);
        assert_eq!(hasher.hash_one(a), hasher.hash_one(b));
    }

    #[test]
    fn maps_and_sets_have_no_order() {
        let pair = |k: i64, v: i64| (Value::Int(k), Value::Int(v));
        check_same(
            &Value::Map([pair(1, 2), pair(3, 4)].into()),
            &Value::Map([pair(3, 4), pair(1, 2)].into()),
        );
        check_same(
            &Value::Set([Value::Int(1), Value::Null].into()),
            &Value::Set([Value::Null, Value::Int(1)].into()),
        );
        assert_ne!(
            Value::list([Value::Int(1), Value::Null]),
            Value::list([Value::Null, Value::Int(1)])
        );
    }

    #[test]
    fn odd_floats_equal_themselves() {
        check_same(&Value::Float(f64::NAN), &Value::Float(-f64::NAN));
        check_same(&Value::Float(0.0), &Value::Float(-0.0));
        assert_ne!(Value::Float(1.0), Value::Int(1));
    }

    #[test]
    fn kinds_do_not_mix() {
        assert_ne!(Value::str("a"), Value::Keyword("a".into()));
        assert_ne!(Value::Null, Value::Bool(false));
        assert!(Value::Int(5) < Value::Int(6));
        assert!(Value::Null < Value::Int(i64::MIN));
    }
}
