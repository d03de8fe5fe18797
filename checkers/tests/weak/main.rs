//! Checkers of weak promises: sets, counters, convergence, session guarantees. Cases as data,
//! and each checker against a naive one on random small histories.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod oracles;
mod session_oracle;
mod story;
