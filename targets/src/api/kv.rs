//! The key-value api: read, write and compare-and-set on single keys.
//!
//! Over HTTP: `POST /kv` with a [`Request`] as JSON, for instance
//! `{"op":"cas","key":"k1","old":1,"new":2}`; the answer is a [`Response`], for instance
//! `{"result":"mismatch","seen":7}`.

use serde::{Deserialize, Serialize};

/// Names one logical operation of one client, so that a retry is applied once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Session {
    /// The client; never used again after it has given up on an operation. Numbers are handed
    /// out upwards: a target that forgets old sessions tells a new client from a forgotten one
    /// by that, and answers `definite: false` where it cannot.
    pub client: u64,
    /// Grows by one with each logical operation of the client; a retry keeps it.
    pub seq: u64,
}

/// A request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What to do.
    #[serde(flatten)]
    pub op: Op,
    /// Whose operation this is; without it a retry, or a message that the network doubles, may
    /// be applied twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Op {
    /// Read the value of a key; `null` if it was never written.
    Read {
        /// Which key.
        key: String,
    },
    /// Write a value.
    Write {
        /// Which key.
        key: String,
        /// The new value.
        value: serde_json::Value,
    },
    /// Write `new` if the value is `old`.
    Cas {
        /// Which key.
        key: String,
        /// What the value must be.
        old: serde_json::Value,
        /// What it becomes.
        new: serde_json::Value,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Response {
    /// The value read.
    Value {
        /// `null` if the key was never written.
        value: serde_json::Value,
    },
    /// The write or cas took effect.
    Done,
    /// The cas was refused: the value was another.
    Mismatch {
        /// The value that it found.
        seen: serde_json::Value,
    },
    /// The request was not served.
    Error {
        /// Whether it is certain that the request had no effect and never will.
        definite: bool,
        /// Why, in a few words.
        reason: String,
    },
}
