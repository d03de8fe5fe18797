//! The api of an eventually consistent store: registers with siblings, sets and counters; quorums
//! by request, and a session token that a client hands back.
//!
//! Over HTTP: `POST /kv` with a [`Request`] as JSON. It is a superset of the key-value api
//! ([`kv`]): whoever knows only that one reads and writes registers, and sees of
//! siblings the newest. Context and token are the server's: clients keep them and hand them back.

use super::kv::{self, Session};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Request {
    /// What to do.
    #[serde(flatten)]
    pub op: Op,
    /// Whose operation this is; without it a retry may count twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// What this client has seen: the token of its latest answer, or `""` at its beginning. Reads
    /// are then no older than that, and writes newer. Without it no answer has a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// How many replicas must answer a read; the node's `read-quorum` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_quorum: Option<u16>,
    /// How many replicas must have a write on disk; the node's `write-quorum` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_quorum: Option<u16>,
}

/// Which kind of set. Sets of different kinds are different objects, whatever their keys.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum SetKind {
    /// It only grows.
    #[default]
    GSet,
    /// An add that a remove has not seen survives it.
    OrSet,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Op {
    /// Read a register; `null` if it was never written, or deleted.
    Read {
        /// Which key.
        key: String,
    },
    /// Write a register.
    Write {
        /// Which key.
        key: String,
        /// The new value.
        value: Value,
        /// The context of the read whose siblings this write takes the place of. Where siblings
        /// are kept and it is absent, the node reads first and replaces what it finds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<String>,
    },
    /// There is no compare-and-set here: it needs agreement. Always refused.
    Cas {
        /// Which key.
        key: String,
        /// What the value must be.
        old: Value,
        /// What it becomes.
        new: Value,
    },
    /// Delete a register.
    Delete {
        /// Which key.
        key: String,
        /// As for a write.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<String>,
    },
    /// Add an element to a set.
    Add {
        /// Which key.
        key: String,
        /// Which kind of set.
        #[serde(default)]
        set: SetKind,
        /// The element.
        element: Value,
    },
    /// Remove an element from an or-set, as far as this node can see it.
    Remove {
        /// Which key.
        key: String,
        /// Which kind of set.
        #[serde(default)]
        set: SetKind,
        /// The element.
        element: Value,
    },
    /// Read a set.
    Elements {
        /// Which key.
        key: String,
        /// Which kind of set.
        #[serde(default)]
        set: SetKind,
    },
    /// Add to a counter; a negative number takes away.
    Increment {
        /// Which key.
        key: String,
        /// How much.
        by: i64,
    },
    /// Read a counter; 0 if it was never incremented.
    Count {
        /// Which key.
        key: String,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Response {
    /// The register.
    Value {
        /// Its value; of several siblings the newest.
        value: Value,
        /// All of them, where there are several: whoever writes with the context merges them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        siblings: Vec<Value>,
        /// What was read, for the write that takes its place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        context: Option<String>,
        /// See [`Request::token`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// The update is on disk at as many replicas as were asked for.
    Done {
        /// See [`Request::token`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// The set.
    Elements {
        /// Its elements, each once.
        elements: Vec<Value>,
    },
    /// The counter.
    Count {
        /// Its value.
        count: i64,
    },
    /// The request was not served.
    Error {
        /// Whether it is certain that the request had no effect and never will.
        definite: bool,
        /// Why, in a few words.
        reason: String,
    },
}

impl From<kv::Request> for Request {
    fn from(request: kv::Request) -> Request {
        let op = match request.op {
            kv::Op::Read { key } => Op::Read { key },
            kv::Op::Write { key, value } => Op::Write { key, value, context: None },
            kv::Op::Cas { key, old, new } => Op::Cas { key, old, new },
        };
        let session = request.session;
        Request { op, session, token: None, read_quorum: None, write_quorum: None }
    }
}

impl From<Response> for kv::Response {
    fn from(response: Response) -> kv::Response {
        match response {
            Response::Value { value, .. } => kv::Response::Value { value },
            Response::Done { .. } => kv::Response::Done,
            Response::Error { definite, reason } => kv::Response::Error { definite, reason },
            Response::Elements { .. } | Response::Count { .. } => {
                let reason = "an answer of another api".to_owned();
                kv::Response::Error { definite: false, reason }
            }
        }
    }
}

impl Op {
    /// Whether it changes nothing.
    pub fn reads(&self) -> bool {
        matches!(self, Op::Read { .. } | Op::Elements { .. } | Op::Count { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_of_the_key_value_api_is_one_of_this_api() {
        let session = Some(Session { client: 3, seq: 9 });
        let op = kv::Op::Write { key: "k".into(), value: json!(7) };
        let plain = kv::Request { op, session };
        let text = serde_json::to_string(&plain).unwrap();
        let read: Request = serde_json::from_str(&text).unwrap();
        assert_eq!(read, Request::from(plain));
    }

    #[test]
    fn an_answer_is_understood_by_who_knows_only_the_key_value_api() {
        let answer = Response::Value {
            value: json!(2),
            siblings: vec![json!(1), json!(2)],
            context: Some("c".into()),
            token: Some("t".into()),
        };
        let text = serde_json::to_string(&answer).unwrap();
        let seen: kv::Response = serde_json::from_str(&text).unwrap();
        assert_eq!(seen, kv::Response::Value { value: json!(2) });
        assert_eq!(kv::Response::from(answer), seen);
    }

    #[test]
    fn requests_survive_json() {
        let request = Request {
            op: Op::Add { key: "s".into(), set: SetKind::OrSet, element: json!(5) },
            session: None,
            token: Some(String::new()),
            read_quorum: Some(1),
            write_quorum: None,
        };
        let text = serde_json::to_string(&request).unwrap();
        assert!(
            text.contains(r#""set":"or-set""#) && text.contains(r#""read-quorum":1"#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
    }
}
