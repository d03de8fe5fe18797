//! Any bytes, in whichever format they look like.

#![no_main]

#[path = "support.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use quorate_checkers::format::Format;

fuzz_target!(|bytes: &[u8]| {
    for name in ["h", "h.jsonl", "h.json", "h.edn", "h.log", "h.txt", "h.bincode"] {
        if let Some(format) = Format::detect(name, &bytes[..bytes.len().min(100)]) {
            support::check(bytes, format);
        }
    }
});
