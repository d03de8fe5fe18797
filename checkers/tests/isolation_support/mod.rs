//! What tests of isolation share: small random histories, the oracles, and the cases.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

pub(crate) mod cases;
pub(crate) mod oracle;
pub(crate) mod random;
