//! The values by key, each with the place in the log that wrote it, and what they were before,
//! as long as somebody needs it.
//!
//! Values and places are replicated state: every node has the same, so that every node decides
//! alike whether a key has changed since. What was before ([`Past`]) is kept by a node for its
//! own open transactions and belongs to no snapshot: a transaction dies with its node anyway.
//!
//! The past is an undo log: for each change, what the key had before it. A read at place `s`
//! takes what the first change behind `s` has found, or the value of now. A change costs
//! O(log changes), a read O(log changes), and nothing is kept while nobody looks back.

use super::command::Write;
use super::log::Index;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The values of now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Store {
    cells: BTreeMap<String, Cell>,
}

/// A value with the place that wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Cell {
    value: Value,
    at: Index,
}

/// What keys had before changes that open transactions must not see.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// By key and place of the change: the value that it replaced.
    replaced: BTreeMap<(String, Index), Value>,
    /// The changes by place, to be forgotten in this order.
    order: BTreeMap<Index, Vec<String>>,
    /// Changes behind this place are kept; none while nobody looks back.
    from: Option<Index>,
}

impl Store {
    /// The value of a key; `null` if it was never written.
    pub(super) fn get(&self, key: &str) -> Value {
        self.cells.get(key).map_or(Value::Null, |cell| cell.value.clone())
    }

    /// The place that wrote a key last; 0 if it was never written.
    pub(super) fn changed(&self, key: &str) -> Index {
        self.cells.get(key).map_or(Index(0), |cell| cell.at)
    }

    /// The place that wrote last any key that begins with `prefix`.
    pub(super) fn changed_below(&self, prefix: &str) -> Index {
        self.below(prefix).map(|(_, cell)| cell.at).max().unwrap_or_default()
    }

    /// All values by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.cells.iter().map(|(key, cell)| (key, &cell.value))
    }

    /// The keys that begin with `prefix`.
    pub(super) fn keys_below(&self, prefix: &str) -> impl Iterator<Item = &String> {
        self.below(prefix).map(|(key, _)| key)
    }

    fn below(&self, prefix: &str) -> impl Iterator<Item = (&String, &Cell)> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.cells.range::<str, _>(from).take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// Writes a value at a place of the log.
    pub(super) fn put(&mut self, key: &str, value: Value, at: Index, past: &mut Past) {
        let before = self.cells.insert(key.to_owned(), Cell { value, at });
        past.note(key, at, before.map_or(Value::Null, |cell| cell.value));
    }

    /// Makes a change at a place of the log. To append to what is no list puts the list in its
    /// place: nobody commits such an append but by a race that an isolation level allows.
    pub(super) fn write(&mut self, write: &Write, at: Index, past: &mut Past) {
        match write {
            Write::Set(key, value) => self.put(key, value.clone(), at, past),
            Write::Append(key, value) => {
                let list = appended(self.get(key), value).unwrap_or_else(|| vec![value.clone()]);
                self.put(key, Value::Array(list), at, past);
            }
        }
    }

    /// The value that a key had at a place not before [`Past::from`].
    pub(super) fn get_at(&self, key: &str, at: Index, past: &Past) -> Value {
        let behind = past.replaced.range((key.to_owned(), at.next())..);
        match behind.take_while(|((found, _), _)| found == key).next() {
            Some((_, value)) => value.clone(),
            None => self.get(key),
        }
    }
}

/// `list` with `value` at its end; nothing if it is no list.
pub(super) fn appended(list: Value, value: &Value) -> Option<Vec<Value>> {
    let mut list = match list {
        Value::Null => Vec::new(),
        Value::Array(list) => list,
        _ => return None,
    };
    list.push(value.clone());
    Some(list)
}

impl Past {
    /// From now on all changes behind `from` are kept, as somebody looks back to that place;
    /// earlier ones are forgotten. With nothing, nobody looks back.
    ///
    /// Nothing that was forgotten comes back: `from` may go down only to the place of now.
    pub(super) fn keep(&mut self, from: Option<Index>) {
        self.from = from;
        let keep = match from {
            Some(from) => self.order.split_off(&from.next()),
            None => BTreeMap::new(),
        };
        for (at, keys) in std::mem::replace(&mut self.order, keep) {
            for key in keys {
                self.replaced.remove(&(key, at));
            }
        }
    }

    fn note(&mut self, key: &str, at: Index, before: Value) {
        if self.from.is_none() {
            return;
        }
        // The first change of a place has found what was there before it.
        let slot = (key.to_owned(), at);
        if let std::collections::btree_map::Entry::Vacant(vacant) = self.replaced.entry(slot) {
            vacant.insert(before);
            self.order.entry(at).or_default().push(key.to_owned());
        }
    }

    /// How many changes are kept.
    pub fn len(&self) -> usize {
        self.replaced.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.replaced.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(key: u8) -> String {
        format!("k{key}")
    }

    proptest! {
        /// A read at a place sees what the whole store was there, whatever was forgotten before.
        #[test]
        fn the_past_is_as_it_was(
            changes in prop::collection::vec((0u8..4, any::<bool>(), 0u8..3), 0..40),
            looks in prop::collection::vec(0u64..40, 0..4),
        ) {
            let (mut store, mut past) = (Store::default(), Past::default());
            let mut states = vec![store.clone()];
            let mut from: Option<Index> = None;
            for (number, (key, append, _)) in changes.iter().enumerate() {
                let at = Index(number as u64 + 1);
                if looks.contains(&(at.0 - 1)) {
                    from = Some(from.unwrap_or(at.prev()));
                    past.keep(from);
                }
                let value = Value::from(number);
                let key = name(*key);
                let write =
                    if *append { Write::Append(key, value) } else { Write::Set(key, value) };
                store.write(&write, at, &mut past);
                states.push(store.clone());
            }
            let Some(from) = from else {
                prop_assert!(past.is_empty());
                return Ok(());
            };
            let last = Index(states.len() as u64 - 1);
            let middle = Index(u64::midpoint(from.0, last.0));
            for keep in [from, middle] {
                past.keep(Some(keep));
                for at in keep.0..=last.0 {
                    for key in (0..4).map(name) {
                        let then = states[at as usize].get(&key);
                        prop_assert_eq!(store.get_at(&key, Index(at), &past), then, "{} at {}", key, at);
                    }
                }
            }
            past.keep(None);
            prop_assert!(past.is_empty() && past.order.is_empty());
        }
    }

    #[test]
    fn changes_below_a_prefix_are_found() {
        let (mut store, mut past) = (Store::default(), Past::default());
        for (at, key) in [(1, "a/1"), (2, "b/1"), (3, "a/2"), (4, "c")] {
            store.put(key, Value::from(at), Index(at), &mut past);
        }
        assert_eq!(store.changed_below("a/"), Index(3));
        assert_eq!(store.changed_below("d"), Index(0));
        assert_eq!(store.keys_below("a/").count(), 2);
        assert_eq!((store.changed("b/1"), store.changed("b")), (Index(2), Index(0)));
    }
}
