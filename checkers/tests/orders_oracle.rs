//! The checker of orders against a model of a shop: random stories of a shop that does everything
//! right are valid, and each fault that is planted into one is found.

mod orders_support;

use orders_support::{Plant, Shop};
use quorate_checkers::orders::{Options, check};
use quorate_checkers::verdict::Valid;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const ROUNDS: u64 = 300;

#[test]
fn nothing_is_invented() {
    let mut dirty = 0;
    for seed in 0..ROUNDS {
        let shop = Shop::draw(&mut ChaCha8Rng::seed_from_u64(seed), None);
        let report = check(&shop.history(), &Options::default());
        assert_eq!(report.valid, Valid::True, "seed {seed}: {:?}", report.anomalies);
        let reads = &report.details["isolation"]["dirty_reads"];
        dirty += reads.as_u64().unwrap();
    }
    assert!(dirty > ROUNDS, "only {dirty} dirty reads: the stories are too tame");
}

#[test]
fn each_planted_fault_is_found() {
    for plant in Plant::ALL {
        let mut planted = 0;
        for seed in 0..ROUNDS {
            let shop = Shop::draw(&mut ChaCha8Rng::seed_from_u64(seed), Some(plant));
            if !shop.is_planted() {
                continue;
            }
            planted += 1;
            let report = check(&shop.history(), &Options::default());
            let kinds: Vec<&str> =
                report.anomalies.iter().map(|anomaly| anomaly.kind.as_str()).collect();
            assert_eq!(report.valid, Valid::False, "seed {seed}, {plant:?}");
            assert!(kinds.contains(&plant.kind()), "seed {seed}, {plant:?}: {kinds:?}");
            for anomaly in report.anomalies.iter().filter(|anomaly| anomaly.kind == plant.kind()) {
                let story = anomaly.evidence.get("story").and_then(|story| story.as_array());
                assert!(story.is_none_or(|story| !story.is_empty()), "{anomaly:?}");
                assert!(!anomaly.ops.is_empty() || plant == Plant::Orphan, "{anomaly:?}");
            }
        }
        assert!(planted > ROUNDS / 2, "{plant:?} was planted {planted} times");
    }
}

#[test]
fn dirty_reads_are_judged_where_isolation_is_claimed() {
    let claims = Options { isolated: true };
    let found = (0..ROUNDS).any(|seed| {
        let shop = Shop::draw(&mut ChaCha8Rng::seed_from_u64(seed), None);
        let report = check(&shop.history(), &claims);
        report.anomalies.iter().any(|anomaly| anomaly.kind == "dirty-read")
    });
    assert!(found);
}

#[test]
fn without_a_book_nothing_is_certain() {
    let shop = Shop::draw(&mut ChaCha8Rng::seed_from_u64(1), None);
    let report = check(&shop.without("book"), &Options::default());
    assert_eq!(report.valid, Valid::Unknown);
    let report = check(&shop.without("audit"), &Options::default());
    assert_eq!(report.valid, Valid::Unknown);
}
