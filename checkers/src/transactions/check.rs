//! From a history to a report: which anomalies, and which models these rule out.

use super::committed::Committed;
use super::cycles::{self, Cycle, Found, Level};
use super::finding::Findings;
use super::graph::{Edges, Why};
use super::holds::{self, Holds, Open};
use super::kind::{AnomalyKind, KindSet};
use super::lattice::TxnModel;
use super::order::{self, Intervals};
use super::step::Step;
use super::stop::Stop;
use super::table::{Action, MicroOp, Table};
use super::{closed_predicate, list_append, parse, rw_register};
use crate::history::{History, OpIndex};
use crate::verdict::{Anomaly, CheckerReport, Valid};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::fmt;

/// The name of this checker in reports.
pub const CHECKER: &str = "transactions";

/// What the values of a history's keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// Lists that are appended to.
    Append,
    /// Registers; each value is written to a key at most once.
    Register,
    /// Rows that come and go, read by key or by predicate; each value is written to a row at most
    /// once.
    ClosedPredicate,
}

/// Which rules may order the versions of a register. The more hold of the database under test,
/// the more anomalies are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyRules {
    /// Each key is sequentially consistent: each session sees its versions in one order.
    pub sequential: bool,
    /// Each key is linearizable: its versions follow real time.
    pub linearizable: bool,
    /// Who reads a version and writes another wrote the later one.
    pub reads_before_writes: bool,
}

/// What is asked of a history, and how much may be spent.
#[derive(Clone, Debug)]
pub struct Options {
    /// Lists or registers; guessed from the operations where absent.
    pub workload: Option<Workload>,
    /// Models that must hold; strict serializability where neither these nor anomalies are
    /// named.
    pub models: Vec<TxnModel>,
    /// Anomalies that must not be there. A group such as `G1` stands for all that imply it.
    pub anomalies: KindSet,
    /// How versions of registers are ordered.
    pub keys: KeyRules,
    /// Registers: the field of the events that end transactions which says in which order these
    /// wrote; where it is missing or no whole number nothing is known. [`check`] reads it.
    pub transaction_order: Option<String>,
    /// Registers: what to say where the order of versions is open.
    pub open: Open,
    /// Look for cycles through sessions and real time even if nothing that was asked for
    /// depends on them: then the report says of each model whether it may hold.
    pub everything: bool,
    /// Whether it is known what ended before what began. [`check`] asks the history too.
    pub real_time: bool,
    /// Edges that may be looked at beyond a few passes over the graph.
    pub steps: u64,
}

impl Default for Options {
    /// Strict serializability, a guessed workload, no rules for keys, four billion steps.
    fn default() -> Options {
        Options {
            workload: None,
            models: Vec::new(),
            anomalies: KindSet::EMPTY,
            keys: KeyRules::default(),
            transaction_order: None,
            open: Open::Pass,
            everything: true,
            real_time: true,
            steps: 4_000_000_000,
        }
    }
}

impl Workload {
    /// All of them.
    pub const ALL: [Workload; 3] =
        [Workload::Append, Workload::Register, Workload::ClosedPredicate];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Workload::Append => "append",
            Workload::Register => "wr",
            Workload::ClosedPredicate => "closed-predicate",
        }
    }

    /// By the operations: lists if anything was appended or read as a list, rows if anything was
    /// inserted, deleted or read by predicate, else registers. An error where some say the one and
    /// some the other. Linear, and holds nothing.
    pub fn guess(history: &History) -> Result<Workload, Unguessed> {
        let told = Workload::told_by(|wanted| parse::shows(history, wanted))?;
        let rows = told == Workload::Register && closed_predicate::has_initial_rows(history);
        Ok(if rows { Workload::ClosedPredicate } else { told })
    }

    fn of_table(table: &Table) -> Result<Workload, Unguessed> {
        let sign = |op: &MicroOp| match op.action {
            Action::Append(_) | Action::ReadList(_) => Some(Workload::Append),
            Action::Write(_) => Some(Workload::Register),
            Action::Read(value) => (value != super::ValueId::NIL).then_some(Workload::Register),
            Action::ReadUnknown => None,
            _ => Some(Workload::ClosedPredicate),
        };
        let is_wanted =
            |op: &MicroOp, wanted: &[Workload]| sign(op).is_some_and(|sign| wanted.contains(&sign));
        Workload::told_by(|wanted| table.all_ops().iter().any(|op| is_wanted(op, wanted)))
    }

    /// By whether any operation says one of some workloads.
    fn told_by(shows: impl Fn(&[Workload]) -> bool) -> Result<Workload, Unguessed> {
        use Workload::{Append, ClosedPredicate, Register};
        match (shows(&[Append]), shows(&[Register, ClosedPredicate])) {
            (true, true) => Err(Unguessed),
            (true, false) => Ok(Append),
            // Rows are read and written by key too.
            (false, true) if shows(&[ClosedPredicate]) => Ok(ClosedPredicate),
            (false, _) => Ok(Register),
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A history with both lists and registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "some transactions append to lists and others write registers or rows: no rule covers both"
)]
pub struct Unguessed;

impl Options {
    /// The kinds of anomaly that make a history invalid.
    pub fn forbidden(&self) -> KindSet {
        let models = self.models.iter().fold(KindSet::EMPTY, |all, m| all.or(m.contradicted_by()));
        let named = self.anomalies.iter().fold(models, |all, kind| all.or(kind.implied_by()));
        if self.models.is_empty() && self.anomalies.is_empty() {
            return TxnModel::strict_serializable().forbids();
        }
        named
    }

    /// The models that must hold.
    fn asked(&self) -> Vec<TxnModel> {
        if self.models.is_empty() && self.anomalies.is_empty() {
            return vec![TxnModel::strict_serializable()];
        }
        self.models.clone()
    }

    /// The orders that cycles may use.
    fn levels(&self) -> Vec<Level> {
        if self.everything {
            let mut levels = vec![Level::Plain, Level::Process];
            levels.extend(self.real_time.then_some(Level::Realtime));
            return levels;
        }
        let forbidden = self.forbidden();
        let any = |suffix: &str| forbidden.iter().any(|kind| kind.name().ends_with(suffix));
        if any("-realtime") {
            vec![Level::Plain, if self.real_time { Level::Realtime } else { Level::Process }]
        } else if any("-process") {
            vec![Level::Plain, Level::Process]
        } else {
            vec![Level::Plain]
        }
    }
}

/// Checks all transactions of a history.
pub fn check(history: &History, options: &Options) -> CheckerReport {
    check_until(history, options, &|| false)
}

/// Checks all transactions of a history until `stop` says so, which is asked now and then: what was
/// found by then stands, and what was not makes the verdict unknown.
pub fn check_until(
    history: &History,
    options: &Options,
    stop: &(dyn Fn() -> bool + Sync),
) -> CheckerReport {
    let real_time = options.real_time && history.has_real_time();
    let linearizable = options.keys.linearizable && real_time;
    let keys = KeyRules { linearizable, ..options.keys };
    let options = Options { keys, real_time, ..options.clone() };
    let rows = match options.workload {
        Some(workload) => workload == Workload::ClosedPredicate,
        None => Workload::guess(history) == Ok(Workload::ClosedPredicate),
    };
    let table = if rows { closed_predicate::table(history) } else { Table::from_history(history) };
    match table {
        Ok(table) if table.is_empty() && !history.operations().is_empty() => {
            CheckerReport::unknown("The history holds no transactions.".into())
        }
        Ok(table) => {
            let ranks = match &options.transaction_order {
                Some(field) => ranks(history, &table, field),
                None => Vec::new(),
            };
            if let Some(field) = &options.transaction_order
                && ranks.iter().all(Option::is_none)
            {
                let why = format!(
                    "There is no order to go by: no transaction has a field `{field}` with a whole number."
                );
                return CheckerReport::unknown(why);
            }
            judge(&table, &options, ranks, &Stop::when(stop))
        }
        Err(error) => CheckerReport::unknown(format!("A transaction makes no sense: {error}.")),
    }
}

/// Checks a table of transactions.
pub fn check_table(table: &Table, options: &Options) -> CheckerReport {
    judge(table, options, Vec::new(), &Stop::when(&|| false))
}

/// The place of each transaction in an order that the history itself tells.
fn ranks(history: &History, table: &Table, field: &str) -> Vec<Option<i64>> {
    let of = |at: OpIndex| {
        let extra = history.event(at).extra.as_deref().unwrap_or_default();
        extra.iter().find(|(name, _)| name.as_str() == field)?.1.as_int()
    };
    table.txns().iter().map(|txn| txn.complete.and_then(of)).collect()
}

/// `ranks` is empty or has a place for each transaction.
fn judge(
    table: &Table,
    options: &Options,
    ranks: Vec<Option<i64>>,
    stop: &Stop<'_>,
) -> CheckerReport {
    let guessed = options.workload.map_or_else(|| Workload::of_table(table), Ok);
    let workload = match guessed {
        Ok(workload) => workload,
        Err(error) => return CheckerReport::unknown(format!("{error}.")),
    };
    if let Err(why) = fits(table, workload) {
        return CheckerReport::unknown(why);
    }
    let nothing = Edges::between(0);
    let report = Report { table, options, workload, data: 0, ordered: false, stop };
    match workload {
        Workload::Append => {
            let mut lists = list_append::infer(table, stop);
            let edges = std::mem::replace(&mut lists.edges, nothing);
            let explain = |a, b, why| list_append::explain(table, &lists, a, b, why);
            report.conclude(&lists.committed, &lists.findings, edges, &explain)
        }
        Workload::Register => {
            let mut registers = rw_register::infer(table, options.keys, ranks, stop);
            let edges = std::mem::replace(&mut registers.edges, nothing);
            let explain = |a, b, why| rw_register::explain(table, &registers, a, b, why);
            report.conclude(&registers.committed, &registers.findings, edges, &explain)
        }
        Workload::ClosedPredicate => {
            let wfr_keys = options.keys.reads_before_writes;
            let mut rows = closed_predicate::infer(table, wfr_keys, stop);
            let edges = std::mem::replace(&mut rows.edges, nothing);
            let explain = |a, b, why| closed_predicate::explain(table, &rows, a, b, why);
            report.conclude(&rows.committed, &rows.findings, edges, &explain)
        }
    }
}

/// Whether the operations are those of the workload.
fn fits(table: &Table, workload: Workload) -> Result<(), String> {
    let odd = table.ids().find_map(|id| {
        let misfit = |action: Action| match (workload, action) {
            (Workload::Append, Action::Read(value)) => value != super::ValueId::NIL,
            (Workload::Append, Action::ReadList(_) | Action::Append(_))
            | (Workload::Register, Action::Read(_) | Action::Write(_))
            | (_, Action::ReadUnknown) => false,
            (Workload::ClosedPredicate, action) => {
                matches!(action, Action::ReadList(_) | Action::Append(_))
            }
            _ => true,
        };
        table.ops(id).iter().find(|op| misfit(op.action)).map(|op| (id, *op))
    });
    let Some((id, op)) = odd else { return Ok(()) };
    Err(format!(
        "The workload {workload} has no micro-operation ({}), but {} does that.",
        table.op_words(op.key, op.action),
        table.who(id.0)
    ))
}

/// Cycles, and whether any order beyond the data's was there at all.
fn search(
    table: &Table,
    committed: &Committed,
    mut edges: Edges,
    levels: &[Level],
    (steps, stop): (u64, &Stop<'_>),
) -> (Found, bool) {
    let part = |txn: usize| committed.contains(txn as u32);
    let before = edges.len();
    if levels.contains(&Level::Process) {
        order::add_sessions(&mut edges, table, part);
    }
    let mut ordered = edges.len() > before;
    let intervals = if levels.contains(&Level::Realtime) {
        Intervals::of(table, part)
    } else {
        Intervals::of(table, |_| false)
    };
    let first_end = intervals.end.iter().min().copied().unwrap_or(Intervals::NEVER);
    ordered |= intervals.begin.iter().any(|begin| *begin > first_end);
    let graph = edges.into_graph();
    (cycles::search(&graph, &intervals, levels, steps, stop), ordered)
}

/// Finds the evidence for an edge.
type Explain<'a> = dyn Fn(u32, u32, Why) -> Option<Step> + 'a;

/// Everything on the way into a report.
struct Report<'a> {
    table: &'a Table,
    options: &'a Options,
    workload: Workload,
    /// How many dependencies of data there are.
    data: usize,
    /// Whether an order of sessions or of time was looked at and held anything.
    ordered: bool,
    stop: &'a Stop<'a>,
}

impl Report<'_> {
    /// Searches for cycles and puts everything together.
    fn conclude(
        mut self,
        committed: &Committed,
        findings: &Findings,
        edges: Edges,
        explain: &Explain<'_>,
    ) -> CheckerReport {
        let levels = self.options.levels();
        self.data = edges.len();
        let limits = (self.options.steps, self.stop);
        let (found, ordered) = search(self.table, committed, edges, &levels, limits);
        self.ordered = ordered;
        self.assemble(findings, &found, explain)
    }

    fn assemble(&self, findings: &Findings, found: &Found, explain: &Explain<'_>) -> CheckerReport {
        let cycles: KindSet = found.cycles.iter().map(|cycle| cycle.kind).collect();
        let kinds = findings.kinds().or(cycles).or(found.unshown);
        let forbidden = self.options.forbidden();
        let mut anomalies: Vec<Anomaly> = Vec::new();
        for finding in findings.list.iter().filter(|finding| forbidden.contains(finding.kind)) {
            anomalies.push(self.anomaly(
                finding.kind,
                finding.text.clone(),
                &finding.txns,
                finding.evidence.clone(),
            ));
        }
        let asked = self.options.asked();
        let breaks = |cycle: &&Cycle| {
            let weaker = holds::broken_by(cycle);
            forbidden.contains(cycle.kind)
                || weaker.iter().any(|weaker| asked.iter().any(|model| model.implies(*weaker)))
        };
        for cycle in found.cycles.iter().filter(breaks) {
            anomalies.push(self.cycle(cycle, explain));
        }
        for kind in found.unshown.and(forbidden).iter() {
            let text = format!("There is {}.", kind.about());
            anomalies.push(self.anomaly(kind, text, &[], Map::new()));
        }
        let open = self.undecided(findings, found);
        let mut holds = self.holds(kinds, found, open.is_some());
        let how = (self.workload == Workload::Register).then_some(self.options.open);
        if how == Some(Open::Search) {
            let real_time = self.options.real_time;
            anomalies.extend(holds.search(self.table, &asked, real_time, self.stop));
        }
        let timeless = || {
            let why = "The history does not tell what ended before what began, and real time is \
                       asked for.";
            self.lacks_real_time(forbidden).then(|| why.to_owned())
        };
        let held = !asked.is_empty() && asked.iter().all(|model| holds.of(*model) == Valid::True);
        let undecided = match how {
            Some(Open::Leave) => None,
            Some(Open::Search) if held => None,
            _ => open.or_else(timeless).or_else(|| self.unsettled(&asked, &holds)),
        };
        match how {
            Some(Open::Pass) => holds.only_implied_by(&asked),
            Some(Open::Leave) => holds.only_implied_by(&[]),
            Some(Open::Search) | None => {}
        }
        let models = holds.by_name();
        let valid = match (anomalies.is_empty(), &undecided) {
            (false, _) => Valid::False,
            (true, Some(_)) => Valid::Unknown,
            (true, None) => Valid::True,
        };
        let why = match valid {
            Valid::False => anomalies.first().map(|anomaly| anomaly.explanation.clone()),
            _ => undecided.clone(),
        };
        let details = self.details(findings, found, kinds);
        CheckerReport { valid, why, details, anomalies, models }
    }

    /// Why a history without a forbidden anomaly is not known to be right.
    fn undecided(&self, findings: &Findings, found: &Found) -> Option<String> {
        if let Some(broken) = findings.broken.first() {
            let keys = findings.broken_keys;
            let more =
                if keys > 1 { format!(" ({keys} keys are like this)") } else { String::new() };
            return Some(format!("Not all keys could be judged: {broken}{more}."));
        }
        if self.stop.has() {
            return Some("The time for checking ran out before all was looked at.".to_owned());
        }
        if found.gave_up {
            return Some(format!(
                "The search for cycles gave up after {} steps.",
                self.options.steps
            ));
        }
        if self.data == 0 && !self.ordered && !self.table.is_empty() {
            return Some(
                "No transaction is known to depend on another, so the history shows nothing."
                    .into(),
            );
        }
        None
    }

    /// Whether some of these kinds are cycles through a real time that nobody knows.
    fn lacks_real_time(&self, kinds: KindSet) -> bool {
        !self.options.real_time && kinds.iter().any(|kind| kind.name().ends_with("-realtime"))
    }

    /// What is known of the models. Where the order of versions is open and is to be searched
    /// for, that nothing was found says nothing yet.
    fn holds(&self, kinds: KindSet, found: &Found, undecided: bool) -> Holds {
        let searched = self.workload == Workload::Register && self.options.open == Open::Search;
        let certain = |model: TxnModel| {
            !undecided
                && !searched
                && self.options.everything
                && !self.lacks_real_time(model.forbids())
        };
        Holds::new(kinds, &found.cycles, certain)
    }

    /// Why a model that was asked for is open although nothing contradicts it.
    fn unsettled(&self, asked: &[TxnModel], holds: &Holds) -> Option<String> {
        let model = asked.iter().find(|model| {
            let searched = self.workload == Workload::Register && self.options.open == Open::Search;
            (searched || (self.options.everything && !model.is_exact()))
                && holds.of(**model) == Valid::Unknown
        })?;
        Some(format!(
            "Whether the history is {model} is open: nothing was found that breaks it, and no \
             stronger model is known to hold."
        ))
    }

    fn details(
        &self,
        findings: &Findings,
        found: &Found,
        kinds: KindSet,
    ) -> Map<String, serde_json::Value> {
        let boundary = TxnModel::boundary(kinds);
        let names =
            |models: &[TxnModel]| json!(models.iter().map(|m| m.name()).collect::<Vec<_>>());
        let mut counts: BTreeMap<&str, u64> =
            findings.counts.iter().map(|(kind, count)| (kind.name(), *count)).collect();
        for cycle in &found.cycles {
            *counts.entry(cycle.kind.name()).or_default() += 1;
        }
        let mut details = Map::new();
        let asked: Vec<String> = if self.options.models.is_empty()
            && self.options.anomalies.is_empty()
        {
            vec![TxnModel::strict_serializable().name().to_owned()]
        } else {
            let models = self.options.models.iter().map(ToString::to_string);
            models.chain(self.options.anomalies.iter().map(|kind| format!("no {kind}"))).collect()
        };
        details.insert("workload".into(), json!(self.workload.name()));
        details.insert("asked".into(), json!(asked));
        details.insert("transactions".into(), json!(self.table.len()));
        details.insert("dependencies".into(), json!(self.data));
        details.insert("found".into(), json!(counts));
        details.insert("not".into(), names(&boundary.not));
        details.insert("also_not".into(), names(&boundary.also_not));
        details.insert("strongest".into(), names(&boundary.strongest));
        if !findings.broken.is_empty() {
            details.insert("undecided".into(), json!(findings.broken));
        }
        details
    }

    fn anomaly(
        &self,
        kind: AnomalyKind,
        explanation: String,
        txns: &[u32],
        evidence: Map<String, serde_json::Value>,
    ) -> Anomaly {
        let ops = txns.iter().filter_map(|txn| self.table.event(*txn)).map(OpIndex).collect();
        Anomaly { kind: kind.name().into(), checker: CHECKER.into(), explanation, ops, evidence }
    }

    fn cycle(&self, cycle: &Cycle, explain: &Explain<'_>) -> Anomaly {
        let count = cycle.txns.len();
        let (mut words, mut steps) = (Vec::new(), Vec::new());
        let mut text = String::from("Let ");
        for (at, txn) in cycle.txns.iter().enumerate() {
            let end = if at + 1 == count { ". Then " } else { "; " };
            text.extend([&format!("T{} = ", at + 1), &self.table.who(*txn), end]);
        }
        for (at, why) in cycle.whys.iter().enumerate() {
            let (a, b) = (cycle.txns[at], cycle.txns[(at + 1) % count]);
            let step = self.step(a, b, *why, explain);
            let (a, b) = (format!("T{}", at + 1), format!("T{}", (at + 1) % count + 1));
            words.push(format!("{a} comes before {b}, because {}", step.words(&a, &b)));
            steps.push(step.json(self.table, &a, &b));
        }
        if let Some(last) = words.pop() {
            text.push_str(&words.join("; "));
            text.extend(["; yet ", &last, ": a contradiction."]);
        }
        let ids: Vec<Option<u32>> =
            cycle.txns.iter().chain(&cycle.txns[..1]).map(|txn| self.table.event(*txn)).collect();
        let mut evidence = Map::new();
        evidence.insert("cycle".into(), json!(ids));
        evidence.insert("steps".into(), json!(steps));
        self.anomaly(cycle.kind, text, &cycle.txns, evidence)
    }

    fn step(&self, a: u32, b: u32, why: Why, explain: &Explain<'_>) -> Step {
        let known = match why {
            Why::Process => {
                let process = self.table.process(self.table.txns()[a as usize].session);
                let text = format!("process {process} ran {{a}} before {{b}}");
                Some(Step::without_key(why, text))
            }
            Why::Realtime => Some(Step::without_key(why, "{a} ended before {b} began".to_owned())),
            _ => explain(a, b, why),
        };
        known.unwrap_or_else(|| Step::without_key(why, "{b} depends on {a}".to_owned()))
    }
}
