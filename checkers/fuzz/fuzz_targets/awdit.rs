//! Any bytes, as AWDIT's text.

#![no_main]

#[path = "support.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use quorate_checkers::format::Format;

fuzz_target!(|bytes: &[u8]| support::check(bytes, Format::Awdit));
