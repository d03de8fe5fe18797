//! The systems under test: small databases as *sans-io* nodes, and what hosts them.
//!
//! A node is a state machine with no sockets, no clock, no randomness and no files of its own
//! (see [`node`]). The same node runs as a process over TCP (feature `host`), and in one thread
//! in virtual time ([`sim`]).

#![warn(missing_docs)]

pub mod api;
pub mod bugs;
pub mod caller;
#[cfg(feature = "client")]
pub mod client;
pub mod clock_fault;
pub mod eventual;
#[cfg(feature = "host")]
pub mod host;
pub mod names;
pub mod node;
pub mod options;
pub mod raft;
pub mod registry;
pub mod saga;
pub mod seed;
pub mod sim;
