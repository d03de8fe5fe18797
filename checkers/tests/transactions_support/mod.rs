//! Elle's verdicts on small histories, as they lie beside this repository.

#![allow(dead_code, reason = "each test uses what it needs")]

pub(crate) mod database;
pub(crate) mod oracle;
pub(crate) mod reasons;
pub(crate) mod written;

use quorate_checkers::format::{Format, Options as Reading, read};
use quorate_checkers::history::History;
use quorate_checkers::transactions::{AnomalyKind, KeyRules, KindSet, Options, TxnModel, Workload};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A history with what Elle said of it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) history: History,
    pub(crate) options: Options,
    pub(crate) expected: Expected,
    /// The cycles that Elle showed, by their kinds: what each step of one says.
    pub(crate) cycles: Value,
}

/// What Elle said.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) valid: String,
    pub(crate) types: BTreeSet<String>,
    pub(crate) not: BTreeSet<String>,
    pub(crate) also_not: BTreeSet<String>,
}

/// The folder of the cases, if it is there.
pub(crate) fn folder() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/transactions");
    path.is_dir().then_some(path)
}

#[expect(clippy::disallowed_methods, reason = "the test reads the files; the crate does not")]
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    let raw = std::fs::read(path).expect("a readable case");
    if raw.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&raw[..]).read_to_end(&mut plain).expect("a whole file");
        plain
    } else {
        raw
    }
}

/// All cases of a file.
pub(crate) fn cases(path: &Path, workload: Workload) -> Vec<Case> {
    let text = String::from_utf8(bytes(path)).expect("text");
    text.lines().map(|line| case(line, workload)).collect()
}

fn case(line: &str, workload: Workload) -> Case {
    let json: Value = serde_json::from_str(line).expect("a case is JSON");
    let name = json["name"].as_str().expect("a name").to_owned();
    let mut events = json["history"].clone();
    without_overlap(&mut events);
    let ranks = &json["opts"]["transaction-order"];
    for event in events.as_array_mut().expect("a list of events") {
        if let Some(rank) = ranks.get(event["index"].to_string()) {
            event["rank"] = rank.clone();
        }
    }
    let text = events.to_string();
    let reading = Reading { synthesise: true, ..Reading::default() };
    let history = read(text.as_bytes(), &name, Format::ElleJson, reading)
        .unwrap_or_else(|error| panic!("{error}"))
        .history;
    let options = options(&json["opts"], workload);
    let expect = &json["expect"];
    let valid = match &expect["valid"] {
        Value::Bool(valid) => valid.to_string(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let mut types = strings(&expect["anomaly_types"]);
    types.remove("empty-transaction-graph");
    let models = |names: BTreeSet<String>| -> BTreeSet<String> {
        names.iter().map(|name| model(name).name().to_owned()).collect()
    };
    let expected = Expected {
        valid,
        types,
        not: models(strings(&expect["not"])),
        also_not: models(strings(&expect["also_not"])),
    };
    Case { name, history, options, expected, cycles: json["anomalies"].clone() }
}

/// Two cases let a process invoke while it is busy: there all events lose their process, and the
/// reader gives each operation one of its own.
fn without_overlap(events: &mut Value) {
    let events = events.as_array_mut().expect("a list of events");
    let mut busy = BTreeSet::new();
    let overlap = events.iter().any(|event| {
        let process = event["process"].to_string();
        if event["type"] == "invoke" {
            !busy.insert(process)
        } else {
            busy.remove(&process);
            false
        }
    });
    for event in events.iter_mut().filter(|_| overlap) {
        event.as_object_mut().expect("an event").remove("process");
    }
}

fn options(json: &Value, workload: Workload) -> Options {
    let flag = |name: &str| json[name].as_bool().unwrap_or(false);
    let anomalies: KindSet = strings(&json["anomalies"])
        .iter()
        .map(|name| AnomalyKind::from_name(name).unwrap_or_else(|| panic!("no anomaly {name}")))
        .collect();
    Options {
        workload: Some(workload),
        models: strings(&json["consistency-models"]).iter().map(|name| model(name)).collect(),
        anomalies,
        keys: KeyRules {
            sequential: flag("sequential-keys?"),
            linearizable: flag("linearizable-keys?"),
            reads_before_writes: flag("wfr-keys?"),
        },
        transaction_order: json.get("transaction-order").map(|_| "rank".to_owned()),
        everything: false,
        ..Options::default()
    }
}

fn model(name: &str) -> TxnModel {
    name.parse().unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn strings(json: &Value) -> BTreeSet<String> {
    let items = json.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
