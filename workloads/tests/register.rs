//! The register workload against a key-value store in memory that is atomic, but may answer
//! late, refuse, or not answer at all.

use proptest::prelude::*;
use quorate_checkers::history::{Event, EventType, Process};
use quorate_checkers::value::Value;
use quorate_targets::api::kv::{Op, Request as KvRequest, Response as KvResponse, Session};
use quorate_targets::api::{Outcome, Request, Response};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_workloads::generator::simulate::{Setup, System, invocations, simulate};
use quorate_workloads::generator::{Combine, Invocation};
use quorate_workloads::options::Options;
use quorate_workloads::registry;
use quorate_workloads::workload::{Completion, Workload};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One millisecond, in nanoseconds.
const MS: u64 = 1_000_000;

/// An atomic store behind a bad line. An operation takes effect at its completion, or never.
struct Store<'a> {
    workload: &'a dyn Workload,
    values: BTreeMap<String, serde_json::Value>,
    rng: ChaCha8Rng,
    /// Of a thousand operations, so many are refused and so many get no answer.
    refused: u32,
    unknown: u32,
    /// Nodes that refuse every read.
    deaf: BTreeSet<NodeId>,
}

impl<'a> Store<'a> {
    fn new(workload: &'a dyn Workload, seed: Seed, refused: u32, unknown: u32) -> Store<'a> {
        let (values, deaf) = (BTreeMap::new(), BTreeSet::new());
        Store { workload, values, rng: seed.stream("store"), refused, unknown, deaf }
    }

    fn apply(&mut self, op: Op) -> KvResponse {
        match op {
            Op::Read { key } => {
                KvResponse::Value { value: self.values.get(&key).cloned().unwrap_or_default() }
            }
            Op::Write { key, value } => {
                self.values.insert(key, value);
                KvResponse::Done
            }
            Op::Cas { key, old, new } => {
                let seen = self.values.get(&key).cloned().unwrap_or_default();
                if seen != old {
                    return KvResponse::Mismatch { seen };
                }
                self.values.insert(key, new);
                KvResponse::Done
            }
        }
    }
}

impl System for Store<'_> {
    fn latency(&mut self, _: Process, _: &Invocation) -> u64 {
        self.rng.random_range(MS..10 * MS)
    }

    fn complete(&mut self, process: Process, invocation: &Invocation) -> Completion {
        let client = if let Process::Client(number) = process { number } else { u64::MAX };
        let session = Session { client, seq: 1 };
        let Request::Kv(KvRequest { op, .. }) = self.workload.encode(invocation, session) else {
            panic!("{invocation:?} is asked of another api");
        };
        let luck = self.rng.random_range(0..1000);
        let outcome = if luck < self.refused {
            Outcome::Refused("no leader".to_owned())
        } else if luck < self.refused + self.unknown {
            if self.rng.random_bool(0.5) {
                self.apply(op);
            }
            Outcome::Unknown("timeout".to_owned())
        } else if invocation.node.is_some_and(|node| self.deaf.contains(&node)) {
            Outcome::Refused("not ready".to_owned())
        } else {
            Outcome::Answered(Response::Kv(self.apply(op)))
        };
        self.workload.decode(invocation, outcome)
    }
}

fn nodes() -> Vec<NodeId> {
    (1..=5).map(NodeId).collect()
}

fn register(seed: Seed, options: &[&str]) -> Box<dyn Workload> {
    let entry = registry::find("register").expect("it is there");
    let options = Options::parse(options).expect("well-formed");
    (entry.construct)(&options, seed, &nodes()).expect("good options")
}

/// A run of both phases, on ten threads.
struct Run {
    main: Vec<Event>,
    finale: Vec<Event>,
}

fn run(seed: Seed, options: &[&str], setup: &Setup, refused: u32, unknown: u32) -> Run {
    let mut workload = register(seed, options);
    let mut main = workload
        .main()
        .stagger(Duration::from_millis(1), seed.fork("pace"))
        .time_limit(Duration::from_secs(3));
    let mut store = Store::new(&*workload, seed, refused, unknown);
    let main = simulate(&mut main, setup, &mut store);
    let (values, rng) = (store.values, store.rng);
    let mut finale = workload.finale();
    let mut store = Store { workload: &*workload, values, rng, refused, unknown, deaf: [].into() };
    let finale = simulate(&mut finale, setup, &mut store);
    Run { main, finale }
}

fn key_of(event: &Event) -> String {
    event.key.as_ref().and_then(Value::as_str).expect("each operation has a key").to_owned()
}

/// The value that an invocation writes.
fn written(event: &Event) -> Option<i64> {
    match &*event.f {
        "write" => event.value.as_int(),
        "cas" => event.value.as_list()?.get(1)?.as_int(),
        _ => None,
    }
}

fn of_kind<'a>(
    events: &'a [Event],
    f: &'a str,
    kind: EventType,
) -> impl Iterator<Item = &'a Event> {
    events.iter().filter(move |event| &*event.f == f && event.kind == kind)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn values_are_unique_and_cas_succeed(seed: u64, refused in 0u32..100, unknown in 0u32..50) {
        let Run { main, .. } = run(Seed(seed), &[], &Setup::clients(10), refused, unknown);
        let invoked = main.iter().filter(|event| event.kind == EventType::Invoke);
        let values: Vec<i64> = invoked.filter_map(written).collect();
        let different: BTreeSet<i64> = values.iter().copied().collect();
        prop_assert_eq!(values.len(), different.len());
        let tried = of_kind(&main, "cas", EventType::Invoke).count();
        let worked = of_kind(&main, "cas", EventType::Ok).count();
        prop_assert!(tried > 300, "{} cas", tried);
        prop_assert!(worked * 5 >= tried, "{} of {} cas worked", worked, tried);
        prop_assert!(worked < tried, "no cas was refused");
    }

    #[test]
    fn keys_are_replaced_after_crashes(seed: u64) {
        let options = ["keys=3", "crashes-per-key=4", "ops-per-key=0"];
        let setup = Setup::clients(10);
        let Run { main, .. } = run(Seed(seed), &options, &setup, 0, 100);
        let mut crashes: BTreeMap<String, usize> = BTreeMap::new();
        let mut in_use: BTreeSet<String> = BTreeSet::new();
        for event in &main {
            let key = key_of(event);
            if event.kind == EventType::Info {
                *crashes.entry(key).or_default() += 1;
            } else if event.kind == EventType::Invoke {
                let crashed = crashes.get(&key).copied().unwrap_or(0);
                prop_assert!(crashed < 4, "{} is asked after {} crashes", key, crashed);
                in_use.insert(key);
            }
        }
        prop_assert!(in_use.len() > 10, "only {:?}", in_use);
        // Four, and what was in flight on the other nine threads.
        prop_assert!(crashes.values().all(|count| *count <= 4 + 9));
    }

    #[test]
    fn keys_are_replaced_after_their_quota(seed: u64) {
        let options = ["keys=4", "ops-per-key=50"];
        let Run { main, .. } = run(Seed(seed), &options, &Setup::clients(10), 0, 0);
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        for event in main.iter().filter(|event| event.kind == EventType::Invoke) {
            *asked.entry(key_of(event)).or_default() += 1;
        }
        let full = asked.values().filter(|count| **count == 50).count();
        prop_assert!(asked.values().all(|count| *count <= 50));
        prop_assert!(full + 4 >= asked.len(), "more than four keys are not used up");
    }

    #[test]
    fn final_reads_cover_all_keys_at_all_nodes(seed: u64, refused in 0u32..500) {
        let setup = Setup::clients(10);
        let Run { main, finale } = run(Seed(seed), &["ops-per-key=100"], &setup, refused, 20);
        let keys: BTreeSet<String> = main.iter().map(key_of).collect();
        let read: BTreeSet<(String, String)> = of_kind(&finale, "read", EventType::Ok)
            .map(|event| (key_of(event), event.node.as_ref().expect("named").to_string()))
            .collect();
        for key in keys {
            for node in nodes() {
                prop_assert!(read.contains(&(key.clone(), node.to_string())), "{key} at {node}");
            }
        }
        prop_assert_eq!(of_kind(&finale, "read", EventType::Ok).count(), read.len());
        prop_assert!(finale.iter().all(|event| &*event.f == "read"));
    }

    #[test]
    fn reads_never_crash(seed: u64) {
        let Run { main, .. } = run(Seed(seed), &[], &Setup::clients(10), 100, 200);
        prop_assert_eq!(of_kind(&main, "read", EventType::Info).count(), 0);
        prop_assert!(of_kind(&main, "read", EventType::Fail).count() > 0);
        prop_assert!(of_kind(&main, "write", EventType::Info).count() > 0);
    }

    #[test]
    fn asking_more_often_changes_nothing(seed: u64, ask_every in 10_000u64..2 * MS) {
        let often = Setup { ask_every: Some(ask_every), ..Setup::clients(10) };
        let (a, b) = (
            run(Seed(seed), &[], &Setup::clients(10), 50, 50),
            run(Seed(seed), &[], &often, 50, 50),
        );
        prop_assert_eq!(invocations(&a.main), invocations(&b.main));
        prop_assert_eq!(invocations(&a.finale), invocations(&b.finale));
    }
}

#[test]
fn a_deaf_node_does_not_hold_the_finale_up_for_ever() {
    let mut workload = register(Seed(1), &["keys=2"]);
    let mut main = workload.main().limit(10);
    let setup = Setup::clients(4);
    let mut store = Store::new(&*workload, Seed(2), 0, 0);
    simulate(&mut main, &setup, &mut store);
    let mut finale = workload.finale();
    let mut store = Store::new(&*workload, Seed(3), 0, 0);
    store.deaf.insert(NodeId(3));
    let history = simulate(&mut finale, &setup, &mut store);
    let answered = of_kind(&history, "read", EventType::Ok).count();
    let refused = of_kind(&history, "read", EventType::Fail).count() as u32;
    assert_eq!(answered, 2 * 4);
    assert_eq!(refused, 2 * quorate_workloads::register::FINAL_TRIES.most);
}

#[test]
fn all_nodes_are_asked_for_each_key() {
    // Thread i asks node i mod 5. At this rate nearly all threads are always free.
    let Run { main, .. } = run(Seed(9), &["ops-per-key=0"], &Setup::clients(10), 0, 0);
    let mut asked: BTreeMap<(String, u64), usize> = BTreeMap::new();
    for event in main.iter().filter(|event| event.kind == EventType::Invoke) {
        let Process::Client(number) = event.process else { continue };
        *asked.entry((key_of(event), number % 5)).or_default() += 1;
    }
    assert_eq!(asked.len(), 25);
    let (least, most) = (asked.values().min(), asked.values().max());
    assert!(asked.values().all(|count| (60..240).contains(count)), "{least:?} to {most:?}");
}
