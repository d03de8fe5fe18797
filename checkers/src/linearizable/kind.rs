//! The objects that a history can be checked against, by name.

use std::fmt;
use std::str::FromStr;

/// What a recorded history is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelKind {
    /// `read`, `write` and `cas` of one value, `null` at first.
    Register,
    /// `append` of one element to a list, `read` of the whole list, `write` of a new list; empty
    /// at first.
    AppendList,
    /// `append` to a string, `get` (or `read`) of the whole string, `put` (or `write`) of a new
    /// one; empty at first.
    AppendText,
    /// `txn` of `["r", key, value]` and `["w", key, value]` (or `read`, `write`) on several
    /// registers at once. All are `null` at first; or 0, where reads return 0 and never `null`.
    MultiRegister,
    /// `add`, `remove` and `contains` of single elements. Completions may tell the outcome as
    /// `[element, true]`: whether the set changed, or holds the element.
    Set,
    /// `add` of single elements, `read` of the whole set.
    GrowOnlySet,
    /// `enqueue`, `dequeue`; a dequeue that is `ok` with `null`, or fails with `empty`, found
    /// nothing. Also `push`, `pop`, `insert`, `poll`, `peek`.
    Queue,
    /// As a queue, but last in, first out.
    Stack,
    /// As a queue, but greatest first.
    PriorityQueue,
    /// `add` of a number, `read`; 0 at first.
    Counter,
    /// `release` of permits, `acquire` of as many, which is `ok` with `false` if there were fewer:
    /// as many as the value says, one where it is `null`; none at first.
    Semaphore,
    /// `acquire` and `release` by anybody.
    Mutex,
    /// `acquire` and `release` by the holder alone: the process, or the client in the value.
    OwnedLock,
}

/// No model has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no model `{name}`; there are {}", names())]
pub struct NoSuchModel {
    /// The name that was asked for.
    pub name: String,
}

/// Every name that is understood, with its kind; the first of a kind is the one to show.
const NAMES: [(&str, ModelKind); 15] = [
    ("register", ModelKind::Register),
    ("cas-register", ModelKind::Register),
    ("key-value", ModelKind::Register),
    ("append-list", ModelKind::AppendList),
    ("append-text", ModelKind::AppendText),
    ("multi-register", ModelKind::MultiRegister),
    ("set", ModelKind::Set),
    ("grow-only-set", ModelKind::GrowOnlySet),
    ("queue", ModelKind::Queue),
    ("stack", ModelKind::Stack),
    ("priority-queue", ModelKind::PriorityQueue),
    ("counter", ModelKind::Counter),
    ("semaphore", ModelKind::Semaphore),
    ("mutex", ModelKind::Mutex),
    ("lock", ModelKind::OwnedLock),
];

fn names() -> String {
    NAMES.map(|(name, _)| name).join(", ")
}

impl ModelKind {
    /// All kinds.
    pub const ALL: [ModelKind; 13] = [
        ModelKind::Register,
        ModelKind::AppendList,
        ModelKind::AppendText,
        ModelKind::MultiRegister,
        ModelKind::Set,
        ModelKind::GrowOnlySet,
        ModelKind::Queue,
        ModelKind::Stack,
        ModelKind::PriorityQueue,
        ModelKind::Counter,
        ModelKind::Semaphore,
        ModelKind::Mutex,
        ModelKind::OwnedLock,
    ];

    /// Its operations, in one line.
    pub fn describe(self) -> &'static str {
        match self {
            ModelKind::Register => "object: read, write and cas of one value per key",
            ModelKind::AppendList => "object: append of one element, read of the whole list",
            ModelKind::AppendText => "object: append, get and put of a string",
            ModelKind::MultiRegister => {
                "object: txn, reads and writes of several registers at once"
            }
            ModelKind::Set => "object: add, remove and contains of single elements",
            ModelKind::GrowOnlySet => "object: add of single elements, read of the whole set",
            ModelKind::Queue => "object: enqueue and dequeue, first in first out",
            ModelKind::Stack => "object: push and pop, last in first out",
            ModelKind::PriorityQueue => "object: insert and poll, greatest first",
            ModelKind::Counter => "object: add of a number, read of the sum",
            ModelKind::Semaphore => {
                "object: release and acquire of permits (how many is the value), none at first"
            }
            ModelKind::Mutex => "object: acquire and release by anybody",
            ModelKind::OwnedLock => "object: acquire and release by the holder alone",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for ModelKind {
    type Err = NoSuchModel;

    fn from_str(text: &str) -> Result<ModelKind, NoSuchModel> {
        NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| NoSuchModel { name: text.to_string() })
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
