//! From a history to a report: split by key, decide each, put together what was found.

use super::key::{KeyContext, KeyReport, undecided};
use super::kind::ModelKind;
use super::meter::{Meter, Purse};
use super::options::{Options, Unknown};
use super::variant::{Deadlines, Variant, clients};
use super::words::{CHECKER, of_key};
use super::{Outcome, append, counter, grow, in_parallel, lock, objects, pool, register, set};
use super::{texts, transactional};
use crate::history::{EventType, History, KeyGroup};
use crate::value::Value;
use crate::verdict::{Anomaly, CheckerReport, Valid};
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// Steps that each key may take before any key may take more.
const FIRST_ROUND_STEPS: u64 = 1 << 18;

/// Checks each key of `history` against a model, keys in parallel.
///
/// `ok` operations happened, `info` ones may yet, `fail` ones did not; except that a `cas` which
/// failed with the error `["precondition-failed", SEEN]` counts as a read of `SEEN`, and one
/// that failed with `precondition-failed` alone says that the value was not the one compared
/// with. The report's `details` count the keys that each algorithm decided, and
/// name them: `decided_by`.
///
/// Keys that need a long search wait until all others are decided, and are left undecided if
/// one of these is a violation already: one hard key does not hide an easy one.
pub fn check(history: &History, kind: ModelKind, options: &Options<'_>) -> CheckerReport {
    if !history.has_real_time() {
        let why = "the history does not say what happened before what, so that linearizability \
                   means nothing for it";
        return CheckerReport::unknown(why.into());
    }
    if kind == ModelKind::AppendText
        && let Some(lists) = texts::as_lists(history)
    {
        let mut report = check(&lists, ModelKind::AppendList, options);
        report.details.insert("model".into(), json!(kind.to_string()));
        return report;
    }
    if options.variant == Variant::Plain {
        return check_until(history, kind, options, None);
    }
    let mut report = match options.variant {
        Variant::Durable => durable(history, kind, options),
        variant => {
            let deadlines = Deadlines::of(history, variant, 0);
            check_until(history, kind, options, deadlines.as_ref())
        }
    };
    let name = options.variant.to_string();
    report.models = BTreeMap::from([(name.clone(), report.valid)]);
    report.details.insert("variant".into(), json!(name));
    report
}

/// The durable variant: who goes on after a crash depends on how many clients there were.
fn durable(history: &History, kind: ModelKind, options: &Options<'_>) -> CheckerReport {
    let known = options.clients.map(|count| (count, "as told"));
    let known =
        known.or_else(|| clients(history).map(|count| (count, "by the numbers of processes")));
    let until = |variant, count| {
        let deadlines = Deadlines::of(history, variant, count);
        check_until(history, kind, options, deadlines.as_ref())
    };
    let (mut report, by) = if let Some((count, by)) = known {
        (until(Variant::Durable, count), by)
    } else {
        let plain = until(Variant::Plain, 0);
        let crashed = history.ops().any(|op| op.outcome == EventType::Info);
        let open = plain.valid == Valid::True && crashed;
        let strict = open.then(|| until(Variant::Strict, 0));
        let report = match strict {
            Some(strict) if strict.valid == Valid::True => strict,
            Some(_) => depends_on_clients(plain),
            None => plain,
        };
        (report, "the history does not tell")
    };
    report.details.insert("clients".into(), json!(known.map(|(count, _)| count)));
    report.details.insert("clients_by".into(), json!(by));
    report
}

/// What holds for one number of clients and perhaps not for another.
fn depends_on_clients(plain: CheckerReport) -> CheckerReport {
    let why = "Undecided: whether an operation that crashed took effect in time depends on which \
               process its client went on as, and neither a plan nor the numbers of the processes \
               tell how many clients there were.";
    CheckerReport { valid: Valid::Unknown, why: Some(why.into()), ..plain }
}

/// Checks each key where crashed operations have these deadlines.
fn check_until(
    history: &History,
    kind: ModelKind,
    options: &Options<'_>,
    deadlines: Option<&Deadlines>,
) -> CheckerReport {
    let partition = history.by_key();
    let purse = Purse::new(options);
    let groups: Vec<KeyGroup<'_>> = partition.groups().collect();
    let decide = |at: usize, bytes: usize, steps_max: u64| {
        let meter = Meter::new(options, &purse, bytes).at_most(steps_max);
        check_key_until(history, groups[at], kind, meter, deadlines)
    };
    let all = (0..groups.len()).collect();
    let mut reports = in_parallel(options, all, |at, bytes| decide(at, bytes, FIRST_ROUND_STEPS));
    if reports.iter().all(|report| report.outcome != Outcome::Violation) {
        let long = |at: &usize| match &reports[*at].outcome {
            Outcome::Unknown(why) => why.is_short_of_steps(),
            _ => false,
        };
        let hard: Vec<usize> = (0..groups.len()).filter(long).collect();
        let again = in_parallel(options, hard.clone(), |at, bytes| decide(at, bytes, u64::MAX));
        for (at, report) in hard.into_iter().zip(again) {
            reports[at] = report;
        }
    }
    let keys: Vec<Option<&Value>> = groups.iter().map(|group| group.key).collect();
    assemble(kind, &keys, reports, history.operations().len())
}

/// Decides one key by the cheapest algorithm that is exact for it.
pub(super) fn check_key(
    history: &History,
    group: KeyGroup<'_>,
    kind: ModelKind,
    meter: Meter<'_>,
) -> KeyReport {
    check_key_until(history, group, kind, meter, None)
}

/// The same where crashed operations have deadlines.
fn check_key_until<'a>(
    history: &'a History,
    group: KeyGroup<'a>,
    kind: ModelKind,
    meter: Meter<'_>,
    deadlines: Option<&'a Deadlines>,
) -> KeyReport {
    let mut context = KeyContext { history, group, meter, deadlines };
    match kind {
        // What intervals, levels and holds know nothing of: the search does.
        ModelKind::OwnedLock if deadlines.is_some() => objects::owned_lock(&mut context),
        ModelKind::Counter if deadlines.is_some() => counter::search(&mut context),
        ModelKind::GrowOnlySet if context.has_deadlines() => {
            let why = "the variant is not decided for sets read as a whole with crashed additions";
            undecided(Unknown::Input(why.into()))
        }
        ModelKind::Register => register::check(&mut context),
        ModelKind::AppendList => append::check(&mut context),
        ModelKind::AppendText => texts::check(&mut context),
        ModelKind::MultiRegister => transactional::check(&mut context),
        ModelKind::Set => set::check(&mut context),
        ModelKind::GrowOnlySet => grow::check(&mut context),
        ModelKind::Queue | ModelKind::Stack | ModelKind::PriorityQueue => {
            pool::check(&mut context, kind)
        }
        ModelKind::Counter => counter::check(&mut context),
        ModelKind::Semaphore => objects::semaphore(&mut context),
        ModelKind::Mutex => objects::mutex(&mut context),
        ModelKind::OwnedLock => lock::check(&mut context),
    }
}

/// How many keys of each algorithm a report names.
const NAMED_MAX: usize = 1000;

/// Puts together what was found of each key.
pub(super) fn assemble(
    kind: ModelKind,
    keys: &[Option<&Value>],
    reports: Vec<KeyReport>,
    operations: usize,
) -> CheckerReport {
    let mut algorithms: BTreeMap<String, u64> = BTreeMap::new();
    let mut decided: BTreeMap<String, Vec<serde_json::Value>> = BTreeMap::new();
    let (mut bad, mut open): (Vec<Option<&Value>>, Vec<String>) = (Vec::new(), Vec::new());
    let mut anomalies: Vec<Anomaly> = Vec::new();
    for (key, report) in keys.iter().zip(reports) {
        *algorithms.entry(report.algorithm.to_string()).or_default() += 1;
        let by = decided.entry(report.algorithm.to_string()).or_default();
        if by.len() < NAMED_MAX {
            by.push(shown(*key));
        }
        match report.outcome {
            Outcome::Linearizable => {}
            Outcome::Violation => bad.push(*key),
            Outcome::Unknown(why) => open.push(format!("{why}{}", of_key(*key))),
        }
        anomalies.extend(report.anomaly);
    }
    let valid = match (bad.as_slice(), open.as_slice()) {
        ([], []) => Valid::True,
        ([], _) => Valid::Unknown,
        _ => Valid::False,
    };
    let why = match (bad.first(), open.first()) {
        (Some(key), _) => Some(match anomalies.first() {
            Some(anomaly) => anomaly.explanation.clone(),
            None => format!("No order of the operations{} explains their answers.", of_key(*key)),
        }),
        (None, Some(why)) => Some(format!("Linearizability is undecided: {why}.")),
        (None, None) => None,
    };
    let mut details = Map::new();
    details.insert("model".into(), json!(kind.to_string()));
    details.insert("keys".into(), json!(keys.len()));
    details.insert("operations".into(), json!(operations));
    details.insert("algorithms".into(), json!(algorithms));
    details.insert("decided_by".into(), json!(decided));
    details.insert("invalid_keys".into(), bad.iter().map(|key| shown(*key)).collect());
    details.insert("undecided".into(), json!(open));
    let models = BTreeMap::from([(CHECKER.to_string(), valid)]);
    CheckerReport { valid, why, details, anomalies, models }
}

fn shown(key: Option<&Value>) -> serde_json::Value {
    key.map_or(serde_json::Value::Null, serde_json::Value::from)
}
