//! What is asked of a database, in which order, and what must hold afterwards.
//!
//! A *generator* ([`generator`]) decides which operation comes next, a *workload* ([`workload`])
//! knows what its operations mean to one api of the targets ([`kv`], [`txn`]) and which checks
//! apply. The workloads there are stand in one table ([`registry`]). This crate is pure: time comes
//! in as data, randomness from named streams of the run's seed, and nothing here waits.

#![warn(missing_docs)]

pub mod counter;
pub mod generator;
pub mod kv;
pub mod options;
pub mod orders;
pub mod register;
pub mod registry;
pub mod replicas;
pub mod session;
pub mod set;
pub mod store;
pub mod txn;
pub mod workload;
