//! The operations of each key apart: what makes checking per key cheap.
//!
//! One pass numbers the keys, a second puts each operation's position into its key's stretch of
//! one array. No event is copied.

use super::{History, OpView, Operation};
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// The client operations of a history by key, keys in the order of their first operation.
#[derive(Debug)]
pub struct Partition<'a> {
    history: &'a History,
    keys: Vec<Option<&'a Value>>,
    /// Where each key's stretch of `positions` begins, and the end of the last.
    starts: Vec<u32>,
    positions: Vec<u32>,
}

/// The operations of one key.
#[derive(Clone, Copy, Debug)]
pub struct KeyGroup<'a> {
    /// The key; `None` for operations without one.
    pub key: Option<&'a Value>,
    /// Positions in [`History::operations`], ascending.
    pub positions: &'a [u32],
    history: &'a History,
}

impl<'a> Partition<'a> {
    pub(super) fn by_key(history: &'a History) -> Partition<'a> {
        let mut numbers: HashMap<Option<&Value>, u32, FxBuildHasher> = HashMap::default();
        let mut keys = Vec::new();
        let mut starts = vec![0_u32];
        let mut number_of = Vec::with_capacity(history.operations().len());
        for op in history.ops() {
            let number = *numbers.entry(op.key()).or_insert_with(|| {
                keys.push(op.key());
                starts.push(0);
                keys.len() as u32 - 1
            });
            starts[number as usize + 1] += 1;
            number_of.push(number);
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut positions = vec![0; number_of.len()];
        for (position, number) in number_of.into_iter().enumerate() {
            let slot = &mut next[number as usize];
            positions[*slot as usize] = position as u32;
            *slot += 1;
        }
        Partition { history, keys, starts, positions }
    }

    /// How many keys there are; operations without a key count as one.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no operation at all.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The group of the `number`th key.
    pub fn group(&self, number: usize) -> KeyGroup<'_> {
        let stretch = self.starts[number] as usize..self.starts[number + 1] as usize;
        KeyGroup {
            key: self.keys[number],
            positions: &self.positions[stretch],
            history: self.history,
        }
    }

    /// All groups, keys in the order of their first operation.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = KeyGroup<'_>> {
        (0..self.len()).map(|number| self.group(number))
    }
}

impl<'a> KeyGroup<'a> {
    /// Some of its operations alone: positions in the history, ascending.
    pub(crate) fn only<'b>(&self, positions: &'b [u32]) -> KeyGroup<'b>
    where
        'a: 'b,
    {
        KeyGroup { positions, ..*self }
    }

    /// The events of the operation at a place among the key's operations, by index.
    pub fn operation(&self, at: usize) -> Operation {
        self.history.operations[self.positions[at] as usize]
    }

    /// The operations with their events, in the order of their invocations.
    pub fn ops(&self) -> impl ExactSizeIterator<Item = OpView<'a>> + Clone + use<'a> {
        let history = self.history;
        self.positions.iter().enumerate().map({
            let positions = self.positions;
            move |(at, position)| {
                if at % GLANCE == 0 {
                    glance(history, &positions[at..positions.len().min(at + GLANCE)]);
                }
                history.op(*position as usize)
            }
        })
    }
}

/// How many operations are looked at before they are gone through.
const GLANCE: usize = 32;

/// Looks at the events of operations that lie far apart. One after the other each would be waited
/// for; these looks do not depend on each other, so the memory serves them at the same time.
fn glance(history: &History, positions: &[u32]) {
    let mut seen = 0;
    for position in positions {
        let operation = &history.operations[*position as usize];
        let invoke = history.event(operation.invoke);
        let complete = history.event(operation.complete.unwrap_or(operation.invoke));
        seen += usize::from(invoke.value.is_null()) + usize::from(complete.value.is_null());
        seen += invoke.f.len();
    }
    std::hint::black_box(seen);
}

#[cfg(test)]
mod tests {
    use crate::history::jsonl;
    use crate::value::Value;

    #[test]
    fn keys_come_apart_in_order() {
        let line = |(process, key): (usize, &&str)| {
            let event = "\"time\":0,\"type\":\"invoke\",\"f\":\"read\"";
            format!("{{{event},\"process\":{process}{key}}}\n")
        };
        let keys = [
            r#","key":"a""#,
            r#","key":"b""#,
            r#","key":null"#,
            r#","key":"a""#,
            r#","key":7"#,
            "",
        ];
        let text: String = keys.iter().enumerate().map(line).collect();
        let history = jsonl::read(text.as_bytes(), "test").unwrap();
        let partition = history.by_key();
        let groups: Vec<_> = partition
            .groups()
            .map(|group| (group.key.cloned(), group.positions.to_vec()))
            .collect();
        let expected = [
            (Some(Value::str("a")), vec![0, 3]),
            (Some(Value::str("b")), vec![1]),
            (Some(Value::Null), vec![2]),
            (Some(Value::Int(7)), vec![4]),
            (None, vec![5]),
        ];
        assert_eq!(groups, expected);
        let ops: Vec<_> = partition.group(0).ops().map(|op| op.invoke.index.0).collect();
        assert_eq!(ops, [0, 3]);
    }
}
