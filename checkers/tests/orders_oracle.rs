//! The checker of orders against a model of a shop: random stories of a shop that serves many
//! orders at once and does everything right are valid, each fault that is planted into one is
//! found, and nothing else is.

mod orders_support;

use orders_support::{Plant, Shop};
use quorate_checkers::orders::{Options, check};
use quorate_checkers::verdict::{Anomaly, Valid};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Stories without a fault, and stories for each fault.
const ROUNDS: u64 = 1_000;
const ROUNDS_EACH: u64 = 200;

fn story(seed: u64, plant: Option<Plant>) -> Shop {
    Shop::draw(ChaCha8Rng::seed_from_u64(seed), plant)
}

#[test]
fn nothing_is_invented() {
    let (mut dirty, mut ends) = (0, [0; 3]);
    for seed in 0..ROUNDS {
        let shop = story(seed, None);
        let report = check(&shop.history(), &Options::default());
        assert_eq!(report.valid, Valid::True, "seed {seed}: {:?}", report.anomalies);
        let reads = report.details["isolation"]["dirty_reads"].as_u64().unwrap();
        assert_eq!(reads, shop.dirty_reads() as u64, "seed {seed}");
        dirty += reads;
        for order in &shop.orders {
            let names = ["confirmed", "cancelled", "refused"];
            let end = names.iter().position(|name| *name == order.stage);
            end.into_iter().for_each(|end| ends[end] += 1);
        }
    }
    assert!(dirty > ROUNDS, "only {dirty} dirty reads: the stories are too tame");
    assert!(ends.iter().all(|count| *count > ROUNDS), "{ends:?}: the stories are too tame");
}

#[test]
fn each_planted_fault_is_found_and_nothing_else() {
    for plant in Plant::ALL {
        let mut planted = 0;
        for seed in 0..ROUNDS_EACH {
            let shop = story(seed, Some(plant));
            let Some(place) = &shop.planted else { continue };
            planted += 1;
            let report = check(&shop.history(), &Options::default());
            assert_eq!(report.valid, Valid::False, "seed {seed}, {plant:?}");
            let kinds: Vec<&str> =
                report.anomalies.iter().map(|anomaly| anomaly.kind.as_str()).collect();
            assert!(kinds.contains(&plant.kind()), "seed {seed}, {plant:?}: {kinds:?}");
            for anomaly in &report.anomalies {
                assert!(is_about(anomaly, place, &shop), "seed {seed}, {plant:?}: {anomaly:?}");
                assert!(!anomaly.ops.is_empty() || plant == Plant::Orphan, "{anomaly:?}");
            }
        }
        assert!(planted > ROUNDS_EACH / 4, "{plant:?} was planted {planted} times");
    }
}

/// Whether an anomaly tells of what was planted: it has the story of that order, or is about an
/// account that the order uses, or that was planted into.
fn is_about(anomaly: &Anomaly, place: &str, shop: &Shop) -> bool {
    let accounts = shop.accounts_of(place);
    let in_words = |name: &str| anomaly.explanation.split(' ').any(|word| word == name);
    match anomaly.evidence.get("order") {
        Some(order) => {
            let story = anomaly.evidence["story"].as_array().unwrap();
            let account =
                accounts.iter().any(|name| in_words(name)) && place != order.as_str().unwrap();
            (order == place && !story.is_empty()) || account
        }
        None => accounts.iter().any(|name| in_words(name)),
    }
}

#[test]
fn dirty_reads_are_judged_where_isolation_is_claimed() {
    let claims = Options { isolated: true };
    for seed in 0..ROUNDS_EACH {
        let shop = story(seed, None);
        let report = check(&shop.history(), &claims);
        let expected = if shop.dirty_reads() == 0 { Valid::True } else { Valid::False };
        assert_eq!(report.valid, expected, "seed {seed}");
        let kinds = report.anomalies.iter().map(|anomaly| anomaly.kind.as_str());
        assert!(kinds.into_iter().all(|kind| kind == "dirty-read"), "seed {seed}");
    }
}

#[test]
fn without_a_book_nothing_is_certain() {
    let shop = story(1, None);
    let report = check(&shop.without("book"), &Options::default());
    assert_eq!(report.valid, Valid::Unknown);
    let report = check(&shop.without("audit"), &Options::default());
    assert_eq!(report.valid, Valid::Unknown);
}
