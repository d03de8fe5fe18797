//! What clients ask, what the leader is asked, and what both are told: the two apis of the store
//! side by side.
//!
//! A request of a client is not always what stands in the log: an interactive transaction lives
//! at one node (see [`txn`](super::txn)), and only its commit becomes an entry.
//!
//! In JSON the two apis are told apart by their fields, not by a tag of ours, so that answers
//! over HTTP and journals read as their api says.

use super::log::Index;
use crate::api::kv::{self, Session};
use crate::api::txn::{self, Kind, MicroOp};
use crate::api::{self};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Request {
    /// In the key-value api.
    Kv(kv::Request),
    /// In the transactional api.
    Txn(txn::Request),
}

/// What the leader is asked, and what entries do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Command {
    /// Reads, writes and compare-and-set of one key.
    Kv(kv::Request),
    /// A transaction.
    Txn(Transact),
}

/// A transaction as it stands in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transact {
    /// What to do.
    #[serde(flatten)]
    pub work: Work,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
}

/// What a transaction does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "kebab-case")]
pub enum Work {
    /// All of it, reads included, at this place in the log.
    Whole {
        /// Its operations.
        ops: Vec<MicroOp>,
    },
    /// The end of an interactive one: its writes, if what it relied on still stands.
    Commit {
        /// Keys that must not have changed behind these places.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        unchanged: BTreeMap<String, Index>,
        /// Beginnings of keys: no key with one of them may have changed behind its place.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        unchanged_below: BTreeMap<String, Index>,
        /// Writes and appends, in their order.
        writes: Vec<Write>,
    },
    /// Nothing: asks a leader how far all is committed that was ever answered. Not in the log.
    Place,
}

/// A change of one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Write {
    /// It has this value.
    Set(String, Value),
    /// Its list has this at the end.
    Append(String, Value),
}

/// What is told: to a client, or to the node that asked for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Response {
    /// In the key-value api.
    Kv(kv::Response),
    /// In the transactional api.
    Txn(txn::Response),
    /// To a node: all that was ever answered is at or before this place.
    Place {
        /// The place.
        place: Index,
    },
}

/// The names of the transactional api's operations; all others are of the key-value api.
const TXN_OPS: [&str; 5] = ["txn", "begin", "step", "commit", "rollback"];

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Request, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let op = value.get("op").and_then(Value::as_str).unwrap_or_default();
        // Each api's own complaint says more than that neither fits.
        if TXN_OPS.contains(&op) {
            txn::Request::deserialize(value).map(Request::Txn).map_err(D::Error::custom)
        } else {
            kv::Request::deserialize(value).map(Request::Kv).map_err(D::Error::custom)
        }
    }
}

impl From<kv::Request> for Request {
    fn from(request: kv::Request) -> Request {
        Request::Kv(request)
    }
}

impl TryFrom<api::Request> for Request {
    type Error = api::Request;

    fn try_from(request: api::Request) -> Result<Request, api::Request> {
        match request {
            api::Request::Kv(request) => Ok(Request::Kv(request)),
            api::Request::Txn(request) => Ok(Request::Txn(request)),
            other @ (api::Request::Orders(_) | api::Request::Store(_)) => Err(other),
        }
    }
}

impl From<Response> for api::Response {
    fn from(response: Response) -> api::Response {
        match response {
            Response::Kv(response) => api::Response::Kv(response),
            Response::Txn(response) => api::Response::Txn(response),
            Response::Place { .. } => {
                let reason = "a place is no answer to a client".to_owned();
                api::Response::Txn(txn::Response::Unknown { reason })
            }
        }
    }
}

impl Write {
    /// The key that it changes.
    pub fn key(&self) -> &str {
        match self {
            Write::Set(key, _) | Write::Append(key, _) => key,
        }
    }
}

impl Command {
    /// Whose it is.
    pub fn session(&self) -> Option<Session> {
        match self {
            Command::Kv(request) => request.session,
            Command::Txn(transact) => transact.session,
        }
    }

    /// The key, if it is a read of one.
    pub(super) fn key_read(&self) -> Option<&str> {
        match self {
            Command::Kv(kv::Request { op: kv::Op::Read { key }, .. }) => Some(key),
            Command::Kv(_) | Command::Txn(_) => None,
        }
    }

    /// Whether it has no effect, whatever becomes of it: it is answered without an entry.
    pub fn only_reads(&self) -> bool {
        match self {
            Command::Kv(request) => matches!(request.op, kv::Op::Read { .. }),
            Command::Txn(transact) => matches!(transact.work, Work::Place),
        }
    }

    /// Whether it changes nothing when it is applied.
    pub(super) fn looks_only(&self) -> bool {
        let looks = |kind| matches!(kind, Kind::R | Kind::Scan | Kind::None);
        match self {
            Command::Txn(Transact { work: Work::Whole { ops }, .. }) => {
                ops.iter().all(|MicroOp(kind, _, _)| looks(*kind))
            }
            Command::Kv(_) | Command::Txn(_) => self.only_reads(),
        }
    }

    /// The answer, in this command's api, that it had no effect and never will.
    pub(super) fn refused(&self, reason: &str) -> Response {
        let reason = reason.to_owned();
        match self {
            Command::Kv(_) => Response::Kv(kv::Response::Error { definite: true, reason }),
            Command::Txn(_) => Response::Txn(txn::Response::Refused { reason }),
        }
    }

    /// The answer, in this command's api, that leaves open whether it took effect.
    pub(super) fn unknown(&self, reason: &str) -> Response {
        let reason = reason.to_owned();
        match self {
            Command::Kv(_) => Response::Kv(kv::Response::Error { definite: false, reason }),
            Command::Txn(_) => Response::Txn(txn::Response::Unknown { reason }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::txn::{Op, TxnId};
    use serde_json::json;

    #[test]
    fn each_api_is_known_by_its_fields() {
        let step = MicroOp(Kind::Append, "x".into(), json!(3));
        let txn = TxnId { boot: 1, number: 2 };
        let session = Some(Session { client: 4, seq: 5 });
        let requests = [
            (
                json!({"op": "read", "key": "x"}),
                Request::Kv(kv::Request { op: kv::Op::Read { key: "x".into() }, session: None }),
            ),
            (
                json!({"op": "step", "txn": {"boot": 1, "number": 2}, "number": 1,
                       "step": ["append", "x", 3]}),
                Request::Txn(txn::Request {
                    op: Op::Step { txn, number: 1, step: step.clone() },
                    session: None,
                }),
            ),
        ];
        for (text, request) in requests {
            assert_eq!(serde_json::to_value(&request).unwrap(), text);
            assert_eq!(serde_json::from_value::<Request>(text).unwrap(), request);
        }
        let writes = vec![Write::Set("x".into(), json!(1)), Write::Append("y".into(), json!(2))];
        let unchanged = BTreeMap::from([("x".to_owned(), Index(7))]);
        let commit = Work::Commit { unchanged, unchanged_below: BTreeMap::new(), writes };
        for work in [Work::Whole { ops: vec![step.clone()] }, commit, Work::Place] {
            let command = Command::Txn(Transact { work, session });
            let text = serde_json::to_string(&command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command, "{text}");
        }
    }

    #[test]
    fn answers_come_back_as_what_they_were() {
        let reason = || "why".to_owned();
        let responses = [
            Response::Kv(kv::Response::Done),
            Response::Kv(kv::Response::Error { definite: true, reason: reason() }),
            Response::Txn(txn::Response::Committed { ops: Vec::new() }),
            Response::Txn(txn::Response::Aborted { reason: reason() }),
            Response::Txn(txn::Response::Refused { reason: reason() }),
            Response::Txn(txn::Response::Unknown { reason: reason() }),
            Response::Place { place: Index(3) },
        ];
        for response in responses {
            let text = serde_json::to_string(&response).unwrap();
            assert_eq!(serde_json::from_str::<Response>(&text).unwrap(), response, "{text}");
        }
    }

    #[test]
    fn a_bad_request_is_blamed_by_its_own_api() {
        let blame = |text: &str| serde_json::from_str::<Request>(text).unwrap_err().to_string();
        assert!(blame(r#"{"op":"step"}"#).contains("txn"), "{}", blame(r#"{"op":"step"}"#));
        assert!(blame(r#"{"op":"wirte","key":"x"}"#).contains("wirte"));
    }
}
