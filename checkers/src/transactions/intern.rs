//! Numbers for values: equal values get equal numbers, in the order of their first appearance.
//!
//! Most keys and values of histories are small integers. These are looked up in an array whose
//! length stays within a factor of what was numbered; all others in a hash map.

use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

const ABSENT: u32 = u32::MAX;
/// The array of integers is at least this long before it must earn its length.
const FREE: usize = 1 << 12;
/// Slots in the array for each number given out.
const SLOTS_PER_VALUE: usize = 8;

/// The values seen so far, each with its number. Looking one up costs O(1).
#[derive(Clone, Debug, Default)]
pub struct Interner {
    values: Vec<Value>,
    /// The numbers of integers from 0; `ABSENT` where none was given.
    small: Vec<u32>,
    others: HashMap<Value, u32, FxBuildHasher>,
}

impl Interner {
    /// The number of `value`, a new one if it was never seen.
    pub fn number(&mut self, value: &Value) -> u32 {
        if let Some(slot) = self.slot(value)
            && self.small[slot] != ABSENT
        {
            return self.small[slot];
        }
        // An integer may have come before the array was allowed to be long enough for it.
        if let Some(number) = self.others.get(value) {
            return *number;
        }
        let number = self.values.len() as u32;
        self.values.push(value.clone());
        match self.slot(value) {
            Some(slot) => self.small[slot] = number,
            None => {
                self.others.insert(value.clone(), number);
            }
        }
        number
    }

    /// The value with this number.
    pub fn value(&self, number: u32) -> &Value {
        &self.values[number as usize]
    }

    /// All values, by their numbers.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.values.iter()
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The place of an integer in the array, which is made long enough if it may be.
    fn slot(&mut self, value: &Value) -> Option<usize> {
        let &Value::Int(n) = value else { return None };
        let slot = usize::try_from(n).ok()?;
        if slot >= self.small.len() {
            if slot >= FREE + SLOTS_PER_VALUE * self.values.len() {
                return None;
            }
            self.small.resize((slot + 1).max(2 * self.small.len()), ABSENT);
        }
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_numbers_however_late_they_come() {
        let mut interner = Interner::default();
        let mut values = vec![Value::Null, Value::str("a"), Value::Int(-1), Value::Int(i64::MAX)];
        // Large ones first, so that they begin in the map and the array then grows past them.
        values.extend((0..2000).map(|n| Value::Int(n * 7)));
        values.extend((0..14_000).map(Value::Int));
        let numbers: Vec<u32> = values.iter().map(|value| interner.number(value)).collect();
        for (value, number) in values.iter().zip(&numbers) {
            assert_eq!(interner.number(value), *number, "{value}");
            assert_eq!(interner.value(*number), value);
        }
        assert_eq!(interner.len(), 4 + 14_000);
    }

    #[test]
    fn a_lonely_large_integer_costs_no_memory() {
        let mut interner = Interner::default();
        interner.number(&Value::Int(1 << 40));
        interner.number(&Value::Int(1 << 20));
        assert!(interner.small.is_empty());
        assert_eq!(interner.number(&Value::Int(1 << 40)), 0);
    }
}
