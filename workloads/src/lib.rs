//! What is asked of a database, in which order, and what must hold afterwards.

#![warn(missing_docs)]

pub mod generator;
pub mod workload;
