//! How fast histories are read, next to what `serde_json` needs to parse the same lines.
//!
//! The lines are those of a register run with keys and nodes: about 110 bytes each. `serde_json`
//! parses each line and drops the result: once into a struct that borrows its strings from the
//! line and keeps key and value as `serde_json::Value`, once into a `Value` as a whole. Our
//! reader does the same work and checks, pairs and keeps the events. The line to compare is
//! `read_on_one_thread` with `serde_json_borrowed`.

#![expect(clippy::unwrap_used, reason = "the lines are our own")]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use quorate_checkers::history::jsonl;
use serde::Deserialize;
use std::fmt::Write;

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

/// The history of 50 clients that write and read 10,000 keys on five nodes, as lines.
fn lines(events: usize) -> String {
    let mut text = String::with_capacity(events * 120);
    for n in 0..events {
        let (operation, process) = (n / 2, n / 2 % 50);
        let f = ["read", "write"][operation % 2];
        let kind = ["invoke", "ok"][n % 2];
        let value = if f == "read" && kind == "invoke" { None } else { Some(operation * 7919) };
        let value = value.map_or("null".to_string(), |value| value.to_string());
        let (time, key, node) = (n * 1_037_911, operation * 31 % 10_000, operation % 5 + 1);
        let _ = writeln!(
            text,
            "{{\"index\":{n},\"time\":{time},\"process\":{process},\"type\":\"{kind}\",\
             \"f\":\"{f}\",\"key\":\"k{key}\",\"value\":{value},\"node\":\"n{node}\"}}"
        );
    }
    text
}

fn bench(bencher: Bencher<'_, '_>, events: usize, run: impl Fn(&str) -> usize + Sync) {
    let text = lines(events);
    bencher
        .counter(BytesCount::of_str(&text))
        .counter(ItemsCount::new(events))
        .bench_local(|| black_box(run(black_box(&text))));
}

#[derive(Deserialize)]
struct Borrowed<'a> {
    index: u32,
    time: u64,
    process: serde_json::Value,
    #[serde(rename = "type")]
    kind: &'a str,
    f: &'a str,
    key: Option<serde_json::Value>,
    value: serde_json::Value,
    error: Option<serde_json::Value>,
    node: Option<&'a str>,
}

#[divan::bench(args = SIZES, max_time = 3)]
fn serde_json_borrowed(bencher: Bencher<'_, '_>, events: usize) {
    bench(bencher, events, |text| {
        let mut sum = 0;
        for line in text.lines() {
            let line: Borrowed<'_> = serde_json::from_str(line).unwrap();
            sum += line.index as usize + line.time as usize + line.kind.len() + line.f.len();
            black_box((&line.process, &line.key, &line.value, &line.error, &line.node));
        }
        sum
    });
}

#[divan::bench(args = SIZES, max_time = 3)]
fn serde_json_value(bencher: Bencher<'_, '_>, events: usize) {
    bench(bencher, events, |text| {
        let values = text.lines().map(serde_json::from_str::<serde_json::Value>);
        values
            .map(|value| black_box(value.unwrap()).as_object().map_or(0, serde_json::Map::len))
            .sum()
    });
}

#[divan::bench(args = SIZES, max_time = 3)]
fn read_on_one_thread(bencher: Bencher<'_, '_>, events: usize) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    bench(bencher, events, |text| pool.install(|| read(text)));
}

#[divan::bench(args = SIZES, max_time = 3)]
fn read_on_all_threads(bencher: Bencher<'_, '_>, events: usize) {
    bench(bencher, events, read);
}

fn read(text: &str) -> usize {
    jsonl::read(text.as_bytes(), "bench").unwrap().operations().len()
}

#[divan::bench(args = SIZES, max_time = 3)]
fn write(bencher: Bencher<'_, '_>, events: usize) {
    let history = jsonl::read(lines(events).as_bytes(), "bench").unwrap();
    let mut output = Vec::new();
    jsonl::write(&mut output, history.events()).unwrap();
    bencher.counter(BytesCount::of_slice(&output)).counter(ItemsCount::new(events)).bench_local(
        || {
            output.clear();
            jsonl::write(&mut output, black_box(history.events())).unwrap();
        },
    );
}
