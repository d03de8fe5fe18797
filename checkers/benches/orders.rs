//! How long it takes to judge histories of orders: each is placed, read twice and audited.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use quorate_checkers::history::{History, jsonl};
use quorate_checkers::orders::{Options, check};
use std::fmt::Write;

fn main() {
    divan::main();
}

/// `orders` orders that were all confirmed, of customers and items that serve for ten each.
fn history(orders: usize) -> History {
    let (mut text, mut time) = (String::new(), 0);
    let mut op = |text: &mut String, process: usize, f: &str, key: &str, value: &str| {
        for (kind, value) in [("invoke", "null"), ("ok", value)] {
            time += 1_000;
            let _ = writeln!(
                text,
                "{{\"time\":{time},\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\
                 \"key\":\"{key}\",\"value\":{value}}}"
            );
        }
    };
    let (mut book, mut ledgers) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
    for n in 0..orders {
        let key = format!("o{n}");
        for (f, stage) in [("place", "charging"), ("read", "shipping"), ("read", "confirmed")] {
            op(&mut text, n % 50, f, &key, &format!("\"{stage}\""));
        }
        let account = n / 10;
        book.push(format!(
            "[{{\"order\":\"{key}\",\"customer\":\"c{account}\",\"item\":\"i{account}\",\
             \"amount\":1,\"quantity\":1}},\"confirmed\"]"
        ));
        let place = n % 10;
        let after = [99 - place, 29 - place, place + 1];
        for (service, (step, prefix, change)) in
            [("charge", 'c', -1), ("reserve", 'i', -1), ("ship", 'i', 1)].into_iter().enumerate()
        {
            ledgers[service].push(format!(
                "{{\"at\":{n},\"order\":\"{key}\",\"step\":\"{step}\",\
                 \"account\":\"{prefix}{account}\",\"change\":{change},\"after\":{}}}",
                after[service]
            ));
        }
    }
    op(&mut text, 0, "drain", "orders", "0");
    let orders_json = book.join(",");
    op(&mut text, 0, "book", "orders", &format!("{{\"now\":0,\"orders\":[{orders_json}]}}"));
    for (place, service) in ["payments", "inventory", "shipping"].into_iter().enumerate() {
        let initial = [100, 30, 0][place];
        let effects = ledgers[place].join(",");
        let audit = format!(
            "{{\"service\":\"{service}\",\"now\":0,\"initial\":{initial},\"effects\":[{effects}]}}"
        );
        op(&mut text, 0, "audit", service, &audit);
    }
    jsonl::read(text.as_bytes(), "orders").unwrap_or_default()
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 5)]
fn judge(bencher: Bencher<'_, '_>, orders: usize) {
    let history = history(orders);
    assert_eq!(history.operations().len(), 3 * orders + 5, "the history was read");
    bencher
        .counter(ItemsCount::new(orders))
        .bench_local(|| black_box(check(black_box(&history), &Options::default())));
}
