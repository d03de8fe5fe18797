//! Good files, damaged byte by byte: whatever comes of it, no reader panics, and what it accepts
//! is a well-formed history that can be written and read again.
//!
//! This holds readers to the same law as the targets in `fuzz/`, without a nightly compiler and
//! with the same bytes every time. `QUORATE_NIGHTLY=1` tries a thousand times more.

#[path = "../fuzz/fuzz_targets/support.rs"]
mod support;

use quorate_checkers::format::{Format, write};
use quorate_checkers::history::{History, jsonl};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Words that mean something to some reader.
const WORDS: [&str; 32] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "#{",
    "\"",
    "\\",
    ":",
    ",",
    "\n",
    "\r\n",
    "nil",
    "null",
    "-",
    "1e999",
    "18446744073709551616",
    "##NaN",
    "2/3",
    "#inst ",
    ":process",
    "\"type\":",
    ":info",
    ":nemesis",
    "\t",
    "\u{0}",
    "é",
    "\\ud800",
    "invoke",
    "=====",
    "-----",
];

const LINES: &str = r#"{"index":0,"time":5,"process":0,"type":"invoke","f":"write","key":"k1","value":17}
{"index":1,"time":7,"process":1,"type":"invoke","f":"cas","key":"k1","value":[17,"a"],"node":"n1"}
{"index":2,"time":7,"process":"nemesis","type":"info","f":"start-partition","value":{"n1":["n2"]}}
{"index":3,"time":9,"process":0,"type":"ok","f":"write","key":"k1","value":17,"more":[1.5,null]}
{"index":4,"time":11,"process":1,"type":"fail","f":"cas","key":"k1","value":[17,"a"],"error":["precondition-failed",3]}
{"index":5,"time":12,"process":0,"type":"invoke","f":"read","key":"k1","value":null}
{"index":6,"time":13,"process":0,"type":"info","f":"read","key":"k1","value":null,"error":"timeout"}
"#;

const LOG: &str = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n\
                   INFO  jepsen.util - 1\t:invoke\t:cas\t[1 4]\n\
                   INFO  jepsen.util - 0\t:ok\t:read\t3\n\
                   INFO  jepsen.util - 1\t:info\t:cas\t:timed-out\n";

const KV: &str = "{:process 0, :type :invoke, :f :append, :key \"0\", :value \"x 0 0 y\"}\n\
                  {:process 1, :type :invoke, :f :get, :key \"0\", :value nil}\n\
                  {:process 0, :type :ok, :f :append, :key \"0\", :value \"x 0 0 y\"}\n\
                  {:process 1, :type :ok, :f :get, :key \"0\", :value \"x 0 0 y\"}\n";

const PLUME: &str = "w(1,1,0,0)\nr(1,1,1,1)\nw(2,7,1,1)\nr(2,0,0,2)\n";
const AWDIT: &str = "w 1 1\n-----\nr 1 1\nw 2 7\n=====\nr 2 0\n";

/// One session of one transaction that writes and one that reads, as dbcop writes it.
fn dbcop() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut number = |n: u64| bytes.extend(n.to_le_bytes());
    [1, 1, 1, 2, 1, 0, 0, 0, 1, 2].into_iter().for_each(&mut number);
    for (writes, value) in [(1u8, 5u64), (0, 5)] {
        bytes.extend(1u64.to_le_bytes());
        bytes.push(writes);
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(value.to_le_bytes());
        bytes.extend([1, 1]);
    }
    bytes
}

/// A session with a write and a read, as Cobra writes it.
fn cobra() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut record = |tag: u8, numbers: &[i64]| {
        bytes.push(tag);
        bytes.extend(numbers.iter().flat_map(|n| n.to_be_bytes()));
    };
    record(b'S', &[1]);
    record(b'W', &[10, 3, 99]);
    record(b'R', &[0, 0xbebe_ebee, 4, 0]);
    record(b'C', &[1]);
    bytes
}

/// A good file of each format.
fn samples() -> Vec<(Format, Vec<u8>)> {
    let history: History = jsonl::read(LINES.as_bytes(), "sample").expect("a good sample");
    let written = |format| {
        let mut bytes = Vec::new();
        write(&mut bytes, format, &history).expect("all can be said");
        (format, bytes)
    };
    vec![
        (Format::Jsonl, LINES.into()),
        written(Format::Edn),
        written(Format::ElleJson),
        (Format::JepsenLog, LOG.into()),
        (Format::KvLog, KV.into()),
        (Format::Dbcop, dbcop()),
        (Format::Cobra, cobra()),
        (Format::Plume, PLUME.into()),
        (Format::Awdit, AWDIT.into()),
    ]
}

/// Damages `bytes` in one to four places.
fn damage(rng: &mut impl Rng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..=bytes.len());
        let to = (at + rng.random_range(0..12)).min(bytes.len());
        let from = rng.random_range(0..=bytes.len());
        let word = WORDS[rng.random_range(0..WORDS.len())].as_bytes().to_vec();
        match rng.random_range(0..8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = rng.random_range(0..=255),
            2 => drop(bytes.drain(at..to)),
            3 => drop(bytes.splice(at..to, word)),
            4 => drop(bytes.splice(at..at, word)),
            5 => {
                let copy = bytes[at..to].to_vec();
                bytes.splice(from..from, copy);
            }
            6 if rng.random_bool(0.2) => bytes.truncate(at),
            // A number of a binary format becomes huge.
            _ if to - at >= 8 => bytes[at..at + 8].fill(rng.random_range(0..=255)),
            _ => {}
        }
    }
}

#[test]
fn every_sample_is_good() {
    for (format, bytes) in samples() {
        let options = quorate_checkers::format::Options::default();
        let loaded = quorate_checkers::format::read(&bytes[..], "sample", format, options);
        assert!(loaded.is_ok_and(|loaded| !loaded.history.events().is_empty()), "{format}");
    }
}

#[test]
fn damaged_files_are_refused_or_good() {
    let rounds = if std::env::var_os("QUORATE_NIGHTLY").is_some() { 1_000_000 } else { 1000 };
    for (format, sample) in samples() {
        let mut rng = ChaCha8Rng::seed_from_u64(format as u64);
        for _ in 0..rounds {
            let mut bytes = sample.clone();
            damage(&mut rng, &mut bytes);
            support::check(&bytes, format);
        }
    }
}
