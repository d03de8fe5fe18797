//! Real runs of the order service: five processes, real faults, lazy disks.

use crate::support::Bench;
use quorate_targets::bugs;
use serde_json::Value;

fn nightly() -> bool {
    std::env::var_os("QUORATE_NIGHTLY").is_some()
}

/// A run of the correct service in a style: valid, and how many orders there were in all, and how
/// many of them were compensated.
fn valid(bench: &Bench, style: &str, seed: &str, limit: &str) -> (u64, u64) {
    let style = format!("style={style}");
    let ran = bench.quorate(&[
        "run",
        "saga-orders",
        "--target-opt",
        &style,
        "--seed",
        seed,
        "-t",
        limit,
        "-c",
        "12n",
        "-r",
        "1000",
        "--format",
        "json",
    ]);
    ran.expect(0);
    let verdict = ran.verdict();
    let orders = &verdict["checkers"]["orders"];
    let ends: u64 = orders["ended"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(Some(ends), orders["orders"].as_u64(), "each order has its end: {orders}");
    assert_eq!(orders["ended"]["open"], Value::Null, "{style}: {orders}");
    (ends, orders["compensated"].as_u64().unwrap())
}

#[test]
fn both_styles_keep_their_promise_under_real_faults() {
    let bench = Bench::new();
    let (seeds, limit, least) = if nightly() { (1..=10, "20s", 1_000) } else { (1..=1, "6s", 100) };
    for style in ["orchestration", "choreography"] {
        for seed in seeds.clone() {
            let (orders, compensated) = valid(&bench, style, &seed.to_string(), limit);
            assert!(orders >= least, "{style}, seed {seed}: only {orders} orders");
            assert!(compensated * 20 >= orders, "{compensated} of {orders} were compensated");
        }
    }
}

#[test]
fn seeded_bugs_of_orders_are_caught_within_five_runs() {
    let bench = Bench::new();
    for entry in bugs::of("saga-orders").filter(|entry| nightly() || entry.name == "oversell") {
        bench.catches_within_five(entry);
    }
}
