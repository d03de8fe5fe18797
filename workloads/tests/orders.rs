//! The orders workload: what it asks, of whom, and what answers mean.

use quorate_checkers::history::{EventType, Process};
use quorate_checkers::value::Value;
use quorate_targets::api::orders::{Request, Response, Snapshot};
use quorate_targets::api::{self, Outcome, kv::Session};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_workloads::generator::simulate::{Setup, perfect, simulate};
use quorate_workloads::generator::{Combine, Invocation};
use quorate_workloads::options::Options;
use quorate_workloads::orders::{decode, encode};
use quorate_workloads::registry;
use quorate_workloads::workload::Workload;
use std::collections::{BTreeMap, BTreeSet};

fn orders(options: &[&str]) -> Box<dyn Workload> {
    let entry = registry::find("orders").expect("it is there");
    let nodes: Vec<NodeId> = (1..=5).map(NodeId).collect();
    let options = Options::parse(options).expect("well-formed");
    (entry.construct)(&options, Seed(7), &nodes).expect("good options")
}

#[test]
fn customers_and_items_run_out_and_every_service_is_asked() {
    let setup = Setup::clients(10);
    let mut main = orders(&["customers=4", "items=2"]).main().limit(4_000);
    let events = simulate(&mut main, &setup, &mut perfect(&setup));
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut per_item: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for event in events.iter().filter(|event| event.kind == EventType::Invoke) {
        let node = event.node.as_deref().unwrap_or_default().to_owned();
        asked.entry(event.f.to_string()).or_default().insert(node);
        if &*event.f == "place" {
            let id = event.key.as_ref().and_then(Value::as_str).expect("it has a name");
            assert!(ids.insert(id.to_owned()), "{id} is placed twice");
            let item = event.value.get("item").and_then(Value::as_str).expect("it has an item");
            let quantity = event.value.get("quantity").and_then(Value::as_int).unwrap_or(0);
            let sums = per_item.entry(item.to_owned()).or_default();
            *sums = (sums.0 + 1, sums.1 + quantity);
        }
    }
    let mut desks: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == EventType::Invoke) {
        let Process::Client(client) = event.process else { continue };
        desks.entry(client % 10).or_default().extend(event.node.as_deref());
    }
    let bound: Vec<u64> =
        desks.iter().filter(|(_, nodes)| nodes.len() == 1).map(|(client, _)| *client).collect();
    assert_eq!(bound, [0, 1, 2, 3, 5, 6, 7, 8], "all who ask about orders ask one node");
    let of = |f: &str| asked[f].iter().map(String::as_str).collect::<Vec<&str>>();
    for (f, nodes) in [
        ("place", &["n1", "n5"][..]),
        ("cancel", &["n1", "n5"]),
        ("read", &["n1", "n5"]),
        ("balance", &["n2"]),
        ("stock", &["n3"]),
    ] {
        assert_eq!(of(f), nodes, "{f}");
    }
    let full: Vec<i64> = per_item.values().filter(|sums| sums.0 == 18).map(|sums| sums.1).collect();
    let scarce = full.iter().filter(|wanted| **wanted > 30).count();
    assert!(scarce * 3 > full.len(), "{scarce} of {} items run out", full.len());
}

#[test]
fn a_request_says_what_the_operation_says() {
    let fields = [("customer", Value::str("c1")), ("quantity", Value::Int(2))];
    let value = Value::Map(fields.map(|(name, value)| (Value::str(name), value)).into());
    let place = Invocation::new("place").key("o1").value(value);
    let api::Request::Orders(Request::Place(order)) = encode(&place) else {
        panic!("it is a place");
    };
    assert_eq!((order.id.as_str(), order.customer.as_str(), order.quantity), ("o1", "c1", 2));
    let read = Request::Read { order: "o1".to_owned() };
    let session = Session { client: 1, seq: 1 };
    let asked = orders(&[]).encode(&Invocation::new("read").key("o1"), session);
    assert_eq!(asked, api::Request::Orders(read));
}

#[test]
fn an_answer_is_ok_only_where_it_answers() {
    let kind = |f: &str, outcome: Outcome| decode(&Invocation::new(f).key("x"), outcome).kind;
    let answered = |response: Response| Outcome::Answered(api::Response::Orders(response));
    let state = || answered(Response::Order { state: Some("charging".to_owned()) });
    let lost = || Outcome::Unknown("timeout".to_owned());
    let open = |orders| answered(Response::Open { orders });
    let error = |definite| answered(Response::Error { definite, reason: "no".to_owned() });
    for (f, outcome, expected) in [
        ("place", state(), EventType::Ok),
        ("place", lost(), EventType::Info),
        ("cancel", lost(), EventType::Info),
        ("read", lost(), EventType::Fail),
        ("place", error(true), EventType::Fail),
        ("place", error(false), EventType::Info),
        ("read", error(false), EventType::Fail),
        ("drain", open(0), EventType::Ok),
        ("drain", open(2), EventType::Fail),
        ("book", answered(Response::Snapshot(Snapshot::default())), EventType::Ok),
        ("balance", state(), EventType::Fail),
        ("stock", answered(Response::Amount { amount: 3, version: 9 }), EventType::Ok),
    ] {
        assert_eq!(kind(f, outcome.clone()), expected, "{f} {outcome:?}");
    }
    let no_order =
        decode(&Invocation::new("read").key("o9"), answered(Response::Order { state: None }));
    assert_eq!((no_order.kind, no_order.value), (EventType::Ok, Value::Null));
}
