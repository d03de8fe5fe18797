//! Transactions: what each read and wrote, and which isolation that allows.
//!
//! A transaction is an operation whose value is a list of micro-operations: `["r", k, v]` reads,
//! `["w", k, v]` writes a register, `["append", k, v]` appends to a list; `insert`, `delete` and
//! `rp` deal with rows and predicates. [`Table`] holds all of a history in flat arrays of small
//! numbers; every checker of this module begins there.
//!
//! [`check`] finds anomalies in the manner of Adya and of Elle: the values that were read tell in
//! which order keys were written, and with it which transaction depends on which. Some anomalies
//! show in one transaction or one key, others are cycles of dependencies. What was found rules
//! out models ([`TxnModel`]).

mod access;
mod check;
mod closed_predicate;
mod committed;
mod cycles;
mod finding;
mod graph;
mod holds;
mod intern;
pub mod isolation;
mod kind;
mod lattice;
mod list_append;
mod order;
mod parse;
pub mod registers;
mod rw_register;
pub(crate) mod scc;
mod scratch;
pub mod serial;
mod step;
mod stop;
mod table;
pub mod timestamps;
pub mod weak;
mod words;

pub use check::{CHECKER, KeyRules, Options, Unguessed, Workload, check, check_table, check_until};
pub use closed_predicate::Predicate;
pub use holds::Open;
pub use intern::Interner;
pub use kind::{AnomalyKind, KindSet};
pub use lattice::{Boundary, NoSuchTxnModel, TxnModel};
pub use parse::{Malformed, is_transactional};
pub use table::{
    Action, KeyId, ListId, MicroOp, Outcome, RowsId, Session, Table, Txn, TxnId, ValueId,
};
