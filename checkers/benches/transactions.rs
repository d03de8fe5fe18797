//! What it costs to check transactions whose values tell the order of versions (lists) or much of
//! it (registers): user CPU and memory, by size, next to `adya`, which does as Elle does too.
//!
//! ```text
//! cargo bench -p quorate-checkers --bench transactions             # all
//! cargo bench -p quorate-checkers --bench transactions -- lists    # rows whose name has "lists"
//! RUSTFLAGS="--cfg peers" cargo bench ...                          # and the peer
//! ```
//!
//! Histories are valid: one to four micro-operations a transaction on ten keys at a time, 32 writes
//! a key; one in fifty fails, one in a hundred ends without a word. The check goes from the history
//! in memory to the report; `from text` reads the same history from lines of JSON first. `B/txn` is
//! the most that was held at a time besides what was there before. Every verdict is known and
//! compared. The last column is the peer's CPU by ours. With linearizable keys the peer's time
//! grows with the square of the history: it is given a thousand transactions, and no more.
//!
//! `huge-scc` is Elle's own stress case: one component of most of 10,000 transactions. It is there
//! where the cases lie beside this repository.

#![expect(clippy::print_stdout, reason = "it is a report")]
#![expect(clippy::unwrap_used, reason = "the histories are our own")]

#[path = "linearizable/measure.rs"]
mod measure;
#[path = "../tests/transactions_support/mod.rs"]
mod transactions_support;

use measure::{Cost, measure};
use quorate_checkers::format::{Format, Options as Reading, read};
use quorate_checkers::history::{History, jsonl};
use quorate_checkers::transactions::{KeyRules, Options, Table, Workload, check};
use quorate_checkers::verdict::Valid;
use transactions_support::database::{Isolation, Load, simulate};
use transactions_support::{bytes, folder};

/// What is asked of registers, by name.
const RULES: [(&str, KeyRules); 3] = [
    ("no rule", KeyRules { sequential: false, linearizable: false, reads_before_writes: false }),
    ("seq. + wfr", KeyRules { sequential: true, linearizable: false, reads_before_writes: true }),
    (
        "linearizable",
        KeyRules { sequential: false, linearizable: true, reads_before_writes: false },
    ),
];

const MILLION: usize = 1_000_000;

/// How large a history is, and whether the peer is given it.
#[derive(Clone, Copy)]
struct Shape {
    txns: usize,
    clients: usize,
    peer: bool,
}

fn main() {
    // `cargo test --all-targets` runs benches without `--bench`: then small ones do.
    let real = std::env::args().any(|argument| argument == "--bench");
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let rows = Rows { filter };
    println!(
        "{:<44} {:>9}  {:<9} {:>12} {:>9} {:>7} {:>7}",
        "history", "txns", "checker", "user CPU", "ns/txn", "B/txn", "ratio"
    );
    let divisor = if real { 1 } else { 1000 };
    for (clients, peer_max) in [(10, MILLION), (100, MILLION / 10)] {
        for txns in [MILLION / 100, MILLION / 10, MILLION] {
            let shape = Shape { txns: (txns / divisor).max(100), clients, peer: txns <= peer_max };
            rows.valid("lists", shape, Workload::Append, KeyRules::default());
        }
    }
    for (rule, keys) in RULES {
        for txns in [MILLION / 1000, MILLION / 100, MILLION / 10] {
            let peer = !keys.linearizable || txns <= MILLION / 1000;
            let shape = Shape { txns: (txns / divisor).max(100), clients: 10, peer };
            rows.valid(&format!("registers, {rule}"), shape, Workload::Register, keys);
        }
    }
    rows.huge_scc();
}

struct Rows {
    filter: Option<String>,
}

/// A history in both forms, and what is asked of it.
struct Case {
    text: Vec<u8>,
    format: Format,
    options: Options,
    valid: Valid,
    txns: usize,
}

impl Rows {
    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// A valid history.
    fn valid(&self, kind: &str, shape: Shape, workload: Workload, keys: KeyRules) {
        let Shape { txns, clients, peer } = shape;
        let name = format!("{kind}, {clients} clients");
        if !self.wants(&name) {
            return;
        }
        let load = Load::new(workload, Isolation::StrictSerializable, 1);
        let history = simulate(Load { clients, transactions: txns, ..load });
        let mut text = Vec::new();
        jsonl::write(&mut text, history.events()).unwrap();
        drop(history);
        let options = Options { workload: Some(workload), keys, ..Options::default() };
        let format = Format::Jsonl;
        Case { text, format, options, valid: Valid::True, txns }.measure(&name, peer);
    }

    fn huge_scc(&self) {
        let name = "huge-scc";
        let Some(folder) = folder().filter(|_| self.wants(name)) else { return };
        let text = bytes(&folder.join("jepsen-edn/huge-scc.edn.gz"));
        let options = Options { workload: Some(Workload::Append), ..Options::default() };
        let reading = Reading::default();
        let history = read(&text[..], name, Format::Edn, reading).unwrap().history;
        let txns = Table::from_history(&history).unwrap().len();
        let case = Case { text, format: Format::Edn, options, valid: Valid::False, txns };
        case.measure(name, true);
    }
}

impl Case {
    /// Prints what the case takes.
    fn measure(&self, name: &str, with_peer: bool) {
        let read = || read(&self.text[..], name, self.format, Reading::default()).unwrap().history;
        let history = read();
        let judge = |history: &History| {
            let report = check(history, &self.options);
            assert_eq!(report.valid, self.valid, "{name}: {:?}", report.why);
        };
        let ((), ours) = measure(|| judge(&history));
        let ((), table) = measure(|| drop(Table::from_history(&history).unwrap()));
        drop(history);
        let ((), whole) = measure(|| judge(&read()));
        let from_text = format!("{name}, from text");
        self.row(&format!("{name}, table alone"), "quorate", table, None);
        let theirs = if with_peer { self.peer() } else { None };
        for (name, ours, theirs) in [
            (name, ours, theirs.map(|both| both.0)),
            (&from_text, whole, theirs.map(|both| both.1)),
        ] {
            self.row(name, "quorate", ours, None);
            if let Some(theirs) = theirs {
                self.row(name, "adya 0.1", theirs, Some(ours));
            }
        }
    }

    /// The peer is not built.
    #[cfg(not(peers))]
    #[expect(clippy::unused_self, reason = "where there is a peer it is given the case")]
    fn peer(&self) -> Option<(Cost, Cost)> {
        None
    }

    /// What the peer takes without and with reading.
    #[cfg(peers)]
    #[expect(clippy::unnecessary_wraps, reason = "where it is not built there is nothing")]
    fn peer(&self) -> Option<(Cost, Cost)> {
        let text = std::str::from_utf8(&self.text).unwrap();
        let workload = match self.options.workload {
            Some(Workload::Register) => adya::Workload::RwRegister,
            _ => adya::Workload::ListAppend,
        };
        let keys = self.options.keys;
        let options = adya::Opts {
            wfr_keys: keys.reads_before_writes,
            sequential_keys: keys.sequential,
            linearizable_keys: keys.linearizable,
            ..adya::Opts::default()
        };
        let expected =
            if self.valid == Valid::True { adya::Valid::True } else { adya::Valid::False };
        let (history, reading) = measure(|| adya::History::parse(text).unwrap());
        let (report, check) = measure(|| adya::check(&history, workload, &options));
        assert_eq!(report.valid, expected, "{:?}", report.anomaly_types);
        // What was read is there while it is checked.
        let bytes = reading.bytes.max(reading.kept + check.bytes);
        let whole = Cost { cpu: reading.cpu + check.cpu, bytes, kept: 0 };
        Some((check, whole))
    }

    /// Prints a row; `ours` is what the peer is compared with.
    fn row(&self, name: &str, checker: &str, cost: Cost, ours: Option<Cost>) {
        let txns = self.txns;
        let each = cost.cpu.as_nanos() as f64 / txns as f64;
        let bytes = cost.bytes as f64 / txns as f64;
        let cpu = format!("{:.3} ms", cost.cpu.as_secs_f64() * 1e3);
        let ratio = ours.map_or_else(String::new, |ours| {
            format!("{:.1}", cost.cpu.as_secs_f64() / ours.cpu.as_secs_f64())
        });
        println!(
            "{name:<44} {txns:>9}  {checker:<9} {cpu:>12} {each:>9.0} {bytes:>7.0} {ratio:>7}"
        );
    }
}
