//! The binary from end to end, as a person uses it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/binary.rs"]
mod binary;
mod eventual;
mod fail_fast;
mod input;
mod orders;
mod run;
mod support;
mod transactions;
