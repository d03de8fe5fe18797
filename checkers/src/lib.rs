//! What a history of operations is, and whether it is right.
//!
//! A *history* records what concurrent clients asked of a system and what they were told. A
//! *checker* decides whether some consistency model allows it, and shows its evidence. This
//! crate is pure: it reads and writes only through [`std::io::Read`] and [`std::io::Write`], and
//! knows neither clocks nor databases.

#![warn(missing_docs)]

pub mod aftermath;
pub mod format;
pub mod history;
pub mod linearizable;
pub mod model;
pub mod orders;
pub mod stats;
pub mod transactions;
pub mod value;
pub mod verdict;
