//! A register that the last writer wins (Shapiro et al. 2011, section 3.2.1; Cassandra's cells).
//!
//! Of two values the one with the greater stamp stays. Nothing tells whether it knew the other:
//! of two concurrent writes one is lost, though both were acknowledged.

use super::clock::Stamp;
use super::token::Token;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value and its stamp.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lww {
    /// When it was written.
    pub stamp: Stamp,
    /// The value; absent where it is a tombstone.
    pub value: Option<Value>,
    /// What the writer's session had seen: whoever reads this has seen it too.
    #[serde(default, skip_serializing_if = "Token::is_empty")]
    pub deps: Token,
}

impl Lww {
    pub(super) fn merge(&mut self, other: &Lww) {
        // Equal stamps come from clocks that went wrong; then the greater text wins, at all nodes.
        let text = |lww: &Lww| lww.value.as_ref().map(Value::to_string);
        if other.stamp > self.stamp
            || (other.stamp == self.stamp && other != self && text(other) > text(self))
        {
            *self = other.clone();
        }
    }

    pub(super) fn is_tombstone(&self) -> bool {
        self.value.is_none()
    }
}
