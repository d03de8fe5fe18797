//! Transactions: what each read and wrote, and which isolation that allows.
//!
//! A transaction is an operation whose value is a list of micro-operations: `["r", k, v]` reads,
//! `["w", k, v]` writes a register, `["append", k, v]` appends to a list. [`Table`] holds all of
//! a history in flat arrays of small numbers; every checker of this module begins there.

mod intern;
mod parse;
pub mod registers;
pub mod serial;
mod table;
pub mod weak;

pub use intern::Interner;
pub use parse::Malformed;
pub use table::{Action, KeyId, ListId, MicroOp, Outcome, Session, Table, Txn, TxnId, ValueId};
