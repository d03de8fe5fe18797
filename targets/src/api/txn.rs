//! The transactional api: reads and writes of several keys that take effect together or not at
//! all.
//!
//! Over HTTP: `POST /txn` with a [`Request`] as JSON. A transaction can be sent whole:
//!
//! ```text
//! {"op":"txn","ops":[["r","x",null],["append","y",3]]}
//! {"result":"committed","ops":[["r","x",[1,2]],["append","y",3]]}
//! ```
//!
//! A target that serves an isolation level below the strictest answers a whole transaction by
//! beginning an interactive one, as it does to `{"op":"begin"}`; the client goes on with the
//! operations one by one and then commits:
//!
//! ```text
//! {"result":"begun","txn":{"boot":1,"number":7}}
//! {"op":"step","txn":{"boot":1,"number":7},"number":1,"step":["r","x",null]}
//! {"result":"step","step":["r","x",[1,2]]}
//! {"op":"commit","txn":{"boot":1,"number":7}}
//! {"result":"committed"}
//! ```

use super::kv::Session;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What one operation of a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Reads the value of a key; `null` if it was never written.
    R,
    /// Writes a value.
    W,
    /// Puts a value at the end of a list; a key that was never written has the empty list.
    Append,
    /// Adds a number; a key that was never written has 0. Answers with the sum.
    Add,
    /// Takes a number away; aborts the transaction if less than that is there.
    Take,
    /// Writes a value if the key was never written. Answers with the value that the key has.
    Init,
    /// Reads the values of all keys that begin with this one, in the order of the keys.
    Scan,
    /// Aborts the transaction if any key that begins with this one was ever written.
    None,
}

/// One operation of a transaction; in JSON `[kind, key, value]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MicroOp(pub Kind, pub String, pub Value);

/// Names an interactive transaction to the node that began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TxnId {
    /// Which life of the node.
    pub boot: u64,
    /// Counts the transactions of that life.
    pub number: u64,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What to do.
    #[serde(flatten)]
    pub op: Op,
    /// Whose operation this is: a whole transaction or a commit with the same session is applied
    /// once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Op {
    /// All of these, in this order.
    Txn {
        /// The operations.
        ops: Vec<MicroOp>,
    },
    /// Begin an interactive transaction.
    Begin,
    /// The next operation of an interactive transaction.
    Step {
        /// Which transaction.
        txn: TxnId,
        /// Its how-manieth operation this is, from 1: a repeated one is answered again, and not
        /// done again.
        number: u32,
        /// What to do.
        step: MicroOp,
    },
    /// Have it take effect.
    Commit {
        /// Which transaction.
        txn: TxnId,
    },
    /// Give it up.
    Rollback {
        /// Which transaction.
        txn: TxnId,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Response {
    /// An interactive transaction has begun.
    Begun {
        /// Its name.
        txn: TxnId,
    },
    /// The operation is done, with its result in place of its value.
    Step {
        /// As asked, with the result.
        step: MicroOp,
    },
    /// The transaction took effect.
    Committed {
        /// For one that was sent whole: its operations with their results.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ops: Vec<MicroOp>,
    },
    /// It did not take effect and never will, whichever attempt is asked about.
    Aborted {
        /// Why, in a few words.
        reason: String,
    },
    /// The node knows no such interactive transaction (any more). A commit that was asked for
    /// before may have taken effect.
    Gone {
        /// Why, in a few words.
        reason: String,
    },
    /// This request had no effect and never will; it may be repeated.
    Refused {
        /// Why, in a few words.
        reason: String,
    },
    /// Nobody knows whether this request had or will have an effect.
    Unknown {
        /// Why, in a few words.
        reason: String,
    },
}
