//! Any bytes, as calls of one object as intervals.

#![no_main]

#[path = "support.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use quorate_checkers::format::Format;

fuzz_target!(|bytes: &[u8]| support::check(bytes, Format::Intervals));
