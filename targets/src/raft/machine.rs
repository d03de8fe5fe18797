//! The state machine: keys and values, and the sessions that make a retry harmless.
//!
//! It is a pure function of the committed entries in their order, so that every node comes to
//! the same state and to the same answers.

use super::log::{Index, Term};
use super::sessions::{Seen, Sessions};
use crate::api::kv::{Op, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The values, and what was answered to whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    values: BTreeMap<String, Value>,
    sessions: Sessions,
}

/// The machine's state behind the entry at `index`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last entry that the state has in it.
    pub index: Index,
    /// That entry's term.
    pub term: Term,
    /// The state.
    pub machine: Machine,
}

impl Machine {
    /// What a read of `key` answers in this state.
    pub fn read(&self, key: &str) -> Response {
        Response::Value { value: self.get(key) }
    }

    /// Applies the request of the entry at `index`; answers from the session table what was
    /// applied before. `limit` is how many sessions are kept, the same on every node.
    pub fn apply(&mut self, request: &Request, index: Index, limit: usize) -> Response {
        let Some(session) = request.session else { return self.perform(&request.op) };
        match self.sessions.look_up(session) {
            Seen::Answered(response) => response.clone(),
            Seen::Superseded => unknown("a later request of this session was applied already"),
            Seen::Expired => unknown("the session may have expired: a retry cannot be told"),
            Seen::New => {
                let response = self.perform(&request.op);
                self.sessions.record(session, index, response.clone(), limit);
                response
            }
        }
    }

    /// Applies a request whether or not it was applied before.
    pub fn perform(&mut self, op: &Op) -> Response {
        match op {
            Op::Read { key } => self.read(key),
            Op::Write { key, value } => {
                self.values.insert(key.clone(), value.clone());
                Response::Done
            }
            Op::Cas { key, old, new } => {
                let seen = self.get(key);
                if seen != *old {
                    return Response::Mismatch { seen };
                }
                self.values.insert(key.clone(), new.clone());
                Response::Done
            }
        }
    }

    /// What was answered to the request of this session, if it was the session's last.
    pub fn answered(&self, request: &Request) -> Option<&Response> {
        match self.sessions.look_up(request.session?) {
            Seen::Answered(response) => Some(response),
            _ => None,
        }
    }

    /// All values, by key.
    pub fn values(&self) -> &BTreeMap<String, Value> {
        &self.values
    }

    fn get(&self, key: &str) -> Value {
        self.values.get(key).cloned().unwrap_or(Value::Null)
    }
}

/// An answer that leaves open whether the request took effect.
pub(super) fn unknown(reason: &str) -> Response {
    Response::Error { definite: false, reason: reason.to_owned() }
}

/// An answer that says that the request had no effect and never will.
pub(super) fn refused(reason: &str) -> Response {
    Response::Error { definite: true, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kv::Session;

    fn write(value: i64, seq: u64) -> Request {
        Request {
            op: Op::Write { key: "k".into(), value: value.into() },
            session: Some(Session { client: 1, seq }),
        }
    }

    #[test]
    fn a_retry_is_answered_but_not_applied() {
        let mut machine = Machine::default();
        let cas = Request {
            op: Op::Cas { key: "k".into(), old: 1.into(), new: 2.into() },
            session: Some(Session { client: 1, seq: 2 }),
        };
        assert_eq!(machine.apply(&write(1, 1), Index(1), 9), Response::Done);
        assert_eq!(machine.apply(&cas, Index(2), 9), Response::Done);
        assert_eq!(machine.apply(&cas, Index(3), 9), Response::Done, "the recorded answer");
        assert_eq!(machine.read("k"), Response::Value { value: 2.into() });
        let late = machine.apply(&write(1, 1), Index(4), 9);
        assert!(matches!(late, Response::Error { definite: false, .. }));
        assert_eq!(machine.read("k"), Response::Value { value: 2.into() });
    }

    #[test]
    fn a_cas_says_what_it_saw() {
        let mut machine = Machine::default();
        let cas = Op::Cas { key: "k".into(), old: 1.into(), new: 2.into() };
        assert_eq!(machine.perform(&cas), Response::Mismatch { seen: Value::Null });
        machine.perform(&Op::Write { key: "k".into(), value: 7.into() });
        assert_eq!(machine.perform(&cas), Response::Mismatch { seen: 7.into() });
    }
}
