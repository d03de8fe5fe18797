//! The workloads of transactions against a store in memory that is atomic, but may answer late,
//! refuse, or not answer at all: what they ask is what they should, and nothing is found.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use quorate_checkers::history::{Event, EventType, History, Process};
use quorate_checkers::transactions::{self, KeyRules};
use quorate_checkers::value::Value;
use quorate_checkers::verdict::{CheckerReport, Valid};
use quorate_checkers::{invariants, stats};
use quorate_targets::api::kv::Session;
use quorate_targets::api::txn::{Op, Request as TxnRequest, Response as TxnResponse};
use quorate_targets::api::{Outcome, Request, Response};
use quorate_targets::node::NodeId;
use quorate_targets::raft::{Command, Index, Machine, Past, Rules, Transact, Work};
use quorate_targets::seed::Seed;
use quorate_workloads::generator::simulate::{Setup, System, simulate};
use quorate_workloads::generator::{Combine, Invocation};
use quorate_workloads::options::Options;
use quorate_workloads::registry::{self, WORKLOADS};
use quorate_workloads::workload::{Check, Completion, Workload};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One millisecond, in nanoseconds.
const MS: u64 = 1_000_000;

/// An atomic store behind a bad line. A transaction takes effect at its completion, or never.
struct Store<'a> {
    workload: &'a dyn Workload,
    machine: Machine,
    applied: u64,
    rng: ChaCha8Rng,
    /// Of a thousand operations, so many are refused and so many get no answer.
    refused: u32,
    unknown: u32,
}

impl Store<'_> {
    fn apply(&mut self, request: TxnRequest) -> TxnResponse {
        let Op::Txn { ops } = request.op else { panic!("no whole transaction: {request:?}") };
        let command = Command::Txn(Transact { work: Work::Whole { ops }, session: None });
        self.applied += 1;
        let rules = Rules::correct(1);
        let response =
            self.machine.apply(&command, Index(self.applied), rules, &mut Past::default());
        match Response::from(response) {
            Response::Txn(response) => response,
            other => panic!("another api: {other:?}"),
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
        let Request::Txn(request) = self.workload.encode(invocation, session) else {
            panic!("another api");
        };
        let luck = self.rng.random_range(0..1000);
        let outcome = if luck < self.refused {
            Outcome::Refused("no leader".to_owned())
        } else if luck < self.refused + self.unknown {
            if self.rng.random_bool(0.5) {
                self.apply(request);
            }
            Outcome::Unknown("timeout".to_owned())
        } else {
            Outcome::Answered(Response::Txn(self.apply(request)))
        };
        self.workload.decode(invocation, outcome)
    }
}

fn construct(name: &str, options: &[&str], seed: Seed) -> Box<dyn Workload> {
    let options = Options::parse(options).unwrap();
    let nodes = [NodeId(1), NodeId(2), NodeId(3)];
    (registry::find(name).unwrap().construct)(&options, seed, &nodes).unwrap()
}

/// Main and final phase.
fn run(name: &str, options: &[&str], seed: u64, trouble: bool) -> History {
    let seed = Seed(seed);
    let mut workload = construct(name, options, seed);
    let rate = Duration::from_millis(1);
    let mut main = workload.main().stagger(rate, seed).time_limit(Duration::from_secs(1));
    let finale = construct(name, options, seed);
    let (refused, unknown) = if trouble { (100, 50) } else { (0, 0) };
    let rng = seed.stream("store");
    let (machine, applied) = (Machine::default(), 0);
    let store = &mut Store { workload: finale.as_ref(), machine, applied, rng, refused, unknown };
    let mut events = simulate(&mut main, &Setup::clients(10), store);
    (store.refused, store.unknown) = (0, 0);
    let last = simulate(&mut workload.finale(), &Setup::clients(10), store);
    let (end, count) = (events.last().map_or(0, |event| event.time.0), events.len() as u32);
    events.extend(last.into_iter().map(|mut event| {
        event.index.0 += count;
        event.time.0 += end;
        let Process::Client(number) = &mut event.process else { return event };
        *number += 1_000_000;
        event
    }));
    History::from_events(events).unwrap()
}

fn judge(history: &History, check: Check) -> CheckerReport {
    match check {
        Check::Invariant { name } => invariants::find(name).unwrap().judge(history),
        Check::Transactions { .. } => {
            let keys = KeyRules { sequential: true, linearizable: true, reads_before_writes: true };
            transactions::check(history, &transactions::Options { keys, ..Default::default() })
        }
        Check::Stats => stats::check(history),
        other => panic!("{other:?} is of another api"),
    }
}

fn txn_workloads() -> impl Iterator<Item = &'static registry::Entry> {
    WORKLOADS.iter().filter(|entry| entry.api == "txn")
}

#[test]
fn nothing_is_found_in_an_atomic_store() {
    for entry in txn_workloads() {
        for (seed, trouble) in [(1, false), (2, true), (3, true)] {
            let history = run(entry.name, &[], seed, trouble);
            assert!(history.operations().len() > 500, "{} did next to nothing", entry.name);
            for check in entry.checks {
                let report = judge(&history, *check);
                let why = report.why.as_deref().unwrap_or_default();
                assert_eq!(report.valid, Valid::True, "{} {check:?} {seed}: {why}", entry.name);
            }
        }
    }
}

#[test]
fn one_seed_asks_the_same_twice() {
    for entry in txn_workloads() {
        let asked = |seed| {
            let history = run(entry.name, &[], seed, false);
            history.into_events().into_iter().map(|event| (event.f, event.key, event.value))
        };
        assert!(asked(1).eq(asked(1)), "{}", entry.name);
        let fixed = matches!(entry.name, "g2" | "write-skew");
        assert!(fixed || !asked(1).eq(asked(2)), "{} ignores its seed", entry.name);
    }
}

/// The micro-operations of all invocations of the main phase.
fn asked(history: &History) -> Vec<Vec<(String, Value, Value)>> {
    let invoked = |event: &&Event| {
        event.kind == EventType::Invoke && event.process < Process::Client(1_000_000)
    };
    let micro_op = |op: &Value| match op.as_list().unwrap() {
        [kind, key, value] => (kind.as_str().unwrap().to_owned(), key.clone(), value.clone()),
        other => panic!("{other:?}"),
    };
    let ops = |event: &Event| event.value.as_list().unwrap().iter().map(micro_op).collect();
    history.events().iter().filter(invoked).map(ops).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Lengths, numbers of writes and of keys are what the options say; each value is written to
    /// its key once.
    #[test]
    fn random_transactions_are_as_the_options_say(
        uniform in any::<bool>(),
        append in any::<bool>(),
        count in 1usize..12,
        writes_max in 1usize..20,
        least in 1usize..4,
        more in 0usize..4,
        seed in 0u64..1000,
    ) {
        let dist = if uniform { "uniform" } else { "exponential" };
        let options = [
            format!("key-dist={dist}"),
            format!("key-count={count}"),
            format!("max-writes-per-key={writes_max}"),
            format!("min-txn-length={least}"),
            format!("max-txn-length={}", least + more),
        ];
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let (name, write) = if append { ("append", "append") } else { ("wr", "w") };
        let history = run(name, &options, seed, false);
        let mut written: BTreeMap<Value, BTreeSet<Value>> = BTreeMap::new();
        let mut lengths = BTreeSet::new();
        for ops in asked(&history) {
            lengths.insert(ops.len());
            for (kind, key, value) in ops {
                if kind == "r" {
                    prop_assert!(value.is_null());
                    continue;
                }
                prop_assert_eq!(&kind, write);
                prop_assert!(written.entry(key).or_default().insert(value), "a value twice");
            }
        }
        prop_assert!(lengths.iter().all(|n| (least..=least + more).contains(n)), "{:?}", lengths);
        prop_assert!(written.values().all(|values| values.len() <= writes_max));
        let open = written.values().filter(|values| values.len() < writes_max).count();
        prop_assert!(open <= count, "{} keys are in use, not {}", open, count);
    }
}

#[test]
fn mini_transactions_write_only_what_they_have_read() {
    let history = run("mini-txn", &[], 1, false);
    let (mut writes, mut pairs) = (0, 0);
    for ops in asked(&history) {
        let mut read = BTreeSet::new();
        for (kind, key, _) in ops {
            if kind == "r" {
                assert!(read.insert(key), "a key is read twice");
            } else {
                assert!(read.contains(&key), "{key} is written unread");
                writes += 1;
            }
        }
        assert!((1..=2).contains(&read.len()));
        pairs += usize::from(read.len() == 2);
    }
    assert!(writes > 100 && pairs > 100, "{writes} writes, {pairs} of two keys");
}

#[test]
fn balances_below_nothing_are_an_option() {
    let negative = |history: &History| {
        history.events().iter().any(|event| match event.value.as_map() {
            Some(balances) if event.kind == EventType::Ok && &*event.f == "read" => {
                balances.iter().any(|(_, balance)| balance.as_int().unwrap() < 0)
            }
            _ => false,
        })
    };
    let aborted =
        |history: &History| history.ops().filter(|op| op.outcome == EventType::Fail).count();
    let (strict, loose) =
        (run("bank", &[], 1, false), run("bank", &["negative-balances=yes"], 1, false));
    assert!(!negative(&strict) && aborted(&strict) > 0, "no transfer was too large");
    assert!(negative(&loose) && aborted(&loose) == 0);
}

#[test]
fn options_that_cannot_be_used_are_explained() {
    for (name, options, told) in [
        ("append", &["key-dist=zipf"][..], "`key-dist` must be exponential or uniform"),
        ("append", &["min-txn-length=5"], "`min-txn-length` is above `max-txn-length`"),
        ("wr", &["key-count=0"], "`key-count` must be a whole number from 1 to 100"),
        ("mini-txn", &["max-txn-length=3"], "there is no option `max-txn-length`"),
        ("bank", &["accounts=1"], "`accounts` must be a whole number from 2"),
        ("bank", &["negative-balances=maybe"], "must be yes or no"),
        ("g2", &["keys=3"], "there is no option `keys`"),
    ] {
        let parsed = Options::parse(options).unwrap();
        let made = (registry::find(name).unwrap().construct)(&parsed, Seed(1), &[NodeId(1)]);
        let error = made.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(told), "{name} {options:?}: {error}");
    }
}
